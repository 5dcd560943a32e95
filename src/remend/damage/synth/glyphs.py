"""What lettering is made of: words, faces, lines of text as coverage, and pasting them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from remend.errors import UsageError
from remend.picture import Float

__all__ = ["Face", "Fonts", "pasted", "pick_face", "render", "scaled", "thickened", "turned", "words"]

Fonts = Sequence[str | Path]
"""Paths of TrueType or OpenType files to letter with, beside what Pillow and OpenCV bring."""

Face = str | int
"""A path, "" for the font that Pillow brings, or the number of a font of OpenCV."""

_OPENCV = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_SCRIPTS = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)

_WORDS = (
    *("ARCHIVE", "SAMPLE", "PROOF", "COPY", "PREVIEW", "Album", "Summer", "Harbour", "Evening", "Nr.", "No."),
    *("family", "garden", "market", "Station", "museum", "collection", "Studio", "portrait", "negative"),
    *("print", "1912", "1948", "1973", "©"),
)
_SYLLABLES = (
    *(
        "an",
        "ber",
        "co",
        "da",
        "el",
        "fo",
        "gri",
        "ha",
        "in",
        "jo",
        "ka",
        "lu",
        "me",
        "no",
        "or",
        "pe",
        "qui",
    ),
    *("ra", "so", "tu", "un", "ve", "wi", "xa", "ya", "zu", "the", "ing", "ment", "tion", "er", "st", "ch"),
    *("ol", "ri", "ble"),
)


def words(rng: np.random.Generator, number: tuple[int, int]) -> str:
    """A line of words, real and made up, some numbers among them; upper case, title case or as they come.

    Args:
        rng: to draw from.
        number: least and most words.
    """
    line = " ".join(_word(rng) for _ in range(int(rng.integers(number[0], number[1] + 1))))
    case = rng.random()
    return line.upper() if case < 0.25 else line.title() if case < 0.45 else line


def _word(rng: np.random.Generator) -> str:
    chance = rng.random()
    if chance < 0.4:
        return str(rng.choice(_WORDS))
    if chance < 0.5:
        return str(int(10 ** rng.uniform(0, 5)))
    word = "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 4))))
    return word + ("" if rng.random() < 0.85 else ",.!?:-"[int(rng.integers(6))])


def pick_face(rng: np.random.Generator, fonts: Fonts = (), *, script: bool = False) -> Face:
    """A face: one of ``fonts`` three times in four where there are any, else one that the libraries bring.

    Args:
        rng: to draw from.
        fonts: paths.
        script: slanted, as a pen writes, where none of ``fonts`` is taken.
    """
    if len(fonts) and rng.random() < 0.75:
        return str(fonts[int(rng.integers(len(fonts)))])
    if script:
        return _SCRIPTS[int(rng.integers(len(_SCRIPTS)))]
    return "" if rng.random() < 0.5 else _OPENCV[int(rng.integers(len(_OPENCV)))]


@lru_cache(maxsize=64)
def _font(path: str, height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype(path, height) if path else ImageFont.load_default(height)
    except OSError as error:
        raise UsageError(f"{path} is no font that can be read ({error})") from error


def render(line: str, height_px: float, face: Face = "") -> Float:
    """(h, w) float32 coverage of a line of text, cut close round it.

    Args:
        line: what it says.
        height_px: size of the face; at least 6.
        face: of ``pick_face``; "" = the font that Pillow brings.
    """
    height_px = max(6.0, height_px)
    if isinstance(face, int):
        scale, thick = height_px / 30, max(1, round(height_px / 14))
        (w, h), below = cv2.getTextSize(line, face, scale, thick)
        canvas: NDArray[np.uint8] = np.zeros((h + below + 4 * thick + 4, w + 4 * thick + 4), np.uint8)
        at = (2 * thick + 2, h + 2 * thick + 2)
        cv2.putText(canvas, line, at, face, scale, 255, thick, cv2.LINE_AA)
        x, y, w, h = cv2.boundingRect(canvas)
        drawn = canvas[y : y + h, x : x + w] if w and h else canvas[:1, :1]
        return np.asarray(np.pad(drawn, 1), np.float32) / np.float32(255)
    font = _font(face, round(height_px * 2) / 2)
    left, top, right, bottom = font.getbbox(line)
    image = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)))
    ImageDraw.Draw(image).text((1 - left, 1 - top), line, fill=255, font=font)
    return np.asarray(image, np.float32) / np.float32(255)


def thickened(cover: Float, by_px: int) -> Float:
    """``cover`` grown by ``by_px`` on all sides, on a canvas as much larger: for outlines."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1, 2 * by_px + 1))
    return np.asarray(cv2.dilate(np.pad(cover, by_px), disc), np.float32)


def turned(cover: Float, degrees: float) -> Float:
    """``cover`` turned about its middle, on a canvas that holds all of it."""
    h, w = cover.shape
    c, s = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    out_h, out_w = int(h * c + w * s) + 2, int(h * s + w * c) + 2
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    matrix[:, 2] += ((out_w - w) / 2, (out_h - h) / 2)
    return np.asarray(cv2.warpAffine(cover, matrix, (out_w, out_h), flags=cv2.INTER_LINEAR), np.float32)


def pasted(opacity: Float, cover: Float, top: int, left: int) -> None:
    """Lay ``cover`` into ``opacity`` with its corner at (top, left), in place; what sticks out is cut."""
    h, w = cover.shape
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(opacity.shape[0], top + h), min(opacity.shape[1], left + w)
    if y1 > y0 and x1 > x0:
        part = opacity[y0:y1, x0:x1]
        np.maximum(part, cover[y0 - top : y1 - top, x0 - left : x1 - left], out=part)


def scaled(cover: Float, factor: float) -> Float:
    """``cover`` at ``factor`` times its size."""
    w, h = max(1, round(cover.shape[1] * factor)), max(1, round(cover.shape[0] * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cover, (w, h), interpolation=way), np.float32)
