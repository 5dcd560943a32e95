"""How soft a picture is: by how much it can be made smaller before anything in it is lost.

A scan at 600 dpi of a print that holds 150 is four times as large as what it shows, and so is its damage. The
net was taught at the scale of what is shown, so that is where it looks; what else is done to a picture before
the net sees it stands here too.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.perceptron import Perceptron, perceptron_from
from remend.picture import Float
from remend.tone import in_one_tone

__all__ = ["MOST", "SOFTNESS_SIGNS", "reduced", "reduction_of", "softened", "softness_signs", "without_tone"]

MOST = 8.0
SLIGHT = 1.25  # less than that is as good as nothing
TAUGHT_PX = 0.5  # deviation of a blur
PROBE_PX, PROBES = 512, 4  # squares, spread evenly, that are looked at
OCTAVES = 5
LEAST_PX = 16 << (OCTAVES - 1)  # a side on which all octaves can be measured
PERCENTILES = (50.0, 90.0, 99.0, 99.9)
NOISE = 4.88  # of a Gaussian: its 99.9th percentile over its median, both of magnitudes
FAINT = 5.0  # levels: where edges are fainter nothing can be told

SOFTNESS_SIGNS = (
    *(f"edges {k}" for k in range(OCTAVES)),
    *(f"p{p:g} {k}" for p in PERCENTILES[:-1] for k in range(OCTAVES)),
    *(f"clean edges {k} over {k + 1}" for k in range(OCTAVES - 1)),
)
"""The names of what ``softness_signs`` measures, finest octave first."""


def reduction_of(image: NDArray[np.uint8]) -> float:
    """By how much a picture may be reduced without losing what it shows: 1 to 8.

    A sharp edge is as strong in one octave of a Laplacian pyramid as in the next, whatever the picture shows;
    one that was enlarged or is out of focus is weaker in the finest. How strong edges, texture and noise are
    in each octave is weighed by a small network that was fitted to enlargements of photographs, noisy and
    compressed ones among them: ``benchmarks/fit_softness.py``.

    Args:
        image: (H, W) or (H, W, 3) uint8.

    Returns:
        The reduction: 1 where there is nothing to win.

    Cost: 60 ms at most, whatever the size.

    Reference: Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", IEEE Trans. Communications,
    1983.
    """
    signs, strength = softness_signs(image)
    if strength < FAINT:
        return 1.0
    reduction = float(2.0 ** _fitted()(signs[None])[0])
    return min(reduction, MOST) if reduction >= SLIGHT else 1.0


def reduced(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The picture made smaller by averaging; its sides are rounded up."""
    if factor <= 1:
        return image
    height, width = image.shape[:2]
    size = (int(np.ceil(width / factor)), int(np.ceil(height / factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def without_tone(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) grey of a picture in one tone, whose colour says nothing; a picture in colours itself."""
    if image.ndim == 3 and in_one_tone(image):
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)
    return image


def softened(image: NDArray[np.uint8], reduction: float) -> NDArray[np.uint8]:
    """What the net is shown: a picture that was not reduced is as crisp as few that it learned from.

    With this blur it finds a twentieth more in crisp photographs, and nothing more in clean ones.
    """
    if reduction > 1:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), TAUGHT_PX), np.uint8)


def softness_signs(image: NDArray[np.uint8]) -> tuple[Float, float]:
    """(SOFTNESS_SIGNS,) what is measured, and how strong edges are at most, in levels. Cost: see above."""
    details: list[list[Float]] = [[] for _ in range(OCTAVES)]
    for top in _spread(image.shape[0]):
        for left in _spread(image.shape[1]):
            plane = _probe(image[top : top + PROBE_PX, left : left + PROBE_PX])
            for octave in range(OCTAVES):
                low = np.asarray(cv2.pyrDown(plane), np.float32)
                detail = np.abs(plane - cv2.pyrUp(low, dstsize=(plane.shape[1], plane.shape[0])))
                details[octave].append(np.asarray(detail.ravel(), np.float32))
                plane = low
    table = np.empty((OCTAVES, len(PERCENTILES)))
    for octave, parts in enumerate(details):
        whole = np.concatenate(parts)
        table[octave] = np.percentile(whole[:: max(1, whole.size // 400_000)], PERCENTILES)
    clean = np.sqrt(np.maximum(table[:, -1] ** 2 - (NOISE * table[:, 0]) ** 2, 1e-2))
    levels = np.log2(table + 0.5)
    signs = np.concatenate(
        [
            levels[:, -1] - levels[1, -1],
            *(levels[:, k] - levels[:, -1] for k in range(len(PERCENTILES) - 1)),
            np.clip(np.log2(clean[:-1] / clean[1:]), -5, 2),
        ]
    )
    return np.asarray(signs, np.float32), float(clean.max())


@cache
def _fitted() -> Perceptron:
    text = (resources.files("remend.damage") / "softness.json").read_text(encoding="utf-8")
    return perceptron_from(json.loads(text))


def _probe(part: NDArray[np.uint8]) -> Float:
    """A part in grey, mirrored on where it is too small for all octaves."""
    grey = part if part.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)
    down, right = (max(0, LEAST_PX - n) for n in grey.shape)
    if down or right:
        grey = cv2.copyMakeBorder(np.ascontiguousarray(grey), 0, down, 0, right, cv2.BORDER_REFLECT)
    return np.asarray(grey, np.float32)


def _spread(length: int) -> list[int]:
    """Where probes begin along a side."""
    most = max(0, length - PROBE_PX)
    count = min(PROBES, 1 + most // PROBE_PX)
    return [int(n) for n in np.linspace(0, most, count)] if most else [0]
