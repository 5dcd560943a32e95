"""How far apart the answers of a net that takes noise are: a few seeds a hole, on a folder of pairs.

    python -m benchmarks.diversity comod.onnx pairs/ --features squeezenet.h5 [--seeds 5] [--sheet sheet.png]

MODEL is an ONNX file with an input for noise, or a run or checkpoint, which is exported first. For each hole:
the mean PD between any two fills, in the hole; how many fills differ in at least one bit; hole PSNR of the
mean seed and of the best; and PD from the truth, since fills that differ from each other as much as from the
truth agree on nothing. What is measured is what `remend repair` gives, windows, seams and all. Diversity is
no merit by itself: noise is diverse too. Look at the sheet.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks.line import print_line
from remend.api import repair
from remend.errors import UsageError
from remend.evaluation.candidates import as_methods, label_of
from remend.evaluation.pairs import find_pairs, read_pair
from remend.fill.neural import Neural
from remend.metrics import psnr
from remend.picture import Bool

Image = NDArray[np.uint8]
Distance = Callable[[Image, Image, Bool], float]
"""``distance(one, other, hole)`` of (H, W, 3) uint8 pictures."""

CELL_PX = 256  # longest side of a picture on the sheet
GAP_PX = 6


@dataclass(frozen=True, slots=True)
class Spread:
    """What the fills of one hole have in common.

    Attributes:
        between: mean distance between two of them, in the hole; NaN where it cannot be measured.
        from_truth: mean distance from the truth.
        distinct: how many differ in the hole, in at least one bit, from all before them.
        psnr_mean, psnr_best: of the hole, in dB, over the seeds.
    """

    between: float
    from_truth: float
    distinct: int
    psnr_mean: float
    psnr_best: float


def spread(fills: Sequence[Image], truth: Image, hole: Bool, distance: Distance) -> Spread:
    """Compare the fills of one hole.

    Args:
        fills: two or more, (H, W, 3) uint8, each of another seed.
        truth: (H, W, 3) uint8.
        hole: (H, W) bool.
        distance: see ``Distance``.

    Raises:
        UsageError: a single fill differs from nothing.
    """
    if len(fills) < 2:
        raise UsageError(f"diversity is between two fills or more, got {len(fills)}: raise --seeds")
    quality = [psnr(fill, truth, hole) for fill in fills]
    return Spread(
        statistics.fmean(distance(one, other, hole) for other, one in combinations(fills, 2)),
        statistics.fmean(distance(fill, truth, hole) for fill in fills),
        len({fill[hole].tobytes() for fill in fills}),
        statistics.fmean(quality),
        max(quality),
    )


def draw_row(truth: Image, hole: Bool, fills: Sequence[Image], side_px: int = CELL_PX) -> Image:
    """Picture | picture with a grey hole | each fill: (h, w, 3) uint8, each at most ``side_px`` a side."""
    erased = np.where(hole[..., None], np.uint8(128), truth)
    scale = min(1.0, side_px / max(hole.shape))
    size = (max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale)))
    cells = [cv2.resize(cell, size, interpolation=cv2.INTER_AREA) for cell in (truth, erased, *fills)]
    return np.concatenate([_framed(cell) for cell in cells], axis=1)


def draw_sheet(rows: Sequence[Image]) -> Image:
    """Rows below each other, (h, w, 3) uint8."""
    width = max(row.shape[1] for row in rows)
    return np.concatenate([_framed(row, right=width - row.shape[1], below=0) for row in rows])


def _framed(cell: Image, right: int = GAP_PX, below: int = GAP_PX) -> Image:
    return np.pad(cell, ((0, below), (0, right), (0, 0)), constant_values=255)


def perceptual_distance(features: Path) -> Distance:
    """PD with those weights of SqueezeNet, as the evaluation computes it.

    Raises:
        UsageError: a file of another kind, or PyTorch is not installed.
        ModelError: it cannot be read.
    """
    from remend.evaluation.learned import judges

    (metric, *_), _ = judges(features=[features])
    return lambda one, other, hole: metric.measure(one, other, hole)["pd"]


def main(arguments: Sequence[str] | None = None) -> dict[str, object]:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", help="ONNX file, run or checkpoint of a net that takes noise")
    parser.add_argument("pairs", type=Path, help="folder of pictures and masks")
    parser.add_argument("--features", type=Path, required=True, help="SqueezeNet's .h5")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=0, help="the first so many pairs; 0 = all")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet there: picture | hole | fills")
    parser.add_argument("--rows", type=int, default=8, help="of the sheet")
    options = parser.parse_args(arguments)
    pairs = find_pairs(options.pairs).pairs[: options.pictures or None]
    distance = perceptual_distance(options.features)
    found: list[Spread] = []
    rows: list[Image] = []
    with as_methods({"model": options.model}) as methods:
        method = methods["model"]
        size = Neural.load(Path(method)).model.noise_size
        if not size:
            raise UsageError(
                f"{options.model} takes no noise: it has one answer for a hole, whatever the seed"
            )
        for pair in pairs:
            truth, hole = read_pair(pair)
            fills = [repair(truth, hole, method=method, seed=seed) for seed in range(options.seeds)]
            found.append(spread(fills, truth, hole, distance))
            if options.sheet is not None and len(rows) < options.rows:
                rows.append(draw_row(truth, hole, fills))
    if rows:
        PIL.Image.fromarray(draw_sheet(rows)).save(options.sheet)
    measured = [each for each in found if not np.isnan(each.between)]  # PD needs pictures of 32 px
    return print_line(
        "diversity",
        what=f"{options.seeds} seeds a hole; means over the pictures",
        model=label_of(options.model),
        noise=size,
        pictures=len(found),
        pd_between_fills=_mean(each.between for each in measured),
        pd_between_fills_least=round(min((each.between for each in measured), default=float("nan")), 4),
        pd_from_truth=_mean(each.from_truth for each in measured),
        distinct_fills=_mean(each.distinct for each in found),
        distinct_fills_least=min(each.distinct for each in found),
        psnr_hole_mean=_mean(each.psnr_mean for each in found),
        psnr_hole_best=_mean(each.psnr_best for each in found),
    )


def _mean(values: Iterable[float]) -> float | None:
    kept = list(values)
    return round(statistics.fmean(kept), 4) if kept else None


if __name__ == "__main__":
    main()
