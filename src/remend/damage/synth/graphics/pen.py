"""A canvas and what draws on it: lines, areas, lettering, at fractions of a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["SUB_BITS", "Colour", "Pen", "Picture8", "Rng", "Size"]

Size = tuple[int, int]
Rng = np.random.Generator
Picture8 = NDArray[np.uint8]
Colour = tuple[int, int, int]

SUB_BITS = 3  # binary digits of a pixel that OpenCV draws with
_HERSHEY = {
    "simplex": cv2.FONT_HERSHEY_SIMPLEX,
    "duplex": cv2.FONT_HERSHEY_DUPLEX,
    "complex": cv2.FONT_HERSHEY_COMPLEX,
    "script": cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    "script-complex": cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    "triplex": cv2.FONT_HERSHEY_TRIPLEX,
}


@lru_cache(maxsize=96)
def _font(path: str, height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(path, height) if path else ImageFont.load_default(float(height))


class Pen:
    """A canvas and what draws on it: anti-aliased, at fractions of a pixel, or with ``hard`` edges."""

    def __init__(
        self, size: Size, paper: Colour, rng: Rng, fonts: Sequence[str], *, hard: bool = False
    ) -> None:
        self.size = size
        self.rng = rng
        self.fonts = tuple(fonts)
        self.hard = hard
        self.canvas: Picture8 = np.empty((*size, 3), np.uint8)
        self.canvas[:] = paper

    def face(self) -> str:
        """A typeface: a path, "" for Pillow's own, or the name of one of OpenCV's stroke fonts."""
        if self.fonts and self.rng.random() < 0.75:
            return self.fonts[int(self.rng.integers(len(self.fonts)))]
        if self.rng.random() < 0.7:
            return ""
        return ("simplex", "duplex", "complex", "triplex")[int(self.rng.integers(4))]

    def line(
        self,
        points: ArrayLike,
        colour: Colour,
        width: float = 1.0,
        *,
        closed: bool = False,
    ) -> None:
        """A line through ``points`` (x, y)."""
        path = np.rint(np.asarray(points, np.float64) * (1 << SUB_BITS)).astype(np.int32)[:, None]
        kind = cv2.LINE_8 if self.hard else cv2.LINE_AA
        cv2.polylines(self.canvas, [path], closed, colour, max(1, round(width)), kind, SUB_BITS)

    def area(self, points: ArrayLike, colour: Colour) -> None:
        """A filled polygon."""
        path = np.rint(np.asarray(points, np.float64) * (1 << SUB_BITS)).astype(np.int32)[:, None]
        cv2.fillPoly(self.canvas, [path], colour, cv2.LINE_8 if self.hard else cv2.LINE_AA, SUB_BITS)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, width: int = -1) -> None:
        """A rectangle on whole pixels, filled or drawn ``width`` wide."""
        cv2.rectangle(self.canvas, (round(x0), round(y0)), (round(x1), round(y1)), colour, width)

    def disc(self, x: float, y: float, radius: float, colour: Colour, width: int = -1) -> None:
        """A disc, or a circle ``width`` wide."""
        one = 1 << SUB_BITS
        kind = cv2.LINE_8 if self.hard else cv2.LINE_AA
        centre = (round(x * one), round(y * one))
        cv2.circle(self.canvas, centre, max(1, round(radius * one)), colour, width, kind, SUB_BITS)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        height: float,
        colour: Colour,
        face: str = "",
        *,
        bold: bool = False,
    ) -> float:
        """Set ``words`` with their top left corner at (x, y); their width in pixels."""
        size = max(5, round(height))
        if face in _HERSHEY:
            thick = max(1, round(size / (9 if bold else 15)))
            scale = size / 30
            (wide, tall), _ = cv2.getTextSize(words, _HERSHEY[face], scale, thick)
            kind = cv2.LINE_8 if self.hard else cv2.LINE_AA
            at = (round(x), round(y) + tall)
            cv2.putText(self.canvas, words, at, _HERSHEY[face], scale, colour, thick, kind)
            return float(wide)
        font = _font(face, size)
        stroke = max(1, round(size / 24)) if bold else 0
        left, top, right, bottom = (int(v) for v in font.getbbox(words, stroke_width=stroke))
        wide, tall = max(1, right - left), max(1, bottom - top)
        image = Image.new("L", (wide, tall))
        ImageDraw.Draw(image).text((-left, -top), words, fill=255, font=font, stroke_width=stroke)
        self.lay(np.asarray(image), round(x), round(y) + top, colour)
        return float(right)

    def lay(self, cover: Picture8, x: int, y: int, colour: Colour) -> None:
        """Lay ``colour`` with (h, w) uint8 coverage; parts outside the canvas are cut."""
        h, w = cover.shape
        y0, x0 = max(0, y), max(0, x)
        y1, x1 = min(self.size[0], y + h), min(self.size[1], x + w)
        if y1 <= y0 or x1 <= x0:
            return
        part = self.canvas[y0:y1, x0:x1]
        share = cover[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.float32) / 255
        if self.hard:
            share = np.rint(share)
        part[:] = np.rint(part + (np.asarray(colour, np.float32) - part) * share).astype(np.uint8)
