"""Flat areas of few colours: posters, pixel art."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from remend.damage.synth.graphics.colours import pick_colour
from remend.damage.synth.graphics.outlines import blob
from remend.damage.synth.graphics.pen import Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.tones import photo_grey, photo_like
from remend.damage.synth.graphics.writing import word

__all__ = ["pixel_art", "poster"]


def pixel_art(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A few colours on a coarse grid, enlarged without smoothing: sprites, tiles, or a picture made so."""
    zoom = int(rng.choice([2, 3, 4, 4, 6, 8, 10]))
    h, w = -(-size[0] // zoom), -(-size[1] // zoom)
    count = int(rng.integers(4, 17))
    if rng.random() < 0.5:
        small = photo_like((h, w), rng, photo).astype(np.float32)
        step = 255 / int(rng.integers(2, 6))
        if rng.random() < 0.5:
            bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 0.47
            small += step * np.tile(bayer, (h // 4 + 1, w // 4 + 1))[:h, :w, None]
        art = (np.clip(np.rint(small / step) * step, 0, 255)).astype(np.uint8)
    else:
        palette = np.array([pick_colour(rng, (0, 1), (0, 1)) for _ in range(count)], np.uint8)
        cell = int(rng.choice([8, 12, 16]))
        tiles = [rng.integers(0, count, (cell, cell // 2)) for _ in range(4)]
        for k in range(4):
            tiles[k][cv2.GaussianBlur(rng.normal(0, 1, tiles[k].shape), (0, 0), 1.5) > 0] = k % count
        index = np.full((h + cell, w + cell), int(rng.integers(count)))
        for top in range(0, h, cell):
            for left in range(0, w, cell):
                if rng.random() < 0.7:
                    half = tiles[int(rng.integers(4))]
                    index[top : top + cell, left : left + cell] = np.hstack([half, half[:, ::-1]])
        art = palette[index[:h, :w]]
    return np.ascontiguousarray(np.repeat(np.repeat(art, zoom, 0), zoom, 1)[: size[0], : size[1]])


def poster(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Flat areas of few colours, outlined at times, with large lettering; or a picture posterised."""
    h, w = size
    colours = [pick_colour(rng, (0, 1), (0.05, 1)) for _ in range(6)]
    pen = Pen(size, colours[0], rng, fonts)
    style = rng.random()
    if style < 0.3:
        grey = cv2.GaussianBlur(
            photo_grey(size, rng, photo), (0, 0), max(1.2, min(size) / float(rng.uniform(80, 250)))
        )
        count = int(rng.integers(3, 7))
        order = sorted(colours, key=sum)[:count]
        level = np.clip(grey * count, 0, count - 1e-3).astype(int)
        flat = np.array(order, np.uint8)[level.clip(0, len(order) - 1)]
        pen.canvas[:] = cv2.GaussianBlur(flat, (0, 0), 0.6) if rng.random() < 0.7 else flat
        if rng.random() < 0.4:
            edge = cv2.morphologyEx(level.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
            pen.canvas[edge] = (20, 20, 20)
    elif style < 0.45:  # rays and bands
        cx, cy, n = rng.uniform(0, w), rng.uniform(0, h), int(rng.integers(8, 40))
        for k in range(0, 2 * n, 2):
            a, b = np.pi * k / n, np.pi * (k + 1) / n
            far = 2 * max(size)
            pen.area(
                [
                    (cx, cy),
                    (cx + far * math.cos(a), cy + far * math.sin(a)),
                    (cx + far * math.cos(b), cy + far * math.sin(b)),
                ],
                colours[1],
            )
    else:
        outlined = rng.random() < 0.4
        for _ in range(int(rng.integers(4, 22))):
            x, y, r = rng.uniform(0, w), rng.uniform(0, h), float(rng.uniform(0.05, 0.35)) * min(size)
            shape = blob(x, y, r, rng, int(rng.choice([3, 4, 5, 40])), float(rng.uniform(0, 0.4)))
            pen.area(shape, colours[int(rng.integers(6))])
            if outlined:
                pen.line(shape, (10, 10, 10), float(rng.choice([1, 2, 4])), closed=True)
            if rng.random() < 0.1:  # dots as a pattern
                gap = float(rng.uniform(6, 14))
                for px in np.arange(x - r, x + r, gap).tolist():
                    for py in np.arange(y - r, y + r, gap).tolist():
                        pen.disc(px, py, gap / 4, colours[5])
    if rng.random() < 0.7:
        big = float(rng.uniform(0.06, 0.2)) * h
        for k in range(int(rng.integers(1, 4))):
            pen.text(
                rng.uniform(0, 0.3) * w,
                rng.uniform(0, 0.85) * h + k,
                word(rng).upper(),
                big,
                colours[int(rng.integers(1, 6))],
                pen.face(),
                bold=True,
            )
    return pen.canvas
