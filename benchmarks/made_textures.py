"""Twelve textures that anybody can make again: four of scikit-image's pictures, eight drawn by code."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["TEXTURES", "texture"]

SIDE = 448
Plane = NDArray[np.float32]


def texture(name: str) -> NDArray[np.uint8]:
    """One of `TEXTURES`, (448, 448, 3) uint8."""
    made = TEXTURES[name]()
    image = made if made.ndim == 3 else np.dstack([made] * 3)
    return np.ascontiguousarray(image[:SIDE, :SIDE, :3])


def _given(name: str) -> Callable[[], NDArray[np.uint8]]:
    def read() -> NDArray[np.uint8]:
        from skimage import data

        return np.asarray(getattr(data, name)(), np.uint8)

    return read


def _noise(seed: int, sigma_x: float, sigma_y: float) -> Plane:
    """Correlated noise of mean 0 and deviation 1."""
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32)
    made = cv2.GaussianBlur(white, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
    return np.asarray((made - made.mean()) / made.std(), np.float32)


def _coloured(plane: Plane, dark: tuple[int, int, int], light: tuple[int, int, int]) -> NDArray[np.uint8]:
    """0 … 1 as a mixture of two colours."""
    share = np.clip(plane, 0, 1)[..., None]
    mixed = np.float32(dark) * (1 - share) + np.float32(light) * share
    return np.rint(mixed).astype(np.uint8)


def _sand() -> NDArray[np.uint8]:
    """Ripples that wander and fork, under grains."""
    row = np.arange(SIDE, dtype=np.float32)[:, None]
    ripples = np.sin(row * 2 * np.pi / 23 + 2.2 * _noise(1, 60, 20))
    grains = 0.5 * _noise(2, 0.8, 0.8) + 0.5 * _noise(3, 1.6, 1.6)
    return _coloured(0.5 + 0.16 * ripples + 0.13 * grains, (96, 70, 44), (236, 210, 168))


def _cloth() -> NDArray[np.uint8]:
    """A plain weave whose threads differ in thickness and brightness."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    x, y = x + 0.7 * _noise(5, 20, 20), y + 0.7 * _noise(6, 20, 20)
    across, down = x / 7, y / 7
    warp = np.abs(np.sin(np.pi * across)) * (0.75 + 0.25 * rng.random(SIDE)[(across.astype(int)) % SIDE])
    weft = np.abs(np.sin(np.pi * down)) * (0.75 + 0.25 * rng.random(SIDE)[(down.astype(int)) % SIDE])
    over = (across.astype(int) + down.astype(int)) % 2 == 0
    threads = np.where(over, warp * (0.6 + 0.4 * np.abs(np.sin(np.pi * down))), 0.8 * weft)
    return _coloured(0.85 * threads + 0.04 * _noise(7, 0.7, 0.7), (26, 34, 58), (150, 164, 196))


def _water() -> NDArray[np.uint8]:
    """Crossing waves with glints."""
    height = _noise(8, 14, 4) + 0.5 * _noise(9, 6, 2) + 0.25 * _noise(10, 2.5, 1)
    slope = cv2.Sobel(height, cv2.CV_32F, 0, 1)
    slope = slope / slope.std()
    return _coloured(
        0.4 + 0.16 * slope + 0.12 * np.maximum(slope - 1.2, 0) ** 2, (12, 44, 62), (196, 222, 226)
    )


def _foliage() -> NDArray[np.uint8]:
    """Leaves that lie over one another, each with a vein and a lit side."""
    rng = np.random.default_rng(11)
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    for _ in range(5200):
        centre = rng.uniform(-12, SIDE + 12, 2)
        angle, length = rng.uniform(0, np.pi), rng.uniform(7, 17)
        along = np.array([np.cos(angle), np.sin(angle)])
        aside = np.array([-along[1], along[0]]) * length * 0.36
        along *= length
        green = np.array([38, 92, 30]) * rng.uniform(0.45, 1.5) + rng.uniform(0, 26) * np.array([1, 0.6, 0])
        tip, end = centre + along, centre - along
        for sign, light in ((1, 1.0), (-1, 0.8)):
            bow = [end, centre - along * 0.4 + sign * aside, centre + along * 0.4 + sign * aside, tip]
            colour = np.clip(green * light, 0, 255).tolist()
            cv2.fillConvexPoly(image, np.rint(np.array(bow) * 16).astype(np.int32), colour, cv2.LINE_AA, 4)
        ends = np.rint(np.stack([end, tip]) * 16).astype(int).tolist()
        cv2.line(image, ends[0], ends[1], np.clip(green * 1.25, 0, 255).tolist(), 1, cv2.LINE_AA, 4)
    return image


