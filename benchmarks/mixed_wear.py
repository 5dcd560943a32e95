"""Restoring what wears pictures together: fading, scratches and dust, noise, JPEG, on Kodak24.

python -m benchmarks.mixed_wear
python -m benchmarks.mixed_wear 3    # every third picture

A print fades and is scratched, a scanner adds noise, a JPEG is what is kept. Decibels after `restore` against
those after the one step that helps each picture most.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.line import SHARED, print_line
from benchmarks.restoring import Rgb, coded, decibels, pictures
from remend.adapt import as_picture
from remend.damage.synth.layers import compose
from remend.damage.synth.wear import dust, scratches
from remend.options.restoration import STEPS, RestoreOptions
from remend.restoring import restore_picture

SIDE = 384


def worn(image: Rgb, number: int) -> bytes:
    """A picture as a JPEG of a noisy scan of a faded print with scratches and dust."""
    rng = np.random.default_rng([7, number])
    black, white = (
        rng.uniform(20, 60) + rng.uniform(-8, 12, 3),
        rng.uniform(170, 225) + rng.uniform(-18, 8, 3),
    )
    faded = np.clip(np.rint(black + image * ((white - black) / 255)), 0, 255).astype(np.uint8)
    layers = scratches(image.shape[:2], seed=rng) + dust(image.shape[:2], seed=rng)
    scanned = compose(faded, layers, rng) + rng.normal(0, rng.uniform(5, 15), image.shape)
    return coded(np.clip(np.rint(scanned), 0, 255).astype(np.uint8), int(rng.integers(40, 90)))


def restored(content: bytes, options: RestoreOptions) -> Rgb:
    """What restoring makes of a file."""
    return np.asarray(restore_picture(as_picture(content), options).picture.samples, np.uint8)


def main() -> dict[str, Any]:
    """Measure, and print the line."""
    if not Path(SHARED).is_dir():
        sys.exit("needs the development sets of ../shared/data")
    ways = {"all": RestoreOptions()} | {
        step: RestoreOptions(only=(step,)) for step in STEPS if step != "screen"
    }
    rows = []
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for number, image in list(enumerate(pictures("kodak24", SIDE)))[::step]:
        content = worn(image, number)
        row = {"worn": decibels(np.asarray(as_picture(content).samples), image)}
        row |= {way: decibels(restored(content, options), image) for way, options in ways.items()}
        row["best_single"] = max(row[way] for way in ways if way != "all")
        rows.append(row)
        print({name: round(value, 2) for name, value in row.items()}, file=sys.stderr)
    means = {name: round(float(np.mean([row[name] for row in rows])), 2) for name in rows[0]}
    means["over_best_single"] = round(means["all"] - means["best_single"], 2)
    means["pictures"] = len(rows)
    means["worse_than_best_single"] = sum(row["all"] < row["best_single"] - 0.05 for row in rows)
    return print_line("mixed_wear", kodak24=means)


if __name__ == "__main__":
    main()
