"""Colours by name, as people call them: ranges of hue, saturation and value that overlap at their rims."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool

__all__ = ["COLOURS", "HUES", "colour_of", "shows"]

# Hue in degrees (from, to; round the circle), least saturation, value (from, to).
HUES: dict[str, tuple[float, float, float, float, float]] = {
    "red": (340, 16, 0.45, 0.25, 1.0),
    "orange": (14, 42, 0.5, 0.6, 1.0),
    "yellow": (40, 72, 0.35, 0.5, 1.0),
    "green": (68, 170, 0.3, 0.15, 1.0),
    "cyan": (165, 205, 0.3, 0.3, 1.0),
    "blue": (195, 258, 0.35, 0.2, 1.0),
    "purple": (250, 310, 0.25, 0.2, 1.0),
    "pink": (300, 360, 0.15, 0.6, 1.0),
    "brown": (8, 46, 0.3, 0.15, 0.68),
}
# Most saturation, value (from, to).
GREYS: dict[str, tuple[float, float, float]] = {
    "black": (0.6, 0.0, 0.24),
    "white": (0.14, 0.84, 1.0),
    "grey": (0.14, 0.22, 0.86),
    "dark": (1.0, 0.0, 0.36),
    "light": (1.0, 0.8, 1.0),
}
COLOURS = (*HUES, *GREYS)
STEP = 18.0  # levels from what is around by which damage is lighter or darker than it


def shows(image: NDArray[np.uint8], colour: str) -> Bool:
    """(H, W) where a picture shows a colour.

    Args:
        image: (H, W, 3) uint8 RGB.
        colour: one of `COLOURS`.
    """
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    if colour in GREYS:
        most, low, high = GREYS[colour]
        return np.asarray((saturation <= most) & (value >= low) & (value <= high))
    start, end, least, low, high = HUES[colour]
    turned = (hue >= start) & (hue <= end) if start < end else (hue >= start) | (hue <= end)
    return np.asarray(turned & (saturation >= least) & (value >= low) & (value <= high))


def colour_of(levels: Sequence[float], lighter: float, colour: str) -> bool:
    """Whether damage may be called of a colour; white and black are so beside what is around.

    Args:
        levels: its red, green and blue.
        lighter: than what is around it, in levels.
        colour: one of `COLOURS`.
    """
    if colour in ("white", "light") and lighter > STEP and min(levels) > 110:
        return True
    if colour in ("black", "dark") and lighter < -STEP and max(levels) < 145:
        return True
    return bool(shows(np.array([[levels]]).round().astype(np.uint8), colour)[0, 0])
