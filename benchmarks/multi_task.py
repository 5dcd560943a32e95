"""Restoration and classification from one encoder, against each alone at equal steps: who gains, who pays?

    python -m benchmarks.multi_task [--samples 12800] [--seeds 1] [--few 75]
    python -m benchmarks.multi_task --data FOLDER-OF-CLASSES --seconds 1200

A narrow `remend` learns from the same pictures, crops of 64², the same number of steps and the same seeds: to
restore alone, to classify alone, and both at once; with a label on every picture, and with `--few` labelled
ones. A line a run, seed by seed: hole PSNR and accuracy of the averaged weights on a third of the pictures,
which nobody learned from, each damaged and cut once. Where a few are labelled, classification alone learns
from these pictures alone, and both at once draws half of its crops from them.

The pictures are scenes with a class each: rooms and fronts of houses, weather, aerial views; without the
shared pictures, or `--data` with a folder a class, there is nothing to measure. All are made small first (96
px), so that a crop shows most of its scene. `--seconds` chooses the number of crops by a short trial.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.line import SHARED, print_line

SIDE = 64
SHORT_PX = 96
SHARDS = ("permissive-000", "permissive-001", "research-000", "research-001", "research-002")
AERIAL = dict(
    zip("abcdefg", ("grass", "field", "industry", "river", "forest", "homes", "parking"), strict=True)
)
RECIPE: dict[str, Any] = {
    "net": "remend",
    "options": {"widths": [16, 24, 48], "dilations": [1, 2, 4]},
    "data": {"crop_px": SIDE, "validation_px": SIDE, "validation": 0, "scale_from": 0.7, "grey": 0.0},
    "loss": {"perceptual": 0.0},
    "train": {
        "batch": 16,
        "optimizer": "muon",
        "lr": 1e-3,
        "warmup": 1_600,
        "save_minutes": 1000.0,
        "validate_every": 10**9,
        "keep": 1,
    },
}
ALONE = {"hole": 0.0, "ring": 0.0}  # no restoration


def rows(few: int, only: str = "") -> dict[str, dict[str, Any]]:
    """What is compared: sections of the recipe by the row's name; ``only`` those whose names hold this."""
    task = {"classification": 1.0}
    some = {"few": few, "share": 0.5}
    every = {
        "restoration alone": {},
        "classification alone, all labels": {"loss": ALONE, "tasks": task},
        "both, all labels": {"tasks": task},
        "both, all labels, fixed at 0.1": {"tasks": {"weigh": "fixed", "classification": 0.1}},
        "both, all labels, fixed at 0.01": {"tasks": {"weigh": "fixed", "classification": 0.01}},
        f"classification alone, {few} labels": {"loss": ALONE, "tasks": task, "data": {"few": few}},
        f"both, {few} labels": {"tasks": task | some},
        f"both, {few} labels, fixed at 0.01": {
            "tasks": some | {"weigh": "fixed", "classification": 0.01},
        },
    }
    return {name: sections for name, sections in every.items() if only in name}


