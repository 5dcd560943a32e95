"""From a line of text to the pixels of its letters, with outline, shadow, glow and the plate behind them.

Strokes are thinner than a line is tall, so a top-hat (J. Serra, *Image Analysis and Mathematical Morphology*,
1982) finds their cores; each pixel is then asked how far it lies on the way from the ground's colour to the
letters' colour nearby, as in matting. How far outlines and glows reach is measured, for the whole line, as
the distance from the cores at which the picture is its own again.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float

__all__ = ["Strokes", "strokes_of"]

TALL_PX = 72.0  # larger lines are searched shrunk
STROKE_SHARE = 0.36  # of a line's height: no stroke is thicker
REACH_SHARE, LEAST_REACH_PX = 0.3, 4  # outlines and glows end so far from a stroke
HALFWAY = 0.45  # from ground to ink: core
OVER_SHARE, INSIDE_SHARE = 0.25, 0.6  # letters may stick out of the line's shape so far, and by so much
LEAST_SOFT_PX = 1.5
BEYOND_SHARE = 0.65
SOFT_LEVELS, SOFT_SHARE = (
    5.0,
    0.04,
)  # a ring around the letters so far off the ground, in levels and of their contrast, is theirs
FLAT_LEVELS = 3.5  # deviation of a plate's colour


@dataclass(frozen=True, slots=True)
class Strokes:
    """The letters of a line.

    Attributes:
        box: of the mask.
        mask: (box.height, box.width) bool.
        spread: deviation of the cores' colour, in levels: near 0 where letters were written by a machine.
        contrast: levels between letters and ground, of the channel that has most.
    """

    box: Box
    mask: Bool
    spread: float
    contrast: float


def strokes_of(rgb: NDArray[np.uint8], box: Box, shape: Bool) -> Strokes | None:
    """The letters inside a line's shape; None where nothing stands out from its ground.

    Args:
        rgb: (H, W, 3) uint8, the picture.
        box: around the line.
        shape: (box.height, box.width) bool, the line with its ascenders.

    Cost: 2 µs a pixel of the box, and never more than for a line 72 px tall.
    """
    size = (rgb.shape[0], rgb.shape[1])
    tall = _tall(shape)
    factor = max(1.0, tall / TALL_PX)
    around = box.grown(round(max(6.0, 0.6 * tall)), size)
    inner: NDArray[np.uint8] = np.zeros((around.height, around.width), np.uint8)
    inner[box.inside(around).slices] = shape
    window = rgb[around.slices]
    if factor > 1:
        small = (max(1, round(around.width / factor)), max(1, round(around.height / factor)))
        window = np.asarray(cv2.resize(window, small, interpolation=cv2.INTER_AREA), np.uint8)
        inner = np.asarray(cv2.resize(inner, small, interpolation=cv2.INTER_NEAREST), np.uint8)
    found = _letters(window.astype(np.float32), inner > 0, tall / factor)
    if found is None:
        return None
    mask, spread, contrast = found
    if factor > 1:
        whole = cv2.resize(
            mask.view(np.uint8) * np.uint8(255), (around.width, around.height), interpolation=cv2.INTER_LINEAR
        )
        mask = whole >= 64
    tight = Box.around(mask)
    if tight is None:
        return None
    at = Box(
        around.top + tight.top, around.left + tight.left, around.top + tight.bottom, around.left + tight.right
    )
    return Strokes(at, np.ascontiguousarray(mask[tight.slices]), spread, contrast)


def _tall(shape: Bool) -> float:
    """How tall a line is, curved or not."""
    return 2 * float(cv2.distanceTransform(np.pad(shape.view(np.uint8), 1), cv2.DIST_L2, 3).max())


def _letters(window: Float, inner: Bool, tall: float) -> tuple[Bool, float, float] | None:
    found = [_core(window, inner, tall, bright=bright) for bright in (True, False)]
    tries = [one for one in found if one is not None]
    if not tries:
        return None
    best = max(tries, key=lambda one: one.merit)
    spread = float(np.sqrt(((window - best.ink)[best.core] ** 2).mean()))
    contrast = float(np.abs((best.ink - best.ground)[best.core]).mean(axis=0).max())
    return _with_reach(window, best, tall, contrast), spread, contrast


@dataclass(frozen=True, slots=True)
class _Core:
    core: Bool  # of the line's letters
    like: Bool  # all around that has their colour, other lines too
    ink: Float  # (h, w, 3), their colour nearby
    ground: Float  # (h, w, 3), that of what they stand on
    merit: float


def _core(window: Float, inner: Bool, tall: float, *, bright: bool) -> _Core | None:
    """Letters that are brighter than their ground, or darker."""
    side = max(3, round(STROKE_SHARE * tall)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.GaussianBlur(window, (0, 0), 0.6)
    how = cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT
    heights = cv2.morphologyEx(smooth, how, kernel).max(axis=2)
    inside = heights[inner]
    strong = float(np.percentile(inside, 92))
    if strong < 12:
        return None
    wide = cv2.dilate(inner.view(np.uint8), _disc(round(OVER_SHARE * tall))) > 0
    like = core = (heights > 0.55 * strong) & inner
    near = max(5.0, tall)
    ink = ground = window
    contrast = 0.0
    for _ in range(3):
        if core.sum() < 6:
            return None
        apart = cv2.dilate(core.view(np.uint8), np.ones((5, 5), np.uint8)) == 0
        if apart.sum() < 6:
            return None
        ink, ground = _local_mean(window, core, 2 * near), _local_mean(window, apart, near)
        way = ink - ground
        length = (way**2).sum(axis=2)
        position = ((window - ground) * way).sum(axis=2) / np.maximum(length, 1)
        off = np.sqrt(((window - ink) ** 2).sum(axis=2))
        like = (position > HALFWAY) & (off < 0.6 * np.sqrt(length) + 10) & (length > 15**2)
        core = inner & like
        contrast = float(np.sqrt(np.median(length[inner])))
    share = core.sum() / max(1, inner.sum())
    if core.sum() < 6:
        return None
    # Letters are of one colour, far from the ground's, and cover a part of the line.
    merit = contrast * float(np.clip(share / 0.08, 0, 1)) * float(np.clip((0.75 - share) / 0.25, 0, 1))
    return _Core(_whole(like & wide, inner), like, ink, ground, merit)


def _whole(like: Bool, inner: Bool) -> Bool:
    """What lies in the line, and what sticks out of it of pieces that lie in it for the most part."""
    _, labels = cv2.connectedComponents(like.view(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel())
    inside = np.bincount(labels[inner], minlength=sizes.size)
    kept = inside > INSIDE_SHARE * sizes
    kept[0] = False
    return np.asarray(kept[labels] | (like & inner))


def _disc(radius_px: int) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1)), np.uint8
    )


def _local_mean(window: Float, where: Bool, reach_px: float) -> Float:
    """Of the pixels ``where`` about so far from each pixel; two box filters, as cheap at any reach."""
    side = (max(3, round(reach_px)) | 1, max(3, round(reach_px)) | 1)
    weight = where.astype(np.float32) + np.float32(1e-5)
    colour = cv2.blur(cv2.blur(window * weight[..., None], side), side)
    return np.asarray(colour / cv2.blur(cv2.blur(weight, side), side)[..., None], np.float32)


def _with_reach(window: Float, found: _Core, tall: float, contrast: float) -> Bool:
    """The cores, widened to where the picture is its own again."""
    most = max(LEAST_REACH_PX, round(REACH_SHARE * tall))
    distance = cv2.distanceTransform(1 - found.core.view(np.uint8), cv2.DIST_L2, 5)
    other = cv2.dilate((found.like & ~found.core).view(np.uint8), _disc(LEAST_REACH_PX)) > 0
    far = (distance > most) & ~other
    if far.sum() < 20:
        return np.asarray(distance <= 2)
    rest = window - _local_mean(window, far, max(5.0, 0.8 * tall))
    # Between letters the ground is not quite what it is around them: off from there, not from 0.
    beyond = rest[(distance > BEYOND_SHARE * most) & (distance <= most + 3) & ~other]
    own = np.median(beyond, axis=0) if len(beyond) else np.zeros(3, np.float32)
    if np.abs(own).max() > BEYOND_SHARE * contrast:
        own[:] = 0
    noise = 1.48 * float(np.median(np.abs(rest[far])))
    reach = LEAST_SOFT_PX
    for ring in range(1, most + 1):
        there = rest[(distance > ring - 0.5) & (distance <= ring + 0.5) & ~other]
        if len(there) < 8:
            break
        off = float(np.abs(np.median(there, axis=0) - own).max())
        if off < max(SOFT_LEVELS, SOFT_SHARE * contrast) + 3 * noise / np.sqrt(len(there) / 6):
            break
        reach = ring + 0.5
    return np.asarray(distance <= reach)
