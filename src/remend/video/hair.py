"""Hairs in the gate of a camera or projector: they stay where they are while the scene moves behind them.

Fine detail is averaged over the frames around one: what belongs to a scene that moves fades, what stays does
not. Thin ridges are sought in it (C. Steger, An unbiased detector of curvilinear structures, TPAMI 1998). A
ridge is a hair where it is long, lies across the camera's motion, so that nothing of the scene could have
stayed there, is seen in most of the frames by itself, this one among them, and nothing else around it stays:
letters and what is carried along with the camera have much that stays around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.given import dilated
from remend.picture import Bool, Float
from remend.video.camera import View, camera_between, view_of

__all__ = ["HAIR_AROUND", "Seen", "find_hairs", "seen"]

HAIR_AROUND = 16  # frames to each side that are averaged
LARGE_PX = 300_000  # frames beyond are searched at a smaller size
WIDE_PX = 15  # of a median: what is half as wide is no hair
MOST_LEVELS = 20.0  # that one frame may add: an edge that passes must not weigh more than what stays
WIDTHS_PX = (1.0, 1.8)  # σ of the ridges
LEAST_LEVELS, SIGMAS = 5.0, 5.0  # that a ridge stands out by, where it is surest
FAINT = 0.55  # share of that elsewhere
LEAST_PX = 22  # from end to end, along its longer side
MOST_WIDE_PX = 6.0  # what is thicker is no hair
ACROSS_PX = 5.0  # that the scene must have moved across a line, for it to be told from the scene's
ACROSS_WAY = 0.35  # and of its whole way: what lies along it slides over itself
ALONG_PX = 8  # as far as a hair goes on along it
ACROSS_SHARE = 0.4  # of a hair's length of which that must hold
SHOWN, SHOWN_SHARE = 0.4, 0.4  # of its contrast that a frame must show, share of the frames that must
RING_PX, RING, RING_SHARE = 12, 0.45, 0.16  # how much of what is around a hair may stay, too
LETTER_PX, LETTERS_PX, LIKE = 8, 50, 0.6  # what is lettering: parts so long, so near, as strong as this share
MOST_LIKE = 4  # such parts where a hair is, its own among them
MOST = 8  # hairs in one frame; more are lettering
GROWN_PX = 2
GAP_PX = 7  # in a hair, where what lies behind it is as bright
ALIKE_PX = 4.0  # way of the scene after which a pixel shows another thing
TURNS = np.arange(16) * np.pi / 16
DIRECTIONS = np.stack([np.cos(TURNS), np.sin(TURNS)], axis=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of a frame.

    Attributes:
        fine: (h, w) float32, detail finer than `WIDE_PX`, clipped.
        view: what the camera's motion is measured by.
        motion: (2, 3) from the frame before to this one; None at a cut, and for the first.
    """

    fine: Float
    view: View
    motion: NDArray[np.float64] | None


def seen(grey: NDArray[np.uint8], hole: Bool, before: Seen | None) -> Seen:
    """A frame made ready.

    Args:
        grey: (H, W) uint8.
        hole: (H, W) bool, what is damage already.
        before: the frame before it.

    Cost: some 5 ms at 432×240.
    """
    scale = max(1.0, (grey.size / LARGE_PX) ** 0.5)
    size = max(8, round(grey.shape[1] / scale)), max(8, round(grey.shape[0] / scale))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    # A median, as a mean would leave a rim of the opposite sign around a hair.
    wide = cv2.medianBlur(small, WIDE_PX)
    fine = np.clip(small.astype(np.float32) - wide, -MOST_LEVELS, MOST_LEVELS)
    view = view_of(grey, hole)
    motion = None if before is None else camera_between(before.view, view)
    return Seen(np.asarray(fine, np.float32), view, motion)


