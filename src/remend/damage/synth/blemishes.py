"""Blemishes that grow: foxing, mould, and the silver that comes to the surface."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line, smooth_plane
from remend.damage.synth.patches import veil, window, wobbly_radius
from remend.damage.synth.strokes import STEP_PX, stamp, taper, wander
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["foxing", "mould", "silvering"]


def foxing(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    extent_px: tuple[float, float] = (2.0, 25.0),
) -> list[Layer]:
    """Foxing: rusty spots with soft edges, in clusters, which darken the paper.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: spots; None draws 8–150.
        extent_px: least and largest width, drawn with many small ones, times ``scale_of(size)``.

    Returns:
        One translucent brown layer, ready for ``mask_of`` and ``compose``.

    Cost: about 0.1 ms a spot.
    """
    rng = as_generator(seed, "foxing")
    scale = scale_of(size)
    if count is None:
        count = int(np.exp(rng.uniform(np.log(8), np.log(151))))
    opacity = new_opacity(size)
    frame = np.array([size[1], size[0]])
    middles = rng.uniform(0, 1, (1 + int(rng.integers(1, 6)), 2)) * frame
    spread = rng.uniform(0.04, 0.2, len(middles)) * min(size)
    strewn = rng.uniform(0.1, 0.6)
    low, high = np.log(extent_px)
    strongest = float(rng.uniform(0.35, 0.95))
    for _ in range(count):
        member = int(rng.integers(len(middles)))
        at = rng.uniform(0, 1, 2) * frame
        if rng.random() > strewn:
            # In the frame: a spot that is asked for is a spot that is seen.
            at = np.clip(middles[member] + rng.normal(0, spread[member], 2), 0, frame - 1)
        extent = scale * float(np.exp(low + (high - low) * rng.beta(1.3, 2.2)))
        _spot(opacity, (float(at[0]), float(at[1])), extent, strongest * float(rng.uniform(0.4, 1.0)), rng)
    return [Layer(opacity, "brown", grain=0)]


def _spot(
    opacity: Float, at: tuple[float, float], extent: float, strength: float, rng: np.random.Generator
) -> None:
    radius = 0.5 * extent
    part, dx, dy = window(opacity, *at, 1.7 * radius + 2)
    if not part.size:
        return
    distance = wobbly_radius(dx, dy, 0.08, rng)
    soft = max(0.8, radius * float(rng.uniform(0.25, 0.9)))
    body = np.clip((radius - distance) / soft + 0.5, 0, 1)
    body = strength * body * body * (3 - 2 * body)
    if extent > 6 and rng.random() < 0.4:  # a dark kernel, as iron leaves it
        body = np.maximum(body, min(1.0, 1.7 * strength) * np.clip(0.3 * radius - distance + 0.5, 0, 1))
    np.maximum(part, body, out=part, casting="same_kind")


def mould(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Mould: mottled blooms of tiny dots, or threads that branch from a middle; half transparent.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: colonies; None draws 3–15.

    Returns:
        One layer: greyish and bright, or dark and greenish, ready for ``mask_of`` and ``compose``.

    Cost: 0.5–4 ms a colony.
    """
    rng = as_generator(seed, "mould")
    scale = scale_of(size)
    if count is None:
        count = int(np.exp(rng.uniform(np.log(3), np.log(16))))
    opacity = new_opacity(size)
    strongest, threads = (
        float(rng.uniform(0.3, 0.75)),
        float(rng.choice([0.0, 0.3, 1.0], p=[0.45, 0.35, 0.2])),
    )
    middle = rng.uniform(0.1, 0.9, 2) * [size[1], size[0]]
    grouped = rng.random() < 0.6
    for _ in range(count):
        at = rng.uniform(0, 1, 2) * [size[1], size[0]]
        if grouped:
            at = np.clip(middle + rng.normal(0, 0.18 * min(size), 2), 0, [size[1] - 1, size[0] - 1])
        radius = scale * float(np.exp(rng.uniform(np.log(9), np.log(90))))
        x, y = float(at[0]), float(at[1])
        strength = strongest * float(rng.uniform(0.5, 1.0))
        if rng.random() < threads:
            _threads(opacity, (x, y), 0.6 * radius, strength, scale, rng)
        else:
            _bloom(opacity, (x, y), radius, strength, scale, rng)
    if rng.random() < 0.65:
        level = rng.uniform(185, 240) + rng.uniform(-10, 6, 3)
    else:
        level = rng.uniform(35, 90) + np.array([0.0, 8.0, -8.0]) * rng.uniform(0, 1)
    r, g, b = (int(v) for v in np.clip(level, 0, 255))
    return [Layer(opacity, "bright", colour=(r, g, b))]


