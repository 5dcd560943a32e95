"""Wide opaque marks: ink blots, brush and marker strokes, bars, and thick hairs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.layers import Layer, Tone, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line, smooth_plane
from remend.damage.synth.patches import veil, window, wobbly_radius
from remend.damage.synth.strokes import STEP_PX, stamp, taper, wander
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["blots"]

_KINDS = ("ink", "stroke", "bar", "hair")
_INKS = (
    (12, 12, 14),
    (22, 26, 70),
    (60, 36, 20),
    (140, 24, 28),
    (235, 232, 225),
    (120, 118, 112),
    (30, 80, 45),
)


def blots(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    extent_px: tuple[float, float] = (10.0, 200.0),
) -> list[Layer]:
    """Wide marks that hide all under them: of ink, paint, a marker, glued paper, or a hair in the enlarger.

    ``ink``: a blot, at times with splashes round it, at times dried and paler inside. ``stroke``: a wide
    stroke with ragged or streaky edges. ``bar``: a straight bar or a patch, level or turned. ``hair``: a
    long curved hair, 2–7 px.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 1–6.
        extent_px: least and largest width of a blot, a stroke's length or a bar's, drawn with somewhat more
            large ones than log-uniformly, times ``scale_of(size)``; half of the short side at most.

    Returns:
        Layers of one to three colours, ready for ``mask_of`` and ``compose``.

    Cost: 0.5–5 ms each at 512².
    """
    rng = as_generator(seed, "blots")
    scale = scale_of(size)
    if count is None:
        count = int(np.exp(rng.uniform(0, np.log(7))))
    low, high = np.log(extent_px)
    kinds = rng.dirichlet([0.9, 0.8, 0.6, 0.5])  # a picture has mostly marks of one or two kinds
    layers: list[Layer] = []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))):
        chance = rng.random()
        tone: Tone = "dark" if chance < 0.3 else "bright" if chance < 0.45 else "paper"
        colour = None if chance < 0.6 else _INKS[int(rng.integers(len(_INKS)))]
        layers.append(Layer(new_opacity(size), tone, colour, grain=float(rng.choice([0.0, 2.0, 5.0]))))
    for _ in range(count):
        opacity = layers[int(rng.integers(len(layers)))].opacity
        extent = min(scale * float(np.exp(low + (high - low) * rng.beta(1.3, 1.0))), 0.5 * min(size))
        at = rng.uniform(0, 1, 2) * [size[1] - 1, size[0] - 1]
        x, y = float(at[0]), float(at[1])
        strength = float(rng.choice([1.0, rng.uniform(0.8, 1.0)]))
        kind = _KINDS[int(rng.choice(4, p=kinds))]
        if kind == "ink":
            _ink(opacity, (x, y), extent, strength, scale, rng)
        elif kind == "stroke":
            _stroke(opacity, (x, y), extent, strength, scale, rng)
        elif kind == "bar":
            _bar(opacity, (x, y), extent, strength, rng)
        else:
            _hair(opacity, (x, y), strength, scale, rng)
    return layers


def _ink(
    opacity: Float,
    at: tuple[float, float],
    extent: float,
    strength: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    radius = 0.5 * extent
    part, dx, dy = window(opacity, *at, 1.8 * radius + 3)
    inside = np.float32(radius) - wobbly_radius(dx, dy, float(rng.uniform(0.03, 0.16)), rng)
    if rng.random() < 0.6:  # it ran into the fibres
        inside += np.float32(min(0.12 * radius, 6 * scale)) * veil(part.shape, max(5.0, 0.4 * radius), rng)
    edge = np.float32(np.exp(rng.uniform(np.log(0.5), np.log(max(0.6, min(0.2 * radius, 4 * scale))))))
    cover = np.clip(inside / (2 * edge) + 0.5, 0, 1)
    if rng.random() < 0.25:  # dried: paler inside, dense at the rim
        pale = float(rng.uniform(0.4, 0.85))
        cover = cover * (pale + (1 - pale) * np.exp(-np.maximum(inside, 0) / np.float32(0.12 * radius)))
    np.maximum(part, np.asarray(strength * cover, np.float32), out=part)
    for _ in range(int(rng.poisson(rng.choice([0.0, 5.0], p=[0.5, 0.5])))):
        turn = float(rng.uniform(0, 2 * np.pi))
        away = radius * float(1.1 + rng.exponential(0.5))
        drop = max(0.7, radius * float(np.exp(rng.uniform(np.log(0.03), np.log(0.2)))))
        x, y = at[0] + away * np.cos(turn), at[1] + away * np.sin(turn)
        splash, u, v = window(opacity, float(x), float(y), 1.6 * drop + 2)
        round_ = np.clip(np.float32(drop) - wobbly_radius(u, v, 0.06, rng) + np.float32(0.5), 0, 1)
        np.maximum(splash, np.asarray(strength * round_, np.float32), out=splash)


def _stroke(
    opacity: Float,
    at: tuple[float, float],
    extent: float,
    strength: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """One pull of a brush or a marker, or a scribble: the points within half a width of a path."""
    wide = max(3.0, extent * float(rng.uniform(0.08, 0.4)))
    length = extent * float(rng.uniform(1.0, 4.0))
    scribble = rng.random() < 0.2
    path = wander(
        at,
        float(rng.uniform(0, 2 * np.pi)),
        length,
        rng,
        bend=6.0 if scribble else 0.5,
        jitter=0.0,
        kinks=0.3,
    )
    path = path - (path.mean(axis=0) - np.asarray(at, np.float32))
    reach = float(np.abs(path - np.asarray(at)).max()) + wide + 2
    part, dx, dy = window(opacity, *at, reach)
    if not part.size:
        return
    corner = np.array([at[0] + dx[0, 0], at[1] + dy[0, 0]])
    line: NDArray[np.uint8] = np.full(part.shape, 255, np.uint8)
    points = np.rint((path[::4] - corner) * 16).astype(np.int32)
    cv2.polylines(line, [points], False, 0, 1, cv2.LINE_8, 4)
    distance = cv2.distanceTransform(line, cv2.DIST_L2, 5)
    half = 0.5 * wide * (1 + float(rng.uniform(0.02, 0.15)) * veil(part.shape, max(5.0, wide), rng))
    half = half + 0.5 * scale * smooth_plane(part.shape, 3 * scale, rng, octaves=1)
    cover = np.clip((half - distance) / np.float32(rng.uniform(0.8, 3)) + 0.5, 0, 1)
    if rng.random() < 0.35:  # bristles: streaks along the stroke, which a dry brush leaves bare
        streak = smooth_line(int(wide) + 3, 2.5 * scale, rng)[np.minimum(distance, wide).astype(np.intp)]
        dry = veil(part.shape, max(8.0, wide), rng)
        cover = cover * np.clip(0.9 + 0.7 * streak + 0.6 * dry, 0, 1)
    np.maximum(part, np.asarray(strength * cover, np.float32), out=part)


def _bar(
    opacity: Float, at: tuple[float, float], extent: float, strength: float, rng: np.random.Generator
) -> None:
    """A straight bar or patch; at times as long as the picture."""
    half = 0.5 * extent * np.array([1.0, float(np.exp(rng.uniform(np.log(0.08), 0)))])
    if rng.random() < 0.2:
        half[0] = float(max(opacity.shape))
        half[1] = min(half[1], 0.07 * min(opacity.shape))
    turn = float(rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.4, 0.25, 0.35]))
    part, dx, dy = window(opacity, *at, float(np.hypot(*half)) + 2)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = np.abs(dx * c + dy * s), np.abs(dy * c - dx * s)
    inside = np.minimum(np.float32(half[0]) - u, np.float32(half[1]) - v)
    if rng.random() < 0.3:  # torn paper, not cut
        inside = inside + 0.8 * smooth_plane(part.shape, 9.0, rng)
    np.maximum(part, np.asarray(strength * np.clip(inside + 0.5, 0, 1), np.float32), out=part)


def _hair(
    opacity: Float, at: tuple[float, float], strength: float, scale: float, rng: np.random.Generator
) -> None:
    length = min(opacity.shape) * float(rng.uniform(0.15, 0.9))
    path = wander(at, float(rng.uniform(0, 2 * np.pi)), length, rng, bend=2.0, jitter=0.05)
    n = len(path)
    width = scale * float(np.exp(rng.uniform(np.log(2), np.log(7))))
    radius = (
        0.5 * width * (0.5 + 0.5 * taper(n, 0.15, 0.15)) * np.exp(0.08 * smooth_line(n, 30 / STEP_PX, rng))
    )
    fade = np.clip(strength * 4 * taper(n, 0.3, 0.3), 0, strength)
    every = max(1, int(0.35 * width))  # wide discs may stand farther apart
    stamp(
        opacity,
        np.ascontiguousarray(path[::every]),
        np.asarray(radius[::every], np.float32),
        np.asarray(fade[::every], np.float32),
        edge_px=0.7,
    )
