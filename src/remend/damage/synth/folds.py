"""Folds and creases of prints: light on two flanks, and the broken emulsion between them."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.flakes import flake
from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line
from remend.damage.synth.strokes import STEP_PX, stamp, sweep, taper, wander
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["folds"]


def folds(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Folds across a print or one of its corners, straight or nearly so.

    A dark flank lies beside a bright one, both soft (3–20 px) and faint, as light falls on a ridge. Along
    the crest the emulsion is broken: a ragged line of bare paper that comes and goes, with chips and short
    side cracks. A third are creases without any break; some are cracks without visible flanks. A print
    folded twice has crossing ones.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 1–4, mostly one or two.

    Returns:
        Layers: the flanks (dark, bright), the chips' rims, then the paper.

    Cost: 2–4 ms a fold at 512².
    """
    rng = as_generator(seed, "folds")
    scale = scale_of(size)
    if count is None:
        count = int(rng.choice([1, 2, 3, 4], p=[0.5, 0.3, 0.12, 0.08]))
    dark, bright, rim, paper = (new_opacity(size) for _ in range(4))
    light = float(rng.uniform(0, 2 * np.pi))
    angle = float(rng.choice([0.0, np.pi / 2]))
    for index in range(count):
        if rng.random() < 0.28:
            at, turn = _across_a_corner(size, rng)
        else:
            # Folded in the middle more often than not; the second fold crosses the first.
            share = rng.normal(0.5, 0.06, 2) if rng.random() < 0.5 else rng.uniform(0.08, 0.92, 2)
            at = share * [size[1], size[0]]
            straight = rng.random() < 0.75
            turn = angle + (float(rng.normal(0, 0.05)) if straight else float(rng.uniform(-0.8, 0.8)))
            if index % 2 == 0:
                angle += np.pi / 2
        _fold((dark, bright, rim, paper), at, turn, light, scale, rng)
    return [
        Layer(dark, "dark", grain=1.5),
        Layer(bright, "bright", grain=1.5),
        Layer(rim, "dark"),
        Layer(paper, "paper"),
    ]


