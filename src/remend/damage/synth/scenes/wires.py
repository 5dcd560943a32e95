"""Wires, rigging, ropes, rims: round things that hang, stand or close."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from remend.damage.synth.scenes.rods import hanging, round_thing
from remend.damage.synth.scenes.view import View
from remend.picture import Float

__all__ = ["rigging", "rims", "ropes", "wires"]


def wires(view: View) -> None:
    """Wires that sag between the frame's sides and poles, at times with birds on them."""
    rng, (h, w) = view.rng, view.size
    blur = float(rng.choice([0, 0, rng.uniform(0, 1.5)]))
    for _ in range(int(rng.integers(1, 4))):
        tone = view.tone(0.65)
        steep = rng.random() < 0.15
        ya, yb = rng.uniform(-0.1, 0.9, 2) * h
        ends = (
            [(-0.05 * w, ya), (1.05 * w, yb)]
            if not steep
            else [(ya * w / h, -0.05 * h), (yb * w / h, 1.05 * h)]
        )
        wide = view.unit * float(np.exp(rng.uniform(np.log(0.5), np.log(3.2))))
        taper = float(rng.uniform(0.4, 1.0))
        gaps = rng.uniform(0.01, 0.07, 2) * h
        sag = float(rng.uniform(0, 0.12)) * h
        poles: list[float] = []
        if not steep and rng.random() < 0.4:
            poles = sorted(rng.uniform(0.05, 0.95, int(rng.integers(1, 3))).tolist())
        stops = [0.0, *poles, 1.0]
        paths: list[tuple[Float, Float]] = []
        for index in range(int(rng.integers(1, 7))):
            slack = sag * float(rng.uniform(0.85, 1.15)) / len(stops)
            for s0, s1 in pairwise(stops):
                a, b = (
                    (
                        ends[0][0] + (ends[1][0] - ends[0][0]) * s,
                        ends[0][1]
                        + (ends[1][1] - ends[0][1]) * s
                        + index * (gaps[0] + (gaps[1] - gaps[0]) * s),
                    )
                    for s in (s0, s1)
                )
                path = hanging(a, b, 0.0 if steep else slack)
                t = np.linspace(s0, s1, len(path))
                paths.append((path, (wide * (1 + (taper - 1) * t)).astype(np.float32)))
        round_thing(view, paths, tone, blur)
        if poles:
            sheet = view.sheet()
            for s in poles:
                x = ends[0][0] + (ends[1][0] - ends[0][0]) * s
                y = ends[0][1] + (ends[1][1] - ends[0][1]) * s
                thick = wide * float(rng.uniform(4, 9))
                view.line(sheet, [(x, y - 0.03 * h), (x + rng.normal(0, 3), 1.1 * h)], thick)
                for k in range(int(rng.integers(1, 3))):
                    arm = 0.05 * h
                    view.line(sheet, [(x - arm, y + k * 0.04 * h), (x + arm, y + k * 0.04 * h)], thick / 3)
            view.lay(view.cover(sheet, blur), view.dark_tone())
        if rng.random() < 0.2:  # birds sit on it
            sheet = view.sheet()
            path = paths[0][0]
            for _ in range(int(rng.integers(1, 9))):
                x, y = path[int(rng.integers(len(path)))].tolist()
                size = wide * 2 + view.unit * 1.5
                view.disc(sheet, x, y - size, size)
                view.disc(sheet, x + 0.7 * size, y - 2 * size, 0.6 * size)
            view.lay(view.cover(sheet, blur), view.dark_tone())


