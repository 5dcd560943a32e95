"""A training run that takes seconds, for benchmarks of the loop itself: made pictures, a small net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

__all__ = ["CRITIC", "RECIPE", "write_photos"]

RECIPE: dict[str, Any] = {
    "net": "remend",
    "options": {"widths": [8, 8, 16], "dilations": [1, 2]},
    "data": {"crop_px": 64, "validation_px": 64, "thin": 0.0, "free_form": 0.5, "box": 0.5, "large": 0.0},
    "loss": {"perceptual": 0.0},
    "train": {"samples": 200, "batch": 4, "warmup": 20, "ema_half_life": 100, "loaders": 1, "log_every": 4},
}
"""Fifty steps of four crops, a line of the log each."""

CRITIC: dict[str, Any] = {
    "name": "patch",
    "options": {"width": 8, "layers": 2},
    "from_samples": 20,
    "feature_matching": 1.0,
    "r1": 1.0,
    "r1_every": 4,
    "augment": "colour,translation,cutout",
    "balance": 0.5,
}
"""A critic with everything on."""


def write_photos(folder: Path, count: int = 12) -> Path:
    """Write smooth made pictures, 80 × 96; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        knots = rng.integers(0, 256, (5, 6, 3), np.uint8)
        picture = cv2.resize(knots, (96, 80), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{index:02d}.png"), picture)
    return folder
