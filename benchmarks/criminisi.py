"""`criminisi` at 256² with a tenth of the picture missing: seconds, hole PSNR and SHARP.

The pictures are scikit-image's, the masks LaMa-medium strokes with fixed seeds.

python -m benchmarks.criminisi
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.line import print_line
from benchmarks.made_holes import hole_figures, picture, strokes
from remend.fill.criminisi import Criminisi

NAMES = ("astronaut", "brick", "grass", "coffee", "chelsea", "rocket")


def main() -> None:
    """Print the line."""
    cases = {}
    for seed, name in enumerate(NAMES):
        image, hole = picture(name, 256), strokes(256, seed=seed, share=0.1)
        window = image.astype(np.float32) / 255
        window[hole] = np.nan
        start = time.perf_counter()
        filled = Criminisi().fill(window, hole, usable=~hole)
        figures = {"seconds": time.perf_counter() - start, **hole_figures(filled.pixels * 255, image, hole)}
        cases[name] = {key: round(value, 3) for key, value in figures.items()}
    print_line(
        "criminisi",
        slowest_seconds=max(case["seconds"] for case in cases.values()),
        least_sharp=min(case["sharp"] for case in cases.values()),
        mean_sharp=round(float(np.mean([case["sharp"] for case in cases.values()])), 3),
        **cases,
    )


if __name__ == "__main__":
    main()
