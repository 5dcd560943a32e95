"""The tilt of what a picture shows: told only where long level and upright lines agree."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["content_tilt"]

WORK_PX = 1000
LEAST_LINE = 0.035  # of the shorter side
MOST_DEG = 15.0
SOFT_DEG = 0.2
NEAR_DEG = 0.8  # lines of one direction
AGREED_DEG = 0.25  # of level and upright lines
ENOUGH = 1.0  # times the shorter side: length of the lines of each of the two
SHARE = 0.5  # of all lines within MOST_DEG, that go the one way


def content_tilt(image: NDArray[np.uint8]) -> float | None:
    """By how many degrees a picture's content is turned clockwise; None where that is not certain.

    Houses, shelves and pages tell; a landscape does not, nor what is seen from below, whose uprights meet.

    Args:
        image: (H, W, 3) uint8 RGB.

    Cost: .1 s.

    Reference: von Gioi et al., "LSD: a fast line segment detector with a false detection control", PAMI 2010,
    whose line segments OpenCV finds.
    """
    height, width = image.shape[:2]
    scale = min(1.0, WORK_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if min(size) < 64:
        return None
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    lines = cv2.createLineSegmentDetector().detect(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))[0]
    if lines is None:
        return None
    ends = lines.reshape(-1, 4).astype(np.float64)
    across, down = ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]
    length = np.hypot(across, down)
    angle = np.degrees(np.arctan2(down, across)) % 180
    long = length >= LEAST_LINE * min(size)
    tilts = []
    for level in (True, False):
        turned = (angle + 90) % 180 - 90 if level else angle - 90
        chosen = long & (np.abs(turned) <= MOST_DEG)
        found = _peak(turned[chosen], length[chosen], ENOUGH * min(size))
        if found is None:
            return None
        tilts.append(found)
    (level_deg, level_px), (upright_deg, upright_px) = tilts
    if abs(level_deg - upright_deg) > AGREED_DEG:
        return None
    return (level_deg * level_px + upright_deg * upright_px) / (level_px + upright_px)


def _peak(
    angles: NDArray[np.float64], weights: NDArray[np.float64], enough: float
) -> tuple[float, float] | None:
    """The direction in which most of the lines' length goes, and that length; None: no majority."""
    if weights.sum() < enough:
        return None
    tried = np.arange(-MOST_DEG, MOST_DEG, SOFT_DEG / 2)
    density = (np.exp(-(((angles[None] - tried[:, None]) / SOFT_DEG) ** 2) / 2) * weights[None]).sum(axis=1)
    best = tried[int(density.argmax())]
    for _ in range(3):
        near = np.abs(angles - best) <= NEAR_DEG
        if not near.any():
            return None
        best = float(np.average(angles[near], weights=weights[near]))
    share = float(weights[near].sum() / weights.sum())
    if share < SHARE or weights[near].sum() < enough or math.isnan(best):
        return None
    return best, float(weights[near].sum())
