"""Prints on a scanner's bed: where each lies and how it is turned.

A bed is assumed (`bed`), what is not bed is taken apart into pieces, and each piece must prove to be a
rectangle by straight sides (`sides`); a picture in which too little proves so is no scan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.scans.bed import Bed, beds_of
from remend.scans.sides import Line, Side, find_side

__all__ = ["Print", "Scan", "find_prints"]

Points = NDArray[np.float64]

WORK_PX = 1500  # the longer side of what is looked at
LEAST_AREA = 0.006  # of the scan
LEAST_SIDE = 0.05  # of the scan's shorter side
PROVEN = 0.8  # of what is not bed, that must prove to be prints
AGREED_DEG = 0.5  # sides of one print
SKEWS_DEG = (1.2, 0.3)  # how far a side may be turned at first, and when the others have been seen
BESIDE_PX = 4
FREE = 0.4  # of a side that is no part of the scan's frame
RIM_DEG, RIM_EVEN, RIM_MOST = 0.2, 2.0, 0.12  # tilt, widest to narrowest, of the shorter side
FRAME_PX = 3  # nearer to the frame than this is cut by it


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """One print on the bed.

    Attributes:
        corners: (4, 2) x, y in px of the scan, clockwise from the print's top left one; outside the scan
            where the frame cuts the print. (0, 0) is the corner of the first pixel, not its middle.
        tilt_deg: by which it is turned clockwise, -45 to 45.
        cut: whether the frame cuts it.
    """

    corners: Points
    tilt_deg: float
    cut: bool

    @property
    def size(self) -> tuple[float, float]:
        """(height, width) in px."""
        sides = np.linalg.norm(np.diff(self.corners, axis=0), axis=1)
        return float(sides[1]), float(sides[0])


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies on a bed.

    Attributes:
        prints: from top to bottom and left to right, as they are read; empty = it is no scan.
        bed_xy: a pixel of the bed that is as most of it; None where there is none.
        left: pieces that are no rectangles.
    """

    prints: tuple[Print, ...]
    bed_xy: tuple[int, int] | None = None
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Proof:
    """A rectangle, and how well its sides are seen."""

    found: Print
    area: float


def find_prints(image: NDArray[np.uint8]) -> Scan:
    """The prints of a scan; none where it is no scan, but a picture that fills its frame.

    Args:
        image: (H, W, 3) uint8 RGB.

    Cost: about .5 s, whatever the size.
    """
    height, width = image.shape[:2]
    scale = min(1.0, WORK_PX / max(height, width))
    if min(height, width) * scale < 40:
        return Scan(())
    size = max(1, round(width * scale)), max(1, round(height * scale))
    seen = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    factors = np.array([width / size[0], height / size[1]])
    best, best_area = Scan(()), 0.0
    half = max(1, size[0] // 2), max(1, size[1] // 2)
    for bed in beds_of(np.asarray(cv2.resize(seen, half, interpolation=cv2.INTER_AREA), np.uint8)):
        proofs, left, share = _proven(seen, bed)
        area = sum(proof.area for proof in proofs)
        if not proofs or share < PROVEN or area <= best_area:
            continue
        prints = tuple(
            Print(proof.found.corners * factors, proof.found.tilt_deg, proof.found.cut) for proof in proofs
        )
        if len(prints) == 1 and bed.light and _is_rim(prints[0], (height, width)):
            return Scan(())
        at = tuple(int(one) for one in (np.array(bed.typical_xy) + 0.5) * (width / half[0], height / half[1]))
        best, best_area = Scan(_in_order(prints), (at[0], at[1]), left), area
    return best


def _is_rim(found: Print, size: tuple[int, int]) -> bool:
    """Whether what lies round the only print is no bed, but its own white rim: straight, narrow and even."""
    (left, top), (right, bottom) = found.corners[0], found.corners[2]
    margins = (left, top, size[1] - right, size[0] - bottom)
    even = max(margins) <= RIM_EVEN * max(1.0, min(margins))
    return even and abs(found.tilt_deg) <= RIM_DEG and max(margins) <= RIM_MOST * min(size)


def _proven(image: NDArray[np.uint8], bed: Bed) -> tuple[list[_Proof], int, float]:
    """The rectangles on a bed, how many pieces are none, and the rectangles' share of all that is no bed."""
    height, width = image.shape[:2]
    total = height * width
    thing = cv2.morphologyEx((~bed.mask).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    thing = cv2.resize(thing, (width, height), interpolation=cv2.INTER_NEAREST)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thing, connectivity=4)
    others = _grown(np.isin(labels, np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= LEAST_AREA * total)[1:]))
    smooth = cv2.GaussianBlur(image, (0, 0), 0.6).astype(np.float32)
    proofs, left, sure, other = list[_Proof](), 0, 0.0, 0.0
    for number in range(1, count):
        area = float(stats[number, cv2.CC_STAT_AREA])
        if area < LEAST_AREA * total:
            other += area
            continue
        piece = labels == number
        found = _rectangle(smooth, piece, ~others | _grown(piece))
        if found is None:
            left, other = left + 1, other + area
        else:
            proofs.append(_Proof(found, area))
            sure += area
    return proofs, left, sure / max(1.0, sure + other)


