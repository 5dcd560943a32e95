"""Decibels that the default command wins, as a share of what the same fills win with the true mask."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import mean
from benchmarks.finding.outlines import Laid, judged, laid_pictures
from benchmarks.finding.pictures import photographs
from remend import repair
from remend.damage.synth import damage_picture

MADE = ("scratches", "dust", "cracks")
LIMITS = {"film shapes": (0.25, 0.5), **dict.fromkeys(MADE, (0.5, 0.75))}
STEP = 2  # of the pictures asked for: every one of them is repaired twice, four times over


def psnr(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Of the whole picture, in decibels; 99 where nothing differs."""
    error = float(((picture.astype(np.float64) - truth) ** 2).mean())
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)


def damaged_pictures(kind: str, every: int) -> Iterator[tuple[NDArray[np.uint8], Laid]]:
    """(clean, damaged)."""
    if kind == "film shapes":
        for photo, laid in laid_pictures(every):
            yield photo.pixels, laid
        return
    for photo in photographs(every):
        pixels, _ = damage_picture(photo.pixels, kind, seed=photo.number)
        yield photo.pixels, judged(photo.pixels, pixels)


def measure(every: int) -> Measured:
    """Repair every second of every n-th picture."""
    figures, bars = {}, []
    for kind, limits in LIMITS.items():
        found, given = [], []
        for clean, laid in damaged_pictures(kind, STEP * every):
            if not laid.truth.any():
                continue
            before = psnr(laid.pixels, clean)
            found.append(psnr(repair(laid.pixels), clean) - before)
            given.append(psnr(repair(laid.pixels, laid.touched), clean) - before)
        share = mean(found) / mean(given)
        figures[kind] = {
            "pictures": len(found),
            "found_db": round(mean(found), 2),
            "true_mask_db": round(mean(given), 2),
            "share": round(share, 3),
            "made_worse": sum(gain < 0 for gain in found),
        }
        bars.append(Bar(f"gain, {kind}: share of the true mask's", share, *limits))
    return Measured(figures, bars)
