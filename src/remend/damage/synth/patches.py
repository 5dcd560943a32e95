"""Parts of an opacity map with coordinates about a point, and soft noise that is cheap on wide ones."""

from __future__ import annotations

import cv2
import numpy as np

from remend.damage.synth.noise import smooth_plane
from remend.picture import Float

__all__ = ["veil", "window", "wobbly_radius"]


def window(opacity: Float, x: float, y: float, reach: float) -> tuple[Float, Float, Float]:
    """The part of ``opacity`` within ``reach`` px of (x, y).

    Returns:
        A view of the part, which may be empty, and its pixels' offsets from the point: (h, w) float32, in x
        and in y.
    """
    height, width = opacity.shape
    top, left = max(0, int(y - reach) - 1), max(0, int(x - reach) - 1)
    bottom, right = min(height, int(y + reach) + 2), min(width, int(x + reach) + 2)
    part = opacity[top : max(top, bottom), left : max(left, right)]
    dx = np.arange(left, left + part.shape[1], dtype=np.float32) - np.float32(x)
    dy = np.arange(top, top + part.shape[0], dtype=np.float32) - np.float32(y)
    across, down = np.meshgrid(dx, dy)
    return part, across, down


def veil(size: tuple[int, int], cell_px: float, rng: np.random.Generator, *, octaves: int = 3) -> Float:
    """``smooth_plane`` drawn coarsely and enlarged: for clouds, whose finest octave is many pixels wide.

    Returns:
        (H, W) float32, about mean 0 and deviation 1.

    Cost: one linear resize of the frame, and the noise at a fraction of it.
    """
    shrink = int(cell_px / 2 ** (octaves - 1) / 3)
    if shrink < 2:
        return smooth_plane(size, cell_px, rng, octaves=octaves)
    small = (max(2, -(-size[0] // shrink)), max(2, -(-size[1] // shrink)))
    coarse = smooth_plane(small, cell_px / shrink, rng, octaves=octaves)
    return np.asarray(cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def wobbly_radius(dx: Float, dy: Float, rough: float, rng: np.random.Generator) -> Float:
    """Distance from the middle of a rounded, irregular shape: (h, w) float32, in its own radius' measure.

    Args:
        dx: offsets in x, as ``window`` gives them.
        dy: offsets in y.
        rough: how far the outline strays from an ellipse, as a share of its radius (one deviation).
        rng: to draw from.
    """
    turn, ratio = float(rng.uniform(0, np.pi)), float(rng.uniform(0.6, 1.0))
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = dx * c + dy * s, (dy * c - dx * s) / np.float32(ratio)
    distance = np.hypot(u, v)
    # Powers of one point of the unit circle: cheaper than a cosine of every multiple of the angle.
    once = (u + 1j * v) / np.maximum(distance, np.float32(1e-3))
    twice = once * once
    bumps = np.zeros_like(distance)
    for k, power in ((2, twice), (3, twice * once), (5, twice * twice * once)):
        height, phase = rng.normal(0, rough / np.sqrt(k / 2)), rng.uniform(0, 2 * np.pi)
        bumps += (power * np.complex64(height * np.exp(1j * phase))).real
    return np.asarray(distance / np.maximum(1 + bumps, np.float32(0.3)), np.float32)
