"""Two-sided oriented ridges: how much a thin line stands out from **both** of its sides.

A scratch is a ridge, an object's outline a step. For each of 12 directions the picture is averaged along
eight pixels; the response is the average minus the *brighter* of the two averages a few pixels to either
side, so that a step answers nothing; and the weaker of two such answers, one after the other along the line,
is kept, so that a lone speck answers nothing. Dark lines are found with the same sums, turned round.

After the directional detectors of film-scratch work (A. Kokaram, *Motion Picture Restoration*, 1998) and the
minimum-of-two-sides line operator of aerial road finding (M. Fischler et al., *Detection of Roads and Linear
Structures*, CGIP 15, 1981).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "Ridges", "oriented_ridges"]

DIRECTIONS = 12
"""Directions that are tried, evenly spaced over 180 degrees."""

HALO_PX = 16  # a response reads 8 px along the line and 3 across it
BLOCK_PX = 384  # a block's buffers stay in the processor's cache: three times as fast as whole frames
SIDES_PX = (2, 3)  # distance of the sides from the line: lines up to 2 and 4 px wide
SUM = 8  # pixels averaged along the line

Short = NDArray[np.int16]
Grey = NDArray[Any]  # uint8, which the stubs of cv2 cannot promise


class Ridges(NamedTuple):
    """Responses of one polarity: both maps have the picture's size.

    Attributes:
        strength: (H, W) uint8, grey levels by which the line differs from the nearer of its sides.
        direction: (H, W) uint8, index of the strongest direction, 0 = along x, anticlockwise on screen.
    """

    strength: Grey
    direction: Grey


def oriented_ridges(grey: Grey) -> tuple[Ridges, Ridges]:
    """Bright and dark ridges of a grey picture, one to four pixels wide.

    For wider lines call it with the picture shrunk by area averaging.

    Args:
        grey: (H, W) uint8.

    Returns:
        (bright, dark).

    Cost: about 0.1 s a megapixel on one core; 4 bytes a pixel beside the result.
    """
    height, width = grey.shape
    padded = cv2.copyMakeBorder(grey, HALO_PX, HALO_PX, HALO_PX, HALO_PX, cv2.BORDER_REPLICATE)
    codes = np.zeros((2, height, width), np.int16)
    for top in range(0, height, BLOCK_PX):
        for left in range(0, width, BLOCK_PX):
            bottom, right = min(top + BLOCK_PX, height), min(left + BLOCK_PX, width)
            block = padded[top : bottom + 2 * HALO_PX, left : right + 2 * HALO_PX]
            codes[:, top:bottom, left:right] = _block(block)
    strength = (codes >> 4) // SUM
    direction = codes & 15
    bright, dark = (Ridges(strength[k].astype(np.uint8), direction[k].astype(np.uint8)) for k in (0, 1))
    return bright, dark


def _block(block: Grey) -> Short:
    """(2, h, w): response × 16 + direction, bright then dark, of a block with its halo.

    The block is one flat run of pixels, so that a shift by (dx, dy) is one offset; what wraps round at the
    sides falls into the halo.
    """
    rows, columns = block.shape
    flat = block.astype(np.int16).ravel()
    size = flat.size
    best = np.zeros((2, size), np.int16)
    one, two, low, high = (np.empty(size, np.int16) for _ in range(4))
    ridge = np.empty((2, size), np.int16)
    for index in range(DIRECTIONS):
        angle = math.pi * index / DIRECTIONS
        ux, uy = math.cos(angle), -math.sin(angle)

        def step(along: float, across: float, ux: float = ux, uy: float = uy) -> int:
            x, y = round(along * ux - across * uy), round(along * uy + across * ux)
            return int(y * columns + x)

        _shift_add(flat, step(1, 0), one)
        _shift_add(one, step(2, 0), two)
        _shift_add(two, step(4, 0), one)  # one[p] = sum of eight pixels from p on along the line
        ridge.fill(-1)
        for side in SIDES_PX:
            offset = abs(step(0, side))
            middle = one[offset : size - offset]
            left, right = one[: size - 2 * offset], one[2 * offset :]
            lo, hi = low[offset : size - offset], high[offset : size - offset]
            np.maximum(left, right, out=hi)
            np.subtract(middle, hi, out=hi)
            np.minimum(left, right, out=lo)
            np.subtract(lo, middle, out=lo)
            inner = ridge[:, offset : size - offset]
            np.maximum(inner[0], hi, out=inner[0])
            np.maximum(inner[1], lo, out=inner[1])
        # two sums that meet at the pixel: the line must be there before it and after it
        before, after = step(-7.5, 0), step(0.5, 0)
        first, last = max(0, -before, -after), size - max(0, before, after)
        for polarity in (0, 1):
            source = ridge[polarity]
            meet = low[first:last]
            np.minimum(source[first + before : last + before], source[first + after : last + after], out=meet)
            np.left_shift(meet, 4, out=meet)
            np.bitwise_or(meet, index, out=meet)
            target = best[polarity, first:last]
            np.maximum(target, meet, out=target)
    return best.reshape(2, rows, columns)[:, HALO_PX : rows - HALO_PX, HALO_PX : columns - HALO_PX]


def _shift_add(source: Short, offset: int, out: Short) -> None:
    """out[p] = source[p] + source[p + offset] where both are there."""
    size = source.size
    if offset >= 0:
        np.add(source[: size - offset], source[offset:], out=out[: size - offset])
    else:
        np.add(source[-offset:], source[:offset], out=out[-offset:])
