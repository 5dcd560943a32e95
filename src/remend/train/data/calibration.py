"""The pictures that an 8-bit model is fitted to: what its features are likely to be, by example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.train.data.loader import collate
from remend.train.data.pictures import read_pictures
from remend.train.data.prior import coarse_prior
from remend.train.data.samples import Sample, validation_samples

__all__ = ["SIDE_PX", "calibration_feeds", "calibration_samples"]

SIDE_PX = 176
"""About the side of the crops: the next multiple that suits the net."""

_COUNT = 48

Feed = dict[str, NDArray[np.float32]]


def calibration_samples(folder: Path, net: Inpainter, *, count: int = _COUNT) -> list[Sample]:
    """Middles of a folder's pictures with thin, free-form and centre holes in turn.

    Args:
        folder: whatever ``remend train --data`` takes. Of more than ``count`` pictures some are chosen by a
            hash of their names.
        net: whose size multiple the crops keep.
        count: at most.

    Raises:
        UsageError: no folder, or no picture in it of ``SIDE_PX`` and more.
    """
    if not folder.exists():
        raise UsageError(f"--calibrate {folder} is not there: give a folder of some dozens of pictures")
    side = -(-SIDE_PX // net.size_multiple) * net.size_multiple
    try:
        pictures = read_pictures([folder], least_px=side, memory_gib=1.0)
    except UsageError as error:
        raise UsageError(
            f"--calibrate {folder} holds no pictures of {side} px and more: 8 bits need some dozens, like "
            "those that will be repaired"
        ) from error
    return validation_samples(pictures.few(count) if len(pictures) > count else pictures, side)


def calibration_feeds(samples: list[Sample], net: Inpainter, *, prior: bool = False) -> Iterator[Feed]:
    """The samples as a model's inputs.

    Args:
        samples: of one size.
        net: what else it takes: no lines, and noise by the sample's number.
        prior: the file takes one: wide holes are given their own coarse fill every other time.

    Cost: with a prior, half a pass of the net a sample.
    """
    for index, sample in enumerate(samples):
        batch = collate([sample])
        feed: Feed = {"image": batch.image.numpy(), "hole": batch.hole.numpy()}
        if prior:
            share = float(index // 3 % 2)  # kinds of holes come in threes
            given = coarse_prior(net, batch.image, batch.hole, share=share, seed=0, indices=[index])
            feed["prior"] = np.full_like(feed["image"], -1) if given is None else given.numpy()
        if net.takes_guide:
            feed["guide"] = np.zeros_like(feed["hole"])
        if net.noise_size:
            rng = np.random.default_rng(index)
            feed["noise"] = rng.standard_normal((1, net.noise_size), np.float32)
        yield {name: np.ascontiguousarray(planes) for name, planes in feed.items()}
