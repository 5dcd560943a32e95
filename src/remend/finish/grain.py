"""Gives a smooth fill the grain of its surroundings: film grain, sensor noise, paper.

Without it a perfect fill still shows at 100 %, as plastic. The spectrum and the colour of the grain
are measured on the high-pass residue of calm places around the hole; a random field of the same
spectrum and colour is laid over the fill, so coarse film grain stays coarse and grey grain grey.

Reference: Galerne, Gousseau, Morel, Random phase textures: theory and synthesis, TIP 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
MOST = 12.0 / 255  # stronger is texture, not grain
SHEET_PX = 256


@dataclass(frozen=True, slots=True)
class Grain:
    """Grain found around a hole.

    Attributes:
        sigma: its standard deviation, working values (1/255 = one level of eight bits).
        kernel: (PATCH_PX, PATCH_PX) float32; white noise filtered by it has the grain's spectrum.
        colour: (3, 3) float32; turns three independent fields into the grain's channels.
    """

    sigma: float
    kernel: Float
    colour: Float


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
    near = near - near.mean(axis=(1, 2), keepdims=True)
    taper = np.hanning(PATCH_PX + 2)[1:-1]
    spectrum = np.abs(np.fft.fft2(near.mean(axis=3) * (taper[:, None] * taper[None]))) ** 2
    # Zero phase: the kernel is even, and its transform is the square root of the mean spectrum.
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(spectrum.mean(axis=0))).real)
    covariance = np.cov(near.reshape(-1, 3), rowvar=False) + 1e-12 * np.eye(3)
    values, vectors = np.linalg.eigh(covariance)
    colour = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    return Grain(sigma, kernel.astype(np.float32), (colour / sigma).astype(np.float32))


def add_grain(pixels: Float, hole: Bool, grain: Grain, *, seed: int, amount: float = 1.0) -> Float:
    """Lay grain over the hole, as much as the fill lacks.

    Args:
        pixels: (h, w, 3) float32 composed window.
        hole: (h, w) bool.
        grain: from ``measure_grain`` of the same window.
        seed: which field.
        amount: 1 = as strong as around.

    Returns:
        (h, w, 3) float32: equal to ``pixels`` outside ``hole``.

    Cost: one blur of the window, and 3 ms for the field.
    """
    lacking = _lacking(pixels, hole, grain.sigma) * amount
    if lacking <= 0:
        return pixels
    y, x = np.nonzero(hole)
    noise = _field(y, x, grain, seed)
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


def _field(y: NDArray[np.intp], x: NDArray[np.intp], grain: Grain, seed: int) -> Float:
    """(n, 3) grain at the given pixels: one sheet of it, repeated every SHEET_PX, at a random place."""
    sheet = cv2.filter2D(_white_sheet(), -1, grain.kernel, borderType=cv2.BORDER_REFLECT)
    down, across = np.random.default_rng(seed).integers(SHEET_PX, size=2)
    noise = sheet[(y + down) % SHEET_PX, (x + across) % SHEET_PX]
    noise /= max(float(sheet.std()), 1e-12)
    return np.asarray(noise @ grain.colour, np.float32)


@lru_cache(maxsize=1)
def _white_sheet() -> Float:
    """(SHEET_PX, SHEET_PX, 3) independent noise; the seed of a repair decides where it is laid."""
    white = np.random.default_rng(0).standard_normal((SHEET_PX, SHEET_PX, 3), np.float32)
    white.flags.writeable = False
    return white


def _lacking(pixels: Float, hole: Bool, sigma: float) -> float:
    """Standard deviation to add so that the hole's calm parts reach ``sigma``."""
    residue = pixels - cv2.GaussianBlur(pixels, (0, 0), BLUR_PX)
    inner = cv2.erode(hole.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    where = inner if inner.any() else hole
    has = 1.4826 * float(np.median(np.abs(residue[where])))
    return float(np.sqrt(max(0.0, sigma**2 - has**2)))
