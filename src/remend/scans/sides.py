"""The sides of a print: straight edges looked for along a rectangle that is about right, from outside in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["Line", "Side", "find_side"]

Array = NDArray[Any]

MOST_ALONG = 240  # places along a side that are looked at
STEP_PX = 0.5
SOFT_PX = 0.8  # deviation of the derivative's Gaussian
SHADOW_PX, SHADOW_SHARE = 2.5, 1.3  # of a wide one, and how much of it is taken off
CAPPED = 5.0  # levels a px: one speck must not weigh as much as a long faint edge
FAINT = 0.3  # levels a px above what is outside: less is nothing
AGAINST_BEST = 0.1  # an edge counts beside the strongest one
SHARP = 0.3  # share of an edge's steepness that no shadow has
SEEN = 0.5  # places along it that must show an edge
TURNS = 13  # directions that are tried
BLOCKS = 24  # in which a faint side is averaged
APART_PX = 4.0  # edges nearer than this are one
ON_LINE_PX = 1.2
REACH_PX = 2.5  # of a place's own edge beside the line


@dataclass(frozen=True, slots=True)
class Side:
    """A straight edge.

    Attributes:
        offset: px by which its middle lies outside (above 0) or inside of where it was looked for.
        skew: radians by which it is turned against the rectangle.
        support: share of the places along it that show an edge there.
        inside: share of its length that lies within the picture.
    """

    offset: float
    skew: float
    support: float
    inside: float


@dataclass(frozen=True, slots=True)
class Line:
    """Where a side is looked for.

    Attributes:
        start: (2,) x, y of its first corner.
        along, outward: (2,) unit vectors.
        length: px.
        inner, outer: how far inside and outside, in px.
        skew_deg: by which it may be turned.
    """

    start: Array
    along: Array
    outward: Array
    length: float
    inner: float
    outer: float
    skew_deg: float


def find_side(image: Float, free: Bool, line: Line) -> Side | None:
    """The outermost sharp straight edge near one side of a rectangle.

    Args:
        image: (H, W, 3) float32.
        free: (H, W) bool, False where other prints lie.
        line: where.

    Returns:
        None where none is sharp, straight and long enough, or most of the side lies outside the picture.
    """
    height, width = free.shape
    count = int(np.clip(line.length, 24, MOST_ALONG))
    place = np.linspace(0.04, 0.96, count) * line.length
    offsets = np.arange(-line.inner, line.outer + STEP_PX, STEP_PX)
    x, y = (
        (line.start[k] + place[:, None] * line.along[k] + offsets[None] * line.outward[k]).astype(np.float32)
        for k in (0, 1)
    )
    within = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    within &= free[
        np.clip(np.rint(y), 0, height - 1).astype(np.intp), np.clip(np.rint(x), 0, width - 1).astype(np.intp)
    ]
    profiles = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    slope, sharp, signed = (np.where(within, each, 0) for each in _slopes(profiles))
    place -= line.length / 2
    skews = np.tan(np.radians(np.linspace(-line.skew_deg, line.skew_deg, TURNS)))
    shifts = np.rint(place[:, None] * skews[None] / STEP_PX).astype(np.intp)
    planes = np.stack([np.minimum(slope, 2 * CAPPED), np.minimum(sharp, CAPPED), signed], axis=2)
    scores, shares = _along_lines(planes, within, shifts)
    usable = shares > 0.4
    if not usable.any():
        return None
    scores[~usable] = 0
    scores[..., 2] = np.abs(scores[..., 2])
    which = np.maximum(scores[..., 1], scores[..., 2]).argmax(axis=0)
    steep, clear, even = (scores[which, np.arange(len(offsets)), k] for k in range(3))
    some = usable.any(axis=0)
    quiet_steep, quiet = (float(np.percentile(each[some], 10)) for each in (steep, clear))
    best = np.maximum(clear - quiet, even)
    floor = max(FAINT, AGAINST_BEST * float(best.max()))
    reach = round(APART_PX / STEP_PX)
    for at in range(len(offsets) - 1, -1, -1):
        if best[at] < floor or best[at] < best[max(0, at - reach) : at + reach + 1].max():
            continue
        if best[at] < SHARP * (steep[at] - quiet_steep):
            continue  # a shadow's
        side = _fitted(slope, signed, within, place, offsets, at, float(skews[which[at]]))
        if side is not None and side.support >= SEEN:
            return side
    return None


def _slopes(profiles: Array) -> tuple[Float, Float, Float]:
    """How steep the profiles are, in levels a px, in light or in colour; the same without what is soft; and
    that of the light alone, with its sign and capped.

    A shadow stays as steep when it is smoothed, an edge does not. What is steeper than a place itself is
    clipped before, or a strong edge would make the shadow beside it look sharp.
    """
    light = profiles.mean(axis=2)
    colour = (profiles[..., 0] - profiles[..., 2]) / 2
    narrow = np.stack([cv2.filter2D(each, -1, _derivative(SOFT_PX)) for each in (light, colour)], axis=2)
    size = np.abs(narrow)
    levels = 0.5 * 2.0 ** np.arange(9)
    broad = np.zeros_like(narrow)
    which = np.searchsorted(levels, size)
    for number, level in enumerate(levels):
        smoothed = cv2.GaussianBlur(
            np.clip(narrow, -level, level), (0, 0), sigmaX=SHADOW_PX / STEP_PX, sigmaY=0.01
        )
        broad = np.where(which == number, smoothed, broad)
    sharp = np.clip(size - SHADOW_SHARE * np.abs(broad), 0, None)
    signed = np.sign(narrow[..., 0]) * np.minimum(sharp[..., 0], CAPPED)
    return size.max(axis=2), sharp.max(axis=2), signed


def _derivative(deviation_px: float) -> Float:
    """The derivative of a Gaussian along rows, of a ramp of one level a px: 1."""
    reach = math.ceil(3 * deviation_px / STEP_PX)
    t = np.arange(-reach, reach + 1) * STEP_PX
    kernel = t * np.exp(-(t**2) / (2 * deviation_px**2))
    return np.asarray((kernel / (kernel * t).sum())[None], np.float32)


def _along_lines(planes: Float, within: Bool, shifts: Array) -> tuple[Float, Float]:
    """Means along lines, by skew and offset, and the share of each line within the picture.

    Args:
        planes: (places, offsets, K).
        within: (places, offsets) bool.
        shifts: (places, skews), in columns.
    """
    count, wide, kinds = planes.shape
    scores = np.empty((shifts.shape[1], wide, kinds), np.float32)
    shares = np.empty((shifts.shape[1], wide), np.float32)
    columns, rows = np.arange(wide)[None], np.arange(count)[:, None]
    for number in range(shifts.shape[1]):
        moved = columns + shifts[:, number, None]
        inside = (moved >= 0) & (moved < wide)
        moved = np.clip(moved, 0, wide - 1)
        inside &= within[rows, moved]
        total = inside.sum(axis=0)
        sums = np.einsum("ijk,ij->jk", planes[rows, moved], inside.astype(np.float32))
        scores[number] = sums / np.maximum(total, 1)[:, None]
        shares[number] = total / count
    return scores, shares


def _fitted(
    slope: Float, signed: Float, within: Bool, place: Array, offsets: Array, at: int, skew: float
) -> Side | None:
    """The line through the steepest points near a first one: of each place; of blocks where it is faint."""
    window = np.arange(-round(REACH_PX / STEP_PX), round(REACH_PX / STEP_PX) + 1)
    first = np.rint((offsets[at] + place * skew - offsets[0]) / STEP_PX).astype(np.intp)
    columns = first[:, None] + window[None]
    valid = (columns >= 0) & (columns < len(offsets))
    columns = np.clip(columns, 0, len(offsets) - 1)
    rows = np.arange(len(place))[:, None]
    valid &= within[rows, columns]
    inside = valid.all(axis=1)
    if inside.mean() < 0.4:
        return None
    outside = slice(-round(0.2 * len(offsets)), None)
    quiet = np.flatnonzero(within[:, outside].all(axis=1))
    base = offsets[0] + STEP_PX * first
    each = _lined(
        slope[rows, columns][inside],
        place[inside],
        base[inside],
        max(0.6, _usual_peak(slope[quiet, outside], len(window))),
    )
    parts = [part for part in np.array_split(np.flatnonzero(inside), BLOCKS) if len(part)]
    blocks = np.stack([signed[rows, columns][part].mean(axis=0) for part in parts])
    noise = [signed[part, outside].mean(axis=0) for part in np.array_split(quiet, BLOCKS) if len(part)]
    averaged = _lined(
        np.abs(blocks),
        np.array([place[part].mean() for part in parts]),
        np.array([base[part].mean() for part in parts]),
        max(0.15, _usual_peak(np.abs(np.array(noise)), len(window))),
    )
    fits = [fit for fit in (each, averaged) if fit is not None]
    if not fits:
        return None
    middle, slant, support = fits[0] if fits[0][2] >= SEEN else max(fits, key=lambda fit: fit[2])
    return Side(middle, math.atan(slant), support, float(inside.mean()))


def _usual_peak(values: Float, wide: int) -> float:
    """What the steepest of ``wide`` places beside each other seldom reaches where there is no edge."""
    parts = values.shape[1] // wide if values.ndim == 2 and len(values) else 0
    if not parts:
        return 0.0
    peaks = values[:, : parts * wide].reshape(len(values), parts, wide).max(axis=2)
    return float(np.percentile(peaks, 90))


def _lined(values: Float, place: Array, base: Array, floor: float) -> tuple[float, float, float] | None:
    """A robust line through the peaks of some rows: its middle, its slant, and the share of rows on it."""
    top = np.clip(values.argmax(axis=1), 1, values.shape[1] - 2)
    rows = np.arange(len(values))
    before, here, after = (values[rows, top + k] for k in (-1, 0, 1))
    bend = before - 2 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        fine = np.clip(np.where(bend < 0, 0.5 * (before - after) / bend, 0), -0.5, 0.5)
    found = base + (top - values.shape[1] // 2 + fine) * STEP_PX
    seen = here > floor
    if seen.sum() < 8:
        return None
    weight = np.where(seen, np.minimum(here, CAPPED), 0)
    slant, middle = 0.0, float(np.median(found[seen]))
    if np.ptp(place) > 0:
        slant = float(np.polyfit(place, base, 1)[0])
        middle = float(np.median((found - slant * place)[seen]))
    spread = 1.5
    for _ in range(8):
        rest = found - middle - slant * place
        spread = max(0.15, 1.4826 * float(np.median(np.abs(rest[seen]))))
        robust = weight * np.clip(1 - (rest / (3 * spread)) ** 2, 0, None) ** 2
        total = robust.sum()
        if total <= 0:
            return None
        mean_place, mean_found = (robust * place).sum() / total, (robust * found).sum() / total
        varied = (robust * (place - mean_place) ** 2).sum()
        slant = float((robust * (place - mean_place) * (found - mean_found)).sum() / max(varied, 1e-9))
        middle = float(mean_found - slant * mean_place)
    on_line = seen & (np.abs(found - middle - slant * place) < ON_LINE_PX)
    return middle, slant, float(on_line.mean())
