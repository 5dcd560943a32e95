"""Made scans of colour film with an infrared channel: dyes leak into it, it lies aside, is soft and noisy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.layers import VISIBLE, compose, mask_of
from remend.damage.synth.wear import dust, scratches

__all__ = ["FILMS", "MadeFilm", "make_film"]

Film = Literal["colour", "kodachrome", "silver"]
# Of log10 transmission in red, green and blue, that infrared has too: the least and the most.
FILMS: dict[Film, tuple[tuple[float, float], ...]] = {
    "colour": ((0.02, 0.15), (0.0, 0.03), (0.0, 0.02)),
    "kodachrome": ((0.35, 0.55), (0.05, 0.15), (0.0, 0.05)),
    "silver": ((0.25, 0.35), (0.25, 0.35), (0.25, 0.35)),
}


@dataclass(frozen=True, slots=True)
class MadeFilm:
    """A made scan and its truth.

    Attributes:
        colours: (H, W, 3) uint16.
        infrared: (H, W) uint16.
        truth: (H, W) bool, what takes 8 % of infrared and more, in the place of the colours.
        faint: (H, W) bool, what the picture shows and infrared shows less.
        shift_xy: by how many px infrared lies aside.
    """

    colours: NDArray[np.uint16]
    infrared: NDArray[np.uint16]
    truth: NDArray[np.bool_]
    faint: NDArray[np.bool_]
    shift_xy: tuple[float, float]


def make_film(image: NDArray[np.uint8], seed: int, film: Film = "colour", *, dirty: bool = True) -> MadeFilm:
    """A picture as a scan of film, with dust and scratches on it, and its infrared channel.

    Args:
        image: (H, W, 3) uint8 RGB.
        seed: same seed, same scan.
        film: what its picture is made of.
        dirty: whether anything lies on it.
    """
    rng = np.random.default_rng([83, seed])
    size = image.shape[:2]
    negative = bool(rng.random() < 0.4)
    if film == "silver":
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    kind: Literal["bright", "dark"] = "bright" if negative else "dark"
    layers = []
    if dirty:
        layers = dust(size, seed=rng, count=int(rng.uniform(60, 300)), polarity=kind)
        layers += scratches(size, seed=rng, count=int(rng.integers(1, 6)), polarity=kind, width_px=(1, 2.5))
    worn = compose(image, layers, rng) if layers else image
    drawn = mask_of(layers) if layers else np.zeros(size, bool)
    shine = worn.astype(np.float32) / 255
    colours = np.clip(shine + rng.normal(0, 0.003, shine.shape), 0, 1)
    # What the film lets through: of a negative that the scanner turned round, dense is bright.
    clean = image.astype(np.float32) / 255
    through = np.clip(1 - 0.93 * clean if negative else 0.03 + 0.97 * clean, 0.01, 1)
    leak = np.array([rng.uniform(low, high) for low, high in FILMS[film]], np.float32)
    infrared = np.exp((np.log(through) * leak).sum(axis=2))
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    infrared *= rng.uniform(0.6, 0.9) * (1 - rng.uniform(0, 0.12) * (x**2 + y**2))
    clear = np.ones(size)
    for layer in layers:
        clear *= 1 - np.where(layer.opacity >= VISIBLE, layer.opacity, 0) * rng.uniform(0.5, 0.95)
    infrared *= clear
    truth = clear <= 1 - VISIBLE
    reach = rng.uniform(1, 2) if rng.random() < 0.8 else 0.0
    turn = rng.uniform(0, 2 * np.pi)
    shift = float(reach * np.cos(turn)), float(reach * np.sin(turn))
    moved = cv2.warpAffine(
        infrared.astype(np.float32),
        np.array([[1, 0, shift[0]], [0, 1, shift[1]]]),
        size[::-1],
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    soft = cv2.GaussianBlur(moved, (0, 0), float(rng.uniform(0.6, 1.4)))
    soft = np.clip(soft + rng.normal(0, rng.uniform(0.002, 0.01), size), 0, 1)
    full = np.float32(65535)
    return MadeFilm(
        np.rint(colours * full).astype(np.uint16),
        np.rint(soft * full).astype(np.uint16),
        truth,
        drawn & ~truth,
        shift,
    )
