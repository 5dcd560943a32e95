"""Pictures with the tones of a photograph, to show in graphics or to make prints after."""

from __future__ import annotations

import math

import cv2
import numpy as np

from remend.damage.synth.graphics.colours import pick_colour
from remend.damage.synth.graphics.pen import Picture8, Rng, Size
from remend.damage.synth.noise import smooth_plane
from remend.picture import Float

__all__ = ["photo_grey", "photo_like"]


def photo_like(size: Size, rng: Rng, photo: Picture8 | None) -> Picture8:
    """A photograph-like picture of ``size``: a part of ``photo``, or soft shaded bodies before a backdrop."""
    height, width = size
    if photo is not None:
        share = float(rng.uniform(0.55, 1.0)) * min(photo.shape[0] / height, photo.shape[1] / width)
        h, w = max(2, int(height * share)), max(2, int(width * share))
        top = int(rng.integers(0, photo.shape[0] - h + 1))
        left = int(rng.integers(0, photo.shape[1] - w + 1))
        part = photo[top : top + h, left : left + w]
        way = cv2.INTER_AREA if h > height else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (width, height), interpolation=way), np.uint8)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    short = float(min(size))
    turn = rng.uniform(0, 2 * np.pi)
    light = 0.5 + 0.4 * (np.cos(turn) * (x / width - 0.5) + np.sin(turn) * (y / height - 0.5))
    light = light + 0.08 * smooth_plane(size, short / 3, rng)
    grey = light
    for _ in range(int(rng.integers(2, 7))):
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        a, b = rng.uniform(0.08, 0.4, 2) * short
        s, c = math.sin(turn := float(rng.uniform(0, np.pi))), math.cos(turn)
        u, v = ((x - cx) * c + (y - cy) * s) / a, ((y - cy) * c - (x - cx) * s) / b
        inside = np.clip((1 - np.hypot(u, v)) * short / 8, 0, 1)
        body = rng.uniform(0.1, 0.8) + 0.35 * (u * rng.uniform(-1, 1) - v) * 0.6
        grey = grey + (body - grey) * inside
    grey = np.clip(grey + 0.06 * smooth_plane(size, short / 12, rng, octaves=4), 0, 1)[:, :, None]
    tint = np.asarray(pick_colour(rng, (0, 0.5), (0.8, 1.0)), np.float32) / 255
    return np.asarray(255 * grey ** (1.4 - 0.4 * tint), np.uint8)


def photo_grey(size: Size, rng: Rng, photo: Picture8 | None) -> Float:
    """The grey of ``photo_like`` in 0–1, stretched to both ends."""
    grey = cv2.cvtColor(photo_like(size, rng, photo), cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = np.percentile(grey, (1, 99))
    return np.asarray(np.clip((grey - low) / max(high - low, 8.0), 0, 1), np.float32)
