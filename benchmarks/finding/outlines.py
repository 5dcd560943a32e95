"""Outlines of real marks on film, laid over photographs: the marks, where they are, and what they hide.

A window of one scan, made smaller, falls on each picture. Marks are bright, dark or both; each has an
opacity, a soft edge, a tone near the picture's own extreme, and grain.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.pictures import Photograph, photographs, shared
from remend.picture import Bool, Float

SEED = 14_000
SCAN_PX = (3400, 4968)
SCALE, EDGE_PX, OPACITY = (0.25, 0.8), (0.4, 1.2), (0.45, 1.0)
LEAST_MARKS, TRIES = 5, 50
JITTER, GRAIN = 6.0, 4.0  # grey levels, deviation: of a mark's tone, and within it
FINE = 8  # a polygon is filled at so many times the size
SEEN, UNSEEN = 12, 3  # a pixel changed by 12 levels is damaged, by fewer than 3 is not

Outlines = dict[int, list[Float]]
FROZEN = {1: "455592ca17cd", 4: "209ffa4c9a04"}  # protocol of all pictures, and of every fourth


@dataclass(frozen=True, slots=True)
class Laid:
    """A damaged picture and its truth.

    Attributes:
        pixels: (H, W, 3) uint8.
        truth: (H, W), changed by 12 levels or more.
        undecided: (H, W), changed by 3 to 11 levels.
        marks: how many marks lie in the window.
    """

    pixels: NDArray[np.uint8]
    truth: Bool
    undecided: Bool
    marks: int = 0

    @property
    def touched(self) -> Bool:
        """What a perfect mask would mark."""
        return self.truth | self.undecided


def laid_pictures(every: int = 1) -> Iterator[tuple[Photograph, Laid]]:
    """The photographs, and the same with marks.

    Raises:
        MissingError: no shared data.
    """
    outlines = read_outlines(shared("damage_shapes") / "film.jsonl.gz")
    for photo in photographs(every):
        yield photo, lay_outlines(photo.pixels, outlines, np.random.default_rng([SEED, photo.number]))


def protocol_of(masks: list[Bool], every: int) -> dict[str, Any]:
    """A hash of the seed and of every true mask, and whether they are the frozen ones."""
    held = hashlib.sha256(str(SEED).encode())
    for mask in masks:
        held.update(str(mask.shape).encode() + np.packbits(mask).tobytes())
    found = held.hexdigest()[:12]
    return {"protocol": found, "frozen": FROZEN[every] == found if every in FROZEN else None}


@cache
def read_outlines(path: Path) -> Outlines:
    """Polygons (n, 2) of x, y by scan."""
    outlines: Outlines = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            mark = json.loads(line)
            outlines.setdefault(mark["scan"], []).append(np.array(mark["points"], np.float32))
    return outlines


def lay_outlines(picture: NDArray[np.uint8], outlines: Outlines, rng: np.random.Generator) -> Laid:
    """Lay a random window of a random scan over a picture.

    Args:
        picture: (H, W, 3) uint8.
        outlines: polygons by scan.
        rng: where all chances come from.
    """
    height, width = picture.shape[:2]
    marks: list[Float] = []
    for _ in range(TRIES):
        marks = _window(outlines, (height, width), rng)
        if len(marks) >= LEAST_MARKS:
            break
    white, black = _extremes(picture)
    tones = ((white,), (black,), (white, black))[int(rng.integers(3))]
    frame = picture.astype(np.float32)
    for mark in marks:
        _draw(frame, mark, tones[int(rng.integers(len(tones)))], rng)
    pixels = np.rint(np.clip(frame, 0, 255)).astype(np.uint8)
    return judged(picture, pixels, marks=len(marks))


def judged(clean: NDArray[np.uint8], damaged: NDArray[np.uint8], *, marks: int = 0) -> Laid:
    """What was changed enough to be seen, and what perhaps."""
    change = np.abs(damaged.astype(np.int16) - clean).max(axis=2)
    truth = change >= SEEN
    return Laid(damaged, truth, (change >= UNSEEN) & ~truth, marks)


def _window(outlines: Outlines, size: tuple[int, int], rng: np.random.Generator) -> list[Float]:
    """Polygons of a window, in its pixels; only those whose middle falls into it."""
    scale = float(rng.uniform(*SCALE))
    scan = sorted(outlines)[int(rng.integers(len(outlines)))]
    room = np.maximum(0, np.array(SCAN_PX) * scale - size)
    top, left = (float(rng.uniform(0, free)) for free in room)
    inside = []
    for points in outlines[scan]:
        moved = points * np.float32(scale) - np.array([left, top], np.float32)
        x, y = (moved.min(axis=0) + moved.max(axis=0)) / 2
        if 0 <= x < size[1] and 0 <= y < size[0]:
            inside.append(moved)
    return inside


def _extremes(picture: NDArray[np.uint8]) -> tuple[Float, Float]:
    """(3,) mean colours of the brightest and of the darkest hundredth."""
    flat = picture.reshape(-1, 3).astype(np.float32)
    order = np.argsort(flat.sum(axis=1), kind="stable")
    few = max(1, len(order) // 100)
    return flat[order[-few:]].mean(axis=0), flat[order[:few]].mean(axis=0)


def _draw(frame: Float, points: Float, tone: Float, rng: np.random.Generator) -> None:
    """One mark into the frame (H, W, 3) of floats, in its box only."""
    edge_px, opacity = float(rng.uniform(*EDGE_PX)), float(rng.uniform(*OPACITY))
    seed, jitter = int(rng.integers(2**32)), float(rng.normal(0, JITTER))
    reach = 3 * edge_px + 2
    size = np.array([frame.shape[1], frame.shape[0]])
    low = np.clip(np.floor(points.min(axis=0) - reach), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + reach) + 1, 0, size).astype(int)
    if (high <= low).any():
        return
    part = frame[low[1] : high[1], low[0] : high[0]]
    cover = _filled(points - low, (part.shape[0], part.shape[1]))
    soft = cv2.GaussianBlur(cover, (0, 0), edge_px)[..., None] * opacity
    grain = np.random.default_rng(seed).normal(jitter, GRAIN, (*cover.shape, 1)).astype(np.float32)
    part += soft * (tone + grain - part)


def _filled(points: Float, size: tuple[int, int]) -> Float:
    """(h, w) coverage of a polygon. OpenCV's own soft edge would make small ones twice as large."""
    fine = np.zeros((size[0] * FINE, size[1] * FINE), np.uint8)
    cv2.fillPoly(fine, [np.rint((points + 0.5) * FINE - 0.5).astype(np.int32)], 255)
    cover = cv2.resize(fine, size[::-1], interpolation=cv2.INTER_AREA)
    return cover.astype(np.float32) / np.float32(255)
