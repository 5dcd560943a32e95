"""What hangs on names alone: which pictures are set aside, which are the few, and who belongs together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["few_names", "groups_of", "split_names"]


def split_names(names: Sequence[str], aside: int) -> frozenset[str]:
    """The ``aside`` names with the smallest SHA-256; at most a tenth of all.

    >>> sorted(split_names([f"photos/{i}.png" for i in range(20)], 5))
    ['photos/15.png', 'photos/6.png']
    """
    return frozenset(sorted(names, key=_hashed)[: min(aside, len(names) // 10)])


def few_names(names: Sequence[str], count: int) -> frozenset[str]:
    """``count`` names, chosen by another hash than a split: ten of them are among the hundred.

    >>> names = [f"photos/{i}.png" for i in range(20)]
    >>> few_names(names, 3) < few_names(names, 5)
    True
    """
    return frozenset(sorted(names, key=lambda name: _hashed(f"few/{name}"))[:count])


def groups_of(names: Iterable[str]) -> dict[str, int]:
    """Pictures of each source; numbered shards (``name-000``) count as one.

    >>> groups_of(["photos-000/1.png", "photos-001/2.png", "more/a.jpg"])
    {'more': 1, 'photos': 2}
    """
    sources = (name.split("/")[0].rstrip("0123456789").rstrip("-_") for name in names)
    return dict(sorted(Counter(sources).items()))


def _hashed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
