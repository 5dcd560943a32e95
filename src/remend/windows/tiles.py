"""Tiles: a grid fixed to the picture for thin damage; boxes that overlap for windows too large at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float
from remend.windows.window import Window

__all__ = ["CONTEXT_PX", "GUARD_PX", "TILE_PX", "Tiles", "blended", "cover", "grid_of", "tiles_of"]

TILE_PX = 32  # thin damage is filled tile by tile: a scratch across the frame needs no frame-sized window
GUARD_PX = 2  # the reach of the plate's stencil
TILES_AT_ONCE = 256
CONTEXT_PX = 64  # what lies further away hardly changes a net's fill
BUCKET_PX = 64  # covering tiles come in few sizes: a net's runtime plans its memory once a size


@dataclass(frozen=True, slots=True)
class Tiles:
    """Squares of a grid that is fixed to the picture.

    Attributes:
        corners: (k, 2) top and left of each tile, multiples of ``side_px``.
        holes: (k, side_px, side_px) bool, what to fill in each; False outside the picture.
        side_px: of a tile.
        margin_px: of known pixels around it that the filler wants to see.
    """

    corners: NDArray[np.intp]
    holes: Bool
    side_px: int
    margin_px: int

    def around(self, size: tuple[int, int], *, wraps_x: bool = False) -> Box:
        """The box of all of them in a picture of ``size`` (height, width); in one that wraps as they lie."""
        (top, left), (bottom, right) = self.corners.min(axis=0), self.corners.max(axis=0) + self.side_px
        right = int(right) if wraps_x else min(int(right), size[1])
        return Box(int(top), int(left), min(int(bottom), size[0]), right)

    def pieces(self, within: Box) -> Iterator[tuple[Box, Bool]]:
        """Each tile's box, cut at ``within``, with its hole."""
        for (top, left), hole in zip(self.corners.tolist(), self.holes, strict=True):
            bottom, right = min(top + self.side_px, within.bottom), min(left + self.side_px, within.right)
            box = Box(top, left, bottom, right)
            yield box, hole[: box.height, : box.width]


def grid_of(box: Box) -> Box:
    """The smallest box of whole tiles that holds ``box``; it may reach beyond the picture."""
    bottom, right = -(-box.bottom // TILE_PX) * TILE_PX, -(-box.right // TILE_PX) * TILE_PX
    return Box(box.top // TILE_PX * TILE_PX, box.left // TILE_PX * TILE_PX, bottom, right)


def tiles_of(hole: Bool, grid: Box, *, margin_px: int, mosaic_px: int | None) -> Iterator[Tiles]:
    """The tiles that hold something to fill, in lots that are laid side by side.

    Args:
        hole: (h, w) bool, what to fill within ``grid``.
        grid: what ``grid_of`` made.
        margin_px: of known pixels around each.
        mosaic_px: longest side of a lot that is laid side by side; None = any.
    """
    down, across = grid.height // TILE_PX, grid.width // TILE_PX
    blocks = hole.reshape(down, TILE_PX, across, TILE_PX).transpose(0, 2, 1, 3)
    places = np.argwhere(blocks.any(axis=(2, 3)))
    count = TILES_AT_ONCE
    if mosaic_px is not None:
        count = min(count, max(1, mosaic_px // (TILE_PX + 2 * (margin_px + GUARD_PX))) ** 2)
    for start in range(0, len(places), count):
        part = places[start : start + count]
        corners = part * TILE_PX + np.array([grid.top, grid.left])
        yield Tiles(corners, blocks[part[:, 0], part[:, 1]], TILE_PX, margin_px)


def cover(hole: Bool, side_px: int) -> Iterator[Box]:
    """Boxes of at most ``side_px`` that cover the hole, each with context around its part.

    Their cores are a grid over the hole's box; cores without any are left out, the others are trimmed to
    what they hold.
    """
    whole = Box.around(hole)
    if whole is None:
        return
    size = hole.shape
    if max(whole.grown(CONTEXT_PX, size).height, whole.grown(CONTEXT_PX, size).width) <= side_px:
        yield _bucketed(whole.grown(CONTEXT_PX, size), side_px, size)
        return
    core = max(side_px - 2 * CONTEXT_PX, CONTEXT_PX)
    for top in range(whole.top, whole.bottom, core):
        for left in range(whole.left, whole.right, core):
            bottom, right = min(top + core, whole.bottom), min(left + core, whole.right)
            inner = Box.around(hole[top:bottom, left:right])
            if inner is not None:
                held = Box(top + inner.top, left + inner.left, top + inner.bottom, left + inner.right)
                yield _bucketed(held.grown(CONTEXT_PX, size), side_px, size)


def blended(window: Window, side_px: int, fill: Callable[[Box], Float]) -> Float:
    """A window filled tile by tile, the tiles blended where they overlap.

    Args:
        window: what is to be filled.
        side_px: longest side of a tile.
        fill: answers (h, w, 3) float32 for a tile, given as a box in the window.

    Returns:
        (h, w, 3) float32: the window's own pixels where there is no tile.
    """
    tiles = list(cover(window.hole, side_px))
    if len(tiles) == 1:
        filled = window.pixels.copy()
        filled[tiles[0].slices] = fill(tiles[0])
        return filled
    total = np.zeros(window.pixels.shape, np.float32)
    weight = np.zeros((*window.hole.shape, 1), np.float32)
    for tile in tiles:
        ramp = _ramp(tile, window.hole.shape)
        total[tile.slices] += fill(tile) * ramp
        weight[tile.slices] += ramp
    return np.where(weight > 0, total / np.maximum(weight, 1e-6), window.pixels).astype(np.float32)


def _bucketed(box: Box, side_px: int, size: tuple[int, ...]) -> Box:
    """``box`` grown to sides from a short list, where the frame has room."""

    def wider(low: int, high: int, limit: int) -> tuple[int, int]:
        wanted = min(-(-(high - low) // BUCKET_PX) * BUCKET_PX, max(side_px, high - low), limit)
        low = max(0, min(low - (wanted - (high - low)) // 2, limit - wanted))
        return low, low + wanted

    top, bottom = wider(box.top, box.bottom, size[0])
    left, right = wider(box.left, box.right, size[1])
    return Box(top, left, bottom, right)


def _ramp(tile: Box, size: tuple[int, ...]) -> Float:
    """(h, w, 1) weights that fall to nearly 0 along the tile's edges, but not where the frame ends."""

    def side(low: int, high: int, limit: int) -> Float:
        at = np.arange(high - low, dtype=np.float32) + np.float32(0.5)
        rise = at if low > 0 else np.full_like(at, CONTEXT_PX)
        fall = at[::-1] if high < limit else np.full_like(at, CONTEXT_PX)
        return np.minimum(np.minimum(rise, fall) / np.float32(CONTEXT_PX), 1)

    rows, columns = side(tile.top, tile.bottom, size[0]), side(tile.left, tile.right, size[1])
    return (rows[:, None] * columns[None, :])[..., None]
