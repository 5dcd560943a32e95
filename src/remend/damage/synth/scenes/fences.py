"""Fences, bars, joints of masonry: grids in perspective."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

from remend.damage.synth.noise import smooth_plane
from remend.damage.synth.scenes.rods import round_thing
from remend.damage.synth.scenes.view import View
from remend.picture import Float

__all__ = ["bars", "chain_link", "fence", "masonry"]


def _grid_warp(view: View) -> Callable[[ArrayLike], Float]:
    """A perspective that maps the unit square to somewhat more than the frame."""
    h, w = view.size
    rng = view.rng
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    corners = np.array([[-0.1, -0.1], [1.1, -0.1], [1.1, 1.1], [-0.1, 1.1]]) + rng.normal(0, 0.12, (4, 2))
    target = (corners * (w, h)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)

    def warp(points: ArrayLike) -> Float:
        moved = cv2.perspectiveTransform(np.asarray(points, np.float32).reshape(-1, 1, 2), matrix)
        return np.asarray(moved.reshape(-1, 2), np.float32)

    return warp


def _straight(
    warp: Callable[[ArrayLike], Float], a: Sequence[float], b: Sequence[float], n: int = 10
) -> Float:
    t = np.linspace(0, 1, n)[:, None]
    return warp(np.asarray(a) * (1 - t) + np.asarray(b) * t)


def fence(view: View) -> None:
    """Pickets and rails in perspective."""
    rng = view.rng
    warp = _grid_warp(view)
    top, base = float(rng.uniform(-0.1, 0.6)), float(rng.uniform(0.75, 1.2))
    wide = view.unit * float(np.exp(rng.uniform(np.log(1.0), np.log(9.0))))
    count = int(rng.integers(4, 26))
    paths = []
    for k in range(count + 1):
        path = _straight(warp, (k / count, top - float(rng.choice([0, 0.02]))), (k / count, base))
        paths.append((path, np.full(len(path), wide, np.float32)))
    for s in np.linspace(top + 0.05, base - 0.05, int(rng.integers(1, 5))).tolist():
        path = _straight(warp, (-0.1, s), (1.1, s), 16)
        paths.append((path, np.full(len(path), wide * float(rng.uniform(0.6, 1.4)), np.float32)))
    round_thing(view, paths, view.tone(0.5), float(rng.choice([0, 0, rng.uniform(0, 2)])))


def chain_link(view: View) -> None:
    """A fence of zigzag wire in perspective."""
    rng = view.rng
    warp = _grid_warp(view)
    cells = int(rng.integers(8, 26))
    wide = view.short / cells * float(rng.uniform(0.04, 0.14))
    paths = []
    for k in range(cells + 1):
        n = 2 * cells + 1
        t = np.arange(n) / (n - 1)
        for side in (1, -1):
            zig = (k + 0.5 * side * (1 - 2 * (np.arange(n) % 2))) / cells
            path = warp(np.stack([zig, t], axis=1))
            paths.append((path, np.full(n, wide, np.float32)))
    round_thing(view, paths, view.tone(0.4), float(rng.choice([0, rng.uniform(0, 1.2), rng.uniform(1, 3)])))


def bars(view: View) -> None:
    """Bars upright and across, in perspective."""
    rng = view.rng
    warp = _grid_warp(view)
    wide = view.unit * float(np.exp(rng.uniform(np.log(1.5), np.log(14.0))))
    paths = []
    for count, across in ((int(rng.integers(1, 9)), False), (int(rng.integers(0, 7)), True)):
        for k in range(count):
            s = (k + 0.5) / count
            path = _straight(warp, (-0.1, s) if across else (s, -0.1), (1.1, s) if across else (s, 1.1))
            paths.append((path, np.full(len(path), wide, np.float32)))
    round_thing(view, paths, view.tone(0.6), float(rng.choice([0, 0, rng.uniform(0, 2.5)])))


def masonry(view: View) -> None:
    """Joints of bricks, planks or tiles."""
    rng = view.rng
    warp = _grid_warp(view)
    rows = int(rng.integers(5, 30))
    wide = view.short / rows * float(rng.uniform(0.03, 0.12))
    style = int(rng.integers(3))
    sheet = view.sheet()
    per = rows * float(rng.uniform(0.3, 0.6))
    for r in range(rows + 1):
        y = r / rows
        view.line(sheet, _straight(warp, (-0.1, y), (1.1, y)), wide)
        if style == 0:
            for x in np.arange(0.5 * (r % 2) / per - 0.1, 1.1, 1 / per).tolist():
                view.line(sheet, _straight(warp, (x, y), (x, y + 1 / rows), 2), wide)
        elif style == 1 and rng.random() < 0.5:
            x = float(rng.uniform(0, 1))
            view.line(sheet, _straight(warp, (x, y), (x, y + 1 / rows), 2), wide)
    if style == 2:
        for x in np.arange(0, 1, 1 / rows).tolist():
            view.line(sheet, _straight(warp, (x, -0.1), (x, 1.1)), wide)
    # Joints lie in the wall: they keep its light and colour, darker or lighter.
    cover = view.cover(sheet) * np.clip(0.75 + 0.2 * smooth_plane(view.size, view.short / 12, rng), 0, 1)
    factor = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.65 else float(rng.uniform(1.5, 2.5))
    view.lay(cover, np.clip(view.light * factor, 0, 1), lit=0.0)
