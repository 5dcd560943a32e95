"""All kinds of graphics, and the one that draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.graphics.colours import colour_of, grey_of, paper_and_ink, pick_colour
from remend.damage.synth.graphics.finishes import FINISHES, Finish, compressed, scanned
from remend.damage.synth.graphics.outlines import blob
from remend.damage.synth.graphics.pen import SUB_BITS, Colour, Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.tones import photo_grey, photo_like
from remend.damage.synth.graphics.writing import amount, paragraph, phrase, scrawl, word
from remend.damage.synth.noise import Seed, as_generator, smooth_line, smooth_plane
from remend.errors import UsageError
from remend.picture import Float

__all__ = ["GRAPHIC_KINDS", "graphic"]


# Documents.


def _page(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Running text in one to three columns; headings, lists, rules, page numbers, at times a picture."""
    paper, ink = paper_and_ink(rng)
    pen = Pen(size, paper, rng, fonts, hard=rng.random() < 0.06)
    height = float(np.exp(rng.uniform(np.log(8), np.log(34))))
    face, lead = pen.face(), float(rng.uniform(1.15, 1.9))
    margin = float(rng.choice([-0.5, 0.0, 0.06, 0.12]) * size[1]) + float(rng.uniform(0, 8))
    columns = int(rng.integers(1, 1 + max(1, min(3, int(size[1] / (12 * height))))))
    gap = 1.5 * height
    wide = (size[1] - 2 * max(margin, 0) - gap * (columns - 1)) / columns if margin >= 0 else size[1] * 1.2
    head = pen.face()
    for column in range(columns if margin >= 0 else 1):
        x = margin + column * (wide + gap)
        y = float(rng.uniform(-height, 0.12 * size[0]))
        while y < size[0]:
            chance = rng.random()
            if chance < 0.18:
                big = height * float(rng.uniform(1.15, 2.2))
                pen.text(x, y, phrase(rng, 8)[: max(3, int(wide / big / 0.55))], big, ink, head, bold=True)
                y += 1.7 * big
            elif chance < 0.3:
                for _ in range(int(rng.integers(2, 6))):
                    pen.disc(x + 0.4 * height, y + 0.6 * height, max(1.0, height / 8), ink)
                    y = paragraph(pen, x + height, y, wide - height, 1, height, ink, face, lead)
            elif chance < 0.35 and photo is not None and wide > 6 * height:
                tall = int(
                    min(wide * rng.uniform(0.3, 0.6), 0.25 * size[0] * size[1] / wide, size[0] - y - 1)
                )
                broad = int(min(wide, size[1] - x - 1))
                if tall > 8 and broad > 8 and x >= 0 and y >= 0:
                    inset = photo_like((tall, broad), rng, photo)
                    pen.canvas[int(y) : int(y) + tall, int(x) : int(x) + broad] = inset
                    y += tall + 0.5 * height
            elif chance < 0.4:
                pen.line([(x, y), (x + wide, y)], ink, 1)
                y += height
            y = paragraph(pen, x, y, wide, int(rng.integers(2, 9)), height, ink, face, lead) + 0.6 * height
    return pen.canvas


