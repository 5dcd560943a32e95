"""Lines of text by PP-OCR's small models, where the user has them; the package itself is never imported.

A detector marks pixels that belong to lines of text, and a recogniser reads each line: what it cannot read
was no text. M. Liao, Z. Wan, C. Yao, K. Chen, X. Bai, *Real-time Scene Text Detection with Differentiable
Binarization*, AAAI 2020; Y. Du et al., *PP-OCR: A Practical Ultra Lightweight OCR System*, 2020; the greedy
reading of outputs: A. Graves et al., *Connectionist Temporal Classification*, ICML 2006.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import ModelError
from remend.picture import Bool, Box, Float
from remend.runtime import open_session

__all__ = ["Line", "Reader", "reader"]

# Both are Apache-2.0, of PaddleOCR's authors. SHA-256 of those that docs/quality.md was measured with:
# detector 090f04ab…, recogniser 6f327246….
PACKAGE = "rapidocr"
DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"

LONG_SIDES_PX = (960, 1920)  # the picture is searched at these, unless it is much smaller
ENLARGED = 2.0  # a small picture is not enlarged by more than this
MULTIPLE_PX = 32
WHOLE_PX, TILE_PX, MARGIN_PX = 1024, 640, 64  # a larger frame goes through the detector in tiles
TEXT_CHANCE = 0.3  # of a pixel
LEAST_SCORE = 0.5  # of a line, the mean of its pixels
LEAST_SIDE_PX = 3.0
UNCLIP = 1.6  # the detector marks the core of a line: area over perimeter times this is missing all round
MOST_LINES = 400
LINE_PX = 48  # height of what is read
SHORTEST_PX, LONGEST_PX = 160, 1600
BLANK = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was found and read.

    Attributes:
        box: its bounding box.
        shape: (box.height, box.width) bool: the line with its ascenders, curved where the line is.
        corners: (4, 2) float32, x and y: the rectangle around it, clockwise from the upper left.
        score: of the detector, 0–1.
        text: what was read.
        certainty: mean chance of the letters read, 0–1.
    """

    box: Box
    shape: Bool
    corners: Float
    score: float
    text: str
    certainty: float


