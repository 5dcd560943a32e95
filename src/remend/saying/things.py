"""One thing that can be named, and how two of them lie to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.kinds import KINDS
from remend.picture import Bool, Box, Region

__all__ = [
    "LINE",
    "SPECK_SHARE",
    "Spot",
    "Thing",
    "gap_between",
    "goes_on",
    "inside",
    "nearest",
    "overlap",
    "renamed",
]

Spot = tuple[float, float]

LINE = 4.5  # times as long as wide
STRAIGHT = 32.0
SPECK_SHARE = 0.025  # of the longer side: what is smaller is a speck


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can be named.

    Attributes:
        box: where it lies. ``mask``: (h, w) bool within.
        kinds: of damage that it may be called; empty = a thing that is no damage.
        confidence: that it is what it is called, 0 to 1.
        length, width: in pixels. ``slant``: degrees of its long axis from level, 0 to 90.
        colour: (red, green, blue) of it; None = not looked at.
        lighter: than what is around it, in levels; below 0 = darker.
    """

    box: Box
    mask: Bool
    kinds: frozenset[str]
    confidence: float
    length: float
    width: float
    slant: float
    colour: tuple[float, float, float]
    lighter: float

    @property
    def pixels(self) -> int:
        """How many it covers."""
        return int(np.count_nonzero(self.mask))

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of its middle."""
        ys, xs = np.nonzero(self.mask)
        return self.box.left + float(xs.mean()), self.box.top + float(ys.mean())

    @property
    def is_line(self) -> bool:
        """Whether it is long and thin."""
        return self.length > LINE * self.width

    @property
    def region(self) -> Region:
        """It as a region."""
        kind = next((kind for kind in KINDS if kind in self.kinds), "object")
        return Region(self.box, self.mask, kind, self.confidence)

    def of_kind(self, wanted: Sequence[str]) -> bool:
        """Whether it may be called one of these."""
        return bool(self.kinds & set(wanted))


def inside(thing: Thing, area: Bool) -> float:
    """The share of a thing that lies in an area, 0 to 1."""
    return float(np.mean(area[thing.box.slices][thing.mask]))


def renamed(thing: Thing, longer: int) -> Thing:
    """What its shape says of its name: a line is a scratch, whatever the finder takes its parts for."""
    kinds = set(thing.kinds)
    if thing.is_line and thing.length > 0.02 * longer:
        kinds = (kinds & {"crack", "scratch"}) | {"scratch"}
    elif thing.length < SPECK_SHARE * longer and kinds <= {"dust", "hole", "scratch"}:
        kinds = {"dust"}
    elif "dust" in kinds and thing.length < 2 * SPECK_SHARE * longer:
        kinds -= {"hole"}
    elif (
        thing.length >= SPECK_SHARE * longer and kinds == {"dust"} and thing.width >= SPECK_SHARE * longer / 2
    ):
        kinds.add("hole")
    return replace(thing, kinds=frozenset(kinds))


def overlap(one: Thing, other: Thing) -> float:
    """The share of one that lies in the other."""
    if not one.box.overlaps(other.box):
        return 0.0
    box = one.box.union(other.box)
    both = np.zeros((2, box.height, box.width), bool)
    for plane, thing in zip(both, (one, other), strict=True):
        plane[thing.box.inside(box).slices] = thing.mask
    return float(np.count_nonzero(both.all(axis=0)) / one.pixels)


def gap_between(one: Thing, other: Thing) -> float:
    """Pixels between the edges of two things."""
    return nearest(one, other)[2]


def nearest(one: Thing, other: Thing) -> tuple[Spot, Spot, float]:
    """Where two things come nearest to each other, as (x, y) of both, and how many pixels are between."""
    across = max(one.box.left, other.box.left) - min(one.box.right, other.box.right)
    down = max(one.box.top, other.box.top) - min(one.box.bottom, other.box.bottom)
    if max(across, down) > one.length + other.length:  # far: no need to look closely
        return one.centre, other.centre, float(max(across, down))
    points = _outline(one), _outline(other)
    away = np.linalg.norm(points[0][:, None] - points[1][None], axis=2)
    first, second = np.unravel_index(int(away.argmin()), away.shape)
    (x1, y1), (x2, y2) = points[0][first], points[1][second]
    return (float(x1), float(y1)), (float(x2), float(y2)), float(away[first, second])


def goes_on(line: Thing, here: Spot, there: Spot) -> bool:
    """Whether one gets from ``here`` on a line to ``there`` by going on as it runs."""
    x, y = there[0] - here[0], there[1] - here[1]
    middle = line.centre
    run = here[0] - middle[0], here[1] - middle[1]
    cosine = (x * run[0] + y * run[1]) / max(np.hypot(x, y) * np.hypot(*run), 1e-6)
    return bool(cosine > np.cos(np.radians(STRAIGHT)))


def _outline(thing: Thing) -> NDArray[np.float32]:
    """Some points of its edge, (n, 2) as x, y."""
    rim = thing.mask & (cv2.erode(thing.mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) == 0)
    ys, xs = np.nonzero(rim)
    some = np.linspace(0, len(xs) - 1, min(len(xs), 160)).astype(int)
    return np.stack([xs[some] + thing.box.left, ys[some] + thing.box.top], axis=1).astype(np.float32)
