"""Members that are made: who has which pictures, and which kind of damage each knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from remend.errors import UsageError
from remend.picture import Bool
from remend.train.data.masks import MaskBank, Source

__all__ = ["KINDS", "OneKind", "dealt"]

KINDS = ("scratches", "dust", "cracks", "text", "free-form")
"""Kinds of damage, one a member in turn."""

_MASKS = 40  # more take longer to draw than a little net takes to learn
_TRIES = 20
_LEAST, _MOST = 0.005, 0.4  # share of a crop


@dataclass
class OneKind(MaskBank):
    """Masks of one kind of damage, whatever group is asked for."""

    kind: str = KINDS[0]

    @classmethod
    def of(cls, seed: int, kind: str) -> Self:
        """Masks of one of ``KINDS``."""
        return cls(seed, _MASKS, kind=kind)

    def draw(self, group: str, side: int, rng: np.random.Generator) -> Bool:
        """A hole of the kind: (side, side) bool, never empty."""
        source = Source(self.kind, max(256, side))
        crop = np.zeros((side, side), np.bool_)
        for _ in range(_TRIES):
            rows = self._mask(source, side, int(rng.integers(self.size)))
            top, left = (int(rng.integers(len(rows) - side + 1)) for _ in range(2))
            crop = np.unpackbits(rows[top : top + side], axis=1)[:, left : left + side].view(np.bool_)
            if _LEAST <= crop.mean() <= _MOST:
                return np.ascontiguousarray(np.rot90(crop, int(rng.integers(4))))
        return super().draw("thin", side, rng)  # a kind that never marks enough of a crop so small


def dealt(labels: Sequence[str], members: int, *, alpha: float, seed: int = 0) -> list[list[int]]:
    """Share pictures out, unevenly by what they are: numbers of pictures for each member.

    The pictures of each label are split by proportions drawn from a Dirichlet distribution; every member has
    one at least. Reference: Hsu, Qi and Brown, "Measuring the Effects of Non-Identical Data Distribution for
    Federated Visual Classification", 2019, doi:10.48550/arXiv.1909.06335.

    Args:
        labels: of each picture: its source, or what it shows.
        members: how many.
        alpha: above 0; small = each label lies with few members, large = evenly.
        seed: of the proportions.

    Raises:
        UsageError: fewer pictures than members.

    >>> [len(share) for share in dealt(["a"] * 40, 4, alpha=1e6)]
    [10, 10, 10, 10]
    """
    if len(labels) < members or members < 1 or not alpha > 0:
        raise UsageError(
            f"{len(labels)} pictures cannot be dealt out to {members} members: give more pictures"
        )
    rng = np.random.default_rng(seed)
    shares: list[list[int]] = [[] for _ in range(members)]
    for label in sorted(set(labels)):
        numbers = rng.permutation([n for n, other in enumerate(labels) if other == label])
        cuts = (np.cumsum(rng.dirichlet([alpha] * members)) * len(numbers)).round().astype(int)[:-1]
        for share, part in zip(shares, np.split(numbers, cuts), strict=True):
            share += [int(number) for number in part]
    for share in shares:
        if not share:
            share.append(max(shares, key=len).pop())
    return [sorted(share) for share in shares]
