"""What no frame shows, carried from frame to frame, so that it is made up once and stays.

Positions are carried, not colours: each pixel of a hole knows where it lies in a key frame, a finished one
that is kept for that. A new key is taken only when something is needed that no key holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.video.flow import Frame, Motion, sample
from remend.video.trail import Sight, inside

__all__ = ["Carried"]

MOST_KEYS = 8
AGED = 0.04  # deviation that a frame adds to what was filled in the one before


@dataclass(frozen=True, slots=True)
class _Key:
    """A finished frame, and the exposure since: colours now = gain · colours then + offset."""

    pixels: NDArray[Any]
    gain: Float = field(default_factory=lambda: np.ones(3, np.float32))
    offset: Float = field(default_factory=lambda: np.zeros(3, np.float32))


class Carried:
    """What the last finished frame leaves to the next."""

    def __init__(self) -> None:
        self.keys: dict[int, _Key] = {}
        self.number = 0
        self.gain, self.offset = np.ones(3, np.float32), np.zeros(3, np.float32)  # since the last frame
        self.forget()

    def forget(self) -> None:
        """A new scene."""
        self.keys.clear()
        self.pixels: NDArray[Any] | None = None
        self.hole: Bool | None = None
        self.variance: Float | None = None  # (H, W) of what was filled
        self.which: NDArray[np.int32] | None = None  # (H, W) key of each pixel, -1 = none
        self.xy: Float | None = None  # (H, W, 2) where in it
        self.next_which: NDArray[np.int32] | None = None
        self.next_xy: Float | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is carried."""
        return bool(self.keys) or (self.hole is not None and bool(self.hole.any()))

    def move(self, motion: Motion) -> None:
        """The exposure of the next frame."""
        self.keys = {
            number: replace(key, gain=motion.gain * key.gain, offset=motion.gain * key.offset + motion.offset)
            for number, key in self.keys.items()
        }
        self.gain, self.offset = motion.gain, motion.offset

    def before(self, xy: Float, flow: Float, frame: Frame) -> tuple[Float, Float]:
        """What the frame before was filled with, moved to where it is now.

        Args:
            xy: (n, 2) float32, pixels of the hole.
            flow: the motion to the frame before.
            frame: that they are in.

        Returns:
            (n, 3) colours in [0, 1] and (n,) variance, infinite where nothing was filled.
        """
        variance = np.full(len(xy), np.inf, np.float32)
        if self.pixels is None or self.hole is None or self.variance is None:
            return np.zeros((len(xy), 3), np.float32), variance
        then = xy + sample(flow, xy if frame.scale == 1 else (xy - np.float32(0.5)) / np.float32(2))
        fine = np.flatnonzero(inside(then, frame.hole.shape))
        near = np.rint(then[fine]).astype(np.intp)
        variance[fine] = np.where(
            self.hole[near[:, 1], near[:, 0]], self.variance[near[:, 1], near[:, 0]] + AGED**2, np.inf
        )
        colours = sample(self.pixels, then, cv2.INTER_CUBIC).astype(np.float32) * np.float32(1 / frame.top)
        return colours * self.gain + self.offset, variance

    def sights(self, xy: Float, back: Motion, frame: Frame) -> list[Sight]:
        """What is known of pixels of a hole that no frame shows.

        Args:
            xy: (n, 2) float32, where they are.
            back: the motion to the frame before.
            frame: that they are in.
        """
        size = frame.hole.shape
        self.next_which = np.full(size, -1, np.int32)
        self.next_xy = np.zeros((*size, 2), np.float32)
        if self.pixels is None:
            return []
        places = xy if frame.scale == 1 else (xy - np.float32(0.5)) / np.float32(2)
        before = xy + sample(back.scene, places)
        fine = np.flatnonzero(inside(before, size))
        near = np.rint(before[fine]).astype(np.intp)
        if self.hole is not None:
            # What was known there has been lost on the way, and is not what was made up.
            held = self.hole[near[:, 1], near[:, 0]]
            fine, near = fine[held], near[held]
        before = before[fine]
        which, then = np.full(len(fine), -1, np.int32), before.copy()
        if self.which is not None and self.xy is not None:
            which = self.which[near[:, 1], near[:, 0]]
            held = which >= 0
            then[held] = self.xy[near[held, 1], near[held, 0]] + before[held] - near[held]
        lost = which < 0
        if lost.any():
            if len(self.keys) >= MOST_KEYS:
                oldest = min(self.keys)
                del self.keys[oldest]
                lost |= which == oldest
                then[lost] = before[lost]
            which = np.where(lost, self._new_key(), which)
        found = []
        rows, columns = xy[fine, 1].astype(np.intp), xy[fine, 0].astype(np.intp)
        self.next_which[rows, columns] = which
        self.next_xy[rows, columns] = then
        whole = np.zeros(size, np.bool_)
        for number in np.unique(which):
            key, of = self.keys[int(number)], np.flatnonzero(which == number)
            shown = replace(frame, pixels=key.pixels, hole=whole, near=whole)
            # A sight says how colours there come of those here.
            gain = np.asarray(1 / key.gain, np.float32)
            offset = np.asarray(-key.offset * gain, np.float32)
            found.append(Sight(shown, fine[of], then[of], np.zeros(len(of), np.float32), gain, offset))
        return found

    def _new_key(self) -> int:
        """The last finished frame, kept; its number."""
        assert self.pixels is not None
        self.number += 1
        self.keys[self.number] = _Key(self.pixels, self.gain, self.offset)
        return self.number

    def rest(self, pixels: NDArray[Any], hole: Bool, variance: Float | None = None) -> None:
        """A frame is finished: what it says of the next."""
        self.pixels, self.hole, self.variance = pixels, hole, variance
        self.which, self.xy = self.next_which, self.next_xy
        self.next_which = self.next_xy = None
        used = set() if self.which is None else set(np.unique(self.which).tolist())
        self.keys = {number: key for number, key in self.keys.items() if number in used}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as plain arrays, to be saved; `Carried.of` takes them back."""
        kept: dict[str, NDArray[Any]] = {"number": np.array(self.number)}
        for name in ("pixels", "hole", "variance", "which", "xy"):
            value = getattr(self, name)
            if value is not None:
                kept[name] = value
        for number, key in self.keys.items():
            kept |= {f"key{number}": key.pixels, f"gain{number}": key.gain, f"offset{number}": key.offset}
        return kept

    @classmethod
    def of(cls, kept: Mapping[str, NDArray[Any]]) -> Carried:
        """What ``arrays`` gave."""
        back = cls()
        back.number = int(kept["number"])
        back.pixels, back.hole, back.variance = kept.get("pixels"), kept.get("hole"), kept.get("variance")
        back.which, back.xy = kept.get("which"), kept.get("xy")
        for name in kept:
            if name.startswith("key"):
                number = name.removeprefix("key")
                back.keys[int(number)] = _Key(kept[name], kept[f"gain{number}"], kept[f"offset{number}"])
        return back
