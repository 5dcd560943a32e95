"""Boxes as maps that a net can learn, and back: a peak at each thing's centre, its place and size there.

Reference: Zhou, Wang, Krähenbühl, "Objects as Points", arXiv:1904.07850, 2019 (CenterNet). There sizes are in
pixels; here they are logarithms, so that an error of a tenth counts alike on a small and a large thing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from remend.picture import Float

__all__ = ["CELL_PX", "box_iou", "drawn", "peaks"]

CELL_PX = 4
"""A cell of the maps."""

_SPREAD = 0.1  # sigma of a peak, as a share of the box: near misses are forgiven in proportion
_FINEST = 0.5  # of sigma, in cells
_MOST = 100  # boxes that are answered a picture
_LARGEST = 8.0  # logarithm of a side in cells: larger than any crop, and finite


def drawn(boxes: Float, classes: int, cells: tuple[int, int]) -> tuple[Float, Float, Float]:
    """Boxes as maps.

    Args:
        boxes: (n, 5): class from 0, then left, top, right, bottom in px, within the crop.
        classes: how many there are.
        cells: height and width of the maps.

    Returns:
        ``(heat, box, centre)``: (classes, h, w) in [0, 1], 1 in the cell of a centre; (4, h, w), at centres:
        how far right and down of its cell's corner the centre lies, in cells, and the logarithms of width and
        height in cells; (h, w), 1 at centres. Where two centres meet the smaller thing's box counts.
    """
    height, width = cells
    heat = np.zeros((classes, height, width), np.float32)
    box, centre = np.zeros((4, height, width), np.float32), np.zeros((height, width), np.float32)
    rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    areas = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    for index in np.argsort(-areas, kind="stable"):
        left, top, right, bottom = boxes[index, 1:] / CELL_PX
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        x, y = min(int(middle_x), width - 1), min(int(middle_y), height - 1)
        across, down = (max(_SPREAD * side, _FINEST) for side in (right - left, bottom - top))
        bump = np.exp(-0.5 * ((rows - y) / down) ** 2)[:, None] * np.exp(-0.5 * ((columns - x) / across) ** 2)
        plane = heat[int(boxes[index, 0])]
        np.maximum(plane, bump, out=plane)
        box[:, y, x] = middle_x - x, middle_y - y, np.log(right - left), np.log(bottom - top)
        centre[y, x] = 1
    return heat, box, centre


def peaks(heat: Float, box: Float, *, most: int = _MOST) -> tuple[Float, Float]:
    """Boxes out of what a net answers.

    Args:
        heat: (classes, h, w) in [0, 1].
        box: (4, h, w), as ``drawn`` has them.
        most: boxes, the surest first.

    Returns:
        ``(boxes, scores)``: (n, 5) as ``drawn`` takes them, and (n,), falling.
    """
    classes, height, width = heat.shape
    around = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    shifted = [around[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    top = np.where(heat >= np.max(shifted, axis=0), heat, 0).ravel()
    chosen = np.argsort(-top, kind="stable")[:most]
    kind, y, x = np.unravel_index(chosen, (classes, height, width))
    right, lower = x + box[0, y, x], y + box[1, y, x]
    across, down = np.exp(np.minimum(box[2:, y, x], _LARGEST))
    sides = [right - across / 2, lower - down / 2, right + across / 2, lower + down / 2]
    boxes = np.stack([kind.astype(np.float32), *(CELL_PX * side for side in sides)], axis=1)
    return boxes.astype(np.float32), top[chosen].astype(np.float32)


def box_iou(box: Float, others: Float) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with others (n, 4), each left, top, right, bottom: (n,).

    >>> box_iou(np.array([0, 0, 2, 2.0]), np.array([[1, 0, 3, 2], [5, 5, 6, 6.0]])).round(2).tolist()
    [0.33, 0.0]
    """
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1, dtype=np.float64)
    areas = [np.prod(sides[..., 2:] - sides[..., :2], axis=-1, dtype=np.float64) for sides in (box, others)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9))