def _across_a_corner(size: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """A point on the fold and its direction."""
    legs = min(size) * rng.uniform(0.1, 0.45) * rng.uniform(0.7, 1.3, 2)
    right, below = rng.random(2) < 0.5
    at = np.array(
        [size[1] - legs[0] / 2 if right else legs[0] / 2, size[0] - legs[1] / 2 if below else legs[1] / 2]
    )
    slope = float(np.arctan2(legs[1], legs[0]))
    return at, slope if right != below else -slope


def _fold(
    maps: tuple[Float, Float, Float, Float],
    at: np.ndarray,
    turn: float,
    light: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    dark, bright, rim, paper = maps
    x, y = float(at[0]), float(at[1])
    slope_xy = np.array([np.cos(turn), np.sin(turn)])
    # Steep folds are laid row by row, flat ones column by column: the line has one place in each.
    if abs(slope_xy[1]) < abs(slope_xy[0]):
        dark, bright, rim, paper = dark.T, bright.T, rim.T, paper.T
        x, y, slope_xy = y, x, slope_xy[::-1]
    slope = float(slope_xy[0] / slope_xy[1])
    n = paper.shape[0]
    rows = np.arange(n, dtype=np.float32)
    sway = np.float32(scale * rng.uniform(0.2, 2.0)) * smooth_line(n, n * float(rng.uniform(0.15, 0.5)), rng)
    line = np.float32(x) + np.float32(slope) * (rows - np.float32(y)) + sway
    style = rng.choice(["broken", "crease", "crack"], p=[0.5, 0.3, 0.2])
    if style != "crack":
        peak = float(rng.uniform(0.2, 0.5)) * (1.0 if style == "broken" else 1.3)
        first, second = (dark, bright) if rng.random() < 0.5 else (bright, dark)
        _flank(first, line, slope, -1, peak * float(rng.uniform(0.6, 1.2)), scale, rng)
        _flank(second, line, slope, 1, peak * float(rng.uniform(0.6, 1.2)), scale, rng)
    if style == "crease":
        return
    core = line + np.float32(scale) * (
        np.float32(0.5) * smooth_line(n, 5 * scale, rng) + np.float32(0.25) * smooth_line(n, 2 * scale, rng)
    )
    wave = smooth_line(n, n * float(rng.uniform(0.05, 0.25)), rng) + 0.4 * smooth_line(n, 5 * scale, rng)
    level = float(np.quantile(wave, rng.choice([0.0, rng.uniform(0.05, 0.6)])))
    present = np.clip((wave - level) / 0.35 + 0.3, 0, 1)
    width = scale * float(np.exp(rng.uniform(np.log(1.0), np.log(4.0))))
    fine = float(rng.uniform(0.1, 0.35))
    ragged = np.exp(fine * smooth_line(n, 2.5 * scale, rng) + 0.35 * smooth_line(n, 12 * scale, rng))
    ragged = np.minimum(ragged, 2.0)
    radius = (0.5 * width * ragged * (0.3 + 0.7 * present)).astype(np.float32)
    strength = (float(rng.uniform(0.75, 1.0)) * np.clip(1.5 * present, 0, 1)).astype(np.float32)
    strength *= np.clip(1.0 + 0.25 * smooth_line(n, 2.5 * scale, rng), 0.2, 1)
    if rng.random() < 0.6:
        aside = np.float32(rng.choice([-1, 1]) * 0.6 * scale)
        sweep(rim, core + aside, radius + np.float32(0.8 * scale), 0.45 * strength, edge_px=0.8, slope=slope)
    sweep(paper, core, radius, strength, edge_px=0.5, slope=slope)
    _along(paper, rim, core, strength, width, light, scale, rng)


def _flank(
    opacity: Float,
    line: Float,
    slope: float,
    sign: int,
    peak: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Shade on one side of the fold: strongest at the crest, gone after 3–20 px."""
    n, extent = opacity.shape
    wide = scale * float(np.exp(rng.uniform(np.log(3), np.log(20))))
    reach = int(np.ceil(wide * np.hypot(1, slope) * 1.6)) + 2
    along = peak * np.clip(0.75 + 0.35 * smooth_line(n, n * 0.2, rng), 0, 1.3)
    widths = wide * np.clip(1 + 0.25 * smooth_line(n, n * 0.15, rng), 0.4, 1.6)
    inside = np.flatnonzero((line > -reach) & (line < extent + reach))
    columns = np.rint(line[inside]).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    u = sign * (columns - line[inside, None]) / np.float32(np.hypot(1, slope))
    rise = np.clip(u / 1.2 + 0.4, 0, 1)
    value = (along[inside, None] * rise * np.clip(1 - u / widths[inside, None], 0, 1) ** 1.6).astype(
        np.float32
    )
    keep = (value > 0) & (columns >= 0) & (columns < extent)
    rows = np.broadcast_to(inside[:, None], value.shape)[keep]
    columns, value = columns[keep], np.minimum(value[keep], 0.6)
    opacity[rows, columns] = np.maximum(opacity[rows, columns], value)


def _along(
    paper: Float,
    rim: Float,
    core: Float,
    strength: Float,
    width: float,
    light: float,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Chips and short side cracks where the crest is broken."""
    extent = paper.shape[1]
    broken = np.flatnonzero((strength > 0.4) & (core > 0) & (core < extent))
    if not broken.size:
        return
    for row in rng.choice(broken, int(rng.poisson(broken.size / (60 * scale)))).tolist():
        x, y = float(core[row]) + float(rng.normal(0, 0.6 * width)), float(row)
        flake(paper, rim, (x, y), scale * float(np.exp(rng.uniform(np.log(2), np.log(16)))), light, rng)
    for row in rng.choice(broken, int(rng.poisson(broken.size / (200 * scale)))).tolist():
        start = (float(core[row]), float(row))
        heading = float(rng.choice([0.0, np.pi]) + rng.normal(0, 0.6))
        path = wander(start, heading, scale * float(rng.uniform(5, 40)), rng, bend=0.4, jitter=0.3, kinks=3.0)
        ends = taper(len(path), 0.02, 0.7)
        radius = 0.4 * width * ends * np.exp(0.4 * smooth_line(len(path), 3 / STEP_PX, rng))
        stamp(paper, path, np.asarray(radius, np.float32), np.asarray(0.9 * ends, np.float32))
