"""Scratches of film transport: straight lines that rollers, gates and squeegees leave along the film."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.layers import Layer, Tone, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line
from remend.damage.synth.strokes import sweep
from remend.damage.synth.wear import Polarity, scale_of
from remend.picture import Float

__all__ = ["transport"]


def transport(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    polarity: Polarity = "both",
    width_px: tuple[float, float] = (1.0, 4.0),
) -> list[Layer]:
    """Straight scratches of film transport: long, parallel to a side, single or in bundles.

    Most of a picture run one way, down or across, half of them from edge to edge. They are straight or
    sway slowly by up to 3 px; a quarter lean by some degrees. Some are interrupted, or dotted at the pitch
    of a roller or a sprocket; some broad bright ones have the dark rim of pushed-up emulsion.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many lines; None draws 1–12, mostly few.
        polarity: ``bright`` (emulsion scraped from a print), ``dark`` (scratched negatives) or ``both``
            (half of the pictures bright only, a quarter dark only, a quarter mixed).
        width_px: least and largest width, drawn log-uniformly, times ``scale_of(size)``.

    Returns:
        Layers, ready for ``mask_of`` and ``compose``.

    Cost: about 0.3 ms a line at 512².
    """
    rng = as_generator(seed, "transport")
    scale = scale_of(size)
    if count is None:
        count = int(np.exp(rng.uniform(0, np.log(13))))
    bright = {"bright": 1.0, "dark": 0.0, "both": float(rng.choice([1.0, 0.0, 0.5], p=[0.5, 0.25, 0.25]))}
    maps: dict[Tone, Float] = {}
    down = rng.random() < 0.65
    lean = float(np.tan(np.radians(rng.normal(0, 1.6)))) if rng.random() < 0.25 else 0.0
    left = count
    while left > 0:
        # A bundle shares its direction, tone and extent.
        n = min(left, int(rng.integers(2, 7)) if rng.random() < 0.3 else 1)
        left -= n
        tone: Tone = "bright" if rng.random() < bright[polarity] else "dark"
        opacity = maps.setdefault(tone, new_opacity(size))
        rim = maps.setdefault("dark", new_opacity(size)) if tone == "bright" else None
        if down == (rng.random() < 0.1):
            opacity, rim = opacity.T, None if rim is None else rim.T
        spread = scale * float(np.exp(rng.uniform(np.log(3), np.log(30))))
        at = float(rng.uniform(0, opacity.shape[1]))
        ends = _extent(opacity.shape[0], rng)
        for _ in range(n):
            width = float(np.exp(rng.uniform(*np.log(width_px)))) * scale
            place = at + (float(rng.normal(0, spread)) if n > 1 else 0.0)
            _line(opacity, rim, place, ends, width, lean, scale, rng)
    return [Layer(maps[tone], tone) for tone in ("dark", "bright") if tone in maps]


def _extent(n: int, rng: np.random.Generator) -> tuple[float, float]:
    """First and last row of a scratch."""
    if rng.random() < 0.5:
        return 0.0, float(n)
    length = n * float(rng.uniform(0.3, 1.0))
    # Half of the shorter ones run out of the frame at one end.
    first = float(rng.choice([0.0, n - length])) if rng.random() < 0.5 else float(rng.uniform(0, n - length))
    return first, first + length


def _line(
    opacity: Float,
    rim: Float | None,
    place: float,
    ends: tuple[float, float],
    width: float,
    lean: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    n = opacity.shape[0]
    rows = np.arange(n, dtype=np.float32)
    centre = np.float32(place) + np.float32(lean) * (rows - n / 2)
    if rng.random() < 0.5:
        sway = float(rng.uniform(0.3, 1.5)) * scale * smooth_line(n, n * float(rng.uniform(0.15, 0.6)), rng)
        centre = centre + np.clip(sway, -3 * scale, 3 * scale)
    fade = scale * float(np.exp(rng.uniform(np.log(1), np.log(60))))
    # Only the ends that lie inside the frame fade.
    begin = np.clip((rows - ends[0]) / fade, 0, 1) if ends[0] > 0 else np.ones(n, np.float32)
    end = np.clip((ends[1] - rows) / fade, 0, 1) if ends[1] < n else np.ones(n, np.float32)
    strength = float(rng.uniform(0.25, 1.0)) * np.minimum(begin, end) * _gaps(n, scale, rng)
    strength = strength * np.exp(0.2 * smooth_line(n, 40 * scale, rng) + 0.1 * smooth_line(n, 3 * scale, rng))
    strength = np.clip(strength, 0, 1).astype(np.float32)
    radius = 0.5 * width * np.exp(0.12 * smooth_line(n, 30 * scale, rng)).astype(np.float32)
    if rim is not None and width > 1.8 * scale and rng.random() < 0.35:
        aside = np.float32(rng.choice([-1, 1]) * 0.5 * width)
        sweep(rim, centre + aside, radius + np.float32(0.3 * width), 0.5 * strength, edge_px=0.8, slope=lean)
    sweep(opacity, centre, radius, strength, edge_px=float(rng.uniform(0.4, 0.8)), slope=lean)


def _gaps(n: int, scale: float, rng: np.random.Generator) -> Float:
    """(n,) float32 in [0, 1]: whole, interrupted anyhow, or dotted at a pitch."""
    kind = rng.choice(["whole", "interrupted", "dotted"], p=[0.5, 0.3, 0.2])
    if kind == "whole":
        return np.ones(n, np.float32)
    if kind == "interrupted":
        wave = smooth_line(n, scale * float(np.exp(rng.uniform(np.log(8), np.log(120)))), rng)
        level, soft = float(np.quantile(wave, rng.uniform(0.1, 0.6))), float(rng.uniform(0.05, 0.5))
        return np.asarray(np.clip((wave - level) / soft, 0, 1), np.float32)
    pitch = scale * float(np.exp(rng.uniform(np.log(4), np.log(70))))
    lit = float(rng.uniform(0.25, 0.8))
    at = (np.arange(n, dtype=np.float32) / np.float32(pitch) + float(rng.random())) % 1
    edge = max(0.06, 0.7 / pitch)
    # A dash from 0 to ``lit`` of every period, with soft ends; single ones are missing.
    dash = np.clip(np.minimum(at, lit - at) / edge + 0.5, 0, 1)
    return np.asarray(dash * np.clip(0.9 + 0.8 * smooth_line(n, pitch, rng), 0, 1), np.float32)