def scenes() -> dict[str, str]:
    """The class of each shared picture that has one, by its name in a run."""
    found = {}
    with (SHARED / "train" / "manifest.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            name = Path(row["origin"]).stem.rsplit("_", 1)[-1]
            word = name.rstrip("0123456789")
            if row["source"].startswith("houses"):
                kind = f"house {word}"
            elif row["source"] == "weather":
                kind = f"weather {word}"
            elif row["source"] == "rsscn7":
                kind = f"aerial {AERIAL[name[0]]}"
            else:
                continue
            found[f"{Path(row['shard']).stem}/{row['name']}"] = kind
    return found


def labelled(data: Path | None) -> Iterator[Any]:
    """Records of small pictures with a class each."""
    from remend.train.data.sources import list_records

    if data is not None:
        named = {r.name: (r, r.labels[0]) for r in list_records([data], annotations=True).records if r.labels}
    else:
        kinds = scenes()
        listing = list_records([SHARED / "train" / f"{name}.tar" for name in SHARDS])
        named = {r.name: (r, kinds[r.name]) for r in listing.records if r.name in kinds}
    for record, kind in named.values():
        picture = record.pixels()
        factor = SHORT_PX / min(picture.shape[:2])
        if factor < 1:
            picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        yield replace(record, stored=np.ascontiguousarray(picture), labels=(kind,))


def write_pictures(data: Path | None, folder: Path) -> tuple[Path, Path, dict[str, int]]:
    """``(to learn from, to measure on, pictures by class)``: shards; a third is to measure on."""
    from remend.train.data.sources import few_names, write_shards

    records = sorted(labelled(data), key=lambda record: record.name)
    held = few_names([record.name for record in records], len(records) // 3)
    counts: dict[str, int] = {}
    for record in records:
        counts[record.labels[0]] = counts.get(record.labels[0], 0) + 1
    write_shards((r for r in records if r.name not in held), folder / "learn", prefix="learn")
    write_shards((r for r in records if r.name in held), folder / "measure", prefix="measure")
    return folder / "learn", folder / "measure", counts


def recipe_of(sections: dict[str, Any], samples: int, seed: int) -> Any:
    """A row's recipe."""
    from remend.train.config import from_dict

    merged = {name: RECIPE.get(name, {}) | section for name, section in sections.items()}
    plan = RECIPE["train"] | {"samples": samples, "seed": seed, "log_every": max(samples // 10, 16)}
    plan |= {"ema_half_life": max(samples // 20, 16), "warmup": min(RECIPE["train"]["warmup"], samples // 10)}
    return from_dict(RECIPE | merged | {"train": plan})


def questions(learn_from: Path, measure_on: Path) -> tuple[list[Any], float]:
    """Samples to measure on, all labelled, and what the base fill alone scores on them."""
    from remend.train.data.labels import read_labels
    from remend.train.data.pictures import read_pictures
    from remend.train.data.samples import validation_samples
    from remend.train.run.validation import base_scores

    labels = read_labels((learn_from, measure_on), recipe_of({"tasks": {"classification": 1.0}}, 0, 0).tasks)
    samples = validation_samples(read_pictures([measure_on], least_px=SIDE), SIDE, labels=labels)
    return samples, base_scores(samples)["psnr"]


def learn(recipe: Any, learn_from: Path, out: Path, samples: list[Any]) -> dict[str, float]:
    """Train once; what the averaged weights score on ``samples``."""
    import torch

    from remend.nets.registry import build
    from remend.nets.weights import checkpoint
    from remend.train.data.labels import read_labels
    from remend.train.request import Run
    from remend.train.run.loop import train
    from remend.train.run.validation import fill_samples, scores
    from remend.train.tasks.heads import Heads
    from remend.train.tasks.scores import task_scores

    outcome = train(Run(recipe, (learn_from,), out, accelerator="cpu", say=lambda _: None))
    if outcome.stopped_by is not None:
        sys.exit(128 + outcome.stopped_by)
    tensors = checkpoint.read(outcome.checkpoint).tensors
    net = build(recipe.net, recipe.options).eval()
    net.load_state_dict(tensors["ema"])
    labels = read_labels((learn_from,), recipe.tasks)
    device, found = torch.device("cpu"), {}
    if recipe.loss.weights():
        found["psnr"] = scores(samples, fill_samples(net, samples, device))["psnr"]
    if labels is not None:
        heads = Heads.of(net, recipe, labels).eval()
        heads.load_state_dict(tensors["heads_ema"])
        found["accuracy"] = task_scores(net, heads, samples, device)["accuracy"]
    return found


def main() -> dict[str, object]:
    """A line a run, and one of all."""
    from remend.train.data import samples as drawn

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of folders by class, or another labelled set")
    parser.add_argument("--samples", type=int, default=12_800, help="crops of each run")
    parser.add_argument("--seconds", type=float, help="of all runs together; sets --samples by a trial")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--few", type=int, default=75)
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose names hold this")
    options = parser.parse_args()
    if options.data is None and not (SHARED / "train" / "manifest.tsv").exists():
        sys.exit("no shared pictures here: give --data FOLDER, with a folder of pictures a class")
    # A run makes its bank of masks once, half a minute of one core, spread over ten thousand crops of many.
    drawn.MaskBank = partial(drawn.MaskBank, size=16)  # type: ignore[assignment,misc]
    since = time.monotonic()
    compared = rows(options.few, options.only)
    table: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learn_from, measure_on, counts = write_pictures(options.data, folder)
        asked, base = questions(learn_from, measure_on)
        crops = options.samples
        if options.seconds:
            trial, began = 1_600, time.monotonic()
            learn(
                recipe_of(rows(options.few)["both, all labels"], trial, 0),
                learn_from,
                folder / "trial",
                asked,
            )
            speed = trial / (time.monotonic() - began)
            crops = max(trial, int(options.seconds * speed / (len(compared) * options.seeds)))
        for seed in range(options.seeds):
            for row, sections in compared.items():
                began = time.monotonic()
                run = learn(recipe_of(sections, crops, seed), learn_from, folder / f"{row} {seed}", asked)
                took = round(time.monotonic() - began)
                rounded = {key: round(value, 3) for key, value in run.items()}
                print_line("multi_task", row=row, seed=seed, crops=crops, **rounded, seconds=took)
                for key, value in rounded.items():
                    table.setdefault(row, {}).setdefault(key, []).append(value)
    return print_line(
        "multi_task",
        what=f"hole PSNR and accuracy on held-out pictures after {crops:,} crops of {SIDE}², "
        f"{options.seeds} seeds; {sum(counts.values())} pictures of {len(counts)} classes, a third held out",
        classes=counts,
        base_fill=round(base, 3),
        rows={
            row: {key: round(statistics.mean(values), 3) for key, values in scores.items()}
            for row, scores in table.items()
        },
        seeds=table,
        seconds=round(time.monotonic() - since),
    )


if __name__ == "__main__":
    main()
