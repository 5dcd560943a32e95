"""Many small windows as one: thin damage across a large frame in a few calls of its filler.

A hundred scratches touch a few per cent of a frame, and a filler called on each little window spends
its time on being called. Tiles of a fixed grid, each with a margin, are cut out and laid side by side;
what comes back is pasted tile by tile. Margins are mirrored once more at their edge, which is the
boundary condition that smooth fillers use at a picture's border, so that neighbours do not mix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Picture
from remend.windows.tiles import GUARD_PX, Tiles

__all__ = ["Mosaic", "cut"]


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Tiles side by side.

    Attributes:
        picture: of the same mode and type as the one that was cut; a copy.
        pending: (H, W) bool, pixels of the mosaic that may not be read.
        hole: (H, W) bool, what to fill and to paste back.
        rows, columns: (k, c) where each cell's rows and columns lie in the picture.
        cells: (k, 2) top and left of each cell in the mosaic.
        inner: where the tile lies in its cell.
    """

    picture: Picture
    pending: Bool
    hole: Bool
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    cells: NDArray[np.intp]
    inner: slice

    def lay(self, plane: Bool) -> Bool:
        """What else is known of the picture's pixels, (H, W), laid side by side as the picture was."""
        laid = np.zeros(self.hole.shape, bool)
        size = self.rows.shape[1]
        for k, (top, left) in enumerate(self.cells):
            laid[top : top + size, left : left + size] = plane[np.ix_(self.rows[k], self.columns[k])]
        return laid

    def paste(self, target: Picture, pending: Bool) -> None:
        """Write the filled tiles back, hole pixels only, and mark them as done."""
        side = self.inner.stop - self.inner.start
        for k, (top, left) in enumerate(self.cells + self.inner.start):
            here = slice(top, top + side), slice(left, left + side)
            y, x = np.nonzero(self.hole[here])
            to_y, to_x = self.rows[k, self.inner][y], self.columns[k, self.inner][x]
            target.samples[to_y, to_x] = self.picture.samples[here][y, x]
            pending[to_y, to_x] = False


def cut(picture: Picture, pending: Bool, tiles: Tiles) -> Mosaic:
    """Lay the tiles of a picture side by side.

    Args:
        picture: where to cut.
        pending: (H, W) bool, pixels that may not be read.
        tiles: which.

    Cost: 20 ns a pixel of the mosaic.
    """
    count, side, margin = len(tiles.corners), tiles.side_px, tiles.margin_px
    within = np.pad(np.arange(side + 2 * margin), GUARD_PX, mode="symmetric") - margin
    rows = mirrored(tiles.corners[:, :1] + within, picture.height)
    columns = tiles.corners[:, 1:] + within
    columns = columns % picture.width if picture.wraps_x else mirrored(columns, picture.width)
    cell, inner = len(within), slice(margin + GUARD_PX, margin + GUARD_PX + side)
    across = ceil(sqrt(count))
    down = ceil(count / across)
    cells = np.stack(np.divmod(np.arange(count), across), axis=1) * cell
    samples = np.zeros((down * cell, across * cell, picture.samples.shape[2]), picture.samples.dtype)
    waiting = np.ones(samples.shape[:2], bool)
    hole = np.zeros(samples.shape[:2], bool)
    for k, (top, left) in enumerate(cells):
        here = slice(top, top + cell), slice(left, left + cell)
        index: tuple[Any, ...] = np.ix_(rows[k], columns[k])
        samples[here] = picture.samples[index]
        waiting[here] = pending[index]
        hole[here][inner, inner] = tiles.holes[k]
    made = replace(picture, samples=samples, projection="flat")
    # A tile at the picture's far border is mirrored there: only pixels of the picture count.
    return Mosaic(made, waiting, hole & waiting, rows, columns, cells, inner)


def mirrored(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Indices beyond the ends as seen in a mirror at the border, as often as needed.

    >>> mirrored(np.array([-2, -1, 0, 3, 4, 5]), 4).tolist()
    [1, 0, 0, 3, 3, 2]
    """
    folded = index % (2 * length)
    return np.where(folded < length, folded, 2 * length - 1 - folded)
