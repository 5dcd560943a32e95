"""Fit how far the net is to be believed between a JPEG's bounds: src/remend/restoration/coefficients.npz.

python -m benchmarks.fit_coefficients PICTURES.tar…

Photographs made smaller are coded at qualities from 6 to 86, colours at half size, and restored by the net.
Of every coefficient of luma and chroma it is looked at where in its interval the net puts it and where it
was: the table holds the difference on average, by frequency, by whether its level is nought, and by how busy
its block is. Coefficients count by the square of their step, as they count in decibels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.adapt import as_picture
from remend.io.jpeg.coefficients import coefficients_of
from remend.picture import Picture
from remend.restoration.coefficients import BUSY, NODES, REACH, ROWS, TABLE, blocks_of, places_of, planes_of
from remend.restoration.net import clean
from remend.train.data.pictures import read_pictures

SIDE = 160
DOUBT = 2e5  # squared levels for which nothing is added

Rgb = NDArray[np.uint8]


def crop_of(image: Rgb, rng: np.random.Generator) -> Rgb:
    """A part of a picture that was made smaller, so that what its own compression left is gone."""
    height, width = image.shape[:2]
    factor = rng.uniform(1.2, 2.0)
    factor = min(factor, min(height, width) / SIDE)
    size = max(SIDE, int(width / factor)), max(SIDE, int(height / factor))
    image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    top, left = (int(rng.integers(n - SIDE + 1)) for n in image.shape[:2])
    return np.ascontiguousarray(image[top : top + SIDE, left : left + SIDE])


def main() -> None:
    """Fit, and write the file."""
    rng = np.random.default_rng(0)
    names = [Path(name) for name in sys.argv[1:] if name.endswith(".tar")]
    sums, weights = (np.zeros((2, ROWS * NODES)) for _ in range(2))
    pictures = read_pictures(names, least_px=200)
    for number in range(len(pictures)):
        truth = crop_of(np.asarray(pictures[number], np.uint8), rng)
        quality = int(6 + 80 * rng.random() ** 1.5)
        _, content = cv2.imencode(".jpg", truth[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = as_picture(content.tobytes())
        known = coefficients_of(picture)
        assert known is not None
        restored = Picture(picture.samples.copy(), "RGB")
        clean(restored)
        found, right = planes_of(restored.samples, known), planes_of(truth, known)
        for component, of in enumerate(known):
            levels = of.levels.reshape(-1, 64)
            off, mirror, row = places_of(blocks_of(found[component]), levels, of.steps)
            was = places_of(blocks_of(right[component]), levels, of.steps)
            missing = was.off * was.mirror * mirror - np.clip(off, -0.5, 0.5)
            at = np.clip((off + REACH) * ((NODES - 1) / (2 * REACH)), 0, NODES - 1 - 1e-3)
            node, table = at.astype(np.intp), min(component, 1)
            for beside, share in ((0, 1 - (at - node)), (1, at - node)):
                weight = (np.square(of.steps) * share).ravel()
                place = (row * NODES + node + beside).ravel()
                sums[table] += np.bincount(place, weight * missing.ravel(), ROWS * NODES)
                weights[table] += np.bincount(place, weight, ROWS * NODES)
    added = (sums / (weights + DOUBT)).astype(np.float16)
    # In the middle of the interval around nought neither sign is likelier.
    added.reshape(2, -1, 2, len(BUSY) + 1, NODES)[:, :, 0, :, NODES // 2] = 0
    np.savez_compressed(TABLE, added=added)
    print(f"{len(pictures)} pictures, {TABLE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
