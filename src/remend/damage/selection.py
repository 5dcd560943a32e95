"""What a rough mark means: the object under it, and what a mask has left of an object.

`select_object` takes a stroke over an object, a loop round it or a click into it and marks the object;
`leftovers` finds what was missed of an object that was painted over in haste, between the strokes and beside
them; `rims` what a mask leaves of an object at its edge. Either would show after the repair.
"""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.given import dilated
from remend.picture import Bool

__all__ = ["REACH_PX", "leftovers", "rims", "select_object", "snapped"]

REACH_PX = 8  # of a rim: what lies farther out is no rim but the object itself
BORDER_PX = 2.5
NEAR_PX = 15  # colours are compared with those so far along the edge
LEAST_CONTRAST = 12.0  # levels by which an object must differ from what is around it
LEAST_EDGE = 0.1  # of the way between both colours, a pixel
OBJECT_SHARE = 0.4  # of the way from the surroundings' colour to the object's
WORKING_PX = 176  # longest side at which an object is cut out
EDGE_SHARE = 0.1  # of the edge of what is looked at
SEEDS = 9  # places along a mark
THIN_SHARE = 0.2  # of its length: a mark that is thinner is a line through something
CLICK_SHARE = 0.02  # of the picture's shorter side: a mark smaller than that is a click
LOOP_SHARE = 0.6  # of what a mark encloses that must be free for it to be a loop
ROUNDS = 3
# What is left of an object that was painted over; radii are those of the widest place of the mask.
LEAST_RADIUS_PX = 6.0  # a thinner mask is no object's
LEFT_PX = 192  # longest side at which it is cut out
BAND = 0.6  # of that radius: so far beside the strokes
POCKET = 0.8  # of that radius: what is narrower than twice that lies between two strokes
LEFT_ROUNDS = 2
LEAST_SHARE = 0.05  # of the mask that the object must fill for the two to be told apart
OPEN_SHARE = 0.35  # of a part's size that it may show at the band's end: more, and it goes on
ISLAND_SHARE = 0.03  # of the mask: what is smaller and enclosed by it goes along, whatever it is

Levels = NDArray[np.uint8]
Float = NDArray[np.float32]


def snapped(image: Levels, mask: Bool, how: str) -> Bool:
    """A mask brought to the object that it means.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool, as it was given.
        how: ``none``, ``rim`` = with thin rims of what it marks, ``whole`` = also with what it has left of
            what it was painted over, ``object`` = what it roughly marks.

    Returns:
        (H, W) bool; with ``rim`` and ``whole`` all that ``mask`` marks and more, with ``object`` it may mark
        less.
    """
    if how == "none" or not mask.any():
        return mask
    if how == "object":
        chosen = select_object(image, mask)
    else:
        chosen = mask | leftovers(image, mask) if how == "whole" else mask
    return chosen | rims(image, chosen)


