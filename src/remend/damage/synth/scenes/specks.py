"""What is small and many: rain, snow, stars, confetti, glints."""

from __future__ import annotations

import math

import cv2
import numpy as np

from remend.damage.synth.scenes.view import View

__all__ = ["confetti", "glints", "rain", "snow", "stars"]


def rain(view: View) -> None:
    """Slanting streaks, the near ones longer and softer."""
    rng, (h, w) = view.rng, view.size
    slant = float(rng.normal(0, 0.25))
    for depth in range(3):
        sheet = view.sheet()
        length = view.short * float(rng.uniform(0.02, 0.07)) * (1 + depth)
        count = int(h * w / view.short**2 * rng.uniform(30, 220) / (1 + depth))
        for x, y, s in rng.random((count, 3)).tolist():
            reach = length * (0.6 + 0.8 * s)
            a = np.array([x * w * 1.2 - 0.1 * w, y * h * 1.2 - 0.1 * h])
            view.line(
                sheet,
                [a, a + reach * np.array([math.sin(slant), math.cos(slant)])],
                (0.4 + 0.35 * depth) * view.unit,
                130,
            )
        strength = np.float32(rng.uniform(0.2, 0.75))
        view.lay(view.cover(sheet, 0.3 * depth) * strength, view.high * 0.9, lit=0.4)


def snow(view: View) -> None:
    """Flakes, the near ones larger and out of focus; some leave a trail."""
    rng, (h, w) = view.rng, view.size
    drift, fast = float(rng.normal(0, 0.6)), float(rng.choice([0, 0, rng.uniform(1, 5)]))
    for depth in range(4):
        sheet = view.sheet()
        radius = view.unit * 0.55 * 1.75**depth
        count = int(h * w / view.short**2 * rng.uniform(60, 300) / 2.4**depth)
        for x, y, s in rng.random((count, 3)).tolist():
            r = radius * (0.6 + 0.8 * s)
            if fast:
                tail = fast * r * np.array([math.sin(drift), math.cos(drift)])
                view.line(sheet, [(x * w, y * h), np.array([x * w, y * h]) + tail], 2 * r, 230)
            else:
                view.disc(sheet, x * w, y * h, r, 150 + int(100 * s))
        blur = (0.35 + 0.45 * depth) * view.unit
        view.lay(view.cover(sheet, blur), np.maximum(view.high, 0.5) * float(rng.uniform(0.8, 1.1)), lit=0.3)


def stars(view: View) -> None:
    """Night falls: stars as points with a halo, or as arcs of a long exposure."""
    rng, (h, w) = view.rng, view.size
    night = view.soft * float(rng.uniform(0.005, 0.05)) + np.array([0.0005, 0.0008, 0.002]) * rng.uniform(
        0, 6
    )
    keep = np.clip((np.arange(h, dtype=np.float32) / h - rng.uniform(0.3, 1.2)) * 6, 0, 1)[:, None, None]
    dim = view.light * np.float32(rng.uniform(0.02, 0.2))
    view.light = (night + (dim - night) * keep).astype(np.float32)
    view.noise = max(view.noise, float(rng.uniform(0, 4)))
    view.lay(np.full(view.size, 1e-3, np.float32), view.light, lit=0.0)
    count = int(h * w / view.short**2 * np.exp(rng.uniform(np.log(40), np.log(900))))
    magnitude = np.minimum(0.012 * rng.pareto(0.9, count) + 0.012, 1.0)
    if rng.random() < 0.2:  # a long exposure: arcs about the pole
        px, py, arc = rng.uniform(0, w), rng.uniform(-0.3, 0.8) * h, float(rng.uniform(0.1, 0.9))
        sheet = view.sheet()
        for x, y, m in zip(
            rng.uniform(0, w, count).tolist(),
            rng.uniform(0, h, count).tolist(),
            magnitude.tolist(),
            strict=True,
        ):
            t = math.atan2(y - py, x - px) + np.linspace(0, arc, 12)
            r = math.hypot(x - px, y - py)
            view.line(
                sheet,
                np.stack([px + r * np.cos(t), py + r * np.sin(t)], axis=1),
                0.7 * view.unit,
                int(60 + 195 * m**0.5),
            )
        view.add(view.cover(sheet) * (1 - keep[:, :, 0]), rng.uniform(0.5, 1.0, 3))
        return
    points = np.zeros((h, w, 3), np.float32)
    x, y = rng.integers(0, w, count), rng.integers(0, h, count)
    colour = np.clip(1 + rng.normal(0, 0.25, (count, 1)) * np.array([1, 0.1, -1]), 0.2, 1.6)
    points[y, x] = magnitude[:, None] * colour * (1 - keep[y, 0])
    sigma = float(rng.uniform(0.5, 1.3)) * view.unit
    glow = cv2.GaussianBlur(points, (0, 0), sigma) * np.float32(2 * np.pi * sigma**2)
    halo = cv2.GaussianBlur(np.where(points > 0.5, points, 0), (0, 0), 4 * sigma) * np.float32(12 * sigma**2)
    view.light = np.asarray(view.light + glow + halo, np.float32)


def confetti(view: View) -> None:
    """Paper snippets and streamers in a few colours."""
    rng, (h, w) = view.rng, view.size
    for depth in range(2):
        for _ in range(3):
            sheet = view.sheet()
            hue = np.array([[[rng.uniform(0, 360), rng.uniform(0.3, 0.95), 1.0]]], np.float32)
            colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0] ** 2 * view.high.mean()
            for _ in range(int(rng.integers(4, 36 - 12 * depth))):
                x, y, turn = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0, np.pi)
                a, b = view.unit * (1.6 + 2.6 * depth) * rng.uniform(0.5, 1.6, 2)
                u = np.array([math.cos(turn), math.sin(turn)])
                v = np.array([-u[1], u[0]])
                middle = np.array([x, y])
                if rng.random() < 0.12:
                    path = (
                        middle
                        + np.outer(np.linspace(0, 12 * a, 20), u)
                        + np.outer(2 * b * np.sin(np.linspace(0, 9, 20)), v)
                    )
                    view.line(sheet, path, max(0.8, 0.5 * b))
                else:
                    view.area(
                        sheet,
                        [
                            middle + a * u + b * v,
                            middle - a * u + b * v,
                            middle - a * u - b * v,
                            middle + a * u - b * v,
                        ],
                    )
            view.lay(view.cover(sheet, depth * float(rng.uniform(0, 1.4)) * view.unit), colour, lit=0.6)


def glints(view: View) -> None:
    """Sparkles on water, lamps at night, drops: points of light in bands."""
    rng, (h, w) = view.rng, view.size
    sheet = view.sheet()
    horizon = float(rng.uniform(0.2, 0.9))
    for _ in range(int(np.exp(rng.uniform(np.log(30), np.log(400))))):
        depth = float(rng.random()) ** 0.7
        x, y = rng.uniform(0, w), h * (horizon + depth * (1 - horizon))
        a = view.unit * (0.4 + 2.2 * depth * rng.random())
        half = float(rng.choice([1, 1, 2, 3])) * a
        view.line(sheet, [(x - half, y), (x + half, y)], 0.9 * a, int(rng.integers(120, 256)))
    view.add(view.cover(sheet), np.maximum(view.high, 0.35) * float(rng.uniform(0.5, 1.2)))
