"""A 360° panorama with holes: across the border, all over, and around the nadir.

python -m benchmarks.panorama            # the panorama of ../shared/data, at half size
python -m benchmarks.panorama -o out/    # pictures, too

Three things are measured. The step across the border as a share of the steps nearby, in holes that lie there
and in the picture as it was, on average over eight places where the file begins. How much the result changes
when the file begins on the other side of the world. And the nadir: WS-PSNR of a filled disc of 30° against
PSNR of the same fill of the undistorted view.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image

from benchmarks.line import SHARED, print_line
from remend.damage.synth import make_mask
from remend.metrics import psnr, ws_psnr
from remend.options import Settings
from remend.picture import Picture
from remend.pipeline import repair_picture
from remend.windows.pole import poles_of

NADIR_DEG = 15  # the disc is 30° across
METHODS = ("smooth", "neural", "neural-exemplar")
BEGINNINGS = 8  # places where the file begins, over which the step across the border is averaged


def fill(samples: np.ndarray, hole: np.ndarray, method: str, *, projection: str = "equirect") -> np.ndarray:
    """The picture repaired; its hole is erased first."""
    picture = Picture(np.where(hole[..., None], np.uint8(128), samples), "RGB", projection=projection)
    return repair_picture(picture, hole, Settings(method=method)).picture.samples


def across_border(size: tuple[int, int]) -> np.ndarray:
    """Wide holes, a scratch and dust over the border, within 45° of the horizon."""
    height, width = size
    hole = np.zeros(size, bool)
    side = height // 12
    for k in range(3):
        top = height // 4 + 2 * k * side
        hole[top : top + side, : side // 2] = True
        hole[top : top + side, -side // 2 :] = True
    for x in range(-width // 16, width // 16):
        row = height // 4 + 3 * side // 2 + (x * side) // (width // 4)
        hole[row : row + 3, x % width] = True
    return hole


def step(samples: np.ndarray, rows: np.ndarray) -> float:
    """The mean step from the last to the first column in these rows, over that between columns nearby."""
    wide = np.concatenate([samples[:, -9:], samples[:, :9]], axis=1)[rows].astype(float)
    steps = np.abs(np.diff(wide, axis=1)).mean(axis=(0, 2))
    return float(steps[8] / np.delete(steps, 8).mean())


def nadir(samples: np.ndarray, method: str) -> dict[str, float]:
    """The disc below: filled in the panorama, and in the view as a picture of its own."""
    hole = np.zeros(samples.shape[:2], bool)
    hole[-round(NADIR_DEG / 180 * samples.shape[0]) :] = True
    done = fill(samples, hole, method)
    known = np.zeros_like(hole)
    (pole,) = poles_of(Picture(np.where(hole[..., None], 128, samples), "RGB", projection="equirect"), hole)
    truth = pole.look(Picture(samples, "RGB", projection="equirect"), known).picture.samples
    seen = pole.look(Picture(samples, "RGB", projection="equirect"), hole)
    straight = fill(seen.picture.samples, seen.hole, method, projection="flat")
    lying = fill(samples, hole, method, projection="flat")
    return {
        "panorama_db": round(ws_psnr(done, samples, hole), 2),
        "perspective_db": round(psnr(straight, truth, pole.lay(hole)), 2),
        "as_it_lies_db": round(ws_psnr(lying, samples, hole), 2),
    }


def measure(samples: np.ndarray, out: Path | None) -> dict[str, Any]:
    """Every figure of one panorama."""
    size, half = samples.shape[:2], samples.shape[1] // 2
    figures: dict[str, Any] = {}
    over = across_border(size)
    rows = over[:, 0] & over[:, -1]
    steps: dict[str, list[float]] = {"in_holes": [], "in_holes_flat": [], "as_it_was": []}
    for k in range(BEGINNINGS):
        begun = np.ascontiguousarray(np.roll(samples, k * samples.shape[1] // BEGINNINGS + k, axis=1))
        steps["in_holes"].append(step(fill(begun, over, "auto"), rows))
        steps["in_holes_flat"].append(step(fill(begun, over, "auto", projection="flat"), rows))
        steps["as_it_was"].append(step(begun, rows))
    figures["step"] = {name: round(float(np.mean(each)), 3) for name, each in steps.items()}
    hole = over | make_mask("lama-thin", size, seed=2)
    done = fill(samples, hole, "auto")
    turned = fill(np.roll(samples, half, axis=1), np.roll(hole, half, axis=1), "auto")
    gap = np.abs(np.roll(turned, -half, axis=1).astype(int) - done)
    flat = fill(samples, hole, "auto", projection="flat")
    figures["turned_levels_in_holes"] = round(float(gap[hole].mean()), 3)
    figures["turned_levels"] = round(float(gap.mean()), 4)
    figures["hole_share"] = round(float(hole.mean()), 4)
    figures["nadir"] = {method: nadir(samples, method) for method in METHODS}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        disc = np.zeros(size, bool)
        disc[-round(NADIR_DEG / 180 * size[0]) :] = True
        below = fill(samples, disc, "auto")
        (pole,) = poles_of(Picture(samples, "RGB", projection="equirect"), disc)
        view = pole.look(Picture(below, "RGB", projection="equirect"), np.zeros(size, bool)).picture.samples
        for name, picture in {
            "holes": np.where(hole[..., None], np.uint8(255), samples),
            "done": done,
            "flat": flat,
            "nadir": below,
            "nadir_view": view,
        }.items():
            shown = np.roll(picture, half, axis=1) if name in ("holes", "done", "flat") else picture
            PIL.Image.fromarray(shown).save(out / f"{name}.png")
    return figures


def main() -> None:
    """Measure and print the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=2048, help="width")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    picture = np.asarray(PIL.Image.open(SHARED / "panorama" / "pannellum.jpg").convert("RGB"))
    small = cv2.resize(picture, (options.size, options.size // 2), interpolation=cv2.INTER_AREA)
    print_line("panorama", width=options.size, **measure(np.ascontiguousarray(small), options.out))


if __name__ == "__main__":
    main()
