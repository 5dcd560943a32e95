"""Metal's streaks in a slice of computed tomography: its rays drawn anew from those beside them.

Rays through metal hardly arrive, and what was computed of them lies across the slice as dark and bright
bands. The slice is projected once more, the part that went through metal is interpolated within each view,
and what that changes is projected back. So nothing but those rays is touched, and no resolution lost.

Reference: Kalender, Hebel, Ebersberger, "Reduction of CT artifacts caused by metallic implants", Radiology
1987.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool

__all__ = ["METAL_HU", "metal_in", "project", "reconstruct", "without_streaks"]

Plane = NDArray[np.float32]
METAL_HU = 2500.0
LEAST_PX = 4  # smaller bits of metal are noise
EDGE_HU, EDGE_PX = 700.0, 2  # what it fades through at its edge, and how far
RIM_PX = 1.0  # rays beside metal have some of it
VIEWS_A_PX = 1.2
ANGLES = (360, 1080)


def metal_in(hounsfield: NDArray[np.floating]) -> Bool:
    """(H, W) bool: what is metal, in bits of four pixels and more, with the edge that it fades through."""
    marked = (hounsfield > METAL_HU).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(marked)
    large = np.zeros(count, bool)
    large[1:] = stats[1:, cv2.CC_STAT_AREA] >= LEAST_PX
    near = cv2.dilate(large[labels].view(np.uint8), np.ones((2 * EDGE_PX + 1,) * 2, np.uint8))
    return np.asarray((near > 0) & (hounsfield > EDGE_HU))


def without_streaks(hounsfield: NDArray[np.floating], metal: Bool, *, strength: float = 1.0) -> Plane:
    """A slice with less of metal's streaks; the metal itself stays as it is.

    Args:
        hounsfield: (H, W) values in Hounsfield units.
        metal: (H, W) bool.
        strength: share of the change that is made.

    Returns:
        (H, W) float32.

    Cost: 2 s of a core for 512² pixels.
    """
    height, width = hounsfield.shape
    side = max(height, width)
    square = np.zeros((side, side), np.float32)  # as attenuation: water 1, air 0
    square[:height, :width] = np.maximum(hounsfield, -1000) / 1000 + 1
    marked = np.zeros((side, side), np.float32)
    marked[:height, :width] = metal
    views = int(np.clip(VIEWS_A_PX * side, *ANGLES))
    rays = project(square, views)
    trace = project(marked, views) > 0.05
    spread = np.ones((1, 2 * round(RIM_PX) + 1), np.uint8)
    trace = cv2.dilate(trace.astype(np.uint8), spread).astype(bool)
    change = reconstruct(_interpolated(rays, trace) - rays)
    done = hounsfield + strength * 1000 * change[:height, :width]
    return np.where(metal, hounsfield, done).astype(np.float32)


def project(plane: Plane, views: int) -> Plane:
    """(views, side): sums along parallel rays over half a turn.

    Args:
        plane: (side, side); what lies outside the largest circle in it counts as far as rays reach it.
        views: how many directions.
    """
    side = plane.shape[0]
    middle = (side - 1) / 2
    found = np.empty((views, side), np.float32)
    for number in range(views):
        turn = cv2.getRotationMatrix2D((middle, middle), 180.0 * number / views, 1.0)
        found[number] = cv2.warpAffine(plane, turn, (side, side), flags=cv2.INTER_LINEAR).sum(axis=0)
    return found


def reconstruct(rays: Plane) -> Plane:
    """(side, side) from its projections: filtered by a ramp, and projected back."""
    views, side = rays.shape
    length = 1 << (2 * side - 1).bit_length()
    # The ramp's own impulse response, sampled: cut off in frequencies it would darken the middle.
    at = np.concatenate([np.arange(length // 2), np.arange(-length // 2, 0)])
    ramp = np.zeros(length)
    ramp[0] = 0.25
    odd = at % 2 != 0
    ramp[odd] = -1 / (np.pi * at[odd]) ** 2
    filtered = np.fft.irfft(np.fft.rfft(rays, length) * np.fft.rfft(ramp), length)[:, :side]
    filtered = np.ascontiguousarray(filtered, np.float32)
    middle = (side - 1) / 2
    y, x = np.mgrid[:side, :side].astype(np.float32) - np.float32(middle)
    total = np.zeros((side, side), np.float32)
    for number in range(views):
        angle = np.pi * number / views
        along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + np.float32(middle)
        view = filtered[number : number + 1]
        total += cv2.remap(view, along, np.zeros_like(along), cv2.INTER_LINEAR)
    return np.asarray(total * np.float32(np.pi / views), np.float32)


def _interpolated(rays: Plane, trace: Bool) -> Plane:
    """Each view with a straight line where its rays went through metal."""
    found, places = rays.copy(), np.arange(rays.shape[1])
    for view, hidden in zip(found, trace, strict=True):
        if hidden.any() and not hidden.all():
            view[hidden] = np.interp(places[hidden], places[~hidden], view[~hidden])
    return found
