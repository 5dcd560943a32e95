"""Text over a picture: captions, watermarks, ink stamps, and the orange date of compact cameras."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_plane
from remend.picture import Float

__all__ = ["TextStyle", "text"]

TextStyle = Literal["caption", "watermark", "stamp", "date"]
_STYLES: tuple[TextStyle, ...] = ("caption", "watermark", "stamp", "date")

_WORDS = (
    "ARCHIVE",
    "SAMPLE",
    "PROOF",
    "COPY",
    "PREVIEW",
    "Album",
    "Summer",
    "Harbour",
    "Evening",
    "Nr.",
    "No.",
    "family",
    "garden",
    "market",
    "Station",
    "museum",
    "collection",
    "Studio",
    "portrait",
    "1912",
    "1948",
    "1973",
    "©",
    "print",
    "negative",
)


# Segments of a seven-segment digit on a 2 × 4 cell: (x0, y0, x1, y1), and which are lit.
_SEGMENTS = (
    (0, 0, 2, 0),
    (2, 0, 2, 2),
    (2, 2, 2, 4),
    (0, 4, 2, 4),
    (0, 2, 0, 4),
    (0, 0, 0, 2),
    (0, 2, 2, 2),
)
_LIT = ("012345", "12", "01346", "01236", "1256", "02356", "023456", "012", "0123456", "012356")


def text(
    size: tuple[int, int], *, seed: Seed, count: int | None = None, style: TextStyle | None = None
) -> list[Layer]:
    """Text burnt into a picture.

    ``caption``: one or two lines with a dark outline, near the bottom or the top. ``watermark``: half
    transparent, slanted. ``stamp``: an ink stamp in a frame, turned, unevenly inked. ``date``: seven-segment
    digits in orange in a corner, glowing as exposed film does.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: pieces of text; None draws one, rarely two.
        style: which; None draws one for each piece.

    Cost: one render of the text at its own size a piece.
    """
    rng = as_generator(seed, "text")
    layers: list[Layer] = []
    for _ in range(count if count is not None else 1 + int(rng.random() < 0.2)):
        chosen = style or _STYLES[int(rng.integers(len(_STYLES)))]
        layers += {"caption": _caption, "watermark": _watermark, "stamp": _stamp, "date": _date}[chosen](
            size, rng
        )
    return layers


def _line(rng: np.random.Generator, words: tuple[int, int]) -> str:
    return " ".join(rng.choice(_WORDS, int(rng.integers(words[0], words[1] + 1))))


def _render(line: str, height_px: float, *, stroke_px: int = 0) -> Float:
    """(h, w) float32 coverage of a line of text, in the font that Pillow brings."""
    font = ImageFont.load_default(max(6.0, height_px))
    left, top, right, bottom = font.getbbox(line, stroke_width=stroke_px)
    image = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)))
    ImageDraw.Draw(image).text((1 - left, 1 - top), line, fill=255, font=font, stroke_width=stroke_px)
    return np.asarray(image, np.float32) / np.float32(255)


def _turned(cover: Float, degrees: float) -> Float:
    """``cover`` turned about its middle, on a canvas that holds all of it."""
    h, w = cover.shape
    c, s = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    out_h, out_w = int(h * c + w * s) + 2, int(h * s + w * c) + 2
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    matrix[:, 2] += ((out_w - w) / 2, (out_h - h) / 2)
    return np.asarray(cv2.warpAffine(cover, matrix, (out_w, out_h), flags=cv2.INTER_LINEAR), np.float32)


def _paste(opacity: Float, cover: Float, top: int, left: int) -> None:
    h, w = cover.shape
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(opacity.shape[0], top + h), min(opacity.shape[1], left + w)
    if y1 > y0 and x1 > x0:
        part = opacity[y0:y1, x0:x1]
        np.maximum(part, cover[y0 - top : y1 - top, x0 - left : x1 - left], out=part)


def _caption(size: tuple[int, int], rng: np.random.Generator) -> list[Layer]:
    height, width = size
    tall = height * float(rng.uniform(0.035, 0.075))
    outline = max(1, round(tall / 14))
    fill, rim = new_opacity(size), new_opacity(size)
    lines = int(rng.integers(1, 3))
    top = int(height - (lines + 0.7) * 1.3 * tall if rng.random() < 0.8 else 0.5 * tall)
    for index in range(lines):
        line = _line(rng, (2, 5))
        inner, outer = _render(line, tall), _render(line, tall, stroke_px=outline)
        y, x = top + int(index * 1.3 * tall), (width - inner.shape[1]) // 2
        _paste(rim, outer, y - outline, x - outline)
        _paste(fill, inner, y, x)
    colour = ((255, 255, 255), (250, 235, 60))[int(rng.random() < 0.3)]
    return [Layer(rim, "dark", colour=(12, 12, 12), grain=0), Layer(fill, "bright", colour=colour, grain=0)]


def _watermark(size: tuple[int, int], rng: np.random.Generator) -> list[Layer]:
    height, width = size
    cover = _render(_line(rng, (1, 2)), min(size) * float(rng.uniform(0.07, 0.16)))
    cover = _turned(cover, float(rng.uniform(15, 45))) * np.float32(rng.uniform(0.3, 0.7))
    opacity = new_opacity(size)
    top = int(rng.uniform(-0.1, 0.9) * (height - cover.shape[0] * 0.5))
    left = int(rng.uniform(-0.1, 0.9) * (width - cover.shape[1] * 0.5))
    _paste(opacity, cover, top, left)
    return [Layer(opacity, "bright", colour=(255, 255, 255), grain=0)]


def _stamp(size: tuple[int, int], rng: np.random.Generator) -> list[Layer]:
    tall = min(size) * float(rng.uniform(0.05, 0.1))
    inner = _render(_line(rng, (1, 2)), tall)
    pad = round(0.5 * tall)
    cover = np.pad(inner, pad)
    frame = max(1, round(tall / 10))
    cv2.rectangle(cover, (frame, frame), (cover.shape[1] - 1 - frame, cover.shape[0] - 1 - frame), 1.0, frame)
    cover = _turned(cover, float(rng.uniform(-25, 25)))
    inked = np.clip(0.85 + 0.3 * smooth_plane(cover.shape, max(4.0, tall / 2), rng), 0, 1)
    grain = np.clip(1.1 + 0.35 * smooth_plane(cover.shape, 2, rng, octaves=1), 0, 1)
    cover = np.asarray(cover * inked * grain * np.float32(rng.uniform(0.6, 0.95)), np.float32)
    opacity = new_opacity(size)
    _paste(
        opacity,
        cover,
        int(rng.uniform(0, max(1, size[0] - cover.shape[0]))),
        int(rng.uniform(0, max(1, size[1] - cover.shape[1]))),
    )
    inks = ((150, 30, 40), (45, 40, 120), (35, 35, 40))
    return [Layer(opacity, "dark", colour=inks[int(rng.integers(len(inks)))])]


def _date(size: tuple[int, int], rng: np.random.Generator) -> list[Layer]:
    height, width = size
    tall = max(8.0, min(size) * float(rng.uniform(0.03, 0.055)))
    year, month, day = int(rng.integers(78, 110)) % 100, int(rng.integers(1, 13)), int(rng.integers(1, 29))
    cover = _segments(f"'{year:02d} {month:2d} {day:2d}", tall)
    margin = int(min(size) * rng.uniform(0.03, 0.08))
    top = height - margin - cover.shape[0] if rng.random() < 0.85 else margin
    left = width - margin - cover.shape[1] if rng.random() < 0.85 else margin
    core, glow = new_opacity(size), new_opacity(size)
    _paste(core, cover * np.float32(0.95), top, left)
    reach = max(2, round(tall / 3))
    halo = cv2.GaussianBlur(np.pad(cover, reach), (0, 0), reach / 2.5) * np.float32(0.75)
    _paste(glow, np.asarray(halo, np.float32), top - reach, left - reach)
    return [Layer(glow, "bright", colour=(240, 80, 20)), Layer(core, "bright", colour=(255, 170, 70))]


def _segments(line: str, tall: float) -> Float:
    """(h, w) float32 coverage of seven-segment digits, slightly slanted."""
    zoom = 4
    unit = tall * zoom / 4
    advance = 3.2 * unit
    w, h = int(advance * len(line) + 2 * unit), int(tall * zoom + unit)
    canvas: NDArray[np.uint8] = np.zeros((h, w), np.uint8)
    thick = max(1, round(unit * 0.55))
    for index, sign in enumerate(line):
        x = index * advance + unit
        if sign == "'":
            lit = [(1.6, 0.0, 1.4, 0.9)]
        else:
            lit = [_SEGMENTS[int(s)] for s in _LIT[int(sign)]] if sign.isdigit() else []
        for x0, y0, x1, y1 in lit:
            shrink_x, shrink_y = 0.16 * np.sign(x1 - x0), 0.16 * np.sign(y1 - y0)
            ends = [
                (round(x + (u + 0.12 * (4 - v)) * unit), round((v + 0.5) * unit))
                for u, v in ((x0 + shrink_x, y0 + shrink_y), (x1 - shrink_x, y1 - shrink_y))
            ]
            cv2.line(canvas, ends[0], ends[1], 255, thick)
    small = cv2.resize(canvas, (max(1, w // zoom), max(1, h // zoom)), interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / 255)
