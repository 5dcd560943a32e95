"""Where the pixels of a hole can be seen in other frames: followed along the flow, step by step.

Only positions are followed; colours are read once, at the end of the way, whose length blurs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.video.flow import Frame, Motion, sample

__all__ = ["Sight", "Step", "follow"]

DRIFT_PX = 0.08  # that a step adds to what is not known of a position
APART = np.array([0, 1, 3, 3])  # frames between a look and the next, after so many looks
LOST_PX = 6.0  # doubt beyond which a position says nothing
SPREAD, LEAST_SPREAD_PX, MOST_SPREAD_PX = 0.5, 0.3, 3.0  # of the doubt, that a colour is read around a place
CORNERS = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)], np.float32)


@dataclass(frozen=True, slots=True)
class Step:
    """From one frame to the next in either direction.

    Attributes:
        frame: where it leads to.
        motion: that leads there.
        back: the motion from there back.
    """

    frame: Frame
    motion: Motion
    back: Motion


@dataclass(frozen=True, slots=True)
class Sight:
    """What one other frame shows of the pixels that were followed.

    Attributes:
        frame: that frame.
        which: (n,) which of the pixels.
        xy: (n, 2) float32, where they are in it.
        doubt: (n,) float32, how far that may be off, in pixels.
        gain, offset: (3,) float32: colours there = gain · colours here + offset.
    """

    frame: Frame
    which: NDArray[np.intp]
    xy: Float
    doubt: Float
    gain: Float
    offset: Float


def follow(
    xy: Float,
    steps: Callable[[int], Step | None],
    *,
    reach: int,
    sights: int,
    own: bool = False,
) -> list[Sight]:
    """Follow pixels through one direction of time until each has been seen often enough.

    Args:
        xy: (n, 2) float32, where they are now, all in a hole.
        steps: the k-th frame on, from 1; None = there is none.
        reach: how many frames at most.
        sights: how often to see a pixel.
        own: they are of what moves on its own, else of the scene; only what moves so too shows them.

    Returns:
        What each frame shows, nearest first.

    Cost: about .1 µs a pixel and step.
    """
    here, which = xy, np.arange(len(xy))
    doubt = np.zeros(len(xy), np.float32)
    seen = np.zeros(len(xy), np.int8)
    again = np.zeros(len(xy), np.int16)
    gain, offset = np.ones(3, np.float32), np.zeros(3, np.float32)
    found = []
    for k in range(1, reach + 1):
        step = steps(k) if len(which) else None
        if step is None or step.motion.cut:
            break
        frame, motion = step.frame, step.motion
        places = here if frame.scale == 1 else (here - np.float32(0.5)) / np.float32(2)
        here = here + sample(motion.flow if own else motion.scene, places)
        miss = sample(motion.error if own else motion.scene_error, places)
        doubt = np.sqrt(doubt * doubt + miss * miss + np.float32(DRIFT_PX**2))
        gain, offset = motion.gain * gain, motion.gain * offset + motion.offset
        kept = inside(here, frame.hole.shape) & (doubt < LOST_PX)
        here, which, doubt = here[kept], which[kept], doubt[kept]
        shown = ~at(frame.near, here)
        if own or step.back.own.any():
            places = here if frame.scale == 1 else (here - np.float32(0.5)) / np.float32(2)
            shown &= at(step.back.own, places) == own
        if shown.any():
            # What hides it for a moment hides it in the next frame, too: later looks are further apart.
            shown &= k >= again[which]
            found.append(Sight(frame, which[shown], here[shown], doubt[shown], gain, offset))
            seen[which[shown]] += 1
            again[which[shown]] = k + APART[np.minimum(seen[which[shown]], len(APART) - 1)]
            more = seen[which] < sights
            here, which, doubt = here[more], which[more], doubt[more]
    return found


def inside(xy: Float, size: tuple[int, int]) -> Bool:
    """Which positions lie in a picture of ``size`` (height, width)."""
    x, y = xy[:, 0], xy[:, 1]
    return np.asarray((x >= 0) & (y >= 0) & (x <= size[1] - 1) & (y <= size[0] - 1), np.bool_)


def at(mask: Bool, xy: Float) -> Bool:
    """The mask at the pixels nearest to positions."""
    places = np.clip(np.rint(xy), 0, (mask.shape[1] - 1, mask.shape[0] - 1)).astype(np.intp)
    return np.asarray(mask[places[:, 1], places[:, 0]], np.bool_)


def colours(sight: Sight, xy: Float, doubt: Float | None = None) -> Float:
    """(n, 3) float32 colours of a sight's frame at positions, as they would be here, in [0, 1].

    With ``doubt`` a place that is not sure is read around itself, too: the mean of where it may be has less
    error than any one of them. The scene's places are surer than their doubt says, and would only be blurred.
    """
    frame = sight.frame
    taken = sample(frame.pixels, xy, cv2.INTER_CUBIC).astype(np.float32)
    if doubt is not None:
        spread = np.minimum(doubt * np.float32(SPREAD), np.float32(MOST_SPREAD_PX))
        unsure = np.flatnonzero(spread > LEAST_SPREAD_PX)
        total, count = taken[unsure], np.ones(len(unsure), np.float32)
        for corner in CORNERS:
            beside = xy[unsure] + spread[unsure, None] * corner
            fine = inside(beside, frame.hole.shape) & ~at(frame.near, beside)
            total += sample(frame.pixels, beside).astype(np.float32) * fine[:, None]
            count += fine
        taken[unsure] = total / count[:, None]
    taken *= np.float32(1 / frame.top)
    return np.asarray((taken - sight.offset) / sight.gain, np.float32)
