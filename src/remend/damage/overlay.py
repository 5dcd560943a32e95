"""Text laid over a picture: captions, and the dates that cameras burnt in.

Letters of a sign in the scene are letters too. What tells text that was *added* is that it is exactly of one
colour, exactly level, and does not care what lies under it; so rows of like glyphs are sought in the colours
that captions have, and a row counts when its glyphs agree in colour far better than what surrounds them.
Letters by connected components and stroke width follow B. Epshtein, E. Ofek, Y. Wexler, *Detecting Text in
Natural Scenes with Stroke Width Transform*, CVPR 2010.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Region

__all__ = ["text_rows"]

LONG_SIDE_PX = 1600  # larger pictures are searched shrunk: their letters are larger too
LEAST_HEIGHT_PX = 6
MOST_HEIGHT_SHARE = 0.12
CORNER_SHARE = 0.3  # a date lies in the outer part of the picture, from below or above
PLAIN_LEVELS = 14.0  # deviation of a caption's colour, grey levels
GLOW_LEVELS = 34.0  # of a date's, which was exposed on film
LEAST_GLYPHS = 4
LEAST_DIGITS = 3
MOST_STRAY = 0.6  # ink around a row that is not of it, as a share of the row's


@dataclass(frozen=True, slots=True)
class _Glyph:
    label: int
    box: Box
    colour: NDArray[np.float32]
    deviation: float
    stroke: float


def text_rows(rgb: NDArray[Any]) -> list[Region]:
    """Rows of level text, a region each; the confidence says how sure it is that they were added later.

    Args:
        rgb: (H, W, 3) uint8.

    Cost: about 0.1 s for 2 MP on one core; larger pictures cost no more.
    """
    height, width = rgb.shape[:2]
    factor = max(1.0, max(height, width) / LONG_SIDE_PX)
    small = rgb
    if factor > 1:
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    found = []
    taken = np.zeros(small.shape[:2], np.bool_)
    for name, plane in _inks(small).items():
        labels, glyphs = _glyphs(small, plane, glow=name == "warm")
        for row in _rows(glyphs, date=name == "warm"):
            confidence = _confidence(small, labels, row, date=name == "warm")
            if confidence is None:
                continue
            mask = _mask(small, labels, row)
            if (taken & mask).sum() > 0.3 * mask.sum():
                continue
            taken |= mask
            found.append(_region(mask, factor, (height, width), confidence))
    return found


def _region(mask: Bool, factor: float, size: tuple[int, int], confidence: float) -> Region:
    """The region of a mask that was made on a frame ``factor`` times smaller."""
    box = Box.around(mask)
    assert box is not None  # a row has glyphs
    part = mask[box.slices]
    if factor > 1:
        box = Box(
            math.floor(box.top * factor),
            math.floor(box.left * factor),
            min(size[0], math.ceil(box.bottom * factor)),
            min(size[1], math.ceil(box.right * factor)),
        )
        # a pixel more than nothing: the shrunk mask's soft edges are in
        part = cv2.resize(part.view(np.uint8), (box.width, box.height), interpolation=cv2.INTER_LINEAR) > 0
    return Region(box, part.copy(), "text", confidence)


def _inks(rgb: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Where the picture has the colours that captions and dates are written in."""
    red, green, blue = cv2.split(rgb)
    low, high = cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)
    vivid = (high > 190) & (low < 90)
    warm = (red > 170) & (cv2.subtract(red, blue) > 90) & (cv2.subtract(green, red) < 15)
    return {
        "warm": warm.view(np.uint8),
        "white": (low > 222).view(np.uint8),
        "black": (high < 32).view(np.uint8),
        "vivid": (vivid & ~warm).view(np.uint8),
    }


def _glyphs(rgb: NDArray[Any], plane: NDArray[Any], *, glow: bool) -> tuple[NDArray[Any], list[_Glyph]]:
    height, width = plane.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(plane, connectivity=8)
    left, top, w, h, area = stats.T
    fill = area / np.maximum(w * h, 1)
    fit = (h >= LEAST_HEIGHT_PX) & (h <= max(24, MOST_HEIGHT_SHARE * height))
    fit &= (w <= 2.5 * h) & (w >= 0.08 * h)
    fit &= (fill > 0.12) & (area >= 10) & ((fill < 0.92) | (w < 0.45 * h))
    fit &= (left > 0) & (top > 0) & (left + w < width) & (top + h < height)
    fit[0] = False
    glyphs = []
    for label in np.flatnonzero(fit)[:4000]:
        box = Box(int(top[label]), int(left[label]), int(top[label] + h[label]), int(left[label] + w[label]))
        own = labels[box.slices] == label
        distance = cv2.distanceTransform(np.pad(own.view(np.uint8), 1), cv2.DIST_L2, 3)
        ridge = distance[distance >= 0.7 * distance.max()]
        stroke = 2 * float(ridge.mean())
        if stroke > 0.45 * box.height:
            continue
        colours = rgb[box.slices][own].astype(np.float32)
        deviation = float(colours.std(axis=0).mean())
        if deviation <= (GLOW_LEVELS if glow else PLAIN_LEVELS):
            glyphs.append(_Glyph(int(label), box, colours.mean(axis=0), deviation, stroke))
    return labels, glyphs


