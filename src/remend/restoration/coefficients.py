"""What a net made of a JPEG, led back to what the file says: between which bounds each coefficient lay.

Quantisation rounds a coefficient to a multiple of its step: so the original's lay within half a step of it.
The net sees pixels and knows no steps. Where its answer lies within these bounds a table says how far it is
right on average, and beyond them it is wrong for certain.

Reference: projection onto the quantisation constraint, Zakhor, "Iterative Procedures for Reduction of
Blocking Effects in Transform Image Coding", IEEE TCSVT 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Coefficients, Float

__all__ = [
    "BUSY",
    "NODES",
    "REACH",
    "ROWS",
    "TABLE",
    "Places",
    "agreeing",
    "blocks_of",
    "places_of",
    "planes_of",
    "within_bounds",
]

TABLE = Path(__file__).with_name("coefficients.npz")
"""What is added to coefficients of luma and chroma, as ``benchmarks/fit_coefficients.py`` learned it."""

REACH = 1.1  # steps from the middle of the interval, where the table begins and ends
NODES = 25  # from one end to the other
GROUPS = np.digitize(np.add.outer(np.arange(8), np.arange(8)).ravel(), [1, 2, 3, 4, 6, 9])  # of frequencies
BUSY = (2, 5, 11)  # coefficients of a block that are not nought: between these bounds it is as busy as others
ROWS = int(GROUPS.max() + 1) * 2 * (len(BUSY) + 1)
AGREED = 3.0  # levels (root mean square) within which a block still shows what the file says
CHUNK = 8192  # blocks at once: some 2 MB an array
_COSINES = np.cos((2 * np.arange(8)[None] + 1) * np.arange(8)[:, None] * np.pi / 16) / 2
_COSINES[0] /= np.sqrt(2)
DCT = np.kron(_COSINES, _COSINES).astype(np.float32)  # (64, 64): blocks in natural order to coefficients


class Places(NamedTuple):
    """Where coefficients lie, (n, 64) each.

    Attributes:
        off: from the middle of the interval, in steps, mirrored so that the original's was away from nought
            or, where the level is nought, so that it is 0 or more.
        mirror: 1 or -1.
        row: of the table.
    """

    off: Float
    mirror: Float
    row: NDArray[np.intp]


def within_bounds(before: NDArray[np.uint8], after: NDArray[np.uint8], known: Sequence[Coefficients]) -> None:
    """Move a restored picture to what its JPEG says, in place.

    Blocks that the picture no longer shows as the file has them, and those cut by its right and lower edge,
    are left alone.

    Args:
        before: (H, W, 1 or 3) uint8, as decoded; stored orientation, as everything here.
        after: the same shape, as a net made it.
        known: of luma, and of both chromas where the file has them.

    Cost: .06 s of a core a megapixel; 35 bytes a pixel.
    """
    tall, wide = (8 * max(of.cell[axis] for of in known) for axis in (0, 1))
    height, width = before.shape[0] // tall * tall, before.shape[1] // wide * wide
    if not height or not width:
        return
    here = np.s_[:height, :width]
    agree = agreeing(planes_of(before[here], known[:1])[0], known[0])
    moved = []
    for plane, of, table in zip(planes_of(after[here], known), known, (0, 1, 1), strict=False):
        fy, fx = of.cell
        rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
        fine = agree.reshape(rows, fy, columns, fx).all(axis=(1, 3))
        change = _change(plane, of, _table()[table]) * np.repeat(np.repeat(fine, 8, axis=0), 8, axis=1)
        if of.cell != (1, 1):
            change = np.asarray(
                cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
            )
        moved.append(change)
    luma = moved[0]
    if len(moved) == 1:
        added = [luma] * after.shape[2]
    else:
        blue, red = moved[1:]
        added = [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue]
    for channel, change in enumerate(added):
        samples = after[..., channel][here]
        samples[...] = np.clip(np.rint(samples + change), 0, 255)


def planes_of(image: NDArray[np.uint8], known: Sequence[Coefficients]) -> list[Float]:
    """(H, W) luma and, at their own size, chromas of (H, W, 1 or 3) uint8, whole blocks; 0 is the middle."""
    if image.shape[2] == 1:
        return [image[..., 0].astype(np.float32) - 128]
    red, green, blue = (image[..., k].astype(np.float32) for k in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = [luma - 128]
    for colour, scale, of in zip((blue, red), (1.772, 1.402), known[1:], strict=False):
        (fy, fx), chroma = of.cell, (colour - luma) / np.float32(scale)
        size = chroma.shape[1] // fx, chroma.shape[0] // fy
        planes.append(chroma if of.cell == (1, 1) else cv2.resize(chroma, size, interpolation=cv2.INTER_AREA))
    return planes


def agreeing(luma: Float, known: Coefficients) -> Bool:
    """(rows, columns) of blocks: does the picture still show what the file says of it?"""
    rows, columns = luma.shape[0] // 8, luma.shape[1] // 8
    fine = np.empty(rows * columns, bool)
    blocks, levels = blocks_of(luma), _levels(known, rows, columns)
    for part in _parts(len(blocks)):
        told = np.clip((levels[part] * known.steps) @ DCT, -128, 127)
        fine[part] = np.square(told - blocks[part]).mean(axis=1) < AGREED**2
    return fine.reshape(rows, columns)


def places_of(blocks: Float, levels: NDArray[np.int16], steps: Float) -> Places:
    """Where the coefficients of (n, 64) pixels lie within their intervals."""
    off = (blocks @ DCT.T) / steps - levels
    busy = np.digitize(np.count_nonzero(levels, axis=1), BUSY)[:, None]
    mirror = np.where(levels == 0, np.where(off < 0, -1, 1), np.sign(levels)).astype(np.float32)
    row = (GROUPS * 2 + (levels != 0)) * (len(BUSY) + 1) + busy
    return Places(off * mirror, mirror, row)


def _change(plane: Float, known: Coefficients, table: Float) -> Float:
    """(H, W) what is to be added to a plane."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    blocks, levels = blocks_of(plane), _levels(known, rows, columns)
    for part in _parts(len(blocks)):
        off, mirror, row = places_of(blocks[part], levels[part], known.steps)
        inside = np.clip(off, -0.5, 0.5)
        at = np.clip((off + REACH) * ((NODES - 1) / (2 * REACH)), 0, NODES - 1 - 1e-3)
        node = at.astype(np.intp)
        share = at - node
        node += row * NODES
        inside += table[node] * (1 - share) + table[node + 1] * share
        blocks[part] = ((np.clip(inside, -0.5, 0.5) - off) * mirror * known.steps) @ DCT
    return blocks.reshape(rows, columns, 8, 8).swapaxes(1, 2).reshape(plane.shape)


def blocks_of(plane: Float) -> Float:
    """(n, 64) of a plane, row by row; a copy."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    return np.array(plane.reshape(rows, 8, columns, 8).swapaxes(1, 2), np.float32).reshape(-1, 64)


def _levels(known: Coefficients, rows: int, columns: int) -> NDArray[np.int16]:
    return known.levels[:rows, :columns].reshape(-1, 64)


def _parts(count: int) -> list[slice]:
    return [slice(first, first + CHUNK) for first in range(0, count, CHUNK)]


@lru_cache(maxsize=1)
def _table() -> Float:
    """(2, ROWS · NODES)."""
    with np.load(TABLE, allow_pickle=False) as file:
        return np.asarray(file["added"], np.float32).reshape(2, ROWS * NODES)
