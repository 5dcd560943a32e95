"""The pictures of docs/scans.md: a made bed and its prints; made film, its infrared, and what was repaired.

python -m benchmarks.scan_sheet --out docs/images

All from scikit-image's pictures in the public domain and under CC0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

import remend
from benchmarks.made_beds import make_bed
from benchmarks.made_infrared import make_film
from remend.damage.infrared import find_by_infrared

BED_SEED, FILM_SEED = 5, 3
Rgb = NDArray[np.uint8]


def side_by_side(images: list[Rgb], gap: int = 10) -> Rgb:
    """A row, on white, each at its own height."""
    high = max(image.shape[0] for image in images)
    row = [
        np.pad(image, ((0, high - image.shape[0]), (0, gap), (0, 0)), constant_values=255) for image in images
    ]
    return np.hstack(row)[:, :-gap]


def reduced(image: Rgb, scale: float) -> Rgb:
    """A smaller copy."""
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def bed_sheet(pictures: list[Rgb]) -> Rgb:
    """The bed, and beside it what `remend crop` makes of it."""
    made = make_bed(pictures, BED_SEED, lid="grey", jpeg=False)
    prints = [reduced(one, 0.4) for one in remend.crop(made.image)]
    return side_by_side([reduced(made.image, 0.4), *prints])


def film_sheet(picture: Rgb) -> Rgb:
    """Colours, infrared, what it shows, repaired."""
    film = make_film(picture, FILM_SEED)
    marks = find_by_infrared(film.colours, film.infrared, same_scan=True)
    grown = cv2.dilate(marks.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    colours = (film.colours >> 8).astype(np.uint8)
    infrared = np.repeat((film.infrared >> 8).astype(np.uint8)[..., None], 3, axis=2)
    mask = np.repeat((marks * 255).astype(np.uint8)[..., None], 3, axis=2)
    return side_by_side([colours, infrared, mask, remend.repair(colours, grown)], gap=4)


def main() -> None:
    """Make, crop, repair, write."""
    from skimage import data

    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    sheets = {
        "scan-bed": bed_sheet(
            [np.asarray(data.coffee()), np.asarray(data.chelsea()), np.asarray(data.rocket())]
        ),
        "scan-infrared": film_sheet(np.ascontiguousarray(data.astronaut()[40:290, 100:350])),
    }
    for name, sheet in sheets.items():
        path = options.out / f"{name}.webp"
        PIL.Image.fromarray(sheet).save(path, quality=78, method=6)
        print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
