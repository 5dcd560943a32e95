"""Seeded randomness: one generator a purpose, and smooth noise along a line and over a plane."""

from __future__ import annotations

from zlib import crc32

import cv2
import numpy as np

from remend.errors import UsageError
from remend.picture import Float

__all__ = ["Seed", "as_generator", "smooth_line", "smooth_plane"]

Seed = int | np.random.Generator


def as_generator(seed: Seed, purpose: str) -> np.random.Generator:
    """A generator for ``purpose``: the same seed gives unrelated streams to unrelated purposes.

    A generator that is passed in is used as it is, so that a caller can draw many masks from one.

    Raises:
        UsageError: when the seed is negative.

    >>> int(as_generator(1, "dust").integers(100)) == int(as_generator(1, "dust").integers(100))
    True
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed < 0:
        raise UsageError(f"a seed must be 0 or more, got {seed}")
    return np.random.default_rng([seed, crc32(purpose.encode())])


def smooth_line(length: int, period: float, rng: np.random.Generator) -> Float:
    """Noise along a line: (length,) float32, about standard normal, that varies over ``period`` samples."""
    knots = rng.standard_normal(max(2, int(np.ceil(length / max(period, 1.0))) + 2)).astype(np.float32)
    at = np.arange(length, dtype=np.float32) / np.float32(max(period, 1.0))
    left = at.astype(np.intp)
    t = at - left
    t = t * t * (3 - 2 * t)  # smoothstep: no corner at the knots
    return np.asarray(knots[left] * (1 - t) + knots[np.minimum(left + 1, len(knots) - 1)] * t, np.float32)


def smooth_plane(
    size: tuple[int, int], cell_px: float, rng: np.random.Generator, *, octaves: int = 3
) -> Float:
    """Noise over a plane: (H, W) float32, mean 0 and deviation 1, with octaves from ``cell_px`` down.

    Cost: one cubic resize of the frame an octave.
    """
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        cell = max(1.0, cell_px / 2**octave)
        grid = (int(np.ceil(size[0] / cell)) + 3, int(np.ceil(size[1] / cell)) + 3)
        knots = rng.standard_normal(grid).astype(np.float32)
        # Enlarged by whole cells and cropped, so that the cell stays square whatever the frame is.
        enlarged = cv2.resize(
            knots, (round(grid[1] * cell), round(grid[0] * cell)), interpolation=cv2.INTER_CUBIC
        )
        top, left = round(cell), round(cell)
        total += enlarged[top : top + size[0], left : left + size[1]] * np.float32(0.5**octave)
    total -= total.mean()
    deviation = float(total.std())
    return np.asarray(total / np.float32(deviation if deviation > 0 else 1.0), np.float32)
