"""Motion between neighbouring frames: forward and backward, checked against each other, completed in holes.

Reference: T. Kroeger, R. Timofte, D. Dai, L. Van Gool, Fast optical flow using dense inverse search, ECCV
2016 (OpenCV's DIS); the check by going there and back: P. Fua, A parallel stereo algorithm, MVA 1993.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.fill.push_pull import push_pull
from remend.picture import Bool, Float
from remend.video.layers import Layers, apart, refined

__all__ = ["LARGE_PX", "Frame", "Motion", "look", "motion_between", "sample"]

LARGE_PX = 500_000  # frames beyond have their motion measured at half size
# A patch that reaches into a hole measures the hole; wide ones reach out.
AROUND_PX, WIDE_PX, FAR_PX = 1, 3, 7
LED_PX = 2  # that it reaches out where the hole shows what moves as its surroundings do
LEAST_ERROR_PX, SHARE = 0.6, 0.08  # there and back may differ by so much, and this share of the way
RAW_LIMIT_PX = 4.0  # what is kept of a disagreement: beyond it nothing is believed anyway
ALIKE_LEVELS = 28.0  # two looks at one thing, after their exposure is matched
CUT_SHARE = 0.35  # of the picture that must be found again; less is another scene
COLUMNS = 4096  # points are sampled in rows of this length: OpenCV takes no longer ones


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as the window holds it.

    Attributes:
        pixels: (H, W, 3) uint8 or uint16, never written to.
        hole: (H, W) bool, True = repair.
        near: (H, W) bool, the hole grown by what a bicubic sample beside it would read.
        grey: (h, w) uint8, the holes made smooth, at the size that motion is measured at.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    hole: Bool
    near: Bool
    grey: NDArray[np.uint8]

    @property
    def scale(self) -> int:
        """Pixels of the frame for one of ``grey``, along a side."""
        return 1 if self.grey.shape == self.hole.shape else 2

    @property
    def top(self) -> int:
        """The greatest sample value."""
        return int(np.iinfo(self.pixels.dtype).max)


@dataclass(frozen=True, slots=True)
class Motion:
    """How one frame moves into another.

    Attributes:
        scene: (h, w, 2) float32 (x, y), of what moves as the scene does, in pixels of the frame, at the size
            that it was measured at; in holes, and behind what moves on its own, the continuation of that.
        scene_error: (h, w) float32, how far there-and-back misses, in pixels of the frame.
        flow, error: the same of what moves on its own.
        own: (h, w) bool, where something does.
        gain, offset: (3,) float32: colours there = gain · colours here + offset, in [0, 1].
        cut: the two frames show different scenes.
    """

    flow: Float
    error: Float
    scene: Float
    scene_error: Float
    own: Bool
    gain: Float
    offset: Float
    cut: bool


def look(pixels: NDArray[np.uint8] | NDArray[np.uint16], hole: Bool) -> Frame:
    """A frame made ready for its motion to be measured.

    Args:
        pixels: (H, W, 3) RGB uint8 or uint16.
        hole: (H, W) bool, True = repair.
    """
    wide = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    grey = np.asarray(cv2.cvtColor(wide, cv2.COLOR_RGB2GRAY), np.uint8)
    near = hole
    if hole.any():
        near = cv2.dilate(hole.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
        near = np.asarray(near)
    if hole.size > LARGE_PX:
        size = ((hole.shape[1] + 1) // 2, (hole.shape[0] + 1) // 2)
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        inside = cv2.resize(near.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(np.bool_)
    else:
        inside = near
    if hole.any():
        smooth = push_pull(grey.astype(np.float32), ~inside)
        grey = np.clip(np.rint(smooth), 0, 255).astype(np.uint8)
    return Frame(pixels, hole, near, grey)


def sample(field: NDArray[Any], xy: Float, flag: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """A field at scattered places; outside, what is nearest at the border.

    Args:
        field: (h, w) or (h, w, c).
        xy: (n, 2) float32 positions.
        flag: of OpenCV, how it is interpolated.

    Returns:
        (n,) or (n, c), of the field's type.
    """
    n = len(xy)
    if not n:
        return np.zeros((0, *field.shape[2:]), field.dtype)
    rows = -(-n // COLUMNS)
    places = np.zeros((rows * COLUMNS if rows > 1 else n, 2), np.float32)
    places[:n] = xy
    x, y = (np.ascontiguousarray(places[:, c]).reshape(rows, -1) for c in (0, 1))
    taken = np.asarray(cv2.remap(field, x, y, flag, borderMode=cv2.BORDER_REPLICATE))
    return taken.reshape(len(places), *field.shape[2:])[:n]


def _dis() -> cv2.DISOpticalFlow:
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    # Half a pixel of error costs decibels: the finest scale counts for more than its refinement.
    dis.setFinestScale(0)
    return dis


def motion_between(here: Frame, there: Frame) -> tuple[Motion, Motion]:
    """The motion from one frame to the next, and back.

    Args:
        here, there: neighbours, of one size.

    Returns:
        ``here`` → ``there`` and ``there`` → ``here``; inside the holes the motion of what is around.

    Cost: two flows of OpenCV's DIS and some 30 passes over the frame; two more where something that moves on
    its own is near a hole.
    """
    ahead, back, found, found_back = _measured(here.grey, there.grey)
    known, known_back = _apart(here), _apart(there)
    gain, offset, alike = _exposure(here, there, ahead, found & known)
    cut = alike < CUT_SHARE * np.count_nonzero(known) or not alike
    if cut:
        gain, offset = np.ones(3, np.float32), np.zeros(3, np.float32)
    one, other = apart(ahead, known, found, here.grey), apart(back, known_back, found_back, there.grey)
    if _reach_holes(here, one) and _reach_holes(there, other):
        one, other = _measured_again(here, there, one, other)
    scale = np.float32(here.scale)
    forward = Motion(*_checked(one, other, scale), gain, offset, bool(cut))
    backward = Motion(*_checked(other, one, scale), *_inverse(gain, offset), bool(cut))
    return forward, backward


def _measured(here: NDArray[np.uint8], there: NDArray[np.uint8]) -> tuple[Float, Float, Bool, Bool]:
    """The flow there and back, and where each finds its way home."""
    dis, blank = _dis(), np.zeros((*here.shape, 2), np.float32)
    ahead = np.asarray(dis.calc(here, there, blank), np.float32)
    back = np.asarray(dis.calc(there, here, blank.copy()), np.float32)
    return ahead, back, _there_and_back(ahead, back)[1], _there_and_back(back, ahead)[1]


def _reach_holes(frame: Frame, layers: Layers) -> bool:
    """Whether something that moves on its own is beside a hole."""
    return bool((layers.own & ~_apart(frame)).any())


def _measured_again(here: Frame, there: Frame, one: Layers, other: Layers) -> tuple[Layers, Layers]:
    """What moves on its own, measured once more, nearer to the holes.

    Smooth holes hold the flow beside them back. So each shows what the other frame has there, moved as what
    moves on its own was first thought to: then they go along with it.
    """
    x, y = _places(*here.grey.shape)
    in_here, in_there = _near(here), _near(there)

    def led(grey: NDArray[np.uint8], flow: Float) -> NDArray[np.uint8]:
        moved = cv2.remap(
            grey, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(moved, np.uint8)

    seen = (in_here > 0) & (led(in_there, one.flow) == 0)
    a = np.where(seen, led(there.grey, one.flow), here.grey)
    b = np.where(in_there > 0, led(here.grey, other.flow), there.grey)
    ahead, back, found, found_back = _measured(a, b)
    known, known_back = (cv2.dilate(near, _disc(LED_PX)) == 0 for near in (in_here, in_there))
    return refined(one, ahead, known, found, a), refined(other, back, known_back, found_back, b)


def _near(frame: Frame) -> NDArray[np.uint8]:
    """1 where a hole is or reaches a sample, at the size that motion is measured at."""
    near = frame.near.view(np.uint8)
    if frame.scale > 1:
        near = np.asarray(cv2.resize(near, frame.grey.shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    return near


def _checked(one: Layers, other: Layers, scale: np.float32) -> tuple[Float, Float, Float, Float, Bool]:
    """Both layers of a flow and how far each misses there and back, in pixels of the frame; what is which."""
    behind, missed = one.scene * scale, _there_and_back(one.scene, other.scene)[0] * scale
    if one.flow is one.scene:
        return behind, missed, behind, missed, one.own
    return one.flow * scale, _there_and_back(one.flow, other.flow)[0] * scale, behind, missed, one.own


def _inverse(gain: Float, offset: Float) -> tuple[Float, Float]:
    return (1 / gain).astype(np.float32), (-offset / gain).astype(np.float32)


def _apart(frame: Frame) -> Bool:
    """Where motion was measured and not made up: apart from holes."""
    if not frame.hole.any():
        return np.ones(frame.grey.shape, np.bool_)
    near = _near(frame)
    wide = cv2.morphologyEx(near, cv2.MORPH_OPEN, _disc(WIDE_PX))
    reached = cv2.bitwise_or(cv2.dilate(near, _disc(AROUND_PX)), cv2.dilate(wide, _disc(FAR_PX)))
    return ~np.asarray(reached, np.uint8).view(np.bool_)


def _disc(radius_px: int) -> NDArray[np.uint8]:
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


@lru_cache(maxsize=1)
def _places(height: int, width: int) -> tuple[Float, Float]:
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x, y


def _there_and_back(ahead: Float, back: Float) -> tuple[Float, Bool]:
    """How far the way there and back misses, and where it is little."""
    height, width = ahead.shape[:2]
    x, y = _places(height, width)
    to_x, to_y = x + ahead[..., 0], y + ahead[..., 1]
    home = cv2.remap(back, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    miss = cv2.magnitude(ahead[..., 0] + home[..., 0], ahead[..., 1] + home[..., 1])
    way = cv2.magnitude(ahead[..., 0], ahead[..., 1])
    inside = (to_x >= 0) & (to_y >= 0) & (to_x <= width - 1) & (to_y <= height - 1)
    error = np.minimum(miss, np.float32(RAW_LIMIT_PX))
    return error, np.asarray((miss < LEAST_ERROR_PX + SHARE * way) & inside, np.bool_)


def _exposure(here: Frame, there: Frame, ahead: Float, found: Bool) -> tuple[Float, Float, int]:
    """Gain and offset that take the colours of one frame to those of the next; how many pixels agree.

    A straight line through the pairs of pixels that the flow finds again, drawn twice: the second time
    without what the first leaves far off.
    """
    ys, xs = np.nonzero(found[2::4, 2::4])
    gain, offset = np.ones(3, np.float32), np.zeros(3, np.float32)
    if len(ys) < 64:
        return gain, offset, 0
    ys, xs = ys * 4 + 2, xs * 4 + 2
    to = np.stack([xs, ys], axis=1).astype(np.float32) + ahead[ys, xs]
    scale, top = here.scale, np.float32(here.top)
    a = here.pixels[
        np.minimum(ys * scale, here.hole.shape[0] - 1), np.minimum(xs * scale, here.hole.shape[1] - 1)
    ]
    a = a.astype(np.float32) / top
    b = sample(there.pixels, to * np.float32(scale)).astype(np.float32) / top
    clear = ~there.near[
        np.clip(np.rint(to[:, 1] * scale), 0, there.hole.shape[0] - 1).astype(int),
        np.clip(np.rint(to[:, 0] * scale), 0, there.hole.shape[1] - 1).astype(int),
    ]
    # What is burnt out or black has lost its exposure.
    fine = clear & (a > 0.02).all(axis=1) & (a < 0.98).all(axis=1)
    for _ in range(2):
        if np.count_nonzero(fine) < 64:
            return gain, offset, 0
        mean_a, mean_b = a[fine].mean(axis=0), b[fine].mean(axis=0)
        da, db = a[fine] - mean_a, b[fine] - mean_b
        spread = (da * da).mean(axis=0) + np.float32(1e-3)
        # Noise in a flattens the line: the small term draws the gain towards 1.
        gain = ((da * db).mean(axis=0) + np.float32(1e-3)) / spread
        gain = np.clip(gain, 0.5, 2.0).astype(np.float32)
        offset = (mean_b - gain * mean_a).astype(np.float32)
        left = np.abs(a * gain + offset - b).max(axis=1)
        near = left < ALIKE_LEVELS / 255
        fine = clear & near & (a > 0.02).all(axis=1) & (a < 0.98).all(axis=1)
    return gain, offset, int(np.count_nonzero(near & clear)) * 16
