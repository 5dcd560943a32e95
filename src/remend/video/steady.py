"""Light that flickers from frame to frame, made steady: each frame gets the mean exposure of those around it.

How the colours of one frame become those of the next is a straight line for each channel, drawn through what
the motion finds again (`remend.video.flow`), so what comes into the picture does not count as brighter. A
fade stays: the mean of as many frames on both sides moves with it.

Reference: P. M. B. van Roosmalen et al., Correction of intensity flicker in old film sequences, IEEE
Transactions on Circuits and Systems for Video Technology, 1999 (gain and offset, followed over time).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.video.flow import Frame, look, motion_between

__all__ = ["LIGHT_AROUND", "steadied"]

LIGHT_AROUND = 8  # frames to each side whose exposure is averaged
ENDS = 2  # frames that the first and the last of a scene go by
SMALL_PX = 30_000  # exposure is measured on frames no larger
LEAST_GAIN, MOST_GAIN = 0.6, 1.6  # that is still flicker
KNOTS = np.array([0.15, 0.85], np.float32)  # levels whose mean is taken: gain and offset alone are not alike

Line = tuple[Float, Float]
"""Gain and offset, (3,) each, of one frame's colours to the next's."""


def steadied(frames: Iterable[tuple[NDArray[Any], Bool]]) -> Iterator[tuple[NDArray[Any], Bool]]:
    """Frames with even light, their holes as they came.

    Args:
        frames: pixels (H, W, 3) RGB uint8 or uint16, and holes, which are not measured in.

    Yields:
        New frames, `LIGHT_AROUND` behind what is read; a frame's answer depends on those around it alone.

    Cost: two small flows and a pass over the frame, some 8 ms at 432×240.
    """
    held: deque[tuple[NDArray[Any], Bool]] = deque()
    lines: deque[Line | None] = deque()  # from each frame to the next, some past; None = a cut
    before: Frame | None = None
    here = 0
    for pixels, hole in frames:
        small = _small(pixels, hole)
        if before is not None:
            lines.append(_line(before, small))
        before = small
        held.append((pixels, hole))
        if len(held) > LIGHT_AROUND:
            yield _even(*held.popleft(), lines, here)
            here += 1
            if here > LIGHT_AROUND:
                lines.popleft()
                here -= 1
    while held:
        yield _even(*held.popleft(), lines, here)
        here += 1


def _small(pixels: NDArray[Any], hole: Bool) -> Frame:
    scale = min(1.0, (SMALL_PX / hole.size) ** 0.5)
    size = max(8, round(hole.shape[1] * scale)), max(8, round(hole.shape[0] * scale))
    small: NDArray[Any] = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    covered = cv2.resize(hole.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    return look(small, np.asarray(covered) > 0)


def _line(one: Frame, other: Frame) -> Line | None:
    motion, _ = motion_between(one, other)
    return None if motion.cut else (motion.gain, motion.offset)


def _even(
    pixels: NDArray[Any], hole: Bool, lines: deque[Line | None], here: int
) -> tuple[NDArray[Any], Bool]:
    """One frame, the first line after which is ``here``, with the mean exposure of those around it."""
    ahead, back = _levels(lines, here, 1), _levels(lines, here, -1)
    # As many on both sides, so that a fade stays what it is; at the ends of a scene the next ones alone.
    near = min(len(ahead), len(back)) or ENDS
    ahead, back = ahead[:near], back[:near]
    shown = np.mean([np.broadcast_to(KNOTS[:, None], (2, 3)), *ahead, *back], axis=0)
    gain = np.clip((shown[1] - shown[0]) / (KNOTS[1] - KNOTS[0]), LEAST_GAIN, MOST_GAIN)
    offset = shown.mean(axis=0) - gain * KNOTS.mean()
    top = np.float32(np.iinfo(pixels.dtype).max)
    even = pixels.astype(np.float32) * gain.astype(np.float32) + (offset * top).astype(np.float32)
    return np.clip(np.rint(even), 0, top).astype(pixels.dtype), hole


def _levels(lines: deque[Line | None], here: int, way: int) -> list[Float]:
    """(2, 3) how two levels of a frame look in each of those on one side, nearest first; up to a cut."""
    found, levels = [], np.broadcast_to(KNOTS[:, None], (2, 3)).astype(np.float32)
    for step in range(LIGHT_AROUND):
        place = here + step if way > 0 else here - 1 - step
        line = lines[place] if 0 <= place < len(lines) else None
        if line is None:
            break
        gain, offset = line
        levels = levels * gain + offset if way > 0 else (levels - offset) / gain
        found.append(np.asarray(levels, np.float32))
    return found
