"""Damage of whole surfaces: cracks and craquelure, stains, torn borders, missing blocks."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line, smooth_plane
from remend.damage.synth.strokes import STEP_PX, stamp, taper, wander
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["blocks", "cracks", "stains", "tears"]


def cracks(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    style: Literal["branching", "craquelure", "any"] = "any",
) -> list[Layer]:
    """Cracks: branching ones of folded or glazed prints, or the net of an aged painting.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: trunks of ``branching`` (None draws 1–4); for ``craquelure``, patches of it (None: one
            over most of the frame).
        style: which; ``any`` takes branching three times in five.

    Returns:
        One layer: bright for folded prints, dark for craquelure and one branching crack in four.
    """
    rng = as_generator(seed, "cracks")
    if style == "any":
        style = "branching" if rng.random() < 0.6 else "craquelure"
    if style == "craquelure":
        return [Layer(_craquelure(size, count, rng), "dark")]
    opacity = new_opacity(size)
    scale = scale_of(size)
    for _ in range(count if count is not None else int(rng.integers(1, 5))):
        start = (float(rng.uniform(0, size[1])), float(rng.uniform(0, size[0])))
        length = min(size) * float(rng.uniform(0.2, 0.9))
        width = scale * float(rng.uniform(1.2, 3.5))
        _branch(opacity, start, float(rng.uniform(0, 2 * np.pi)), length, width, 0, rng)
    return [Layer(opacity, "paper" if rng.random() < 0.75 else "dark")]


def _branch(
    opacity: Float,
    start: tuple[float, float],
    angle: float,
    length: float,
    width: float,
    depth: int,
    rng: np.random.Generator,
) -> None:
    path = wander(start, angle, length, rng, bend=0.35, jitter=0.35, kinks=3.0)
    n = len(path)
    ends = taper(n, 0.05 if depth else 0.15, 0.5)
    ragged = np.exp(0.4 * smooth_line(n, 2.5 / STEP_PX, rng))
    radius = np.asarray(0.5 * width * (0.3 + 0.7 * ends) * ragged, np.float32)
    strength = np.clip(0.9 * np.clip(2.5 * ends, 0, 1) * (1 + 0.12 * smooth_line(n, 8, rng)), 0, 1)
    stamp(opacity, path, radius, np.asarray(strength, np.float32), edge_px=0.5)
    if depth == 3:
        return
    for _ in range(int(rng.poisson(length / 70 if depth == 0 else length / 60))):
        at = int(rng.integers(n // 8, max(n // 8 + 1, 7 * n // 8)))
        ahead = path[min(at + 6, n - 1)] - path[at]
        heading = float(np.arctan2(ahead[1], ahead[0])) + rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
        x, y = path[at].tolist()
        _branch(
            opacity,
            (x, y),
            heading,
            length * rng.uniform(0.15, 0.5),
            width * rng.uniform(0.4, 0.8),
            depth + 1,
            rng,
        )


def _craquelure(size: tuple[int, int], count: int | None, rng: np.random.Generator) -> Float:
    """Cell borders of scattered points, warped, thinned out by smooth noise."""
    height, width = size
    scale = scale_of(size)
    cell = scale * float(rng.uniform(14, 48))
    seeds = np.full(size, 255, np.uint8)
    n = max(4, int(height * width / cell**2))
    seeds[rng.integers(height, size=n), rng.integers(width, size=n)] = 0
    _, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    wobble = [smooth_plane(size, cell * 0.5, rng) * (0.12 * cell) for _ in range(2)]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    cells = cv2.remap(
        labels.astype(np.float32),  # exact up to 2²⁴ cells
        columns + wobble[0],
        rows + wobble[1],
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    border = np.zeros(size, np.float32)
    border[:, 1:] = cells[:, 1:] != cells[:, :-1]
    border[1:] = np.maximum(border[1:], cells[1:] != cells[:-1])
    soft = cv2.GaussianBlur(border, (0, 0), 0.45 * scale)
    # Whole stretches are missing, and the net fades towards its margin.
    present = np.clip(0.8 + smooth_plane(size, cell * 0.9, rng), 0, 1)
    if count is None:
        present = present * np.clip(1.2 + smooth_plane(size, min(size) / 2, rng), 0, 1)
    else:
        patches = new_opacity(size)
        for _ in range(count):
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(patches, centre, max(2, int(2 * cell)), 1.0, -1)
        present = present * cv2.GaussianBlur(patches, (0, 0), cell / 3)
    return np.asarray(np.clip(soft * (1.3 + 0.3 * rng.random()) * present, 0, 0.9), np.float32)


def stains(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Stains: blotches of spilt liquid with a darker rim where it dried, and foxing (small brown spots).

    Translucent: the picture shows through, so a method may use what lies under them.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 1–4.
    """
    rng = as_generator(seed, "stains")
    opacity = new_opacity(size)
    for _ in range(count if count is not None else int(rng.integers(1, 5))):
        if rng.random() < 0.3:
            for _ in range(int(rng.integers(4, 20))):
                _blotch(opacity, scale_of(size) * float(rng.uniform(2, 9)), 0.0, rng)
        else:
            _blotch(opacity, min(size) * float(rng.uniform(0.05, 0.22)), float(rng.uniform(0.2, 0.5)), rng)
    return [Layer(opacity, "brown")]


