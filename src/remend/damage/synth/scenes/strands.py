"""What grows or is spun: hair, whiskers, webs, grass, twigs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.noise import smooth_line, smooth_plane
from remend.damage.synth.scenes.view import View
from remend.picture import Float

__all__ = ["grass", "hair", "twigs", "web", "whiskers"]


def hair(view: View) -> None:
    """Strands, backlit or dark, from a head, a fur's rim or out of the frame."""
    rng, (h, w) = view.rng, view.size
    cx, cy = rng.uniform(0.1, 0.9) * w, rng.uniform(0.3, 1.1) * h
    radius = view.short * float(rng.uniform(0.1, 0.5))
    bright = rng.random() < 0.6
    if rng.random() < 0.6:
        sheet = view.sheet()
        view.disc(sheet, cx, cy, radius)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        locks = np.cos(14 * np.arctan2(y - cy, x - cx) + 3 * smooth_plane(view.size, radius / 3, rng))
        view.lay(view.cover(sheet, radius / 8), view.dark_tone() * (0.5 + 0.3 * locks)[:, :, None])
    sheet = view.sheet()
    comb, swirl = float(rng.uniform(-1, 1)), float(rng.normal(0, 1.0))
    count = int(np.exp(rng.uniform(np.log(30), np.log(260))))
    for root in rng.uniform(0, 2 * np.pi, count).tolist():
        n = 24
        length = radius * float(rng.uniform(0.3, 2.4))
        clump = 0.25 * math.sin(9 * root)
        heading = root + comb + clump + swirl * np.linspace(0, 1, n) + 0.5 * smooth_line(n, 12, rng)
        start = np.array([cx + radius * 0.95 * math.cos(root), cy + radius * 0.95 * math.sin(root)])
        path = start + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / n, axis=0)
        wide = view.unit * float(rng.uniform(0.35, 1.3)) * np.linspace(1.1, 0.4, n)
        view.line(sheet, path, wide, int(rng.integers(120, 256)))
    tone = view.bright_tone() * np.array([1.05, 0.95, 0.8]) if bright else view.dark_tone() * 0.7
    view.lay(view.cover(sheet), tone, lit=0.6)


def whiskers(view: View) -> None:
    """Bent hairs that thin out, to both sides of a point."""
    rng, (h, w) = view.rng, view.size
    x, y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h
    sheet = view.sheet()
    for side in (-1, 1):
        for _ in range(int(rng.integers(4, 11))):
            n = 20
            start = np.array(
                [x + side * rng.uniform(0.03, 0.08) * view.short, y + rng.normal(0, 0.025) * view.short]
            )
            heading = float(rng.normal(0, 0.35)) + float(rng.normal(0, 0.5)) * np.linspace(0, 1, n)
            length = view.short * float(rng.uniform(0.12, 0.4))
            step = np.stack([side * np.cos(heading), np.sin(heading)], axis=1) * length / n
            view.line(
                sheet,
                start + np.cumsum(step, axis=0),
                view.unit * rng.uniform(0.5, 1.8) * np.linspace(1, 0.25, n),
            )
    view.lay(view.cover(sheet), view.tone(0.2), lit=0.6)