def leftovers(image: Levels, mask: Bool) -> Bool:
    """What a mask that was painted in haste has left of its object, between the strokes and beside them.

    Graph cut over colour models of what is under the mask and what is far from it (Rother, Kolmogorov and
    Blake, "GrabCut", SIGGRAPH 2004), at 192 px. What it may add lies within a band of .6 of the mask's
    inscribed radius, or between strokes; a part that goes on beyond is another thing's, and stays. What the
    mask encloses goes along where it is small.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool.

    Returns:
        (H, W) bool, nothing of it inside ``mask``; nothing at all where object and surroundings have the same
        colours, or the mask is thin.

    Cost: .1 to .2 s, whatever the size.
    """
    found = np.zeros_like(mask)
    depth = cv2.distanceTransform(np.pad(mask.view(np.uint8), 1), cv2.DIST_L2, 5)
    radius = float(depth.max())
    if radius < LEAST_RADIUS_PX:
        return found
    box = _box_around(mask, ceil((BAND + 2) * radius) + 24)
    there = mask[box]
    scale = min(1.0, LEFT_PX / max(there.shape))
    size = max(8, round(there.shape[1] * scale)), max(8, round(there.shape[0] * scale))
    small = cv2.resize(image[box], size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    marked = cv2.resize(there.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    missed, thing = _missed(small, marked, radius * scale)
    if missed.any():
        # At full size the cut's own edge, and a pixel or two beyond it: there colours are mixed.
        edge = _enlarged(missed | thing, there.shape) & _enlarged(dilated(missed, 1), there.shape)
        there = there | dilated(edge & ~there, ceil(1 / scale) + 1)
    found[box] = (there | _islands(there)) & ~mask[box]
    return found


def _missed(small: Levels, marked: Bool, radius: float) -> tuple[Bool, Bool]:
    """At working size: what was left of the object, and the object under the mask.

    Args:
        radius: of the mask's widest place.
    """
    away = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, 5)
    pocket = _closed(marked, POCKET * radius) & ~marked
    near = ((away <= BAND * radius) | pocket) & ~marked
    labels = np.full(marked.shape, cv2.GC_BGD, np.uint8)
    labels[near], labels[marked] = cv2.GC_PR_BGD, cv2.GC_PR_FGD
    nothing = np.zeros_like(marked)
    if not (near.any() and (labels == cv2.GC_BGD).any()):
        return nothing, nothing
    cut = _grab_cut(small, labels, LEFT_ROUNDS)
    thing = cut & marked
    if thing.sum() < LEAST_SHARE * marked.sum():
        return nothing, nothing
    missed = _hanging_on(cut & near, thing)
    beside = missed & ~pocket
    count, parts = cv2.connectedComponents(beside.astype(np.uint8), connectivity=4)
    ends = np.bincount(parts[beside & (away > BAND * radius - 1.5)], minlength=count)
    goes_on = ends > np.maximum(2, OPEN_SHARE * np.sqrt(np.bincount(parts.ravel(), minlength=count)))
    return missed & ~(goes_on[parts] & beside), thing


def _islands(mask: Bool) -> Bool:
    """Small parts that a mask encloses."""
    outside = np.pad((~mask).astype(np.uint8), 1, constant_values=1)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= ISLAND_SHARE * np.count_nonzero(mask)
    small[[0, parts[0, 0]]] = False
    islands: Bool = small[parts[1:-1, 1:-1]]
    return islands


def _closed(mask: Bool, radius: float) -> Bool:
    """A mask with what lies between its parts where they are less than twice ``radius`` apart."""
    reach = max(1, round(radius))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    wide = cv2.morphologyEx(np.pad(mask.astype(np.uint8), reach), cv2.MORPH_CLOSE, disc)
    closed: Bool = wide[reach:-reach, reach:-reach] > 0
    return closed


def _enlarged(small: Bool, shape: tuple[int, ...]) -> Bool:
    large: Bool = cv2.resize(small.astype(np.float32), shape[1::-1], interpolation=cv2.INTER_LINEAR) >= 0.5
    return large


def _box_around(mask: Bool, around_px: int) -> tuple[slice, slice]:
    """The box of what is marked, with so much around it."""
    rows, columns = (np.nonzero(mask.any(axis=axis))[0] for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - around_px), int(rows[-1]) + around_px + 1),
        slice(max(0, int(columns[0]) - around_px), int(columns[-1]) + around_px + 1),
    )


def _grab_cut(small: Levels, labels: NDArray[np.uint8], rounds: int) -> Bool:
    """The foreground by GrabCut, begun from ``labels``; the same answer every time."""
    models = np.zeros((2, 65))
    cv2.setRNGSeed(0)  # its colour models begin at random
    bgr = np.ascontiguousarray(small[..., ::-1])
    nowhere = (0, 0, 1, 1)  # the labels say where
    cut, _, _ = cv2.grabCut(bgr, labels, nowhere, models[:1], models[1:], rounds, cv2.GC_INIT_WITH_MASK)
    chosen: Bool = (cut == cv2.GC_FGD) | (cut == cv2.GC_PR_FGD)
    return chosen


def rims(image: Levels, mask: Bool, *, reach_px: int = REACH_PX) -> Bool:
    """Thin rims of the marked object's colour outside the mask.

    A pixel near the mask belongs to a rim when its colour is nearer to what is marked beside it than to what
    lies beyond, when it hangs together with the mask, and when the object ends within ``reach_px``: where it
    goes on, somebody meant to mark a part of it.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool.
        reach_px: how wide a rim may be.

    Returns:
        (H, W) bool, nothing of it inside ``mask``.

    Cost: some 60 ns a pixel of the boxes around the mask.
    """
    found = np.zeros_like(mask)
    if not mask.any():
        return found
    box = _box_around(mask, 3 * reach_px + NEAR_PX)
    found[box] = _rims(image[box], mask[box], reach_px)
    return found


