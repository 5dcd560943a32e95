"""Batches ready before the loop asks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.picture import Bool
from remend.train.data.samples import Sample
from remend.train.data.targets import Truth

__all__ = ["Batch", "batches", "collate"]

_AHEAD = 4  # batches, and two more than there are threads


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples as tensors of the net's contract, laid out channels-last.

    Attributes:
        image, target: (N, 3, H, W) float32 in [0, 1].
        hole: (N, 1, H, W) float32, 1 = fill.
        damage: (N, 1, H, W) float32, 1 = nobody knows what was there; None = all is known.
        truth: what is said of the samples; None = no task asks.
        first: global index of the first sample, over all devices.
        end: global index after the last one.
        ratios: (N,), share of each sample that is hole or damage, where it was taken before the batch went
            to its device: to ask there is to wait.
    """

    image: Tensor
    target: Tensor
    hole: Tensor
    first: int
    end: int
    damage: Tensor | None = None
    truth: Truth | None = None
    ratios: NDArray[np.float64] | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``."""
        return Batch(
            self.image.to(device, non_blocking=True),
            self.target.to(device, non_blocking=True),
            self.hole.to(device, non_blocking=True),
            self.first,
            self.end,
            None if self.damage is None else self.damage.to(device, non_blocking=True),
            None if self.truth is None else self.truth.to(device),
            self.ratios,
        )

    def parts(self, count: int, world: int = 1) -> list[Batch]:
        """The batch cut into ``count`` of one size, each with the numbers of its own samples.

        Args:
            count: divides the number of samples here.
            world: number of processes that share the samples of a batch.
        """
        if count == 1:
            return [self]
        size, of_all = len(self.image) // count, (self.end - self.first) // count
        assert self.truth is None  # means over labelled samples would be others
        return [
            Batch(
                self.image[at : at + size],
                self.target[at : at + size],
                self.hole[at : at + size],
                self.first + number * of_all,
                self.first + (number + 1) * of_all,
                None if self.damage is None else self.damage[at : at + size],
                ratios=None if self.ratios is None else self.ratios[at : at + size],
            )
            for number, at in enumerate(range(0, len(self.image), size))
        ]

    def shown(self) -> Batch:
        """The batch as a net is to see it: damage is a hole like any other."""
        if self.damage is None:
            return self
        return replace(self, hole=torch.maximum(self.hole, self.damage), damage=None)


def batches(
    sample: Callable[[int], Sample],
    *,
    start: int,
    size: int,
    threads: int = 2,
    rank: int = 0,
    world: int = 1,
) -> Generator[Batch, None, None]:
    """Batches of samples ``start``, ``start + 1`` … without end, made ahead by threads.

    Which samples a batch holds depends on nothing but ``start`` and ``size``: no state of the loader has to
    be stored to resume. Close the iterator (or let it go) to end the threads.

    Args:
        sample: makes sample number ``index``; called from several threads.
        start: global index of the first sample.
        size: samples of a batch, over all devices; a multiple of ``world``.
        threads: that make samples.
        rank: of this process, which gets samples ``rank``, ``rank + world`` … of each batch.
        world: number of processes.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="samples") as pool:

        def make(first: int) -> Batch:
            return collate([sample(i) for i in range(first + rank, first + size, world)], first, first + size)

        ahead = max(_AHEAD, threads + 2)
        waiting: deque[Future[Batch]] = deque()
        try:
            while True:
                while len(waiting) < ahead:
                    waiting.append(pool.submit(make, start))
                    start += size
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def collate(samples: list[Sample], first: int = 0, end: int | None = None) -> Batch:
    """Stack samples of one size."""
    return Batch(
        _planes(np.stack([s.image for s in samples])),
        _planes(np.stack([s.target for s in samples])),
        _masks([s.hole for s in samples]),
        first,
        len(samples) if end is None else end,
        _masks(damage) if (damage := [s.damage for s in samples if s.damage is not None]) else None,
        Truth.of(labels) if (labels := [s.label for s in samples if s.label is not None]) else None,
        np.array([_ratio(s) for s in samples]),
    )


def _ratio(sample: Sample) -> float:
    missing = sample.hole if sample.damage is None else sample.hole | sample.damage
    return float(np.count_nonzero(missing) / missing.size)


def _masks(masks: list[Bool]) -> Tensor:
    """(H, W) bool each to (N, 1, H, W) float32, rows one after the other.

    Of one channel both layouts have the same memory, and the strides alone tell them apart: with those of
    channels-last, pooling takes the masks for vectors one number long, at three times the cost.
    """
    return torch.from_numpy(np.stack(masks)).float()[:, None]


def _planes(pixels: np.ndarray) -> Tensor:
    """(N, H, W, C) uint8 to (N, C, H, W) float32 in [0, 1], the memory left channels-last."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
