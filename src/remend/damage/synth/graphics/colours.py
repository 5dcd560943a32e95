"""Colours drawn by chance: greys, hues, paper and ink."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.graphics.pen import Colour, Rng

__all__ = ["colour_of", "grey_of", "paper_and_ink", "pick_colour"]


def grey_of(level: float) -> Colour:
    """The grey of ``level``, 0–255."""
    return (int(level),) * 3


def colour_of(levels: NDArray[np.float64]) -> Colour:
    """Three levels, 0–255 after clipping, as a colour."""
    r, g, b = np.clip(levels, 0, 255).astype(int).tolist()
    return (r, g, b)


def pick_colour(
    rng: Rng, saturation: tuple[float, float] = (0.2, 1.0), value: tuple[float, float] = (0.2, 1.0)
) -> Colour:
    """Any hue, with a saturation and a value (0–1) from these ranges."""
    hsv = np.array([[[rng.uniform(0, 360), rng.uniform(*saturation), rng.uniform(*value)]]], np.float32)
    r, g, b = (cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] * 255).astype(int).tolist()
    return (r, g, b)


def paper_and_ink(rng: Rng, *, dark: float = 0.15) -> tuple[Colour, Colour]:
    """Two colours to write with; light on dark with the chance ``dark``."""
    chance = rng.random()
    if chance < dark:
        return pick_colour(rng, (0, 0.5), (0.03, 0.25)), pick_colour(rng, (0, 0.25), (0.75, 1.0))
    if chance < dark + 0.45:
        return (255, 255, 255), grey_of(rng.choice([0, 0, 20, 51]))
    if chance < dark + 0.6:
        return pick_colour(rng, (0.05, 0.5), (0.8, 1.0)), pick_colour(rng, (0, 1.0), (0.05, 0.4))
    return pick_colour(rng, (0.0, 0.15), (0.9, 1.0)), grey_of(rng.uniform(0, 60))