def rigging(view: View) -> None:
    """Masts with stays, shrouds and yards, or the cables of a bridge."""
    rng, (h, w) = view.rng, view.size
    paths = []
    for _ in range(int(rng.integers(1, 4))):
        x, top, foot = rng.uniform(0.05, 0.95) * w, rng.uniform(-0.2, 0.4) * h, rng.uniform(0.8, 1.1) * h
        lean = float(rng.normal(0, 0.04)) * h
        wide = view.unit * float(rng.uniform(1.5, 7))
        mast = hanging((x + lean, top), (x, foot), 0.0)
        paths.append((mast, (wide * np.linspace(0.5, 1, len(mast))).astype(np.float32)))
        thin = view.unit * float(rng.uniform(0.4, 1.4))
        for _ in range(int(rng.integers(2, 9))):
            at = mast[int(rng.integers(0, len(mast) // 2))]
            end = (x + rng.choice([-1, 1]) * rng.uniform(0.05, 0.5) * h, foot)
            stay = hanging(at.tolist(), end, float(rng.uniform(0, 0.02)) * h)
            paths.append((stay, np.full(len(stay), thin, np.float32)))
        if rng.random() < 0.4:  # shrouds with ratlines, or the cables of a bridge
            base = np.linspace(-0.12, 0.12, 5) * h + x
            for b in base.tolist():
                line = hanging((x + lean / 2, (top + foot) / 2), (b, foot), 0.0, 2)
                paths.append((line, np.full(2, thin, np.float32)))
            for s in np.linspace(0.15, 0.95, 14).tolist():
                y = (top + foot) / 2 + s * (foot - top) / 2
                a, b = x + s * (base[0] - x), x + s * (base[-1] - x)
                paths.append((hanging((a, y), (b, y), 1.0, 4), np.full(4, 0.8 * thin, np.float32)))
        for _ in range(int(rng.integers(0, 3))):
            y, half = rng.uniform(top, foot), rng.uniform(0.05, 0.2) * h
            yard = hanging((x - half, y), (x + half, y + rng.normal(0, 5)), 0.0)
            paths.append((yard, np.full(len(yard), 0.6 * wide, np.float32)))
    round_thing(view, paths, view.tone(0.7))


def ropes(view: View) -> None:
    """Hanging ropes with a visible twist."""
    rng, (h, w) = view.rng, view.size
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        wide = view.unit * float(rng.uniform(2.5, 10))
        path = hanging(
            (-0.05 * w, rng.uniform(0, 1) * h),
            (1.05 * w, rng.uniform(0, 1) * h),
            float(rng.uniform(0, 0.3)) * h,
        )
        if rng.random() < 0.3:
            path = path[:, ::-1] * np.float32(w / h)
        sheet = view.sheet()
        view.line(sheet, path, wide)
        cover = view.cover(sheet)
        heading = math.atan2(*(path[-1] - path[0])[::-1].tolist()) + 0.9
        twist = 0.5 + 0.5 * np.cos(2 * np.pi * (x * math.cos(heading) + y * math.sin(heading)) / (0.7 * wide))
        tone = view.tone(0.4)[None, None] * (0.55 + 0.6 * twist)[:, :, None]
        view.lay(cover, tone)


def rims(view: View) -> None:
    """Spectacle rims, wheels with spokes, hoops: thin closed curves."""
    rng, (h, w) = view.rng, view.size
    x, y, r = (
        rng.uniform(0.25, 0.75) * w,
        rng.uniform(0.25, 0.75) * h,
        view.short * float(rng.uniform(0.06, 0.3)),
    )
    squash, turn = float(rng.uniform(0.5, 1)), float(rng.normal(0, 0.25))
    t = np.linspace(0, 2 * np.pi, 60)
    wide = view.unit * float(rng.uniform(0.7, 4))
    paths = []

    def oval(cx: float, cy: float, size: float) -> Float:
        u, v = size * np.cos(t), squash * size * np.sin(t)
        return np.asarray(
            np.stack(
                [cx + u * math.cos(turn) - v * math.sin(turn), cy + u * math.sin(turn) + v * math.cos(turn)],
                axis=1,
            ),
            np.float32,
        )

    if rng.random() < 0.5:
        r *= 0.5
        for side in (-1.25, 1.25):
            paths.append(
                (
                    oval(x + side * r * math.cos(turn), y + side * r * math.sin(turn), r),
                    np.full(60, wide, np.float32),
                )
            )
        bridge = hanging((x - 0.25 * r, y), (x + 0.25 * r, y), -0.15 * r)
        paths.append((bridge, np.full(len(bridge), wide, np.float32)))
        temple = hanging((x + 2.25 * r, y), (x + 3.6 * r, y - 0.2 * r), 0.0)
        paths.append((temple, np.full(len(temple), wide, np.float32)))
    else:
        rim = oval(x, y, r)
        paths.append((rim, np.full(60, wide, np.float32)))
        for k in range(0, 60, int(rng.choice([2, 3, 4, 5, 60]))):
            paths.append(
                (np.stack([np.array([x, y], np.float32), rim[k]]), np.full(2, 0.35 * wide, np.float32))
            )
    round_thing(view, paths, view.tone(0.5))