def _rims(image: Levels, mask: Bool, reach_px: int) -> Bool:
    colours = cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.float32)
    outward = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    inward = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    beyond = (outward > 1.5 * reach_px) & (outward <= 3 * reach_px)
    inside, outside = (inward > 1) & (inward <= reach_px), beyond
    if not inside.any():
        inside = mask
    if not outside.any():
        return np.zeros_like(mask)
    marked, around = _local_mean(colours, inside), _local_mean(colours, outside)
    apart = marked - around
    contrast = np.linalg.norm(apart, axis=2)
    along = ((colours - around) * apart).sum(axis=2) / np.maximum(contrast, 1) ** 2
    off = np.linalg.norm(colours - around - along[..., None] * apart, axis=2)
    alike = (contrast >= LEAST_CONTRAST) & (along >= OBJECT_SHARE) & (off <= np.maximum(contrast, 24))
    # Where the mask's own edge shows the surroundings, it has left nothing.
    border = alike & mask & (inward <= BORDER_PX)
    alike &= (outward > 0) & (outward <= 1.5 * reach_px)
    alike = _hanging_on(alike, border)
    goes_on = alike & (outward > reach_px)
    alike &= (outward <= reach_px) & ~dilated(goes_on, reach_px)
    alike = _with_an_edge(_hanging_on(alike, border), mask, along)
    # The last pixel of an edge is a mixture of both: it goes along.
    grown = dilated(alike, 1) & ~mask if alike.any() else alike
    rim: Bool = grown & (outward <= reach_px + 1)
    return rim


def _with_an_edge(parts: Bool, mask: Bool, along: Float) -> Bool:
    """The parts that end at an edge: colours that only drift away are no end of an object.

    Args:
        parts: candidates, (H, W).
        mask: beside them.
        along: 1 = the object's colour, 0 = that of its surroundings.
    """
    steep = np.hypot(cv2.Sobel(along, cv2.CV_32F, 1, 0), cv2.Sobel(along, cv2.CV_32F, 0, 1)) / 8
    count, labels = cv2.connectedComponents(parts.astype(np.uint8), connectivity=8)
    spread = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    spread[parts | mask] = 0
    sizes = np.maximum(np.bincount(spread.ravel(), None, count), 1)
    ends = np.bincount(spread.ravel(), steep.ravel(), count) / sizes
    sharp = ends >= LEAST_EDGE
    sharp[0] = False
    found: Bool = sharp[labels]
    return found


def _local_mean(colours: Float, where: Bool) -> Float:
    """The mean colour of marked pixels near each pixel; of all of them where none is near."""
    size = (2 * (NEAR_PX + REACH_PX) + 1,) * 2
    weight = where.astype(np.float32)
    total = cv2.boxFilter(colours * weight[..., None], -1, size, normalize=False)
    count = cv2.boxFilter(weight, -1, size, normalize=False)
    mean = total / np.maximum(count, 1)[..., None]
    mean[count < 0.5] = colours[where].mean(axis=0)
    return mean.astype(np.float32)


def _hanging_on(candidates: Bool, mask: Bool) -> Bool:
    """The candidates that hang together with the mask."""
    count, labels = cv2.connectedComponents((candidates | mask).astype(np.uint8), connectivity=8)
    touched = np.zeros(count, bool)
    touched[np.unique(labels[mask])] = True  # none where the mask is empty
    touched[0] = False
    found: Bool = touched[labels] & candidates
    return found


