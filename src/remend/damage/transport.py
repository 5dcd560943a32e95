"""Straight scratches from one side of a picture to the other, as rollers and gates of film leave them.

A pixel of such a line may be no brighter than the grain around it; the line as a whole is far above it. So
the picture is averaged along the line, and a path is sought that stays narrower and brighter (or darker) than
both of its sides all the way. Nothing in a scene does that from edge to edge but what was made to: where
there are many at once, it is a curtain or a fence, and none is told of.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float, Region

__all__ = ["transport_scratches"]

BAND_PX, MOST_BANDS = 8, 96  # averaged along the line; how many such stretches at most
WANDER_PX = 9  # from the leftmost to the rightmost of a line
WIDTHS_PX = (1, 2, 3, 5)
GAP_PX = 1  # between a line and what it is compared with, for its soft rim
LEAST_LEVELS, LEAST_SIGMA = 3.0, 1.5
LEAST_SHARE = 0.72  # of the way that must be a line
REACH = 0.85  # of the picture's side from the first to the last of it
MOST = 10  # lines in one direction; more belong to the picture
SHORTEST_PX = 96  # sides below hold too few bands to be sure of anything
UNEVEN = 0.75
MARGIN_PX = 12  # from the picture's own edges


def transport_scratches(image: NDArray[np.uint8]) -> list[Region]:
    """Straight or slightly waving lines that run along the whole picture, upright or level.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8, at the scale of what it shows.

    Returns:
        Regions of kind ``scratch``; the confidence grows with the share of the way that is a line.

    Cost: 15 ms a megapixel.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    found = _upright(np.asarray(grey, np.uint8))
    for region in _upright(np.ascontiguousarray(grey.T)):
        box = Box(region.box.left, region.box.top, region.box.right, region.box.bottom)
        found.append(Region(box, np.ascontiguousarray(region.mask.T), region.kind, region.confidence))
    return found


