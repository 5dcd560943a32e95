"""The picture of docs/panoramas.md: a made world, its tripod and a hole across the border, before and after.

python -m benchmarks.panorama_sheet -o docs/images/panorama.webp
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from remend.api import repair
from remend.finding import find_mask
from remend.options import MaskOptions
from remend.picture import Picture
from remend.windows.pole import poles_of

HEIGHT = 1024
EYE_M = 1.6  # above a pavement of stones
STONE_M = 0.15
LEG_DEG = 12.0  # how far the tripod's legs reach


def noise(size: int, seed: int) -> np.ndarray:
    """(size, size) of mean 0 and deviation 1, that goes on at its borders: many sizes of spots."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size))
    for spot in (2, 4, 8, 16, 32, 64):
        small = rng.normal(size=(size // spot, size // spot))
        wide = np.pad(small, 4, mode="wrap")
        large = cv2.resize(wide, None, fx=spot, fy=spot, interpolation=cv2.INTER_CUBIC)
        total += spot**0.6 * large[4 * spot : 4 * spot + size, 4 * spot : 4 * spot + size]
    return (total - total.mean()) / total.std()


def looked_up(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A plane that repeats itself, between its pixels."""
    size = len(plane)
    wide = np.pad(plane, 2, mode="wrap").astype(np.float32)
    return cv2.remap(
        wide, (x % size + 2).astype(np.float32), (y % size + 2).astype(np.float32), cv2.INTER_LINEAR
    )


def world(height: int = HEIGHT) -> np.ndarray:
    """(height, 2 · height, 3) uint8: a sky with clouds, hills, and a pavement."""
    down = (np.arange(height) + 0.5) * np.pi / height
    turn = (np.arange(2 * height) + 0.5) * np.pi / height
    below, turn = np.meshgrid(down - np.pi / 2, turn, indexing="ij")
    spots, hills = noise(512, 1), noise(512, 2)
    # Clouds lie on a plane overhead, stones on one below.
    overhead = 300 / np.tan(np.maximum(-below, 0.03))
    cloud = looked_up(spots, overhead * np.sin(turn) / 4, overhead * np.cos(turn) / 4)
    share = np.clip(0.35 * cloud + 0.15, 0, 1)[..., None] * np.clip(-below * 4, 0, 1)[..., None]
    blue = np.array([96, 146, 205]) + np.clip(0.5 + below, 0, 1)[..., None] * np.array([120, 80, 35])
    picture = blue * (1 - share) + 246 * share
    ridge = (
        0.09
        + 0.05 * np.sin(3 * turn)
        + 0.03 * np.sin(7 * turn + 1)
        + 0.004 * looked_up(hills, turn * 512 * 6 / np.pi, np.zeros_like(turn))
    )
    wood = looked_up(spots, turn * 512 * 8 / np.pi, below * 4000)
    picture = np.where((below > -ridge)[..., None], np.array([62, 84, 58]) + 14 * wood[..., None], picture)
    away = EYE_M / np.tan(np.maximum(below, 0.004))
    east, north = away * np.sin(turn), away * np.cos(turn)
    row = np.floor(north / STONE_M)
    across = east / (1.6 * STONE_M) + 0.5 * (row % 2)
    column = np.floor(across)
    own = np.sin(12.9898 * row + 78.233 * column) * 43758.5453
    own -= np.floor(own)
    joint = np.minimum(
        np.abs(across - np.rint(across)) * 1.6, np.abs(north / STONE_M - np.rint(north / STONE_M))
    )
    grain = looked_up(spots, 260 * east, 260 * north)
    stone = 128 + 38 * own + 15 * grain - 60 * np.clip(1 - joint / 0.1, 0, 1)
    far = np.clip(away / 14, 0, 1)[..., None]
    ground = stone[..., None] * np.array([1.0, 0.96, 0.9]) * (1 - far) + far * np.array([140, 134, 124])
    picture = np.where((below > 0)[..., None], ground, picture)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def with_tripod(picture: np.ndarray) -> np.ndarray:
    """A head and three legs below the camera."""
    height = len(picture)
    angle = 180 - (np.arange(height) + 0.5) * 180 / height
    turn = (np.arange(2 * height) + 0.5) * 180 / height
    angle, turn = np.meshgrid(angle, turn, indexing="ij")
    side = np.abs((turn - 20) % 120 - 60)
    leg = np.tan(np.radians(angle)) * np.sin(np.radians(np.minimum(60 - side, 90)))
    hurt = (angle < 4) | ((angle < LEG_DEG) & (leg < 0.016))
    return np.where(hurt[..., None], np.uint8((28, 28, 30)), picture)


def sheet() -> np.ndarray:
    """Before and after: the border amid the picture, and the view straight down."""
    whole = world()
    hurt = with_tripod(whole)
    height, width = whole.shape[:2]
    hole = np.zeros((height, width), bool)
    top, side = round(0.42 * height), round(0.045 * height)
    hole[top : top + 2 * side, :side] = hole[top : top + 2 * side, -side:] = True
    hurt[hole] = (232, 60, 60)
    tripod = find_mask(
        Picture(hurt, "RGB"), None, options=MaskOptions(find="tripod", projection="equirect", tripod_deg=14)
    )
    done = repair(hurt, hole | tripod.mask, projection="equirect")
    (pole,) = poles_of(Picture(hurt, "RGB", projection="equirect"), tripod.mask)
    rows = []
    for picture in (hurt, done):
        around = np.roll(picture, width // 2, axis=1)
        seen = pole.look(Picture(picture, "RGB", projection="equirect"), np.zeros_like(hole)).picture.samples
        shown = cv2.resize(around, (900, 450), interpolation=cv2.INTER_AREA)
        below = cv2.resize(seen, (450, 450), interpolation=cv2.INTER_AREA)
        rows.append(np.concatenate([shown, np.full((450, 6, 3), 255, np.uint8), below], axis=1))
    return np.concatenate([rows[0], np.full((6, rows[0].shape[1], 3), 255, np.uint8), rows[1]], axis=0)


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    PIL.Image.fromarray(sheet()).save(options.out, quality=82)


if __name__ == "__main__":
    main()
