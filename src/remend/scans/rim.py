"""The white rim of a print: paper round the picture, as wide on all sides as a darkroom's easel made it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Rim", "rim_of"]

WORK_PX = 1000  # the longer side of what is looked at
LEAST, MOST = 0.008, 0.2  # of the side across
PAPER_LEVELS = 120.0  # darker is no paper
NEAR_LEVELS = 16.0  # of the paper's colour
FULL, GONE = 0.9, 0.6  # shares of a row that are paper: in the rim, and in the picture
WITHIN = 0.012  # of the side across: in which the one becomes the other
EDGE = 0.006  # what is torn, deckled or soft


@dataclass(frozen=True, slots=True)
class Rim:
    """Widths in px of the picture that was measured."""

    top: float
    right: float
    bottom: float
    left: float


def rim_of(image: NDArray[np.uint8]) -> Rim | None:
    """The rim of a print that fills its frame; None where it has none, or less than three sides show one.

    Args:
        image: (H, W, 3) uint8 RGB, straight.
    """
    height, width = image.shape[:2]
    scale = min(1.0, WORK_PX / max(height, width))
    if min(height, width) * scale < 40:
        return None
    size = max(1, round(width * scale)), max(1, round(height * scale))
    seen = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else np.ascontiguousarray(image)
    calm = cv2.medianBlur(seen, 3).astype(np.float32)
    edge = max(2, round(EDGE * min(size)))
    deep = edge + max(2, round(LEAST * min(size)))
    ring = np.ones(calm.shape[:2], bool)
    ring[deep:-deep, deep:-deep] = False
    ring[:edge] = ring[-edge:] = False
    ring[:, :edge] = ring[:, -edge:] = False
    paper = np.median(calm[ring], axis=0)
    if paper.mean() < PAPER_LEVELS:
        return None
    near = np.abs(calm - paper).max(axis=2) <= NEAR_LEVELS
    # Each side's rows from outside in.
    found = [_width(rows) for rows in (near, near[:, ::-1].T, near[::-1], near.T)]
    seen_widths = [one for one in found if one is not None]
    if len(seen_widths) < 3:
        return None
    usual = float(np.median(seen_widths))
    factors = (height / size[1], width / size[0]) * 2
    top, right, bottom, left = (
        (usual if one is None else one) * factor for one, factor in zip(found, factors, strict=True)
    )
    return Rim(top, right, bottom, left)


def _width(rows: NDArray[np.bool_]) -> float | None:
    """How many rows are paper, before the picture begins at once; None where it is not so."""
    deep, long = rows.shape
    shares = rows[: round(MOST * deep) + 1, round(0.08 * long) : round(0.92 * long)].mean(axis=1)
    begun = np.flatnonzero(shares >= FULL)
    if not begun.size or begun[0] > max(4, 2 * LEAST * deep):
        return None
    ended = np.flatnonzero(shares[begun[0] :] < GONE)
    if not ended.size:
        return None
    end = int(begun[0] + ended[0])
    last = int(np.flatnonzero(shares[:end] >= FULL)[-1])
    if end < LEAST * deep or end - last > WITHIN * deep + 2:
        return None
    return float(end)
