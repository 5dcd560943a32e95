"""The flow taken apart: what moves as the scene does under its camera, and what moves on its own before it.

A hole is filled from the one or the other; their mean would be the motion of neither. Of a wall behind a
player only places where the wall itself is seen say anything.

Reference: J. Wang, E. Adelson, Representing moving images with layers, IEEE Transactions on Image Processing
1994.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.fill.push_pull import push_pull
from remend.picture import Bool, Float

__all__ = ["Layers", "apart", "refined"]

TEXTURE = 1e-4, 6.0  # least eigenvalue of the gradients: what is flatter moves as it likes
OWN_PX, OWN_SPREAD = 1.0, 4.0  # off the camera's motion, in pixels and in deviations of the scene
BESIDE_PX = 9  # that motion is not measured in beside a hole
EDGE_PX = 2  # patches of the flow carry a motion so far over its border
STRIDE = 6  # of the pixels that the camera's motion is fitted to
MOST_OWN = 0.5  # of what is known: a scene that moves in so many ways has no motion of its own to go by


@dataclass(frozen=True, slots=True)
class Layers:
    """A flow as two, each defined everywhere.

    Attributes:
        flow: (h, w, 2) float32, of what moves on its own, where that was measured, and continued from there.
        scene: (h, w, 2) float32, of the scene: behind what moves on its own, and in holes, continued.
        own: (h, w) bool, what moves on its own.
    """

    flow: Float
    scene: Float
    own: Bool


def apart(flow: Float, known: Bool, found: Bool, grey: NDArray[np.uint8]) -> Layers:
    """Take a flow apart and continue each part.

    Args:
        flow: (h, w, 2) float32.
        known: (h, w) bool, where it was measured and not made up.
        found: (h, w) bool, where the way there and back ends near its beginning.
        grey: (h, w) uint8, the frame.

    Cost: some 20 passes over the frame; two more pyramids where something moves on its own.
    """
    sure = known & found
    textured = sure & _textured(grey)
    if np.count_nonzero(textured) >= 0.02 * sure.size:
        sure = textured
    if not sure.any():
        still = np.where(known[..., None], flow, np.float32(0))
        return Layers(still, still, np.zeros(known.shape, np.bool_))
    whole = _whole(flow, sure)
    off = flow - whole
    far = cv2.magnitude(off[..., 0], off[..., 1])
    limit = np.float32(max(OWN_PX, OWN_SPREAD * 1.48 * float(np.median(far[sure]))))
    own = known & (far > limit)
    if np.count_nonzero(own) > MOST_OWN * np.count_nonzero(known):
        own[:] = False
    if own.any():
        solid = cv2.morphologyEx(own.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        grown = cv2.dilate(solid, np.ones((2 * EDGE_PX + 1,) * 2, np.uint8))
        own = np.asarray(grown, np.uint8).view(np.bool_) & known
    behind = sure & ~own
    if not behind.any():
        behind, own = sure, np.zeros(known.shape, np.bool_)
    scene = np.where((known & ~own)[..., None], flow, whole + push_pull(off, behind))
    if not own.any():
        scene = np.asarray(scene, np.float32)
        return Layers(scene, scene, own)
    inside = sure & own
    near = whole + push_pull(off, inside if inside.any() else own)
    near = np.where(own[..., None], flow, near)
    if not known.all():
        # Beside a hole nothing was measured: there it is what it is next to.
        reached = cv2.dilate(own.view(np.uint8), np.ones((2 * BESIDE_PX + 1,) * 2, np.uint8))
        own |= np.asarray(reached, np.uint8).view(np.bool_) & ~known
    return Layers(np.asarray(near, np.float32), np.asarray(scene, np.float32), np.asarray(own, np.bool_))


def refined(layers: Layers, flow: Float, known: Bool, found: Bool, grey: NDArray[np.uint8]) -> Layers:
    """The same parts, with what moves on its own by a later measurement.

    Args:
        layers: as they were taken apart.
        flow, known, found, grey: of the later measurement, as for ``apart``.

    Cost: some 10 passes over the frame and a pyramid.
    """
    off = flow - layers.scene
    inside = known & found & layers.own & _textured(grey) & (cv2.magnitude(off[..., 0], off[..., 1]) > OWN_PX)
    if not inside.any():
        return layers
    near = np.where((layers.own & known)[..., None], flow, layers.scene + push_pull(off, inside))
    return Layers(np.asarray(near, np.float32), layers.scene, layers.own)


def _textured(grey: NDArray[np.uint8]) -> Bool:
    """Where a frame shows enough for its motion to be known."""
    corners = np.asarray(cv2.cornerMinEigenVal(grey, 7, ksize=3), np.float32)
    some = corners[::2, ::2].ravel()
    noise = np.partition(some, some.size // 20)[some.size // 20]
    return np.asarray(corners > max(TEXTURE[0], TEXTURE[1] * noise), np.bool_)


def _whole(flow: Float, sure: Bool) -> Float:
    """(h, w, 2) the quadratic motion that most of the picture follows, by reweighted least squares."""
    height, width = sure.shape
    ys, xs = np.nonzero(sure[1::STRIDE, 1::STRIDE])
    if len(ys) < 32:
        return np.zeros_like(flow) + np.median(flow[sure], axis=0).astype(np.float32)
    ys, xs = ys * STRIDE + 1, xs * STRIDE + 1
    unit = np.float32(1 / max(height, width))
    x, y = xs * unit, ys * unit
    # What a plane does under a camera that turns and moves.
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1).astype(np.float64)
    wanted = flow[ys, xs].astype(np.float64)
    rest = 4.0
    model = np.zeros((terms.shape[1], 2))
    model[0] = np.median(wanted, axis=0)
    for _ in range(8):
        miss = np.square(wanted - terms @ model).sum(axis=1)
        weighted = terms / np.square(1 + miss / rest**2)[:, None]
        rest = max(0.3, rest * 0.6)
        model = np.linalg.solve(weighted.T @ terms + 1e-3 * np.eye(len(model)), weighted.T @ wanted)
    across, down = np.arange(width) * unit, np.arange(height)[:, None] * unit
    sides = []
    for c in model.T.astype(np.float32):
        sides.append(c[0] + across * (c[1] + c[3] * across) + down * (c[2] + c[5] * down + c[4] * across))
    return np.stack(sides, axis=2).astype(np.float32, copy=False)
