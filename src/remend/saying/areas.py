"""Parts of a scene that have a name: its sky, and what is behind the thing in the middle."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool

__all__ = ["background_of", "sky_of"]

Levels = NDArray[np.uint8]

SKY_ROWS = 0.05  # of the height, from which sky is followed downwards
SKY_STEP = 3  # levels between neighbours in a sky


def sky_of(small: Levels) -> Bool | None:
    """What is smooth and light, or blue, from the upper edge down."""
    height, width = small.shape[:2]
    soft = cv2.GaussianBlur(cv2.medianBlur(np.ascontiguousarray(small), 5), (0, 0), 1.5)
    found = np.zeros((height, width), bool)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    step = (SKY_STEP,) * 3
    for x in np.linspace(0.03 * width, 0.97 * width, 9).astype(int).tolist():
        seed = (x, int(SKY_ROWS * height))
        if found[seed[1], seed[0]] or not _sky_like(soft[seed[1], seed[0]]):
            continue
        flood = np.zeros((height + 2, width + 2), np.uint8)
        cv2.floodFill(soft, flood, seed, 0, step, step, flags)
        part = flood[1:-1, 1:-1] > 0
        if part[-1].mean() < 0.2:  # what reaches the ground along the lower edge is none
            found |= part
    if found.mean() < 0.04 or found[: max(1, height // 8)].mean() < 0.3:
        return None
    # Damage upon it belongs to it, as does what the flood left free.
    side = max(5, round(0.06 * max(height, width))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    reach = side
    padded = cv2.copyMakeBorder(found.astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)
    return np.asarray(closed[reach:-reach, reach:-reach] > 0)


def _sky_like(colour: NDArray[np.uint8]) -> bool:
    """Whether a colour may be a sky's: light, or more blue than red."""
    red, green, blue = (float(level) for level in colour)
    return (blue >= red - 6 and (blue > 150 or blue > 1.15 * red)) or min(red, green, blue) > 150


def background_of(small: Levels) -> Bool | None:
    """What is not the thing in the middle: graph cut from the picture's border."""
    height, width = small.shape[:2]
    scale = min(1.0, 200 / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    less = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    rim = max(2, round(0.06 * min(size)))
    labels = np.zeros((size[1], size[0]), np.uint8)
    models = np.zeros((2, 65))
    cv2.setRNGSeed(0)
    frame = (rim, 0, size[0] - 2 * rim, size[1])
    bgr = np.ascontiguousarray(less[..., ::-1]).astype(np.uint8)
    cut, _, _ = cv2.grabCut(bgr, labels, frame, models[:1], models[1:], 4, cv2.GC_INIT_WITH_RECT)
    thing = ((cut == cv2.GC_FGD) | (cut == cv2.GC_PR_FGD)).astype(np.uint8)
    thing = cv2.morphologyEx(thing, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(thing, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    share = stats[largest, cv2.CC_STAT_AREA] / thing.size
    if not 0.03 <= share <= 0.8:
        return None
    behind = (parts != largest).astype(np.uint8)
    return np.asarray(cv2.resize(behind, (width, height), interpolation=cv2.INTER_NEAREST) > 0)
