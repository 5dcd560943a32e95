"""Whole pictures, damaged pictures, a teacher: the same small net, the same crops, the same number of steps.

python -m benchmarks.ways_of_learning --data photos/ --backbone squeezenet….h5 --teacher inpaint.onnx \
       --out runs/ways --pairs pairs/cid22_val --archive old-000.tar

Arms, `remend --preset small` at 64² each:

- supervised: whole pictures;
- unsupervised: the same pictures with scratches, stains and strokes over them, and masks that say where
  (`data.damage`);
- damaged_unmarked: those pictures without the masks: what happens to those who do not look;
- distilled: whole pictures, and the fills of a teacher to follow besides.

With `--archive`, the unsupervised arm then goes on with real old photographs, of which none is whole;
validation on those that are set aside, before and after, says whether it pays.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from benchmarks.line import print_line
from benchmarks.short_runs import means
from remend.damage.synth import make_mask
from remend.evaluation.learned import judges
from remend.evaluation.pairs import find_pairs
from remend.evaluation.run import evaluate
from remend.train.data.pictures import read_pictures

PICTURES = 1_500
ASIDE_ARCHIVE = 21
KINDS = ("scratches", "dust", "stains", "free-form")


def damage(sources: list[Path], out: Path) -> None:
    """Write ``whole/``, ``damaged/`` (the same with wear) and ``masks/`` (where it is)."""
    if (out / "masks").is_dir():
        return
    pictures = read_pictures(sources, least_px=128, say=lambda _: None)
    for folder in ("whole", "damaged", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    step = max(1, len(pictures) // PICTURES)
    for number, index in enumerate(range(0, len(pictures), step)):
        picture = cv2.cvtColor(pictures[index], cv2.COLOR_RGB2BGR)
        size, rng = picture.shape[:2], np.random.default_rng(number)
        mask = make_mask(KINDS[number % len(KINDS)], size, seed=number)
        # Paper shows where the layer is gone; sometimes dirt lies on it.
        colour = rng.integers(190, 250) if number % 3 else rng.integers(5, 60)
        worn = np.where(mask[..., None], np.uint8(colour), picture)
        for folder, content in (("whole", picture), ("damaged", worn)):
            cv2.imwrite(str(out / folder / f"{number:05d}.png"), content)
        cv2.imwrite(str(out / "masks" / f"{number:05d}.png"), mask.astype(np.uint8) * 255)


def learn(name: str, data: Path, options: argparse.Namespace, *settings: str, samples: int) -> Path:
    """One arm; a finished run is not done again."""
    out: Path = options.out / name
    command = [sys.executable, "-m", "remend", "train", "remend", "--preset", "small", "--data", str(data)]
    command += ["--out", str(out), "--resume", "auto", "--accelerator", "cpu"]
    fixed = ["data.crop_px=64", "data.validation_px=64", "train.batch=16", f"train.samples={samples}"]
    for setting in (f"loss.backbone={options.backbone}", *fixed, *settings):
        command += ["--set", setting]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=sys.stderr)
    return out


def validated(run: Path) -> dict[str, float]:
    """The last line of a run's validation."""
    with (run / "validation.csv").open() as file:
        row = list(csv.DictReader(file))[-1]
    return {name: round(float(row[name]), 3) for name in row if name.startswith(("psnr", "sharp"))}


def main() -> None:
    """Learn, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--backbone", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, action="append", default=[])
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--samples", type=int, default=12_000)
    options = parser.parse_args()
    damage(options.data, options.out)
    whole, worn = options.out / "whole", options.out / "damaged"
    masks, samples = f"data.damage={options.out / 'masks'}", options.samples
    runs = [
        learn("supervised", whole, options, samples=samples),
        learn("unsupervised", worn, options, masks, samples=samples),
        learn("damaged_unmarked", worn, options, samples=samples),
        learn(
            "distilled", whole, options, "loss.distill=1", f"loss.teacher={options.teacher}", samples=samples
        ),
    ]
    learned, _ = judges(features=[options.backbone])
    for folder in options.pairs:
        found = evaluate(
            find_pairs(folder).pairs, ["telea", "smooth", *(str(run) for run in runs)], learned=learned
        )
        print_line("ways_of_learning", set=folder.name, protocol=found.protocol.short, figures=means(found))
    if options.archive:
        start = f"transfer.weights={options.out / 'unsupervised'}"
        shared = (start, "data.damage=find", f"data.validation={ASIDE_ARCHIVE}")
        before = learn("archive_before", options.archive, options, *shared, samples=0)
        after = learn(
            "archive_after", options.archive, options, *shared, "train.lr=3e-4", samples=samples // 2
        )
        print_line("archive", before=validated(before), after=validated(after), samples=samples // 2)


if __name__ == "__main__":
    main()
