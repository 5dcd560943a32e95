"""Draw the pictures of docs/masks.md: every kind of mask and of damage, from the generators themselves.

    python benchmarks/mask_sheet.py docs/images

Pictures under the damage: astronaut (NASA), chelsea (S. van der Walt), coffee (R. Michetti), public domain
or CC0, as scikit-image brings them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from remend.damage.synth import DAMAGES, MASK_KINDS, damage_picture, make_mask

SIDE = 256
GAP = 6
PAPERS = MASK_KINDS[:8]

# Seeds and options of the three pictures of a row, chosen so that the styles of a kind are all seen.
SHOWN: dict[str, tuple[dict[str, object], ...]] = {
    "cracks": (
        {"seed": 3, "style": "branching"},
        {"seed": 1, "style": "craquelure"},
        {"seed": 8, "style": "branching"},
    ),
    "stains": ({"seed": 0}, {"seed": 10, "count": 4}, {"seed": 14, "count": 4}),
    "text": ({"seed": 0, "style": "caption"}, {"seed": 1, "style": "date"}, {"seed": 2, "style": "stamp"}),
}


def sheet(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Cells in rows, white between them."""
    padded = [
        [np.pad(cell, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=255) for cell in row] for row in rows
    ]
    joined = np.vstack([np.hstack(row) for row in padded])
    return np.pad(joined, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def paper_cells(kind: str) -> list[np.ndarray]:
    """Three draws as published and one of a ratio of 0.2–0.3, at the size that the paper draws for."""
    published = (256, 256) if kind == "lama-train256" else (512, 512)
    masks = [make_mask(kind, published, seed=seed) for seed in range(3)]
    masks.append(make_mask(kind, published, seed=3, ratio=(0.2, 0.3)))
    small = [
        cv2.resize(mask.astype(np.uint8) * 255, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
        for mask in masks
    ]
    return [np.repeat(mask[:, :, None], 3, axis=2) for mask in small]


def pictures() -> list[np.ndarray]:
    """(384, 384, 3) crops: colour, a sepia print, colour."""
    astronaut, chelsea = data.astronaut()[:384, 60:444], data.chelsea()[:300, 60:360]
    coffee = data.coffee()[:384, 100:484]
    chelsea = cv2.resize(chelsea, (384, 384), interpolation=cv2.INTER_CUBIC)
    tint = np.array([225, 200, 162]) / 255
    sepia = np.clip(astronaut.mean(axis=2, keepdims=True) * tint + 14, 0, 255).astype(np.uint8)
    return [sepia, coffee, chelsea]


def write(target: Path, image: np.ndarray) -> None:
    """Lossless for two tones, quality 75 for pictures: WebP."""
    lossless = len(np.unique(image[::7, ::7])) < 40
    quality = 101 if lossless else 75
    done, encoded = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality])
    assert done
    target.write_bytes(encoded.tobytes())
    print(target, image.shape, f"{len(encoded) / 1024:.0f} KiB")


def main() -> None:
    """Write all sheets into the folder given."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in PAPERS:
        write(folder / f"masks-{kind}.webp", sheet([paper_cells(kind)]))
    images = pictures()
    for kind in DAMAGES:
        cells = []
        for index, image in enumerate(images):
            options = SHOWN.get(kind, ({"seed": 0}, {"seed": 1}, {"seed": 2}))[index]
            damaged, mask = damage_picture(np.ascontiguousarray(image), kind, **options)
            half = np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2)
            cells.append((damaged, half))
        rows = [[damaged for damaged, _ in cells]]
        if kind not in ("noise", "blur"):
            rows.append([half for _, half in cells])
        write(folder / f"masks-{kind}.webp", sheet(rows))


if __name__ == "__main__":
    main()
