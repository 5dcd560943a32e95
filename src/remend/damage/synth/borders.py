"""Borders: what lies round the picture on a print or a plate, and the scanner's lid beyond."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_line, smooth_plane
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["borders"]


def borders(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Uneven borders of a print or a plate, in the frame of a scan.

    ``margin``: the white paper round a print, straight, wavy or with a deckle (its scalloped edge), at times
    with the scanner's lid beyond, worn corners and a shadow. ``rebate``: the black rim of a film or a plate,
    soft, uneven, with round inner corners. ``lid``: the print lies askew, and the lid is seen at its sides.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: sides that have a border, 1–4 (more are taken as 4); None draws all four in half of the cases.

    Returns:
        Layers from below: shadow, paper, lid or rebate; ready for ``mask_of`` and ``compose``.

    Cost: 4–12 ms at 512².
    """
    rng = as_generator(seed, "borders")
    sides = min(count, 4) if count is not None else int(rng.choice([1, 2, 3, 4], p=[0.2, 0.2, 0.1, 0.5]))
    which = rng.permutation(4)[:sides]
    kind = rng.choice(["margin", "rebate", "lid"], p=[0.4, 0.3, 0.3])
    short = min(size)
    # Mostly narrow; wide ones are rare.
    wide = short * float(np.exp(np.log(0.006) + np.log(24) * rng.beta(1.0, 1.4)))
    widths = np.full(4, -np.inf)
    widths[which] = wide * (rng.uniform(0.5, 2.0, sides) if rng.random() < 0.6 else 1.0)
    widths = np.minimum(widths, 0.3 * short)
    if kind == "rebate":
        return _rebate(size, widths, rng)
    return _paper(size, widths, rng, margin=kind == "margin")


def _inside(
    size: tuple[int, int],
    widths: np.ndarray,
    lean: float,
    wave: tuple[float, float],
    corner: float,
    rng: np.random.Generator,
) -> Float:
    """Distance to the nearest of the four edges: (H, W) float32, positive within the picture.

    Args:
        size: (height, width).
        widths: of the left, right, upper and lower border, pixels; −inf where there is none.
        lean: turn of the whole, radians.
        wave: how far the edges stray, and over how many, in pixels.
        corner: radius of the corners, pixels.
        rng: to draw from.
    """
    height, width = size
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    slope = np.float32(np.tan(lean))
    far = np.float32(4 * max(size))
    edges = []
    for k, (n, along, away) in enumerate(
        ((height, y, x), (height, y, width - 1 - x), (width, x, y), (width, x, height - 1 - y))
    ):
        if not np.isfinite(widths[k]):
            edges.append(np.full((1, 1), far))
            continue
        sign = np.float32(1 if k in (1, 2) else -1)
        stray = np.float32(wave[0]) * smooth_line(n, max(2.0, wave[1]), rng)
        stray = stray[:, None] if n == height and k < 2 else stray[None]
        edges.append(away - np.float32(widths[k]) + sign * slope * (along - n / 2) - stray)
    across, down = np.minimum(edges[0], edges[1]), np.minimum(edges[2], edges[3])
    if corner <= 0:
        return np.asarray(np.minimum(across, down), np.float32)
    r = np.float32(corner)
    rounded = r - np.hypot(np.maximum(r - across, 0), np.maximum(r - down, 0))
    return np.asarray(np.where((across < r) & (down < r), rounded, np.minimum(across, down)), np.float32)


def _rebate(size: tuple[int, int], widths: np.ndarray, rng: np.random.Generator) -> list[Layer]:
    """Black or dark, its inner edge soft and uneven; a plate's is ragged, with blots of its chemistry."""
    scale, short = scale_of(size), min(size)
    plate = rng.random() < 0.4
    stray = scale * float(rng.uniform(0.2, 1.5)) * (3 if plate else 1)
    corner = short * float(rng.choice([0.0, rng.uniform(0.01, 0.15)]))
    lean = float(rng.normal(0, 0.008))
    inside = _inside(size, widths, lean, (stray, scale * float(rng.uniform(8, 60))), corner, rng)
    if plate:
        inside = inside + scale * float(rng.uniform(1, 6)) * smooth_plane(
            size, scale * float(rng.uniform(12, 50)), rng
        )
    soft = scale * float(np.exp(rng.uniform(np.log(0.5), np.log(8 if plate else 3))))
    cover = np.clip(0.5 - inside / (2 * soft), 0, 1) * float(rng.uniform(0.9, 1.0))
    level = int(rng.choice([rng.uniform(0, 40), rng.uniform(225, 255)], p=[0.85, 0.15]))
    return [
        Layer(
            np.asarray(cover, np.float32),
            "dark",
            colour=(level, level, level),
            grain=float(rng.uniform(0, 4)),
        )
    ]