def select_object(image: Levels, rough: Bool) -> Bool:
    """The object that a rough mark means: a stroke over it, a loop round it, or a click into it.

    Graph cut over colour models of the inside and the outside (Rother, Kolmogorov and Blake, "GrabCut",
    SIGGRAPH 2004), at 176 px around the mark.

    Args:
        image: (H, W, 3) uint8.
        rough: (H, W) bool, not empty.

    Returns:
        (H, W) bool; the mark itself (a loop filled) where nothing tells an object from what is around it.

    Cost: .1 to .2 s, whatever the size.
    """
    filled, is_loop = _filled_loop(rough)
    ys, xs = np.nonzero(filled.any(axis=1))[0], np.nonzero(filled.any(axis=0))[0]
    height, width = int(ys[-1] - ys[0]) + 1, int(xs[-1] - xs[0]) + 1
    is_click = max(height, width) <= max(3, CLICK_SHARE * min(rough.shape))
    depth = float(cv2.distanceTransform(filled.astype(np.uint8), cv2.DIST_L2, 3).max())
    is_thin = not is_loop and depth < THIN_SHARE * max(height, width)
    if is_click or is_thin:
        margin = max(min(rough.shape) // 3, (height + width) // 2)
    else:
        margin = max(12, (height + width) // (6 if is_loop else 3))
    top, bottom = max(0, int(ys[0]) - margin), min(rough.shape[0], int(ys[-1]) + margin + 1)
    left, right = max(0, int(xs[0]) - margin), min(rough.shape[1], int(xs[-1]) + margin + 1)
    scale = min(1.0, WORKING_PX / max(bottom - top, right - left))
    size = max(8, round((right - left) * scale)), max(8, round((bottom - top) * scale))
    small = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    share = cv2.resize(filled[top:bottom, left:right].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    marked = share >= 0.5 if (share >= 0.5).any() else share > 0
    cut = _cut_out(small, marked, is_loop=is_loop, is_thin=is_click or is_thin)
    if not cut.any():
        return filled
    found = np.zeros_like(rough)
    large = cv2.resize(cut.astype(np.float32), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    found[top:bottom, left:right] = large >= 0.5
    return found


def _filled_loop(rough: Bool) -> tuple[Bool, bool]:
    """A mark with what it encloses, and whether it is a loop round something."""
    closed = cv2.morphologyEx(
        rough.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8), borderValue=0
    )
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(rough.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    whole = filled > 0
    return whole, bool((whole & ~rough).sum() > LOOP_SHARE * whole.sum())


def _cut_out(small: Levels, marked: Bool, *, is_loop: bool, is_thin: bool) -> Bool:
    """The object at working size."""
    labels = np.full(marked.shape, cv2.GC_BGD if is_loop else cv2.GC_PR_BGD, np.uint8)
    labels[marked] = cv2.GC_PR_FGD
    depth = cv2.distanceTransform(marked.astype(np.uint8), cv2.DIST_L2, 5)
    labels[marked & (depth >= (0.8 if is_loop else 0.5) * depth.max())] = cv2.GC_FGD
    if is_thin:  # the thing may be of any size
        far = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, 5)
        like = _like_the_mark(small, marked)
        labels[like & ~marked] = cv2.GC_PR_FGD
        labels[far > 0.95 * far.max()] = cv2.GC_BGD
    edge = np.zeros_like(marked)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    if not is_loop:
        labels[edge & ~marked] = cv2.GC_BGD
    known = labels == cv2.GC_BGD
    is_flat = float(small.std(axis=(0, 1)).max()) < LEAST_CONTRAST / 4
    if is_flat or not known.any() or known.all():
        return marked
    chosen = _grab_cut(small, labels, ROUNDS)
    seen = chosen & marked
    return seen | _hanging_on(chosen, seen) if seen.any() else marked


def _like_the_mark(small: Levels, marked: Bool) -> Bool:
    """What hangs together with a mark and is of the colours along it; what runs along the edge is none."""
    places = np.argwhere(marked)
    like = np.zeros_like(marked)
    smooth = cv2.bilateralFilter(small, 5, 30, 3)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    ranges = (((18,) * 3, 0), ((34,) * 3, cv2.FLOODFILL_FIXED_RANGE))  # from pixel to pixel, or of the seed
    for y, x in places[np.linspace(0, len(places) - 1, SEEDS).astype(int)].tolist():
        for near, fixed in ranges:
            flood = np.zeros((small.shape[0] + 2, small.shape[1] + 2), np.uint8)
            cv2.floodFill(smooth, flood, (x, y), 0, near, near, flags | fixed)
            part = flood[1:-1, 1:-1] > 0
            sides = (part[0], part[-1], part[:, 0], part[:, -1])
            along = sum(int(np.count_nonzero(side)) for side in sides)
            if along < EDGE_SHARE * 2 * sum(part.shape):
                like |= part
                break
    return like
