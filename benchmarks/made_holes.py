"""Pictures and holes that anybody can make again, and what is measured in the hole."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth import make_mask

__all__ = ["CASES_512", "hole_figures", "picture", "strokes"]

CASES_512 = [
    ("astronaut", 11),
    ("astronaut", 12),
    ("coffee", 13),
    ("chelsea", 14),
    ("grass", 15),
    ("rocket", 16),
]
"""scikit-image's pictures, and the seeds of their masks: none that a parameter was chosen on."""


def picture(name: str, side_px: int) -> NDArray[np.uint8]:
    """A picture of ``skimage.data``, (side, side, 3) uint8: the left or upper square of it, resized."""
    from skimage import data

    image = np.asarray(getattr(data, name)())
    side = min(image.shape[:2])
    square = image[:side, :side] if image.ndim == 3 else np.dstack([image[:side, :side]] * 3)
    square = np.ascontiguousarray(square[..., :3])
    shrinks = side_px < side
    size = (side_px, side_px)
    resized = cv2.resize(square, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(resized, np.uint8)


def strokes(side_px: int, *, seed: int, share: float = 0.25) -> NDArray[np.bool_]:
    """LaMa's medium strokes over about ``share`` of a square."""
    ratio = (share - 0.01, share + 0.01)
    return np.asarray(make_mask("lama-medium", (side_px, side_px), seed=seed, ratio=ratio), np.bool_)


def hole_figures(
    filled: NDArray[np.float32], truth: NDArray[np.uint8], hole: NDArray[np.bool_]
) -> dict[str, float]:
    """PSNR in dB inside the hole, and SHARP: mean Sobel magnitude there, over the truth's."""
    composed = truth.astype(np.float32)
    composed[hole] = np.clip(np.rint(filled[hole]), 0, 255)
    error = np.mean((composed[hole] - truth[hole]) ** 2)

    def edges(image: NDArray[np.float32]) -> float:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
        return float(cv2.magnitude(across, down)[hole].mean())

    return {
        "psnr_db": float(10 * np.log10(255**2 / max(error, 1e-12))),
        "sharp": edges(composed) / max(edges(truth.astype(np.float32)), 1e-12),
    }