def _blotch(opacity: Float, radius: float, rim: float, rng: np.random.Generator) -> None:
    height, width = opacity.shape
    x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
    reach = int(radius * 1.8) + 3
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    part = opacity[top : int(y) + reach, left : int(x) + reach]
    if not part.size:
        return
    rows, columns = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]].astype(np.float32)
    ratio, turn = rng.uniform(0.65, 1.0), rng.uniform(0, np.pi)
    dx, dy = columns - x, rows - y
    u = dx * np.cos(turn) + dy * np.sin(turn)
    v = (dy * np.cos(turn) - dx * np.sin(turn)) / ratio
    shape = (part.shape[0], part.shape[1])
    # How far inside, in pixels: positive in the stain, 0 on its rim.
    inside = radius * (1 - 0.13 * smooth_plane(shape, radius * 0.6, rng)) - np.hypot(u, v)
    edge = max(1.0, 0.03 * radius)
    body = np.clip(inside / edge, 0, 1) * rng.uniform(0.25, 0.6)
    body = body * (1 + 0.1 * smooth_plane(shape, max(3.0, radius / 3), rng))
    dried = rim * np.exp(-((np.maximum(inside, 0) / max(1.5, 0.06 * radius)) ** 2)) * (inside > 0)
    np.maximum(part, np.clip(body + dried, 0, 0.95), out=part)


