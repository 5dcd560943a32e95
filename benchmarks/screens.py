"""Halftones: made screens found and taken off, and clean pictures that must have none.

python -m benchmarks.screens            # all of Kodak24, CID22, LIVE1 and textures; some minutes
python -m benchmarks.screens --made     # made screens alone
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import data

from benchmarks.line import print_line
from benchmarks.restoring import decibels, pictures
from remend.damage.synth.halftone import screened
from remend.picture import Picture
from remend.restoration.screens import estimate_screen, take_off_screen

SIDE = 384
CASES = [
    (dpi / lpi, inks)
    for dpi, lpi in ((300, 85), (300, 133), (600, 85), (600, 133), (600, 200))
    for inks in (1, 4)
]
TEXTURES = ("brick", "grass", "gravel")


def made() -> dict[str, Any]:
    """Every fourth picture of Kodak24 on screens at angles of its own: found, period, decibels."""
    found, off, rows = 0, [], {}
    number = 0
    for period, inks in CASES:
        before, after = [], []
        for image in pictures("kodak24", SIDE)[::4]:
            number += 1
            turned = np.random.default_rng(number).uniform(0, 90)
            truth = _grey(image) if inks == 1 else image
            worn = screened(truth, period, inks=inks, angles=[turned + one for one in (15, 75, 0, 45)])
            screen = estimate_screen(worn)
            before.append(decibels(worn, truth))
            after.append(before[-1])
            if screen is not None:
                found += 1
                off.append(abs(screen.period_px / period - 1))
                picture = Picture(worn.copy(), "RGB")
                take_off_screen(picture, screen)
                after[-1] = decibels(np.asarray(picture.samples, np.uint8), truth)
        name = f"{period:.2f}_px_{inks}_inks"
        rows[name] = {"screened": round(np.mean(before), 2), "remend": round(np.mean(after), 2)}
        print(name, rows[name], file=sys.stderr)
    return {"found": found, "of": number, "period_off_most": round(max(off), 5), **rows}


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(np.rint(image.mean(axis=2, keepdims=True)), 3, axis=2).astype(np.uint8)


def clean() -> dict[str, Any]:
    """How many clean pictures and textures are taken for screened."""
    taken = {
        name: len([1 for one in pictures(name) if estimate_screen(one)])
        for name in ("kodak24", "cid22_val", "live1")
    }
    textures = [np.repeat(getattr(data, name)()[..., None], 3, axis=2) for name in TEXTURES]
    return {**taken, "textures": len([1 for one in textures if estimate_screen(one)])}


def main() -> dict[str, Any]:
    """Measure, and print the line."""
    figures = {"made": made()}
    if "--made" not in sys.argv:
        figures["clean_taken_for_screened"] = clean()
    return print_line("screens", **figures)


if __name__ == "__main__":
    main()
