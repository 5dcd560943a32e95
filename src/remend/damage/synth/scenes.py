"""Thin, dotted and lettered things that belong to a scene: wires, fences, rain, stars, hair, signs.

They are drawn into clean photographs as negatives to train a damage finder with. What tells them from damage
is drawn too: a wire hangs between things and does not break off, bars have thickness and a lit side, ropes
twist, stars stand in the dark; all take the light, the softness and the noise of the photograph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from remend.damage.synth.noise import Seed, as_generator, smooth_line, smooth_plane
from remend.errors import UsageError
from remend.picture import Float

__all__ = ["SCENE_KINDS", "scene"]

Rng = np.random.Generator
Picture8 = NDArray[np.uint8]

_SUB = 4  # binary digits of a pixel that OpenCV draws with
_LINEAR = ((np.arange(256) / 255) ** 2).astype(np.float32)  # light adds up here, not in stored values


class _View:
    """A photograph in linear light, what its light is like, and what lays things into it."""

    def __init__(self, photo: Picture8, rng: Rng) -> None:
        self.rng = rng
        self.size = (photo.shape[0], photo.shape[1])
        self.short = min(self.size)
        self.light: Float = _LINEAR[photo]
        small = cv2.resize(photo, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), max(1.0, min(small.shape[:2]) / 12))
        self.soft: Float = _LINEAR[cv2.resize(soft, self.size[::-1], interpolation=cv2.INTER_LINEAR)]
        self.level = float(self.soft.mean()) + 1e-3
        self.high = np.quantile(self.light[::4, ::4].reshape(-1, 3), 0.97, axis=0).astype(np.float32)
        grey = photo[:, :, 1].astype(np.float32)
        fine = np.abs(
            grey[1:-1, 1:-1] - (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
        )
        # Texture hides the noise of most places: the quiet ones tell it.
        self.noise = float(np.quantile(fine, 0.3)) * 1.9
        # One hue everywhere: a grey or toned print.
        self.tint = np.asarray(small.reshape(-1, 3).mean(axis=0) ** 2 + 1, np.float32)
        self.tint /= self.tint.mean()
        plain = small.astype(np.float32).mean(axis=2, keepdims=True) * np.sqrt(self.tint)
        self.grey = bool(np.abs(small - plain).mean() < 5)
        self.zoom = 4 if self.short <= 700 else 2
        self.sharp = float(rng.uniform(0.35, 0.9))
        self.unit = max(1.0, self.short / 480)

    def sheet(self) -> Picture8:
        """An empty map to draw on, ``zoom`` times as large as the photograph."""
        return np.zeros((self.size[0] * self.zoom, self.size[1] * self.zoom), np.uint8)

    def line(self, sheet: Picture8, path: ArrayLike, width: ArrayLike, value: int = 255) -> None:
        """A line through ``path`` (x, y), ``width`` px wide, or as wide at each point as ``width`` says."""
        one = self.zoom << _SUB
        points = np.rint(np.asarray(path, np.float64) * one).astype(np.int32)[:, None]
        wide = np.asarray(width, np.float64) * self.zoom
        if wide.ndim == 0:
            cv2.polylines(sheet, [points], False, value, max(1, round(float(wide))), cv2.LINE_AA, _SUB)
            return
        thick = np.maximum(1, np.rint(wide)).astype(int)
        first = 0
        for k in range(1, len(points)):
            if k == len(points) - 1 or thick[k] != thick[first]:
                part = points[first : k + 1]
                cv2.polylines(sheet, [part], False, value, int(thick[first]), cv2.LINE_AA, _SUB)
                first = k

    def area(self, sheet: Picture8, corners: ArrayLike, value: int = 255) -> None:
        """A filled polygon."""
        points = np.rint(np.asarray(corners, np.float64) * (self.zoom << _SUB)).astype(np.int32)[:, None]
        cv2.fillPoly(sheet, [points], value, cv2.LINE_AA, _SUB)

    def disc(self, sheet: Picture8, x: float, y: float, radius: float, value: int = 255) -> None:
        """A disc."""
        one = self.zoom << _SUB
        cv2.circle(
            sheet, (round(x * one), round(y * one)), max(1, round(radius * one)), value, -1, cv2.LINE_AA, _SUB
        )

    def cover(self, sheet: Picture8, blur: float = 0.0) -> Float:
        """(H, W) float32 coverage of a sheet, softened by the photograph's own blur and by ``blur``."""
        small = cv2.resize(sheet, self.size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        return np.asarray(cv2.GaussianBlur(small, (0, 0), math.hypot(self.sharp, blur)), np.float32)

    def lay(self, cover: Float, colour: ArrayLike, *, lit: float = 0.5) -> None:
        """Lay a linear ``colour`` ((3,) or (H, W, 3)) over the photograph where ``cover`` says.

        ``lit``: how far the colour follows the light that falls around it, 0–1.
        """
        tone = self.own(colour)
        if lit:
            around = self.soft.mean(axis=2, keepdims=True) / self.level
            tone = tone * np.clip(1 - lit + lit * around, 0.25, 2.5)
        grain = self.rng.standard_normal((*self.size, 1), dtype=np.float32) * np.float32(self.noise / 255)
        # Noise is of the stored values: in linear light it grows with the tone.
        tone = tone + 2 * np.sqrt(np.clip(tone, 0, 1)) * grain
        self.light += (tone - self.light) * cover[:, :, None]

    def add(self, cover: Float, colour: ArrayLike) -> None:
        """Light that adds up: stars, glints."""
        self.light += cover[:, :, None] * self.own(colour)

    def own(self, colour: ArrayLike) -> Float:
        """``colour`` as this photograph shows it: a grey or sepia one has no others."""
        tone = np.asarray(colour, np.float32)
        return np.asarray(tone.mean(axis=-1, keepdims=True) * self.tint if self.grey else tone, np.float32)

    def dark_tone(self) -> Float:
        """Something against the light: dark, a little of the scene's colour."""
        own = self.soft.reshape(-1, 3).mean(axis=0)
        return np.asarray(own * self.rng.uniform(0.02, 0.35), np.float32)

    def bright_tone(self) -> Float:
        """Something that the light falls on: about as bright as the scene's highlights."""
        return np.asarray(self.high * self.rng.uniform(0.5, 1.1), np.float32)

    def tone(self, dark: float = 0.6) -> Float:
        """One of both; dark with this chance."""
        return self.dark_tone() if self.rng.random() < dark else self.bright_tone()

    def picture(self) -> Picture8:
        """(H, W, 3) uint8 again."""
        return np.asarray(np.rint(np.sqrt(np.clip(self.light, 0, 1)) * 255), np.uint8)


def _hanging(a: Sequence[float], b: Sequence[float], sag: float, n: int = 28) -> Float:
    """(n, 2) points of a rope from ``a`` to ``b`` that hangs ``sag`` px through in the middle."""
    t = np.linspace(0, 1, n)
    x, y = a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t + 4 * sag * t * (1 - t)
    return np.asarray(np.stack([x, y], axis=1), np.float32)


def _round_thing(
    view: _View, paths: list[tuple[Float, Float]], tone: Float, blur: float = 0.0, lit: float = 0.5
) -> None:
    """Things round in section, with a lit side: (path, width at each point) each."""
    body, shine = view.sheet(), view.sheet()
    side = view.rng.choice([-1.0, 1.0])
    for path, width in paths:
        view.line(body, path, width)
        if float(np.max(width)) > 2:
            step = np.gradient(path, axis=0)
            normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / (np.hypot(*step.T)[:, None] + 1e-6)
            view.line(shine, path + side * 0.22 * width[:, None] * normal, 0.35 * width)
    view.lay(view.cover(body, blur), tone, lit=lit)
    if shine.any():
        gleam = np.asarray(tone) * view.rng.uniform(1.3, 3.0) + view.high * view.rng.uniform(0, 0.25)
        view.lay(view.cover(shine, blur + 0.3) * np.float32(view.rng.uniform(0.3, 0.9)), gleam, lit=lit)


def _wires(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    blur = float(rng.choice([0, 0, rng.uniform(0, 1.5)]))
    for _ in range(int(rng.integers(1, 4))):
        tone = view.tone(0.65)
        steep = rng.random() < 0.15
        ya, yb = rng.uniform(-0.1, 0.9, 2) * h
        ends = (
            [(-0.05 * w, ya), (1.05 * w, yb)]
            if not steep
            else [(ya * w / h, -0.05 * h), (yb * w / h, 1.05 * h)]
        )
        wide = view.unit * float(np.exp(rng.uniform(np.log(0.5), np.log(3.2))))
        taper = float(rng.uniform(0.4, 1.0))
        gaps = rng.uniform(0.01, 0.07, 2) * h
        sag = float(rng.uniform(0, 0.12)) * h
        poles: list[float] = []
        if not steep and rng.random() < 0.4:
            poles = sorted(rng.uniform(0.05, 0.95, int(rng.integers(1, 3))).tolist())
        stops = [0.0, *poles, 1.0]
        paths: list[tuple[Float, Float]] = []
        for index in range(int(rng.integers(1, 7))):
            slack = sag * float(rng.uniform(0.85, 1.15)) / len(stops)
            for s0, s1 in pairwise(stops):
                a, b = (
                    (
                        ends[0][0] + (ends[1][0] - ends[0][0]) * s,
                        ends[0][1]
                        + (ends[1][1] - ends[0][1]) * s
                        + index * (gaps[0] + (gaps[1] - gaps[0]) * s),
                    )
                    for s in (s0, s1)
                )
                path = _hanging(a, b, 0.0 if steep else slack)
                t = np.linspace(s0, s1, len(path))
                paths.append((path, (wide * (1 + (taper - 1) * t)).astype(np.float32)))
        _round_thing(view, paths, tone, blur)
        if poles:
            sheet = view.sheet()
            for s in poles:
                x = ends[0][0] + (ends[1][0] - ends[0][0]) * s
                y = ends[0][1] + (ends[1][1] - ends[0][1]) * s
                thick = wide * float(rng.uniform(4, 9))
                view.line(sheet, [(x, y - 0.03 * h), (x + rng.normal(0, 3), 1.1 * h)], thick)
                for k in range(int(rng.integers(1, 3))):
                    arm = 0.05 * h
                    view.line(sheet, [(x - arm, y + k * 0.04 * h), (x + arm, y + k * 0.04 * h)], thick / 3)
            view.lay(view.cover(sheet, blur), view.dark_tone())
        if rng.random() < 0.2:  # birds sit on it
            sheet = view.sheet()
            path = paths[0][0]
            for _ in range(int(rng.integers(1, 9))):
                x, y = path[int(rng.integers(len(path)))].tolist()
                size = wide * 2 + view.unit * 1.5
                view.disc(sheet, x, y - size, size)
                view.disc(sheet, x + 0.7 * size, y - 2 * size, 0.6 * size)
            view.lay(view.cover(sheet, blur), view.dark_tone())


def _grid_warp(view: _View) -> Callable[[ArrayLike], Float]:
    """A perspective that maps the unit square to somewhat more than the frame."""
    h, w = view.size
    rng = view.rng
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    corners = np.array([[-0.1, -0.1], [1.1, -0.1], [1.1, 1.1], [-0.1, 1.1]]) + rng.normal(0, 0.12, (4, 2))
    target = (corners * (w, h)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)

    def warp(points: ArrayLike) -> Float:
        moved = cv2.perspectiveTransform(np.asarray(points, np.float32).reshape(-1, 1, 2), matrix)
        return np.asarray(moved.reshape(-1, 2), np.float32)

    return warp


def _straight(
    warp: Callable[[ArrayLike], Float], a: Sequence[float], b: Sequence[float], n: int = 10
) -> Float:
    t = np.linspace(0, 1, n)[:, None]
    return warp(np.asarray(a) * (1 - t) + np.asarray(b) * t)


def _fence(view: _View) -> None:
    rng = view.rng
    warp = _grid_warp(view)
    top, base = float(rng.uniform(-0.1, 0.6)), float(rng.uniform(0.75, 1.2))
    wide = view.unit * float(np.exp(rng.uniform(np.log(1.0), np.log(9.0))))
    count = int(rng.integers(4, 26))
    paths = []
    for k in range(count + 1):
        path = _straight(warp, (k / count, top - float(rng.choice([0, 0.02]))), (k / count, base))
        paths.append((path, np.full(len(path), wide, np.float32)))
    for s in np.linspace(top + 0.05, base - 0.05, int(rng.integers(1, 5))).tolist():
        path = _straight(warp, (-0.1, s), (1.1, s), 16)
        paths.append((path, np.full(len(path), wide * float(rng.uniform(0.6, 1.4)), np.float32)))
    _round_thing(view, paths, view.tone(0.5), float(rng.choice([0, 0, rng.uniform(0, 2)])))


def _chain_link(view: _View) -> None:
    rng = view.rng
    warp = _grid_warp(view)
    cells = int(rng.integers(8, 26))
    wide = view.short / cells * float(rng.uniform(0.04, 0.14))
    paths = []
    for k in range(cells + 1):
        n = 2 * cells + 1
        t = np.arange(n) / (n - 1)
        for side in (1, -1):
            zig = (k + 0.5 * side * (1 - 2 * (np.arange(n) % 2))) / cells
            path = warp(np.stack([zig, t], axis=1))
            paths.append((path, np.full(n, wide, np.float32)))
    _round_thing(view, paths, view.tone(0.4), float(rng.choice([0, rng.uniform(0, 1.2), rng.uniform(1, 3)])))


def _bars(view: _View) -> None:
    rng = view.rng
    warp = _grid_warp(view)
    wide = view.unit * float(np.exp(rng.uniform(np.log(1.5), np.log(14.0))))
    paths = []
    for count, across in ((int(rng.integers(1, 9)), False), (int(rng.integers(0, 7)), True)):
        for k in range(count):
            s = (k + 0.5) / count
            path = _straight(warp, (-0.1, s) if across else (s, -0.1), (1.1, s) if across else (s, 1.1))
            paths.append((path, np.full(len(path), wide, np.float32)))
    _round_thing(view, paths, view.tone(0.6), float(rng.choice([0, 0, rng.uniform(0, 2.5)])))


def _masonry(view: _View) -> None:
    """Joints of bricks, planks or tiles."""
    rng = view.rng
    warp = _grid_warp(view)
    rows = int(rng.integers(5, 30))
    wide = view.short / rows * float(rng.uniform(0.03, 0.12))
    style = int(rng.integers(3))
    sheet = view.sheet()
    per = rows * float(rng.uniform(0.3, 0.6))
    for r in range(rows + 1):
        y = r / rows
        view.line(sheet, _straight(warp, (-0.1, y), (1.1, y)), wide)
        if style == 0:
            for x in np.arange(0.5 * (r % 2) / per - 0.1, 1.1, 1 / per).tolist():
                view.line(sheet, _straight(warp, (x, y), (x, y + 1 / rows), 2), wide)
        elif style == 1 and rng.random() < 0.5:
            x = float(rng.uniform(0, 1))
            view.line(sheet, _straight(warp, (x, y), (x, y + 1 / rows), 2), wide)
    if style == 2:
        for x in np.arange(0, 1, 1 / rows).tolist():
            view.line(sheet, _straight(warp, (x, -0.1), (x, 1.1)), wide)
    # Joints lie in the wall: they keep its light and colour, darker or lighter.
    cover = view.cover(sheet) * np.clip(0.75 + 0.2 * smooth_plane(view.size, view.short / 12, rng), 0, 1)
    factor = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.65 else float(rng.uniform(1.5, 2.5))
    view.lay(cover, np.clip(view.light * factor, 0, 1), lit=0.0)


def _rain(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    slant = float(rng.normal(0, 0.25))
    for depth in range(3):
        sheet = view.sheet()
        length = view.short * float(rng.uniform(0.02, 0.07)) * (1 + depth)
        count = int(h * w / view.short**2 * rng.uniform(30, 220) / (1 + depth))
        for x, y, s in rng.random((count, 3)).tolist():
            reach = length * (0.6 + 0.8 * s)
            a = np.array([x * w * 1.2 - 0.1 * w, y * h * 1.2 - 0.1 * h])
            view.line(
                sheet,
                [a, a + reach * np.array([math.sin(slant), math.cos(slant)])],
                (0.4 + 0.35 * depth) * view.unit,
                130,
            )
        strength = np.float32(rng.uniform(0.2, 0.75))
        view.lay(view.cover(sheet, 0.3 * depth) * strength, view.high * 0.9, lit=0.4)


def _snow(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    drift, fast = float(rng.normal(0, 0.6)), float(rng.choice([0, 0, rng.uniform(1, 5)]))
    for depth in range(4):
        sheet = view.sheet()
        radius = view.unit * 0.55 * 1.75**depth
        count = int(h * w / view.short**2 * rng.uniform(60, 300) / 2.4**depth)
        for x, y, s in rng.random((count, 3)).tolist():
            r = radius * (0.6 + 0.8 * s)
            if fast:
                tail = fast * r * np.array([math.sin(drift), math.cos(drift)])
                view.line(sheet, [(x * w, y * h), np.array([x * w, y * h]) + tail], 2 * r, 230)
            else:
                view.disc(sheet, x * w, y * h, r, 150 + int(100 * s))
        blur = (0.35 + 0.45 * depth) * view.unit
        view.lay(view.cover(sheet, blur), np.maximum(view.high, 0.5) * float(rng.uniform(0.8, 1.1)), lit=0.3)


def _stars(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    night = view.soft * float(rng.uniform(0.005, 0.05)) + np.array([0.0005, 0.0008, 0.002]) * rng.uniform(
        0, 6
    )
    keep = np.clip((np.arange(h, dtype=np.float32) / h - rng.uniform(0.3, 1.2)) * 6, 0, 1)[:, None, None]
    dim = view.light * np.float32(rng.uniform(0.02, 0.2))
    view.light = (night + (dim - night) * keep).astype(np.float32)
    view.noise = max(view.noise, float(rng.uniform(0, 4)))
    view.lay(np.full(view.size, 1e-3, np.float32), view.light, lit=0.0)
    count = int(h * w / view.short**2 * np.exp(rng.uniform(np.log(40), np.log(900))))
    magnitude = np.minimum(0.012 * rng.pareto(0.9, count) + 0.012, 1.0)
    if rng.random() < 0.2:  # a long exposure: arcs about the pole
        px, py, arc = rng.uniform(0, w), rng.uniform(-0.3, 0.8) * h, float(rng.uniform(0.1, 0.9))
        sheet = view.sheet()
        for x, y, m in zip(
            rng.uniform(0, w, count).tolist(),
            rng.uniform(0, h, count).tolist(),
            magnitude.tolist(),
            strict=True,
        ):
            t = math.atan2(y - py, x - px) + np.linspace(0, arc, 12)
            r = math.hypot(x - px, y - py)
            view.line(
                sheet,
                np.stack([px + r * np.cos(t), py + r * np.sin(t)], axis=1),
                0.7 * view.unit,
                int(60 + 195 * m**0.5),
            )
        view.add(view.cover(sheet) * (1 - keep[:, :, 0]), rng.uniform(0.5, 1.0, 3))
        return
    points = np.zeros((h, w, 3), np.float32)
    x, y = rng.integers(0, w, count), rng.integers(0, h, count)
    colour = np.clip(1 + rng.normal(0, 0.25, (count, 1)) * np.array([1, 0.1, -1]), 0.2, 1.6)
    points[y, x] = magnitude[:, None] * colour * (1 - keep[y, 0])
    sigma = float(rng.uniform(0.5, 1.3)) * view.unit
    glow = cv2.GaussianBlur(points, (0, 0), sigma) * np.float32(2 * np.pi * sigma**2)
    halo = cv2.GaussianBlur(np.where(points > 0.5, points, 0), (0, 0), 4 * sigma) * np.float32(12 * sigma**2)
    view.light = np.asarray(view.light + glow + halo, np.float32)


def _hair(view: _View) -> None:
    """Strands, backlit or dark, from a head, a fur's rim or out of the frame."""
    rng, (h, w) = view.rng, view.size
    cx, cy = rng.uniform(0.1, 0.9) * w, rng.uniform(0.3, 1.1) * h
    radius = view.short * float(rng.uniform(0.1, 0.5))
    bright = rng.random() < 0.6
    if rng.random() < 0.6:
        sheet = view.sheet()
        view.disc(sheet, cx, cy, radius)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        locks = np.cos(14 * np.arctan2(y - cy, x - cx) + 3 * smooth_plane(view.size, radius / 3, rng))
        view.lay(view.cover(sheet, radius / 8), view.dark_tone() * (0.5 + 0.3 * locks)[:, :, None])
    sheet = view.sheet()
    comb, swirl = float(rng.uniform(-1, 1)), float(rng.normal(0, 1.0))
    count = int(np.exp(rng.uniform(np.log(30), np.log(260))))
    for root in rng.uniform(0, 2 * np.pi, count).tolist():
        n = 24
        length = radius * float(rng.uniform(0.3, 2.4))
        clump = 0.25 * math.sin(9 * root)
        heading = root + comb + clump + swirl * np.linspace(0, 1, n) + 0.5 * smooth_line(n, 12, rng)
        start = np.array([cx + radius * 0.95 * math.cos(root), cy + radius * 0.95 * math.sin(root)])
        path = start + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / n, axis=0)
        wide = view.unit * float(rng.uniform(0.35, 1.3)) * np.linspace(1.1, 0.4, n)
        view.line(sheet, path, wide, int(rng.integers(120, 256)))
    tone = view.bright_tone() * np.array([1.05, 0.95, 0.8]) if bright else view.dark_tone() * 0.7
    view.lay(view.cover(sheet), tone, lit=0.6)


def _whiskers(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    x, y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h
    sheet = view.sheet()
    for side in (-1, 1):
        for _ in range(int(rng.integers(4, 11))):
            n = 20
            start = np.array(
                [x + side * rng.uniform(0.03, 0.08) * view.short, y + rng.normal(0, 0.025) * view.short]
            )
            heading = float(rng.normal(0, 0.35)) + float(rng.normal(0, 0.5)) * np.linspace(0, 1, n)
            length = view.short * float(rng.uniform(0.12, 0.4))
            step = np.stack([side * np.cos(heading), np.sin(heading)], axis=1) * length / n
            view.line(
                sheet,
                start + np.cumsum(step, axis=0),
                view.unit * rng.uniform(0.5, 1.8) * np.linspace(1, 0.25, n),
            )
    view.lay(view.cover(sheet), view.tone(0.2), lit=0.6)


def _web(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    x, y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h
    spokes, rings = int(rng.integers(10, 30)), int(rng.integers(8, 30))
    reach = view.short * float(rng.uniform(0.3, 0.8))
    angles = np.sort(np.linspace(0, 2 * np.pi, spokes, endpoint=False) + rng.normal(0, 0.06, spokes))
    squash, turn = float(rng.uniform(0.5, 1.0)), float(rng.uniform(0, np.pi))
    c, s = math.cos(turn), math.sin(turn)

    def place(r: NDArray[np.float64], t: NDArray[np.float64]) -> Float:
        u, v = r * np.cos(t), squash * r * np.sin(t)
        return np.asarray(np.stack([x + u * c - v * s, y + u * s + v * c], axis=1), np.float32)

    sheet = view.sheet()
    thin = view.unit * float(rng.uniform(0.3, 0.9))
    for t in angles.tolist():
        view.line(sheet, place(np.array([0, 1.5 * reach]), np.array([t, t])), thin, 220)
    for k in range(rings):
        r = reach * (k + 1.5) / rings
        for a, b in zip(angles, np.append(angles[1:], angles[0] + 2 * np.pi), strict=True):
            m = np.linspace(0, 1, 6)
            # Threads between two spokes hang towards the hub.
            view.line(
                sheet,
                place(r * (1 - 0.25 * m * (1 - m)) * (1 + 0.01 * rng.normal()), a + (b - a) * m),
                thin,
                180,
            )
    cover = view.cover(sheet) * np.clip(
        0.65 + 0.3 * smooth_plane(view.size, view.short / 4, rng, octaves=1), 0.1, 1
    )
    if rng.random() < 0.3:  # dew
        drops = view.sheet()
        for t in rng.choice(angles, 80).tolist():
            point = place(np.array([rng.uniform(0.1, 1) * reach]), np.array([t]))[0]
            view.disc(drops, float(point[0]), float(point[1]), view.unit * float(rng.uniform(0.6, 1.6)))
        cover = np.maximum(cover, view.cover(drops))
    view.lay(cover, view.bright_tone(), lit=0.4)


def _confetti(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    for depth in range(2):
        for _ in range(3):
            sheet = view.sheet()
            hue = np.array([[[rng.uniform(0, 360), rng.uniform(0.3, 0.95), 1.0]]], np.float32)
            colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0] ** 2 * view.high.mean()
            for _ in range(int(rng.integers(4, 36 - 12 * depth))):
                x, y, turn = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0, np.pi)
                a, b = view.unit * (1.6 + 2.6 * depth) * rng.uniform(0.5, 1.6, 2)
                u = np.array([math.cos(turn), math.sin(turn)])
                v = np.array([-u[1], u[0]])
                middle = np.array([x, y])
                if rng.random() < 0.12:
                    path = (
                        middle
                        + np.outer(np.linspace(0, 12 * a, 20), u)
                        + np.outer(2 * b * np.sin(np.linspace(0, 9, 20)), v)
                    )
                    view.line(sheet, path, max(0.8, 0.5 * b))
                else:
                    view.area(
                        sheet,
                        [
                            middle + a * u + b * v,
                            middle - a * u + b * v,
                            middle - a * u - b * v,
                            middle + a * u - b * v,
                        ],
                    )
            view.lay(view.cover(sheet, depth * float(rng.uniform(0, 1.4)) * view.unit), colour, lit=0.6)


def _rigging(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    paths = []
    for _ in range(int(rng.integers(1, 4))):
        x, top, foot = rng.uniform(0.05, 0.95) * w, rng.uniform(-0.2, 0.4) * h, rng.uniform(0.8, 1.1) * h
        lean = float(rng.normal(0, 0.04)) * h
        wide = view.unit * float(rng.uniform(1.5, 7))
        mast = _hanging((x + lean, top), (x, foot), 0.0)
        paths.append((mast, (wide * np.linspace(0.5, 1, len(mast))).astype(np.float32)))
        thin = view.unit * float(rng.uniform(0.4, 1.4))
        for _ in range(int(rng.integers(2, 9))):
            at = mast[int(rng.integers(0, len(mast) // 2))]
            end = (x + rng.choice([-1, 1]) * rng.uniform(0.05, 0.5) * h, foot)
            stay = _hanging(at.tolist(), end, float(rng.uniform(0, 0.02)) * h)
            paths.append((stay, np.full(len(stay), thin, np.float32)))
        if rng.random() < 0.4:  # shrouds with ratlines, or the cables of a bridge
            base = np.linspace(-0.12, 0.12, 5) * h + x
            for b in base.tolist():
                line = _hanging((x + lean / 2, (top + foot) / 2), (b, foot), 0.0, 2)
                paths.append((line, np.full(2, thin, np.float32)))
            for s in np.linspace(0.15, 0.95, 14).tolist():
                y = (top + foot) / 2 + s * (foot - top) / 2
                a, b = x + s * (base[0] - x), x + s * (base[-1] - x)
                paths.append((_hanging((a, y), (b, y), 1.0, 4), np.full(4, 0.8 * thin, np.float32)))
        for _ in range(int(rng.integers(0, 3))):
            y, half = rng.uniform(top, foot), rng.uniform(0.05, 0.2) * h
            yard = _hanging((x - half, y), (x + half, y + rng.normal(0, 5)), 0.0)
            paths.append((yard, np.full(len(yard), 0.6 * wide, np.float32)))
    _round_thing(view, paths, view.tone(0.7))


def _grass(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    wind = float(rng.normal(0, 0.3))
    dry = rng.random() < 0.3
    for depth in range(3):
        tone = (
            np.array([0.5, 0.42, 0.2] if dry else [0.16, 0.3, 0.05])
            * rng.uniform(0.3, 1.6)
            * view.high.mean()
        )
        sheet = view.sheet()
        for _ in range(int(rng.integers(15, 80))):
            n = 14
            x, y = rng.uniform(-0.05, 1.05) * w, h * (1.02 - 0.05 * (2 - depth) * rng.random())
            length = h * float(rng.uniform(0.08, 0.5))
            heading = (
                -np.pi / 2
                + float(rng.normal(0, 0.2))
                + (wind + float(rng.normal(0, 0.5))) * np.linspace(0, 1, n) ** 2
            )
            path = np.array([x, y]) + np.cumsum(
                np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / n, axis=0
            )
            view.line(
                sheet,
                path,
                view.unit * rng.uniform(0.8, 2.6) * np.linspace(1, 0.15, n),
                int(rng.integers(150, 256)),
            )
        view.lay(view.cover(sheet, 0.6 * (2 - depth) * rng.random()), tone, lit=0.5)


def _ropes(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        wide = view.unit * float(rng.uniform(2.5, 10))
        path = _hanging(
            (-0.05 * w, rng.uniform(0, 1) * h),
            (1.05 * w, rng.uniform(0, 1) * h),
            float(rng.uniform(0, 0.3)) * h,
        )
        if rng.random() < 0.3:
            path = path[:, ::-1] * np.float32(w / h)
        sheet = view.sheet()
        view.line(sheet, path, wide)
        cover = view.cover(sheet)
        heading = math.atan2(*(path[-1] - path[0])[::-1].tolist()) + 0.9
        twist = 0.5 + 0.5 * np.cos(2 * np.pi * (x * math.cos(heading) + y * math.sin(heading)) / (0.7 * wide))
        tone = view.tone(0.4)[None, None] * (0.55 + 0.6 * twist)[:, :, None]
        view.lay(cover, tone)


def _twigs(view: _View) -> None:
    rng, (h, w) = view.rng, view.size
    sheet = view.sheet()

    def grow(x: float, y: float, heading: float, length: float, wide: float, depth: int) -> None:
        n = 8
        bent = heading + float(rng.normal(0, 0.35)) * np.linspace(0, 1, n) + 0.15 * smooth_line(n, 3, rng)
        path = np.array([x, y]) + np.cumsum(
            np.stack([np.cos(bent), np.sin(bent)], axis=1) * length / n, axis=0
        )
        view.line(sheet, path, np.linspace(wide, 0.65 * wide, n))
        if depth:
            for _ in range(int(rng.integers(2, 4))):
                k = int(rng.integers(n // 2, n))
                px, py = path[k].tolist()
                grow(
                    px,
                    py,
                    float(bent[k] + rng.normal(0, 0.6)),
                    length * float(rng.uniform(0.55, 0.85)),
                    wide * 0.62,
                    depth - 1,
                )

    for _ in range(int(rng.integers(1, 4))):
        side = int(rng.integers(4))
        x, y, heading = [
            (0.0, rng.uniform(0, h), 0.0),
            (w, rng.uniform(0, h), np.pi),
            (rng.uniform(0, w), h, -np.pi / 2),
            (rng.uniform(0, w), 0.0, np.pi / 2),
        ][side]
        grow(
            float(x),
            float(y),
            heading + float(rng.normal(0, 0.4)),
            0.28 * view.short,
            view.unit * float(rng.uniform(2, 8)),
            4,
        )
    view.lay(view.cover(sheet, float(rng.choice([0, 0, rng.uniform(0, 1.5)]))), view.tone(0.85))


def _glints(view: _View) -> None:
    """Sparkles on water, lamps at night, drops: points of light in bands."""
    rng, (h, w) = view.rng, view.size
    sheet = view.sheet()
    horizon = float(rng.uniform(0.2, 0.9))
    for _ in range(int(np.exp(rng.uniform(np.log(30), np.log(400))))):
        depth = float(rng.random()) ** 0.7
        x, y = rng.uniform(0, w), h * (horizon + depth * (1 - horizon))
        a = view.unit * (0.4 + 2.2 * depth * rng.random())
        half = float(rng.choice([1, 1, 2, 3])) * a
        view.line(sheet, [(x - half, y), (x + half, y)], 0.9 * a, int(rng.integers(120, 256)))
    view.add(view.cover(sheet), np.maximum(view.high, 0.35) * float(rng.uniform(0.5, 1.2)))


def _rims(view: _View) -> None:
    """Spectacle rims, wheels with spokes, hoops: thin closed curves."""
    rng, (h, w) = view.rng, view.size
    x, y, r = (
        rng.uniform(0.25, 0.75) * w,
        rng.uniform(0.25, 0.75) * h,
        view.short * float(rng.uniform(0.06, 0.3)),
    )
    squash, turn = float(rng.uniform(0.5, 1)), float(rng.normal(0, 0.25))
    t = np.linspace(0, 2 * np.pi, 60)
    wide = view.unit * float(rng.uniform(0.7, 4))
    paths = []

    def oval(cx: float, cy: float, size: float) -> Float:
        u, v = size * np.cos(t), squash * size * np.sin(t)
        return np.asarray(
            np.stack(
                [cx + u * math.cos(turn) - v * math.sin(turn), cy + u * math.sin(turn) + v * math.cos(turn)],
                axis=1,
            ),
            np.float32,
        )

    if rng.random() < 0.5:
        r *= 0.5
        for side in (-1.25, 1.25):
            paths.append(
                (
                    oval(x + side * r * math.cos(turn), y + side * r * math.sin(turn), r),
                    np.full(60, wide, np.float32),
                )
            )
        bridge = _hanging((x - 0.25 * r, y), (x + 0.25 * r, y), -0.15 * r)
        paths.append((bridge, np.full(len(bridge), wide, np.float32)))
        temple = _hanging((x + 2.25 * r, y), (x + 3.6 * r, y - 0.2 * r), 0.0)
        paths.append((temple, np.full(len(temple), wide, np.float32)))
    else:
        rim = oval(x, y, r)
        paths.append((rim, np.full(60, wide, np.float32)))
        for k in range(0, 60, int(rng.choice([2, 3, 4, 5, 60]))):
            paths.append(
                (np.stack([np.array([x, y], np.float32), rim[k]]), np.full(2, 0.35 * wide, np.float32))
            )
    _round_thing(view, paths, view.tone(0.5))


def _sign(view: _View) -> None:
    """Lettering that belongs to the scene: on a board in perspective, on a wall, on cloth."""
    rng, (h, w) = view.rng, view.size
    for _ in range(int(rng.integers(1, 4))):
        letters = "ABCDEFGHIKLMNOPRSTUVWZ" if rng.random() < 0.6 else "abcdefghiklmnoprstuvwz 0123456789"
        words = "\n".join(
            "".join(rng.choice(list(letters), int(rng.integers(2, 11))))
            for _ in range(int(rng.integers(1, 4)))
        )
        font = ImageFont.load_default(48.0)
        probe = ImageDraw.Draw(Image.new("L", (1, 1)))
        left, top, right, bottom = (int(v) for v in probe.multiline_textbbox((0, 0), words, font=font))
        pad = 16
        board = Image.new("L", (right - left + 2 * pad, bottom - top + 2 * pad))
        ImageDraw.Draw(board).multiline_text(
            (pad - left, pad - top), words, fill=255, font=font, align="center"
        )
        ink = np.asarray(board)
        bh, bw = ink.shape
        scale = float(rng.uniform(0.12, 0.5)) * min(w / bw, h / bh) * float(rng.choice([1, 1, 1.6]))
        angle = float(rng.normal(0, 0.15))
        c, s = math.cos(angle) * scale, math.sin(angle) * scale
        middle = rng.uniform(0.15, 0.85, 2) * (w, h)
        corners = (
            np.array([[-bw, -bh], [bw, -bh], [bw, bh], [-bw, bh]]) / 2 @ np.array([[c, s], [-s, c]]) + middle
        )
        corners = corners + rng.normal(0, 0.08 * scale * bh, (4, 2))
        source = np.array([[0, 0], [bw, 0], [bw, bh], [0, bh]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32) * view.zoom)
        sheet = cv2.warpPerspective(ink, matrix, (w * view.zoom, h * view.zoom), flags=cv2.INTER_AREA)
        if rng.random() < 0.55:
            panel = view.sheet()
            view.area(panel, corners)
            view.lay(view.cover(panel), view.tone(0.5) * rng.uniform(0.7, 1.3, 3), lit=0.8)
        own = (
            np.clip(view.light * 0.15, 0, 1)
            if rng.random() < 0.5
            else np.broadcast_to(view.bright_tone(), (h, w, 3))
        )
        view.lay(view.cover(np.asarray(sheet, np.uint8)) * np.float32(rng.uniform(0.6, 0.95)), own, lit=0.7)


_MAKERS: dict[str, Callable[[_View], None]] = {
    "wires": _wires,
    "fence": _fence,
    "chain-link": _chain_link,
    "bars": _bars,
    "masonry": _masonry,
    "rain": _rain,
    "snow": _snow,
    "stars": _stars,
    "hair": _hair,
    "whiskers": _whiskers,
    "web": _web,
    "confetti": _confetti,
    "rigging": _rigging,
    "grass": _grass,
    "ropes": _ropes,
    "twigs": _twigs,
    "glints": _glints,
    "rims": _rims,
    "sign": _sign,
}

SCENE_KINDS: tuple[str, ...] = tuple(_MAKERS)
"""What ``scene`` can draw."""


def scene(photo: Picture8, *, seed: Seed, kind: str | None = None) -> Picture8:
    """Draw something thin, dotted or lettered into a photograph, so that it belongs to the scene.

    Nothing that it draws is damage. Draw it before ``damage_picture``, so that wear lies on top.

    Args:
        photo: (H, W, 3) uint8 RGB; not written to.
        seed: an int, or a generator to draw from; the same arguments give the same picture.
        kind: one of ``SCENE_KINDS``; None draws one.

    Returns:
        (H, W, 3) uint8 RGB, a new array. Pixels that nothing covers may differ by a level.

    Raises:
        UsageError: an unknown kind, or a picture that is not (H, W, 3) uint8 of at least 32 px a side.

    Cost: 5–30 ms at 320²; a sheet of 4 × 4 bytes a pixel.

    >>> scene(np.full((64, 64, 3), 140, np.uint8), seed=2, kind="wires").shape
    (64, 64, 3)
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or min(photo.shape[:2]) < 32:
        raise UsageError(f"a scene must be uint8 (H, W, 3), 32 px or more, got {photo.dtype} {photo.shape}")
    if kind is not None and kind not in _MAKERS:
        raise UsageError(f"no scene is called {kind!r}: choose one of {', '.join(_MAKERS)}")
    rng = as_generator(seed, "scene")
    chosen = kind or SCENE_KINDS[int(rng.integers(len(SCENE_KINDS)))]
    view = _View(photo, rng)
    _MAKERS[chosen](view)
    return view.picture()
