"""Dust and scratches by infrared on made scans of film: found pixels against true ones, films refused.

python -m benchmarks.infrared          # Kodak24, the middle 448² of each
python -m benchmarks.infrared --all    # and CID22's
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.counts import Counts, count
from benchmarks.line import SHARED, print_line
from benchmarks.made_infrared import FILMS, make_film
from benchmarks.scans import pictures
from remend.damage.infrared import InfraredError, find_by_infrared

SIDE, FIRST_SEED = 448, 500


def middles(folders: tuple[str, ...]) -> list[NDArray[np.uint8]]:
    """The middles of development pictures."""
    found = []
    for image in (one for folder in folders for one in pictures(folder)):
        top, left = ((n - SIDE) // 2 for n in image.shape[:2])
        found.append(np.ascontiguousarray(image[top : top + SIDE, left : left + SIDE]))
    return found


def on_colour_film(images: list[NDArray[np.uint8]]) -> dict[str, Any]:
    """F1 within 0, 1 and 2 px, and how long it takes."""
    sums = {px: Counts() for px in (0, 1, 2)}
    refused, clean, single, spent = 0, 0, list[float](), 0.0
    for number, image in enumerate(images):
        film = make_film(image, FIRST_SEED + number)
        begun = time.process_time()
        try:
            found = find_by_infrared(film.colours, film.infrared, same_scan=True)
        except InfraredError:
            refused += 1
            found = np.zeros(film.truth.shape, bool)
        spent += time.process_time() - begun
        for px in sums:
            sums[px] += count(found, film.truth, film.faint, within_px=px)
        single.append(count(found, film.truth, film.faint).f1)
        bare = make_film(image, FIRST_SEED + number, dirty=False)
        try:
            clean += int(find_by_infrared(bare.colours, bare.infrared, same_scan=True).sum())
        except InfraredError:
            continue
    two = sums[2]
    row = {
        "scans": len(images),
        "f1_within_2_px": round(two.f1, 3),
        "precision": round(two.precision, 3),
        "recall": round(two.recall, 3),
        "f1_within_1_px": round(sums[1].f1, 3),
        "f1_exact": round(sums[0].f1, 3),
        "f1_median_of_scans": round(float(np.median(single)), 3),
        "refused": refused,
        "marked_on_clean_film": round(clean / (len(images) * SIDE * SIDE), 6),
        "seconds_a_megapixel": round(spent / (len(images) * SIDE * SIDE / 1e6), 2),
    }
    print(row, file=sys.stderr)
    return row


def refusals(images: list[NDArray[np.uint8]]) -> dict[str, str]:
    """How many scans of the other films are refused."""
    row = {}
    for name in FILMS:
        if name == "colour":
            continue
        refused = 0
        for number, image in enumerate(images):
            film = make_film(image, FIRST_SEED + number, name)
            try:
                find_by_infrared(film.colours, film.infrared, same_scan=True)
            except InfraredError:
                refused += 1
        row[f"{name}_refused"] = f"{refused} of {len(images)}"
    print(row, file=sys.stderr)
    return row


def main() -> dict[str, Any]:
    """Measure, and print the line."""
    if not Path(SHARED).is_dir():
        sys.exit("needs the development sets of ../shared/data")
    images = middles(("kodak24", "cid22_val") if "--all" in sys.argv else ("kodak24",))
    return print_line("infrared", **on_colour_film(images), **refusals(images))


if __name__ == "__main__":
    main()
