"""An album as something to learn from: its intact parts, some of them set aside to judge by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.picture import Bool
from remend.train.data.damaged import Damage
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import Pictures, read_pictures
from remend.train.data.samples import Sample
from remend.train.data.sources import groups_of

__all__ = ["PATCH_PX", "Album", "read_album"]

PATCH_PX = 128
"""Side of what is learned from and judged by."""

_MOST = 64  # pictures; of more, these are chosen by a hash of their names
_LARGEST_PX = 1024  # of a larger one its middle: damage has to be looked for, and 64 of these are plenty
_STRIPS_BELOW = 8  # pictures; of fewer a strip of each is set aside, of more every fourth picture
_PATCHES = 96  # to judge by
_INTACT = 0.5  # share of a picture that must be
_CALIBRATION = 48
_KINDS = ("thin", "thin", "thin", "free_form")


@dataclass(frozen=True)
class Album:
    """What an album gives.

    Attributes:
        pictures: to learn from, (H, W, 3) uint8 each.
        aside: to judge by; no pixel of them is in ``pictures``.
        damage: where either is damaged; None = they are whole.
        notes: a line for each thing that its owner should know.
    """

    pictures: Pictures
    aside: Pictures
    damage: Damage | None
    notes: tuple[str, ...] = ()
    _bank: MaskBank = field(default_factory=lambda: MaskBank(seed=1, size=12), repr=False)

    def patches(self, *, count: int = _PATCHES, seed: int = 0) -> list[tuple[str, Sample]]:
        """Patches of what is set aside, with holes as damage makes them: ``(picture, sample)``.

        Args:
            count: at most, dealt out evenly over the pictures.
            seed: of places and holes.

        Raises:
            UsageError: no patch is intact enough.
        """
        found = self._patches(self.aside, count, seed)
        if not found:
            raise UsageError("what was set aside of the album is damaged all over: give more pictures")
        return found

    def calibration(self) -> list[Sample]:
        """Patches of what is learned from, for a file in 8 bits."""
        return [sample for _, sample in self._patches(self.pictures, _CALIBRATION, 0)]

    def _patches(self, pictures: Pictures, count: int, seed: int) -> list[tuple[str, Sample]]:
        found: list[tuple[str, Sample]] = []
        each = -(-count // len(pictures))
        for index in range(len(pictures)):
            name, picture = pictures.usable(index)
            bad = self.damage(name, picture) if self.damage is not None else np.zeros(picture.shape[:2], bool)
            rng = np.random.default_rng([seed, index])
            for number in range(each):
                top, left = (int(rng.integers(length - PATCH_PX + 1)) for length in picture.shape[:2])
                place = slice(top, top + PATCH_PX), slice(left, left + PATCH_PX)
                kind = _KINDS[number % len(_KINDS)]
                hole = self._bank.draw(kind, PATCH_PX, rng) & ~bad[place]
                if hole.any() and bad[place].mean() < _INTACT:
                    found.append((name, _patch(picture[place], hole, bad[place], kind)))
        return found


def read_album(folder: Path, *, damage: str = "find", say: Callable[[str], None] = print) -> Album:
    """Read an album, find its damage, and set some of it aside.

    Every fourth picture is set aside, by a hash of the names; of fewer than eight pictures a quarter of each.

    Args:
        folder: whatever ``remend train --data`` takes.
        damage: ``find``; a folder of masks called like the pictures, white = damaged; "" = all is whole.
        say: told of files that cannot be used.

    Raises:
        UsageError: no picture of ``PATCH_PX`` and more, or none that is intact.

    Cost: .6 s a megapixel where damage is looked for, of 64 megapixels at most.
    """
    pictures = read_pictures([folder], least_px=PATCH_PX, memory_gib=2.0, say=say)
    notes = list(pictures.skipped)
    if len(pictures) > _MOST:
        notes.append(f"of {len(pictures):,} pictures {_MOST} are taken, chosen by their names")
        pictures = pictures.few(_MOST)
    looked_for = Damage.of(damage, pictures.names)
    whole: dict[str, _Part] = {}
    for index in range(len(pictures)):
        name, picture = pictures.usable(index)
        part = _middle(picture, None if looked_for is None else partial(looked_for, name), damage == "find")
        if part.bad.mean() > 1 - _INTACT:
            notes.append(f"{name}: {100 * part.bad.mean():.0f} % of it is damaged, it is left out")
        else:
            whole[name] = part
    if not whole:
        raise UsageError(f"no picture of {folder} is intact enough to learn from: give more of them")
    learned, aside = _parted(whole)
    known = {name: part.bad for name, part in (learned | aside).items()}
    return Album(
        _pictures(learned, say),
        _pictures(aside, say),
        None if looked_for is None else Damage.known(known),
        tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """Pixels, (H, W, 3) uint8, and which of them are damaged."""

    pixels: NDArray[np.uint8]
    bad: Bool

    def cut(self, rows: slice, columns: slice) -> _Part:
        return _Part(np.ascontiguousarray(self.pixels[rows, columns]), self.bad[rows, columns].copy())


def _middle(
    picture: NDArray[np.uint8], look: Callable[[NDArray[np.uint8]], Bool] | None, found: bool
) -> _Part:
    """The middle of a picture; damage is looked for there alone, masks are of the whole."""
    rows, columns = (
        slice((length - side) // 2, (length + side) // 2)
        for length in picture.shape[:2]
        for side in (min(length, _LARGEST_PX),)
    )
    if look is None or found:
        part = _Part(picture, np.zeros(picture.shape[:2], bool)).cut(rows, columns)
        return part if look is None else replace(part, bad=look(part.pixels))
    return _Part(picture, look(picture)).cut(rows, columns)


def _parted(whole: dict[str, _Part]) -> tuple[dict[str, _Part], dict[str, _Part]]:
    """What is learned from, and what is set aside."""
    order = sorted(whole, key=lambda name: hashlib.sha256(f"album/{name}".encode()).digest())
    if len(whole) >= _STRIPS_BELOW:
        chosen = set(order[: len(order) // 4])
        return (
            {name: part for name, part in whole.items() if name not in chosen},
            {name: part for name, part in whole.items() if name in chosen},
        )
    learned, aside = {}, {}
    for name, part in whole.items():
        height, width = part.bad.shape
        strip = max(PATCH_PX, max(height, width) // 4)
        if max(height, width) - strip < PATCH_PX:
            learned[name] = part  # too small to be shared out
        elif height >= width:
            learned[name] = part.cut(slice(height - strip), slice(None))
            aside[f"{name}#"] = part.cut(slice(height - strip, None), slice(None))
        else:
            learned[name] = part.cut(slice(None), slice(width - strip))
            aside[f"{name}#"] = part.cut(slice(None), slice(width - strip, None))
    if not aside:
        raise UsageError(
            f"an album of less than {_STRIPS_BELOW} pictures needs one of {2 * PATCH_PX} px and more, "
            "to set a part of it aside: give more pictures"
        )
    return learned, aside


def _pictures(parts: dict[str, _Part], say: Callable[[str], None]) -> Pictures:
    names = tuple(parts)
    return Pictures(
        names, tuple(part.pixels for part in parts.values()), groups_of(names), least_px=PATCH_PX, say=say
    )


def _patch(target: NDArray[np.uint8], hole: Bool, bad: Bool, kind: str) -> Sample:
    """A sample whose damage counts as hole for whoever fills it, and for nobody who judges."""
    missing = (hole | bad)[..., None]
    return Sample(np.where(missing, np.uint8(0), target), np.ascontiguousarray(target), hole, kind, bad)