def find_hairs(near: Sequence[Seen], here: int, size: tuple[int, int]) -> Bool:
    """Hairs of one frame, grown by 2 px.

    Args:
        near: the frame and those around it.
        here: which of them it is.
        size: (height, width) of the frame.

    Returns:
        (H, W) bool.

    Cost: some 15 ms at 432×240.
    """
    hole = np.zeros(size, np.bool_)
    first, last = here, here
    while first > 0 and near[first].motion is not None:
        first -= 1
    while last < len(near) - 1 and near[last + 1].motion is not None:
        last += 1
    shot = near[first : last + 1]
    ways = _ways(shot)
    middle = np.array([size[1] / 2, size[0] / 2])
    if _moved(ways, middle).max() < ACROSS_PX:
        return hole  # the scene stands still
    mean = np.asarray(np.mean([one.fine for one in shot], axis=0, dtype=np.float32))
    scale = size[1] / mean.shape[1]
    usual = _usual(shot, mean, float(_moved(ways, middle).max()) / scale)
    found = np.zeros(mean.shape, np.bool_)
    count = 0
    for way in (np.float32(1), np.float32(-1)):
        for hair in _hairs(mean * way, usual, ways, scale):
            shown = np.array([float(way * one.fine[hair].mean()) for one in shot])
            contrast = float(np.quantile(shown, 0.7))
            if contrast < LEAST_LEVELS or np.mean(shown > SHOWN * contrast) < SHOWN_SHARE:
                continue
            count += 1
            if shown[here - first] > SHOWN * contrast:
                found |= hair
    if count > MOST or not found.any():
        return hole
    large = np.asarray(cv2.resize(found.view(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST))
    return dilated(large.view(np.bool_), round(GROWN_PX * scale))


def _ways(shot: Sequence[Seen]) -> NDArray[np.float64]:
    """(n, 2, 3) from the first frame of a shot to each."""
    at, ways = np.eye(3), []
    for k, one in enumerate(shot):
        if k and one.motion is not None:
            at = np.vstack([one.motion, [0, 0, 1]]) @ at
        ways.append(at[:2])
    return np.array(ways)


def _moved(ways: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(directions,) how far the scene at a place moved in all, along each of `DIRECTIONS`."""
    places = ways[:, :, :2] @ at + ways[:, :, 2]
    return np.asarray(np.ptp(places @ DIRECTIONS.T, axis=0))


def _usual(shot: Sequence[Seen], mean: Float, moved_px: float) -> Float:
    """(h, w) the deviation of what a scene leaves in a mean: the further it moved, the less."""
    spread = np.zeros(mean.shape, np.float32)
    for one in shot:
        spread += np.square(one.fine - mean)
    # By a median, as a hair that comes or goes has a spread of its own.
    each = np.rint(np.sqrt(spread / np.float32(len(shot))) * 12).clip(0, 255).astype(np.uint8)
    around = np.asarray(cv2.medianBlur(each, WIDE_PX)).astype(np.float32) / 12
    looks = np.float32(np.clip(moved_px / ALIKE_PX, 1, len(shot)))
    return np.asarray(around / np.sqrt(looks), np.float32)


def _hairs(mean: Float, usual: Float, ways: NDArray[np.float64], scale: float) -> list[Bool]:
    """(h, w) bool each: ridges of a mean that no scene could have left."""
    strength = np.zeros(mean.shape, np.float32)
    across = np.zeros(mean.shape, np.intp)
    for width in WIDTHS_PX:
        ridge, normal = _ridge(mean, width)
        across = np.where(ridge > strength, normal, across)
        strength = np.maximum(strength, ridge)
    strong = np.maximum(np.float32(LEAST_LEVELS), np.float32(SIGMAS) * usual)
    weak = strength > FAINT * strong
    joined = cv2.morphologyEx(weak.view(np.uint8), cv2.MORPH_CLOSE, np.ones((GAP_PX, GAP_PX), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    parts = _parts(weak, strength, strong)
    surest = np.zeros(count, np.float32)
    np.maximum.at(surest, np.asarray(labels.ravel(), np.intp), (strength / strong).ravel())
    found = []
    for label in np.flatnonzero((surest > 1) & (stats[:, 2:4].max(axis=1) >= LEAST_PX)):
        if not label:
            continue
        line = np.asarray((labels == label) & weak, np.bool_)
        ys, xs = np.nonzero(line)
        x, y, width, height = stats[label, :4]
        close = (np.abs(parts[:, 0] - x - width / 2) < width / 2 + LETTERS_PX) & (
            np.abs(parts[:, 1] - y - height / 2) < height / 2 + LETTERS_PX
        )
        if np.count_nonzero(close & (parts[:, 2] > LIKE * np.median(strength[line]))) > MOST_LIKE:
            continue
        moved = _moved(ways, np.array([xs.mean(), ys.mean()]) * scale) / scale
        least = max(ACROSS_PX, ACROSS_WAY * float(moved.max()))
        clear = moved[across[ys, xs]] >= least
        if np.mean(clear) < ACROSS_SHARE or _thick(ys, xs):
            continue
        # An edge of the scene that a hair ends at is not the hair's.
        sure = np.zeros(mean.shape, np.bool_)
        sure[ys[clear], xs[clear]] = True
        line &= dilated(sure, ALONG_PX)
        around = dilated(line, RING_PX) & ~dilated(line, 3)
        contrast = float(np.median(mean[line]))
        if np.mean(np.abs(mean[around]) > RING * contrast) > RING_SHARE:
            continue
        # As wide as it is a third as strong as in its middle.
        found.append(dilated(line, 1) & (mean > contrast / 3))
    return found


def _parts(weak: Bool, strength: Float, strong: Float) -> NDArray[np.float64]:
    """(n, 3) of each ridge that may be a part of a letter: its middle (x, y), and how strong it is."""
    count, labels, stats, middles = cv2.connectedComponentsWithStats(weak.view(np.uint8), connectivity=8)
    surest, total = np.zeros(count, np.float32), np.bincount(labels.ravel(), strength.ravel(), count)
    np.maximum.at(surest, np.asarray(labels.ravel(), np.intp), (strength / strong).ravel())
    which = (surest > 1) & (stats[:, 2:4].max(axis=1) >= LETTER_PX) & (np.arange(count) > 0)
    return np.asarray(np.column_stack([middles, total / stats[:, cv2.CC_STAT_AREA]])[which], np.float64)


def _ridge(mean: Float, width: float) -> tuple[Float, NDArray[np.intp]]:
    """How much each pixel lies on a bright ridge, in levels, and across which of `DIRECTIONS` it is."""
    smooth = cv2.GaussianBlur(mean, (0, 0), width)
    xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
    yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
    xy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    least, most = middle - half, middle + half
    # Of a line one curvature is strong, the other is not: a speck has both.
    strength = np.maximum(-least - np.abs(most), 0) * np.float32(2 * width**2)
    turn = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2  # of the eigenvector of the least
    return np.asarray(strength, np.float32), np.asarray(
        np.rint(turn / np.pi * len(DIRECTIONS)), np.intp
    ) % len(DIRECTIONS)


def _thick(ys: NDArray[np.intp], xs: NDArray[np.intp]) -> bool:
    """Whether pixels are too many for a line of their extent."""
    (_, (one, other), _) = cv2.minAreaRect(np.stack([xs, ys], axis=1).astype(np.float32))
    return len(ys) > MOST_WIDE_PX * (max(one, other) + 1) + 0.5 * min(one, other) * MOST_WIDE_PX
