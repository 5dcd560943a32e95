"""Soft strokes of varying width: paths that wander, and stamping them into an opacity map."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.noise import smooth_line
from remend.picture import Float

__all__ = ["STEP_PX", "stamp", "sweep", "taper", "wander"]

STEP_PX = 0.6
"""Distance between the samples of a path: below the width of the thinnest stroke, so none is dotted."""

_CHUNK = 1 << 20


def wander(
    start_xy: tuple[float, float],
    angle: float,
    length_px: float,
    rng: np.random.Generator,
    *,
    bend: float = 0.3,
    jitter: float = 0.0,
    kinks: float = 0.0,
) -> Float:
    """A path that wanders: (n, 2) float32 positions (x, y), ``STEP_PX`` apart.

    Args:
        start_xy: where it begins, in pixels.
        angle: the direction it begins with, in radians.
        length_px: its length along the path.
        rng: the source of randomness.
        bend: how far it turns over its whole length, radians (one deviation).
        jitter: unsteadiness every few pixels, radians (one deviation).
        kinks: sharp turns to expect every 100 px.
    """
    n = max(2, int(length_px / STEP_PX))
    turn = bend * smooth_line(n, n / 2, rng) + jitter * smooth_line(n, 6 / STEP_PX, rng)
    heading = angle + turn - turn[0]
    if kinks > 0:
        sharp = rng.random(n) < kinks * STEP_PX / 100
        heading = heading + np.cumsum(np.where(sharp, rng.normal(0, 0.7, n), 0.0))
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * STEP_PX
    return np.asarray(np.asarray(start_xy) + np.cumsum(steps, axis=0), np.float32)


def taper(n: int, begin: float, end: float) -> Float:
    """Fading ends: (n,) float32 that rises from 0 over the first ``begin`` share and falls over the last."""
    t = (np.arange(n, dtype=np.float32) + 0.5) / n
    rise = np.clip(t / max(begin, 1e-3), 0, 1)
    fall = np.clip((1 - t) / max(end, 1e-3), 0, 1)
    return np.asarray(np.sqrt(rise * fall), np.float32)


def stamp(opacity: Float, path: Float, radius_px: Float, strength: Float, *, edge_px: float = 0.5) -> None:
    """Lay a stroke into ``opacity``, in place; where strokes cross, the stronger one stays.

    Sub-pixel and of any width: each sample of the path is a disc whose rim falls off linearly over
    ``2 * edge_px``. Discs thinner than a pixel grow fainter instead of vanishing.

    Args:
        opacity: (H, W) float32 in [0, 1].
        path: (n, 2) float32 positions (x, y); may leave the frame.
        radius_px: (n,) float32, half the width.
        strength: (n,) float32 in [0, 1], opacity along the path.
        edge_px: half the width of the soft rim.

    Cost: proportional to the area of the stroke, not to the frame.
    """
    height, width = opacity.shape
    reach = int(np.ceil(float(radius_px.max(initial=0.0)) + edge_px)) + 1
    inside = (
        (path[:, 0] > -reach)
        & (path[:, 0] < width + reach)
        & (path[:, 1] > -reach)
        & (path[:, 1] < height + reach)
        & (strength > 0)
    )
    path, radius_px, strength = path[inside], radius_px[inside], strength[inside]
    offsets = np.arange(-reach, reach + 1)
    dy, dx = (grid.ravel() for grid in np.meshgrid(offsets, offsets, indexing="ij"))
    flat = opacity.reshape(-1)
    chunk = max(1, _CHUNK // dx.size)
    for first in range(0, len(path), chunk):
        part = slice(first, first + chunk)
        centre = np.rint(path[part]).astype(np.intp)
        x, y = centre[:, :1] + dx, centre[:, 1:] + dy
        distance = np.hypot(x - path[part, :1], y - path[part, 1:])
        r = radius_px[part, None]
        cover = np.clip((r + edge_px - distance) / (2 * edge_px), 0, 1) * np.minimum(1, r / 0.5)
        value = (cover * strength[part, None]).astype(np.float32)
        keep = (value > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        np.maximum.at(flat, y[keep] * width + x[keep], value[keep])


def sweep(
    opacity: Float,
    centre: Float,
    radius_px: Float,
    strength: Float,
    *,
    edge_px: float = 0.5,
    slope: float = 0.0,
) -> None:
    """Lay a nearly straight line into ``opacity``, in place, from the first row to the last.

    For lines across the columns pass the transposed map. Much cheaper than ``stamp``: a row is met once.

    Args:
        opacity: (H, W) float32 in [0, 1].
        centre: (H,) float32, the column that the middle of the line has in each row; may leave the frame.
        radius_px: (H,) float32, half the width.
        strength: (H,) float32 in [0, 1], opacity along the line; 0 leaves a row out.
        edge_px: half the width of the soft rim.
        slope: columns that the line moves in a row, so that a slanted one is not drawn too thin.
    """
    width = opacity.shape[1]
    lean = np.float32(np.hypot(1.0, slope))
    reach = int(np.ceil((float(radius_px.max(initial=0.0)) + edge_px) * lean)) + 1
    drawn = np.flatnonzero((strength > 0) & (centre > -reach) & (centre < width + reach))
    columns = np.rint(centre[drawn]).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    distance = np.abs(columns - centre[drawn, None]) / lean
    r = radius_px[drawn, None]
    cover = np.clip((r + edge_px - distance) / (2 * edge_px), 0, 1) * np.minimum(1, r / 0.5)
    value = (cover * strength[drawn, None]).astype(np.float32)
    keep = (value > 0) & (columns >= 0) & (columns < width)
    rows, columns, value = np.broadcast_to(drawn[:, None], value.shape)[keep], columns[keep], value[keep]
    opacity[rows, columns] = np.maximum(opacity[rows, columns], value)