def web(view: View) -> None:
    """A spider's web, at times with dew."""
    rng, (h, w) = view.rng, view.size
    x, y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h
    spokes, rings = int(rng.integers(10, 30)), int(rng.integers(8, 30))
    reach = view.short * float(rng.uniform(0.3, 0.8))
    angles = np.sort(np.linspace(0, 2 * np.pi, spokes, endpoint=False) + rng.normal(0, 0.06, spokes))
    squash, turn = float(rng.uniform(0.5, 1.0)), float(rng.uniform(0, np.pi))
    c, s = math.cos(turn), math.sin(turn)

    def place(r: NDArray[np.float64], t: NDArray[np.float64]) -> Float:
        u, v = r * np.cos(t), squash * r * np.sin(t)
        return np.asarray(np.stack([x + u * c - v * s, y + u * s + v * c], axis=1), np.float32)

    sheet = view.sheet()
    thin = view.unit * float(rng.uniform(0.3, 0.9))
    for t in angles.tolist():
        view.line(sheet, place(np.array([0, 1.5 * reach]), np.array([t, t])), thin, 220)
    for k in range(rings):
        r = reach * (k + 1.5) / rings
        for a, b in zip(angles, np.append(angles[1:], angles[0] + 2 * np.pi), strict=True):
            m = np.linspace(0, 1, 6)
            # Threads between two spokes hang towards the hub.
            view.line(
                sheet,
                place(r * (1 - 0.25 * m * (1 - m)) * (1 + 0.01 * rng.normal()), a + (b - a) * m),
                thin,
                180,
            )
    cover = view.cover(sheet) * np.clip(
        0.65 + 0.3 * smooth_plane(view.size, view.short / 4, rng, octaves=1), 0.1, 1
    )
    if rng.random() < 0.3:  # dew
        drops = view.sheet()
        for t in rng.choice(angles, 80).tolist():
            point = place(np.array([rng.uniform(0.1, 1) * reach]), np.array([t]))[0]
            view.disc(drops, float(point[0]), float(point[1]), view.unit * float(rng.uniform(0.6, 1.6)))
        cover = np.maximum(cover, view.cover(drops))
    view.lay(cover, view.bright_tone(), lit=0.4)


def grass(view: View) -> None:
    """Blades that bend in one wind, the far ones softer."""
    rng, (h, w) = view.rng, view.size
    wind = float(rng.normal(0, 0.3))
    dry = rng.random() < 0.3
    for depth in range(3):
        tone = (
            np.array([0.5, 0.42, 0.2] if dry else [0.16, 0.3, 0.05])
            * rng.uniform(0.3, 1.6)
            * view.high.mean()
        )
        sheet = view.sheet()
        for _ in range(int(rng.integers(15, 80))):
            n = 14
            x, y = rng.uniform(-0.05, 1.05) * w, h * (1.02 - 0.05 * (2 - depth) * rng.random())
            length = h * float(rng.uniform(0.08, 0.5))
            heading = (
                -np.pi / 2
                + float(rng.normal(0, 0.2))
                + (wind + float(rng.normal(0, 0.5))) * np.linspace(0, 1, n) ** 2
            )
            path = np.array([x, y]) + np.cumsum(
                np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / n, axis=0
            )
            view.line(
                sheet,
                path,
                view.unit * rng.uniform(0.8, 2.6) * np.linspace(1, 0.15, n),
                int(rng.integers(150, 256)),
            )
        view.lay(view.cover(sheet, 0.6 * (2 - depth) * rng.random()), tone, lit=0.5)


def twigs(view: View) -> None:
    """Branches that grow into the frame and fork."""
    rng, (h, w) = view.rng, view.size
    sheet = view.sheet()

    def grow(x: float, y: float, heading: float, length: float, wide: float, depth: int) -> None:
        n = 8
        bent = heading + float(rng.normal(0, 0.35)) * np.linspace(0, 1, n) + 0.15 * smooth_line(n, 3, rng)
        path = np.array([x, y]) + np.cumsum(
            np.stack([np.cos(bent), np.sin(bent)], axis=1) * length / n, axis=0
        )
        view.line(sheet, path, np.linspace(wide, 0.65 * wide, n))
        if depth:
            for _ in range(int(rng.integers(2, 4))):
                k = int(rng.integers(n // 2, n))
                px, py = path[k].tolist()
                grow(
                    px,
                    py,
                    float(bent[k] + rng.normal(0, 0.6)),
                    length * float(rng.uniform(0.55, 0.85)),
                    wide * 0.62,
                    depth - 1,
                )

    for _ in range(int(rng.integers(1, 4))):
        side = int(rng.integers(4))
        x, y, heading = [
            (0.0, rng.uniform(0, h), 0.0),
            (w, rng.uniform(0, h), np.pi),
            (rng.uniform(0, w), h, -np.pi / 2),
            (rng.uniform(0, w), 0.0, np.pi / 2),
        ][side]
        grow(
            float(x),
            float(y),
            heading + float(rng.normal(0, 0.4)),
            0.28 * view.short,
            view.unit * float(rng.uniform(2, 8)),
            4,
        )
    view.lay(view.cover(sheet, float(rng.choice([0, 0, rng.uniform(0, 1.5)]))), view.tone(0.85))
