"""Every filler and `auto` on the development sets: hole PSNR, SSIM, L1 and SHARP.

Runs on ../shared/data/dev, which is not part of the repository; says so where it is missing. The
tables go to docs/benchmarks.md, with the hash of the protocol on every set.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.line import SHARED, print_line
from remend.api import repair
from remend.evaluation.pairs import Pair, find_pairs
from remend.evaluation.run import evaluate

SETS = (
    "cid22_thin",
    "celeba_few",
    "cid22_val",
    "kodak24",
    "us_senate",
    "celeba_centre",
    "places256",
    "ffhq256",
)
METHODS = ("telea", "navier-stokes", "biharmonic", "smooth", "exemplar", "auto", "auto:best")
# Criminisi takes ten seconds a picture on wide holes: it is measured on the first few of each set.
SLOW = ("criminisi", "exemplar", "smooth")
FEW = 5


def restored(image: np.ndarray, hole: np.ndarray, label: str) -> np.ndarray:
    """``auto:best`` is method auto at quality best."""
    method, _, quality = label.partition(":")
    return repair(image, hole, method=method, quality=quality or "balanced")


def main(methods: tuple[str, ...] = METHODS) -> dict[str, object]:
    """Measure and print."""
    dev = SHARED / "dev"
    if not dev.is_dir():
        return print_line("dev_table", skipped="needs the real pictures of ../shared/data/dev")
    sets = {name: find_pairs(dev / name).pairs for name in SETS}
    tables, protocols = measured(sets, methods)
    few, few_protocols = measured({name: pairs[:FEW] for name, pairs in sets.items()}, SLOW)
    return print_line(
        "dev_table",
        sets=tables,
        protocols=protocols,
        means=_means(tables, methods),
        few_sets=few,
        few_protocols=few_protocols,
    )


Tables = dict[str, dict[str, dict[str, float]]]


def measured(sets: dict[str, tuple[Pair, ...]], methods: tuple[str, ...]) -> tuple[Tables, dict[str, str]]:
    """Means by set and method, and the protocols' hashes."""
    tables: Tables = {}
    protocols: dict[str, str] = {}
    for name, pairs in sets.items():
        evaluation = evaluate(pairs, methods, restore=restored)
        protocols[name] = evaluation.protocol.short
        tables[name] = {s.method: {**s.means, "seconds": s.seconds} for s in evaluation.summaries}
        for label, row in tables[name].items():
            print(name, label, {k: round(v, 3) for k, v in row.items()}, file=sys.stderr, flush=True)
    return tables, protocols


def _means(tables: dict[str, dict[str, dict[str, float]]], methods: tuple[str, ...]) -> dict[str, float]:
    """Hole PSNR of each method, averaged over the sets."""
    return {m: round(float(np.mean([tables[s][m]["psnr_hole"] for s in tables])), 3) for m in methods}


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or METHODS)
