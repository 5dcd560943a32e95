"""The plate that a caption was set on: a level rectangle, darker or lighter than the picture, opaque or not.

Along each side of such a plate the picture takes a step of one sign. Behind a plate that lets the picture
through the steps differ in height, and still not in sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float

__all__ = ["plate_around"]

REACH_SHARE = 2.6  # upper and lower side lie so many heights of a line from the letters, at most
STEP_LEVELS, SEEN_LEVELS = 8.0, 2.0  # along a side, on average; at a pixel
ONE_SIGN = 0.9  # of a side's pixels
LEVEL_PX = 0.3  # between a side's halves: edges of boards in the scene are hardly ever so level
MOST_SHARE = 0.25  # of the picture
SLACK_PX = 2  # an end is known so exactly
MARGIN_PX = 2  # for soft edges


@dataclass(frozen=True, slots=True)
class _Side:
    room: int  # rows from the letters to this side
    steps: Float | None  # along it, all across the picture; None = the picture's own edge


def plate_around(rgb: NDArray[np.uint8], letters: Box, tall: float) -> Box | None:
    """The plate behind lines of text; None where they stand on the picture itself.

    Args:
        rgb: (H, W, 3) uint8.
        letters: around all of the lines on it.
        tall: height of a line in pixels.

    Cost: a few passes over the rows around the letters; 2 ms for a subtitle.
    """
    size = (rgb.shape[0], rgb.shape[1])
    reach = max(4, round(REACH_SHARE * tall))
    first, last = max(0, letters.top - reach), min(size[0], letters.bottom + reach)
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[first:last]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    own = slice(letters.left, letters.right)
    for sign in (-1, 1):  # of the step inwards
        above = _side(grey[: letters.top - first + 1][::-1], own, sign, at_edge=first == 0)
        below = _side(grey[letters.bottom - first - 1 :], own, sign, at_edge=last == size[0])
        if above is None or below is None or (above.steps is None and below.steps is None):
            continue
        top, bottom = letters.top - above.room, letters.bottom + below.room
        both = np.ones(size[1], np.bool_)
        for side in (above, below):
            if side.steps is not None:
                both &= side.steps * sign > SEEN_LEVELS
        rows = grey[top - first : bottom - first]
        left = _end(rows[:, : letters.left][:, ::-1], both[: letters.left][::-1], sign, tall)
        right = _end(rows[:, letters.right :], both[letters.right :], sign, tall)
        if left is not None and right is not None:
            plate = Box(top, letters.left - left, bottom, letters.right + right)
            if plate.area <= MOST_SHARE * size[0] * size[1]:
                return plate.grown(MARGIN_PX, size)
    return None


def _side(rows: Float, own: slice, sign: int, *, at_edge: bool) -> _Side | None:
    """The strongest step of a sign among rows from the letters outwards."""
    steps = (rows[:-2] - rows[2:]) * np.float32(sign)  # from inside to outside
    across = steps[:, own]
    if across.shape[0]:
        means = across.mean(axis=1)
        means[(across > SEEN_LEVELS).mean(axis=1) < ONE_SIGN] = 0
        best = int(means.argmax())
        if means[best] >= STEP_LEVELS and _level(across, best):
            return _Side(best + 1, steps[best] * np.float32(sign))
    return _Side(max(0, rows.shape[0] - 1), None) if at_edge else None


def _level(steps: Float, best: int) -> bool:
    """Whether a step lies in the same row on the left and on the right."""
    near = steps[max(0, best - 2) : best + 3]
    rows = np.arange(near.shape[0])
    halves = [np.maximum(half.mean(axis=1), 0) for half in np.array_split(near, 2, axis=1)]
    left, right = (float((half * rows).sum() / max(float(half.sum()), 1e-6)) for half in halves)
    return abs(left - right) <= LEVEL_PX


def _end(rows: Float, both: Bool, sign: int, tall: float) -> int | None:
    """How far outwards the plate goes on; None where it fades instead of ending."""
    window = max(3, round(0.4 * tall))
    sums = np.concatenate([[0], np.cumsum(both)])
    ahead = np.minimum(np.arange(both.size) + window, both.size)
    goes_on = (sums[ahead] - sums[:-1]) >= 0.5 * (ahead - np.arange(both.size))
    room = both.size if goes_on.all() else int(goes_on.argmin())
    if room >= both.size - SLACK_PX:
        return both.size
    # The window looks ahead: the end itself is the column with the step.
    columns = rows[:, max(0, room - SLACK_PX - 1) : room + window]
    steps = (columns[:, :-2] - columns[:, 2:]) * np.float32(sign)
    if not steps.size:
        return None
    means = steps.mean(axis=0)
    means[(steps > SEEN_LEVELS).mean(axis=0) < ONE_SIGN] = 0
    best = int(means.argmax())
    if means[best] < STEP_LEVELS or not _level(steps.T, best):
        return None
    return max(0, room - SLACK_PX - 1) + best + 1
