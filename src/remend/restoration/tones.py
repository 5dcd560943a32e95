"""Fading and casts: what the tones of a picture say, and the curves that bring them back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Picture
from remend.samples import readable, value_range
from remend.tone import in_one_tone

__all__ = ["MODEL", "Curves", "Tones", "apply_curves", "curves_of", "ends_of", "estimate_tones", "signs_of"]

MODEL = Path(__file__).with_name("tones.json")
"""What a faded picture's black and white were, as ``benchmarks/fit_tones.py`` learned it."""

Curves = tuple[tuple[float, float, float, float], ...]
"""Of each channel: black and white as they are, and where they come to lie, in levels of 255."""

MOST_PX = 400_000
LOW, HIGH = 0.002, 0.998  # quantiles that count as black and white: specks and dust lie beyond
QUANTILES = (LOW, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, HIGH)
DARK, LIGHT = 6.0, 249.0  # where the black and white of a picture of one tone come to lie
DARKEST, LIGHTEST = (2.0, 60.0), (150.0, 252.0)  # between these, those of a picture in colours
FADED_BLACK, FADED_WHITE = 28.0, 212.0  # of the channels' mean: beyond both it is faded
FAR_BLACK, FAR_WHITE = 62.0, 165.0  # or far beyond one
LEAST_RANGE = 24.0  # a picture of nothing is not faded
STRETCH = 3.5  # the most that contrast is raised: more is noise and steps

Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Tones:
    """The tones of a picture, in levels of 255.

    Attributes:
        black, white: of each channel, the quantiles .2 % and 99.8 %.
        one_tone: grey, sepia, cyanotype: colour follows from brightness, and is left to it.
        signs: what the regression weighs.
    """

    black: tuple[float, ...]
    white: tuple[float, ...]
    one_tone: bool
    signs: NDArray[np.float64]

    @property
    def fading(self) -> float:
        """0 = the whole range is used; 1 = none of it."""
        return float(np.clip(1 - (max(self.white) - min(self.black)) / 255, 0, 1))

    @property
    def cast(self) -> float:
        """The largest gap between channels at black or at white."""
        return float(max(np.ptp(self.black), np.ptp(self.white)))


def estimate_tones(image: NDArray[np.uint8]) -> Tones:
    """Black and white points, fading and cast of (H, W, 3) uint8 RGB. Cost: 10 ms, 4 ns a pixel."""
    height, width = image.shape[:2]
    factor = max(2.0, np.sqrt(height * width / MOST_PX))
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    # Means of pixels: noise does not count as black and white.
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    black, white = (tuple(float(one) for one in end) for end in ends_of(small))
    return Tones(black, white, in_one_tone(image), signs_of(small))


def ends_of(small: NDArray[np.uint8]) -> Ends:
    """(3,) black and white of each channel."""
    black, white = np.quantile(small.reshape(-1, 3), [LOW, HIGH], axis=0)
    return black, white


def signs_of(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What says where black and white were: quantiles of the channels, and how far these are apart."""
    levels = np.quantile(small.reshape(-1, 3), QUANTILES, axis=0) / 255
    apart = np.abs(levels - levels.mean(axis=1, keepdims=True))
    grey = levels.mean(axis=1)
    place = (grey[1:-1] - grey[0]) / max(grey[-1] - grey[0], 0.05)
    colour = float(np.ptp(small.astype(np.int16), axis=2).mean()) / 255
    return np.concatenate([levels.ravel(), apart.ravel(), place, [colour]])


def curves_of(tones: Tones) -> Curves | None:
    """The curve of each channel, or None where nothing is faded.

    A picture of one tone gets one curve for all channels: grey stays grey, sepia stays sepia. In one of
    colours black and white of a channel go where they were, as far as its tones say: neither is the blackest
    thing in every picture black nor the whitest white. A cast alone is no fading: evenings are red.
    """
    black, white = np.array(tones.black), np.array(tones.white)
    low, high = float(black.mean()), float(white.mean())
    faded = (low > FADED_BLACK and high < FADED_WHITE) or low > FAR_BLACK or high < FAR_WHITE
    if not faded or high - low < LEAST_RANGE:
        return None
    if tones.one_tone:
        black, white = np.full(3, black.min()), np.full(3, white.max())
        dark, light = np.full(3, DARK), np.full(3, LIGHT)
    else:
        before = _regressed(tones.signs)
        dark = np.minimum(np.clip(before[:3], *DARKEST), black)
        light = np.maximum(np.clip(before[3:], *LIGHTEST), white)
    span = np.maximum(white - black, 1.0)
    over = np.maximum(light - dark - STRETCH * span, 0.0) / 2
    dark, light = dark + over, light - over
    return tuple(
        (float(b), float(w), float(d), float(li))
        for b, w, d, li in zip(black, white, dark, light, strict=True)
    )


def _regressed(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(6,) black and white of the channels before the picture faded, in levels."""
    middle, spread, weights = _model()
    answer: NDArray[np.float64] = np.append((signs - middle) / spread, 1.0) @ weights
    return answer


@lru_cache(maxsize=1)
def _model() -> tuple[NDArray[np.float64], ...]:
    table = json.loads(MODEL.read_text(encoding="utf-8"))
    return tuple(np.array(table[key]) for key in ("middle", "spread", "weights"))


def apply_curves(picture: Picture, curves: Curves, *, strength: float = 1.0) -> Bool:
    """Lead the tones of a picture along curves, in place; none is clipped.

    Args:
        picture: grey or RGB, with alpha or without; grey takes the first curve. Float pictures by the range
            of their own samples.
        curves: of each channel: black and white before, and after.
        strength: 0 = nothing changes; 1 = the whole way.

    Returns:
        (H, W) bool, where a sample differs.
    """
    changed = np.zeros(picture.size, bool)
    whole = Box(0, 0, *picture.size)
    usable = readable(picture, whole)
    span = value_range(picture, whole, usable)
    for channel in range(1 if picture.mode in ("L", "LA") else 3):
        plane = picture.samples[..., channel]
        if plane.dtype == np.float32:
            table = None
        else:
            full = int(span.high)
            levels = np.arange(full + 1, dtype=np.float64) * (255 / full)
            table = np.rint(_moved(levels, curves[channel], strength) * (full / 255)).astype(plane.dtype)
        for row in range(picture.height):
            if table is not None:
                new = table[plane[row]]
            else:
                real = (plane[row].astype(np.float64) - span.low) * (255 / span.span)
                new = (_moved(real, curves[channel], strength) * (span.span / 255) + span.low).astype(
                    np.float32
                )
            here = usable[row] & (new != plane[row])
            plane[row][here] = new[here]
            changed[row] |= here
    return changed


def _moved(
    levels: NDArray[np.float64], curve: tuple[float, float, float, float], strength: float
) -> NDArray[np.float64]:
    """Levels along a curve: straight from black to white, and on to both ends of the range."""
    black, white, dark, light = curve
    led = np.interp(levels, [0, black, white, 255], [0, dark, light, 255])
    moved: NDArray[np.float64] = levels + strength * (led - levels)
    return moved
