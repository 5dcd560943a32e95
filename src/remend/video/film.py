"""Damage of film: dirt that lives one frame, and scratches that run through many.

Dirt is what neither the frame before nor the one after shows, followed along the flow: the rank-ordered
differences of A. Kokaram, Motion Picture Restoration, Springer 1998, with a margin for flow that is not
exact. A transport scratch stays where it is while the scene moves: fine detail is averaged over time before
lines are sought. Hairs in the gate are found by `remend.video.hair`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.given import dilated
from remend.damage.transport import transport_scratches
from remend.picture import Bool, Float
from remend.video.hair import HAIR_AROUND, Seen, find_hairs, seen

__all__ = ["around_of", "find_dirt", "find_scratches", "with_damage"]

AROUND = 8  # frames to each side that are averaged for scratches
LEAST_LEVELS, SIGMAS = 9.0, 5.0  # that dirt stands out by, where it is surest
FAINT = 0.5  # share of that at its rim
RING_LEVELS, RING_SIGMAS = 7.0, 3.0  # that what is around may differ by: more is motion that was not followed
NEXT_PX, SMALL_PX, LIKE = (
    8,
    9,
    0.7,
)  # how near, how small, how like what stands out in another frame is no dirt
LARGEST = 0.004  # of the picture; what is larger is an object
DIRT_PX, SCRATCH_PX = 2, 1  # that masks are grown by, for soft rims
GAIN = 4.0  # of fine detail, so that faint lines pass the finder's least contrast


def around_of(find: Sequence[str]) -> int:
    """Frames to each side that what is found depends on."""
    return HAIR_AROUND if "hair" in find else AROUND if find else 0


def with_damage(
    frames: Iterable[tuple[NDArray[Any], Bool]], find: Sequence[str]
) -> Iterator[tuple[NDArray[Any], Bool]]:
    """Add what is found to the holes of a clip.

    Args:
        frames: pixels (H, W, 3) RGB uint8 or uint16, and holes that are there already.
        find: of ``FILM``.

    Yields:
        The same frames, ``around_of`` behind what is read; a frame's answer depends on those around it alone.
    """
    around = around_of(find)
    held: deque[tuple[NDArray[Any], Bool]] = deque()
    window: deque[_Near] = deque()
    here = 0
    for pixels, hole in frames:
        grey = _grey(pixels)
        before = window[-1].detail if window else None
        window.append(_Near(grey, seen(grey, hole, before) if "hair" in find else None))
        held.append((pixels, hole))
        if len(held) > around:
            yield _found(*held.popleft(), window, here, find)
            here += 1
            if here > around:
                window.popleft()
                here -= 1
    while held:
        yield _found(*held.popleft(), window, here, find)
        here += 1


@dataclass(frozen=True, slots=True)
class _Near:
    """What is kept of a frame: (H, W) uint8 grey, and its fine detail, where hairs are looked for."""

    grey: NDArray[np.uint8]
    detail: Seen | None


def _grey(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    return np.asarray(cv2.cvtColor(eight, cv2.COLOR_RGB2GRAY), np.uint8)


def _found(
    pixels: NDArray[Any], hole: Bool, window: deque[_Near], here: int, find: Sequence[str]
) -> tuple[NDArray[Any], Bool]:
    grey = window[here].grey
    if "dust" in find and 0 < here < len(window) - 1:
        hole = hole | find_dirt(window[here - 1].grey, grey, window[here + 1].grey)
    if "scratches" in find:
        near = [window[k].grey for k in range(max(0, here - AROUND), min(len(window), here + AROUND + 1))]
        hole = hole | find_scratches(near)
    if "hair" in find:
        around = range(max(0, here - HAIR_AROUND), min(len(window), here + HAIR_AROUND + 1))
        details = [detail for k in around if (detail := window[k].detail) is not None]
        hole = hole | find_hairs(details, here - around[0], grey.shape)
    return pixels, hole


def find_dirt(before: NDArray[np.uint8], grey: NDArray[np.uint8], after: NDArray[np.uint8]) -> Bool:
    """Dirt of one frame, grown by 2 px.

    Args:
        before, grey, after: (H, W) uint8 each, three frames in a row.

    Returns:
        (H, W) bool.
    """
    sides = [_seen_from(grey, other) for other in (before, after)]
    here = grey.astype(np.float32)
    low, high = np.minimum(*sides), np.maximum(*sides)
    exact = np.maximum(here - high, low - here)
    # A flow that is half a pixel off must not make dirt of an edge.
    cell = np.ones((3, 3), np.uint8)
    margin = np.maximum(here - cv2.dilate(high, cell), cv2.erode(low, cell) - here)
    apart = np.abs(here - (low + high) / 2)
    sigma = 1.48 * float(np.median(apart))
    strong = max(LEAST_LEVELS, SIGMAS * sigma)
    weak = exact > FAINT * strong
    count, labels, stats, _ = cv2.connectedComponentsWithStats(weak.view(np.uint8), connectivity=8)
    if count == 1:
        return np.zeros(grey.shape, np.bool_)
    surest = np.zeros(count, np.float32)
    np.maximum.at(surest, np.asarray(labels.ravel(), np.intp), margin.ravel())
    dirt = (surest > strong) & (stats[:, cv2.CC_STAT_AREA] <= LARGEST * grey.size)
    dirt[0] = False
    # Around dirt the three frames agree; around what moved and was not followed they do not.
    quiet = np.maximum(np.abs(here - sides[0]), np.abs(here - sides[1]))
    limit = RING_LEVELS + RING_SIGMAS * sigma
    for label in np.flatnonzero(dirt):
        x, y, w, h = stats[label, :4]
        part = np.s_[max(0, y - 5) : y + h + 5, max(0, x - 5) : x + w + 5]
        inside = labels[part] == label
        ring = dilated(inside, 4) & ~dilated(inside, 2) & (surest[labels[part]] <= strong)
        if not ring.any() or float(np.mean(quiet[part][ring])) > limit:
            dirt[label] = False
            continue
        # A glint, or a button of a coat that swings, stands out next to there in both of the others, too.
        way = np.sign(float(np.mean((here - (low + high) / 2)[part][inside])))
        strength = float(_standing_out(here[part], way)[inside].max())
        around = np.s_[max(0, y - NEXT_PX) : y + h + NEXT_PX, max(0, x - NEXT_PX) : x + w + NEXT_PX]
        if all(float(_standing_out(side[around], way).max()) > LIKE * strength for side in sides):
            dirt[label] = False
    return dilated(np.asarray(dirt[labels], np.bool_), DIRT_PX)


def _standing_out(grey: Float, way: float) -> Float:
    """By how much what is small is brighter (``way`` 1) or darker (-1) than what is around it."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (SMALL_PX, SMALL_PX))
    kind = cv2.MORPH_TOPHAT if way > 0 else cv2.MORPH_BLACKHAT
    return np.asarray(cv2.morphologyEx(np.ascontiguousarray(grey), kind, kernel), np.float32)


