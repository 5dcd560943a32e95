"""Metrics of likeness: pure functions of two pictures, and a hole where it counts.

All but `measure_bands` take uint8 RGB pictures, whole or in the hole only. Compose first (``compose``): what
a method did outside the hole is another question than how well it filled.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError
from remend.picture import Bool

__all__ = [
    "METRICS",
    "PSNR_LIMIT_DB",
    "checked",
    "compose",
    "l1",
    "measure",
    "measure_bands",
    "psnr",
    "sharp",
    "ssim",
    "ws_psnr",
]

Image = NDArray[np.uint8]

PSNR_LIMIT_DB = 100.0
"""What a perfect picture gets, so that a mean over pictures stays finite."""

_SSIM_RADIUS = 5
_SSIM_SIGMA = 1.5
_STRIP = 256


def compose(output: Image, target: Image, hole: Bool) -> Image:
    """``output`` in the hole, ``target`` elsewhere: (H, W, 3) uint8, a new array.

    Raises:
        EvaluationError: shapes or types differ.
    """
    checked(output, target, hole)
    return np.where(hole[:, :, None], output, target)


def psnr(output: Image, target: Image, hole: Bool | None = None) -> float:
    """Peak signal-to-noise ratio in dB over all samples, or those in the hole; at most 100.

    One mean square over the three channels, as the inpainting papers do; means over pictures are
    means of dB. Higher is better. An empty hole gives NaN.

    >>> black = np.zeros((4, 4, 3), np.uint8)
    >>> round(psnr(black + np.uint8(16), black), 2), psnr(black, black)
    (24.05, 100.0)
    """
    difference = _difference(output, target, hole)
    if not difference.size:
        return float("nan")
    mean_square = float(np.mean(np.square(difference), dtype=np.float64))
    if mean_square == 0:
        return PSNR_LIMIT_DB
    return min(PSNR_LIMIT_DB, 10 * float(np.log10(255.0**2 / mean_square)))


def ws_psnr(output: Image, target: Image, hole: Bool | None = None) -> float:
    """PSNR of a 360° panorama, each pixel weighed by how much of the sphere it shows; at most 100 dB.

    The pictures are equirectangular: the weight of a row is the cosine of its latitude. NaN for no hole.

    Reference: Sun, Lu, Yu, "Weighted-to-Spherically-Uniform Quality Evaluation for Omnidirectional Video",
    IEEE SPL 2017.

    >>> black = np.zeros((4, 8, 3), np.uint8)
    >>> round(ws_psnr(black + np.uint8(16), black), 2)
    24.05
    """
    checked(output, target, hole)
    height, width = target.shape[:2]
    latitude = ((np.arange(height) + 0.5) / height - 0.5) * np.pi
    weight = np.broadcast_to(np.cos(latitude)[:, None], (height, width))
    weight = weight.ravel() if hole is None else weight[hole]
    if not weight.size:
        return float("nan")
    squares = np.square(_difference(output, target, hole).reshape(-1, 3)).mean(axis=1, dtype=np.float64)
    mean_square = float((squares * weight).sum() / weight.sum())
    if mean_square == 0:
        return PSNR_LIMIT_DB
    return min(PSNR_LIMIT_DB, 10 * float(np.log10(255.0**2 / mean_square)))


def l1(output: Image, target: Image, hole: Bool | None = None) -> float:
    """Mean absolute difference as a share of the range, 0–1. Papers give it in per cent. NaN for no hole."""
    difference = _difference(output, target, hole)
    if not difference.size:
        return float("nan")
    return float(np.mean(np.abs(difference), dtype=np.float64)) / 255


def ssim(output: Image, target: Image, hole: Bool | None = None) -> float:
    """Structural similarity, mean of the three channels; 1 = equal.

    Gaussian window of 11 px, σ 1.5, population covariance, K = (0.01, 0.03), range 255; the 5 px along
    the border, where the window leaves the picture, do not count. In the hole: the mean of the
    similarity map over the hole's pixels.

    The same as scikit-image's ``structural_similarity(…, gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255, channel_axis=2)``.

    Returns:
        NaN for pictures below 11 px, and for a hole that lies within 5 px of the border.

    Cost: about 0.3 µs a pixel; memory for strips of 256 rows.

    Reference: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
    IEEE TIP 2004.
    """
    checked(output, target, hole)
    whole, inside = _ssim_means(output, target, hole)
    return whole if hole is None else inside


def sharp(output: Image, target: Image, hole: Bool | None = None) -> float:
    """Sharpness against the truth: mean gradient magnitude of grey, output over target.

    Sobel 3×3 of the composed grey picture, in the hole. 1 = as sharp as the truth; below, fog; above,
    noise or ringing. It does not say whether the texture is the right one.

    Returns:
        NaN where the truth has no gradient at all, or the hole is empty.
    """
    checked(output, target, hole)
    got, true = _gradient(output), _gradient(target)
    if hole is not None:
        got, true = got[hole], true[hole]
    if not true.size:
        return float("nan")
    below = float(true.mean(dtype=np.float64))
    return float(got.mean(dtype=np.float64)) / below if below > 0 else float("nan")


METRICS: tuple[str, ...] = ("psnr", "psnr_hole", "ssim", "ssim_hole", "l1", "l1_hole", "sharp")
"""What ``measure`` computes, in this order."""


def measure(output: Image, target: Image, hole: Bool) -> dict[str, float]:
    """Every metric of one picture, by the names of ``METRICS``; NaN where one does not apply.

    Cost: about 0.3 s a megapixel, most of it for one SSIM map.
    """
    checked(output, target, hole)
    ssim_whole, ssim_hole = _ssim_means(output, target, hole)
    return {
        "psnr": psnr(output, target),
        "psnr_hole": psnr(output, target, hole),
        "ssim": ssim_whole,
        "ssim_hole": ssim_hole,
        "l1": l1(output, target),
        "l1_hole": l1(output, target, hole),
        "sharp": sharp(output, target, hole),
    }


def measure_bands(
    output: NDArray[Any], target: NDArray[Any], hole: Bool, *, peak: float | None = None
) -> dict[str, float]:
    """What remote sensing measures of a filled scene, in its hole: samples of any type, any number of bands.

    Args:
        output, target: (H, W) or (H, W, C) of one shape, any integer or floating-point type.
        hole: (H, W) bool; pixels that are not finite in ``target`` do not count.
        peak: of PSNR; None = the largest value of ``target``.

    Returns:
        ``mae``: mean absolute error, in the scene's units · ``psnr``: dB, at most 100 · ``cc``: Pearson's
        correlation, mean over bands, those without any spread left out · ``sam``: mean spectral angle between
        the pixels' vectors of bands, in degrees, 0 = of one colour. NaN where the hole is empty.

    Raises:
        EvaluationError: shapes differ.

    Reference: Kruse et al., The spectral image processing system (SIPS), Remote Sensing of Environment 1993.

    >>> scene = np.arange(12.0).reshape(2, 2, 3)
    >>> measure_bands(2 * scene, scene, np.ones((2, 2), bool))["sam"] < 1e-4
    True
    """
    if output.shape != target.shape or hole.shape != target.shape[:2]:
        raise EvaluationError(
            f"the output is {output.shape}, the target {target.shape} and the hole {hole.shape}: "
            "they must be of one size"
        )
    flat = target.reshape(*hole.shape, -1)
    where = hole & np.isfinite(flat).all(axis=2)
    got = output.reshape(flat.shape)[where].astype(np.float64)
    true = flat[where].astype(np.float64)
    if not true.size:
        return dict.fromkeys(("mae", "psnr", "cc", "sam"), float("nan"))
    top = float(np.nanmax(flat)) if peak is None else peak
    square = float(np.mean((got - true) ** 2))
    decibels = 10 * np.log10(top**2 / square) if square else PSNR_LIMIT_DB
    spread = (got.std(axis=0) > 0) & (true.std(axis=0) > 0)
    cc = [float(np.corrcoef(got[:, c], true[:, c])[0, 1]) for c in np.flatnonzero(spread)]
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(true, axis=1)
    cosine = (got * true).sum(axis=1)[lengths > 0] / lengths[lengths > 0]
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return {
        "mae": float(np.abs(got - true).mean()),
        "psnr": float(min(PSNR_LIMIT_DB, decibels)),
        "cc": float(np.mean(cc)) if cc else float("nan"),
        "sam": float(angles.mean()) if angles.size else float("nan"),
    }


def checked(output: Image, target: Image, hole: Bool | None = None, *, least_px: int = 1) -> None:
    """Hold two pictures and a hole to what metrics take.

    Raises:
        EvaluationError: not uint8 (H, W, 3), of different sizes, or a side below ``least_px``.
    """
    for name, image in (("output", output), ("target", target)):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise EvaluationError(f"the {name} must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
    if output.shape != target.shape:
        raise EvaluationError(
            f"the output is {_size(output)} and the target {_size(target)}: they must be equal"
        )
    if min(target.shape[:2]) < least_px:
        raise EvaluationError(f"the picture is {_size(target)}: this needs at least {least_px} px a side")
    if hole is not None and hole.shape != target.shape[:2]:
        raise EvaluationError(f"the hole is {_size(hole)} and the target {_size(target)}: they must be equal")


def _size(array: NDArray[np.generic]) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"


def _difference(output: Image, target: Image, hole: Bool | None) -> NDArray[np.float32]:
    checked(output, target, hole)
    a, b = (output, target) if hole is None else (output[hole], target[hole])
    return np.subtract(a, b, dtype=np.float32)


def _ssim_means(output: Image, target: Image, hole: Bool | None) -> tuple[float, float]:
    """Mean similarity of the whole picture and of the hole, from one pass over strips of rows."""
    height, width = target.shape[:2]
    r = _SSIM_RADIUS
    total, count, total_in, count_in = 0.0, 0, 0.0, 0
    if width > 2 * r:
        for top in range(r, height - r, _STRIP):
            bottom = min(top + _STRIP, height - r)
            rows = slice(top - r, bottom + r)
            part = _ssim_map(output[rows], target[rows])
            total, count = total + float(part.sum()), count + part.size
            if hole is not None:
                inside = hole[top:bottom, r : width - r]
                total_in += float(part[inside].sum())
                count_in += int(np.count_nonzero(inside))
    nan = float("nan")
    return (total / count if count else nan), (total_in / count_in if count_in else nan)


def _ssim_map(output: Image, target: Image) -> NDArray[np.float64]:
    """(h - 10, w - 10) float64, mean of the channels."""
    r = _SSIM_RADIUS
    at = np.arange(-r, r + 1)
    kernel = np.exp(-(at**2) / (2 * _SSIM_SIGMA**2))
    kernel /= kernel.sum()

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        filtered = cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        return np.asarray(filtered[r:-r, r:-r], np.float64)

    x, y = output.astype(np.float64), target.astype(np.float64)
    mean_x, mean_y = smooth(x), smooth(y)
    var_x = smooth(x * x) - mean_x * mean_x
    var_y = smooth(y * y) - mean_y * mean_y
    cov = smooth(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * cov + c2)) / (
        (mean_x * mean_x + mean_y * mean_y + c1) * (var_x + var_y + c2)
    )
    return np.asarray(similarity.mean(axis=2), np.float64)


def _gradient(image: Image) -> NDArray[np.float32]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 1, 0), np.float32)
    down = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)
    # Not cv2.magnitude: its last digit hangs on where in memory the planes happen to lie.
    return np.asarray(np.sqrt(across * across + down * down))
