"""How much noise a picture carries: by channel, and how it grows with the light."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Float

__all__ = ["Noise", "estimate_noise"]

PATCH_PX = 7
MOST_PATCHES = 12_000
MOST_PX = 3_000_000  # beyond, parts of the picture spread over it are looked at
CLIPPED = 2.0  # levels from black and white: there noise is cut off
STRONG, REACH = 8.0, 2.8  # levels; deviations that clipping must be away
MARGIN = 60.0
FLATTEST = 0.25  # share of the patches
FEWEST = 300  # patches from which a covariance is worth anything
BINS = 5


@dataclass(frozen=True, slots=True)
class Noise:
    """Deviation of noise in levels of 255.

    Attributes:
        sigma: of each channel.
        dark, light: of the brightness, where the picture is dark and where it is light; equal where noise
            does not depend on the light, or where it cannot be told.
    """

    sigma: tuple[float, ...]
    dark: float
    light: float

    @property
    def mean(self) -> float:
        """Root of the channels' mean variance."""
        return float(np.sqrt(np.mean(np.square(self.sigma))))


def estimate_noise(image: NDArray[np.uint8] | Float) -> Noise:
    """The noise of a picture, each pixel's by itself.

    Patches of a picture without noise lie in few dimensions: the least eigenvalues of their covariance are
    the noise's variance. Grain, whose neighbours are alike, is underestimated, and so is noise that was
    compressed away.

    Args:
        image: (H, W, C) in levels, 0 to 255.

    Returns:
        Zeros where the picture is too small or too flat to tell.

    Reference: Chen, Zhu and Heng, "An Efficient Statistical Method for Image Noise Level Estimation",
    ICCV 2015.

    Cost: about .1 s, whatever the size.
    """
    some = _some_of(image)
    patches = _patches(some, None)
    if len(patches) < FEWEST:  # dark, or noise so strong that something is clipped everywhere
        patches = _patches(some, MARGIN)
    sigma = tuple(_sigma_of(patches[..., c]) for c in range(patches.shape[-1]))
    if max(sigma, default=0.0) > STRONG:
        # Patches that strong noise happens not to reach black or white in have less of it than others.
        patches = _patches(some, REACH * max(sigma))
        sigma = tuple(_sigma_of(patches[..., c]) for c in range(patches.shape[-1]))
    grey = patches.mean(axis=-1)
    whole = _sigma_of(grey)
    dark = light = whole
    means = grey.mean(axis=1)
    if len(grey) >= BINS * FEWEST and whole > 0.5:
        edges = np.quantile(means, np.linspace(0, 1, BINS + 1))
        chosen = [(means >= low) & (means <= high) for low, high in pairwise(edges)]
        levels = np.array([_sigma_of(grey[one]) for one in chosen])
        at = np.array([means[one].mean() for one in chosen])
        if np.ptp(at) > 40:
            slope, base = np.polyfit(at, levels**2, 1)
            ends = np.sqrt(np.maximum(base + slope * np.array([at[0], at[-1]]), 0))
            # Texture is not spread evenly over the light: a small difference says nothing.
            if max(ends) > 1.25 * min(ends) and abs(np.corrcoef(at, levels**2)[0, 1]) > 0.8:
                dark, light = float(ends[0]), float(ends[1])
    return Noise(sigma, dark, light)


def _some_of(image: NDArray[np.uint8] | Float) -> Float:
    """A picture, or bands spread over it, none of them resampled."""
    height, width = image.shape[:2]
    if height * width > MOST_PX:
        band = max(PATCH_PX * 4, MOST_PX // (8 * width))
        starts = np.linspace(0, height - band, 8).astype(int)
        image = np.concatenate([image[start : start + band] for start in starts])
    return np.asarray(image, np.float32)


def _patches(image: Float, margin: float | None) -> Float:
    """(n, PATCH_PX², C), the flattest of those that are not spoilt by clipping.

    Args:
        image: (H, W, C) in levels.
        margin: how far from black and white a patch's mean must lie; None = no pixel of it may be clipped.
    """
    height, width, channels = image.shape
    if min(height, width) < 2 * PATCH_PX:
        return np.zeros((0, PATCH_PX**2, channels), np.float32)
    rows, columns = height - PATCH_PX + 1, width - PATCH_PX + 1
    step = max(1, int(np.sqrt(rows * columns / (4 * MOST_PATCHES))))
    inside = (PATCH_PX - 1) // 2
    grey = image.mean(axis=2)
    if margin is None:
        cut = np.any((image <= CLIPPED) | (image >= 255 - CLIPPED), axis=2).astype(np.uint8)
        fine = cv2.dilate(cut, np.ones((PATCH_PX, PATCH_PX), np.uint8)) == 0
    else:
        near = np.abs(cv2.blur(image, (PATCH_PX, PATCH_PX)).reshape(image.shape) - 127.5).max(axis=2)
        # Where none lies so far, as in dark pictures, the farthest are the best there are.
        fine = near < max(127.5 - margin, float(np.quantile(near, FLATTEST)))
    # Texture, told from noise by its being there after a blur: else the flattest patches would be those
    # in which noise happens to be weak.
    soft = cv2.blur(grey, (5, 5))
    spread = cv2.blur(soft * soft, (9, 9)) - cv2.blur(soft, (9, 9)) ** 2
    places = np.s_[inside : inside + rows : step, inside : inside + columns : step]
    top, left = np.nonzero(fine[places])
    if not len(top):
        return np.zeros((0, PATCH_PX**2, channels), np.float32)
    of_each = spread[places][top, left]
    flat = np.argsort(of_each, kind="stable")[: max(FEWEST, int(FLATTEST * len(of_each)))]
    flat = np.sort(flat)
    if len(flat) > MOST_PATCHES:
        flat = flat[np.linspace(0, len(flat) - 1, MOST_PATCHES).astype(int)]
    views = np.lib.stride_tricks.sliding_window_view(image, (PATCH_PX, PATCH_PX), axis=(0, 1))
    taken = views[::step, ::step][top[flat], left[flat]]
    return np.asarray(taken.transpose(0, 2, 3, 1).reshape(len(flat), PATCH_PX**2, channels), np.float32)


def _sigma_of(patches: Float) -> float:
    """The deviation at which the least eigenvalues of (n, d) patches are spread evenly about their mean."""
    if len(patches) < FEWEST:
        return 0.0
    centred = patches - patches.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T.astype(np.float64) @ centred / len(patches))
    for count in range(len(values), 1, -1):
        mean = values[:count].mean()
        if (values[:count] > mean).sum() >= (values[:count] < mean).sum():
            return float(np.sqrt(max(mean, 0.0)))
    return float(np.sqrt(max(values[0], 0.0)))
