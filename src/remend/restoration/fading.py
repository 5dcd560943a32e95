"""Where black and white of a faded picture were: a small net that weighs what fading leaves as it is."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["HIGH", "LOW", "MODEL", "before_fading", "ends_of", "signs_of", "small_of"]

MODEL = Path(__file__).with_name("fading.npz")
"""Weights of the net's members, as ``benchmarks/fit_tones.py`` learned them."""

LOW, HIGH = 0.002, 0.998  # quantiles that count as black and white: specks and dust lie beyond
QUANTILES = (LOW, 0.01, 0.02, 0.05, *(k / 10 for k in range(1, 10)), 0.95, 0.98, 0.99, HIGH)
MOST_PX = 24_000
FINE, COARSE, BANDS = (
    6,
    4,
    3,
)  # steps of a channel in the histograms; of the whole, of bands from top to bottom
LIGHTS = 8
LEAST = 6.0  # levels of a channel, so that one without any does not divide by nothing

Rgb = NDArray[np.uint8]
Signs = NDArray[np.float32]


def small_of(image: Rgb) -> Rgb:
    """A picture made smaller, at least by half: means of pixels, so that noise is neither black nor white."""
    height, width = image.shape[:2]
    for factor in (2.0, np.sqrt(height * width / 4 / MOST_PX)):
        if factor > 1:
            size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def ends_of(small: Rgb) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3,) black and white of each channel."""
    black, white = np.quantile(small.reshape(-1, 3), [LOW, HIGH], axis=0)
    return black, white


def signs_of(small: Rgb) -> Signs:
    """What a picture shows of itself however it faded, if each channel faded along a straight line.

    With every channel led from its black to 0 and from its white to 1: quantiles; how often each colour is
    seen, in all and in bands from top to bottom (skies are above); how strong texture is at each light; and
    how much of a channel lies at either end, as where a highlight was cut off.

    Args:
        small: as ``small_of`` gives it.
    """
    levels = np.quantile(small.reshape(-1, 3), QUANTILES, axis=0)
    low, span = levels[0], np.maximum(levels[-1] - levels[0], LEAST)
    led = np.clip((small.astype(np.float32) - low) / span, 0, 1)
    height = len(led)
    edges = pairwise(height * k // BANDS for k in range(BANDS + 1))
    bands = [_histogram(led[top : max(end, top + 1)], COARSE) for top, end in edges]
    grey = led.mean(axis=2)
    steps = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    steps += np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    light = np.minimum((grey * LIGHTS).astype(int), LIGHTS - 1).ravel()
    count = np.maximum(np.bincount(light, minlength=LIGHTS), 1)
    texture = 4 * np.bincount(light, steps.ravel(), LIGHTS) / count
    ends = [(led < 0.02).reshape(-1, 3).mean(axis=0), (led > 0.98).reshape(-1, 3).mean(axis=0)]
    places = ((levels - low) / span).ravel()
    parts = [places, _histogram(led, FINE), *bands, texture, np.sqrt(ends).ravel()]
    return np.concatenate(parts).astype(np.float32)


def _histogram(led: NDArray[np.floating], steps: int) -> NDArray[np.float64]:
    """(steps³,) root of the share of each colour."""
    place = np.minimum((led.reshape(-1, 3) * steps).astype(int), steps - 1)
    counts = np.bincount(place @ [steps * steps, steps, 1], minlength=steps**3)
    return np.asarray(np.sqrt(counts / counts.sum()), np.float64)


def before_fading(
    signs: Signs, black: NDArray[np.float64], white: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3,) black and white before the picture faded, in levels: no lighter, and no darker, than now."""
    black, white = np.asarray(black) / 255, np.asarray(white) / 255
    model = _model()
    seen = np.concatenate([(signs - model["middle"]) / model["spread"], 4 * black - 1, 4 * white - 3])
    dark, light = np.zeros(3), np.zeros(3)
    members = len(model["bias1"])
    for k in range(members):
        hidden = seen
        for layer in (1, 2, 3):
            hidden = model[f"weight{layer}"][k] @ hidden + model[f"bias{layer}"][k]
            hidden = np.maximum(hidden, 0) if layer < 3 else 1 / (1 + np.exp(-hidden))
        dark += black * hidden[:3] / members
        light += (white + (1 - white) * hidden[3:]) / members
    return 255 * dark, 255 * light


@lru_cache(maxsize=1)
def _model() -> dict[str, NDArray[np.float64]]:
    with np.load(MODEL, allow_pickle=False) as table:
        return {name: table[name].astype(np.float64) for name in table.files}
