"""Paper with writing: pages, tables, forms, receipts, handwriting, music."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from remend.damage.synth.graphics.colours import grey_of, paper_and_ink, pick_colour
from remend.damage.synth.graphics.pen import SUB_BITS, Colour, Pen, Picture8, Rng, Size
from remend.damage.synth.graphics.tones import photo_like
from remend.damage.synth.graphics.writing import amount, paragraph, phrase, scrawl, word

__all__ = ["form", "handwriting", "music", "page", "receipt", "table"]


def page(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def table(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def form(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def receipt(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def handwriting(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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


def music(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
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
