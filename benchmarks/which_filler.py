"""Which filler for which hole: the table that the planner's policy was set by.

The 300 pictures that training sets aside (by a hash of their names, never learned from), each with a hole of
every kind, filled by each method; means by the hole's inscribed radius. Needs the pictures of ../shared/data,
which are not part of the repository, and the training extra for PD.

python -m benchmarks.which_filler                   fillers of the package
python -m benchmarks.which_filler a.onnx b.onnx     and these models
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import fmean, median

import cv2
import numpy as np

from benchmarks.line import SHARED, print_line
from remend.api import repair
from remend.errors import RemendError
from remend.evaluation.learned import judges
from remend.fill.neural import WEIGHTS
from remend.metrics import psnr, sharp
from remend.picture import Bool
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import read_pictures

KINDS = ("thin", "free_form", "box", "large")
RADII = (3, 6, 12, 24, 48, 10**6)
SIDE = 256
ASIDE, USED = 300, 75


def main(models: tuple[str, ...] = ()) -> dict[str, object]:
    """Measure and print."""
    shards = [p for p in sorted((SHARED / "train").glob("*.tar")) if not p.name.startswith("archive")]
    weights = sorted((SHARED / "weights").glob("squeezenet*/*.h5"))
    if not shards or not weights:
        return print_line("which_filler", skipped="needs the pictures and weights of ../shared/data")
    try:
        (judge, *_), _ = judges(features=[weights[0]])
    except RemendError as error:
        return print_line("which_filler", skipped=str(error))
    methods = ["smooth", "exemplar", *(["neural"] if (WEIGHTS / "inpaint.onnx").is_file() else []), *models]
    _, aside = read_pictures(shards, least_px=SIDE, say=lambda _: None).split(ASIDE)
    found: dict[str, dict[int, list[tuple[float, float, float]]]] = {method: {} for method in methods}
    seconds = dict.fromkeys(methods, 0.0)
    bank = MaskBank(seed=7)
    for index in range(0, len(aside), max(1, len(aside) // USED)):
        picture = aside[index]
        top, left = ((length - SIDE) // 2 for length in picture.shape[:2])
        truth = np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE])
        for number, kind in enumerate(KINDS):
            hole = bank.draw(kind, SIDE, np.random.default_rng([7, index, number]))
            bucket = next(r for r in RADII if _radius(hole) <= r)
            erased = np.where(hole[..., None], np.uint8(128), truth)
            for method in methods:
                since = time.perf_counter()
                answer = repair(erased, hole, method=method)
                seconds[method] += time.perf_counter() - since
                row = (
                    psnr(answer, truth, hole),
                    judge.measure(answer, truth, hole)["pd"],
                    sharp(answer, truth, hole),
                )
                found[method].setdefault(bucket, []).append(row)
    table = {
        Path(method).stem: {
            f"≤ {bucket} px" if bucket < RADII[-1] else f"> {RADII[-2]} px": {
                "holes": len(rows),
                "psnr_hole": round(fmean(row[0] for row in rows), 2),
                "pd": round(fmean(row[1] for row in rows), 3),
                "sharp": round(median(row[2] for row in rows), 2),
            }
            for bucket, rows in sorted(found[method].items())
        }
        for method in methods
    }
    return print_line(
        "which_filler", table=table, seconds={Path(m).stem: round(s, 1) for m, s in seconds.items()}
    )


def _radius(hole: Bool) -> float:
    """The largest inscribed radius, in pixels."""
    return float(cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 5).max())


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