def _table(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Rows and columns of words and figures, ruled or striped."""
    paper, ink = paper_and_ink(rng)
    pen = Pen(size, paper, rng, fonts)
    height = float(np.exp(rng.uniform(np.log(8), np.log(24))))
    face, row = pen.face(), height * float(rng.uniform(1.4, 2.4))
    edges = [float(rng.uniform(-20, 0.1 * size[1]))]
    while edges[-1] < size[1]:
        edges.append(edges[-1] + height * float(rng.uniform(3, 11)))
    rule = grey_of(rng.uniform(0, 200)) if sum(paper) > 380 else grey_of(rng.uniform(70, 160))
    wide, style = int(rng.choice([1, 1, 2])), int(rng.integers(4))
    stripe: Colour = (int(paper[0] * 0.9), int(paper[1] * 0.93), int(paper[2] * 0.97))
    for index, y in enumerate(np.arange(float(rng.uniform(-row, 0.15 * size[0])), size[0], row).tolist()):
        if style == 2 and index % 2:
            pen.box(0, y, size[1], y + row, stripe)
        for left, right in pairwise(edges):
            cell = amount(rng) if rng.random() < 0.6 else word(rng)
            pen.text(
                left + 0.3 * height,
                y + 0.2 * row,
                cell[: int((right - left) / height * 1.7)],
                height,
                ink,
                face,
                bold=index == 0,
            )
        if style != 2:
            pen.line([(0, y), (size[1], y)], rule, wide)
    if style in (0, 3):
        for x in edges:
            pen.line([(x, 0), (x, size[0])], rule, wide)
    return pen.canvas


def _form(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Labels, boxes, lines to write on, ticks, dotted leaders, a signature, a postcard's lines."""
    paper, ink = paper_and_ink(rng, dark=0.05)
    pen = Pen(size, paper, rng, fonts)
    height = float(rng.uniform(8, 20))
    face, y = pen.face(), float(rng.uniform(0, 20))
    blue = pick_colour(rng, (0.5, 1), (0.2, 0.6))
    pen.text(10, y, phrase(rng, 14), height * 1.7, ink, face, bold=True)
    y += 3 * height
    while y < size[0]:
        x = float(rng.uniform(4, 20))
        while x < size[1]:
            broad, style = float(rng.uniform(4, 16)) * height, int(rng.integers(5))
            end = pen.text(x, y, word(rng).capitalize() + ":", height, ink, face) + x + 0.4 * height
            if style == 0:
                pen.box(end, y - 0.2 * height, end + broad, y + 1.3 * height, ink, 1)
            elif style == 1:
                pen.line([(end, y + 1.2 * height), (end + broad, y + 1.2 * height)], ink, 1)
            elif style == 2:
                for dot in np.arange(end, end + broad, max(3.0, height / 3)).tolist():
                    pen.disc(dot, y + 1.1 * height, max(0.6, height / 16), ink)
            elif style == 3:
                for k in range(int(broad / height / 1.2)):
                    pen.box(end + 1.2 * k * height, y, end + 1.2 * (k + 1) * height, y + 1.2 * height, ink, 1)
            else:
                pen.box(end, y, end + height, y + height, ink, 1)
                if rng.random() < 0.5:
                    pen.line([(end, y), (end + height, y + height)], blue, 2)
                    pen.line([(end + height, y), (end, y + height)], blue, 2)
            if style < 2 and rng.random() < 0.6:
                scrawl(pen, end + 3, y + height, 1.1 * height, broad * 0.8, blue, 1.2)
            x = end + broad + height
        y += height * float(rng.uniform(2, 3))
    return pen.canvas


def _receipt(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A till receipt: narrow, in a printer's letters, amounts to the right."""
    paper, ink = grey_of(rng.uniform(225, 256)), grey_of(rng.uniform(0, 110))
    pen = Pen(size, paper, rng, fonts)
    face = "simplex" if rng.random() < 0.5 else pen.face()
    height = float(rng.uniform(9, 24))
    y = float(rng.uniform(-5, 30))
    while y < size[0]:
        chance = rng.random()
        if chance < 0.12:
            pen.text(
                8,
                y,
                "- " * int(size[1] / height / 0.8)
                if rng.random() < 0.5
                else "=" * int(size[1] / height * 1.5),
                height,
                ink,
                face,
            )
        elif chance < 0.22:
            pen.text(size[1] * 0.25, y, phrase(rng, 12).upper(), height * 1.3, ink, face, bold=True)
        else:
            pen.text(
                8,
                y,
                f"{int(rng.integers(1, 9))} x {phrase(rng, 8)}"[: int(size[1] / height)],
                height,
                ink,
                face,
            )
            pen.text(size[1] - 5 * height, y, amount(rng), height, ink, face)
        y += height * float(rng.uniform(1.25, 1.6))
    return pen.canvas


def _handwriting(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Handwritten lines, plain, ruled or squared paper; at times a script font, crossed out words."""
    paper, ink = paper_and_ink(rng, dark=0.06)
    if rng.random() < 0.5 and sum(paper) > 450:
        ink = pick_colour(rng, (0.4, 1), (0.1, 0.5))
    pen = Pen(size, paper, rng, fonts)
    height = float(np.exp(rng.uniform(np.log(16), np.log(60))))
    lead = height * float(rng.uniform(1.2, 1.8))
    rule, style = pick_colour(rng, (0.1, 0.4), (0.7, 0.9)), int(rng.integers(4))
    start = float(rng.uniform(0, lead))
    for y in np.arange(start, size[0], lead).tolist():
        if style in (1, 2):
            pen.line([(0, y), (size[1], y)], rule, 1)
    if style == 2:
        for x in np.arange(start, size[1], lead).tolist():
            pen.line([(x, 0), (x, size[0])], rule, 1)
    width = float(rng.uniform(1, 2.2)) * max(1.0, height / 30)
    script = rng.random() < 0.25
    for y in np.arange(start, size[0] + height, lead).tolist():
        x = float(rng.uniform(0, 0.15 * size[1]))
        if rng.random() < 0.07:
            continue
        if script:
            face = "script" if rng.random() < 0.5 else "script-complex"
            pen.text(x, y - height, phrase(rng, int(size[1] / height * 1.6)), height, ink, face)
        else:
            scrawl(pen, x, y, height, float(rng.uniform(0.4, 1.0)) * size[1] - x, ink, width)
    return pen.canvas


def _music(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Sheet music: staves, bars, notes with stems and beams, slurs."""
    paper, ink = paper_and_ink(rng, dark=0.05)
    pen = Pen(size, paper, rng, fonts)
    gap = float(rng.uniform(4, 14))
    y = float(rng.uniform(-2 * gap, 5 * gap))
    while y < size[0]:
        for k in range(5):
            pen.line([(0.02 * size[1], y + k * gap), (0.98 * size[1], y + k * gap)], ink, max(1.0, gap / 10))
        x = 0.05 * size[1]
        pen.text(x, y - gap, "&" if rng.random() < 0.5 else "C:", 5 * gap, ink, pen.face())
        x += 5 * gap
        while x < 0.96 * size[1]:
            if rng.random() < 0.15:
                pen.line([(x, y), (x, y + 4 * gap)], ink, max(1.0, gap / 7))
                x += 1.5 * gap
                continue
            count = int(rng.choice([1, 1, 2, 4]))
            tops = []
            for _ in range(count):
                note = y + gap * float(rng.integers(-1, 11)) / 2
                centre = (round(x * 8), round(note * 8))
                axes = (round(0.62 * gap * 8), round(0.45 * gap * 8))
                fill = -1 if rng.random() < 0.8 else max(1, round(gap / 8))
                cv2.ellipse(pen.canvas, centre, axes, -20, 0, 360, ink, fill, cv2.LINE_AA, SUB_BITS)
                top = note - 3.3 * gap
                pen.line([(x + 0.6 * gap, note), (x + 0.6 * gap, top)], ink, max(1.0, gap / 8))
                if rng.random() < 0.1:
                    pen.text(x - 1.5 * gap, note - gap, "#", 2 * gap, ink)
                tops.append((x + 0.6 * gap, top))
                x += gap * float(rng.uniform(1.6, 2.6))
            if count > 1:
                for k in range(int(rng.integers(1, 3))):
                    (xa, ya), (xb, yb) = tops[0], tops[-1]
                    shift, thick = k * 0.8 * gap, 0.45 * gap
                    pen.area(
                        [
                            (xa, ya + shift),
                            (xb, yb + shift),
                            (xb, yb + shift + thick),
                            (xa, ya + shift + thick),
                        ],
                        ink,
                    )
            x += gap
        if rng.random() < 0.6:
            t = np.linspace(0, 1, 24)
            a, b = sorted(rng.uniform(0.1, 0.9, 2) * size[1])
            pen.line(
                np.stack([a + (b - a) * t, y - gap - 6 * gap * t * (1 - t)], axis=1).astype(np.float32),
                ink,
                max(1.0, gap / 6),
            )
        if rng.random() < 0.4:
            pen.text(0.1 * size[1], y + 6 * gap, phrase(rng, 30), 1.6 * gap, ink, pen.face())
        y += gap * float(rng.uniform(8, 13))
    return pen.canvas


# Graphics.


def _screenshot(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _chart(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _drawing(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _schematic(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _map(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _code(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _pixel_art(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _poster(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _checker(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def _gradient(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


# Prints after a picture: what carries the tone is dots or lines.


def _halftone(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A screened print: dots (or lines) that grow with the tone, in one ink or in four."""
    period = float(np.exp(rng.uniform(np.log(3.2), np.log(14))))
    lines = rng.random() < 0.12
    gain = period * float(rng.uniform(0.35, 0.9))
    paper = np.asarray(
        pick_colour(rng, (0, 0.2), (0.82, 1.0)) if rng.random() < 0.7 else (255, 255, 255), np.float32
    )
    if rng.random() < 0.5:
        ink = np.asarray(
            grey_of(rng.uniform(0, 70)) if rng.random() < 0.8 else pick_colour(rng, (0.3, 1), (0.1, 0.5)),
            np.float32,
        )
        dark = 1 - photo_grey(size, rng, photo)
        cover = _screen(
            0.04 + 0.92 * dark,
            period,
            float(rng.choice([np.pi / 4, rng.uniform(0, np.pi)])),
            gain,
            lines=lines,
        )
        out = paper + (ink - paper) * cover[:, :, None]
    else:
        rgb = photo_like(size, rng, photo).astype(np.float32) / 255
        black = (1 - rgb.max(axis=2)) * float(rng.uniform(0.4, 0.9))
        inks = np.array([[0, 150, 220], [225, 20, 130], [250, 230, 20], [25, 22, 25]], np.float32) / 255
        angles = np.radians([15, 75, 0, 45]) + rng.uniform(0, np.pi / 2)
        tones = [
            *np.moveaxis(
                np.clip((1 - rgb - black[:, :, None]) / np.maximum(1 - black[:, :, None], 0.1), 0, 1), 2, 0
            ),
            black,
        ]
        out = np.repeat(paper[None, None], size[0], 0).repeat(size[1], 1)
        for tone, ink, angle in zip(tones, inks, angles, strict=True):
            cover = _screen(0.96 * np.asarray(tone), period, float(angle), gain, lines=lines)
            out = out * (1 + (ink - 1) * cover[:, :, None])
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)


@lru_cache(maxsize=2)
def _ranks(lines: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the screen's wave: its values, and the share of the plane that lies below each."""
    t = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    wave = np.cos(t) if lines else ((np.cos(t)[:, None] + np.cos(t)[None]) / 2).ravel()
    at = np.linspace(0, 1, 65)
    return np.quantile(wave, at), at


def _screen(
    dark: NDArray[np.floating[Any]], period: float, angle: float, gain: float, *, lines: bool = False
) -> Float:
    """(H, W) coverage with ink: ``dark`` through a screen of ``period`` px."""
    y, x = np.mgrid[0 : dark.shape[0], 0 : dark.shape[1]].astype(np.float32) * np.float32(2 * np.pi / period)
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    wave = np.cos(x * c + y * s)
    if not lines:
        wave = (wave + np.cos(y * c - x * s)) / 2
    values, at = _ranks(lines)
    limit = np.interp(dark, at, values).astype(np.float32)
    return np.asarray(np.clip(0.5 + (limit - wave) * np.float32(gain), 0, 1), np.float32)


def _engraving(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Engraved or etched: curved lines side by side that swell with the tone, crossed in the shadows."""
    grey = photo_grey(size, rng, photo)
    soft = cv2.GaussianBlur(grey, (0, 0), min(size) / 40)
    period = float(np.exp(rng.uniform(np.log(3.5), np.log(11))))
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    dark = np.clip(1.15 * (1 - grey) ** float(rng.uniform(0.8, 1.3)) - 0.05, 0, 1)
    cover = np.zeros(size, np.float32)
    bend = smooth_plane(size, min(size) / 2, rng, octaves=2)
    first = float(rng.uniform(0, np.pi))
    crossed = bool(rng.random() < 0.6)
    uneven = 0.12 * smooth_plane(size, 3 * period, rng, octaves=2)
    for layer in range(1 + crossed):
        angle = first + layer * float(rng.uniform(0.5, 1.5))
        # Lines follow the form: the tone itself bends them.
        phase = x * math.cos(angle) + y * math.sin(angle)
        phase = phase + period * (float(rng.uniform(0.5, 3)) * bend + float(rng.uniform(0, 6)) * soft)
        wave = np.cos(2 * np.pi * phase / period)
        share = np.clip(dark * 1.05, 0, 0.93) if layer == 0 else np.clip(2 * dark - 0.9, 0, 0.8)
        if crossed and layer == 0:
            share = share * 0.75
        limit = -np.cos(np.pi * np.clip(share * (1 + uneven), 0, 1))
        cover = np.maximum(cover, np.clip(0.5 + (limit - wave - 0.03) * period * 0.5, 0, 1) * (share > 0.04))
    paper, ink = paper_and_ink(rng, dark=0.04)
    share = cover[:, :, None]
    return np.asarray(
        np.rint(np.asarray(paper) + share * (np.asarray(ink, np.float32) - np.asarray(paper))), np.uint8
    )


def _sketch(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Pencil, charcoal or chalk: contours and hatching, grainy, on paper."""
    grey = photo_grey(size, rng, photo)
    short = min(size)
    veil = cv2.GaussianBlur(grey, (0, 0), short / float(rng.uniform(30, 120)))
    contour = np.clip(1 - (grey + 0.03) / (veil + 0.03), 0, 1) * float(rng.uniform(1.2, 2.2))
    cover = contour
    period = float(rng.uniform(2.5, 6))
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    for layer in range(int(rng.integers(0, 3))):
        angle = float(rng.uniform(0.4, 1.2)) + layer * 1.1
        across = x * math.cos(angle) + y * math.sin(angle)
        along = y * math.cos(angle) - x * math.sin(angle)
        wobble = smooth_plane(size, 14, rng, octaves=1) * 0.5 * period
        stroke = np.clip(
            0.9 * np.cos(2 * np.pi * (across + wobble) / period)
            + 0.4 * np.sin(along / 17 + 3 * np.floor(across / period)),
            0,
            1,
        )
        cover = cover + stroke * np.clip(1 - 1.3 * veil - 0.15 * layer, 0, 1) * float(rng.uniform(0.4, 0.9))
    tooth = smooth_plane(size, 2, rng, octaves=1)
    cover = np.clip(cover, 0, 1) * np.clip(0.85 + float(rng.uniform(0.05, 0.35)) * tooth, 0, 1.2)
    paper, ink = paper_and_ink(rng, dark=0.05)
    share = np.clip(cover * 0.9, 0, 1)[:, :, None]
    base = np.asarray(paper, np.float32) + float(rng.uniform(0, 3)) * tooth[:, :, None]
    return np.asarray(np.clip(np.rint(base + share * (np.asarray(ink, np.float32) - base)), 0, 255), np.uint8)


Maker = Callable[[Size, Rng, Sequence[str], Picture8 | None], Picture8]
_MAKERS: dict[str, tuple[str, Maker]] = {
    "page": ("document", _page),
    "table": ("document", _table),
    "form": ("document", _form),
    "receipt": ("document", _receipt),
    "handwriting": ("document", _handwriting),
    "music": ("document", _music),
    "screenshot": ("graphic", _screenshot),
    "chart": ("graphic", _chart),
    "drawing": ("graphic", _drawing),
    "schematic": ("graphic", _schematic),
    "map": ("graphic", _map),
    "code": ("graphic", _code),
    "pixel-art": ("graphic", _pixel_art),
    "poster": ("graphic", _poster),
    "checker": ("graphic", _checker),
    "gradient": ("graphic", _gradient),
    "sketch": ("graphic", _sketch),
    "halftone": ("halftone", _halftone),
    "engraving": ("engraving", _engraving),
}

GRAPHIC_KINDS: dict[str, str] = {kind: nature for kind, (nature, _) in _MAKERS.items()}
"""Every kind, and what ``remend.damage.gate`` should call it."""


def graphic(
    size: Size,
    *,
    seed: Seed,
    kind: str | None = None,
    fonts: Sequence[str] = (),
    photo: Picture8 | None = None,
    finish: Finish | None = None,
) -> Picture8:
    """Draw a document, a graphic or a print, on which nothing is damaged.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from; the same arguments give the same picture.
        kind: one of ``GRAPHIC_KINDS``; None draws one.
        fonts: paths of TrueType fonts to set in beside the ones that Pillow and OpenCV bring.
        photo: (H, W, 3) uint8 RGB that halftones, engravings, sketches and some drawings, posters and pixel
            art are made after, and that some pages show small; None makes soft shaded bodies up.
        finish: ``digital`` as drawn, ``jpeg``, ``scan`` (printed and scanned: paper, noise, blur, a slight
            turn) or ``enlarged`` (drawn smaller or larger, then resized smoothly); None draws one.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UsageError: an unknown kind or finish, or a size under 16 px.

    Cost: 1–30 ms at 320².

    >>> graphic((64, 96), seed=1, kind="map").shape
    (64, 96, 3)
    """
    rng = as_generator(seed, "graphic")
    if min(size) < 16:
        raise UsageError(f"a graphic needs at least 16 px a side, got {size[1]}×{size[0]}")
    if kind is not None and kind not in _MAKERS:
        raise UsageError(f"no graphic is called {kind!r}: choose one of {', '.join(_MAKERS)}")
    if finish is not None and finish not in FINISHES:
        raise UsageError(f"no finish is called {finish!r}: choose one of {', '.join(FINISHES)}")
    chosen = kind or list(_MAKERS)[int(rng.integers(len(_MAKERS)))]
    how: Finish = finish or FINISHES[int(rng.choice(4, p=[0.4, 0.15, 0.3, 0.15]))]
    make = _MAKERS[chosen][1]
    if how == "enlarged":
        zoom = float(rng.choice([0.5, 0.7, 1.5, 2.0, 3.0]))
        drawn = make((max(16, round(size[0] / zoom)), max(16, round(size[1] / zoom))), rng, fonts, photo)
        way = cv2.INTER_AREA if zoom < 1 else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
        picture = np.asarray(cv2.resize(drawn, (size[1], size[0]), interpolation=way), np.uint8)
    else:
        picture = make(size, rng, fonts, photo)
    if how == "scan":
        return scanned(picture, seed=rng)
    if how == "jpeg" or (how == "enlarged" and rng.random() < 0.4):
        return compressed(picture, int(rng.integers(40, 97)))
    return picture
