"""From confidence maps to regions that a user can keep or throw away."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Box, DamageKind, Region

__all__ = ["regions_of"]


def regions_of(confidence: NDArray[np.uint8], kind: DamageKind, *, cell_px: int) -> list[Region]:
    """One region for everything that lies in touching cells of a grid.

    Args:
        confidence: (H, W) uint8, 0 where there is no damage, 255 = sure.
        kind: what it is.
        cell_px: the grid's pitch: pieces nearer than that become one region, farther than twice
            that stay apart.

    Returns:
        Regions in reading order; the confidence is the mean over the pixels.

    Cost: linear in pixels; the grid keeps memory at a few bytes a cell.
    """
    height, width = confidence.shape
    rows, columns = np.nonzero(confidence)
    if not rows.size:
        return []
    cells = np.zeros((height // cell_px + 1, width // cell_px + 1), np.uint8)
    cells[rows // cell_px, columns // cell_px] = 1
    _, labels = cv2.connectedComponents(cells, connectivity=8)
    label = labels[rows // cell_px, columns // cell_px]
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    found = []
    for part in np.split(order, starts[1:]):
        y, x = rows[part], columns[part]
        box = Box(int(y.min()), int(x.min()), int(y.max()) + 1, int(x.max()) + 1)
        mask = np.zeros((box.height, box.width), np.bool_)
        mask[y - box.top, x - box.left] = True
        found.append(Region(box, mask, kind, float(confidence[y, x].mean()) / 255))
    return sorted(found, key=lambda region: region.box)


def hugs_border(region: Region, size: tuple[int, int], *, depth_px: int = 6) -> bool:
    """Whether a region is a strip along the picture's border: the edge of a frame or of the scan.

    >>> strip = Region(Box(0, 0, 2, 50), np.ones((2, 50), np.bool_), "scratch")
    >>> hugs_border(strip, (100, 100))
    True
    """
    box, (height, width) = region.box, size
    thin_rows, thin_columns = box.height <= depth_px, box.width <= depth_px
    at_rows = box.bottom <= depth_px or box.top >= height - depth_px
    at_columns = box.right <= depth_px or box.left >= width - depth_px
    return (thin_rows and at_rows) or (thin_columns and at_columns)


def is_network(region: Region, *, least_length_px: float = 120.0) -> bool:
    """Whether a region of lines branches as cracks do, and is not one stroke from end to end.

    A stroke, straight or bent, is about as long as its box's diagonal; branches make the whole longer.
    """
    padded = np.pad(region.mask.view(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    inside = distance[padded > 0]
    width = max(1.0, 4 * float(inside.mean()) - 2)
    length = inside.size / width
    diagonal = float(np.hypot(region.box.height, region.box.width))
    return length > least_length_px and length > 2.0 * diagonal
