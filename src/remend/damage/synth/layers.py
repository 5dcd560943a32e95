"""What damage looks like: layers of one tone with an opacity for every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["VISIBLE", "Layer", "Tone", "compose", "mask_of", "new_opacity"]

Tone = Literal["bright", "dark", "paper", "brown"]

VISIBLE = 0.08
"""Opacity from which damage counts: fainter than this it is neither drawn nor in the mask."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One tone laid over a picture.

    Attributes:
        opacity: (H, W) float32 in [0, 1]; 0 leaves the pixel alone.
        tone: ``bright`` and ``dark`` follow the picture's own extremes, as wear of the emulsion
            does; ``paper`` is the bare base of a print; ``brown`` is a translucent stain, which
            darkens instead of covering.
        colour: (r, g, b) in 0–255 instead of what the tone would give.
        grain: deviation of the layer's own grain, in levels of 255.
    """

    opacity: Float
    tone: Tone
    colour: tuple[int, int, int] | None = None
    grain: float = 5.0


def new_opacity(size: tuple[int, int]) -> Float:
    """An empty opacity map of ``size`` (height, width)."""
    return np.zeros(size, np.float32)


def mask_of(layers: list[Layer]) -> Bool:
    """(H, W) bool, True where any layer is visible."""
    mask = layers[0].opacity >= VISIBLE
    for layer in layers[1:]:
        mask |= layer.opacity >= VISIBLE
    return np.asarray(mask, np.bool_)


def compose(image: NDArray[np.uint8], layers: list[Layer], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay ``layers`` over ``image`` in order; pixels that none covers visibly keep their bytes.

    Args:
        image: (H, W, 3) uint8 RGB; not written to.
        layers: of the same size.
        rng: for the tones' shade and grain.

    Returns:
        A new (H, W, 3) uint8 array.
    """
    out = image.copy()
    for layer in layers:
        rows, columns = np.nonzero(layer.opacity >= VISIBLE)
        if not rows.size:
            continue
        under = out[rows, columns].astype(np.float32)
        opacity = layer.opacity[rows, columns, None]
        colour = np.asarray(layer.colour or _shade(image, layer.tone, rng), np.float32)
        grain = rng.normal(0, layer.grain, (rows.size, 1)).astype(np.float32)
        over = under * colour / 255 if layer.tone == "brown" else colour + grain
        out[rows, columns] = np.clip(np.rint(under + (over - under) * opacity), 0, 255).astype(np.uint8)
    return out


def _shade(image: NDArray[np.uint8], tone: Tone, rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour for ``tone`` that belongs to this picture: a sepia print has sepia wear."""
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / 65536)))
    sample = image[::step, ::step].reshape(-1, 3).astype(np.float64)
    grey = sample.mean(axis=1)
    if tone == "brown":
        return np.array([222, 190, 140]) * rng.uniform(0.7, 1.0) + rng.normal(0, 3, 3)
    if tone == "dark":
        own = sample[grey <= np.quantile(grey, 0.05)].mean(axis=0)
        return np.asarray(np.clip(own * rng.uniform(0.2, 0.8), 0, 255), np.float64)
    own = sample[grey >= np.quantile(grey, 0.95)].mean(axis=0)
    white = np.array([250, 246, 236]) if tone == "bright" else np.array([240, 232, 214])
    mix = rng.uniform(0.5, 0.9)
    return np.asarray(np.clip(own * (1 - mix) + white * mix + rng.normal(0, 3, 3), 0, 255), np.float64)
