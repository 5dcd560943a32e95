"""Takes the step in brightness and colour out of a seam, by diffusing it into the hole.

A copied or invented patch may meet the known pixels with an offset: the eye sees the hole's outline.
The offset along the rim is measured (mean of the known pixels just outside against the mean of the
filled ones just inside, over a few pixels, so that texture does not count), spread smoothly into the
hole, and faded out over ``reach_px``. Known pixels are never changed.
"""

from __future__ import annotations

import cv2
import numpy as np

from remend.picture import Bool, Float

__all__ = ["heal_seam"]

RIM_PX = 3  # how deep "just outside" and "just inside" are
ALONG_PX = 2.5  # σ of the averaging along the rim


def heal_seam(pixels: Float, hole: Bool, usable: Bool, *, reach_px: float = 12.0) -> Float:
    """Blend the hole's edge into its surroundings.

    Args:
        pixels: (h, w, 3) float32, the composed window.
        hole: (h, w) bool, what was filled.
        usable: (h, w) bool, what was known.
        reach_px: where the correction has faded to 5 %.

    Returns:
        (h, w, 3) float32: equal to ``pixels`` outside ``hole``.

    Cost: a dozen blurs of the window. Idea: Burt, Adelson, A multiresolution spline with application
    to image mosaics, TOG 1983; Pérez, Gangnet, Blake, Poisson image editing, SIGGRAPH 2003.
    """
    square = np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8)
    outside = usable & cv2.dilate(hole.view(np.uint8), square).view(np.bool_)
    inside = hole & cv2.dilate(usable.view(np.uint8), square).view(np.bool_)
    if not outside.any() or not inside.any():
        return pixels
    known, known_weight = _local_mean(pixels, outside)
    filled, filled_weight = _local_mean(pixels, inside)
    sure = (known_weight > 0.05) & (filled_weight > 0.05)
    rim = inside & sure
    if not rim.any():
        return pixels
    # A gradient that crosses the rim is no seam: half of the measured step is kept for it.
    step = np.where(rim[..., None], (known - filled) * 0.5, 0).astype(np.float32)
    spread, weight = _local_mean(step, rim, sigma_px=reach_px / 2)
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3)
    fade = np.exp(-3.0 * np.asarray(depth, np.float32) / reach_px)
    correction = np.where((hole & (weight > 1e-4))[..., None], spread * fade[..., None], 0)
    return pixels + correction.astype(np.float32)


def _local_mean(values: Float, where: Bool, *, sigma_px: float = ALONG_PX) -> tuple[Float, Float]:
    """Gaussian mean of ``values`` over the pixels ``where``, and the weight that it rests on."""
    weight = np.asarray(cv2.GaussianBlur(where.astype(np.float32), (0, 0), sigma_px), np.float32)
    blurred = cv2.GaussianBlur(np.where(where[..., None], values, 0).astype(np.float32), (0, 0), sigma_px)
    return np.asarray(blurred / np.maximum(weight, 1e-6)[..., None], np.float32), weight
