"""Straight scratches of film transport, from edge to edge: how many are found to 80 % of their length.

Seven photographs with three scratches each, one at a time and all three together; down and across, light
and dark, straight and waving by 3 px.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import WITHIN_PX, widened
from benchmarks.finding.finder import found_in
from benchmarks.finding.outlines import SEEN
from benchmarks.finding.pictures import clean_photographs
from remend.picture import Bool, Float

PICTURES, PLACES = 7, 3
WIDTH_PX, LEVELS, WAVE_PX, WAVES = 2.0, 60, 3.0, 2.5
ENOUGH = 0.8
TONES = {"light": LEVELS, "dark": -LEVELS}


def measure(every: int) -> Measured:
    """Scratch seven pictures; with ``every`` above 1, at one place of the three."""
    photos = [photo.pixels for photo in clean_photographs(1)]
    chosen = [photos[round(index)] for index in np.linspace(0, min(23, len(photos) - 1), PICTURES)]
    alone: dict[str, int] = {}
    together: dict[str, int] = {}
    places = range(PLACES) if every == 1 else range(1)
    for number, picture in enumerate(chosen):
        rng = np.random.default_rng([14, number])
        spots = [(index + float(rng.uniform(0.2, 0.8))) / PLACES for index in range(PLACES)]
        for turned, (tone, levels), wave in itertools.product((False, True), TONES.items(), (0.0, WAVE_PX)):
            name = f"{'across' if turned else 'down'}, {tone}, {'waving' if wave else 'straight'}"
            upright = np.ascontiguousarray(picture.transpose(1, 0, 2)) if turned else picture
            lines = [scratch(upright.shape[:2], spot, wave) for spot in spots]
            for place in places:
                alone[name] = alone.get(name, 0) + _met(upright, [lines[place]], levels, turned)
            together[name] = together.get(name, 0) + _met(upright, lines, levels, turned)
    of = PICTURES * len(places)
    bars = [
        Bar(f"transport scratches of 21: {name}", found * 21 / of, 18, 21)
        for name, found in alone.items()
        if "straight" in name
    ]
    return Measured(
        {"of": of, "one_in_a_picture": alone, "three_of": 21, "three_in_a_picture": together}, bars
    )


def scratch(size: tuple[int, int], spot: float, wave_px: float) -> Float:
    """(H, W) coverage of a line from top to bottom at ``spot`` of the width."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    middle = spot * size[1] + wave_px * np.sin(2 * np.pi * WAVES * y / size[0])
    return np.asarray(np.clip(WIDTH_PX / 2 + 0.5 - np.abs(x - middle), 0, 1), np.float32)


def found_length(found: Bool, damaged: Bool) -> float:
    """Share of the rows that a scratch is seen in where it is found; 1 where it is never seen."""
    seen = damaged.any(axis=1)
    met = (damaged & widened(found, WITHIN_PX)).any(axis=1)
    return float(met.sum() / seen.sum()) if seen.any() else 1.0


def _met(upright: NDArray[np.uint8], lines: list[Float], levels: int, turned: bool) -> int:
    """How many of the lines are found, all laid at once; the finder sees the picture as it stands."""
    damaged = upright.astype(np.float32)
    for line in lines:
        damaged += levels * line[..., None]
    pixels = np.rint(np.clip(damaged, 0, 255)).astype(np.uint8)
    shown = np.ascontiguousarray(pixels.transpose(1, 0, 2)) if turned else pixels
    found = found_in(shown)
    found = np.ascontiguousarray(found.T) if turned else found
    seen = np.abs(pixels.astype(np.int16) - upright).max(axis=2) >= SEEN
    return sum(found_length(found, seen & (line > 0)) >= ENOUGH for line in lines)
