"""A print cut out of a scan and set straight: resampled once, or not at all where it lies straight."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Picture
from remend.samples import expand_palette
from remend.scans.prints import Print

__all__ = ["cut_print"]

TILE_PX = 1024  # OpenCV's maps hold no more than 32 767 px a side
REACH_PX = 8  # of Lanczos' window of 8, and of rounding
STRAIGHT_PX = 0.5  # a tilt that moves no corner further needs no resampling
CHANNELS_AT_ONCE = 4


def cut_print(
    picture: Picture,
    found: Print,
    *,
    inset_px: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    bed_xy: tuple[int, int] | None = None,
) -> Picture:
    """One print as a picture of its own: native samples, all channels, the source's container.

    Args:
        picture: the scan; it is not changed. A palette becomes RGB.
        found: where the print lies.
        inset_px: how much is left out at the top, right, bottom and left.
        bed_xy: a pixel of the bed, whose value stands where the print reaches beyond the scan; None = black.

    Cost: Lanczos over 8 × 8 px, a copy of what is cut out, and a tile.
    """
    flat = expand_palette(picture)
    high, wide = found.size
    top, right, bottom, left = inset_px
    columns, rows = max(1, round(wide - left - right)), max(1, round(high - top - bottom))
    turn = math.radians(found.tilt_deg)
    over = np.array([math.cos(turn), math.sin(turn)])
    down = np.array([-math.sin(turn), math.cos(turn)])
    # Rounding is shared out to both sides.
    start = (
        found.corners[0]
        + over * (left + (wide - left - right - columns) / 2)
        + down * (top + (high - top - bottom - rows) / 2)
    )
    whole = np.rint(start).astype(int)
    inside = (whole >= 0).all() and whole[0] + columns <= flat.width and whole[1] + rows <= flat.height
    if inside and abs(math.sin(turn)) * max(columns, rows) / 2 < STRAIGHT_PX:
        samples = flat.samples[whole[1] : whole[1] + rows, whole[0] : whole[0] + columns].copy()
    else:
        ground = np.zeros(flat.samples.shape[2]) if bed_xy is None else _ground(flat, bed_xy)
        samples = _turned(flat.samples, start, over, down, (rows, columns), ground)
    container = flat.container
    if container is not None and container.missing is not None:
        container = replace(container, missing=None)
    return Picture(samples, flat.mode, None, container, flat.channels)


def _turned(
    samples: NDArray[np.generic],
    start: NDArray[np.float64],
    over: NDArray[np.float64],
    down: NDArray[np.float64],
    size: tuple[int, int],
    ground: NDArray[np.float64],
) -> NDArray[np.generic]:
    """The rectangle of ``size`` that begins at ``start``, corners of pixels, along two directions."""
    height, width, count = samples.shape
    out = np.empty((*size, count), samples.dtype)
    for top in range(0, size[0], TILE_PX):
        for left in range(0, size[1], TILE_PX):
            rows, columns = min(TILE_PX, size[0] - top), min(TILE_PX, size[1] - left)
            # From middles of pixels to middles of pixels.
            origin = start + over * (left + 0.5) + down * (top + 0.5) - 0.5
            ends = np.array([origin + over * x + down * y for x in (0, columns - 1) for y in (0, rows - 1)])
            low = np.floor(ends.min(axis=0)).astype(int) - REACH_PX
            high = np.ceil(ends.max(axis=0)).astype(int) + REACH_PX + 1
            low, high = np.clip(low, 0, (width - 1, height - 1)), np.clip(high, 1, (width, height))
            part = samples[low[1] : high[1], low[0] : high[0]]
            matrix = np.column_stack([over, down, origin - low])
            for first in range(0, count, CHANNELS_AT_ONCE):
                chosen = slice(first, min(first + CHANNELS_AT_ONCE, count))
                moved = cv2.warpAffine(
                    np.ascontiguousarray(part[..., chosen]),
                    matrix,
                    (columns, rows),
                    flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
                    borderMode=cv2.BORDER_CONSTANT,
                    borderValue=[float(one) for one in ground[chosen]],
                )
                out[top : top + rows, left : left + columns, chosen] = moved.reshape(rows, columns, -1)
    return out


def _ground(picture: Picture, at: tuple[int, int]) -> NDArray[np.float64]:
    """The bed's value in each channel."""
    near = picture.samples[max(0, at[1] - 2) : at[1] + 3, max(0, at[0] - 2) : at[0] + 3]
    return np.asarray(np.median(near.reshape(-1, near.shape[2]).astype(np.float64), axis=0))
