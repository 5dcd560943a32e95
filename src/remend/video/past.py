"""Finished frames of a picture that is repaired as it comes, for those after them to look at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.video.flow import sample

__all__ = ["Past"]

Samples = NDArray[np.uint8] | NDArray[np.uint16]
PAST, PAST_BYTES = 90, 256 << 20  # frames that are kept, and what they may take


class Past:
    """Finished frames, the newest over the oldest, and how their colours would be now."""

    def __init__(self) -> None:
        self.frames: list[Samples] = []
        self.last = -1
        self.gain = np.ones((PAST, 3), np.float32)
        self.offset = np.zeros((PAST, 3), np.float32)

    def add(self, pixels: Samples) -> int:
        """Keep a frame, which is not written to from now on; its number."""
        most = max(2, min(PAST, PAST_BYTES // pixels.nbytes))
        self.last += 1
        if len(self.frames) < most:
            self.frames.append(pixels)
        else:
            self.frames[self.last % most] = pixels
        place = self.last % most
        self.gain[place], self.offset[place] = 1, 0
        return self.last

    def forget(self) -> None:
        """A new scene."""
        self.frames.clear()
        self.last = -1

    def expose(self, gain: Float, offset: Float) -> None:
        """The exposure has changed: colours now = gain · colours before + offset."""
        self.gain *= gain
        self.offset *= gain
        self.offset += offset

    def holds(self, number: NDArray[np.int32]) -> Bool:
        """Which frames are still there."""
        return (number >= 0) & (number > self.last - len(self.frames))

    def colours(self, number: NDArray[np.int32], xy: Float) -> Float:
        """(n, 3) colours of frames at positions, as they would be now, in [0, 1]."""
        found = np.zeros((len(xy), 3), np.float32)
        order = np.argsort(number, kind="stable")
        bounds = np.flatnonzero(np.diff(number[order], prepend=-2))
        for which in np.split(order, bounds[1:]):
            place = int(number[which[0]]) % len(self.frames)
            frame = self.frames[place]
            taken = sample(frame, xy[which], cv2.INTER_CUBIC).astype(np.float32)
            taken *= np.float32(1 / np.iinfo(frame.dtype).max)
            found[which] = taken * self.gain[place] + self.offset[place]
        return found
