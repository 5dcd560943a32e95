"""The dates that cameras write: of segments, dots or type, on film or in the file."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.glyphs import Fonts, pasted, pick_face, render, scaled, thickened
from remend.damage.synth.layers import Layer, new_opacity
from remend.picture import Float

__all__ = ["camera_date"]

_Colour = tuple[int, int, int]

# Segments of a seven-segment digit on a 2 × 4 cell: (x0, y0, x1, y1), and which are lit.
_SEGMENTS = (
    (0, 0, 2, 0),
    (2, 0, 2, 2),
    (2, 2, 2, 4),
    (0, 4, 2, 4),
    (0, 2, 0, 4),
    (0, 0, 0, 2),
    (0, 2, 2, 2),
)
_LIT = ("012345", "12", "01346", "01236", "1256", "02356", "023456", "012", "0123456", "012356")
_MARKS: dict[str, list[tuple[float, float, float, float]]] = {
    "'": [(1.6, 0.0, 1.4, 0.9)],
    ":": [(1.0, 1.1, 1.0, 1.2), (1.0, 2.8, 1.0, 2.9)],
    ".": [(0.6, 3.9, 0.6, 4.0)],
    "-": [(0.3, 2.0, 1.7, 2.0)],
    "/": [(1.8, 0.2, 0.4, 3.8)],
}

# Core and glow: what shines through film from behind, and what a video camera writes.
_LIGHTS: tuple[tuple[_Colour, _Colour], ...] = (
    ((255, 170, 70), (240, 80, 20)),
    ((255, 215, 90), (230, 120, 20)),
    ((255, 110, 60), (200, 30, 10)),
    ((255, 235, 60), (200, 150, 0)),
    ((250, 250, 245), (180, 180, 190)),
    ((150, 255, 120), (40, 160, 40)),
)


def camera_date(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts = ()) -> list[Layer]:
    """A date, or a day and a time, in a corner of the picture; glowing where film was exposed.

    Args:
        size: (height, width) in pixels.
        rng: to draw from.
        fonts: paths of fonts for dates of type.
    """
    height, width = size
    tall = max(7.0, min(size) * float(rng.uniform(0.025, 0.07)))
    kind = rng.choice(["segments", "dots", "type"], p=[0.55, 0.15, 0.3])
    line = _day(rng)
    if kind == "segments":
        cover = _segments(line, tall)
    elif kind == "dots":
        small = (render(line, 10.0) > 0.45).astype(np.float32)
        cell = max(1, round(tall / 8))
        dot = np.ones((cell, cell), np.float32)
        if cell >= 3:
            dot[-1], dot[:, -1] = 0.3, 0.3
        cover = np.asarray(np.kron(small, dot), np.float32)
    else:
        cover = render(line, tall * 1.3, pick_face(rng, fonts))
    if cover.shape[1] > 0.9 * width:
        cover = scaled(cover, 0.9 * width / cover.shape[1])
    if rng.random() < 0.08:  # the camera was held upright
        cover = np.ascontiguousarray(np.rot90(cover, int(rng.choice([1, 3]))))
    margin_y, margin_x = (min(size) * rng.uniform(0.02, 0.09, 2)).astype(int).tolist()
    top = height - margin_y - cover.shape[0] if rng.random() < 0.82 else margin_y
    left = width - margin_x - cover.shape[1] if rng.random() < 0.75 else margin_x
    core, glow = new_opacity(size), new_opacity(size)
    pasted(core, cover * np.float32(rng.uniform(0.8, 1.0)), top, left)
    shine, halo_colour = _LIGHTS[int(rng.choice(6, p=[0.4, 0.17, 0.13, 0.12, 0.12, 0.06]))]
    if rng.random() < 0.35:  # written by a digital camera: hard, at times with a dark rim
        layers = [Layer(core, "bright", colour=shine, grain=0)]
        if rng.random() < 0.5:
            rim = np.ascontiguousarray(thickened(core, 1)[1:-1, 1:-1])
            layers.insert(0, Layer(rim, "dark", colour=(10, 10, 10), grain=0))
        return layers
    reach = max(2, round(tall / 3))
    halo = cv2.GaussianBlur(np.pad(cover, reach), (0, 0), reach / 2.5) * np.float32(rng.uniform(0.4, 0.8))
    pasted(glow, np.asarray(halo, np.float32), top - reach, left - reach)
    return [Layer(glow, "bright", colour=halo_colour), Layer(core, "bright", colour=shine)]


def _day(rng: np.random.Generator) -> str:
    """A date as cameras write it."""
    year, month, day = int(rng.integers(1978, 2013)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    hour, minute, short = int(rng.integers(24)), int(rng.integers(60)), year % 100
    forms = (
        f"'{short:02d} {month:2d} {day:2d}",
        f"{month:2d} {day:2d} '{short:02d}",
        f"{day:2d}. {month:2d}. {short:02d}",
        f"{year}/{month:02d}/{day:02d}",
        f"{day:02d}-{month:02d}-{year}",
        f"{month:02d}/{day:02d}/{year} {hour:2d}:{minute:02d}",
        f"{year}. {month}. {day}",
        f"{day:2d} {hour:2d}:{minute:02d}",
    )
    return forms[int(rng.choice(len(forms), p=[0.3, 0.15, 0.12, 0.12, 0.08, 0.1, 0.06, 0.07]))]


def _segments(line: str, tall: float) -> Float:
    """(h, w) float32 coverage of seven-segment digits, slightly slanted."""
    zoom = 4
    unit = tall * zoom / 4
    advance = 3.2 * unit
    w, h = int(advance * len(line) + 2 * unit), int(tall * zoom + unit)
    canvas: NDArray[np.uint8] = np.zeros((h, w), np.uint8)
    thick = max(1, round(unit * 0.55))
    for index, sign in enumerate(line):
        x = index * advance + unit
        if sign in _MARKS:
            lit = _MARKS[sign]
        else:
            lit = [_SEGMENTS[int(s)] for s in _LIT[int(sign)]] if sign.isdigit() else []
        for x0, y0, x1, y1 in lit:
            shrink_x, shrink_y = 0.16 * np.sign(x1 - x0), 0.16 * np.sign(y1 - y0)
            ends = [
                (round(x + (u + 0.12 * (4 - v)) * unit), round((v + 0.5) * unit))
                for u, v in ((x0 + shrink_x, y0 + shrink_y), (x1 - shrink_x, y1 - shrink_y))
            ]
            cv2.line(canvas, ends[0], ends[1], 255, thick)
    small = cv2.resize(canvas, (max(1, w // zoom), max(1, h // zoom)), interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / 255)
