"""Things round in section: how a rope hangs, and a body with a lit side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from remend.damage.synth.scenes.view import View
from remend.picture import Float

__all__ = ["hanging", "round_thing"]


def hanging(a: Sequence[float], b: Sequence[float], sag: float, n: int = 28) -> Float:
    """(n, 2) points of a rope from ``a`` to ``b`` that hangs ``sag`` px through in the middle."""
    t = np.linspace(0, 1, n)
    x, y = a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t + 4 * sag * t * (1 - t)
    return np.asarray(np.stack([x, y], axis=1), np.float32)


def round_thing(
    view: View, paths: list[tuple[Float, Float]], tone: Float, blur: float = 0.0, lit: float = 0.5
) -> None:
    """Things round in section, with a lit side: (path, width at each point) each."""
    body, shine = view.sheet(), view.sheet()
    side = view.rng.choice([-1.0, 1.0])
    for path, width in paths:
        view.line(body, path, width)
        if float(np.max(width)) > 2:
            step = np.gradient(path, axis=0)
            normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / (np.hypot(*step.T)[:, None] + 1e-6)
            view.line(shine, path + side * 0.22 * width[:, None] * normal, 0.35 * width)
    view.lay(view.cover(body, blur), tone, lit=lit)
    if shine.any():
        gleam = np.asarray(tone) * view.rng.uniform(1.3, 3.0) + view.high * view.rng.uniform(0, 0.25)
        view.lay(view.cover(shine, blur + 0.3) * np.float32(view.rng.uniform(0.3, 0.9)), gleam, lit=lit)
