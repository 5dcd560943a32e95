"""Voids and missing slices made in real volumes: filled in three dimensions, and slice by slice.

python -m benchmarks.volumes        # the volumes that nibabel's wheel brings

Frozen: five seeds of six voids each (ellipsoids of 2 to 5 voxels), and every sixth slice missing. PSNR in the
holes, dB of the volume's largest value. Slices that are missing are nothing that one slice can fill: there
the comparison is the mean of the two slices around, weighted by distance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.line import print_line
from remend.document import Document
from remend.finding import Finding
from remend.metrics import measure_bands
from remend.options import Settings
from remend.picture import Container, Picture
from remend.stack import walk

VOLUMES = ("anatomical.nii", "functional.nii", "example4d.nii.gz")
SEEDS, VOIDS, EVERY = 5, 6, 6
BAR_DB = 1.0  # of voids in the anatomical volume, over slice by slice


def volume(name: str) -> NDArray[np.int16]:
    """(slices, rows, columns), the first of several volumes, as stored."""
    import nibabel

    loaded = nibabel.load(Path(nibabel.__file__).parent / "tests" / "data" / name)
    values = np.asarray(loaded.dataobj.get_unscaled())
    values = values[..., 0] if values.ndim == 4 else values
    return np.ascontiguousarray(values.transpose(2, 1, 0)).astype(np.int16)


def voids(shape: tuple[int, ...], seed: int) -> NDArray[np.bool_]:
    """Ellipsoids in the middle half of every axis; flat where there are few slices."""
    rng = np.random.default_rng(seed)
    at = np.mgrid[tuple(slice(n) for n in shape)]
    hole = np.zeros(shape, bool)
    for _ in range(VOIDS):
        centre = [rng.integers(n // 4, max(n // 4 + 1, 3 * n // 4)) for n in shape]
        radii = [rng.uniform(2, 5) for _ in shape]
        radii[0] = min(radii[0], max(1.2, shape[0] / 8))
        hole |= sum(((a - c) / r) ** 2 for a, c, r in zip(at, centre, radii, strict=True)) < 1
    return hole


def missing(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whole slices, never at an end."""
    hole = np.zeros(shape, bool)
    hole[1 if shape[0] < 2 * EVERY else 2 : -1 : EVERY] = True
    return hole


def filled(values: NDArray[np.int16], hole: NDArray[np.bool_], method: str) -> NDArray[np.int16]:
    """The volume repaired; "auto" as a volume is, others slice by slice."""
    pages = [Picture(np.where(h, 0, v)[..., None], "L") for v, h in zip(values, hole, strict=True)]
    document = Document(Container("tiff"), pages, "slice" if method == "auto" else "page")
    settings = Settings(method="auto" if method == "nets and copies" else method, grain=0)
    out = values.copy()
    numbers = [number for number, marked in enumerate(hole) if marked.any()]
    for turn in walk(document, numbers, lambda number, _: Finding(hole[number]), settings):
        out[turn.number] = turn.restored.picture.samples[..., 0]
    return out


def between(values: NDArray[np.int16], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Each missing slice as the mean of those around."""
    out, gone = values.astype(np.float64), hole.all(axis=(1, 2))
    there = np.flatnonzero(~gone)
    for number in np.flatnonzero(gone):
        below, above = there[there < number][-1], there[there > number][0]
        share = (number - below) / (above - below)
        out[number] = (1 - share) * values[below] + share * values[above]
    return out


def psnr(found: NDArray[Any], truth: NDArray[Any], hole: NDArray[np.bool_]) -> float:
    """Of all slices together."""
    flat = (-1, truth.shape[2])
    return measure_bands(found.reshape(flat), truth.reshape(flat), hole.reshape(flat))["psnr"]


def main() -> None:
    """Measure and print."""
    rows: dict[str, Any] = {}
    for name in VOLUMES:
        truth = volume(name)
        figures: dict[str, list[float]] = {how: [] for how in ("auto", "smooth", "nets and copies")}
        kept = True
        for seed in range(1, SEEDS + 1):
            hole = voids(truth.shape, seed)
            for how, told in figures.items():
                done = filled(truth, hole, how)
                kept &= np.array_equal(done[~hole], truth[~hole])
                told.append(psnr(done, truth, hole))
        gone = missing(truth.shape)
        mean = {how: float(np.mean(told)) for how, told in figures.items()}
        rows[name] = {
            "voids_db": {how: round(value, 2) for how, value in mean.items()},
            "over_slice_by_slice_db": round(mean["auto"] - max(mean["smooth"], mean["nets and copies"]), 2),
            "missing_slices_db": round(psnr(filled(truth, gone, "auto"), truth, gone), 2),
            "mean_of_those_around_db": round(psnr(between(truth, gone), truth, gone), 2),
            "untouched_outside": kept,
        }
    print_line("voids and missing slices", volumes=rows, bar_db=BAR_DB)


if __name__ == "__main__":
    main()
