"""From judged pieces to pixels: how sure it is that each pixel of a tile belongs to a line or a speck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.judge import judge_of
from remend.damage.lines import line_pieces
from remend.damage.members import Pieces, Scale
from remend.damage.outline import outline_lines, outline_specks
from remend.damage.specks import speck_pieces
from remend.picture import Bool

__all__ = ["Thresholds", "line_evidence", "speck_evidence"]

Grey = NDArray[Any]  # uint8, which the stubs of cv2 cannot promise

LEVELS = 2  # full and half resolution: lines up to 8 px wide
KNOWN_SHARE = 0.3  # a coarse piece of which a finer level found that much is not news
TOUCH_PX = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Chances of being damage from which a piece counts.

    Attributes:
        seed: on its own.
        join: where it touches one that counts.
    """

    seed: float
    join: float


def line_evidence(rgb: NDArray[Any], scale: Scale, limits: Thresholds) -> Grey:
    """(H, W) uint8 chance (1 … 255) that a pixel belongs to a scratch or crack, 0 where none is seen."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    result = np.zeros(grey.shape, np.uint8)
    for level, frame in _pyramid(rgb):
        for pieces in line_pieces(frame, scale, level=level):
            chance = judge_of("lines")(pieces.signs)
            counted = _counted(pieces, chance, limits, result)
            which = pieces.members.labels[counted]
            if not which.size:
                continue
            x, y = pieces.members.xy
            factor = 2.0**level
            outline_lines(
                result,
                grey,
                x=((x[counted] + 0.5) * factor - 0.5).astype(np.float32),
                y=((y[counted] + 0.5) * factor - 0.5).astype(np.float32),
                angle=pieces.angle[counted],
                labels=which,
                confidence=_byte(chance)[which],
                contrast=pieces.contrast[which],
                dark=pieces.dark,
                half_px=4 + 2 * level,
                noise=scale.noise,
            )
    # readings across a slanted line leave single pixels out
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.morphologyEx(result, cv2.MORPH_CLOSE, cross), np.uint8)


def speck_evidence(rgb: NDArray[Any], scale: Scale, limits: Thresholds) -> Grey:
    """(H, W) uint8 chance (1 … 255) that a pixel belongs to a speck of dust, 0 where none is seen."""
    result = np.zeros(rgb.shape[:2], np.uint8)
    for level, frame in _pyramid(rgb):
        for pieces in speck_pieces(frame, scale, level=level):
            chance = judge_of("specks")(pieces.signs)
            counted = _counted(pieces, chance, limits, result)
            if not counted.any():
                continue
            members = pieces.members
            sure = np.zeros(members.size, np.uint8)
            np.maximum.at(sure.ravel(), members.pixels[counted], _byte(chance)[members.labels[counted]])
            found = outline_specks(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), sure, dark=pieces.dark)
            if level:
                found = cv2.resize(found, result.shape[::-1], interpolation=cv2.INTER_NEAREST)
            np.maximum(result, found, out=result)
    return result


def _byte(chance: NDArray[np.float32]) -> Grey:
    return np.maximum(np.rint(chance * 255), 1).astype(np.uint8)


def _pyramid(rgb: NDArray[Any]) -> list[tuple[int, NDArray[Any]]]:
    frames = [(0, rgb)]
    for level in range(1, LEVELS):
        height, width = frames[-1][1].shape[:2]
        if min(height, width) < 64:
            break
        half = cv2.resize(frames[-1][1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        frames.append((level, half))
    return frames


def _counted(pieces: Pieces, chance: NDArray[np.float32], limits: Thresholds, known: Grey) -> Bool:
    """(N,) which pixels of the pieces count: hysteresis over whole pieces."""
    members = pieces.members
    likely: Bool = chance >= limits.join
    if pieces.level:
        near = cv2.dilate((known > 0) * np.uint8(255), np.ones((3, 3), np.uint8))
        wide = cv2.resize(near, members.size[::-1], interpolation=cv2.INTER_AREA)
        likely &= np.asarray(members.mean(members.read(wide)) < 255 * KNOWN_SHARE)
    sure = likely & (chance >= limits.seed)
    if not sure.any():
        return np.zeros(members.labels.size, np.bool_)
    inside = likely[members.labels]
    frame = np.zeros(members.size, np.uint8)
    frame.ravel()[members.pixels[inside]] = 1
    _, groups = cv2.connectedComponents(cv2.dilate(frame, np.ones((TOUCH_PX, TOUCH_PX), np.uint8)))
    group = members.read(groups)
    seeded = np.zeros(int(groups.max()) + 1, np.bool_)
    seeded[group[sure[members.labels]]] = True
    return np.asarray(inside & seeded[group], np.bool_)
