"""Drawn in lines: outlines and plants, circuits and plans, maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from remend.damage.synth.graphics.colours import colour_of, grey_of, paper_and_ink, pick_colour
from remend.damage.synth.graphics.outlines import blob
from remend.damage.synth.graphics.pen import Colour, Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.tones import photo_grey
from remend.damage.synth.graphics.writing import amount, word
from remend.damage.synth.noise import smooth_line, smooth_plane

__all__ = ["drawing", "land_map", "schematic"]


def drawing(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A drawing in lines: outlines, hatching, plants, houses; or the contours of a picture, in ink."""
    paper, ink = paper_and_ink(rng, dark=0.12)
    pen = Pen(size, paper, rng, fonts)
    short = min(size)
    if rng.random() < 0.45:
        grey = photo_grey(size, rng, photo)
        sigma = float(rng.uniform(0.8, 1.8))
        near = cv2.GaussianBlur(grey, (0, 0), sigma)
        edges = near - 0.98 * cv2.GaussianBlur(grey, (0, 0), 1.6 * sigma)
        cover = np.clip(0.5 - (edges - float(rng.uniform(-0.006, 0.004))) * 60, 0, 1) * np.clip(
            1.3 - 0.7 * near, 0, 1
        )
        pen.lay((cover * 255).astype(np.uint8), 0, 0, ink)
        return pen.canvas
    width = float(rng.choice([1, 1, 2, 3])) * max(1.0, short / 700)
    for _ in range(int(rng.integers(4, 14))):
        x, y = rng.uniform(0, size[1]), rng.uniform(0, size[0])
        r = float(rng.uniform(0.06, 0.3)) * short
        style = int(rng.integers(6))
        if style == 0:
            pen.line(blob(x, y, r, rng), ink, width, closed=True)
        elif style == 1:  # a house
            box = np.array([(-1, 1), (-1, -0.2), (0, -1), (1, -0.2), (1, 1)]) * r + (x, y)
            pen.line(box.astype(np.float32), ink, width, closed=True)
            for dx in (-0.5, 0.4):
                pen.box(x + dx * r, y, x + (dx + 0.3) * r, y + 0.3 * r, ink, max(1, round(width)))
        elif style == 2:  # a plant
            _branch(pen, x, y + r, -np.pi / 2, r, ink, width, 5)
        elif style == 3:  # hatching inside an outline
            outline = blob(x, y, r, rng)
            angle, gap = float(rng.uniform(0, np.pi)), float(rng.uniform(3, 9))
            stencil = np.zeros(size, np.uint8)
            cv2.fillPoly(stencil, [outline.astype(np.int32)], 255)
            sheet = Pen(size, (0, 0, 0), rng, ())
            c, s = math.cos(angle), math.sin(angle)
            for off in np.arange(-r * 1.6, r * 1.6, gap).tolist():
                mid = (x - off * s, y + off * c)
                sheet.line(
                    [(mid[0] - 2 * r * c, mid[1] - 2 * r * s), (mid[0] + 2 * r * c, mid[1] + 2 * r * s)],
                    (255, 255, 255),
                    width,
                )
            pen.lay(np.minimum(sheet.canvas[:, :, 0], stencil), 0, 0, ink)
            pen.line(outline, ink, width, closed=True)
        elif style == 4:  # a free curve
            n = 80
            path = np.stack(
                [x + r * 2 * smooth_line(n, 25, rng), y + r * 2 * smooth_line(n, 25, rng)], axis=1
            )
            pen.line(path.astype(np.float32), ink, width)
        else:  # stippling
            for dx, dy in rng.normal(0, 0.5, (int(rng.integers(30, 250)), 2)).tolist():
                pen.disc(x + dx * r, y + dy * r, float(rng.uniform(0.6, 1.6)) * width, ink)
    return pen.canvas


def _branch(
    pen: Pen, x: float, y: float, angle: float, length: float, ink: Colour, width: float, depth: int
) -> None:
    end = (x + length * 0.45 * math.cos(angle), y + length * 0.45 * math.sin(angle))
    pen.line([(x, y), end], ink, max(1.0, width * depth / 4))
    if depth > 0 and length > 4:
        for turn in (-0.5, 0.45):
            _branch(
                pen, *end, angle + turn + float(pen.rng.normal(0, 0.15)), length * 0.78, ink, width, depth - 1
            )


