"""Regular patterns: bar codes and matrix codes, checks, ramps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from remend.damage.synth.graphics.colours import paper_and_ink, pick_colour
from remend.damage.synth.graphics.pen import Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.writing import word

__all__ = ["checker", "code", "gradient"]


def code(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Bar codes and matrix codes, with their figures."""
    paper, ink = ((255, 255, 255), (0, 0, 0)) if rng.random() < 0.7 else paper_and_ink(rng)
    pen = Pen(size, paper, rng, fonts)
    h, w = size
    if rng.random() < 0.5:
        module = float(rng.choice([1, 2, 3, 4])) * max(1.0, w / 400)
        x, margin = 0.08 * w, 0.15 * h
        while x < 0.92 * w:
            bar = module * int(rng.integers(1, 4))
            pen.box(x, margin, x + bar - 1, h - 1.6 * margin, ink)
            x += bar + module * int(rng.integers(1, 4))
        pen.text(
            0.1 * w,
            h - 1.4 * margin,
            "  ".join(str(d) for d in rng.integers(0, 10, 13)),
            max(8.0, 0.6 * margin),
            ink,
            pen.face(),
        )
        return pen.canvas
    n = int(rng.choice([21, 25, 29, 33, 41]))
    cells = rng.random((n, n)) < 0.5
    eye = np.ones((7, 7), np.bool_)
    eye[1:-1, 1:-1] = False
    eye[2:-2, 2:-2] = True
    for top, left in ((0, 0), (0, n - 7), (n - 7, 0)):
        cells[max(0, top - 1) : top + 8, max(0, left - 1) : left + 8] = False
        cells[top : top + 7, left : left + 7] = eye
    module_px = max(2, int(0.9 * min(size) / (n + 2)))
    block = np.kron(cells, np.ones((module_px, module_px))) * 255
    pen.lay(block.astype(np.uint8), (w - block.shape[1]) // 2, (h - block.shape[0]) // 2, ink)
    return pen.canvas


def checker(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Checks, stripes, dots, a test chart: strictly regular patterns of two colours."""
    paper, ink = paper_and_ink(rng)
    gap = float(np.exp(rng.uniform(np.log(3), np.log(min(size) / 4))))
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    turn = float(rng.choice([0, 0, np.pi / 4, rng.uniform(0, np.pi)]))
    u, v = (x * math.cos(turn) + y * math.sin(turn)) / gap, (y * math.cos(turn) - x * math.sin(turn)) / gap
    style = int(rng.integers(4))
    if style == 0:
        wave = np.sin(np.pi * u) * np.sin(np.pi * v)
    elif style == 1:
        wave = np.sin(np.pi * u)
    elif style == 2:
        wave = np.cos(np.pi * u) + np.cos(np.pi * v) - 1
    else:
        n = int(rng.integers(8, 72)) // 2 * 2
        wave = np.sin(n / 2 * np.arctan2(y - size[0] / 2, x - size[1] / 2))
        if rng.random() < 0.4:
            wave = np.sin(np.pi * np.hypot(x - size[1] / 2, y - size[0] / 2) / gap)
    share = np.clip(0.5 + wave * gap * 0.4, 0, 1)[:, :, None]
    return np.asarray(
        np.rint(np.asarray(paper) + share * (np.asarray(ink, np.float32) - np.asarray(paper))), np.uint8
    )


def gradient(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A smooth ramp between two or three colours, with a few flat shapes or words on it; or flat."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    turn = float(rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.3:
        t = np.hypot(x - rng.uniform(0, size[1]), y - rng.uniform(0, size[0])) / max(size)
    else:
        t = 0.5 + 0.6 * (np.cos(turn) * (x / size[1] - 0.5) + np.sin(turn) * (y / size[0] - 0.5))
    a, b = (np.asarray(pick_colour(rng, (0, 1), (0, 1)), np.float32) for _ in range(2))
    if rng.random() < 0.1:
        b = a
    pen = Pen(size, (0, 0, 0), rng, fonts)
    pen.canvas[:] = np.clip(np.rint(a + (b - a) * np.clip(t, 0, 1)[:, :, None]), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 5))):
        colour, x0, y0 = pick_colour(rng, (0, 1), (0, 1)), rng.uniform(0, size[1]), rng.uniform(0, size[0])
        if rng.random() < 0.5:
            pen.disc(x0, y0, float(rng.uniform(3, 0.2 * min(size))), colour)
        else:
            pen.text(x0, y0, word(rng), float(rng.uniform(10, 0.15 * min(size) + 12)), colour, pen.face())
    return pen.canvas