def _paper(
    size: tuple[int, int], widths: np.ndarray, rng: np.random.Generator, *, margin: bool
) -> list[Layer]:
    """The print's paper margin if ``margin``, and the lid beyond where the print ends within the frame."""
    scale, short = scale_of(size), min(size)
    lean = float(rng.normal(0, 0.012))
    paper, gone, shadow = (new_opacity(size) for _ in range(3))
    lidded = not margin or rng.random() < 0.5
    edge = widths * (rng.uniform(0.15, 0.6) if margin else 1.0)
    if margin:
        stray = scale * float(rng.choice([0.25, rng.uniform(0.5, 2.0)]))
        inside = _inside(size, widths, lean, (stray, scale * float(rng.uniform(20, 150))), 0.0, rng)
        paper = np.asarray(np.clip(0.5 - inside / np.float32(rng.uniform(1, 2.5)), 0, 1), np.float32)
    if not lidded:
        return [Layer(paper, "paper", grain=float(rng.uniform(1, 4)))]
    # The print's own edge: cut, worn, or deckled.
    how = rng.choice(["cut", "worn", "deckle"], p=[0.4, 0.35, 0.25])
    wave = {"cut": (0.2, 40.0), "worn": (1.2, 12.0), "deckle": (0.3, 40.0)}[str(how)]
    corner = short * float(rng.choice([0.0, rng.uniform(0.005, 0.06)], p=[0.6, 0.4]))
    end = _inside(size, edge, lean, (wave[0] * scale, wave[1] * scale), corner, rng)
    if how == "deckle":
        # Scallops: the knife's half rounds, all along.
        pitch, depth = scale * float(rng.uniform(5, 14)), scale * float(rng.uniform(1.0, 3.5))
        y, x = np.arange(size[0], dtype=np.float32)[:, None], np.arange(size[1], dtype=np.float32)[None]
        scallops = np.abs(np.sin(np.pi * x / pitch)) + np.abs(np.sin(np.pi * y / pitch)) - 1
        end = end - np.float32(depth) * scallops * (1 + 0.3 * smooth_line(size[1], pitch, rng)[None])
    fine = smooth_plane(size, 4 * scale, rng, octaves=2) * np.float32(scale * (0.8 if how == "worn" else 0.2))
    end = end + fine
    lost, layers = _lost_corners(size, edge, rng), []
    if lost is not None:
        end = np.minimum(end, lost + 1.5 * fine)
    if rng.random() < 0.5:  # the print lies above the lid: it throws a shadow inwards where it curls
        fall = scale * float(rng.uniform(1.5, 8))
        shadow = np.asarray(
            float(rng.uniform(0.15, 0.5)) * np.exp(-np.maximum(end, 0) / fall) * (end > -1), np.float32
        )
        layers.append(Layer(shadow, "dark", grain=0))
    # Fibres show where paper tore or wore.
    bare = scale * float(rng.uniform(0.5, 4.0)) if how == "worn" or lost is not None else 0.0
    if bare:
        np.maximum(paper, np.asarray(np.clip(bare - end + 0.5, 0, 1), np.float32), out=paper)
    gone = np.asarray(np.clip(0.5 - end, 0, 1), np.float32)
    level = int(
        rng.choice([rng.uniform(0, 25), rng.uniform(100, 160), rng.uniform(235, 255)], p=[0.35, 0.15, 0.5])
    )
    return [
        *layers,
        Layer(paper, "paper", grain=float(rng.uniform(1, 4))),
        Layer(gone, "paper", colour=(level, level, level), grain=1.0),
    ]


def _lost_corners(size: tuple[int, int], edge: np.ndarray, rng: np.random.Generator) -> Float | None:
    """Distance to the lines along which corners broke off, positive on the print; None where none did."""
    if rng.random() < 0.45:
        return None
    height, width = size
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    kept: Float | None = None
    for right, below in ((0, 0), (0, 1), (1, 0), (1, 1)):
        if rng.random() < 0.5:
            continue
        legs = min(size) * np.exp(rng.uniform(np.log(0.02), np.log(0.15), 2))
        legs += np.maximum([edge[right], edge[2 + below]], 0)
        u, v = (width - 1 - x if right else x), (height - 1 - y if below else y)
        inside = np.asarray(
            (u / np.float32(legs[0]) + v / np.float32(legs[1]) - 1) * np.float32(0.7 * legs.min())
        )
        kept = inside if kept is None else np.minimum(kept, inside)
    if kept is None:
        return None
    return np.asarray(
        kept + np.float32(0.02 * min(size)) * smooth_plane(size, 0.05 * min(size) + 4, rng), np.float32
    )
