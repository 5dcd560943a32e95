"""Solid parts of a picture that show a colour and stand out from what is around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool
from remend.saying.colours import HUES, shows

__all__ = ["Blob", "blobs_of"]

Levels = NDArray[np.uint8]

OBJECT_SHARES = (0.0002, 0.25)  # of the picture that a thing covers
SOLID = 0.5  # of its convex hull
SATURATED = (190, 140)  # of 255
CLEAR = 0.5  # of the contrast of the clearest thing of a colour
STANDING = (45.0, 18.0)  # levels from the mean of what is around, tried one after the other
STANDS_OUT = 28.0  # levels between a thing and what is around it
BESIDE = 0.06  # a thing this small beside the largest of its colour is a speck of it


@dataclass(frozen=True, slots=True)
class Blob:
    """A part that stands out: its size, where it is, levels between it and what is around."""

    pixels: int
    where: Bool
    contrast: float


def blobs_of(small: Levels, colour: str) -> list[Blob]:
    """The parts of a colour, the largest first; what is far smaller or fainter than the others is left out.

    Args:
        small: (H, W, 3) uint8, some 640 px long.
        colour: one of `remend.saying.colours`.
    """
    found: list[Blob] = []
    for shown in _levels(small, colour):
        found += [
            blob
            for blob in _blobs(small, shown)
            if not any((blob.where & other.where).any() for other in found)
        ]
    found.sort(key=lambda blob: -blob.pixels)
    clearest = max((blob.contrast for blob in found), default=0.0)
    return [
        blob
        for blob in found
        if blob.pixels >= BESIDE * found[0].pixels and blob.contrast >= CLEAR * clearest
    ]


def _levels(small: Levels, colour: str) -> Iterator[NDArray[np.uint8]]:
    """Where a picture shows a colour: strictly, then less so. What is like it around is cut off."""
    shown = shows(small, colour)
    if colour in HUES:
        saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1]
        for least in SATURATED:
            yield (shown & (saturation >= least)).astype(np.uint8)
    around = cv2.GaussianBlur(small.astype(np.float32), (0, 0), max(small.shape) / 12)
    apart = np.linalg.norm(small - around, axis=2)  # a green ball on a meadow differs from what is around
    for level in STANDING:
        yield (shown & (apart >= level)).astype(np.uint8)


def _blobs(small: Levels, shown: NDArray[np.uint8]) -> list[Blob]:
    height, width = shown.shape
    opened = cv2.morphologyEx(shown, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    least, most = (share * height * width for share in OBJECT_SHARES)
    found = []
    for number in range(1, count):
        left, top, wide, high, pixels = stats[number].tolist()
        sides = (left == 0) + (top == 0) + (left + wide == width) + (top + high == height)
        if not max(12.0, least) <= pixels <= most or sides > 1:
            continue
        part = labels == number
        contrast = _contrast(small, part) if _solidity(part) >= SOLID else 0.0
        if contrast >= STANDS_OUT:
            found.append(Blob(pixels, part, contrast))
    return found


def _solidity(part: Bool) -> float:
    """Its share of its convex hull."""
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(contours))
    return float(part.sum() / max(1.0, cv2.contourArea(hull), 1.0))


def _contrast(small: Levels, part: Bool) -> float:
    """Levels between the colour of a part and that of the ring around it."""
    ring = cv2.dilate(part.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    ring &= cv2.dilate(part.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    if not ring.any():
        return 0.0
    own, around = (small[where].astype(np.float32).mean(axis=0) for where in (part, ring))
    return float(np.linalg.norm(own - around))
