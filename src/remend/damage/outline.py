"""How far found lines and specks reach: filters mark their middle, a repair needs their soft edges."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Float

__all__ = ["outline_lines", "outline_specks"]

Grey = NDArray[Any]  # uint8, which the stubs of cv2 cannot promise

SHARE = 0.22  # of a line's contrast that still shows
SPECK_SHARE = 0.3
SPECK_PX = 11
LEAST_LEVELS = 4.0
ALONG = (0.0, -5.0, -2.5, 2.5, 5.0)  # px: ridges fade before a line ends; the middle first


def outline_lines(
    result: Grey,
    grey: Grey,
    *,
    x: Float,
    y: Float,
    angle: Float,
    labels: NDArray[np.int32],
    confidence: NDArray[np.uint8],
    contrast: Float,
    dark: bool,
    half_px: int,
    noise: float,
) -> None:
    """Write lines into ``result``, each as wide as it is seen to be.

    From every middle the picture is read across the line; what differs from a straight run between
    the two sides by ``SHARE`` of the contrast, in one piece with the strongest spot, is the line.

    Args:
        result: (H, W) uint8 confidences; raised in place.
        grey: (H, W) uint8, the picture.
        x, y: (N,) float32 positions of the middles.
        angle: (N,) float32 direction of the line in radians, anticlockwise on screen.
        labels: (N,) int32, which line each middle is of.
        confidence: (N,) uint8 to write.
        contrast: (N,) float32 grey levels by which the whole line differs from its sides.
        dark: whether it is the darker.
        half_px: how far from the middle the line may reach.
        noise: grain, grey levels.
    """
    height, width = grey.shape
    ux, uy = np.cos(angle), -np.sin(angle)
    distance = np.arange(-half_px - 2, half_px + 3, dtype=np.float32)
    steps = distance.size
    weight = np.linspace(0, 1, steps, dtype=np.float32)
    flat_result = result.reshape(-1)
    usual = np.full(x.shape, 2.0 * half_px, np.float32)  # width, known after the first pass
    for along in ALONG:
        # (sin, cos) is the direction across, in screen coordinates
        column = np.rint((x + along * ux)[:, None] - distance * uy[:, None]).astype(np.int64)
        row = np.rint((y + along * uy)[:, None] + distance * ux[:, None]).astype(np.int64)
        np.clip(column, 0, width - 1, out=column)
        np.clip(row, 0, height - 1, out=row)
        index = row * width + column
        value = grey.reshape(-1)[index].astype(np.float32)
        left, right = (value[:, 0] + value[:, 1]) / 2, (value[:, -1] + value[:, -2]) / 2
        under = left[:, None] * (1 - weight) + right[:, None] * weight
        rise = under - value if dark else value - under
        middle = rise[:, 2:-2]
        best = middle[:, half_px - 1 : half_px + 2].argmax(axis=1) + half_px - 1
        peak = middle[np.arange(len(best)), best]
        needed = SHARE * np.clip(peak, 0.6 * contrast, 1.5 * contrast)
        needed = np.maximum(needed, max(LEAST_LEVELS, 1.5 * noise))
        shown = middle >= needed[:, None]
        enough = 0.5 if along else 0.3
        shown &= (peak >= enough * contrast)[:, None]
        # keep the run around the strongest spot
        offsets = np.arange(middle.shape[1])
        hidden_left = np.where(~shown & (offsets <= best[:, None]), offsets, -1).max(axis=1)
        hidden_right = np.where(~shown & (offsets >= best[:, None]), offsets, middle.shape[1]).min(axis=1)
        run = (offsets > hidden_left[:, None]) & (offsets < hidden_right[:, None])
        if along == 0:
            usual = _median_of(run.sum(axis=1), labels)[labels]
        run &= np.abs(offsets - best[:, None]) <= 0.5 * usual[:, None] + 1
        if along:
            run &= (np.abs(left - right) <= 1.5 * contrast)[:, None]
        target = index[:, 2:-2][run]
        np.maximum.at(flat_result, target, np.broadcast_to(confidence[:, None], run.shape)[run])


def _median_of(values: NDArray[np.int64], labels: NDArray[np.int32]) -> Float:
    """(max label + 1,) median of ``values`` over the members of each label; 0 for labels without."""
    order = np.lexsort((values, labels))
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    middle = np.minimum(starts + counts // 2, len(values) - 1)
    return np.asarray(np.where(counts > 0, values[order][middle], 0), np.float32)


def outline_specks(grey: Grey, sure: Grey, *, dark: bool) -> Grey:
    """Specks grown to where they fade into the picture: (H, W) uint8 confidences.

    Args:
        grey: (H, W) uint8, the picture.
        sure: (H, W) uint8, confidence on the cores, 0 elsewhere.
        dark: whether they are the darker.
    """
    square = np.ones((SPECK_PX, SPECK_PX), np.uint8)
    hat = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT if dark else cv2.MORPH_TOPHAT, square)
    reach = cv2.dilate(sure, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    peak = cv2.dilate(np.where(sure > 0, hat, 0).astype(np.uint8), np.ones((7, 7), np.uint8))
    reach[hat < np.maximum(peak * np.float32(SPECK_SHARE), LEAST_LEVELS)] = 0
    return np.asarray(reach, np.uint8)
