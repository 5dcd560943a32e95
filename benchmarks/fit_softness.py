"""Fit how soft a picture is (``src/remend/damage/softness.json``) to enlargements of photographs.

    python benchmarks/fit_softness.py SHARD.tar… [--every 3] [--shapes film.jsonl.gz]

Parts of photographs, half of them damaged, are enlarged 1 to 8 times in one of the usual ways; a third gets
noise, two fifths are compressed. Printed is how far off, in octaves, the answer is on pictures that the
network was not fitted to (four folds). Cost: some five minutes for three thousand parts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from remend.damage.perceptron import perceptron_from
from remend.damage.softness import SOFTNESS_SIGNS, softness_signs
from remend.train.data.pictures import read_pictures
from remend.train.finder.crops import Ageing, aged, lay
from remend.train.finder.maps import Outlines, draw_map
from remend.train.finder.perceptron import fit_perceptron

PLACE = Path(__file__).parents[1] / "src" / "remend" / "damage" / "softness.json"
FACTORS = (1.0, 1.0, 1.0, 1.2, 1.4, 1.7, 2.0, 2.0, 2.8, 4.0, 4.0, 5.6, 8.0)
WAYS = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)
PART_PX, MOST_PX = 512, 2048
FOLDS, HIDDEN, EPOCHS, BATCH = 4, (16,), 300, 256


def made(
    picture: NDArray[np.uint8], outlines: Outlines | None, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """A part of a photograph, enlarged, and by how many octaves."""
    factor = float(rng.choice(FACTORS))
    side = min(PART_PX, int(MOST_PX / factor), *picture.shape[:2])
    top, left = (int(rng.integers(n - side + 1)) for n in picture.shape[:2])
    part = aged(picture[top : top + side, left : left + side], rng, Ageing())
    if rng.random() < 0.5:
        label = np.zeros(part.shape[:2], np.uint8)
        part = lay(part, label, [draw_map(side + 32, rng=rng, outlines=outlines)], rng)
    if factor > 1:
        part = np.asarray(
            cv2.resize(part, None, fx=factor, fy=factor, interpolation=WAYS[rng.integers(3)]), np.uint8
        )
    if rng.random() < 0.35:
        part = np.clip(part + rng.normal(0, rng.uniform(1, 10), part.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
        part = np.asarray(cv2.imdecode(cv2.imencode(".jpg", part, quality)[1], cv2.IMREAD_COLOR), np.uint8)
    return part, float(np.log2(factor))


def _loss(score: torch.Tensor, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return (functional.smooth_l1_loss(score, wanted, beta=0.3, reduction="none") * counts).mean()


def main() -> None:
    """Measure, fit, say how well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--shapes", type=Path)
    options = parser.parse_args()
    pictures = read_pictures(options.shards, least_px=256)
    outlines = Outlines(options.shapes) if options.shapes else None
    rows, octaves, fold = [], [], []
    for number in range(0, len(pictures), options.every):
        rng = np.random.default_rng([5, number])
        part, octave = made(pictures[number], outlines, rng)
        rows.append(softness_signs(part)[0])
        octaves.append(octave)
        fold.append(number // options.every % FOLDS)
    signs, wanted, folds = np.stack(rows), np.array(octaves, np.float32), np.array(fold)
    common = {"hidden": HIDDEN, "epochs": EPOCHS, "batch": BATCH}
    off = np.empty(len(wanted))
    for k in range(FOLDS):
        table, _ = fit_perceptron(SOFTNESS_SIGNS, signs[folds != k], wanted[folds != k], _loss, **common)
        off[folds == k] = np.clip(perceptron_from(table)(signs[folds == k]), 0, 3) - wanted[folds == k]
    for octave in np.unique(wanted):
        of_it = off[wanted == octave]
        print(f"×{2**octave:.1f}: {len(of_it)} off by {np.abs(of_it).mean():.2f}, mean {of_it.mean():+.2f}")
    table, _ = fit_perceptron(SOFTNESS_SIGNS, signs, wanted, _loss, **common)
    PLACE.write_text(json.dumps(table, indent=None) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
