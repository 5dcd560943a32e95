"""Training pairs: a part of a picture, and the same with noise, grain, JPEG blocks or slight blur on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MARGIN_PX", "Wear", "blurred", "clean_crop", "jpeg", "noisy", "worn"]

MARGIN_PX = 16  # a crop is worn with that much around it and cut anew, so that blocks begin anywhere
FLAT_LEVELS = 5.0

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """Shares of pairs that are treated so; what is left over is clean, to learn to leave that alone.

    Attributes:
        noise: noise alone.
        blocks: JPEG alone, half of them compressed twice, the grids apart.
        both: noise, then JPEG.
        blur: softened before any of these.
        most_sigma: the strongest noise, in levels.
        least_quality: the coarsest JPEG.
        grey: without colour.
        shrunk: pictures made smaller, down to half, so that what their own compression left is gone.
    """

    noise: float = 0.46
    blocks: float = 0.29
    both: float = 0.18
    blur: float = 0.08
    most_sigma: float = 55.0
    least_quality: int = 8
    grey: float = 0.08
    shrunk: float = 0.8


def clean_crop(picture: Rgb, size: int, rng: np.random.Generator, wear: Wear) -> Rgb:
    """(size, size, 3) of a picture, turned and mirrored at times; flat parts are passed over once."""
    height, width = picture.shape[:2]
    least = min(1.0, size / min(height, width))
    factor = max(least, float(rng.uniform(0.5, 1.0)) if rng.random() < wear.shrunk else 1.0)
    side = min(int(np.ceil(size / factor)), height, width)
    part = picture
    for _ in range(2):
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        part = picture[top : top + side, left : left + side]
        if part[::4, ::4, 1].std() > FLAT_LEVELS:
            break
    if side != size:
        part = np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if rng.random() < 0.5:
        part = part.swapaxes(0, 1)
    if rng.random() < wear.grey:
        part = np.repeat(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.ascontiguousarray(part, np.uint8)


def worn(crop: Rgb, rng: np.random.Generator, wear: Wear) -> Rgb:
    """The same crop with something on it, or not."""
    roll = rng.random()
    if rng.random() < wear.blur:
        crop = blurred(crop, float(rng.uniform(0.4, 1.2)))
    if roll < wear.noise:
        return noisy(crop, _sigma(rng, wear.most_sigma), rng)
    if roll < wear.noise + wear.blocks:
        return _compressed(crop, rng, wear, twice=bool(rng.random() < 0.4))
    if roll < wear.noise + wear.blocks + wear.both:
        crop = noisy(crop, _sigma(rng, 0.5 * wear.most_sigma), rng)
        return _compressed(crop, rng, wear, twice=bool(rng.random() < 0.25))
    return crop


def _sigma(rng: np.random.Generator, most: float) -> float:
    """Even, but for a third with as many weak as strong ones: real pictures have weak noise."""
    if rng.random() < 0.3:
        return float(np.exp(rng.uniform(np.log(1.0), np.log(0.5 * most))))
    return float(rng.uniform(0.0, most))


def noisy(crop: Rgb, sigma: float, rng: np.random.Generator) -> Rgb:
    """Noise of one of four kinds: of each channel by itself, of all alike, growing with the light, clumped.

    Args:
        crop: (H, W, 3).
        sigma: its deviation in levels; where it grows with the light, at mid grey.
        rng: to draw from.
    """
    shape, kind = crop.shape, rng.random()
    noise = rng.standard_normal(shape, dtype=np.float32)
    if kind > 0.6:
        grey = rng.standard_normal((*shape[:2], 1), dtype=np.float32)
        share = np.float32(1.0 if kind < 0.7 else rng.uniform(0.0, 1.0))
        noise = np.sqrt(share) * grey + np.sqrt(1 - share) * noise
    if kind > 0.85:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.35, 1.3))), np.float32)
        noise /= max(float(noise.std()), 1e-6)
    if kind > 0.7:
        constant = np.float32(rng.uniform(0.0, 1.0))
        noise *= np.sqrt(constant + (1 - constant) * crop.astype(np.float32) / 127.5)
    return np.clip(np.rint(crop + np.float32(sigma) * noise), 0, 255).astype(np.uint8)


def _compressed(crop: Rgb, rng: np.random.Generator, wear: Wear, *, twice: bool) -> Rgb:
    if twice:
        first = jpeg(crop, int(rng.integers(30, 96)), halved=bool(rng.random() < 0.5))
        down, right = int(rng.integers(8)), int(rng.integers(8))
        moved = np.roll(first, (-down, -right), axis=(0, 1))
        moved = jpeg(moved, _quality(rng, wear.least_quality), halved=bool(rng.random() < 0.5))
        return np.roll(moved, (down, right), axis=(0, 1))
    return jpeg(crop, _quality(rng, wear.least_quality), halved=bool(rng.random() < 0.5))


def _quality(rng: np.random.Generator, least: int) -> int:
    """Coarse ones more often: between 10 and 20 as much changes as between 40 and 90."""
    return int(least + (96 - least) * rng.random() ** 1.5)


def jpeg(crop: Rgb, quality: int, *, halved: bool) -> Rgb:
    """Compressed and decoded; ``halved``: colours at half size."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if halved else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    told = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", crop[..., ::-1], told)
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def blurred(crop: Rgb, sigma_px: float) -> Rgb:
    """Softened by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma_px), np.uint8)
