"""A smooth closed outline, for drawings and posters."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.graphics.pen import Rng
from remend.damage.synth.noise import smooth_line
from remend.picture import Float

__all__ = ["blob"]


def blob(x: float, y: float, radius: float, rng: Rng, points: int = 40, rough: float = 0.25) -> Float:
    """A closed smooth outline about (x, y)."""
    wave = smooth_line(points, points / 6, rng)
    wave = wave + (wave[0] - wave[-1]) * np.linspace(0, 1, points, dtype=np.float32)
    r = radius * np.clip(1 + rough * wave, 0.2, 2.5)
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.asarray(np.stack([x + r * np.cos(t), y + r * np.sin(t)], axis=1), np.float32)
