"""Windows at a smaller scale, and fills brought back to full size without a blurred upscale."""

from __future__ import annotations

import cv2
import numpy as np

from remend.picture import Bool, Box, Filled, Float
from remend.windows.window import Window

__all__ = ["coarse_to_fine", "enlarged", "fitting_scale", "resized", "shrunk"]

LEAST_SIDE_PX = 64  # from coarse to fine a window is never shrunk below this


def fitting_scale(box: Box, window_px: int | None) -> float:
    """The scale, ≤ 1, at which no side of a window is longer than ``window_px``; None = any length."""
    return 1.0 if window_px is None else min(1.0, window_px / max(box.height, box.width))


def coarse_to_fine(window: Window, reach_px: int | None) -> list[float]:
    """Scales to fill a window at, one after the other, each doubled, the last 1.

    Args:
        window: what is to be filled.
        reach_px: the hole's largest inscribed radius at the first of them; None = any, at once.
    """
    scales = [1.0]
    if reach_px is not None:
        depth = cv2.distanceTransform((~window.usable).view(np.uint8), cv2.DIST_L2, 5)
        radius = float(depth[window.hole].max())
        while radius * scales[0] > reach_px and min(window.hole.shape) * scales[0] / 2 >= LEAST_SIDE_PX:
            scales.insert(0, scales[0] / 2)
    return scales


def shrunk(window: Window, scale: float) -> Window:
    """A window at ``scale``, averaged over usable pixels only; at 1 itself.

    Any hole pixel makes a hole, and any pixel of a line a line: one of a pixel's width would be lost by an
    average or by taking the nearest.
    """
    if scale >= 1:
        return window
    height, width = window.hole.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))

    def touched(plane: Bool) -> Bool:
        return cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0

    weight = cv2.resize(window.usable.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = np.where(window.usable[..., None], window.pixels, 0).astype(np.float32)
    small = cv2.resize(known, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-6)[..., None]
    hole = touched(window.hole)
    usable = (weight > 0.25) & ~hole
    if not usable.any():
        # Known pixels so few that every cell has a hole: the fullest cells have to do.
        usable = weight >= weight.max()
        hole &= ~usable
    lines = None if window.lines is None else touched(window.lines)
    return Window(np.asarray(small, np.float32), hole, usable, lines)


def resized(pixels: Float, window: Window) -> Float:
    """(h, w, 3) pixels of another scale at the window's size, interpolated: a coarse fill as a prior."""
    height, width = window.hole.shape
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def enlarged(small: Filled, window: Window) -> Filled:
    """A small fill at the window's full size.

    Where the filler copied, the same places are copied at full resolution, so detail comes back
    from the intact picture, and the low frequencies are the small fill's. Elsewhere it is interpolated.
    """
    (height, width), usable = window.hole.shape, window.usable
    if small.pixels.shape[:2] == (height, width):
        return small
    smooth = np.asarray(cv2.resize(small.pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    if small.source_xy is None:
        return Filled(smooth)
    ratio_y, ratio_x = height / small.pixels.shape[0], width / small.pixels.shape[1]
    y, x = np.nonzero(window.hole)
    near_y = np.minimum((y / ratio_y).astype(np.intp), small.pixels.shape[0] - 1)
    near_x = np.minimum((x / ratio_x).astype(np.intp), small.pixels.shape[1] - 1)
    from_xy = small.source_xy[near_y, near_x]
    source_x = np.clip(np.rint(x + (from_xy[:, 0] - near_x) * ratio_x).astype(np.intp), 0, width - 1)
    source_y = np.clip(np.rint(y + (from_xy[:, 1] - near_y) * ratio_y).astype(np.intp), 0, height - 1)
    good = (from_xy[:, 0] >= 0) & usable[source_y, source_x]
    pixels = smooth.copy()
    sigma = float(max(ratio_x, ratio_y))
    weight = cv2.GaussianBlur(usable.astype(np.float32), (0, 0), sigma)
    known = np.where(usable[..., None], window.pixels, 0).astype(np.float32)
    low = cv2.GaussianBlur(known, (0, 0), sigma) / np.maximum(weight, 1e-6)[..., None]
    detail = window.pixels[source_y, source_x] - low[source_y, source_x]
    pixels[y[good], x[good]] += detail[good]
    source_xy = np.full((height, width, 2), -1, np.int32)
    source_xy[y[good], x[good], 0] = source_x[good]
    source_xy[y[good], x[good], 1] = source_y[good]
    return Filled(pixels, source_xy)
