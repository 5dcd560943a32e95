"""A fill's colours stay near those that lie around it at the same lightness.

A net that draws answers, in shadow above all, with colours that are nowhere near: a bluish veil over red
earthenware. Shapes may be new in a hole; a new hue seldom is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["keep_colours"]

NEAR = 3.0  # of CIELAB: as far as this from a colour around, a fill's may be
BAND = 8.0  # of lightness, in which colours are compared, with those of the bands beside it
FEWEST_PX, FEWEST = 64, 5e-4  # known in a band, or nothing is said of it; share of them that makes a colour
CELL, CELLS = 2.0, 128  # of CIELAB's a* and b*, in which colours are counted


def keep_colours(filled: Float, hole: Bool, usable: Bool) -> Float:
    """Draw colours of the fill that are far from all known ones towards the nearest; lightness stays.

    Args:
        filled: (h, w, 3) float32 in [0, 1], the window with its fill.
        hole: (h, w) bool, what was filled.
        usable: (h, w) bool, what may be read.

    Returns:
        (h, w, 3) float32; ``filled`` itself where no colour is far.

    Cost: 40 ns a pixel of the window, .2 ms a band of lightness.
    """
    lab = cv2.cvtColor(np.clip(filled, 0, 1), cv2.COLOR_RGB2Lab)
    known, fill = np.asarray(lab[usable], np.float32), np.asarray(lab[hole], np.float32)
    bands, known_cells, fill_bands = _bands(known), _cells(known), _bands(fill)
    moved = fill.copy()
    for band in np.unique(fill_bands):
        beside = known_cells[np.abs(bands - band) <= 1]
        if len(beside) < FEWEST_PX:
            continue
        counts = np.bincount(beside, minlength=CELLS * CELLS).reshape(CELLS, CELLS)
        here = fill_bands == band
        moved[here, 1:] = _near(fill[here, 1:], counts > FEWEST * len(beside))
    far = (moved != fill).any(axis=1)
    if not far.any():
        return filled
    colours = filled[hole]
    colours[far] = np.clip(colours[far] + _rgb(moved[far]) - _rgb(fill[far]), 0, 1)
    kept = filled.copy()
    kept[hole] = colours
    return kept


def _near(hues: Float, taken: Bool) -> Float:
    """(n, 2) a* and b*, those beyond ``NEAR`` of all cells that are taken brought to that distance."""
    if not taken.any():
        return hues
    distance, labels = cv2.distanceTransformWithLabels(
        (~taken).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(taken)
    places = np.zeros((int(labels.max()) + 1, 2), np.float32)
    places[labels[rows, columns]] = np.stack([rows, columns], axis=1)
    row, column = np.divmod(_cells(np.concatenate([hues[:, :1], hues], axis=1)), CELLS)
    far = CELL * distance[row, column] > NEAR
    nearest = (places[labels[row, column]] - CELLS // 2 + 0.5) * CELL
    apart = hues - nearest
    length = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), NEAR)
    return np.where(far[:, None], nearest + apart * (NEAR / length), hues)


def _bands(lab: Float) -> NDArray[np.intp]:
    return (lab[:, 0] / BAND).astype(np.intp)


def _cells(lab: Float) -> NDArray[np.intp]:
    """The number of the cell of a* and b* in which each of (n, 3) colours lies."""
    row, column = (
        np.clip(np.floor(lab[:, k] / CELL) + CELLS // 2, 0, CELLS - 1).astype(np.intp) for k in (1, 2)
    )
    return np.asarray(row * CELLS + column, np.intp)


def _rgb(lab: Float) -> Float:
    return np.asarray(cv2.cvtColor(lab[None], cv2.COLOR_Lab2RGB)[0], np.float32)
