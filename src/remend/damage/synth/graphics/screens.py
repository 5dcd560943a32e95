"""Screenshots: windows, lists, code, cards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from remend.damage.synth.graphics.colours import colour_of, grey_of, pick_colour
from remend.damage.synth.graphics.pen import Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.tones import photo_like
from remend.damage.synth.graphics.writing import paragraph, phrase, word

__all__ = ["screenshot"]


def screenshot(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A screen: bars, panes, lists, buttons, code in colours, a terminal; light or dark."""
    dark = rng.random() < 0.5
    base = rng.uniform(8, 50) if dark else rng.uniform(235, 256)
    tint = rng.uniform(-6, 6, 3)
    levels = [
        colour_of(base + (k * rng.uniform(4, 14) if dark else -k * rng.uniform(3, 12)) + tint)
        for k in range(4)
    ]
    ink = grey_of(rng.uniform(190, 250) if dark else rng.uniform(0, 80))
    faint = grey_of(rng.uniform(100, 160) if dark else rng.uniform(120, 180))
    accent = pick_colour(rng, (0.5, 1), (0.5, 1))
    pen = Pen(size, levels[0], rng, fonts, hard=rng.random() < 0.1)
    height = float(rng.uniform(9, 20))
    face = pen.face()
    bar = int(2.4 * height)
    left = int(rng.choice([0, 0.2, 0.3]) * size[1])
    pen.box(0, 0, size[1], bar, levels[2])
    pen.text(height, 0.6 * height, phrase(rng, 16), height, ink, face)
    for k in range(3):
        pen.disc(
            size[1] - (1.2 + 1.6 * k) * height,
            bar / 2,
            height / 2.6,
            accent if k == 0 else faint,
            -1 if rng.random() < 0.6 else 1,
        )
    if left:
        pen.box(0, bar, left, size[0], levels[1])
        pen.line([(left, bar), (left, size[0])], levels[3], 1)
        for y in np.arange(bar + height, size[0], 1.9 * height).tolist():
            if rng.random() < 0.08:
                pen.box(0, y - 0.3 * height, left, y + 1.4 * height, accent)
            pen.box(0.4 * height, y, 1.2 * height, y + 0.8 * height, faint, -1 if rng.random() < 0.5 else 1)
            pen.text(1.7 * height, y, phrase(rng, 6)[: int(left / height * 1.3)], height, ink, face)
    style = int(rng.integers(4))
    y = bar + height
    while y < size[0]:
        x = left + height * (1 + (int(rng.integers(5)) if style == 0 else 0))
        if style == 0:  # code
            pen.text(left + 2, y, str(int(y / height)), height * 0.9, faint, face)
            x += 1.5 * height
            for _ in range(int(rng.integers(0, 7))):
                tone = (
                    ink
                    if rng.random() < 0.5
                    else pick_colour(rng, (0.3, 0.9), (0.7, 1) if dark else (0.2, 0.7))
                )
                x += (
                    pen.text(
                        x,
                        y,
                        word(rng) + ("()=;{}[]"[int(rng.integers(8))] if rng.random() < 0.4 else ""),
                        height,
                        tone,
                        face,
                    )
                    + 0.4 * height
                )
            y += 1.5 * height
        elif style == 1:  # a list with dates and sizes
            pen.line([(left, y - 0.4 * height), (size[1], y - 0.4 * height)], levels[3], 1)
            pen.text(x, y, phrase(rng, 16), height, ink, face)
            pen.text(
                size[1] - 8 * height,
                y,
                f"{int(rng.integers(1, 29))}.{int(rng.integers(1, 13))}.20{int(rng.integers(10, 30))}",
                height,
                faint,
                face,
            )
            y += 1.9 * height
        elif style == 2:  # cards and buttons
            broad = float(rng.uniform(6, 18)) * height
            pen.box(x, y, x + broad, y + 5 * height, levels[2])
            pen.box(x, y, x + broad, y + 5 * height, levels[3], 1)
            pen.text(
                x + 0.5 * height,
                y + 0.5 * height,
                phrase(rng, 8)[: int(broad / height * 1.4)],
                1.2 * height,
                ink,
                face,
                bold=True,
            )
            pen.text(
                x + 0.5 * height,
                y + 2.2 * height,
                phrase(rng, 14)[: int(broad / height * 1.5)],
                height,
                faint,
                face,
            )
            pen.box(x + 0.5 * height, y + 3.6 * height, x + 5 * height, y + 4.8 * height, accent)
            inset = x + broad + height
            if (
                photo is not None
                and inset + 5 * height < size[1]
                and y + 5 * height < size[0]
                and rng.random() < 0.4
            ):
                tile = int(5 * height)
                pen.canvas[int(y) : int(y) + tile, int(inset) : int(inset) + tile] = photo_like(
                    (tile, tile), rng, photo
                )
            y += 6 * height
        else:
            y = (
                paragraph(pen, x, y, size[1] - x - height, int(rng.integers(1, 5)), height, ink, face, 1.5)
                + height
            )
    return pen.canvas
