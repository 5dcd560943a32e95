"""Whether confidence is true: of regions that say .9, nine in ten should be right; and sensitivity.

Pictures with film marks and the same pictures without them, one to one. A region is right when half of its
pixels lie within 2 px of changed ones.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import WITHIN_PX, mean, widened
from benchmarks.finding.finder import found_in
from benchmarks.finding.outlines import laid_pictures
from remend.damage.find import find_damage
from remend.picture import Bool

EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
WATCHED = 6  # pictures on which sensitivity is moved

Said = list[tuple[float, bool]]


def measure(every: int) -> Measured:
    """Search every n-th picture, damaged and clean, as by default and for all that might be."""
    said: dict[float, Said] = {0.5: [], 1.0: []}
    shares: list[list[float]] = []
    nested = True
    for photo, laid in laid_pictures(every):
        near = widened(laid.touched, WITHIN_PX)
        for sensitivity, of in said.items():
            of += regions_right(laid.pixels, near, sensitivity)
            of += regions_right(photo.pixels, np.zeros_like(near), sensitivity)
        if len(shares) < WATCHED:
            masks = [found_in(laid.pixels, sensitivity=step) for step in STEPS]
            shares.append([100 * float(mask.mean()) for mask in masks])
            nested &= all(not (masks[k] & ~masks[k + 1]).any() for k in range(len(masks) - 1))
    falls = sum(float(np.diff(row).min()) < 0 for row in shares)
    sure = mean(right for confidence, right in said[0.5] if confidence >= 0.9)
    figures = {
        "default": by_confidence(said[0.5]),
        "everything": by_confidence(said[1.0]),
        "percent_by_sensitivity": dict(
            zip(map(str, STEPS), np.round(np.mean(shares, axis=0), 4).tolist(), strict=True)
        ),
        "sensitivity_nested": nested,
        "pictures_where_more_finds_less": falls,
    }
    bars = [
        Bar("regions that say .9 and more: right", sure, 0.9),
        Bar("pictures where more sensitivity finds less", falls, 0, at_most=True),
    ]
    return Measured(figures, bars)


def regions_right(picture: NDArray[np.uint8], near: Bool, sensitivity: float) -> Said:
    """(confidence, right) of every region."""
    return [
        (region.confidence, bool(near[region.box.slices][region.mask].mean() >= 0.5))
        for region in find_damage(picture, sensitivity=sensitivity)
    ]


def by_confidence(said: Said) -> dict[str, dict[str, float]]:
    """A row a bin: how many, what they say, how many are right."""
    rows = {}
    for low, high in itertools.pairwise(EDGES):
        inside = [pair for pair in said if low <= pair[0] < high or (high == 1 and pair[0] == 1)]
        if inside:
            rows[f"{low:g} to {high:g}"] = {
                "regions": len(inside),
                "said": round(mean(confidence for confidence, _ in inside), 3),
                "right": round(mean(right for _, right in inside), 3),
            }
    return rows