def _print() -> NDArray[np.uint8]:
    """A halftone at 45° of a mottled grey, on paper."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    turned = np.cos((x + y) * 2 * np.pi / 9) + np.cos((x - y) * 2 * np.pi / 9)
    grey = 0.12 * _noise(12, 12, 12)
    dots = 1 / (1 + np.exp(-3 * (turned / 2 + grey)))
    return _coloured(dots + 0.05 * _noise(13, 1, 1), (58, 44, 40), (226, 216, 196))


def _cobbles() -> NDArray[np.uint8]:
    """Stones of many sizes, each lit from above, with dark joints."""
    rng = np.random.default_rng(14)
    points = rng.uniform(-20, SIDE + 20, (720, 2)).astype(np.float32)
    tint = rng.uniform(0.4, 0.8, len(points))
    nearest = np.full((SIDE, SIDE), np.inf, np.float32)
    second, stone = nearest.copy(), np.zeros((SIDE, SIDE), np.float32)
    for (px, py), shade in zip(points, tint, strict=True):
        reach = tuple(slice(max(0, int(p) - 60), max(0, min(SIDE, int(p) + 60))) for p in (py, px))
        y, x = np.mgrid[reach].astype(np.float32)
        far = np.hypot(x - px, y - py)
        here, next_here = nearest[reach], second[reach]
        closer = far < here
        next_here[...] = np.where(closer, here, np.minimum(next_here, far))
        stone[reach] = np.where(closer, shade + 0.12 * np.clip((py - y) / 10, -1, 1), stone[reach])
        here[...] = np.minimum(here, far)
    joint = np.clip((second - nearest) / 6, 0, 1)
    return _coloured(joint * (stone + 0.05 * _noise(15, 1.2, 1.2)), (34, 30, 26), (206, 198, 190))


def _wood() -> NDArray[np.uint8]:
    """Years' rings cut lengthwise, with pores."""
    x = np.arange(SIDE, dtype=np.float32)[None, :]
    bend = _noise(16, 12, 120)
    rings = (x / 17 + 1.1 * bend + 0.2 * _noise(17, 3, 60)) % 1
    pores = np.maximum(_noise(18, 0.6, 7) - 1.3, 0)
    return _coloured(
        0.75 - 0.5 * rings**2 - 0.35 * pores + 0.05 * _noise(19, 0.6, 3), (84, 46, 22), (214, 164, 104)
    )


def _fur() -> NDArray[np.uint8]:
    """Hairs in one direction, more or less, over one another."""
    rng = np.random.default_rng(20)
    image = np.full((SIDE, SIDE, 3), (60, 40, 26), np.uint8)
    turn = 0.5 * _noise(21, 40, 40)
    for _ in range(16000):
        x, y = rng.uniform(0, SIDE, 2)
        angle = 1.1 + turn[int(y), int(x)] + rng.normal(0, 0.15)
        step = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(4, 9)
        bend = np.array([-step[1], step[0]]) * rng.normal(0, 0.15)
        hair = np.rint((np.array([x, y]) + np.array([-step, bend, step])) * 16).astype(np.int32)
        colour = np.clip(np.array([150, 112, 74]) * rng.uniform(0.3, 1.5), 0, 255).tolist()
        cv2.polylines(image, [hair], False, colour, 1, cv2.LINE_AA, 4)
    return image


TEXTURES: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "brick": _given("brick"),
    "grass": _given("grass"),
    "gravel": _given("gravel"),
    "stars": _given("hubble_deep_field"),
    "sand": _sand,
    "wood": _wood,
    "cloth": _cloth,
    "water": _water,
    "foliage": _foliage,
    "print": _print,
    "cobbles": _cobbles,
    "fur": _fur,
}
