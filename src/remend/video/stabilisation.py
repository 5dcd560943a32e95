"""Frames that jump, by a worn gate or a hand, made steady: each is laid where the camera's smooth way has it.

The motion of the camera is added up over the frames around one. Through where their middles lie, how they are
turned and how large they show the scene, a parabola is drawn, weighed by a bell: what pans or zooms goes on
doing so, what jumps to and fro does not. A frame is resampled once. What it does not show any more at its
border becomes a hole, to be filled from the frames around it like any other; nothing is cut off.

References: the way smoothed by local regression, W. Cleveland, Robust locally weighted regression and
smoothing scatterplots, JASA 1979; borders from other frames: Y. Matsushita et al., Full-frame video
stabilization with motion inpainting, TPAMI 2006.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool
from remend.video.camera import View, camera_between, view_of

__all__ = ["FRAME_AROUND", "stabilised"]

FRAME_AROUND = 20  # frames to each side that the way is drawn through
BELL = 8.0  # frames, its deviation
FEWEST = 4  # frames of a scene; of fewer no way can be told
LEAST_PX = 0.03  # of a corner: less is not worth a resampling
MOST = 0.08  # of the shorter side; a frame is moved no further

Motion = NDArray[np.float64] | None
"""(2, 3) from one frame to the next; None at a cut."""


def stabilised(frames: Iterable[tuple[NDArray[Any], Bool]]) -> Iterator[tuple[NDArray[Any], Bool]]:
    """Frames along a smooth way; their holes move with them, their empty borders are holes too.

    Args:
        frames: pixels (H, W, 3) RGB uint8 or uint16, and holes, which are not measured in.

    Yields:
        New frames, `FRAME_AROUND` behind what is read; a frame's answer depends on those around it alone.

    Cost: some 10 ms a frame at 432×240; `FRAME_AROUND` frames in memory.
    """
    held: deque[tuple[NDArray[Any], Bool]] = deque()
    motions: deque[Motion] = deque()  # from each frame to the next, some past
    before: View | None = None
    here = 0
    for pixels, hole in frames:
        view = view_of(pixels, hole)
        if before is not None:
            motions.append(camera_between(before, view))
        before = view
        held.append((pixels, hole))
        if len(held) > FRAME_AROUND:
            yield _laid(*held.popleft(), motions, here)
            here += 1
            if here > FRAME_AROUND:
                motions.popleft()
                here -= 1
    while held:
        yield _laid(*held.popleft(), motions, here)
        here += 1


def _laid(pixels: NDArray[Any], hole: Bool, motions: deque[Motion], here: int) -> tuple[NDArray[Any], Bool]:
    """One frame, the first motion after which is ``here``, where the smooth way has it."""
    height, width = hole.shape
    view = _view(motions, here, (height, width))
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    if np.abs(corners @ view.T - corners[:, :2]).max() < LEAST_PX:
        return pixels, hole
    size = (width, height)
    how = cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(pixels, view, size, flags=how | cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    # A sample that lies beside a hole, or beside the border, is half made of it.
    sure = cv2.erode((~hole).view(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) * np.uint8(255)
    known = cv2.warpAffine(sure, view, size, flags=how | cv2.INTER_LINEAR, borderValue=0)
    return np.asarray(laid), np.asarray(np.asarray(known) < 255, np.bool_)


def _view(motions: deque[Motion], here: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """(2, 3) from pixels of the steady frame to those of the one that there is."""
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    ahead, back = _ways(motions, here, 1, middle), _ways(motions, here, -1, middle)
    steps = np.concatenate([-np.arange(len(back), 0, -1), np.arange(len(ahead) + 1)]).astype(np.float64)
    still = np.eye(2, 3)
    if len(steps) < FEWEST:
        return still
    ways = np.array([*back[::-1], np.zeros(4), *ahead])
    weights = np.exp(-0.5 * np.square(steps / BELL))[:, None] ** 0.5
    powers = np.stack([np.ones_like(steps), steps, np.square(steps)], axis=1)
    x, y, turn, growth = np.linalg.lstsq(powers * weights, ways * weights, rcond=None)[0][0]
    most = MOST * min(size)
    far = float(np.hypot(x, y))
    if far > most:
        x, y = x * most / far, y * most / far
    scale = np.exp(growth)
    turned = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.concatenate([turned, (middle + np.array([x, y]) - turned @ middle)[:, None]], axis=1)


def _ways(
    motions: deque[Motion], here: int, way: int, middle: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """(4,) each, of the frames on one side up to a cut, nearest first, as a frame sees them.

    How far the middle of another is off (x, y), how it is turned, by which power of e it is larger.
    """
    found, there = [], np.eye(3)
    for step in range(FRAME_AROUND):
        place = here + step if way > 0 else here - 1 - step
        motion = motions[place] if 0 <= place < len(motions) else None
        if motion is None:
            break
        on = np.vstack([motion, [0, 0, 1]])
        # From the other frame to this one.
        there = there @ np.linalg.inv(on) if way > 0 else there @ on
        at = there[:2, :2] @ middle + there[:2, 2] - middle
        turn, growth = np.arctan2(there[1, 0], there[0, 0]), np.log(np.hypot(there[0, 0], there[1, 0]))
        found.append(np.array([*at, turn, growth]))
    return found
