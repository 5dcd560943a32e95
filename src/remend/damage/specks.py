"""Small specks that may be dust: spots of a top-hat filter, and the signs measured on each of them.

White top-hat (J. Serra, *Image Analysis and Mathematical Morphology*, 1982): what an opening by a small
square takes away is bright and smaller than the square; its dual finds dark spots.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.members import Members, Pieces, Scale
from remend.picture import Float

__all__ = ["SPECK_SIGNS", "speck_pieces"]

Grey = NDArray[Any]  # uint8, which the stubs of cv2 cannot promise

SPECK_SIGNS = (
    "log_pixels",
    "log_elongation",
    "filled",  # share of the bar with its length and thickness
    "strength",  # mean of the top-hat, grey levels
    "peak",  # its maximum
    "strength_over_near",  # against the top-hat within 16 px
    "strength_over_far",  # within 48 px
    "crowd_near",  # share of the surroundings that is spot too
    "crowd_far",
    "other_near",  # strength of the opposite top-hat within 8 px: an eye's catch-light sits in the dark
    "ring_deviation",  # of the eight colours around it
    "ring_step",  # largest difference across it
    "contrast",  # against the ring
    "extreme",
    "opacity",
    "opacity_spread",
    "chroma",
    "chroma_change",
    "own_deviation",
    "fall",  # contrast left 2 px outside its radius: sharpness
    "dark",
    "level",
    "noise",
)
"""What is measured on a spot, in this order."""

SQUARE_PX = 9
LEAST_STRENGTH = 8
LEAST_PIXELS, MOST_PIXELS = 2, 110
MOST_LENGTH = 22.0
NEAR_PX, FAR_PX, CLOSE_PX = 33, 97, 17


def speck_pieces(rgb: NDArray[Any], scale: Scale, *, level: int = 0) -> list[Pieces]:
    """All small spots of a picture, or of a level of its pyramid, with their signs.

    Args:
        rgb: (H, W, 3) uint8.
        scale: the whole picture's extremes and grain.
        level: noted on the pieces, and one of their signs.

    Returns:
        One entry for each polarity that has any.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    square = np.ones((SQUARE_PX, SQUARE_PX), np.uint8)
    hats = [cv2.morphologyEx(grey, operation, square) for operation in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)]
    near = [cv2.blur(hat, (NEAR_PX, NEAR_PX)) for hat in hats]
    spots = [
        (cv2.subtract(cv2.subtract(hat, around), around) > LEAST_STRENGTH).view(np.uint8)
        for hat, around in zip(hats, near, strict=True)
    ]
    crowd = (spots[0] | spots[1]) * np.uint8(255)
    crowds = cv2.blur(crowd, (NEAR_PX, NEAR_PX)), cv2.blur(crowd, (FAR_PX, FAR_PX))
    found = []
    for dark in (False, True):
        members = _pieces(spots[dark])
        if members.count:
            other = cv2.blur(hats[not dark], (CLOSE_PX, CLOSE_PX))
            signs = _measure(rgb, grey, hats[dark], near[dark], other, crowds, members, scale, dark, level)
            none = np.zeros(0, np.float32)
            found.append(Pieces(members, signs, none, signs[:, SPECK_SIGNS.index("peak")], dark, level))
    return found


def _pieces(spots: Grey) -> Members:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    fit = np.flatnonzero((area >= LEAST_PIXELS) & (area <= MOST_PIXELS) & (extent <= MOST_LENGTH))
    fit = fit[fit > 0]
    number = np.full(len(stats), -1, np.int32)
    number[fit] = np.arange(fit.size)
    where = np.flatnonzero(spots)
    label = number[labels.ravel()[where]]
    inside = label >= 0
    return Members(label[inside], where[inside], fit.size, (spots.shape[0], spots.shape[1]))


def _measure(
    rgb: NDArray[Any],
    grey: Grey,
    hat: Grey,
    near: Grey,
    other: Grey,
    crowds: tuple[Grey, Grey],
    members: Members,
    scale: Scale,
    dark: bool,
    level: int,
) -> Float:
    height, width = members.size
    n, mean, (x, y) = members.n, members.mean, members.xy
    length, thickness = members.axes()
    centre_x, centre_y = mean(x), mean(y)
    radius = length / 2
    turn = np.arange(8, dtype=np.float32) * np.float32(np.pi / 4)

    def ring(distance: float) -> Float:
        """(pieces, 8, 3) colours around each piece, ``distance`` outside of it."""
        reach = (radius + distance)[:, None]
        column = np.clip(np.rint(centre_x[:, None] + reach * np.cos(turn)).astype(np.int64), 0, width - 1)
        row = np.clip(np.rint(centre_y[:, None] + reach * np.sin(turn)).astype(np.int64), 0, height - 1)
        return np.asarray(rgb.reshape(-1, 3)[row * width + column], np.float32)

    outer = ring(3)
    outer_grey = outer.mean(axis=2)
    under = outer.mean(axis=1)
    pixels = members.read(rgb).astype(np.float32)
    own = np.stack([mean(pixels[:, channel]) for channel in range(3)], axis=1)
    strength = members.read(hat).astype(np.float32)
    peak = np.zeros(members.count, np.float32)
    np.maximum.at(peak, members.labels, strength)
    mean_strength = mean(strength)
    far = cv2.blur(hat, (FAR_PX, FAR_PX))
    contrast = np.abs((own - under).mean(axis=1))
    target = scale.black if dark else scale.white
    room = target - under
    room = np.where(np.abs(room) < 12, np.float32(-12 if dark else 12), room)
    alpha = np.clip((own - under) / room, -1, 2)
    reach = float(scale.white.min() - scale.black.max()) + 1
    if dark:
        extreme = (own.max(axis=1) - float(scale.black.max())) / reach
    else:
        extreme = (float(scale.white.min()) - own.min(axis=1)) / reach
    fall = np.abs((ring(1).mean(axis=1) - under).mean(axis=1)) / np.maximum(contrast, 2)
    columns = {
        "log_pixels": np.log(n),
        "log_elongation": np.log(length / thickness),
        "filled": n / (length * thickness),
        "strength": mean_strength,
        "peak": peak,
        "strength_over_near": mean_strength / (mean(members.read(near)) + 1),
        "strength_over_far": mean_strength / (mean(members.read(far)) + 1),
        "crowd_near": mean(members.read(crowds[0])) - 255 * n / NEAR_PX**2,
        "crowd_far": mean(members.read(crowds[1])) - 255 * n / FAR_PX**2,
        "other_near": mean(members.read(other)),
        "ring_deviation": outer_grey.std(axis=1),
        "ring_step": np.abs(outer_grey[:, :4] - outer_grey[:, 4:]).max(axis=1),
        "contrast": contrast,
        "extreme": extreme,
        "opacity": alpha.mean(axis=1),
        "opacity_spread": alpha.std(axis=1),
        "chroma": np.ptp(own, axis=1),
        "chroma_change": np.ptp(own, axis=1) - np.ptp(under, axis=1),
        "own_deviation": members.deviation(members.read(grey).astype(np.float32)),
        "fall": fall,
        "dark": np.full(members.count, float(dark)),
        "level": np.full(members.count, float(level)),
        "noise": np.full(members.count, scale.noise),
    }
    return np.stack([columns[name] for name in SPECK_SIGNS], axis=1).astype(np.float32)
