"""Outlined things: COCO's boxes, polygons and run lengths, made into masks by our own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from remend.errors import UsageError
from remend.picture import Bool

__all__ = ["Outlined", "decode_runs", "fill_polygons", "unpack_runs"]

# The largest number of pixels a mask may claim: run lengths are a few bytes whatever they claim.
_MOST_PIXELS = 2**28


@dataclass(frozen=True, slots=True)
class Outlined:
    """A thing in a picture.

    Attributes:
        category: what it is.
        box: x, y, width, height in pixels.
        outline: COCO's ``segmentation``: polygons ``[[x, y, x, y, …], …]``, or run lengths
            ``{"counts": [...] or "...", "size": [height, width]}``.
        crowd: one outline around many things.
    """

    category: str
    box: tuple[float, float, float, float]
    outline: Any
    crowd: bool = False

    def mask(self, size: tuple[int, int]) -> Bool:
        """Where it is: (height, width) bool, from its outline, or its box where it has none.

        Polygons agree with pycocotools but for pixels that the line itself runs through.

        Raises:
            UsageError: an outline that is neither of the two kinds, or of another size.
        """
        if isinstance(self.outline, dict):
            mask = decode_runs(self.outline)
            if mask.shape != tuple(size):
                raise UsageError(f"an outline of {mask.shape} is not of its picture's size {tuple(size)}")
            return mask
        if self.outline:
            return fill_polygons(self.outline, size)
        mask = np.zeros(size, np.bool_)
        x, y, width, height = self.box
        mask[max(0, round(y)) : max(0, round(y + height)), max(0, round(x)) : max(0, round(x + width))] = True
        return mask


def fill_polygons(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> Bool:
    """The union of polygons given as x, y, x, y … in pixels: (height, width) bool.

    A pixel belongs to a polygon that covers its centre, which lies at half coordinates.

    Raises:
        UsageError: a polygon that is no list of at least three points.
    """
    mask = np.zeros(size, np.uint8)
    for polygon in polygons:
        try:
            points = np.asarray(polygon, np.float64).reshape(-1, 2)
        except (TypeError, ValueError) as error:
            raise UsageError(f"a polygon is a list x, y, x, y …, got {str(polygon)[:60]}") from error
        if len(points) < 3:
            raise UsageError(f"a polygon has at least three points, got {len(points)}")
        # cv2 counts from pixel centres and in 1/16 px; its fill takes in the line, so the outline is drawn
        # at eight times the size and pixels are counted that are covered by half.
        part = _filled(points, size)
        mask |= part
    return mask.view(np.bool_)


def _filled(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    times = 8
    low = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, (size[1], size[0]))
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2, 0, (size[1], size[0]))
    width, height = (int(n) for n in np.maximum(high - low, 1))
    fine = np.zeros((height * times, width * times), np.uint8)
    fixed = np.round(((points - low) * times - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [fixed], 255, lineType=cv2.LINE_8, shift=4)
    covered = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA) >= 128
    part = np.zeros(size, np.uint8)
    part[low[1] : low[1] + height, low[0] : low[0] + width] = covered[: size[0] - low[1], : size[1] - low[0]]
    return part


def decode_runs(runs: dict[str, Any]) -> Bool:
    """COCO's run lengths, ``{"counts": list or str, "size": [height, width]}``, as (height, width) bool.

    Runs alternate between outside and inside, outside first, down the columns.

    Raises:
        UsageError: runs that are malformed or do not add up to the size.

    >>> decode_runs({"counts": [1, 2, 1], "size": [2, 2]}).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    try:
        height, width = (int(n) for n in runs["size"])
        counts = runs["counts"]
        lengths = np.asarray(unpack_runs(counts) if isinstance(counts, (str, bytes)) else counts, np.int64)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"run lengths have counts and size, got {str(runs)[:60]}") from error
    if (
        not 0 < height * width <= _MOST_PIXELS
        or lengths.ndim != 1
        or (lengths < 0).any()
        or lengths.sum() != height * width
    ):
        raise UsageError(f"run lengths do not add up to {height} × {width} pixels: the annotation is broken")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, lengths).reshape(width, height).T)


def unpack_runs(text: str | bytes) -> list[int]:
    """Run lengths out of COCO's compressed text.

    Each number is written in groups of five bits, the lowest first, a sixth bit saying that more follow, as
    characters from ``0`` on; the fifth bit of the last group is the sign; from the fourth number on, what is
    written is the difference to the number two before.

    Raises:
        ValueError: characters that do not occur in it, or an unfinished number.

    >>> unpack_runs("52203")
    [5, 2, 2, 2, 5]
    """
    data = text.encode("ascii") if isinstance(text, str) else text
    lengths: list[int] = []
    value = bits = 0
    for char in data:
        group = char - 48
        if not 0 <= group < 64 or bits > 60:
            raise ValueError("no run lengths")
        value |= (group & 31) << bits
        bits += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << bits
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = bits = 0
    if bits:
        raise ValueError("unfinished run lengths")
    return lengths
