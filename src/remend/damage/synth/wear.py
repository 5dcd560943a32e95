"""Wear of prints and negatives: scratches and dust."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.layers import Layer, Tone, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line
from remend.damage.synth.strokes import STEP_PX, stamp, taper, wander
from remend.picture import Float

__all__ = ["dust", "scale_of", "scratches"]

Polarity = Literal["bright", "dark", "both"]


def scale_of(size: tuple[int, int]) -> float:
    """How much wider wear is drawn on large scans: 1 up to a short side of 768 px, then in proportion."""
    return max(1.0, min(size) / 768)


def scratches(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    polarity: Polarity = "both",
    width_px: tuple[float, float] = (1.0, 4.0),
) -> list[Layer]:
    """Scratches as old prints have them.

    Half are hairlines (long, gently curved, half transparent, interrupted), a quarter gouges (short,
    ragged, opaque, with a thin dark rim where the emulsion lifted), the rest bundles of parallel
    hairs as rubbing leaves them. Ends fade; width and opacity wander along the way.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 4–24 for each megapixel of a scan of 768 px, at least 3. Finer
            scans of the same print have as many, only wider.
        polarity: ``bright`` (lost emulsion), ``dark`` (hairs and scratched negatives) or ``both``
            (three in four bright).
        width_px: least and largest width, drawn log-uniformly, times ``scale_of(size)``.

    Returns:
        Layers, ready for ``mask_of`` and ``compose``.

    Cost: about 1 ms a scratch at 512².
    """
    rng = as_generator(seed, "scratches")
    scale = scale_of(size)
    if count is None:
        count = max(3, round(rng.uniform(4, 24) * max(0.5, size[0] * size[1] / (1e6 * scale * scale))))
    maps: dict[Tone, Float] = {}
    for _ in range(count):
        tone: Tone = (
            "bright" if polarity == "bright" or (polarity == "both" and rng.random() < 0.75) else "dark"
        )
        width = float(np.exp(rng.uniform(*np.log(width_px)))) * scale
        kind = rng.choice(["hair", "gouge", "bundle"], p=[0.5, 0.27, 0.23])
        opacity = maps.setdefault(tone, new_opacity(size))
        if kind == "hair":
            _hairline(opacity, width, rng)
        elif kind == "gouge":
            rim = maps.setdefault("dark", new_opacity(size)) if tone == "bright" else None
            _gouge(opacity, rim, width, scale, rng)
        else:
            _bundle(opacity, width, scale, rng)
    # Dark first: the rim of a gouge lies under its bright core.
    return [Layer(maps[tone], tone) for tone in ("dark", "bright") if tone in maps]


def _start(size: tuple[int, int], rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(0, size[1])), float(rng.uniform(0, size[0]))


def _interruptions(n: int, share: float, rng: np.random.Generator) -> Float:
    """(n,) float32 in [0, 1]: 1 mostly, falling to 0 over about ``share`` of the way."""
    wave = smooth_line(n, max(12.0, n / 7), rng)
    level = float(np.quantile(wave, share))
    return np.asarray(np.clip((wave - level) / 0.25, 0, 1), np.float32)


def _hairline(opacity: Float, width: float, rng: np.random.Generator) -> None:
    side = min(opacity.shape)
    # Film transport and sleeves scratch along the sides more often than across.
    along = rng.random() < 0.4
    angle = rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.06) if along else rng.uniform(0, 2 * np.pi)
    length = side * float(np.exp(rng.uniform(np.log(0.15), np.log(1.1))))
    path = wander(
        _start(opacity.shape, rng),
        float(angle),
        length,
        rng,
        bend=0.08 if along else 0.5,
        jitter=0.05,
        kinks=0.3,
    )
    n = len(path)
    ends = taper(n, float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.05, 0.4)))
    radius = (
        0.5 * min(width, 0.45 * width + 0.7) * (0.6 + 0.4 * ends) * np.exp(0.25 * smooth_line(n, 20, rng))
    )
    strength = rng.uniform(0.3, 0.9) * ends * _interruptions(n, rng.uniform(0, 0.35), rng)
    strength = strength * np.exp(0.2 * smooth_line(n, 8, rng))
    stamp(opacity, path, _f(radius), _f(np.clip(strength, 0, 1)), edge_px=0.6)


def _gouge(opacity: Float, rim: Float | None, width: float, scale: float, rng: np.random.Generator) -> None:
    side = min(opacity.shape)
    length = float(np.clip(side * np.exp(rng.uniform(np.log(0.02), np.log(0.25))), 6 * scale, None))
    path = wander(
        _start(opacity.shape, rng),
        float(rng.uniform(0, 2 * np.pi)),
        length,
        rng,
        bend=0.5,
        jitter=0.25,
        kinks=2.0,
    )
    n = len(path)
    ends = taper(n, float(rng.uniform(0.02, 0.3)), float(rng.uniform(0.02, 0.3)))
    ragged = np.exp(0.4 * smooth_line(n, 1.6 / STEP_PX, rng) + 0.4 * smooth_line(n, 14 / STEP_PX, rng))
    radius = 0.5 * np.minimum(width * (0.35 + 0.65 * ends) * ragged, 1.6 * width)
    strength = np.clip(
        rng.uniform(0.75, 1.0) * np.clip(3 * ends, 0, 1) * (1 + 0.1 * smooth_line(n, 6, rng)), 0, 1
    )
    if rim is not None:
        aside = rng.uniform(-1, 1, 2) * 0.5 * width
        stamp(rim, path + _f(aside), _f(radius + 0.5 * scale), _f(0.45 * strength), edge_px=0.9)
    stamp(opacity, path, _f(radius), _f(strength), edge_px=0.5)


def _bundle(opacity: Float, width: float, scale: float, rng: np.random.Generator) -> None:
    side = min(opacity.shape)
    start = np.asarray(_start(opacity.shape, rng))
    angle = float(rng.uniform(0, 2 * np.pi))
    length = side * float(rng.uniform(0.03, 0.25))
    bend = float(rng.normal(0, 0.3))
    for _ in range(int(rng.integers(2, 6))):
        shift = (
            rng.normal(0, 3.5 * scale, 2)
            + np.array([np.cos(angle), np.sin(angle)]) * rng.normal(0, 0.2) * length
        )
        x, y = (start + shift).tolist()
        path = wander(
            (x, y), angle + rng.normal(0, 0.05), length * rng.uniform(0.4, 1.1), rng, bend=bend, jitter=0.06
        )
        n = len(path)
        ends = taper(n, 0.3, 0.3)
        radius = 0.5 * min(width, 1.6 * scale) * (0.5 + 0.5 * ends)
        strength = rng.uniform(0.2, 0.75) * ends * _interruptions(n, rng.uniform(0, 0.3), rng)
        stamp(opacity, path, _f(radius), _f(strength), edge_px=0.6)


def dust(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    polarity: Polarity = "both",
    radius_px: tuple[float, float] = (0.5, 3.0),
) -> list[Layer]:
    """Dust: specks, a few larger flakes, and lint (short curled fibres).

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 60–500 for each megapixel of a scan of 768 px, at least 8.
        polarity: ``bright`` (dust on a negative), ``dark`` (dust on a print) or ``both`` (two in
            three bright).
        radius_px: least and largest radius, drawn with many small ones, times ``scale_of(size)``.

    Returns:
        Layers, ready for ``mask_of`` and ``compose``.

    Cost: about 0.1 ms a speck.
    """
    rng = as_generator(seed, "dust")
    scale = scale_of(size)
    if count is None:
        count = max(8, round(rng.uniform(60, 500) * size[0] * size[1] / (1e6 * scale * scale)))
    maps: dict[Tone, Float] = {}
    for _ in range(count):
        tone: Tone = (
            "bright" if polarity == "bright" or (polarity == "both" and rng.random() < 0.67) else "dark"
        )
        opacity = maps.setdefault(tone, new_opacity(size))
        if rng.random() < 0.06:
            _fibre(opacity, scale, rng)
        else:
            low, high = radius_px
            _speck(opacity, scale * (low + (high - low) * float(rng.random()) ** 4), rng)
    return [Layer(maps[tone], tone) for tone in ("dark", "bright") if tone in maps]


def _speck(opacity: Float, radius: float, rng: np.random.Generator) -> None:
    # A speck is a cluster of small discs round its centre: irregular, never a perfect circle.
    x, y = _start(opacity.shape, rng)
    n = 1 + int(rng.poisson(1 + 2 * radius))
    spread = rng.normal(0, 0.5 * radius, (n, 2))
    spread[0] = 0
    radii = radius * rng.uniform(0.4, 0.9, n)
    strength = np.full(n, rng.uniform(0.45, 1.0))
    stamp(
        opacity, _f(np.array([x, y]) + spread), _f(radii), _f(strength), edge_px=float(rng.uniform(0.4, 0.9))
    )


def _fibre(opacity: Float, scale: float, rng: np.random.Generator) -> None:
    length = scale * float(rng.uniform(8, 45))
    path = wander(
        _start(opacity.shape, rng), float(rng.uniform(0, 2 * np.pi)), length, rng, bend=1.8, jitter=0.15
    )
    n = len(path)
    radius = 0.5 * scale * rng.uniform(0.7, 1.6) * np.exp(0.15 * smooth_line(n, 10, rng))
    stamp(opacity, path, _f(radius), _f(rng.uniform(0.4, 0.95) * taper(n, 0.1, 0.1)), edge_px=0.6)


def _f(values: NDArray[np.floating]) -> Float:
    return np.asarray(values, np.float32)
