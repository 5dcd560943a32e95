"""Pieces of damage: what hangs together in the planes of chances."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Box, Float

__all__ = ["LEAST", "Pieces", "pieces_of"]

LEAST = 0.35
"""Chance from which a pixel belongs to a piece."""
PEAK = 0.4
"""Chance that the likeliest pixel of a piece reaches at least."""
CORE, RIM_PX = 0.55, 2  # of a likely piece: chance of its inside, and how far its soft rim reaches
LINES, AREAS = slice(0, 2), slice(2, 4)
"""Planes of scratches and dust, of stains and holes."""
MUCH, MUCH_PX = 0.1, 60  # share and pixels of the lesser of the two from which they are parted
CELL_PX = 12  # of the grid on which the surroundings are averaged


@dataclass(frozen=True, slots=True)
class Pieces:
    """Connected pieces of one kind of plane, (n,) each, numbered from 0.

    Attributes:
        labels: (H, W) int32, the piece's number + 1; 0 = none, or too faint to count.
        kind: index of the likeliest plane.
        peak, mean: chance, 0 to 1.
        area: pixels.
        boxes: (n, 4) top, left, bottom, right.
        around: mean chance of what lies within some 30 px and in no piece: a thicket where the net is unsure
            of everything.
        haze: the same over the whole picture.
    """

    labels: NDArray[np.int32]
    kind: NDArray[np.intp]
    peak: Float
    mean: Float
    area: Float
    boxes: NDArray[np.int32]
    around: Float
    haze: float

    def __len__(self) -> int:
        return len(self.peak)

    def box(self, number: int) -> Box:
        """Where piece ``number`` lies."""
        return Box(*(int(n) for n in self.boxes[number]))


def pieces_of(planes: NDArray[np.uint8]) -> Pieces:
    """What hangs together in the sum of some planes of chances.

    Args:
        planes: (k, H, W) uint8.

    Cost: 30 ns a pixel; 8 bytes a pixel.
    """
    total = planes[0]
    for plane in planes[1:]:
        total = np.asarray(cv2.add(total, plane), np.uint8)  # saturates
    marked = _marked(np.asarray(total, np.uint8))
    count, labels, stats = _parted(marked, planes)
    rows, columns = np.nonzero(marked)
    label = labels[rows, columns]
    value = total[rows, columns].astype(np.float64)
    peak = np.zeros(count)
    np.maximum.at(peak, np.asarray(label, np.intp), value)
    area = np.maximum(np.bincount(label, minlength=count), 1)
    mean = np.bincount(label, value, count) / area
    by_plane = np.stack([np.bincount(label, plane[rows, columns], count) for plane in planes])
    kept = np.flatnonzero(peak >= 255 * PEAK)
    kept = kept[kept > 0]
    renumber = np.zeros(count, np.int32)
    renumber[kept] = np.arange(1, len(kept) + 1)
    boxes = stats[kept]
    unclaimed = np.where(marked > 0, np.uint8(0), total)
    near = _near(unclaimed)
    rows, columns = (boxes[:, 0] + boxes[:, 2] - 1) // 2, (boxes[:, 1] + boxes[:, 3] - 1) // 2
    return Pieces(
        labels=np.asarray(renumber[labels], np.int32),
        kind=by_plane[:, kept].argmax(axis=0),
        peak=np.asarray(peak[kept] / 255, np.float32),
        mean=np.asarray(mean[kept] / 255, np.float32),
        area=np.asarray(area[kept], np.float32),
        boxes=boxes,
        around=near[rows // CELL_PX, columns // CELL_PX],
        haze=float(unclaimed.mean()) / 255,
    )


def _parted(
    marked: NDArray[np.uint8], planes: NDArray[np.uint8]
) -> tuple[int, NDArray[np.int32], NDArray[np.int32]]:
    """How many pieces, the background counted; (H, W) whose each pixel is; (count, 4) their boxes.

    A scratch that ends at a torn border or crosses a stain hangs together with it, and as one piece the two
    would be neither: where there is much of both, lines and specks are parted from areas.
    """
    count, found, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=8, ltype=cv2.CV_32S)
    labels: NDArray[np.int32] = np.asarray(found, np.int32)
    boxes = _boxes(np.asarray(stats, np.int32))
    if len(planes) < AREAS.stop:
        return count, labels, boxes
    thin, wide = (cv2.blur(cv2.add(*planes[part]), (5, 5)) for part in (LINES, AREAS))
    is_thin = thin > wide
    area = stats[:, cv2.CC_STAT_AREA]
    thin_area = np.bincount(labels[is_thin & (marked > 0)], minlength=count)
    both = (np.minimum(thin_area, area - thin_area) >= np.maximum(MUCH_PX, MUCH * area)) & (
        np.arange(count) > 0
    )
    if not both.any():
        return count, labels, boxes
    split = both[labels]
    thin_count, thin_labels, thin_stats, _ = cv2.connectedComponentsWithStats(
        (split & is_thin).view(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    wide_count, wide_labels, wide_stats, _ = cv2.connectedComponentsWithStats(
        (split & ~is_thin).view(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    labels[split] = 0
    labels += np.where(thin_labels > 0, thin_labels + (count - 1), 0).astype(np.int32)
    labels += np.where(wide_labels > 0, wide_labels + (count + thin_count - 2), 0).astype(np.int32)
    boxes = np.concatenate(
        [boxes, _boxes(np.asarray(thin_stats, np.int32))[1:], _boxes(np.asarray(wide_stats, np.int32))[1:]]
    )
    return count + thin_count + wide_count - 2, labels, boxes


def _boxes(stats: NDArray[np.int32]) -> NDArray[np.int32]:
    """(n, 4) top, left, bottom, right of OpenCV's left, top, width, height."""
    left, top, width, height = (stats[:, k] for k in range(4))
    return np.stack([top, left, top + height, left + width], axis=1).astype(np.int32)


def _marked(total: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) 0 or 1: what may be damage; where something is likely, only that and its rim.

    A scratch through a place where the net is unsure of everything would be one piece with all of it.
    """
    least = (total >= round(255 * LEAST)).view(np.uint8)
    core = (total >= round(255 * CORE)).view(np.uint8)
    _, labels = cv2.connectedComponents(least, connectivity=8, ltype=cv2.CV_32S)
    has_core = np.zeros(int(labels.max(initial=0)) + 1, np.bool_)
    has_core[labels[core > 0]] = True
    square = np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8)
    rim = np.asarray(cv2.dilate(core, square), np.uint8)
    return np.asarray(np.where(has_core[labels], least & rim, least), np.uint8)


def _near(plane: NDArray[np.uint8]) -> Float:
    """Means over 64 px around each cell of ``CELL_PX``, 0 to 1."""
    height, width = plane.shape
    size = (max(1, -(-width // CELL_PX)), max(1, -(-height // CELL_PX)))
    cells = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.blur(cells, (5, 5), borderType=cv2.BORDER_REFLECT), np.float32)