def tears(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Torn borders: lost corners, nibbled edges, and rips that run inwards.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 1–4.

    Returns:
        A layer of bare paper along the tear (its white fibres), then one of the scanner's lid
        (white, grey or black) where the picture is gone.
    """
    rng = as_generator(seed, "tears")
    scale = scale_of(size)
    gone, fibres = new_opacity(size), new_opacity(size)
    lid = int(rng.choice([8, 128, 246], p=[0.4, 0.1, 0.5]))
    for _ in range(count if count is not None else int(rng.integers(1, 5))):
        if rng.random() < 0.4:
            _rip(gone, fibres, scale, rng)
        else:
            _loss(gone, fibres, scale, rng)
    return [Layer(fibres, "paper"), Layer(gone, "paper", colour=(lid, lid, lid), grain=1.5)]


def _loss(gone: Float, fibres: Float, scale: float, rng: np.random.Generator) -> None:
    """A corner or a stretch of one side torn off along a rough line."""
    height, width = gone.shape
    side = min(height, width)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if rng.random() < 0.6:
        # A corner: a line across it. Distances are signed, positive on the lost side.
        legs = side * rng.uniform(0.05, 0.25, 2)
        x = columns if rng.random() < 0.5 else width - 1 - columns
        y = rows if rng.random() < 0.5 else height - 1 - rows
        lost = (1 - x / legs[0] - y / legs[1]) * float(np.min(legs)) * 0.7
        lost = lost + 0.09 * float(np.min(legs)) * smooth_plane((height, width), float(np.min(legs)) / 2, rng)
    else:
        along, away, extent = (columns, rows, width) if rng.random() < 0.5 else (rows, columns, height)
        far = height - 1 if away is rows else width - 1
        away = away if rng.random() < 0.5 else far - away
        middle, half = rng.uniform(0, extent), extent * rng.uniform(0.08, 0.3)
        depth = side * rng.uniform(0.015, 0.08)
        lost = depth * (1 - ((along - middle) / half) ** 2) - away
        lost = lost + 0.3 * depth * smooth_plane((height, width), max(4.0, depth), rng)
    fine = smooth_plane((height, width), 5 * scale, rng) * 0.7 * scale
    lost = lost + fine
    # Paper tears at a slant: the layer with the picture ends before the base does.
    base = scale * (1.5 + 2.5 * np.clip(1 + smooth_plane((height, width), 25 * scale, rng), 0, 3))
    np.maximum(gone, np.clip(lost + 0.5, 0, 1), out=gone)
    np.maximum(fibres, np.clip(lost + base, 0, 1), out=fibres)


def _rip(gone: Float, fibres: Float, scale: float, rng: np.random.Generator) -> None:
    """A rip from the border inwards, narrowing to a hairline."""
    height, width = gone.shape
    t = float(rng.uniform(0.1, 0.9))
    start, angle = (
        ((t * width, -1.0), np.pi / 2),
        ((t * width, float(height)), -np.pi / 2),
        ((-1.0, t * height), 0.0),
        ((float(width), t * height), np.pi),
    )[int(rng.integers(4))]
    length = min(height, width) * float(rng.uniform(0.08, 0.5))
    path = wander(start, angle + rng.normal(0, 0.35), length, rng, bend=0.4, jitter=0.2, kinks=1.0)
    n = len(path)
    narrowing = 1 - np.arange(n, dtype=np.float32) / n
    ragged = np.exp(0.3 * smooth_line(n, 3 / STEP_PX, rng))
    radius = np.asarray(scale * rng.uniform(1.0, 4.5) * narrowing * ragged, np.float32)
    paper = np.asarray(radius * rng.uniform(1.1, 1.6) + 0.7 * scale, np.float32)
    stamp(fibres, path, paper, np.full(n, 0.95, np.float32), edge_px=0.6)
    stamp(gone, path, radius, np.clip(2.5 * narrowing, 0, 1), edge_px=0.5)


def blocks(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    block_px: int | None = None,
) -> list[Layer]:
    """Missing blocks of a broken transmission or a damaged file: runs of blocks on the codec's grid.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: runs; None draws 3–12.
        block_px: side of a block; None takes 8 (JPEG) or 16 (JPEG 4:2:0, video).

    Returns:
        One layer: grey, black, or the green that zeroed chroma gives.
    """
    rng = as_generator(seed, "blocks")
    side = block_px or int(rng.choice([8, 16]))
    opacity = new_opacity(size)
    columns = -(-size[1] // side)
    for _ in range(count if count is not None else int(rng.integers(3, 13))):
        row, column = int(rng.integers(-(-size[0] // side))), int(rng.integers(columns))
        run = min(1 + int(rng.geometric(0.25)), columns)
        rows = slice(row * side, (row + int(rng.integers(1, 3))) * side)
        opacity[rows, column * side : (column + run) * side] = 1
    colour = ((128, 128, 128), (0, 0, 0), (0, 135, 0))[int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
    return [Layer(opacity, "dark", colour=colour, grain=0)]
