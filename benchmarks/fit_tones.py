"""Fit what a faded picture's black and white were: src/remend/restoration/tones.json.

python -m benchmarks.fit_tones PICTURES.tar…

Photographs are faded in many ways; ridge regression learns from their tones where black and white of each
channel had been. Reproducible: the same pictures give the same file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.restoration.tones import MODEL, ends_of, signs_of
from remend.train.data.pictures import read_pictures

TIMES = 3  # a picture is faded
RIDGE = 1e-3


def faded(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Black and white of each channel moved towards each other, alike and apart."""
    severity = rng.uniform(0.3, 1.3)
    black = severity * (rng.uniform(20, 60) + rng.uniform(-15, 25, 3))
    white = 255 - severity * (255 - (rng.uniform(170, 225) + rng.uniform(-35, 15, 3)))
    black, white = np.clip(black, 0, 110), np.clip(white, 130, 255)
    return np.clip(np.rint(black + image * ((white - black) / 255)), 0, 255).astype(np.uint8)


def main() -> None:
    """Fit, and write the file."""
    pictures = read_pictures([Path(name) for name in sys.argv[1:]], least_px=96)
    rng = np.random.default_rng(0)
    signs, ends = [], []
    for number in range(0, len(pictures), 2):
        image = np.asarray(cv2.resize(pictures[number], (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
        if image.std() < 15 or np.ptp(image.astype(int), axis=2).mean() < 3:
            continue  # empty or grey: grey pictures get one curve, and no regression
        for _ in range(TIMES):
            signs.append(signs_of(faded(image, rng)))
            ends.append(np.concatenate(ends_of(image)))
    x, y = np.array(signs), np.array(ends)
    middle, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-4)
    design = np.column_stack([(x - middle) / spread, np.ones(len(x))])
    inner = design.T @ design + len(x) * RIDGE * np.eye(design.shape[1])
    weights = np.linalg.solve(inner, design.T @ y)
    off = np.sqrt(np.mean((design @ weights - y) ** 2, axis=0))
    groups = ", ".join(Path(name).name for name in sys.argv[1:])
    table = {
        "pictures": f"{len(x) // TIMES} photographs in colour of {groups}",
        "off_levels": [round(float(one), 1) for one in off],
        "middle": [round(float(one), 6) for one in middle],
        "spread": [round(float(one), 6) for one in spread],
        "weights": [[round(float(one), 5) for one in row] for row in weights],
    }
    MODEL.write_text(json.dumps(table) + "\n", encoding="utf-8")
    print(f"{len(x):,} samples, off by {off.round(1)} levels")


if __name__ == "__main__":
    main()
