"""Discs of 112 px cut out of twelve textures: how far the fill is from the texture, and a sheet to look at.

The distance is the sliced Wasserstein distance between the patches of two discs, of 7², 15² and 31² pixels.
What is told is that between fill and truth over the truth's own: the mean distance between two of four other
discs of the same texture. At 1 the fill is as like its surroundings as they are like themselves. Told beside
it is the rim: the mean step in grey across it, over the truth's; above 1 the eye finds the disc.

python -m benchmarks.texture                            the methods that the page tells of
python -m benchmarks.texture quilt exemplar             these
python -m benchmarks.texture quilt --sheet sheet.png    and a sheet at full size: damaged | each method

Further textures, aerial photographs of one kind of ground each, are filled where ../shared/data lies beside
the checkout; they are not part of the repository.
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks.line import SHARED, print_line
from benchmarks.made_textures import TEXTURES, texture
from remend.api import repair

METHODS = ("exemplar", "quilt", "auto")
RADIUS_PX = 56
SIDES = (7, 15, 31)
DIRECTIONS, PLACES = 64, 2000
AERIAL = ("113", "223", "319", "1303", "1345", "3042")  # grass, earth, grass, furrows, wood, wood

Image = NDArray[np.uint8]


def disc(shape: tuple[int, ...], centre: tuple[int, int], radius_px: int = RADIUS_PX) -> NDArray[np.bool_]:
    """(h, w) bool, True within the disc round ``centre`` (y, x)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius_px**2)


def statistics(image: Image, centre: tuple[int, int]) -> list[NDArray[np.float32]]:
    """Of each size of patch, projections on fixed directions, sorted: (places, directions) float32."""
    top, left = centre[0] - RADIUS_PX, centre[1] - RADIUS_PX
    whole = 2 * RADIUS_PX + 1
    colours = image[top : top + whole, left : left + whole].astype(np.float32) / 255
    found = []
    for side in SIDES:
        rng = np.random.default_rng(side)
        directions = rng.standard_normal((3, side, side, DIRECTIONS)).astype(np.float32)
        directions -= directions.mean(axis=(1, 2), keepdims=True)  # what is left of a patch without its mean
        directions /= np.sqrt(np.square(directions).sum(axis=(0, 1, 2)))
        corners = np.argwhere(disc((whole, whole), (RADIUS_PX, RADIUS_PX), RADIUS_PX - side // 2)) - side // 2
        corners = corners[rng.permutation(len(corners))[:PLACES]]
        patches = np.lib.stride_tricks.sliding_window_view(colours, (side, side), axis=(0, 1))
        chosen = patches[corners[:, 0], corners[:, 1]].reshape(len(corners), -1)
        found.append(np.sort(chosen @ directions.reshape(-1, DIRECTIONS), axis=0))
    return found


def apart(one: list[NDArray[np.float32]], other: list[NDArray[np.float32]]) -> float:
    """The sliced Wasserstein distance, 1 in the square mean of both, averaged over the sizes of patches."""
    return fmean(float(np.abs(a - b).mean()) for a, b in zip(one, other, strict=True))


def others(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Centres of four discs round the hole in the middle, as far apart as the picture lets them be."""
    edge = RADIUS_PX + 1
    return [(y, x) for y in (edge, shape[0] - edge - 1) for x in (edge, shape[1] - edge - 1)]


def own(image: Image) -> float:
    """The truth's own distance; see the head of this file."""
    found = [statistics(image, centre) for centre in others(image.shape)]
    return fmean(apart(one, other) for one, other in combinations(found, 2))


def rim(image: Image, hole: NDArray[np.bool_]) -> float:
    """The mean step in grey from a pixel within the hole to its neighbour outside."""
    grey = image.astype(np.float32).mean(axis=2)
    steps = [np.abs(np.diff(grey, axis=axis))[np.diff(hole, axis=axis)] for axis in (0, 1)]
    return float(np.concatenate(steps).mean())


def pictures() -> Iterator[tuple[str, Image]]:
    """The twelve, and the aerial ones where they are at hand."""
    for name in TEXTURES:
        yield name, texture(name)
    manifest = SHARED / "train" / "manifest.tsv"
    if not manifest.is_file():
        return
    with manifest.open() as lines:
        shard = {row[1]: row[0] for row in csv.reader(lines, delimiter="\t")}
    for number in AERIAL:
        name = f"research{int(number):06d}.webp"
        with tarfile.open(SHARED / "train" / shard[name]) as tar:
            member = tar.extractfile(name)
            assert member is not None
            yield f"aerial {number}", np.asarray(PIL.Image.open(io.BytesIO(member.read())).convert("RGB"))


def main() -> None:
    """Fill, measure, print; draw where asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--only", nargs="*", help="these textures")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    ratios: dict[str, dict[str, float]] = {method: {} for method in options.methods}
    rims: dict[str, list[float]] = {method: [] for method in options.methods}
    seconds: dict[str, list[float]] = {method: [] for method in options.methods}
    rows = []
    for name, image in pictures():
        if options.only and name not in options.only:
            continue
        centre = (image.shape[0] // 2, image.shape[1] // 2)
        hole = disc(image.shape, centre)
        truth, scale = statistics(image, centre), own(image)
        erased = np.where(hole[..., None], np.uint8(128), image)
        cells = [erased]
        for method in options.methods:
            since = time.perf_counter()
            answer = np.asarray(repair(erased, hole, method=method))
            seconds[method].append(time.perf_counter() - since)
            ratios[method][name] = round(apart(statistics(answer, centre), truth) / scale, 2)
            if name in TEXTURES:
                rims[method].append(rim(answer, hole) / rim(image, hole))
            cells.append(answer)
        near = np.s_[centre[0] - 128 : centre[0] + 128, centre[1] - 128 : centre[1] + 128]
        rows.append(np.concatenate([cell[near] for cell in cells], axis=1))
    if options.sheet:
        PIL.Image.fromarray(np.concatenate(rows, axis=0)).save(options.sheet)
    made = {m: round(fmean([v for k, v in r.items() if k in TEXTURES] or [0]), 2) for m, r in ratios.items()}
    print_line(
        "texture",
        mean_of_twelve=made,
        rim_over_the_truths={method: round(fmean(r or [0]), 2) for method, r in rims.items()},
        over_the_truths_own=ratios,
        seconds={method: round(float(np.median(times)), 2) for method, times in seconds.items()},
    )


if __name__ == "__main__":
    main()