def _seen_from(grey: NDArray[np.uint8], other: NDArray[np.uint8]) -> Float:
    """Another frame, moved to where this one is; its exposure matched."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    dis.setFinestScale(0 if grey.size <= 250_000 else 1)
    blank = np.zeros((*grey.shape, 2), np.float32)
    # Motion is that of the scene: specks are taken out before it is measured.
    flow = np.asarray(dis.calc(cv2.medianBlur(grey, 5), cv2.medianBlur(other, 5), blank), np.float32)
    x, y = np.meshgrid(np.arange(grey.shape[1], dtype=np.float32), np.arange(grey.shape[0], dtype=np.float32))
    moved = cv2.remap(
        other, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    level = cv2.blur(grey.astype(np.float32), (61, 61)) - cv2.blur(moved.astype(np.float32), (61, 61))
    return np.asarray(moved + level, np.float32)


def find_scratches(near: Sequence[NDArray[np.uint8]]) -> Bool:
    """Lines that run through all of some frames, at one place in each, grown by 1 px.

    Args:
        near: (H, W) uint8 each, the frame and those around it.

    Returns:
        (H, W) bool.
    """
    total = np.zeros(near[0].shape, np.float32)
    for grey in near:
        wide = cv2.blur(grey, (15, 1)).astype(np.float32)
        total += np.clip(grey.astype(np.float32) - wide, -20, 20)
    fine = np.clip(128 + total * np.float32(GAIN / len(near)), 0, 255).astype(np.uint8)
    hole = np.zeros(fine.shape, np.bool_)
    for region in transport_scratches(fine):
        if region.box.height > region.box.width:  # film runs from top to bottom
            hole[region.box.slices] |= region.mask
    return dilated(hole, SCRATCH_PX)
