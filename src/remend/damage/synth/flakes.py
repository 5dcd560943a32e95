"""Emulsion that flaked off: angular chips of bare paper, along a crack, along an edge, or anywhere."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_plane
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["chips", "flake", "ragged_polygon"]

_SUB = 4  # binary digits of a pixel in which polygons are drawn


def chips(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    extent_px: tuple[float, float] = (3.0, 60.0),
) -> list[Layer]:
    """Flakes of emulsion lost: ragged polygons of bare paper with a thin shadowed rim.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 3–70.
        extent_px: least and largest width, drawn with many small ones, times ``scale_of(size)``.

    Returns:
        A dark layer of the rims, then the paper, ready for ``mask_of`` and ``compose``.

    Cost: about 0.15 ms a chip.
    """
    rng = as_generator(seed, "chips")
    scale = scale_of(size)
    if count is None:
        count = int(np.exp(rng.uniform(np.log(3), np.log(71))))
    rim, paper = new_opacity(size), new_opacity(size)
    light = float(rng.uniform(0, 2 * np.pi))
    low, high = np.log(extent_px)
    # Large flakes are rare: the logarithm of the width falls off towards the largest.
    extents = scale * np.exp(low + (high - low) * rng.beta(1.2, 2.2, count))
    for (x, y), extent in zip(_places(size, count, scale, rng), extents.tolist(), strict=True):
        flake(paper, rim, (x, y), extent, light, rng)
    # Bare paper is fibrous, and where the layer tore, some of it is left.
    left = np.float32(rng.uniform(0, 0.12)) * smooth_plane(size, 12 * scale, rng, octaves=2)
    paper *= np.clip(0.97 - left, 0.5, 1)
    return [Layer(rim, "dark"), Layer(paper, "paper", grain=float(rng.uniform(3, 9)))]


def _places(
    size: tuple[int, int], count: int, scale: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """(x, y) of ``count`` chips: strewn, in clusters, along a line, or along the sides."""
    height, width = size
    side = min(size)
    how = rng.choice(["strewn", "clusters", "line", "sides"], p=[0.25, 0.3, 0.25, 0.2])
    at = rng.uniform(0, 1, (count, 2)) * [width, height]
    if how == "clusters":
        middles = rng.uniform(0, 1, (int(rng.integers(1, 4)), 2)) * [width, height]
        at = middles[rng.integers(len(middles), size=count)] + rng.normal(0, 0.1 * side, (count, 2))
    elif how == "line":
        turn = float(rng.uniform(0, np.pi))
        along = rng.uniform(-0.45, 0.45, count) * side
        across = rng.normal(0, 3 * scale, count)
        c, s = np.cos(turn), np.sin(turn)
        at = rng.uniform(0.2, 0.8, 2) * [width, height] + np.stack(
            [along * c - across * s, along * s + across * c], axis=1
        )
    elif how == "sides":
        depth = np.abs(rng.normal(0, 0.03 * side, count))
        which = rng.choice(4, count, p=rng.dirichlet([0.7] * 4))
        at[which == 0, 1], at[which == 1, 1] = depth[which == 0], height - depth[which == 1]
        at[which == 2, 0], at[which == 3, 0] = depth[which == 2], width - depth[which == 3]
    return [(float(x), float(y)) for x, y in at]


def ragged_polygon(extent: float, rng: np.random.Generator, *, rough: float = 0.03) -> NDArray[np.float64]:
    """(n, 2) outline (x, y) round (0, 0), about ``extent`` px wide: straight breaks with rough edges."""
    n = int(rng.integers(4, 10))
    angles = np.sort(rng.uniform(0, 2 * np.pi, n)) + rng.uniform(0, 2 * np.pi)
    radii = 0.5 * extent * rng.uniform(0.45, 1.0, n)
    corners = np.stack([np.cos(angles), np.sin(angles) * rng.uniform(0.35, 1.0)], axis=1) * radii[:, None]
    turn = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(turn), np.sin(turn)
    path: NDArray[np.float64] = corners @ np.array([[c, s], [-s, c]])
    # Every edge is broken in the middle until it is about 2 px long, each time by less.
    step, jag = extent, rough * extent
    while step > 2 and len(path) < 1500:
        after = np.roll(path, -1, axis=0)
        middle = (path + after) / 2 + rng.normal(0, jag, path.shape)
        path = np.stack([path, middle], axis=1).reshape(-1, 2)
        step, jag = step / 2, jag * 0.6
    return path


def flake(
    paper: Float,
    rim: Float | None,
    at_xy: tuple[float, float],
    extent: float,
    light: float,
    rng: np.random.Generator,
) -> None:
    """Lay one chip into ``paper`` and the shadow of its edge into ``rim``, in place.

    Args:
        paper: (H, W) float32 in [0, 1].
        rim: the same for the shadow, or None.
        at_xy: its middle.
        extent: about its width in pixels.
        light: the direction that light comes from, radians: the layer's edge throws its shadow away from it.
        rng: to draw from.
    """
    path = ragged_polygon(extent, rng)
    strength = float(rng.uniform(0.8, 1.0))
    _fill(paper, path + at_xy, strength)
    if rim is None or rng.random() < 0.3:
        return
    thick = max(0.6, min(0.05 * extent, 2.0)) * float(rng.uniform(0.6, 1.4))
    offset = -thick * np.array([np.cos(light), np.sin(light)])
    _fill(rim, path * (1 + 2 * thick / extent) + at_xy + offset, float(rng.uniform(0.25, 0.7)))


def _fill(opacity: Float, path: NDArray[np.float64], strength: float) -> None:
    height, width = opacity.shape
    left, top = (int(v) for v in np.maximum(np.floor(path.min(axis=0)) - 1, 0))
    right, bottom = (int(v) for v in np.minimum(np.ceil(path.max(axis=0)) + 2, [width, height]))
    if right <= left or bottom <= top:
        return
    cover = np.zeros((bottom - top, right - left), np.uint8)
    outline = np.rint((path - [left, top]) * (1 << _SUB)).astype(np.int32)
    cv2.fillPoly(cover, [outline], 255, cv2.LINE_AA, _SUB)
    part = opacity[top:bottom, left:right]
    np.maximum(part, cover.astype(np.float32) * np.float32(strength / 255), out=part)
