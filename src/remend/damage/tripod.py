"""What stands below the camera of a 360° panorama: how far it reaches, told by its unlikeness to the ground.

Below the camera a picture shows the tripod, a hand, a logo or a patch, and all around it the ground that it
stands on. What there is of colours further out is the ground; what is unlike all of them and hangs together
with the nadir is what stands there, legs included.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["USUAL_DEG", "tripod_radius"]

USUAL_DEG = 15.0  # where it cannot be told
WIDTH_PX = 720  # the picture is looked at in half degrees
PER_DEG = WIDTH_PX / 360
GROUND_DEG = (38.0, 62.0)  # from straight down: nobody's tripod, and not yet the horizon
FARTHEST_DEG = 35.0
COLOURS = 8
NEAR_DEG = 3.0  # what hangs together with it begins within so much of straight down
LEAST_SHARE = 0.008  # of a ring: thinner legs end there
MOST_SHARE = 0.6  # of the ring at the farthest: then the ground itself is another
UNLIKE = 1.3  # times what the ground differs from its own colours, nearly all of it
LEVELS = 6.0  # of Lab; below it nobody sees a difference
MARGIN_DEG = 1.5


def tripod_radius(image: NDArray[np.uint8]) -> float | None:
    """How far what stands below the camera reaches from straight down, in degrees, a margin included.

    Args:
        image: (H, W, 3) uint8 RGB, equirectangular.

    Returns:
        0 to 35 and the margin; None where nothing unlike the ground is seen there, or all is unlike it.

    Cost: a reduction of the lower third, and some milliseconds.
    """
    lab = _below(image)
    rows = len(lab)
    degrees = (np.arange(rows) + 0.5) / PER_DEG
    ground = lab[(degrees > GROUND_DEG[0]) & (degrees < GROUND_DEG[1])].reshape(-1, 3)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.5)
    cv2.setRNGSeed(0)
    _, _, colours = cv2.kmeans(ground[::3], COLOURS, None, until, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    seen = degrees < FARTHEST_DEG + 2
    bound = max(LEVELS, UNLIKE * float(np.percentile(_away(ground, colours), 99)))
    unlike = (_away(lab[seen].reshape(-1, 3), colours) > bound).reshape(-1, WIDTH_PX)
    standing = _hanging_together(unlike, round(NEAR_DEG * PER_DEG))
    share = standing.mean(axis=1)
    reached = np.flatnonzero(share > LEAST_SHARE)
    if not reached.size or share[-1] > MOST_SHARE:
        return None
    return min(float(degrees[reached[-1]]), FARTHEST_DEG) + MARGIN_DEG


def _below(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(rows, 720, 3) Lab of what lies below, the nadir's row first."""
    height = image.shape[0]
    part = image[height - round(height * (GROUND_DEG[1] + 2) / 180) :]
    size = WIDTH_PX, max(2, round((GROUND_DEG[1] + 2) * PER_DEG))
    small = cv2.resize(np.ascontiguousarray(part[::-1]), size, interpolation=cv2.INTER_AREA)
    round_ = cv2.copyMakeBorder(small, 0, 0, 4, 4, cv2.BORDER_WRAP)
    soft = cv2.GaussianBlur(round_, (0, 0), 0.8)[:, 4:-4]
    return np.asarray(cv2.cvtColor(soft.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _away(pixels: NDArray[np.float32], colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) how far each colour is from the nearest of the ground's."""
    return np.asarray(np.min([np.linalg.norm(pixels - one, axis=1) for one in colours], axis=0), np.float32)


def _hanging_together(unlike: NDArray[np.bool_], near: int) -> NDArray[np.bool_]:
    """What hangs together with the first rows, also over the left and right border."""
    width = unlike.shape[1]
    wide = np.concatenate([unlike, unlike, unlike], axis=1).view(np.uint8)
    _, labels = cv2.connectedComponents(cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)))
    held = np.isin(labels, np.setdiff1d(labels[:near], [0]))
    return np.asarray(held[:, width : 2 * width] & unlike)
