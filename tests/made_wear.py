"""Photographs that scikit-image brings, and what the tests of restoring do to them."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Rgb = NDArray[np.uint8]


@cache
def photograph(name: str, side: int = 280) -> Rgb:
    """The middle of one, (side, side, 3); not to be written to."""
    whole = getattr(data, name)()[..., :3]
    top, left = ((n - side) // 2 for n in whole.shape[:2])
    part = np.ascontiguousarray(whole[top : top + side, left : left + side])
    part.setflags(write=False)
    return part


def noised(image: Rgb, sigma: float) -> Rgb:
    """With noise of each channel by itself."""
    noise = np.random.default_rng(0).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def compressed(image: Rgb, quality: int) -> Rgb:
    """Through a JPEG and back, colours at half size."""
    _, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1])


def faded(image: Rgb, black: tuple[int, ...], white: tuple[int, ...]) -> Rgb:
    """Black and white of each channel moved towards each other."""
    low, high = np.array(black, float), np.array(white, float)
    return np.rint(low + image * ((high - low) / 255)).astype(np.uint8)


def decibels(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """PSNR of two pictures in levels."""
    return float(-10 * np.log10(np.mean((one.astype(float) - other.astype(float)) ** 2) / 255**2))
