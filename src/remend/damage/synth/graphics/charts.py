"""Charts of lines, areas, points, bars and slices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from remend.damage.synth.graphics.colours import colour_of, paper_and_ink, pick_colour
from remend.damage.synth.graphics.pen import Colour, Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.writing import phrase, word
from remend.damage.synth.noise import smooth_line

__all__ = ["chart"]


def chart(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Lines, bars, points, slices, with axes, grid, ticks and labels."""
    paper, ink = paper_and_ink(rng, dark=0.25)
    pen = Pen(size, paper, rng, fonts)
    h, w = size
    height = float(rng.uniform(8, 16))
    face = pen.face()
    x0, y0, x1, y1 = 0.13 * w, 0.1 * h, 0.96 * w, 0.86 * h
    grid: Colour = colour_of(np.asarray(paper) * 0.75 + np.asarray(ink) * 0.25)
    style = int(rng.integers(6))
    ticks = int(rng.integers(3, 9))
    if style != 4:
        for k in range(ticks + 1):
            y, x = y1 + (y0 - y1) * k / ticks, x0 + (x1 - x0) * k / ticks
            if rng.random() < 0.8:
                pen.line([(x0, y), (x1, y)], grid, 1)
            if style in (0, 2):
                pen.line([(x, y0), (x, y1)], grid, 1)
            pen.text(0.03 * w, y - height / 2, f"{k * 10}", height, ink, face)
            pen.text(x - height / 2, y1 + 0.6 * height, f"{k}", height, ink, face)
        pen.line([(x0, y0), (x0, y1), (x1, y1)], ink, int(rng.integers(1, 3)))
    pen.text(0.3 * w, 0.02 * h, phrase(rng, 14), 1.3 * height, ink, face, bold=True)
    colours = [pick_colour(rng, (0.4, 1), (0.3, 1)) for _ in range(6)]
    if style in (0, 1):
        for colour in colours[: int(rng.integers(1, 6))]:
            n = int(rng.integers(8, 160))
            walk = np.cumsum(rng.normal(0, 1, n)) if rng.random() < 0.6 else 3 * smooth_line(n, n / 4, rng)
            walk = (walk - walk.min()) / max(float(np.ptp(walk)), 1e-6)
            at = np.stack([np.linspace(x0, x1, n), y1 + (y0 - y1) * (0.1 + 0.8 * walk)], axis=1)
            if style == 1:
                pen.area(np.concatenate([at, [[x1, y1], [x0, y1]]]).astype(np.float32), colour)
            pen.line(at.astype(np.float32), colour, int(rng.integers(1, 4)))
    elif style == 2:
        for colour in colours[: int(rng.integers(1, 4))]:
            n = int(rng.integers(20, 500))
            cx, cy = rng.uniform(0.3, 0.7, 2)
            for px, py in rng.normal((cx, cy), rng.uniform(0.05, 0.25, 2), (n, 2)).clip(0.01, 0.99).tolist():
                pen.disc(x0 + (x1 - x0) * px, y1 + (y0 - y1) * py, float(rng.choice([1.5, 2, 3])), colour)
    elif style == 4:
        radius, angle = 0.36 * min(size), 0.0
        for colour in colours:
            sweep = float(rng.uniform(20, 90))
            end = min(360.0, angle + sweep) if colour != colours[-1] else 360.0
            cv2.ellipse(
                pen.canvas, (w // 2, h // 2), (int(radius),) * 2, 0, angle, end, colour, -1, cv2.LINE_AA
            )
            pen.text(
                w / 2 + 1.1 * radius * math.cos(math.radians(angle)),
                h / 2 + 1.1 * radius * math.sin(math.radians(angle)),
                f"{sweep:.0f} %",
                height,
                ink,
                face,
            )
            angle = end
    else:
        n = int(rng.integers(4, 40))
        slot = (x1 - x0) / n
        for k in range(n):
            top = y1 + (y0 - y1) * float(rng.uniform(0.05, 0.95))
            pen.box(
                x0 + (k + 0.15) * slot, top, x0 + (k + 0.85) * slot, y1, colours[k % (1 if style == 3 else 3)]
            )
            if rng.random() < 0.3:
                x = x0 + (k + 0.5) * slot
                pen.line([(x, top - 8), (x, top + 8)], ink, 1)
    if rng.random() < 0.6:
        for k, colour in enumerate(colours[:3]):
            y = y0 + (0.5 + 1.5 * k) * height
            pen.line([(x1 - 7 * height, y), (x1 - 5.5 * height, y)], colour, 2)
            pen.text(x1 - 5 * height, y - height / 2, word(rng)[:8], height, ink, face)
    return pen.canvas
