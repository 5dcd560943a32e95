"""Thin lines that may be scratches: pieces of ridges, and the signs measured on each of them.

A piece is a connected run of ridge pixels of about one direction. Whether it is a scratch or a stalk of grass
is a matter of many weak signs; they are measured here and weighed by ``remend.damage.judge``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.members import Members, Pieces, Scale
from remend.damage.ridges import DIRECTIONS, Ridges, oriented_ridges
from remend.picture import Float

__all__ = ["LINE_SIGNS", "line_pieces"]

Grey = NDArray[Any]  # uint8, which the stubs of cv2 cannot promise

LINE_SIGNS = (
    "log_pixels",
    "log_length",
    "log_elongation",
    "thickness",
    "filled",  # share of the bar of that length and thickness: low for curves
    "strength",  # grey levels above the nearer side
    "strength_deviation",
    "strength_over_near",  # against the ridges within 16 px: texture is full of them
    "strength_over_far",  # within 48 px
    "crowd_near",  # share of the surroundings that is ridge too
    "crowd_far",
    "crowd_parallel",  # of about this direction: fences, hair, grass
    "step",  # how much the two sides differ: a scratch has one picture on both
    "extreme",  # how far from the picture's white (black)
    "outstanding",  # deviations from the mean of 44 px around
    "opacity",  # of a white (black) layer that would explain the line
    "opacity_deviation",
    "opacity_spread",  # between the channels: a neutral layer explains all three alike
    "chroma",
    "chroma_change",  # against the sides
    "under_deviation",  # how much the picture changes along the line
    "own_deviation",  # how much the line does
    "profile_1",  # contrast left 1 and 2 px beside the middle: sharpness
    "profile_2",
    "dark",
    "level",
    "noise",
)
"""What is measured on a piece, in this order."""

GROUP_HALF = 2  # a group spans 5 of the 12 directions and shares one with each neighbour
GROUP_STEP = 3
LEAST_STRENGTH = 4
LEAST_PIXELS = 10
SIDE_PX = 5  # where the colour beside a line is read
NEAR_PX, FAR_PX, PARALLEL_PX = 33, 97, 49


@dataclass(frozen=True, slots=True)
class _Surroundings:
    grey: Grey
    mean: Float  # of a quarter-size grey frame, as is the deviation
    deviation: Float
    crowd_near: Grey
    crowd_far: Grey


def line_pieces(rgb: NDArray[Any], scale: Scale, *, level: int = 0) -> list[Pieces]:
    """All pieces of ridges in a picture, or in a level of its pyramid, with their signs.

    Args:
        rgb: (H, W, 3) uint8.
        scale: the whole picture's extremes and grain.
        level: noted on the pieces, and one of their signs.

    Returns:
        One entry for each polarity that has any.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    quarter = (max(1, grey.shape[1] // 4), max(1, grey.shape[0] // 4))
    small = cv2.resize(grey, quarter, interpolation=cv2.INTER_AREA).astype(np.float32)
    mean = cv2.blur(small, (11, 11))
    deviation = np.sqrt(np.maximum(cv2.blur(small * small, (11, 11)) - mean * mean, 0)) + 2
    both = oriented_ridges(grey)
    near = [cv2.blur(ridges.strength, (NEAR_PX, NEAR_PX)) for ridges in both]
    candidates = [
        (cv2.subtract(ridges.strength, mean_near) > LEAST_STRENGTH).view(np.uint8)
        for ridges, mean_near in zip(both, near, strict=True)
    ]
    crowd = (candidates[0] | candidates[1]) * np.uint8(255)
    around = _Surroundings(
        grey,
        np.asarray(mean, np.float32),
        np.asarray(deviation, np.float32),
        cv2.blur(crowd, (NEAR_PX, NEAR_PX)),
        cv2.blur(crowd, (FAR_PX, FAR_PX)),
    )
    found = []
    for dark in (False, True):
        ridges = both[dark]
        members, parallel = _pieces(ridges, candidates[dark])
        if members.count:
            signs, contrast = _measure(rgb, ridges, near[dark], parallel, around, members, scale, dark, level)
            angle = members.read(ridges.direction).astype(np.float32) * np.float32(np.pi / DIRECTIONS)
            found.append(Pieces(members, signs, angle, contrast, dark, level))
    return found


def _pieces(ridges: Ridges, candidate: Grey) -> tuple[Members, Float]:
    """Connected pieces by group of directions, and how many of their own direction lie around each pixel."""
    labels_of, pixels_of, parallel_of, count = [], [], [], 0
    for centre in range(1, DIRECTIONS, GROUP_STEP):
        table = np.zeros(256, np.uint8)
        table[[(centre + k) % DIRECTIONS for k in range(-GROUP_HALF, GROUP_HALF + 1)]] = 1
        group = cv2.LUT(ridges.direction, table) & candidate
        _, labels, stats, _ = cv2.connectedComponentsWithStats(group, connectivity=8)
        large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= LEAST_PIXELS)
        large = large[large > 0]
        number = np.full(len(stats), -1, np.int32)
        number[large] = np.arange(count, count + large.size)
        where = np.flatnonzero(group)
        label = number[labels.ravel()[where]]
        inside = label >= 0
        labels_of.append(label[inside])
        pixels_of.append(where[inside])
        density = cv2.blur(group * np.uint8(255), (PARALLEL_PX, PARALLEL_PX))
        parallel_of.append(density.ravel()[where[inside]].astype(np.float32))
        count += large.size
    shape = (candidate.shape[0], candidate.shape[1])
    members = Members(np.concatenate(labels_of), np.concatenate(pixels_of), count, shape)
    return members, np.concatenate(parallel_of)


def _measure(
    rgb: NDArray[Any],
    ridges: Ridges,
    near: Grey,
    parallel: Float,
    around: _Surroundings,
    members: Members,
    scale: Scale,
    dark: bool,
    level: int,
) -> tuple[Float, Float]:
    height, width = members.size
    n, mean, (x, y) = members.n, members.mean, members.xy
    length, thickness = members.axes()
    angle = members.read(ridges.direction).astype(np.float32) * np.float32(np.pi / DIRECTIONS)
    across_x, across_y = np.sin(angle), np.cos(angle)

    def beside(frame: NDArray[Any], distance: int) -> Float:
        column = np.clip(np.rint(x + distance * across_x).astype(np.int64), 0, width - 1)
        row = np.clip(np.rint(y + distance * across_y).astype(np.int64), 0, height - 1)
        values = frame.reshape((-1, *frame.shape[2:]))[row * width + column]
        return np.asarray(values, np.float32)

    # (3, N): channels first, for reductions over three neighbours in memory are ten times as slow
    own, left, right = (
        np.ascontiguousarray(colours.T, np.float32)
        for colours in (members.read(rgb), beside(rgb, -SIDE_PX), beside(rgb, SIDE_PX))
    )
    under = (left + right) / 2
    middle = members.read(around.grey).astype(np.float32)
    under_grey = (beside(around.grey, -SIDE_PX) + beside(around.grey, SIDE_PX)) / 2
    contrast = np.abs(mean(middle - under_grey))
    profile = [
        np.abs(mean((beside(around.grey, -d) + beside(around.grey, d)) / 2 - under_grey))
        / np.maximum(contrast, 2)
        for d in (1, 2)
    ]
    strength = members.read(ridges.strength).astype(np.float32)
    mean_strength = mean(strength)
    far = cv2.blur(ridges.strength, (FAR_PX, FAR_PX))

    # A layer of the extreme colour, laid over what is seen beside the line, would explain it if its opacity
    # came out alike in every channel and did not leave 0 … 1.
    target = scale.black if dark else scale.white
    room = target[:, None] - under
    room = np.where(np.abs(room) < 12, np.float32(-12 if dark else 12), room)
    alpha = np.clip((own - under) / room, -1, 2)
    opacity = alpha.mean(axis=0)
    reach = float(scale.white.min() - scale.black.max()) + 1
    if dark:
        extreme = (own.max(axis=0) - float(scale.black.max())) / reach
    else:
        extreme = (float(scale.white.min()) - own.min(axis=0)) / reach
    chroma, under_chroma = np.ptp(own, axis=0), np.ptp(under, axis=0)
    small = np.minimum(y // 4, around.mean.shape[0] - 1) * around.mean.shape[1]
    small = small + np.minimum(x // 4, around.mean.shape[1] - 1)
    outstanding = (middle - around.mean.ravel()[small]) / around.deviation.ravel()[small]

    def without_own(density: NDArray[Any] | Float, window_px: int) -> Float:
        own_share = 255 * np.minimum(n, window_px * thickness) / window_px**2
        return np.asarray(mean(density) - own_share, np.float32)

    columns = {
        "log_pixels": np.log(n),
        "log_length": np.log(length),
        "log_elongation": np.log(length / thickness),
        "thickness": thickness,
        "filled": n / (length * thickness),
        "strength": mean_strength,
        "strength_deviation": members.deviation(strength) / (mean_strength + 1),
        "strength_over_near": mean_strength / (mean(members.read(near)) + 1),
        "strength_over_far": mean_strength / (mean(members.read(far)) + 1),
        "crowd_near": without_own(members.read(around.crowd_near), NEAR_PX),
        "crowd_far": without_own(members.read(around.crowd_far), FAR_PX),
        "crowd_parallel": without_own(parallel, PARALLEL_PX),
        "step": mean(np.abs(left - right).mean(axis=0)) / (contrast + 4),
        "extreme": mean(extreme),
        "outstanding": mean(-outstanding if dark else outstanding),
        "opacity": mean(opacity),
        "opacity_deviation": members.deviation(opacity),
        "opacity_spread": mean(alpha.std(axis=0)),
        "chroma": mean(chroma),
        "chroma_change": mean(chroma - under_chroma),
        "under_deviation": members.deviation(under_grey),
        "own_deviation": members.deviation(middle),
        "profile_1": profile[0],
        "profile_2": profile[1],
        "dark": np.full(members.count, float(dark)),
        "level": np.full(members.count, float(level)),
        "noise": np.full(members.count, scale.noise),
    }
    return np.stack([columns[name] for name in LINE_SIGNS], axis=1).astype(np.float32), contrast
