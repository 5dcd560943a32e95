"""A sheet of fills on free pictures: damaged | a column a method | wanted, at full size.

python -m benchmarks.fills smooth scratch=scratch.onnx pretrained=pretrained.onnx -o fills.webp

The pictures come with scikit-image (astronaut, chelsea, coffee); the holes are ours.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from remend.api import repair
from remend.damage.synth import make_mask

PICTURES = (("astronaut", "free-form"), ("chelsea", "lama-thin"), ("coffee", "centre"))
SIDE = 224
GAP = 4


def row(name: str, kind: str, methods: dict[str, str], seed: int) -> np.ndarray:
    """One picture: (SIDE, n · (SIDE + GAP), 3) uint8."""
    from skimage import data

    picture = np.asarray(getattr(data, name)())[..., :3]
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    wanted = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    hole = make_mask(kind, (SIDE, SIDE), seed=seed)
    damaged = np.where(hole[..., None], np.uint8(255), wanted)
    fills = [repair(damaged, hole, method=method) for method in methods.values()]
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    return np.concatenate([part for cell in (damaged, *fills, wanted) for part in (cell, gap)], axis=1)


def main() -> None:
    """Fill, put together, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("methods", nargs="+", metavar="METHOD|NAME=FILE")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    methods = {m.partition("=")[0]: m.partition("=")[2] or m for m in options.methods}
    rows = [row(name, kind, methods, options.seed) for name, kind in PICTURES]
    PIL.Image.fromarray(np.concatenate(rows, axis=0)).save(options.out, quality=90)
    print(f"{options.out}: damaged | {' | '.join(methods)} | wanted")


if __name__ == "__main__":
    main()
