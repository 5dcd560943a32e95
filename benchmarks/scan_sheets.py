"""The pictures of docs/satellite.md and docs/medical.md, of content made here.

python -m benchmarks.scan_sheets -o docs/images
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks.satellite import gaps, made_scene, other_date
from remend.adapt import from_array
from remend.damage.given import dilated
from remend.damage.scene import IN_SCENES
from remend.document import Document
from remend.finding import Finding
from remend.options import Settings
from remend.picture import Container, Picture
from remend.pipeline import repair_picture
from remend.references import read_references
from remend.stack import walk

Array = NDArray[Any]
GAP = 6


def beside(*panels: Array) -> PIL.Image.Image:
    """Panels in a row, white between them."""
    white = np.full((panels[0].shape[0], GAP, 3), 255, np.uint8)
    row = [part for panel in panels for part in (panel, white)][:-1]
    return PIL.Image.fromarray(np.hstack(row))


def seen(scene: Array) -> Array:
    """Bands 4, 3 and 1 as red, green and blue, stretched."""
    shown = scene[..., [3, 2, 0]].astype(float)
    return np.clip(shown / np.array([10_000, 9_000, 6_500]) * 290, 0, 255).astype(np.uint8)


def satellite() -> PIL.Image.Image:
    """A scene with clouds and gaps, another date, the scene filled from it, and the truth."""
    truth = made_scene(256)
    date = other_date(truth, 4)
    height, width = truth.shape[:2]
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(8)
    cloudy = np.zeros((height, width))
    for _ in range(9):
        at = rng.random(2) * (70, 90) + (150, 130)
        cloudy += np.exp(-(((y - at[0]) / 14) ** 2 + ((x - at[1]) / 18) ** 2))
    cloudy = np.clip(1.6 * cloudy - 0.3, 0, 1)[..., None]
    shade = 1 - 0.72 * np.roll(cloudy, (-26, -34), (0, 1)) * (1 - cloudy)
    damaged = np.rint(truth * shade * (1 - cloudy) + 9000 * cloudy).astype(np.uint16)
    found = IN_SCENES["clouds"](from_array(damaged))
    scan = gaps(height, width) & (x < 150)
    damaged[scan] = 0
    hole = dilated(found, 4) | scan
    dates, _ = read_references(from_array(damaged), hole, [date])
    with_it = repair_picture(
        from_array(damaged), hole, Settings(method="dates"), beside=dates
    ).picture.samples
    return beside(seen(damaged), seen(date), seen(with_it), seen(truth))


def phantom(shape: tuple[int, int, int] = (24, 120, 104)) -> Array:
    """A head of ellipsoids, after Shepp and Logan, with a folded rim; (slices, rows, columns) int16."""
    z, y, x = (np.linspace(-1, 1, n) for n in shape)
    z, y, x = np.meshgrid(z * 0.8, y, x, indexing="ij")
    angle = np.arctan2(y, x)
    folds = 0.035 * np.sin(9 * angle + 5 * z) + 0.025 * np.sin(17 * angle - 7 * z)
    values = np.zeros(shape)
    for level, centre, radii in (
        (900, (0, 0, 0), (0.9, 0.95, 0.82)),
        (-600, (0, 0.01, 0), (0.86, 0.89, 0.76)),
        (180, (0, 0.02, 0), (0.8, 0.8 + folds, 0.67 + folds)),
        (-260, (0.05, 0, 0.2), (0.5, 0.36, 0.12)),
        (-260, (-0.05, 0, -0.2), (0.5, 0.32, 0.14)),
        (220, (0.1, -0.35, 0), (0.3, 0.2, 0.22)),
        (160, (-0.2, 0.55, 0.05), (0.25, 0.09, 0.12)),
    ):
        far = sum(((a - c) / r) ** 2 for a, c, r in zip((z, y, x), centre, radii, strict=True))
        values += level / (1 + np.exp(40 * (far - 1)))
    values += np.random.default_rng(0).normal(0, 12, shape)
    return np.rint(values).astype(np.int16)


def medical() -> PIL.Image.Image:
    """A slice with a void, filled alone and in space; and a slice that is missing, filled."""
    truth = phantom()
    z, y, x = np.mgrid[tuple(slice(n) for n in truth.shape)]
    hole = ((z - 9) / 3) ** 2 + ((y - 44) / 14) ** 2 + ((x - 62) / 14) ** 2 < 1
    hole[16] = True
    numbers = [number for number, marked in enumerate(hole) if marked.any()]

    def filled(axis: Any, method: str, of: Array) -> dict[int, Array]:
        pages = [Picture(np.where(h, 0, v)[..., None], "L") for v, h in zip(truth, of, strict=True)]
        turns = walk(
            Document(Container("tiff"), pages, axis),
            [number for number in numbers if of[number].any()],
            lambda number, _: Finding(of[number]),
            Settings(method=method, grain=0),
        )
        return {turn.number: turn.restored.picture.samples[..., 0] for turn in turns}

    part = hole.copy()
    part[16] = False
    alone, space = filled("page", "smooth", part), filled("slice", "auto", hole)

    def shown(values: Array) -> Array:
        grey = np.clip((values.astype(float) - 50) / 950 * 255, 0, 255).astype(np.uint8)
        return cv2.resize(np.repeat(grey[..., None], 3, axis=2), None, fx=2, fy=2)

    marked = shown(truth[9])
    marked[cv2.resize(hole[9].astype(np.uint8), marked.shape[1::-1], interpolation=0) > 0] = (200, 40, 40)
    return beside(
        marked, shown(alone[9]), shown(space[9]), shown(truth[9]), shown(space[16]), shown(truth[16])
    )


def main() -> None:
    """Make and write both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out", type=Path, required=True)
    folder = parser.parse_args().out
    satellite().save(folder / "satellite.webp", quality=82, method=6)
    medical().save(folder / "medical.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