def _bloom(
    opacity: Float,
    at: tuple[float, float],
    radius: float,
    strength: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Dots that stand the closer the nearer to the middle, on a faint haze."""
    part, dx, dy = window(opacity, *at, 1.7 * radius + 2)
    if not part.size:
        return
    density = np.clip(1.25 - wobbly_radius(dx, dy, 0.16, rng) / np.float32(radius), 0, 1)
    dots = smooth_plane(
        part.shape, scale * float(np.exp(rng.uniform(np.log(1.3), np.log(4)))), rng, octaves=2
    )
    clumps = smooth_plane(part.shape, max(4.0, 0.5 * radius), rng, octaves=2)
    level = 1.9 - 2.2 * density - 0.3 * clumps * (density > 0)
    body = np.clip((dots - level) / 0.9, 0, 1) * np.clip(4 * density, 0, 1)
    haze = float(rng.uniform(0, 0.35)) * density * np.clip(1 + 0.4 * clumps, 0, 1.5)
    np.maximum(part, np.float32(strength) * np.clip(body + haze, 0, 1), out=part)


def _threads(
    opacity: Float,
    at: tuple[float, float],
    radius: float,
    strength: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Threads from the middle outwards, each with some branches."""
    first = float(rng.uniform(0, 2 * np.pi))
    many = int(rng.integers(5, 12))
    paths, radii, strengths = [], [], []
    for k in range(many):
        heading = first + 2 * np.pi * (k + float(rng.uniform(0, 0.8))) / many
        length = radius * float(rng.uniform(0.5, 1.15))
        main = wander(at, heading, length, rng, bend=0.5, jitter=0.25, kinks=2.0)
        pieces = [(main, 1.0)]
        for _ in range(int(rng.poisson(min(length / (12 * scale), 2.5)))):
            n = int(rng.integers(len(main) // 5, len(main)))
            side = heading + float(rng.choice([-1, 1]) * rng.uniform(0.3, 1.0))
            start = (float(main[n, 0]), float(main[n, 1]))
            pieces.append(
                (wander(start, side, length * float(rng.uniform(0.1, 0.4)), rng, bend=0.5, jitter=0.3), 0.75)
            )
        for path, share in pieces:
            ends = taper(len(path), 0.01, 0.6)
            uneven = np.exp(0.3 * smooth_line(len(path), 4 / STEP_PX, rng))
            paths.append(path)
            radii.append(0.5 * scale * float(rng.uniform(0.7, 1.3)) * share * (0.5 + 0.5 * ends) * uneven)
            strengths.append(np.clip(strength * share * (0.25 + 0.75 * ends), 0, 1))
    stamp(
        opacity,
        np.concatenate(paths),
        np.minimum(np.concatenate(radii), 1.5 * scale).astype(np.float32),
        np.concatenate(strengths).astype(np.float32),
    )


def silvering(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Silver mirroring: a bluish metallic sheen, along the borders and in clouds.

    It covers with a light blue grey, so that it shows most where the picture is dark, as on prints.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: clouds alone; None draws the borders and none to three clouds.

    Returns:
        One layer, ready for ``mask_of`` and ``compose``.

    Cost: 3–8 ms at 512².
    """
    rng = as_generator(seed, "silvering")
    side = min(size)
    sheen = new_opacity(size)
    strength = float(rng.uniform(0.25, 0.65))
    if count is None:
        height, width = size
        reach = side * rng.uniform(0.02, 0.16, 4) * (rng.random(4) < 0.75)
        if not reach.any():
            reach[0] = 0.08 * side
        y, x = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
        fades = [
            np.exp(-away / np.float32(max(length, 0.5)))
            for away, length in zip((x, width - 1 - x, y, height - 1 - y), reach.tolist(), strict=True)
        ]
        sheen = np.maximum(np.maximum(fades[0], fades[1])[None], np.maximum(fades[2], fades[3])[:, None])
        sheen = np.asarray(sheen * np.clip(0.85 + 0.5 * veil(size, side / 4, rng), 0, 1.5), np.float32)
    for _ in range(int(rng.integers(0, 4)) if count is None else count):
        at = rng.uniform(0, 1, 2) * [size[1], size[0]]
        radius = side * float(np.exp(rng.uniform(np.log(0.03), np.log(0.22))))
        part, dx, dy = window(sheen, float(at[0]), float(at[1]), 2 * radius)
        if part.size:
            cloud = np.clip(1.2 - wobbly_radius(dx, dy, 0.15, rng) / np.float32(radius), 0, 1)
            cloud = cloud * np.clip(0.8 + 0.4 * veil(part.shape, max(4.0, radius), rng), 0, 1.3)
            np.maximum(part, cloud.astype(np.float32), out=part)
    fine = 1 + float(rng.uniform(0.02, 0.08)) * smooth_plane(size, 3 * scale_of(size), rng, octaves=1)
    sheen = np.asarray(np.clip(sheen * fine, 0, 1.2) * np.float32(strength), np.float32)
    light = float(rng.uniform(0, 1))
    colour = (int(165 + 45 * light), int(180 + 40 * light), int(205 + 35 * light))
    return [Layer(np.minimum(sheen, 0.8), "bright", colour=colour, grain=2.5)]
