"""Windows at a smaller scale, and fills brought back to full size without a blurred upscale."""

from __future__ import annotations

import cv2
import numpy as np

from remend.picture import Bool, Filled, Float

__all__ = ["enlarge", "shrink", "shrink_lines"]


def shrink(window: Float, hole: Bool, usable: Bool, scale: float) -> tuple[Float, Bool, Bool]:
    """A window at ``scale`` < 1, averaged over usable pixels only.

    Returns:
        The window, its hole (any hole pixel makes a hole) and its usable pixels.
    """
    size = _size_at(hole, scale)
    weight = cv2.resize(usable.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = np.where(usable[..., None], window, 0).astype(np.float32)
    small = cv2.resize(known, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-6)[..., None]
    small_hole = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    small_usable = (weight > 0.25) & ~small_hole
    if not small_usable.any():
        # Known pixels so few that every cell has a hole: the fullest cells have to do.
        small_usable = weight >= weight.max()
        small_hole &= ~small_usable
    return np.asarray(small, np.float32), small_hole, small_usable


def shrink_lines(lines: Bool, scale: float) -> Bool:
    """Lines at ``scale`` < 1, of the size that ``shrink`` makes: what any line touches is a line.

    A line of one pixel is as good as any, and would be lost by an average or by taking the nearest.
    """
    return cv2.resize(lines.astype(np.float32), _size_at(lines, scale), interpolation=cv2.INTER_AREA) > 0


def _size_at(window: Bool, scale: float) -> tuple[int, int]:
    """(width, height) of a window at that scale, as OpenCV wants it."""
    height, width = window.shape
    return max(1, round(width * scale)), max(1, round(height * scale))


def enlarge(small: Filled, window: Float, hole: Bool, usable: Bool) -> Filled:
    """A small fill at the window's full size.

    Where the filler copied, the same places are copied at full resolution, so detail comes back
    from the intact picture, and the low frequencies are the small fill's. Elsewhere it is interpolated.
    """
    height, width = hole.shape
    smooth = np.asarray(cv2.resize(small.pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    if small.source_xy is None:
        return Filled(smooth)
    ratio_y, ratio_x = height / small.pixels.shape[0], width / small.pixels.shape[1]
    y, x = np.nonzero(hole)
    near_y = np.minimum((y / ratio_y).astype(np.intp), small.pixels.shape[0] - 1)
    near_x = np.minimum((x / ratio_x).astype(np.intp), small.pixels.shape[1] - 1)
    from_xy = small.source_xy[near_y, near_x]
    source_x = np.clip(np.rint(x + (from_xy[:, 0] - near_x) * ratio_x).astype(np.intp), 0, width - 1)
    source_y = np.clip(np.rint(y + (from_xy[:, 1] - near_y) * ratio_y).astype(np.intp), 0, height - 1)
    good = (from_xy[:, 0] >= 0) & usable[source_y, source_x]
    pixels = smooth.copy()
    sigma = float(max(ratio_x, ratio_y))
    weight = cv2.GaussianBlur(usable.astype(np.float32), (0, 0), sigma)
    known = np.where(usable[..., None], window, 0).astype(np.float32)
    low = cv2.GaussianBlur(known, (0, 0), sigma) / np.maximum(weight, 1e-6)[..., None]
    detail = window[source_y, source_x] - low[source_y, source_x]
    pixels[y[good], x[good]] += detail[good]
    source_xy = np.full((height, width, 2), -1, np.int32)
    source_xy[y[good], x[good], 0] = source_x[good]
    source_xy[y[good], x[good], 1] = source_y[good]
    return Filled(pixels, source_xy)
