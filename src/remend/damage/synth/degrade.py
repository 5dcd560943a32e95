"""Damage that leaves no hole: noise and blur over the whole picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.noise import Seed, as_generator
from remend.errors import UsageError

__all__ = ["add_blur", "add_noise"]

_ROWS = 512


def add_noise(
    image: NDArray[np.uint8], *, seed: Seed, sigma: float | None = None, grain_px: float = 0.0
) -> NDArray[np.uint8]:
    """Noise as sensors and film have it: a read part, a part that grows with the light, some colour.

    Args:
        image: (H, W, 3) uint8 RGB; not written to.
        seed: an int, or a generator to draw from.
        sigma: deviation at mid grey, in levels of 255; None draws 4–30.
        grain_px: deviation of a Gaussian that clumps the noise into film grain; 0 = none, each pixel by
            itself.

    Cost: about 60 ns a sample; memory for 512 rows of float at a time, unless there is grain.
    """
    rng = as_generator(seed, "noise")
    level = float(rng.uniform(4, 30)) if sigma is None else sigma
    if level < 0 or grain_px < 0:
        raise UsageError(f"sigma and grain_px must be 0 or more, got {level} and {grain_px}")
    out = np.empty_like(image)
    rows = image.shape[0] if grain_px else _ROWS
    for top in range(0, image.shape[0], rows):
        part = image[top : top + rows].astype(np.float32)
        grey = rng.standard_normal((*part.shape[:2], 1), dtype=np.float32)
        noise = 0.85 * grey + 0.53 * rng.standard_normal(part.shape, dtype=np.float32)  # together variance 1
        if grain_px:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), grain_px), np.float32)
            noise /= np.float32(max(float(noise.std()), 1e-6))
        # Half of the variance at mid grey is constant, the other half proportional to the light.
        gain = level * np.sqrt(0.5 + part / 255)
        out[top : top + rows] = np.clip(np.rint(part + noise * gain), 0, 255).astype(np.uint8)
    return out


def add_blur(image: NDArray[np.uint8], *, seed: Seed, radius_px: float | None = None) -> NDArray[np.uint8]:
    """Out of focus (a disc) or shaken (a short line), evenly.

    Args:
        image: (H, W, 3) uint8 RGB; not written to.
        seed: an int, or a generator to draw from.
        radius_px: radius of the disc, or half the length of the line; None draws 1–6.
    """
    rng = as_generator(seed, "blur")
    radius = float(rng.uniform(1, 6)) if radius_px is None else radius_px
    if radius <= 0:
        raise UsageError(f"radius_px must be above 0, got {radius}")
    reach = int(np.ceil(radius)) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    if rng.random() < 0.5:
        kernel = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)
    else:
        turn = float(rng.uniform(0, np.pi))
        along = columns * np.cos(turn) + rows * np.sin(turn)
        across = rows * np.cos(turn) - columns * np.sin(turn)
        kernel = np.clip(radius + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    blurred = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.uint8)
