"""A photograph with strokes that nobody could miss, for tests of what becomes of a find."""

import cv2
import numpy as np
from skimage import data


def strokes(picture, value, count, seed=0):
    """Bent strokes 3 px wide laid over a picture: it, and (H, W) bool where they are."""
    rng = np.random.default_rng(seed)
    ink = np.zeros(picture.shape[:2], np.uint8)
    for _ in range(count):
        x, y = rng.uniform(20, picture.shape[1] - 20, 2)
        angle, length, t = rng.uniform(0, np.pi), rng.uniform(60, 160), np.linspace(0, 1, 40)
        along = np.stack([x + length * t * np.cos(angle), y + length * t * np.sin(angle)], axis=1)
        bent = along + np.stack([6 * np.sin(4 * t), 6 * np.cos(5 * t)], axis=1)
        cv2.polylines(ink, [np.rint(bent * 16).astype(np.int32)], False, 255, 3, cv2.LINE_AA, 4)
    share = ink[..., None] / 255
    return np.rint(picture * (1 - share) + value * share).astype(np.uint8), ink > 100


def worn(name="astronaut", value=250, count=14):
    """``strokes`` over a part of one of scikit-image's photographs."""
    return strokes(np.ascontiguousarray(getattr(data, name)()[:300, :384]), value, count)