def _rectangle(image: Float, piece: Bool, free_of_others: Bool) -> Print | None:
    """A piece as a rectangle, if its sides are straight and at right angles."""
    height, width = piece.shape
    contours, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)[:, 0].astype(np.float64)
    free = (
        (outline[:, 0] > FRAME_PX)
        & (outline[:, 1] > FRAME_PX)
        & (outline[:, 0] < width - 1 - FRAME_PX)
        & (outline[:, 1] < height - 1 - FRAME_PX)
    )
    if free.sum() < 40:
        return None
    turn = _direction(outline[free])
    frame = _Frame.around(outline, turn)
    if min(frame.size) < LEAST_SIDE * min(height, width):
        return None
    open_sides = [True] * 4
    if not free.all():  # what the frame cuts off has no side there
        open_sides = [frame.lined(number, outline[free]) > FREE for number in range(4)]
    sides: list[Side | None] = []
    for skew_deg in SKEWS_DEG:
        sides = [
            find_side(image, free_of_others, frame.line(number, skew_deg)) if open_sides[number] else None
            for number in range(4)
        ]
        sides = _agreed(sides, frame)
        own = [side for side in sides if side is not None]
        if len(own) < 2:
            return None
        weights = [
            side.support * side.inside * frame.length(number)
            for number, side in enumerate(sides)
            if side is not None
        ]
        skew = float(np.average([side.skew for side in own], weights=weights))
        frame = frame.moved([None if side is None else side.offset for side in sides], skew)
    return frame.as_print(sides, (height, width), float(piece.sum()))


