"""The finder: false alarms on clean pictures, F1 on generated damage, seconds a megapixel.

On Kodak and CID22 where a developer has them, on the photographs of scikit-image otherwise. Each picture
is searched as it is, with scratches and with dust. ``f1`` counts pixels strictly; ``f1_within_2px`` forgives
positions; ``_visible`` leaves out damage that changes no channel by 12 levels. ``dilated`` counts as the
pipeline does, which widens found scratches by 2 px.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.line import SHARED, print_line
from remend.damage.find import find_damage
from remend.damage.synth import damage_picture
from remend.picture import Bool, Region


def pictures() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """(set, picture)."""
    if SHARED.is_dir():
        for folder in ("kodak24", "cid22_val"):
            for path in sorted((SHARED / "dev" / folder).iterdir()):
                if "_mask" not in path.name:
                    yield folder, np.array(Image.open(path).convert("RGB"))
        return
    from skimage import data

    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        yield "skimage", np.ascontiguousarray(getattr(data, name)()[..., :3])


def mask_of(regions: list[Region], size: tuple[int, int]) -> Bool:
    """All regions in one mask."""
    mask = np.zeros(size, np.bool_)
    for region in regions:
        mask[region.box.slices] |= region.mask
    return mask


def dilated(mask: Bool, by_px: int = 2) -> Bool:
    """As the pipeline widens what was found."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1, 2 * by_px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def f1(found: Bool, truth: Bool, *, within_px: int = 0) -> float:
    """Harmonic mean of precision and recall over pixels; 1 when both are empty."""
    if not found.any() and not truth.any():
        return 1.0
    near_truth, near_found = (dilated(m, within_px) if within_px else m for m in (truth, found))
    precision = (found & near_truth).sum() / max(1, found.sum())
    recall = (truth & near_found).sum() / max(1, truth.sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


def main() -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sensitivity", type=float, default=0.5)
    sensitivity = parser.parse_args().sensitivity
    rows: dict[str, list[dict[str, float]]] = {}
    seconds = megapixels = 0.0
    for seed, (name, picture) in enumerate(pictures()):
        size = (picture.shape[0], picture.shape[1])
        start = time.perf_counter()
        alarm = mask_of(find_damage(picture, sensitivity=sensitivity), size)
        seconds += time.perf_counter() - start
        megapixels += alarm.size / 1e6
        row = {"flagged": 100 * float(alarm.mean()), "flagged_dilated": 100 * float(dilated(alarm).mean())}
        for kind in ("scratches", "dust"):
            damaged, truth = damage_picture(picture, kind, seed=seed)
            found = mask_of(find_damage(damaged, sensitivity=sensitivity), size)
            visible = truth & (np.abs(damaged.astype(np.int16) - picture).max(axis=2) >= 12)
            row[f"{kind}_f1"] = f1(found, truth)
            row[f"{kind}_f1_visible"] = f1(found & ~(truth & ~visible), visible)
            row[f"{kind}_f1_within_2px"] = f1(found, truth, within_px=2)
        rows.setdefault(name, []).append(row)
    figures: dict[str, Any] = {}
    for name, of_set in rows.items():
        table = {key: np.array([row[key] for row in of_set]) for key in of_set[0]}
        figures[name] = {key: round(float(values.mean()), 3) for key, values in table.items()}
        for key in ("flagged", "flagged_dilated"):
            figures[name][f"{key}_95th"] = round(float(np.quantile(table[key], 0.95)), 2)
            figures[name][f"{key}_within_1.5"] = round(float((table[key] <= 1.5).mean()), 3)
    speed = round(seconds / megapixels, 3)
    return print_line("detection", sensitivity=sensitivity, seconds_per_mp=speed, **figures)


if __name__ == "__main__":
    main()
