"""Damaged and wanted pictures for other trainers, such as Keras: arrays, without PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from remend.picture import Float
from remend.train.config import Data
from remend.train.data.pictures import read_pictures
from remend.train.data.samples import Sampler

__all__ = ["pairs"]


def pairs(
    sources: Sequence[Path], data: Data | None = None, *, seed: int = 0, start: int = 0
) -> Iterator[tuple[Float, Float, Float]]:
    """Training samples without end, channels last: for ``tf.data.Dataset.from_generator`` and the like.

    The same samples in the same order as ``remend train`` draws of these pictures, data and seed, but that
    none is set aside.

    Args:
        sources: what ``--data`` takes.
        data: crops and holes; worn pictures (``data.damage=noise:…``) are made by ``remend train`` alone.
        seed: of everything drawn.
        start: number of the first sample.

    Yields:
        ``(image, hole, target)``: (H, W, 3), (H, W, 1) and (H, W, 3) float32; pictures in [0, 1], ``image`` 0
        under the hole, where ``hole`` is 1.

    Raises:
        UsageError: no pictures, or settings that cannot be meant.

    Cost: a millisecond a sample of 128², on one thread.
    """
    data = data or Data()
    pictures = read_pictures(sources, least_px=data.crop_px, enlarge=data.enlarge, memory_gib=data.memory_gib)
    sampler = Sampler.of(pictures, data, seed)
    number = start
    while True:
        sample = sampler(number)
        hole = sample.hole[..., None].astype(np.float32)
        yield (
            np.divide(sample.image, 255, dtype=np.float32),
            hole,
            np.divide(sample.target, 255, dtype=np.float32),
        )
        number += 1