@dataclass(frozen=True, slots=True)
class _Frame:
    """A rectangle turned by ``turn`` radians, by its extent along its own directions; (0, 0) is a middle."""

    turn: float
    low: tuple[float, float]
    high: tuple[float, float]

    @staticmethod
    def around(outline: Points, turn: float) -> _Frame:
        """The rectangle of that direction round nearly all of an outline."""
        own = outline @ _axes(turn).T
        low, high = np.percentile(own, (0.4, 99.6), axis=0)
        return _Frame(turn, (float(low[0]), float(low[1])), (float(high[0]), float(high[1])))

    @property
    def size(self) -> tuple[float, float]:
        """(height, width) in px."""
        return self.high[1] - self.low[1], self.high[0] - self.low[0]

    @property
    def corners(self) -> Points:
        """(4, 2) x, y, clockwise."""
        (left, top), (right, bottom) = self.low, self.high
        own = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        return np.asarray(own @ _axes(self.turn))

    def length(self, number: int) -> float:
        """Of a side: 0 = top, then clockwise."""
        return self.size[1 - number % 2]

    def lined(self, number: int, outline: Points) -> float:
        """The share of a side's length that an outline follows."""
        _, outward = self.directions(number)
        along = np.abs((outline - self.corners[number]) @ outward) < 1.5 + 0.02 * self.length(number)
        return float(along.sum()) / max(1.0, self.length(number))

    def directions(self, number: int) -> tuple[Points, Points]:
        """Unit vectors along a side, clockwise, and outward."""
        right, down = _axes(self.turn)
        along = (right, down, -right, -down)[number]
        return along, (-down, right, down, -right)[number]

    def line(self, number: int, skew_deg: float) -> Line:
        """Where a side is looked for."""
        along, outward = self.directions(number)
        across = self.length(number + 1)
        inner, outer = min(0.12 * across, 60.0) + 4, min(0.08 * across, 50.0) + 6
        return Line(self.corners[number], along, outward, self.length(number), inner, outer, skew_deg)

    def moved(self, offsets: list[float | None], skew: float) -> _Frame:
        """With its sides moved outward, and turned by ``skew`` round their middles."""
        corners = self.corners
        right, down = _axes(turn := self.turn - skew)
        at = []
        for number, offset in enumerate(offsets):
            _, outward = self.directions(number)
            middle = (corners[number] + corners[(number + 1) % 4]) / 2 + outward * (offset or 0.0)
            at.append(float(middle @ (down if number % 2 == 0 else right)))
        return _Frame(turn, (at[3], at[0]), (at[1], at[2]))

    def as_print(self, sides: list[Side | None], size: tuple[int, int], area: float) -> Print | None:
        """The rectangle as a print, if enough of it is proven."""
        own = [number for number, side in enumerate(sides) if side is not None]
        cut = [number for number in range(4) if sides[number] is None and self._at_frame(number, size)]
        lost = 4 - len(own) - len(cut)
        seen = [side for side in sides if side is not None]
        if len(own) < 2 or lost > 1 or (lost and len(own) < 3):
            return None
        if len(own) == 2 and (own[1] - own[0]) % 2 == 0:
            return None
        support = float(np.mean([side.support for side in seen]))
        if support < (0.75 if len(own) == 2 or lost else 0.6 if cut else 0.52):
            return None
        inside = np.zeros(size, np.uint8)
        cv2.fillPoly(inside, [np.rint(self.corners).astype(np.int32)], 1)
        if not 0.75 < area / max(1, int(inside.sum())) < 1.3:
            return None
        corners = self.corners + 0.5
        turn = self.turn
        while turn > math.pi / 4:
            corners, turn = np.roll(corners, -1, axis=0), turn - math.pi / 2
        while turn <= -math.pi / 4:
            corners, turn = np.roll(corners, 1, axis=0), turn + math.pi / 2
        beyond = (corners < -1).any() or (corners > np.array(size[::-1]) + 1).any()
        return Print(corners, math.degrees(turn), bool(cut) or bool(beyond))

    def _at_frame(self, number: int, size: tuple[int, int]) -> bool:
        """Whether a side lies at the scan's own, or outside."""
        corners = self.corners
        x, y = (corners[number] + corners[(number + 1) % 4]) / 2
        near = 0.01 * max(size) + FRAME_PX
        return bool(x < near or y < near or x > size[1] - 1 - near or y > size[0] - 1 - near)


def _axes(turn: float) -> Points:
    """Unit vectors to the right and down of what is turned clockwise."""
    return np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])


def _agreed(sides: list[Side | None], frame: _Frame) -> list[Side | None]:
    """Without those that are turned otherwise than most of what is seen."""
    seen = sorted((side.skew, frame.length(number)) for number, side in enumerate(sides) if side is not None)
    if not seen:
        return sides
    total = np.cumsum([length for _, length in seen])
    middle = seen[int(np.searchsorted(total, total[-1] / 2))][0]
    return [
        side if side is not None and abs(side.skew - middle) <= math.radians(AGREED_DEG) else None
        for side in sides
    ]


def _grown(piece: Bool) -> Bool:
    return cv2.dilate(piece.astype(np.uint8), np.ones((2 * BESIDE_PX + 1,) * 2, np.uint8)).astype(bool)


def _direction(points: Points) -> float:
    """The direction, -45 to 45 degrees in radians, in which and across which most points line up."""
    if len(points) > 2000:
        points = points[:: len(points) // 2000 + 1]

    def lined_up(turn: float) -> float:
        total = 0.0
        for values in (points @ _axes(turn).T).T:
            counts = np.bincount(np.rint((values - values.min()) / 1.5).astype(np.intp)).astype(np.float64)
            total += float((counts**2).sum())
        return total

    turns = np.radians(np.arange(-45, 45, 0.5))
    best = turns[int(np.argmax([lined_up(turn) for turn in turns]))]
    fine = best + np.radians(np.arange(-0.5, 0.51, 0.1))
    return float(fine[int(np.argmax([lined_up(turn) for turn in fine]))])


def _in_order(prints: tuple[Print, ...]) -> tuple[Print, ...]:
    """As they are read: rows from the top, each from the left."""
    waiting = sorted(prints, key=lambda one: float(one.corners[:, 1].min()))
    ordered: list[Print] = []
    while waiting:
        first = waiting[0]
        middle = float(first.corners[:, 1].mean())
        row = [one for one in waiting if float(one.corners[:, 1].min()) <= middle]
        ordered += sorted(row, key=lambda one: float(one.corners[:, 0].mean()))
        waiting = [one for one in waiting if one not in row]
    return tuple(ordered)
