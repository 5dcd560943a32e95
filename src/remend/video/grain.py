"""The grain of a film in what was filled: a mean of several frames is smoother than any of them.

`remend.finish.grain` measures it around the holes, its strength, size and colour, and lays a field of the
same over them. Here the field is another one in each frame, as grain is.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.finish.grain import Grain, add_grain, measure_grain
from remend.picture import Bool, Box, Float

__all__ = ["with_grain"]

TILE_PX, AROUND_PX = 96, 48  # parts of a hole that are done as one; in what is so near, grain is measured
FINE_PX, NEAR_PX = 1.5, 9  # σ of what is coarser than grain; where what a fill has of it is measured
MOST_BIAS = 1.5  # of a strength that was measured at the calmest places


def with_grain(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], hole: Bool, *, amount: float, seed: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A frame whose holes have the grain of what is around each.

    Args:
        pixels: (H, W, 3), filled.
        hole: (H, W) bool, what was filled.
        amount: 1 = as strong as around.
        seed: which field; another one for each frame.

    Returns:
        A new frame, equal outside the hole; the same one where nothing is added.

    Cost: some 5 ms for each part of the frame that has holes.
    """
    if amount <= 0 or not hole.any():
        return pixels
    top, made = np.float32(np.iinfo(pixels.dtype).max), pixels.copy()
    # What is half made of a hole is not measured.
    usable = np.asarray(cv2.dilate(hole.view(np.uint8), np.ones((5, 5), np.uint8))) == 0
    for y in range(0, hole.shape[0], TILE_PX):
        for x in range(0, hole.shape[1], TILE_PX):
            part = hole[y : y + TILE_PX, x : x + TILE_PX]
            if not part.any():
                continue
            window = Box(y, x, y + part.shape[0], x + part.shape[1]).grown(AROUND_PX, hole.shape)
            inside = np.zeros((window.height, window.width), np.bool_)
            inside[y - window.top :, x - window.left :][: part.shape[0], : part.shape[1]] = part
            shown = pixels[window.slices].astype(np.float32) / top
            grain = _measured(shown, usable[window.slices])
            if grain is not None:
                place = seed + y * hole.shape[1] + x
                field = add_grain(np.full_like(shown, 0.5), inside, grain, seed=place) - np.float32(0.5)
                share = _lacking(shown, inside, grain.sigma) * np.float32(amount)
                grained = shown + field * share[..., None]
                coded = np.clip(np.rint(grained * top), 0, top).astype(pixels.dtype)
                made[window.slices][inside] = coded[inside]
    return made


def _lacking(shown: Float, inside: Bool, sigma: float) -> Float:
    """(h, w) which share of the grain each place of a hole still lacks: where there is texture, none.

    Nor does what is nearly black or white take any: cut off there, it would shift the mean.
    """
    fine = (shown - cv2.GaussianBlur(shown, (0, 0), FINE_PX)).mean(axis=2) * inside
    near, size = inside.astype(np.float32), (NEAR_PX, NEAR_PX)
    has = cv2.blur(fine * fine, size) / np.maximum(cv2.blur(near, size), np.float32(1e-3))
    room = np.minimum(shown, 1 - shown).min(axis=2) / np.float32(2 * sigma)
    lacks = np.sqrt(np.clip(1 - has / np.float32(sigma * sigma), 0, 1))
    return np.asarray(lacks * np.clip(room, 0, 1), np.float32)


def _measured(shown: Float, usable: Bool) -> Grain | None:
    """The grain of a window, at its true strength.

    What is measured is that of the calmest places, so as not to take texture for grain: by chance they are
    calmer than the rest. How much so is seen where the same is made and measured again.
    """
    grain = measure_grain(shown, usable)
    if grain is None:
        return None
    everywhere = np.ones(usable.shape, np.bool_)
    again = measure_grain(add_grain(np.full_like(shown, 0.5), everywhere, grain, seed=0), everywhere)
    if again is None:
        return grain
    return replace(grain, sigma=grain.sigma * float(np.clip(grain.sigma / again.sigma, 1.0, MOST_BIAS)))