def schematic(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Circuits, flow charts, plans with dimensions; a blueprint at times."""
    paper, ink = ((255, 255, 255), (0, 0, 0)) if rng.random() < 0.5 else paper_and_ink(rng)
    if rng.random() < 0.15:
        paper, ink = (25, 60, 130), (225, 235, 250)
    pen = Pen(size, paper, rng, fonts, hard=rng.random() < 0.1)
    grid = float(rng.uniform(24, 70))
    height = float(rng.uniform(8, 14))
    face, width = pen.face(), float(rng.choice([1, 1, 2, 3]))
    columns, rows = int(size[1] / grid) + 1, int(size[0] / grid) + 1
    if rng.random() < 0.3:
        faint = colour_of(np.asarray(paper) * 0.88 + np.asarray(ink) * 0.12)
        for x in np.arange(0, size[1], grid / 4).tolist():
            pen.line([(x, 0), (x, size[0])], faint, 1)
        for y in np.arange(0, size[0], grid / 4).tolist():
            pen.line([(0, y), (size[1], y)], faint, 1)
    for _ in range(int(columns * rows * rng.uniform(0.4, 1.0))):
        x, y = grid * float(rng.integers(columns)), grid * float(rng.integers(rows))
        across = rng.random() < 0.5
        dx, dy = (grid, 0.0) if across else (0.0, grid)
        style = int(rng.integers(7))
        if style <= 1:
            reach = int(rng.integers(1, 4))
            pen.line([(x, y), (x + reach * dx, y + reach * dy)], ink, width)
        elif style == 2:  # a resistor
            zig = [
                (0, 0),
                (0.25, 0),
                (0.3, 0.12),
                (0.4, -0.12),
                (0.5, 0.12),
                (0.6, -0.12),
                (0.7, 0.12),
                (0.75, 0),
                (1, 0),
            ]
            pen.line(
                [(x + (a if across else b) * grid, y + (b if across else a) * grid) for a, b in zig],
                ink,
                width,
            )
            pen.text(x + 0.3 * grid, y - 1.4 * height, f"R{int(rng.integers(1, 99))}", height, ink, face)
        elif style == 3:  # a labelled box
            pen.box(x - 0.35 * grid, y - 0.25 * grid, x + 0.35 * grid, y + 0.25 * grid, paper)
            pen.box(
                x - 0.35 * grid, y - 0.25 * grid, x + 0.35 * grid, y + 0.25 * grid, ink, max(1, int(width))
            )
            pen.text(x - 0.28 * grid, y - height / 2, word(rng)[:6], height, ink, face)
        elif style == 4:
            pen.disc(
                x, y, float(rng.uniform(2, 0.3 * grid)), ink, -1 if rng.random() < 0.4 else max(1, int(width))
            )
        elif style == 5:  # an arrow
            pen.line([(x, y), (x + dx, y + dy)], ink, width)
            tip, back = np.array([x + dx, y + dy]), np.array([dx, dy]) / grid
            side = np.array([-back[1], back[0]])
            pen.area(
                np.stack([tip, tip - 7 * back + 3 * side, tip - 7 * back - 3 * side]).astype(np.float32), ink
            )
        else:  # a dimension, dashed
            for k in np.arange(0, 1, 0.2).tolist():
                pen.line([(x + k * dx, y + k * dy), (x + (k + 0.12) * dx, y + (k + 0.12) * dy)], ink, 1)
            pen.text(x + 0.2 * grid, y + 2, amount(rng)[:5], height, ink, face)
    return pen.canvas


def land_map(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A map: land and water, contour lines, roads with casings, a grid, labels."""
    land = (
        pick_colour(rng, (0.02, 0.25), (0.85, 1.0))
        if rng.random() < 0.85
        else pick_colour(rng, (0, 0.3), (0.08, 0.25))
    )
    pen = Pen(size, land, rng, fonts)
    short = min(size)
    terrain = smooth_plane(size, short / float(rng.uniform(1.5, 4)), rng, octaves=4)
    water = colour_of(np.asarray(land) * np.array([0.7, 0.85, 1.0]))
    wood = colour_of(np.asarray(land) * np.array([0.8, 0.95, 0.75]))
    for level, colour in ((-0.7, water), (0.9, wood)):
        inside = (terrain < level) if level < 0 else (terrain > level)
        pen.canvas[inside] = colour
        outline, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for path in outline:
            pen.line(path[:, 0].astype(np.float32), colour_of(np.asarray(colour) * 0.75), 1, closed=True)
    if rng.random() < 0.6:
        brown = colour_of(np.array([165, 115, 70]) * rng.uniform(0.7, 1.2))
        for level in np.linspace(-1.5, 1.5, int(rng.integers(5, 14))).tolist():
            outline, _ = cv2.findContours(
                (terrain > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
            )
            for path in outline:
                if len(path) > 12:
                    pen.line(cv2.blur(path[:, 0].astype(np.float32), (1, 5)), brown, 1)
    for _ in range(int(rng.integers(3, 12))):
        n = 40
        angle = float(rng.uniform(0, 2 * np.pi))
        t = np.linspace(-0.7, 0.7, n) * max(size)
        side = 0.1 * short * smooth_line(n, 12, rng) + rng.uniform(-0.4, 0.4) * short
        path = np.stack(
            [
                size[1] / 2 + t * math.cos(angle) - side * math.sin(angle),
                size[0] / 2 + t * math.sin(angle) + side * math.cos(angle),
            ],
            axis=1,
        ).astype(np.float32)
        width = float(rng.choice([1, 2, 4, 6]))
        pen.line(path, grey_of(rng.uniform(60, 150)), width + 2)
        if width > 1:
            pen.line(path, pick_colour(rng, (0.0, 0.7), (0.9, 1.0)), width)
    if rng.random() < 0.4:
        gap = float(rng.uniform(50, 140))
        for x in np.arange(gap / 2, size[1], gap).tolist():
            pen.line([(x, 0), (x, size[0])], grey_of(120), 1)
        for y in np.arange(gap / 2, size[0], gap).tolist():
            pen.line([(0, y), (size[1], y)], grey_of(120), 1)
    face, ink = pen.face(), grey_of(30 if sum(land) > 380 else 220)
    for _ in range(int(rng.integers(4, 5 + short // 30))):
        x, y = rng.uniform(0, size[1]), rng.uniform(0, size[0])
        pen.disc(x, y, float(rng.uniform(1.5, 4)), ink, -1 if rng.random() < 0.5 else 1)
        pen.text(x + 6, y - 6, word(rng).capitalize(), float(rng.uniform(8, 17)), ink, face)
    return pen.canvas
