"""Gives a smooth fill the grain of its surroundings: film grain, sensor noise, paper.

Without it a perfect fill still shows at 100 %, as plastic. The grain is not modelled: it is the
high-pass residue of known pixels, taken as little patches from places without structure and laid
over the hole, so its size, colour and shape are those of this very picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["Grain", "add_grain", "measure_grain"]

PATCH_PX = 8
MARGIN_PX = 4  # around a patch, so that its residue does not depend on where it was cut
LEAST_PATCHES = 8
MOST_PATCHES = 256
BLUR_PX = 1.5  # σ; what is finer than this counts as grain
LEAST = 1.0 / 255  # weaker grain than one level of eight bits is not worth it
MOST = 16.0 / 255  # stronger is texture, not grain


@dataclass(frozen=True, slots=True)
class Grain:
    """Grain found around a hole.

    Attributes:
        sigma: its standard deviation, working values (1/255 = one level of eight bits).
        patches: (n, PATCH_PX, PATCH_PX, 3) float32 residues.
    """

    sigma: float
    patches: Float


def measure_grain(window: Float, usable: Bool) -> Grain | None:
    """Take the grain from the calmest places of a window.

    Args:
        window: (h, w, 3) float32 in [0, 1].
        usable: (h, w) bool.

    Returns:
        None when the window has no calm place, or no grain that can be seen.

    Cost: about 2 ms, whatever the window's size: at most MOST_PATCHES places are looked at.
    """
    places = _whole_places(usable)
    if len(places) < LEAST_PATCHES:
        return None
    # Each place with a margin, stacked into one tall picture, so that one blur serves them all.
    side = PATCH_PX + 2 * MARGIN_PX
    reach = np.arange(side)
    rows, columns = places[:, 0, None] + reach, places[:, 1, None] + reach
    stack = window[rows[:, :, None], columns[:, None, :]].reshape(-1, side, 3)
    residue = (stack - cv2.GaussianBlur(stack, (0, 0), BLUR_PX)).reshape(-1, side, side, 3)
    inner = slice(MARGIN_PX, MARGIN_PX + PATCH_PX)
    patches = residue[:, inner, inner]
    energy = np.sqrt((patches**2).mean(axis=(1, 2, 3)))
    calm = np.argsort(energy, kind="stable")[: max(LEAST_PATCHES, len(energy) // 5)]
    # Clipped skies and black borders have no grain at all; they say nothing of the rest.
    calm = calm[energy[calm] > 0]
    if not len(calm):
        return None
    sigma = float(np.median(energy[calm]))
    if not LEAST <= sigma <= MOST:
        return None
    near = patches[calm[energy[calm] <= 1.5 * sigma]]
    return Grain(sigma, np.asarray(near - near.mean(axis=(1, 2), keepdims=True), np.float32))


def add_grain(pixels: Float, hole: Bool, grain: Grain, *, seed: int, amount: float = 1.0) -> Float:
    """Lay grain over the hole, as much as the fill lacks.

    Args:
        pixels: (h, w, 3) float32 composed window.
        hole: (h, w) bool.
        grain: from ``measure_grain`` of the same window.
        seed: which patch goes where.
        amount: 1 = as strong as around.

    Returns:
        (h, w, 3) float32: equal to ``pixels`` outside ``hole``.

    Cost: one blur of the window, and about 0.3 µs a hole pixel.
    """
    lacking = _lacking(pixels, hole, grain.sigma) * amount
    if lacking <= 0:
        return pixels
    y, x = np.nonzero(hole)
    noise = _field(y, x, hole.shape, grain.patches, seed)
    spread = float(noise.std())
    if spread <= 0:
        return pixels
    noise *= lacking / spread
    made = pixels.copy()
    filled = pixels[y, x]
    # Burnt-out white and solid black carry no grain, and clipping would shift their mean.
    room = np.clip(np.minimum(filled, 1 - filled) / max(2 * grain.sigma, 1e-6), 0, 1)
    made[y, x] = filled + noise * room
    return made


def _whole_places(usable: Bool) -> NDArray[np.intp]:
    """(n, 2) top left corners (y, x) of places that are usable all over, evenly spread over the window."""
    side = PATCH_PX + 2 * MARGIN_PX
    height, width = usable.shape
    rows, columns = height // side, width // side
    if not rows or not columns:
        return np.empty((0, 2), np.intp)
    grid = usable[: rows * side, : columns * side].reshape(rows, side, columns, side)
    places = np.argwhere(grid.all(axis=(1, 3))) * side
    pick = np.linspace(0, len(places) - 1, min(len(places), MOST_PATCHES)).astype(np.intp)
    return places[pick]


def _field(
    y: NDArray[np.intp], x: NDArray[np.intp], size: tuple[int, ...], patches: Float, seed: int
) -> Float:
    """(n, 3) grain at the given pixels.

    Four grids of patches, half a patch apart, under windows whose squares add up to one: no patch
    edge shows and the variance stays even.
    """
    rng = np.random.default_rng(seed)
    ramp = np.sin(np.pi * (np.arange(PATCH_PX) + 0.5) / PATCH_PX).astype(np.float32)
    noise = np.zeros((len(y), 3), np.float32)
    cells = (size[0] // PATCH_PX + 2, size[1] // PATCH_PX + 2)
    for down in (0, PATCH_PX // 2):
        for across in (0, PATCH_PX // 2):
            pick = rng.integers(len(patches), size=cells)
            row, dy = np.divmod(y + down, PATCH_PX)
            column, dx = np.divmod(x + across, PATCH_PX)
            noise += patches[pick[row, column], dy, dx] * (ramp[dy] * ramp[dx])[:, None]
    return noise


def _lacking(pixels: Float, hole: Bool, sigma: float) -> float:
    """Standard deviation to add so that the hole's calm parts reach ``sigma``."""
    residue = pixels - cv2.GaussianBlur(pixels, (0, 0), BLUR_PX)
    inner = cv2.erode(hole.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    where = inner if inner.any() else hole
    has = 1.4826 * float(np.median(np.abs(residue[where])))
    return float(np.sqrt(max(0.0, sigma**2 - has**2)))
