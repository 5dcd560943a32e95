"""Kinds of holes that are told apart: by share of the picture, by the frame, and the centre."""

from __future__ import annotations

import numpy as np

from remend.picture import Bool, Box

__all__ = ["BUCKETS", "buckets_of"]

_LIMITS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_RATIOS = ("≤ .01", ".01–.1", ".1–.2", ".2–.3", ".3–.4", ".4–.5", ".5–.6", "> .6")

BUCKETS: tuple[str, ...] = (*_RATIOS, "border", "no border", "centre")
"""All names, in the order of tables. The ratio's upper limit belongs to it, as in NVIDIA's test masks."""

_SLACK_PX = 1.5


def buckets_of(hole: Bool) -> tuple[str, ...]:
    """The buckets of a hole: its ratio, and whether it touches the frame; the centre hole is in its own only.

    The centre hole is one full rectangle of half of each side in the middle, give or take the rounding: as
    easy to frame and hard to guess as no mask drawn by hand is, so it is kept out of the others.

    Args:
        hole: (H, W) bool, not empty.

    >>> hole = np.zeros((8, 8), bool)
    >>> hole[0:2, 3:5] = True
    >>> buckets_of(hole)
    ('.01–.1', 'border')
    >>> hole[:] = False
    >>> hole[2:6, 2:6] = True
    >>> buckets_of(hole)
    ('centre',)
    """
    if _is_centre(hole):
        return ("centre",)
    ratio = float(np.count_nonzero(hole)) / hole.size
    touches = bool(hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any())
    index = sum(ratio > limit for limit in _LIMITS)
    return (_RATIOS[index], "border" if touches else "no border")


def _is_centre(hole: Bool) -> bool:
    box = Box.around(hole)
    if box is None or np.count_nonzero(hole) != box.area:
        return False
    height, width = hole.shape
    edges = (
        (box.top, height / 4),
        (box.bottom, height * 3 / 4),
        (box.left, width / 4),
        (box.right, width * 3 / 4),
    )
    return all(abs(edge - wanted) <= _SLACK_PX for edge, wanted in edges)
