"""Gives a smooth fill the grain of its surroundings: film grain, sensor noise, paper.

Without it a perfect fill still shows at 100 %, as plastic. The grain is not modelled: it is the
high-pass residue of known pixels, taken as little patches from places without structure and laid
over the hole, so its size, colour and shape are those of this very picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from remend.picture import Bool, Float

__all__ = ["Grain", "add_grain", "measure_grain"]

PATCH_PX = 8
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
    """
    weight = cv2.GaussianBlur(usable.astype(np.float32), (0, 0), BLUR_PX)
    clean = np.where(usable[..., None], window, 0).astype(np.float32)
    smooth = cv2.GaussianBlur(clean, (0, 0), BLUR_PX) / np.maximum(weight, 1e-6)[..., None]
    residue = np.where(usable[..., None], clean - smooth, 0).astype(np.float32)
    rows, columns = window.shape[0] // PATCH_PX, window.shape[1] // PATCH_PX
    if rows == 0 or columns == 0:
        return None
    blocks = _blocks(residue, rows, columns)
    # Two pixels from damage the residue is biased by the missing side.
    sound = cv2.erode(usable.view(np.uint8), np.ones((5, 5), np.uint8), borderValue=1).view(np.bool_)
    whole = _blocks(sound[..., None].astype(np.float32), rows, columns).min(axis=(1, 2, 3)) > 0
    blocks = blocks[whole]
    if len(blocks) < 8:
        return None
    energy = np.sqrt((blocks**2).mean(axis=(1, 2, 3)))
    calm = np.argsort(energy, kind="stable")[: max(8, len(blocks) // 5)]
    # Clipped skies and black borders have no grain at all; they say nothing of the rest.
    calm = calm[energy[calm] > 0]
    if not len(calm):
        return None
    sigma = float(np.median(energy[calm]))
    if not LEAST <= sigma <= MOST:
        return None
    near = calm[energy[calm] <= 1.5 * sigma]
    return Grain(sigma, blocks[near] - blocks[near].mean(axis=(1, 2), keepdims=True))


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
    """
    lacking = _lacking(pixels, hole, grain.sigma) * amount
    if lacking <= 0:
        return pixels
    height, width = hole.shape
    rng = np.random.default_rng(seed)
    field = np.zeros((height + PATCH_PX, width + PATCH_PX, 3), np.float32)
    # Four grids, half a patch apart, under windows whose squares add up to one: no patch edge shows
    # and the variance stays even.
    half = PATCH_PX // 2
    ramp = np.sin(np.pi * (np.arange(PATCH_PX) + 0.5) / PATCH_PX).astype(np.float32)
    taper = (ramp[:, None] * ramp[None, :])[..., None]
    for dy in (0, half):
        for dx in (0, half):
            rows, columns = (height + half) // PATCH_PX + 1, (width + half) // PATCH_PX + 1
            pick = rng.integers(len(grain.patches), size=(rows, columns))
            tiles = (grain.patches[pick] * taper).transpose(0, 2, 1, 3, 4)
            sheet = tiles.reshape(rows * PATCH_PX, columns * PATCH_PX, 3)
            bottom, right = min(field.shape[0] - dy, len(sheet)), min(field.shape[1] - dx, sheet.shape[1])
            field[dy : dy + bottom, dx : dx + right] += sheet[:bottom, :right]
    noise = field[half : half + height, half : half + width]
    spread = float(noise.std())
    if spread <= 0:
        return pixels
    noise *= lacking / spread
    # Burnt-out white and solid black carry no grain, and clipping would shift their mean.
    room = np.clip(np.minimum(pixels, 1 - pixels) / max(2 * grain.sigma, 1e-6), 0, 1)
    return np.asarray(np.where(hole[..., None], pixels + noise * room, pixels), np.float32)


def _lacking(pixels: Float, hole: Bool, sigma: float) -> float:
    """Standard deviation to add so that the hole's calm parts reach ``sigma``."""
    residue = pixels - cv2.GaussianBlur(pixels, (0, 0), BLUR_PX)
    inner = cv2.erode(hole.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    where = inner if inner.any() else hole
    has = 1.4826 * float(np.median(np.abs(residue[where])))
    return float(np.sqrt(max(0.0, sigma**2 - has**2)))


def _blocks(plane: Float, rows: int, columns: int) -> Float:
    """(n, PATCH_PX, PATCH_PX, C): the window cut into a grid."""
    cut = plane[: rows * PATCH_PX, : columns * PATCH_PX]
    grid = cut.reshape(rows, PATCH_PX, columns, PATCH_PX, -1).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * columns, PATCH_PX, PATCH_PX, -1)
