"""How the camera moved between two frames: shift, turn and scale of the scene, whatever moves before it.

References: J. Shi, C. Tomasi, Good features to track, CVPR 1994; points that do not come back when they are
followed there and back are dropped (Z. Kalal et al., Forward-backward error, ICPR 2010); the rest are
weighed by M. Fischler, R. Bolles, Random sample consensus, CACM 1981.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["View", "camera_between", "view_of"]

LARGE_PX = 500_000  # views beyond are measured at a smaller size
POINTS, APART_PX = 400, 7  # how many are followed, at least how far apart
BACK_PX, NEAR_PX = 0.5, 1.0  # that a point may miss there and back, and may lie off the camera's motion
LEAST, LEAST_SHARE = 12, 0.3  # points that must agree, of those followed
SPECK_PX = 5  # what is smaller is taken out first: dirt is not the scene


@dataclass(frozen=True, slots=True)
class View:
    """What is kept of a frame to measure the camera by.

    Attributes:
        grey: (h, w) uint8, without specks.
        points: (n, 1, 2) float32, corners that can be followed.
        scale: pixels of the frame for one of ``grey``.
    """

    grey: NDArray[np.uint8]
    points: Float
    scale: float


def view_of(pixels: NDArray[Any], hole: Bool | None = None) -> View:
    """A frame made ready.

    Args:
        pixels: (H, W, 3) RGB or (H, W) grey, uint8 or uint16.
        hole: (H, W) bool; no corner is looked for in it.
    """
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    grey = eight if eight.ndim == 2 else cv2.cvtColor(eight, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = max(1.0, (height * width / LARGE_PX) ** 0.5)
    size = max(8, round(width / scale)), max(8, round(height / scale))
    if scale > 1:
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    grey = cv2.medianBlur(np.asarray(grey, np.uint8), SPECK_PX)
    clear = None
    if hole is not None and hole.any():
        covered = cv2.resize(hole.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
        clear = (cv2.dilate(np.asarray(covered), np.ones((7, 7), np.uint8)) == 0).astype(np.uint8)
    found = cv2.goodFeaturesToTrack(grey, POINTS, 0.01, APART_PX, mask=clear)
    points = np.zeros((0, 1, 2), np.float32) if found is None else np.asarray(found, np.float32)
    return View(np.asarray(grey, np.uint8), points, width / size[0])


def camera_between(here: View, there: View) -> NDArray[np.float64] | None:
    """Where the scene of one frame lies in the next.

    Args:
        here, there: of one size.

    Returns:
        (2, 3) shift, turn and scale of pixel positions (x, y) of the frame; None where too little of one is
        found again in the other: a cut, or nothing to be seen.

    Cost: some 4 ms at 432×240.
    """
    if len(here.points) < LEAST:
        return None
    how = {"winSize": (15, 15), "maxLevel": 4}
    to, found, _ = cv2.calcOpticalFlowPyrLK(here.grey, there.grey, here.points, None, **how)  # type: ignore[call-overload]
    home, back, _ = cv2.calcOpticalFlowPyrLK(there.grey, here.grey, to, None, **how)  # type: ignore[call-overload]
    miss = np.linalg.norm((home - here.points)[:, 0], axis=1)
    fine = (found[:, 0] > 0) & (back[:, 0] > 0) & (miss < BACK_PX)
    if np.count_nonzero(fine) < max(LEAST, LEAST_SHARE * len(fine)):
        return None
    start, end = here.points[fine, 0], to[fine, 0]
    motion, agree = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=NEAR_PX, confidence=0.999)
    if motion is None or np.count_nonzero(agree) < max(LEAST, LEAST_SHARE * len(start)):
        return None
    motion = np.array(motion, np.float64)
    # Pixels of the smaller view lie at their middles: (x + ½) · scale - ½ in the frame.
    shift = here.scale / 2 - 0.5
    motion[:, 2] = here.scale * motion[:, 2] + shift - motion[:, :2] @ np.full(2, shift)
    return motion