@dataclass(frozen=True, slots=True)
class Reader:
    """The two models, open."""

    detector: Any
    recogniser: Any
    letters: tuple[str, ...]

    def lines(self, rgb: NDArray[np.uint8]) -> list[Line]:
        """All lines of text in a picture, and what is taken for some; the surest of overlapping ones.

        Args:
            rgb: (H, W, 3) uint8.

        Cost: 0.2 s of processor time for a megapixel, 1 s for 12, and 20 ms a line; 350 MB.
        """
        found = [
            line
            for long_side in _long_sides(rgb.shape[0], rgb.shape[1])
            for line in self._lines_at(rgb, long_side)
        ]
        found.sort(key=lambda line: -line.certainty * line.score)
        taken = np.zeros(rgb.shape[:2], np.bool_)
        kept = []
        for line in found:
            there = taken[line.box.slices]
            if (there & line.shape).sum() <= 0.5 * line.shape.sum():
                there |= line.shape
                kept.append(line)
        return kept

    def chances(self, rgb: NDArray[np.uint8], long_side: int) -> Float:
        """(h, w) chance of each pixel of the resized picture to be text."""
        height, width = rgb.shape[:2]
        factor = long_side / max(height, width)
        size = [max(MULTIPLE_PX, round(n * factor / MULTIPLE_PX) * MULTIPLE_PX) for n in (height, width)]
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        frame = cv2.resize(rgb, (size[1], size[0]), interpolation=way)
        found = np.zeros(size, np.float32)
        for outer, inner in _tiles(size[0], size[1]):
            (map_,) = self.detector.run(None, {"x": _planes(np.asarray(frame[outer.slices], np.uint8))[None]})
            found[inner.slices] = map_[0, 0][inner.inside(outer).slices]
        return found

    def read(self, rgb: NDArray[np.uint8], corners: Float) -> tuple[str, float]:
        """What a line says and how sure that is; upright lines are read in both directions."""
        across, down = (float(np.linalg.norm(corners[k] - corners[0])) for k in (1, 3))
        turns = (0,) if across >= 0.67 * down else (1, 3)
        tries = [self._read(rgb, np.roll(corners, -turn, axis=0)) for turn in turns]
        return max(tries, key=lambda reading: reading[1])

    def _lines_at(self, rgb: NDArray[np.uint8], long_side: int) -> Iterator[Line]:
        chances = self.chances(rgb, long_side)
        height, width = rgb.shape[:2]
        sx, sy = width / chances.shape[1], height / chances.shape[0]
        marked = (chances > TEXT_CHANCE).view(np.uint8)
        contours, _ = cv2.findContours(marked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MOST_LINES]:
            middle, sides, degrees = cv2.minAreaRect(contour)
            if min(sides) < LEAST_SIDE_PX:
                continue
            score = _score(chances, np.asarray(contour, np.int32))
            if score < LEAST_SCORE:
                continue
            reach = max(1.0, UNCLIP * cv2.contourArea(contour) / cv2.arcLength(contour, True))
            grown = (sides[0] + 2 * reach, sides[1] + 2 * reach)
            corners = _ordered(np.asarray(cv2.boxPoints((middle, grown, degrees)), np.float32)) * np.array(
                [sx, sy], np.float32
            )
            outline = contour[:, 0].astype(np.float32) * np.array([sx, sy], np.float32)
            box, shape = _swollen(outline, reach * (sx + sy) / 2, (height, width))
            text, certainty = self.read(rgb, corners)
            yield Line(box, shape, corners, score, text, certainty)

    def _read(self, rgb: NDArray[np.uint8], corners: Float) -> tuple[str, float]:
        wide, high = (float(np.linalg.norm(corners[k] - corners[0])) for k in (1, 3))
        width = int(np.clip(round(LINE_PX * wide / max(high, 1)), 16, LONGEST_PX))
        to = np.array([[0, 0], [width, 0], [width, LINE_PX], [0, LINE_PX]], np.float32)
        strip = _straightened(rgb, corners, to, (LINE_PX, width))
        planes = np.zeros((3, LINE_PX, max(SHORTEST_PX, -(-width // 8) * 8)), np.float32)
        planes[:, :, :width] = _planes(strip)
        (chances,) = self.recogniser.run(None, {"x": planes[None]})
        best = chances[0].argmax(axis=1)
        first = np.flatnonzero((best != BLANK) & (best != np.concatenate([[BLANK], best[:-1]])))
        text = "".join(self.letters[index] for index in best[first]).strip()
        return text, float(chances[0][first, best[first]].mean()) if first.size else 0.0


@lru_cache(maxsize=1)
def reader() -> Reader | None:
    """The models of an installed ``rapidocr``; None where it, or one of its files, is missing.

    Raises:
        ModelError: a file is there and cannot be loaded.
    """
    paths = _paths()
    if paths is None:
        return None
    detector, recogniser = (
        open_session(path.read_bytes(), name=path.name, threads=cv2.getNumThreads()) for path in paths
    )
    characters = recogniser.get_modelmeta().custom_metadata_map.get("character", "")
    letters = ("", *characters.split("\n"), " ")
    if recogniser.get_outputs()[0].shape[-1] not in (len(letters), len(letters) - 1):
        raise ModelError(f"the model {RECOGNISER} does not say which letters it reads: install rapidocr anew")
    return Reader(detector, recogniser, letters)


def _paths() -> tuple[Path, Path] | None:
    """Where the files lie; found without importing the package, which would load half a dozen others."""
    spec = find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        paths = Path(folder) / "models" / DETECTOR, Path(folder) / "models" / RECOGNISER
        if all(path.is_file() for path in paths):
            return paths
    return None


def _long_sides(height: int, width: int) -> list[int]:
    """At which sizes a picture is searched."""
    own = max(height, width)
    most = own * ENLARGED
    return [int(min(LONG_SIDES_PX[0], most)), *(side for side in LONG_SIDES_PX[1:] if own >= 0.75 * side)]


def _tiles(height: int, width: int) -> Iterator[tuple[Box, Box]]:
    """(tile with margin, the part of it that counts), covering the frame; sides stay multiples of 32."""
    if max(height, width) <= WHOLE_PX:
        yield Box(0, 0, height, width), Box(0, 0, height, width)
        return
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            inner = Box(top, left, min(top + TILE_PX, height), min(left + TILE_PX, width))
            yield inner.grown(MARGIN_PX, (height, width)), inner


def _planes(rgb: NDArray[np.uint8]) -> Float:
    """(3, H, W) from -1 to 1, blue first, as the models learnt it."""
    return np.ascontiguousarray((rgb[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1))


def _score(chances: Float, contour: NDArray[np.int32]) -> float:
    left, top, width, height = cv2.boundingRect(contour)
    inside: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [contour - np.array([left, top])], 1)
    return float(cv2.mean(chances[top : top + height, left : left + width], inside)[0])


def _ordered(corners: Float) -> Float:
    """Clockwise from the upper left, as a line within 45° of level is read."""
    across = corners[np.argsort(corners[:, 0], kind="stable")]
    first, last = across[:2], across[2:]
    first, last = first[np.argsort(first[:, 1])], last[np.argsort(last[:, 1])]
    return np.stack([first[0], last[0], last[1], first[1]])


def _swollen(outline: Float, by_px: float, size: tuple[int, int]) -> tuple[Box, Bool]:
    """A polygon grown on all sides, cut at the picture's edges."""
    reach = int(np.ceil(by_px)) + 1
    low, high = np.floor(outline.min(axis=0)).astype(int), np.ceil(outline.max(axis=0)).astype(int)
    box = Box(int(low[1]), int(low[0]), int(high[1]) + 1, int(high[0]) + 1).grown(reach, size)
    shape: NDArray[np.uint8] = np.zeros((box.height, box.width), np.uint8)
    cv2.fillPoly(shape, [np.rint(outline - np.array([box.left, box.top])).astype(np.int32)], 1)
    distance = cv2.distanceTransform(1 - shape, cv2.DIST_L2, 5)
    return box, distance <= by_px


def _straightened(
    rgb: NDArray[np.uint8], corners: Float, to: Float, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The quadrilateral as a rectangle of (height, width); shrunk first where it is much larger."""
    shrink = float(np.linalg.norm(corners[3] - corners[0])) / size[0]
    if shrink > 2:
        low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
        box = Box(int(low[1]), int(low[0]), int(high[1]), int(high[0])).grown(8, (rgb.shape[0], rgb.shape[1]))
        part = rgb[box.slices]
        small = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
        corners = (corners - np.array([box.left, box.top])) * np.array(
            [small[0] / part.shape[1], small[1] / part.shape[0]]
        )
        rgb = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), to)
    flat = cv2.warpPerspective(
        rgb, matrix, (size[1], size[0]), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)