def _upright(grey: NDArray[np.uint8]) -> list[Region]:
    """Lines from top to bottom."""
    height, width = grey.shape
    if height < SHORTEST_PX or width < SHORTEST_PX // 2:
        return []
    # Along columns the picture is averaged, across them it keeps its sharpness.
    band_px = max(BAND_PX, height // MOST_BANDS)
    bands = height // band_px
    plane = cv2.resize(grey[: bands * band_px], (width, bands), interpolation=cv2.INTER_AREA)
    candidates = []
    for values in (plane.astype(np.float32), 255 - plane.astype(np.float32)):
        hits = np.stack([_stands_out(values, width_px) for width_px in WIDTHS_PX])
        any_width = np.asarray(hits.any(axis=0), np.bool_)
        share, paths = _best_paths(any_width)
        # All of a way, not its end alone, keeps away from the frame.
        share[(paths.min(axis=0) < MARGIN_PX) | (paths.max(axis=0) >= width - MARGIN_PX)] = 0
        for x in np.flatnonzero(share >= LEAST_SHARE):
            path = paths[:, x]
            if np.ptp(path) <= WANDER_PX:
                by_width = hits[:, np.arange(bands), path].mean(axis=1)
                if _unevenness(values, path, WIDTHS_PX[int(by_width.argmax())]) > UNEVEN:
                    continue
                candidates.append((float(share[x]), int(by_width.argmax()), path, any_width))
    candidates.sort(key=lambda one: -one[0])
    found: list[Region] = []
    taken = np.zeros(width, np.bool_)
    for share_of, which, path, any_width in candidates:
        on = np.flatnonzero(any_width[np.arange(bands), path])
        if taken[path].any() or on[-1] - on[0] + 1 < REACH * bands:
            continue
        width_px = WIDTHS_PX[which]
        taken[max(0, path.min() - width_px - 4) : path.max() + width_px + 5] = True
        found.append(_region(path, width_px, band_px, int(on[0]), int(on[-1]), share_of, (height, width)))
        if len(found) > MOST:
            return []
    return found


def _stands_out(values: Float, width_px: int) -> Bool:
    """(bands, W) where a stretch of ``width_px`` around x is brighter than what lies on both sides."""
    middle = cv2.blur(values, (width_px, 1), borderType=cv2.BORDER_REFLECT)
    side = cv2.blur(values, (3, 1), borderType=cv2.BORDER_REFLECT)
    away = (width_px + 1) // 2 + GAP_PX + 1
    left, right = np.roll(side, away, axis=1), np.roll(side, -away, axis=1)
    # What lies on both sides is one thing that goes on under the line: an edge of the scene parts two.
    above = middle - np.maximum(left, right) - np.abs(left - right)
    # What a band's own texture does by chance: a line must stand out from it, too.
    usual = 1.48 * np.median(np.abs(middle - (left + right) / 2), axis=1, keepdims=True)
    return np.asarray(above > np.maximum(LEAST_LEVELS, LEAST_SIGMA * usual), np.bool_)


def _unevenness(values: Float, path: NDArray[np.intp], width_px: int) -> float:
    """How much the contrast of a line changes along the way: its quartiles apart, as a share of the median.

    A scratch lets through the same share of light all along; poles and sills pass from light into shade.
    """
    away = (width_px + 1) // 2 + GAP_PX + 1
    rows = np.arange(len(path))
    sides = [values[rows, np.clip(path + shift, 0, values.shape[1] - 1)] for shift in (-away, away)]
    # A waving line lies between pixels: what is nearest to it counts.
    lines = np.max([values[rows, np.clip(path + k, 0, values.shape[1] - 1)] for k in (-1, 0, 1)], axis=0)
    contrast = lines - (sides[0] + sides[1]) / 2
    low, middle, high = np.quantile(contrast, [0.25, 0.5, 0.75])
    return float((high - low) / max(middle, 1e-3))


def _best_paths(hits: Bool) -> tuple[Float, NDArray[np.intp]]:
    """(W,) the largest share of hits on a way from the top to x at the bottom, (bands, W) the ways.

    From band to band a way moves by one pixel at most (R. Bellman's dynamic programming).
    """
    bands, width = hits.shape
    score = hits[0].astype(np.float32)
    back = np.zeros((bands, width), np.int8)
    for band in range(1, bands):
        padded = np.pad(score, 1, constant_values=-1)
        # Straight on costs nothing, aside a little: a way has no reason to wander.
        steps = np.stack([padded[1:-1], padded[:-2] - 0.25, padded[2:] - 0.25])
        choice = steps.argmax(axis=0)
        back[band] = np.array([0, -1, 1], np.int8)[choice]
        score = steps[choice, np.arange(width)] + hits[band]
    paths = np.empty((bands, width), np.intp)
    paths[-1] = np.arange(width)
    for band in range(bands - 1, 0, -1):
        paths[band - 1] = paths[band] + back[band, paths[band]]
    return np.asarray(score / bands, np.float32), paths


def _region(
    path: NDArray[np.intp],
    width_px: int,
    band_px: int,
    first: int,
    last: int,
    share: float,
    size: tuple[int, int],
) -> Region:
    """A path as a region, in pixels; to the very edge where it comes near."""
    height, width = size
    half = width_px / 2
    top = 0 if first <= 2 else first * band_px
    bottom = height if last >= len(path) - 3 else (last + 1) * band_px
    rows = np.arange(top, bottom)
    centre = np.interp(rows, np.arange(len(path)) * band_px + band_px / 2, path.astype(np.float64))
    left, right = np.floor(centre - half + 0.5).astype(int), np.ceil(centre + half + 0.5).astype(int)
    box = Box(top, max(0, int(left.min())), bottom, min(width, int(right.max())))
    columns = np.arange(box.left, box.right)
    mask = (columns >= left[:, None]) & (columns < right[:, None])
    confidence = float(np.interp(share, [LEAST_SHARE, 0.85, 1.0], [0.6, 0.93, 0.99]))
    return Region(box, np.asarray(mask, np.bool_), "scratch", confidence)
