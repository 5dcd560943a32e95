"""Scan gaps made in real scenes: filled from the scene alone, by GDAL's FillNodata, and from other dates.

python -m benchmarks.satellite              # the scenes of ../shared, and one made
python -m benchmarks.satellite --made       # that one alone

Frozen: the gaps (22 % of a scene, wider towards its sides as Landsat 7's are), the made other dates, the
seeds. Another date is made from the scene: gains and offsets that drift over it, another gamma a band, an
eighth of its fields changed, noise of two levels. Metrics are of the hole; dB of the scene's largest value.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line import SHARED, print_line
from remend.adapt import from_array
from remend.metrics import measure_bands
from remend.options import Settings
from remend.pipeline import repair_picture
from remend.references import read_references

Scene = NDArray[Any]
SCENES = {
    "landsat": ("RGB.byte.tif", np.s_[200:520, 220:620]),
    "aerial": ("cogeo.tif", np.s_[300:700, 300:700]),
    "goes": ("goes.tif", np.s_[100:450, 100:450]),
}
PERIOD_PX, TILT, SHARE = 32, 0.15, 0.22
BARS = {"one_date_over_gdal_db": 2.0, "reference_cc": 0.95}


def scenes(made_alone: bool) -> Iterator[tuple[str, Scene]]:
    """Scenes by name, (H, W, C)."""
    if not made_alone and (SHARED / "raster").is_dir():
        import rasterio

        for name, (file, part) in SCENES.items():
            with rasterio.open(SHARED / "raster" / file) as opened:
                yield name, opened.read().transpose(1, 2, 0)[part].copy()
    yield "made", made_scene()


def made_scene(side: int = 320, seed: int = 3) -> Scene:
    """Hills, fields and a river in five bands of 16 bits: smoother than most land."""
    rng = np.random.default_rng(seed)

    def soft(px: int) -> Scene:
        coarse = rng.standard_normal((side // px + 3, side // px + 3)).astype(np.float32)
        return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)

    hills = sum(soft(px) * px / 64 for px in (64, 32, 16, 8))
    fields = cv2.resize(rng.random((side // 20,) * 2).astype(np.float32), (side, side), interpolation=0)
    y, x = np.mgrid[:side, :side]
    river = np.abs(y - side / 2 - 40 * np.sin(x / 50)) < 6
    base = np.where(river, 0.05, 0.3 + 0.12 * hills + 0.15 * fields)
    planes = [base * (0.6 + 0.2 * k) + 0.02 * soft(12) for k in range(5)]
    return np.clip(np.rint(np.stack(planes, axis=2) * 8000), 1, 10_000).astype(np.uint16)


def gaps(height: int, width: int) -> NDArray[np.bool_]:
    """Stripes that widen towards both sides."""
    y, x = np.mgrid[:height, :width]
    wide = SHARE * PERIOD_PX * (0.4 + 2.4 * np.abs(x / (width - 1) - 0.5))
    return np.asarray((y + TILT * x) % PERIOD_PX < wide)


def other_date(scene: Scene, seed: int) -> Scene:
    """The scene on another date."""
    rng = np.random.default_rng(seed)
    height, width, bands = scene.shape
    top = float(scene.max())

    def soft(px: int) -> Scene:
        coarse = rng.standard_normal((height // px + 2, width // px + 2)).astype(np.float32)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)

    values = scene.astype(np.float32) / top
    planes = [
        values[..., k] ** (1 + 0.3 * rng.random()) * (0.7 + 0.1 * soft(100)) + 0.05 + 0.02 * soft(80)
        for k in range(bands)
    ]
    made = np.stack(planes, axis=2)
    fields = (rng.random((height // 24 + 1, width // 24 + 1)) < 0.12).astype(np.uint8)
    changed = cv2.resize(fields, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    made[changed] = 0.6 * made[changed] + 0.15
    made += rng.standard_normal(made.shape) * 2 / 255
    return np.clip(np.rint(made * top), 0, np.iinfo(scene.dtype).max).astype(scene.dtype)


def by_gdal(scene: Scene, hole: NDArray[np.bool_]) -> Scene:
    """GDAL's FillNodata, band by band, as it comes."""
    from rasterio.fill import fillnodata

    known = (~hole).astype(np.uint8)
    planes = [fillnodata(scene[..., k].astype(np.float32), mask=known) for k in range(scene.shape[2])]
    return np.stack(planes, axis=2)


def by_us(scene: Scene, hole: NDArray[np.bool_], dates: list[Scene], method: str) -> Scene:
    """Our repair, with the other dates if there are any."""
    beside, _ = read_references(from_array(scene), hole, dates)
    settings = Settings(method="dates" if dates else method, grain=0)
    return repair_picture(from_array(scene), hole, settings, beside=beside).picture.samples


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """As they are told."""
    return {name: round(value, 4 if name == "cc" else 2) for name, value in figures.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--made", action="store_true", help="the made scene alone")
    rows: dict[str, Any] = {}
    for name, scene in scenes(parser.parse_args().made):
        hole = gaps(*scene.shape[:2])
        damaged = np.where(hole[..., None], 0, scene).astype(scene.dtype)
        dates = [other_date(scene, seed) for seed in (4, 5)]
        found = {
            "gdal": by_gdal(damaged, hole),
            "smooth": by_us(damaged, hole, [], "smooth"),
            "auto": by_us(damaged, hole, [], "auto"),
            "one other date": by_us(damaged, hole, dates[:1], "auto"),
            "two other dates": by_us(damaged, hole, dates, "auto"),
        }
        rows[name] = {how: rounded(measure_bands(filled, scene, hole)) for how, filled in found.items()}
        rows[name]["untouched_outside"] = all(
            bool((filled[~hole] == scene[~hole]).all()) for how, filled in found.items() if how != "gdal"
        )
    gains = [row["smooth"]["psnr"] - row["gdal"]["psnr"] for row in rows.values()]
    print_line(
        "scan gaps in scenes",
        scenes=rows,
        one_date_over_gdal_db=round(float(np.mean(gains)), 2),
        reference_cc=min(row["one other date"]["cc"] for row in rows.values()),
        bars=BARS,
    )


if __name__ == "__main__":
    main()
