"""A scanner's bed: the even, almost neutral ground that shows beside the prints and reaches the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["Bed", "beds_of"]

RING = 0.012  # of the shorter side: how far from the frame the bed is looked for
LEAST_SHARE = 0.12  # of that ring
MOST_BEDS = 3
NEAR_LEVELS = 14.0  # of one colour, light falling off included
MOST_CHROMA = 26.0  # max - min of the channels: lids are white, grey or black
MOST_ROUGH = 4.5  # levels, noise of a bed; more is no lid
PAPER_LEVELS = 120.0
SAMPLES = 20_000  # pixels that a surface is fitted to


@dataclass(frozen=True, slots=True)
class Bed:
    """A ground that may be a bed.

    Attributes:
        mask: (H, W) bool, where it shows; all of it hangs together with the frame.
        typical_xy: a pixel of it that is as most of it.
        light: whether it may be paper.
        noise: levels, deviation of its pixels from its own smooth surface.
    """

    mask: Bool
    typical_xy: tuple[int, int]
    light: bool
    noise: float


def beds_of(image: NDArray[np.uint8]) -> Iterator[Bed]:
    """What may be the bed of a scan, the one that fills most of the frame first.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    calm = cv2.medianBlur(image, 3).astype(np.float32)
    height, width = image.shape[:2]
    deep = max(2, round(RING * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[deep:-deep, deep:-deep] = False
    around = calm[ring]
    left = np.ones(len(around), bool)
    for _ in range(MOST_BEDS):
        colour = _commonest(around[left])
        near = np.abs(around - colour).max(axis=1) <= NEAR_LEVELS
        if near.mean() < LEAST_SHARE:
            return
        left &= np.abs(around - colour).max(axis=1) > 2 * NEAR_LEVELS
        if np.ptp(colour) <= MOST_CHROMA:
            bed = _grown(image, calm, ring, colour)
            if bed is not None:
                yield bed
        if left.mean() < LEAST_SHARE:
            return


def _commonest(pixels: Float) -> Float:
    """The colour that most pixels have, within some levels."""
    steps = np.minimum(pixels / 8, 31).astype(np.intp)
    counts = np.bincount(steps @ (1024, 32, 1), minlength=32**3).reshape(32, 32, 32)
    counts = np.pad(counts, 1)
    for axis in range(3):
        counts = sum(np.roll(counts, by, axis) for by in (-1, 0, 1))  # type: ignore[assignment]
    counts = counts[1:-1, 1:-1, 1:-1]
    top = np.array(np.unravel_index(int(counts.argmax()), counts.shape), np.float32) * 8 + 4
    for _ in range(3):
        top = pixels[np.abs(pixels - top).max(axis=1) <= NEAR_LEVELS].mean(axis=0)
    return np.asarray(top, np.float32)


def _grown(image: NDArray[np.uint8], calm: Float, ring: Bool, colour: Float) -> Bed | None:
    """All that hangs together with the ring and lies on one smooth surface of that colour."""
    mask = _joined(np.abs(calm - colour).max(axis=2) <= NEAR_LEVELS, ring)
    noise = 0.0
    for turn in range(4):
        if mask.sum() < LEAST_SHARE * ring.sum():
            return None
        rest = cv2.GaussianBlur(calm - _surface(calm, mask, local=turn > 1), (0, 0), 1.0)
        noise = 1.4826 * float(np.median(np.abs(rest[mask])))
        if noise > MOST_ROUGH:
            return None
        mask = _joined(np.abs(rest).max(axis=2) <= np.clip(4.5 * noise, 2.5, 10.0), ring)
    rows, columns = np.nonzero(mask)
    usual = int(np.abs(calm[mask] - np.median(calm[mask], axis=0)).sum(axis=1).argmin())
    light = bool(np.median(calm[mask]) > PAPER_LEVELS)
    return Bed(mask, (int(columns[usual]), int(rows[usual])), light, noise)


def _surface(calm: Float, mask: Bool, *, local: bool) -> Float:
    """The bed's light where there is no bed, too: of second order at first, then what is near."""
    height, width = mask.shape
    if local:
        small = (max(1, width // 8), max(1, height // 8))
        weight = cv2.resize(mask.astype(np.float32), small, interpolation=cv2.INTER_AREA)
        seen = cv2.resize(calm * mask[..., None], small, interpolation=cv2.INTER_AREA)
        spread = 0.05 * max(small)
        near = cv2.GaussianBlur(weight, (0, 0), spread) + 1e-4
        found = cv2.GaussianBlur(seen, (0, 0), spread) + 1e-4 * calm[mask].mean(axis=0)
        return np.asarray(cv2.resize(found / near[..., None], (width, height)), np.float32)
    rows, columns = np.nonzero(mask)
    step = max(1, len(rows) // SAMPLES)
    rows, columns = rows[::step], columns[::step]
    curved = bool(mask.mean() > 0.3)
    terms = _terms(columns / width, rows / height, curved)
    weights = np.linalg.solve(terms.T @ terms + 1e-3 * np.eye(terms.shape[1]), terms.T @ calm[rows, columns])
    y, x = np.mgrid[:height, :width].astype(np.float32)
    every = _terms(x.ravel() / width, y.ravel() / height, curved)
    return (every @ weights.astype(np.float32)).reshape(height, width, 3)


def _terms(x: NDArray[np.floating], y: NDArray[np.floating], curved: bool) -> Float:
    """A plane, or a surface of second order, at some places."""
    one = np.ones_like(x)
    found = [one, x, y, x * x, x * y, y * y] if curved else [one, x, y]
    return np.stack(found, axis=1).astype(np.float32)


def _joined(mask: Bool, ring: Bool) -> Bool:
    """The parts of a mask that reach the ring."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    reaching = np.unique(labels[ring & mask])
    keep = np.zeros(int(labels.max()) + 1, bool)
    keep[reaching] = True
    keep[0] = False
    return np.asarray(keep[labels])