def _rows(glyphs: list[_Glyph], *, date: bool) -> list[list[_Glyph]]:
    """Level runs of glyphs of like height, stroke and colour with letter-like gaps."""
    glyphs = sorted(glyphs, key=lambda glyph: glyph.box.left)
    used: set[int] = set()
    rows = []
    for first in glyphs:
        if first.label in used:
            continue
        row = [first]
        for other in glyphs:
            last = row[-1].box
            if other.label in used or other.box.left <= row[-1].box.left:
                continue
            gap = other.box.left - last.right
            tall = max(first.box.height, max(glyph.box.height for glyph in row))
            if gap > (3.2 if date else 1.6) * tall:
                break
            level = min(abs(other.box.bottom - last.bottom), abs(other.box.bottom - first.box.bottom))
            if (
                gap > -0.2 * tall
                and level <= max(1.0, (0.2 if date else 0.12) * tall)
                and 0.5 <= other.box.height / tall <= 1.6
                and 0.5 <= other.stroke / first.stroke <= 2
                and np.abs(other.colour - first.colour).max() < 40
            ):
                row.append(other)
        if len(row) >= (LEAST_DIGITS if date else LEAST_GLYPHS):
            used.update(glyph.label for glyph in row)
            rows.append(row)
    return rows


def _confidence(rgb: NDArray[Any], labels: NDArray[Any], row: list[_Glyph], *, date: bool) -> float | None:
    """How sure it is that a row was laid over the picture, by hand-set rules; None when it is no text."""
    height = rgb.shape[0]
    box = row[0].box
    for glyph in row[1:]:
        box = box.union(glyph.box)
    bottoms = np.array([glyph.box.bottom for glyph in row], np.float32)
    heights = np.array([glyph.box.height for glyph in row], np.float32)
    tall = float(np.median(heights))
    uneven = float(np.abs(bottoms - np.median(bottoms)).mean()) / tall
    colours = np.stack([glyph.colour for glyph in row])
    colour_spread = float(colours.std(axis=0).max())
    around = box.grown(max(3, round(0.6 * tall)), rgb.shape[:2])
    window = rgb[around.slices].astype(np.float32)
    ink = np.isin(labels[around.slices], [glyph.label for glyph in row])
    # The ground close by, beyond an outline: on a sign it is as plain as the letters are.
    tight = np.zeros_like(ink)
    tight[box.grown(max(2, round(0.15 * tall)), rgb.shape[:2]).inside(around).slices] = True
    gap = 2 * max(2, round(0.15 * tall)) + 1
    ground = tight & (cv2.dilate(ink.view(np.uint8), np.ones((gap, gap), np.uint8)) == 0)
    stray = (labels[around.slices] > 0) & ~ink
    inner = np.zeros_like(ink)
    inner[box.inside(around).slices] = True
    if (stray & ~inner).sum() > MOST_STRAY * ink.sum():
        return None
    if ground.sum() < 20 or box.width < 2.5 * tall:
        return None
    ground_spread = float(window[ground].std(axis=0).mean())
    contrast = float(np.abs(window[ground].mean(axis=0) - colours.mean(axis=0)).max())
    if contrast < 40 or uneven > (0.2 if date else 0.12):
        return None
    purest = colours.mean(axis=0)
    pure = max(np.minimum(purest, 255 - purest).max(), 0.0) < 12  # every channel at an end: chosen, not seen
    score = 0.28 + 0.1 * float(pure)
    score += 0.1 * min(len(row) - LEAST_GLYPHS, 4) / 4
    score += 0.2 * np.clip((ground_spread - 8) / 20, 0, 1)
    score += 0.15 * np.clip(1 - colour_spread / (16 if date else 6), 0, 1)
    score += 0.1 * np.clip(1 - uneven / 0.05, 0, 1)
    outer = box.top > (1 - CORNER_SHARE) * height or box.bottom < CORNER_SHARE * height
    small_text = tall < 0.06 * height
    score += (0.25 if date else 0.15) * float(outer and small_text)
    spans = float(heights.std()) / tall
    score -= 0.3 * np.clip((spans - 0.25) / 0.3, 0, 1)
    # Most rows that are not dates stand on signs in the scene: of those only the plainest case is sure.
    score = score + 0.05 if date else (score - 0.87) / 0.1
    return float(np.clip(score, 0, 0.95))


def _mask(rgb: NDArray[Any], labels: NDArray[Any], row: list[_Glyph]) -> Bool:
    """The row's glyphs with their soft edges and small parts of them (dots, accents) that were left out."""
    box = row[0].box
    for glyph in row[1:]:
        box = box.union(glyph.box)
    tall = float(np.median([glyph.box.height for glyph in row]))
    around = box.grown(max(3, round(0.5 * tall)), rgb.shape[:2])
    colour = np.stack([glyph.colour for glyph in row]).mean(axis=0)
    ink = np.isin(labels[around.slices], [glyph.label for glyph in row])
    inner = np.zeros_like(ink)
    inner[box.inside(around).slices] = True
    window = rgb[around.slices].astype(np.float32)
    like = (np.abs(window - colour).max(axis=2) < 60) & inner
    core = (ink | like).view(np.uint8)
    soft = cv2.dilate(core, np.ones((3, 3), np.uint8))
    # letters are often outlined so that they stand out from anything: then all that is around them is alike
    reach = max(2, round(0.12 * tall))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    ring = (cv2.dilate(core, np.ones((5, 5), np.uint8)) > 0) & (soft == 0)
    if ring.any():
        rim = np.median(window[ring], axis=0)
        alike = np.abs(window - rim).max(axis=2) < 45
        beyond = cv2.dilate(core, disc) == 0
        if alike[ring].mean() > 0.7 and alike[beyond].mean() < 0.4:
            near = (cv2.dilate(core, disc) > 0) & alike
            whole = (near | (soft > 0)).view(np.uint8)
            soft = cv2.bitwise_or(soft, cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    mask = np.zeros(rgb.shape[:2], np.bool_)
    mask[around.slices] = soft > 0
    return mask
