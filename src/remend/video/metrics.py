"""How good repaired frames are, over time: likeness in the holes, steadiness, flicker.

Reference: the warping error of W.-S. Lai et al., Learning blind video temporal consistency, ECCV 2018, in the
holes alone and with the flow of the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["Seen", "Steadiness", "measure", "psnr_over_time", "seen_again"]

Frames = Sequence[NDArray[np.uint8]]
SMALLEST_PX = 12
MISS_PX = 1.0  # there and back: what misses more is hidden in one of the frames


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the pixels of a frame are in the next.

    Attributes:
        x, y: (H, W) float32.
        seen: (H, W) bool, which of them are seen in both.
    """

    x: Float
    y: Float
    seen: Bool


def seen_again(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Seen:
    """Where the pixels of one frame are in another, (H, W, 3) uint8 RGB each.

    Cost: two flows of OpenCV's DIS.
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    one, other = (np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in (first, second))
    size = one.shape
    if min(size) < SMALLEST_PX:  # OpenCV's flow takes no smaller ones
        x, y = np.meshgrid(np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32))
        return Seen(x, y, np.ones(size, np.bool_))
    blank = np.zeros((*size, 2), np.float32)
    ahead = np.asarray(dis.calc(one, other, blank), np.float32)
    back = np.asarray(dis.calc(other, one, blank.copy()), np.float32)
    x, y = np.meshgrid(np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32))
    x, y = x + ahead[..., 0], y + ahead[..., 1]
    home = np.asarray(cv2.remap(back, x, y, cv2.INTER_LINEAR), np.float32)
    seen = np.hypot(*np.moveaxis(ahead + home, 2, 0)) < MISS_PX
    return Seen(x, y, seen & (x >= 0) & (y >= 0) & (x <= size[1] - 1) & (y <= size[0] - 1))


@dataclass(frozen=True, slots=True)
class Steadiness:
    """How a clip changes from frame to frame inside its holes, 0–1 of the range.

    Attributes:
        warping_error: mean absolute difference of a pixel and the one it moves to.
        flicker: deviation over time of the holes' mean level, less that of the truth's; 0 = none.
    """

    warping_error: float
    flicker: float


def psnr_over_time(frames: Frames, truth: Frames, holes: Sequence[Bool]) -> list[float]:
    """PSNR in dB of each frame that has a hole, inside it; 100 where nothing differs.

    Args:
        frames, truth: (H, W, 3) uint8 each.
        holes: (H, W) bool each, True = was repaired.
    """
    found = []
    for frame, right, hole in zip(frames, truth, holes, strict=True):
        if hole.any():
            error = float(np.mean(np.square(frame[hole].astype(np.float64) - right[hole])))
            found.append(float(min(100.0, 10 * np.log10(255**2 / max(error, 1e-12)))))
    return found


def measure(frames: Frames, truth: Frames, holes: Sequence[Bool]) -> Steadiness:
    """Steadiness in the holes, along the motion of the truth.

    Args:
        frames, truth, holes: as for ``psnr_over_time``; ``frames`` may be the truth itself, to compare with.

    Cost: two flows of OpenCV's DIS a frame.
    """
    errors, levels = [], []
    for t in range(len(truth) - 1):
        way = seen_again(truth[t], truth[t + 1])
        seen = way.seen & holes[t]
        if not seen.any():
            continue
        moved = np.asarray(cv2.remap(frames[t + 1], way.x, way.y, cv2.INTER_LINEAR), np.float32)
        errors.append(float(np.abs(frames[t][seen] - moved[seen]).mean()) / 255)
        levels.append(_level(frames[t], holes[t]) - _level(truth[t], holes[t]))
    if not errors:
        return Steadiness(0.0, 0.0)
    return Steadiness(float(np.mean(errors)), float(np.std(levels)))


def _level(frame: NDArray[np.uint8], hole: Bool) -> float:
    inside: Float = frame[hole].astype(np.float32)
    return float(inside.mean()) / 255
