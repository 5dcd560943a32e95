"""Dates and captions to lay over photographs, in the fonts that are at hand."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from remend.picture import Float

# Tried by name; what the machine does not have is left out. Pillow's own, OpenCV's strokes and the seven
# segments are everywhere.
FONTS = (
    *("DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSans-BoldOblique.ttf"),
    *("LiberationSans-Regular.ttf", "LiberationSerif-Bold.ttf", "Arial.ttf", "arial.ttf", "Helvetica.ttc"),
)
STROKES = {"OpenCV duplex": cv2.FONT_HERSHEY_DUPLEX, "OpenCV triplex": cv2.FONT_HERSHEY_TRIPLEX}
DATE_COLOURS = ((255, 140, 30), (255, 190, 60), (255, 80, 40), (250, 240, 90), (255, 255, 255))
CAPTION_COLOURS = ((255, 255, 255), (250, 235, 60), (235, 235, 235))
WORDS = (
    *("harbour", "the", "Winter", "bridge", "of", "1954", "morning", "Mrs.", "Aunt", "Lisbon", "at", "home"),
    *(
        "garden",
        "with",
        "our",
        "Sunday",
        "in",
        "June",
        "No. 27",
        "lake",
        "wedding",
        "and",
        "Regiment",
        "view",
    ),
)
SEGMENTS = {  # of a digit 2 wide and 4 high: x, y to x, y
    "a": (0, 0, 2, 0),
    "b": (2, 0, 2, 2),
    "c": (2, 2, 2, 4),
    "d": (0, 4, 2, 4),
    "e": (0, 2, 0, 4),
    "f": (0, 0, 0, 2),
    "g": (0, 2, 2, 2),
}
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")

Writer = Callable[[str, float, int], Float]


def writers() -> dict[str, Writer]:
    """``write(line, height_px, stroke_px)`` → (h, w) coverage, by font."""
    known: dict[str, Writer] = {"Pillow's own": _with_font(ImageFont.load_default)}
    for name in FONTS:
        try:
            ImageFont.truetype(name, 12)
        except OSError:
            continue
        known[name.rpartition(".")[0]] = _with_font(_sized(name))
    return known | {name: _with_strokes(number) for name, number in STROKES.items()}


def lay_date(
    picture: NDArray[np.uint8], writer: Writer | None, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A camera's date in a corner; ``writer`` None = seven segments."""
    height, width = picture.shape[:2]
    tall = max(10.0, min(height, width) * float(rng.uniform(0.03, 0.055)))
    year, month, day = (int(rng.integers(low, high)) for low, high in ((1978, 2012), (1, 13), (1, 29)))
    forms = (
        f"'{year % 100:02d} {month:2d} {day:2d}",
        f"{day}.{month}.{year}",
        f"{year}/{month:02d}/{day:02d}",
    )
    line = forms[0 if writer is None else int(rng.integers(3))]
    cover = _segments(line, tall) if writer is None else writer(line, tall, 0)
    margin = round(min(height, width) * float(rng.uniform(0.03, 0.08)))
    left = width - margin - cover.shape[1] if rng.random() < 0.8 else margin
    top = height - margin - cover.shape[0] if rng.random() < 0.85 else margin
    frame = picture.astype(np.float32)
    colour = DATE_COLOURS[int(rng.integers(len(DATE_COLOURS)))]
    _lay(
        frame,
        cover,
        (top, left),
        colour,
        opacity=float(rng.uniform(0.8, 1)),
        edge_px=float(rng.uniform(0.4, 0.9)),
    )
    return np.rint(frame).astype(np.uint8)


def lay_caption(picture: NDArray[np.uint8], writer: Writer, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One line or two near the bottom, two in three with a dark rim."""
    height, width = picture.shape[:2]
    tall = height * float(rng.uniform(0.035, 0.06))
    colour = CAPTION_COLOURS[int(rng.integers(len(CAPTION_COLOURS)))]
    rim = max(1, round(tall / 14)) if rng.random() < 2 / 3 else 0
    frame = picture.astype(np.float32)
    lines = int(rng.integers(1, 3))
    for index in range(lines):
        line = " ".join(rng.choice(WORDS, int(rng.integers(2, 5))))
        cover = writer(line, tall, 0)
        place = (round(height - (lines - index + 0.6) * 1.35 * tall), max(0, (width - cover.shape[1]) // 2))
        if rim:
            _lay(frame, writer(line, tall, rim), (place[0] - rim, place[1] - rim), (12, 12, 12))
        _lay(frame, cover, place, colour)
    return np.rint(frame).astype(np.uint8)


def _lay(
    frame: Float,
    cover: Float,
    place: tuple[int, int],
    colour: tuple[int, int, int],
    *,
    opacity: float = 1.0,
    edge_px: float = 0.4,
) -> None:
    """Paint a cover at (top, left), cut at the frame's edges."""
    pad = 3
    soft = cv2.GaussianBlur(np.pad(cover, pad), (0, 0), edge_px) * opacity
    top, left = place[0] - pad, place[1] - pad
    y0, x0 = max(0, top), max(0, left)
    part = frame[y0 : max(y0, top + soft.shape[0]), x0 : max(x0, left + soft.shape[1])]
    cut = soft[y0 - top : y0 - top + part.shape[0], x0 - left : x0 - left + part.shape[1], None]
    part += cut * (np.array(colour, np.float32) - part)


def _sized(name: str) -> Callable[[float], ImageFont.FreeTypeFont]:
    return lambda height_px: ImageFont.truetype(name, height_px)


def _with_font(font_of: Callable[..., ImageFont.FreeTypeFont]) -> Writer:
    def write(line: str, height_px: float, stroke_px: int) -> Float:
        font = font_of(height_px)
        left, top, right, bottom = font.getbbox(line, stroke_width=stroke_px)
        image = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
        ImageDraw.Draw(image).text((1 - left, 1 - top), line, 255, font, stroke_width=stroke_px)
        return np.asarray(image, np.float32) / np.float32(255)

    return write


def _with_strokes(font: int) -> Writer:
    def write(line: str, height_px: float, stroke_px: int) -> Float:
        scale, thick = height_px / 28, max(1, round(height_px / 14))
        (wide, high), below = cv2.getTextSize(line, font, scale, thick)
        pad = thick + stroke_px
        canvas = np.zeros((high + below + 2 * pad, wide + 2 * pad), np.uint8)
        cv2.putText(canvas, line, (pad, high + pad), font, scale, 255, thick + 2 * stroke_px, cv2.LINE_AA)
        return canvas.astype(np.float32) / np.float32(255)

    return write


def _segments(line: str, tall: float) -> Float:
    """Digits of seven strokes, drawn at four times the size."""
    unit = tall
    canvas = np.zeros((round(5 * unit), round((3.1 * len(line) + 1) * unit)), np.uint8)
    for index, sign in enumerate(line):
        x = (3.1 * index + 0.5) * unit
        lit = [SEGMENTS[name] for name in LIT[int(sign)]] if sign.isdigit() else []
        if sign == "'":
            lit = [(1, 0, 1, 1)]
        for x0, y0, x1, y1 in lit:
            ends = [(round(x + u * unit), round((v + 0.5) * unit)) for u, v in ((x0, y0), (x1, y1))]
            cv2.line(canvas, ends[0], ends[1], 255, max(1, round(0.5 * unit)))
    small = cv2.resize(canvas, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)
