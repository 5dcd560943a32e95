"""Places in the frame by their names, and where several things lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box
from remend.saying.things import Thing

__all__ = ["SIDES", "ZONE_SHARE", "box_of", "centre_of", "extreme", "lies", "place_of"]

Floats = NDArray[np.float64]

ZONE_SHARE = 0.5
CORNER = 0.4  # of each side: how far a corner reaches
EDGE = 0.15
MIDDLE = (0.25, 0.75)
SIDES = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1)}


def lies(group: Sequence[Thing], zones: Sequence[str], size: tuple[int, int]) -> bool:
    """Whether a thing lies in the zone that these words together say, by most of its pixels."""
    if not zones:
        return True
    share = total = 0.0
    for thing in group:
        ys, xs = np.nonzero(thing.mask)
        x = (xs + thing.box.left + 0.5) / size[1]
        y = (ys + thing.box.top + 0.5) / size[0]
        share += float(np.count_nonzero(_in_zone(x, y, zones)))
        total += len(xs)
    return share >= ZONE_SHARE * total


def _in_zone(x: Floats, y: Floats, zones: Sequence[str]) -> Bool:
    """Which positions, 0 to 1, lie in a zone."""
    reach = CORNER if "corner" in zones else 0.5
    if "edge" in zones and set(zones) & set(SIDES):
        reach = max(EDGE, 1 / 3)
    inside_it = np.ones(x.shape, bool)
    for zone in zones:
        if zone == "left":
            inside_it &= x < reach
        elif zone == "right":
            inside_it &= x > 1 - reach
        elif zone == "top":
            inside_it &= y < reach
        elif zone == "bottom":
            inside_it &= y > 1 - reach
        elif zone == "middle":
            low, high = MIDDLE
            beside, above = set(zones) & {"left", "right"}, set(zones) & {"top", "bottom"}
            inside_it &= bool(beside) | ((x > low) & (x < high))
            inside_it &= bool(above) | ((y > low) & (y < high))
        elif zone == "corner" and not set(zones) & set(SIDES):
            inside_it &= ((x < CORNER) | (x > 1 - CORNER)) & ((y < CORNER) | (y > 1 - CORNER))
        elif zone == "edge" and not set(zones) & set(SIDES):
            inside_it &= (np.minimum(x, 1 - x) < EDGE) | (np.minimum(y, 1 - y) < EDGE)
    return inside_it


def extreme(groups: list[list[Thing]], side: str) -> list[Thing]:
    """The leftmost, rightmost, highest or lowest."""
    axis, sign = SIDES[side]
    return min(groups, key=lambda group: sign * centre_of(group)[axis])


def centre_of(group: Sequence[Thing]) -> tuple[float, float]:
    """(x, y) of the middle of several things together."""
    weights = np.array([thing.pixels for thing in group], float)
    spots = np.array([thing.centre for thing in group])
    x, y = (weights[:, None] * spots).sum(axis=0) / weights.sum()
    return float(x), float(y)


def box_of(group: Sequence[Thing]) -> Box:
    """The box around several things."""
    box = group[0].box
    for thing in group[1:]:
        box = box.union(thing.box)
    return box


def place_of(spot: tuple[float, float], size: tuple[int, int]) -> str:
    """The third of the picture that a spot lies in, by its name."""
    x, y = spot[0] / size[1], spot[1] / size[0]
    down = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    return f"{down} {across}".strip() or "middle"
