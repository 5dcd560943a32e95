"""Whether a window shows one texture: how much it differs from place to place."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from remend.picture import Bool, Float

__all__ = ["ONE_TEXTURE", "unevenness"]

ONE_TEXTURE = 0.4
"""Up to this unevenness a window shows one texture. Eleven of the twelve of benchmarks/texture.py have .06 to
.34; of 131 pictures of scenes, objects and people two holes have .41 and .45, the others more than .5."""

BROAD_PX = 12.0  # deviation of what is broader than texture
PLACE_PX = 16.0  # deviation of the places that are compared with one another


def unevenness(colours: Float, usable: Bool) -> float:
    """How much places differ from one another, as a share of the contrast within a place.

    Two things are compared: the colour, once everything as fine as texture is averaged away, and the contrast
    itself. One texture is alike everywhere in both; a scene is in neither.

    Args:
        colours: (h, w, 3) float32.
        usable: (h, w) bool, what may be looked at.

    Returns:
        The root of the sum of both squares. Infinite where there is no contrast, or nothing to look at.

    Cost: four blurs of the window.
    """
    known = usable.astype(np.float32)

    def mean(values: Any, sigma: float) -> Any:
        weight = np.maximum(cv2.GaussianBlur(known, (0, 0), sigma), np.float32(1e-3))
        kept = cv2.copyTo(values, usable.view(np.uint8))
        return cv2.GaussianBlur(kept, (0, 0), sigma) / (weight if values.ndim == 2 else weight[..., None])

    broad = mean(np.ascontiguousarray(colours, np.float32), BROAD_PX)
    contrast = mean(np.square(colours - broad).sum(axis=2), PLACE_PX)[usable]
    if not contrast.size or float(contrast.mean()) < 1e-8:
        return float("inf")
    within = float(contrast.mean())
    between = float(broad[usable].var(axis=0).sum()) / within
    return float(np.sqrt(between + float(contrast.var()) / within**2))
