"""What a finder is, and how one is added: `register_finder`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.kinds import KINDS, Kind
from remend.picture import Region

__all__ = ["Finder", "finders", "register_finder"]

Finder = Callable[[NDArray[np.uint8]], Sequence[Region]]
"""Looks for damage of one kind.

It is given the picture, (H, W, 3) uint8 RGB in display orientation, not to be written to, and answers regions
of its kind: masks that reach to the soft edges, and a confidence that is a chance.
"""

_FINDERS: dict[str, Finder] = {}
Given = TypeVar("Given", bound=Finder)


def register_finder(
    kind: str, *, words: Sequence[str] = (), default: bool = False
) -> Callable[[Given], Given]:
    """Let a rule look for a kind of damage: a decorator for a function that is a `Finder`.

    Every picture that is searched is shown to it, after the gate let it through; what it finds is told apart
    from the rest by kind. Modules of ``remend.damage.rules`` are found by themselves, and their kinds have
    rows in `remend.kinds`. Anywhere else a kind holds in the process that registered it.

    Args:
        kind: its word for ``--find`` and ``--skip``, singular, lower case.
        words: other words for a kind that is new.
        default: whether a kind that is new is looked for unless the user says otherwise.

    Raises:
        UsageError: another rule looks for that kind, or a word means something else already.
    """
    taken = {word for name, one in KINDS.items() if name != kind for word in (name, *one.words)}
    if kind in _FINDERS or taken.intersection((kind, *words)):
        raise UsageError(f"no finder can be registered as {kind!r}: the word is taken, choose another")

    def entered(finder: Given) -> Given:
        KINDS.setdefault(kind, Kind(tuple(words), default=default))
        _FINDERS[kind] = finder
        return finder

    return entered


def finders() -> tuple[Finder, ...]:
    """All that are registered, those of ``remend.damage.rules`` among them."""
    folder = Path(__file__).with_name("rules")
    for module in iter_modules([str(folder)]):
        import_module(f"{__package__}.rules.{module.name}")
    return tuple(_FINDERS.values())
