"""Watermarks: translucent lettering and logos, one over the picture or tiled all over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.glyphs import Fonts, pasted, pick_face, render, scaled, thickened, turned, words
from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator
from remend.picture import Float

__all__ = ["watermark"]

_LAYOUTS = ("tiled", "large", "small")


def watermark(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    opacity: tuple[float, float] = (0.12, 0.6),
    fonts: Fonts = (),
) -> list[Layer]:
    """Watermarks as agencies and photographers lay them: words, ©, rings, logos, lines, half transparent.

    One in three tiles the picture, level or slanted; one is large, across the middle or along the diagonal;
    one is small, in a corner or anywhere. Filled or outlines only; some with a dark or light rim.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws one.
        opacity: least and largest.
        fonts: paths of fonts to letter with, beside those that Pillow and OpenCV bring.

    Returns:
        Layers, white, grey or black, ready for ``mask_of`` and ``compose``.

    Raises:
        UsageError: one of ``fonts`` cannot be read.

    Cost: 1–5 ms at 512².
    """
    rng = as_generator(seed, "watermark")
    layers: list[Layer] = []
    for _ in range(1 if count is None else count):
        strength = float(rng.uniform(*opacity))
        layout = _LAYOUTS[int(rng.choice(3, p=[0.36, 0.34, 0.3]))]
        cover = {"tiled": _tiled, "large": _large, "small": _small}[layout](size, rng, fonts)
        level = int(
            rng.choice([255, rng.uniform(180, 225), rng.uniform(30, 80), 0], p=[0.6, 0.12, 0.1, 0.18])
        )
        if rng.random() < 0.2:  # an edge that keeps it readable on any ground
            other = new_opacity(size)
            other[1:, 1:] = cover[:-1, :-1]
            edge = np.clip(other - cover, 0, 1) * np.float32(strength)
            back = 0 if level > 128 else 255
            layers.append(Layer(edge, "dark", colour=(back, back, back), grain=0))
        part = np.asarray(cover * np.float32(strength), np.float32)
        layers.append(Layer(part, "bright", colour=(level, level, level), grain=0))
    return layers or [Layer(new_opacity(size), "bright", colour=(255, 255, 255), grain=0)]


def _mark(tall: float, rng: np.random.Generator, fonts: Fonts) -> Float:
    """(h, w) float32 coverage of one mark, about ``tall`` px high: a word, a logo, or both."""
    kind = rng.choice(["word", "logo", "both"], p=[0.55, 0.2, 0.25])
    if kind == "logo":
        return _logo(tall, rng, fonts)
    line = words(rng, (1, 2))
    if rng.random() < 0.3:
        line = f"© {line}"
    elif rng.random() < 0.15:
        line = line.lower().replace(" ", "") + ".com"
    cover = render(line, tall, pick_face(rng, fonts))
    if rng.random() < 0.15 and tall > 14:  # letters as outlines
        by = max(1, round(tall / 28))
        cover = np.clip(thickened(cover, by) - np.pad(cover, by), 0, 1)
    if kind == "word":
        return cover
    logo = _logo(1.3 * tall, rng, fonts)
    gap = round(0.3 * tall)
    if rng.random() < 0.5:  # beside the word, else above it
        high = max(logo.shape[0], cover.shape[0])
        joined = np.zeros((high, logo.shape[1] + gap + cover.shape[1]), np.float32)
        pasted(joined, logo, (high - logo.shape[0]) // 2, 0)
        pasted(joined, cover, (high - cover.shape[0]) // 2, logo.shape[1] + gap)
    else:
        wide = max(logo.shape[1], cover.shape[1])
        joined = np.zeros((logo.shape[0] + gap + cover.shape[0], wide), np.float32)
        pasted(joined, logo, 0, (wide - logo.shape[1]) // 2)
        pasted(joined, cover, logo.shape[0] + gap, (wide - cover.shape[1]) // 2)
    return joined


def _logo(tall: float, rng: np.random.Generator, fonts: Fonts) -> Float:
    """A badge: rings, a disc or polygon with something cut out, a shutter, bars, or a letter in a frame."""
    side = max(12, round(tall))
    zoom = 4 if side < 100 else 2
    n = side * zoom
    canvas: NDArray[np.uint8] = np.zeros((n, n), np.uint8)
    middle, radius = (n // 2, n // 2), n // 2 - 2
    thick = max(zoom, round(n * float(rng.uniform(0.04, 0.12))))
    kind = rng.choice(["rings", "disc", "polygon", "shutter", "bars", "frame"])
    if kind == "rings":
        for k in range(int(rng.integers(1, 4))):
            cv2.circle(canvas, middle, max(2, radius - thick // 2 - 2 * k * thick), 255, thick)
    elif kind == "disc":
        cv2.circle(canvas, middle, radius, 255, -1)
        shift = int(radius * rng.uniform(0.0, 0.6))
        cv2.circle(
            canvas, (middle[0] + shift, middle[1] - shift // 2), int(radius * rng.uniform(0.3, 0.75)), 0, -1
        )
    elif kind == "polygon":
        corners = int(rng.integers(3, 8))
        star = rng.random() < 0.5
        angles = np.arange(corners * (1 + star)) * 2 * np.pi / (corners * (1 + star)) - np.pi / 2
        lengths = np.where(np.arange(angles.size) % 2 * star == 1, 0.45 * radius, radius)
        path = np.stack([np.cos(angles), np.sin(angles)], axis=1) * lengths[:, None] + middle
        cv2.fillPoly(canvas, [np.rint(path).astype(np.int32)], 255)
        if rng.random() < 0.5:
            inner = (path - middle) * rng.uniform(0.4, 0.8) + middle
            cv2.fillPoly(canvas, [np.rint(inner).astype(np.int32)], 0)
    elif kind == "shutter":
        cv2.circle(canvas, middle, radius - thick // 2, 255, thick)
        turns = np.arange(6) * np.pi / 3 + rng.uniform(0, 1)
        for turn in turns:
            a = middle + radius * np.array([np.cos(turn), np.sin(turn)])
            b = middle + 0.5 * radius * np.array([np.cos(turn + 1.9), np.sin(turn + 1.9)])
            cv2.line(
                canvas,
                np.rint(a).astype(int).tolist(),
                np.rint(b).astype(int).tolist(),
                255,
                max(1, thick // 2),
            )
    elif kind == "bars":
        for k in range(int(rng.integers(2, 5))):
            low = int(n * 0.1) + int(k * 1.9 * thick)
            cv2.rectangle(canvas, (low, int(n * rng.uniform(0.05, 0.6))), (low + thick, n - 3), 255, -1)
    else:
        cv2.rectangle(canvas, (thick, thick), (n - 1 - thick, n - 1 - thick), 255, thick)
        letter = render(chr(ord("A") + int(rng.integers(26))), 0.7 * n, pick_face(rng, fonts))
        cover = np.asarray(canvas, np.float32) / np.float32(255)
        pasted(cover, letter, (n - letter.shape[0]) // 2, (n - letter.shape[1]) // 2)
        canvas = (cover * 255).astype(np.uint8)
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _tiled(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts) -> Float:
    height, width = size
    mark = _mark(max(9.0, min(size) * float(np.exp(rng.uniform(np.log(0.03), np.log(0.1))))), rng, fonts)
    gap_y, gap_x = (np.array(mark.shape) * rng.uniform([0.6, 0.15], [3.5, 1.0])).astype(int) + 2
    cell = np.pad(mark, ((0, gap_y), (0, gap_x)))
    if rng.random() < 0.6:  # every second row is set off by half
        cell = np.vstack([cell, np.roll(cell, cell.shape[1] // 2, axis=1)])
    reach = int(np.ceil(np.hypot(height, width))) + 2
    plane = np.tile(cell, (-(-reach // cell.shape[0]), -(-reach // cell.shape[1])))[:reach, :reach]
    degrees = float(
        rng.choice([0.0, rng.uniform(-50, 50), rng.choice([-45, -30, 30, 45])], p=[0.3, 0.3, 0.4])
    )
    matrix = cv2.getRotationMatrix2D((reach / 2, reach / 2), degrees, 1.0)
    matrix[0, 2] += (width - reach) / 2
    matrix[1, 2] += (height - reach) / 2
    cover = np.asarray(cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)
    return _lined(cover, rng)


def _large(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts) -> Float:
    height, width = size
    mark = _mark(max(9.0, min(size) * float(rng.uniform(0.08, 0.3))), rng, fonts)
    diagonal = float(np.degrees(np.arctan2(height, width)))
    degrees = float(rng.choice([0.0, diagonal, -diagonal, rng.uniform(-60, 60)], p=[0.45, 0.2, 0.1, 0.25]))
    room = np.hypot(height, width) if degrees else width
    factor = min(float(rng.uniform(0.45, 0.95)) * room / mark.shape[1], 0.6 * height / mark.shape[0], 3.0)
    mark = turned(scaled(mark, factor), degrees)
    cover = new_opacity(size)
    shift = rng.normal(0, 0.06, 2) * [height, width]
    pasted(
        cover, mark, int((height - mark.shape[0]) / 2 + shift[0]), int((width - mark.shape[1]) / 2 + shift[1])
    )
    return _lined(cover, rng)


def _lined(cover: Float, rng: np.random.Generator) -> Float:
    """Now and then, thin lines from corner to corner, or a net of them, as some agencies draw."""
    if rng.random() > 0.15:
        return cover
    height, width = cover.shape
    lines: NDArray[np.uint8] = np.zeros(cover.shape, np.uint8)
    thick = max(1, round(min(height, width) / 300))
    ends = [((0, 0), (width, height)), ((0, height), (width, 0))]
    if rng.random() < 0.4:
        step = max(24, int(min(height, width) * rng.uniform(0.15, 0.4)))
        ends = [((x, 0), (x + height, height)) for x in range(-height, width, step)]
        ends += [((x, height), (x + height, 0)) for x in range(-height, width, step)]
    for a, b in ends:
        cv2.line(lines, a, b, 255, thick, cv2.LINE_AA)
    return np.maximum(cover, lines.astype(np.float32) / 255)


def _small(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts) -> Float:
    height, width = size
    mark = _mark(max(8.0, min(size) * float(rng.uniform(0.03, 0.12))), rng, fonts)
    if mark.shape[1] > 0.7 * width:
        mark = scaled(mark, 0.7 * width / mark.shape[1])
    cover = new_opacity(size)
    top, left = rng.uniform(0, 1, 2)
    if rng.random() < 0.6:  # in a corner
        top, left = np.array([0.04, 0.96])[rng.integers(2, size=2)]
    pasted(cover, mark, int(top * max(0, height - mark.shape[0])), int(left * max(0, width - mark.shape[1])))
    return cover
