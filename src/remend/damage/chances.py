"""The chance of every pixel to be damage, as the embedded net sees it: tiles in, planes of chances out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import ModelError
from remend.picture import Box
from remend.runtime import given_back, open_session

__all__ = ["PLANES", "card_of", "chances_of", "forget"]

PLANES = ("scratch", "dust", "stain", "hole", "text", "watermark")
"""What the planes of ``chances_of`` are of, in order."""

WEIGHTS = Path(__file__).parents[1] / "weights" / "damage.onnx"
MULTIPLE = 32
TILE_PX, MARGIN_PX = 960, 96  # the margin holds what the net looks at beside a pixel


def chances_of(image: NDArray[np.uint8], *, weights: Path = WEIGHTS) -> NDArray[np.uint8]:
    """The chance of damage by pixel and kind.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8, at the scale of what it shows (``reduction_of``).
        weights: another file of the same contract, with its card.

    Returns:
        (6, H, W) uint8, in 255ths, of each of ``PLANES``.

    Raises:
        ModelError: the embedded net is missing or damaged.

    Cost: on two cores that multiply bytes some .07 s a megapixel; 6 bytes a pixel, and 150 MB for a tile.
    """
    height, width = image.shape[:2]
    planes = np.empty((len(PLANES), height, width), np.uint8)
    session = _session(weights, cv2.getNumThreads())
    options = given_back()
    for outer, inner in _tiles(height, width):
        part = image[outer.slices]
        if part.ndim == 2:
            part = np.repeat(part[..., None], 3, axis=2)
        pad = (-part.shape[0] % MULTIPLE, -part.shape[1] % MULTIPLE)
        if any(pad):
            part = np.ascontiguousarray(part)
            part = np.asarray(cv2.copyMakeBorder(part, 0, pad[0], 0, pad[1], cv2.BORDER_REFLECT), np.uint8)
        (chance,) = session.run(["chance"], {"image": np.ascontiguousarray(part)[None]}, options)
        planes[:, *inner.slices] = chance[0][:, *inner.inside(outer).slices]
    return planes


@lru_cache(maxsize=4)
def card_of(weights: Path = WEIGHTS) -> dict[str, Any]:
    """What stands in the card beside a net that finds damage.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        card: dict[str, Any] = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the card of {weights.name} cannot be read ({error}): install Remend again"
        ) from error
    return card


@lru_cache(maxsize=4)
def _session(weights: Path, threads: int) -> Any:
    """The net, opened once a process and number of threads."""
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise ModelError(
            f"the net that finds damage cannot be read ({error}): install Remend again, or give a mask"
        ) from error
    if hashlib.sha256(content).hexdigest() != card_of(weights).get("sha256"):
        raise ModelError(
            f"{weights.name} is not the file that its card describes (SHA-256 differs): install Remend again"
        )
    return open_session(content, name=weights.name, threads=threads)


def forget() -> None:
    """Read net and card anew when they are next asked for: they were written."""
    card_of.cache_clear()
    _session.cache_clear()


def _tiles(height: int, width: int) -> Iterator[tuple[Box, Box]]:
    """(tile with margin, the part of it that counts), of even size, covering the picture."""
    for top, bottom in _cuts(height):
        for left, right in _cuts(width):
            inner = Box(top, left, bottom, right)
            yield inner.grown(MARGIN_PX, (height, width)), inner


def _cuts(length: int) -> list[tuple[int, int]]:
    """A side cut into even stretches, each a multiple of what the net wants but the last."""
    count = max(1, -(-length // TILE_PX))
    step = -(-length // count)
    step += -step % MULTIPLE
    return [(begin, min(begin + step, length)) for begin in range(0, length, step)]
