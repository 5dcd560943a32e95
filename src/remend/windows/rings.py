"""Rows that are rings: what hangs together across the border where both sides of a picture meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool

__all__ = ["joined_round", "widest_gap"]


def joined_round(labels: NDArray[Any]) -> list[list[int]]:
    """Groups of labels that touch across the left and right border, one label for each that does alone.

    Args:
        labels: (h, w) integers of a picture that wraps; 0 = nothing.
    """
    groups: list[set[int]] = []
    height = len(labels)
    for shift in (-1, 0, 1):  # the neighbour of a row's end is in the next or the last row, too
        rows = np.arange(max(0, -shift), height - max(0, shift))
        pairs = np.stack([labels[rows, -1], labels[rows + shift, 0]], axis=1)
        for pair in np.unique(pairs[(pairs > 0).all(axis=1)], axis=0).tolist():
            mine = set(pair).union(*(group for group in groups if group & set(pair)))
            groups = [group for group in groups if not group & mine] + [mine]
    return [sorted(group) for group in groups]


def widest_gap(columns: Bool) -> tuple[int, int]:
    """Of a ring of columns the widest run of False ones: (where it ends, how wide it is)."""
    held = np.flatnonzero(columns)
    gaps = np.diff(held, append=held[0] + len(columns)) - 1
    widest = int(gaps.argmax())
    return int((held[widest] + gaps[widest] + 1) % len(columns)), int(gaps[widest])
