"""What of a picture is looked at: probes at its own resolution, a reduced copy, and parts of both."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Float

__all__ = ["LONG_PX", "PROBE_ROWS", "Grey", "blocks_of", "grey_of", "inner", "looked_at"]

LONG_PX = 512  # longest side of the largest reduced copy
PROBE_PX, PROBE_ROWS, PROBE_COLUMNS = 128, 3, 4
LEAST_PX = 48  # smaller pictures are continued by their mirror image
BLOCK_PX = 16
EDGE_PX = 4  # pixels at a probe's rim that see its neighbour

Grey = NDArray[np.uint8]


def looked_at(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The probes of a picture, side by side in one, and its copy reduced to ``LONG_PX``.

    Args:
        image: (H, W) or (H, W, 3) uint8.
    """
    if min(image.shape[:2]) < LEAST_PX:
        pad = [(0, max(0, LEAST_PX - side)) for side in image.shape[:2]]
        image = np.pad(image, [*pad, *[(0, 0)] * (image.ndim - 2)], mode="symmetric")
    return _probes(image), _reduced(image, LONG_PX)


def _reduced(image: NDArray[np.uint8], long_px: int) -> NDArray[np.uint8]:
    """A copy whose long side is at most ``long_px``; halvings first, which are quick."""
    while max(image.shape[:2]) >= 4 * long_px:
        half = (max(1, image.shape[1] // 2), max(1, image.shape[0] // 2))
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    factor = long_px / max(image.shape[:2])
    if factor < 1:
        size = [max(24, round(side * factor)) for side in image.shape[:2]]
        image = np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
    return image


def _probes(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Squares of the picture at its own resolution, spread evenly, laid side by side in rows."""
    height, width = image.shape[:2]
    tile = min(PROBE_PX, height, width) // BLOCK_PX * BLOCK_PX
    rows = np.linspace(0, height - tile, PROBE_ROWS + 2).astype(int)[1:-1]
    columns = np.linspace(0, width - tile, PROBE_COLUMNS + 2).astype(int)[1:-1]
    parts = [[image[y : y + tile, x : x + tile] for x in columns] for y in rows]
    return np.concatenate([np.concatenate(row, axis=1) for row in parts])


def grey_of(image: NDArray[np.uint8]) -> Grey:
    """(H, W) grey of a picture that may be grey already."""
    if image.ndim == 2:
        return np.ascontiguousarray(image)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)


def inner(plane: NDArray[Any], tile: int) -> NDArray[Any]:
    """Values of ``plane`` away from the rims of its tiles (or of itself, with ``tile`` 0), flat."""
    if not tile:
        return plane[1:-1, 1:-1].ravel()
    rows, columns = plane.shape[0] // tile, plane.shape[1] // tile
    tiles = plane[: rows * tile, : columns * tile].reshape(rows, tile, columns, tile)
    return tiles[:, EDGE_PX:-EDGE_PX, :, EDGE_PX:-EDGE_PX].ravel()


def blocks_of(plane: NDArray[Any]) -> Float:
    """(n, pixels) blocks of ``BLOCK_PX``; probes are whole numbers of them."""
    rows, columns = plane.shape[0] // BLOCK_PX, plane.shape[1] // BLOCK_PX
    cut = plane[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, -1)
