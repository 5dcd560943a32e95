"""How soft a picture is: the width of the blur that would make its sharpest edges of ideal ones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["estimate_blur"]

FIRST_PX, SECOND_PX = 1.5, 3.0  # what the picture is blurred with again
EDGE_LEVELS = 8.0
STRONGEST = 0.9  # quantile of the edges: what is weaker is mostly texture, and no edge
FEWEST = 100
MOST_PX = 3_000_000


def estimate_blur(image: NDArray[np.uint8], *, noise: float = 0.0) -> float | None:
    """The deviation in pixels of a Gaussian blur; about .5 for a sharp photograph.

    A picture is blurred again, twice: how much the first changes its edges against the second says how soft
    they were.

    Args:
        image: (H, W, 3) uint8 RGB.
        noise: its deviation in levels; only edges well above it are looked at.

    Returns:
        None where there are too few edges to tell.

    Reference: Hu and de Haan, "Low Cost Robust Blur Estimator", ICIP 2006.

    Cost: about 60 ns a pixel, of three megapixels at most.
    """
    height, width = image.shape[:2]
    if height * width > MOST_PX:
        side = int(np.sqrt(MOST_PX))
        top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
        image = image[top : top + side, left : left + side]
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    if min(grey.shape) < 16:
        return None
    first = cv2.GaussianBlur(grey, (0, 0), FIRST_PX)
    second = cv2.GaussianBlur(grey, (0, 0), SECOND_PX)
    # An edge is seen on either side of it: the largest change near by is that of the edge.
    near = np.ones((5, 5), np.uint8)
    early = cv2.dilate(np.abs(grey - first), near)
    late = cv2.dilate(np.abs(first - second), near)
    edges = late > EDGE_LEVELS + 3 * noise
    if np.count_nonzero(edges) < FEWEST:
        return None
    edges &= late >= np.quantile(late[edges], STRONGEST)
    ratio = float(np.median(early[edges] / late[edges]))
    return _width_of(ratio)


def _width_of(ratio: float) -> float:
    """The blur of an ideal edge at which the changes have this ratio."""
    widths, ratios = _CURVE
    return float(np.interp(-ratio, -ratios, widths))


def _curve() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the ratio is for edges of known blur: made, blurred and measured like a picture's."""
    step = np.zeros((32, 256), np.float32)
    step[:, 128:] = 100
    widths = np.arange(0.3, 8.01, 0.1)
    ratios = []
    for width in widths:
        soft = cv2.GaussianBlur(step, (0, 0), float(width))
        first = cv2.GaussianBlur(soft, (0, 0), FIRST_PX)
        second = cv2.GaussianBlur(soft, (0, 0), SECOND_PX)
        ratios.append(np.abs(soft - first).max() / np.abs(first - second).max())
    return widths, np.minimum.accumulate(np.array(ratios, np.float64))


_CURVE = _curve()
