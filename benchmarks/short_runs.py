"""The field's nets, each for about a quarter of an hour of one CPU (`--preset small`), then measured.

python -m benchmarks.short_runs --data photos/ --backbone squeezenet….h5 --out runs/short            # train
python -m benchmarks.short_runs --measure pairs/celeba_few --backbone squeezenet….h5 --out runs/short
python -m benchmarks.short_runs --sheet short-runs.webp --out runs/short                          # to look at

A net that has a finished run in the folder is not trained again; one that was stopped goes on. Measuring
takes every run that is there, and the classical fillers beside them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.line import print_line
from remend.api import repair
from remend.evaluation.learned import judges
from remend.evaluation.pairs import find_pairs
from remend.evaluation.run import evaluate
from remend.evaluation.scores import Evaluation
from remend.export import export

CLASSICAL = ("telea", "navier-stokes", "biharmonic", "smooth")
# In the order in which they are needed: the second of edge_connect goes on from the first.
NETS = (
    "lama",
    "edge_connect_edges",
    "edge_connect",
    "partial_conv",
    "aot_gan",
    "deepfill_v2",
    "comod_gan",
    "deepfill_v1",
    "migan",
)
SHOWN = tuple(net for net in NETS if net != "edge_connect_edges")  # it draws lines, not pictures
SHEET_PX = 192
# Depthwise convolutions are slower in bf16 than in fp32 on processors.
PRECISION = {"migan": "fp32"}


def train(net: str, options: argparse.Namespace) -> None:
    """One run, and a line about what it took."""
    command = [sys.executable, "-m", "remend", "train", net, "--preset", "small"]
    command += [word for source in options.data for word in ("--data", str(source))]
    command += ["--precision", PRECISION.get(net, "bf16"), "--set", f"loss.backbone={options.backbone}"]
    command += ["--out", str(options.out / net), "--resume", "auto", "--accelerator", "cpu"]
    if options.exclude:
        command += ["--set", f"data.exclude={options.exclude}"]
    if net == "edge_connect":
        command += ["--set", f"transfer.weights={options.out / 'edge_connect_edges'}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=sys.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print_line("short_run", net=net, processor_minutes=round(spent / 60, 1))


def measure(folder: Path, options: argparse.Namespace) -> None:
    """A line for a set of pairs: hole PSNR (dB), PD and SHARP of every net and classical filler."""
    learned, _ = judges(features=[options.backbone])
    nets = [net for net in options.nets if net in SHOWN]
    runs = [str(options.out / net) for net in nets if (options.out / net / "best.json").exists()]
    pairs = find_pairs(folder).pairs
    left_out = set(options.leave_out.read_text().split()) if options.leave_out else set()
    pairs = tuple(pair for pair in pairs if pair.image.name not in left_out)
    found = evaluate(pairs, [*CLASSICAL, *runs], learned=learned)
    print_line(
        "short_runs",
        set=folder.name,
        pictures=len(pairs),
        protocol=found.protocol.short,
        figures=means(found),
    )


def sheet(file: Path, options: argparse.Namespace) -> None:
    """Free pictures, a row each: damaged, Telea, smooth, every net that is there, wanted."""
    from benchmarks.overfit import holes, pictures

    runs = [options.out / net for net in SHOWN if (options.out / net / "best.json").exists()]
    rows = []
    for picture, hole in zip(pictures(SHEET_PX)[:3], holes(SHEET_PX)[:3], strict=True):
        damaged = np.where(hole[..., None], np.uint8(128), picture)
        fills = [
            repair(damaged, hole, method=method) for method in ("telea", "smooth", *map(_exported, runs))
        ]
        rows.append(np.hstack([damaged, *fills, picture]))
    Image.fromarray(np.vstack(rows)).save(file, quality=88)
    print_line("short_runs_sheet", columns=["damaged", "telea", "smooth", *(r.name for r in runs), "wanted"])


def _exported(run: Path) -> str:
    """The run's best weights as a file that repairs."""
    file = run / "net.onnx"
    if not file.exists():
        export(run / "best.safetensors", file)
    return str(file)


def means(found: Evaluation) -> dict[str, dict[str, float]]:
    """By method: mean hole PSNR (dB), PD and SHARP over the pictures."""
    return {
        method: {
            name: round(float(np.nanmean([s.metrics[name] for s in found.scores if s.method == method])), 4)
            for name in ("psnr_hole", "pd", "sharp")
        }
        for method in found.methods
    }


def main() -> None:
    """Train, or measure what was trained."""
    parser = argparse.ArgumentParser()
    parser.add_argument("nets", nargs="*", default=list(NETS))
    parser.add_argument("--data", type=Path, action="append", default=[])
    parser.add_argument("--exclude", type=Path, help="names of pictures to leave out, as for data.exclude")
    parser.add_argument("--backbone", type=Path, help="weights of the losses' and of PD's eyes")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--measure", type=Path, action="append", default=[], metavar="PAIRS")
    parser.add_argument("--leave-out", type=Path, help="file names of pairs not to measure")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write fills of free pictures")
    options = parser.parse_args()
    if options.sheet:
        sheet(options.sheet, options)
        return
    if options.backbone is None:
        parser.error("--backbone is wanted, for learning and for measuring")
    for folder in options.measure:
        measure(folder, options)
    if not options.measure:
        for net in options.nets:
            train(net, options)


if __name__ == "__main__":
    main()
