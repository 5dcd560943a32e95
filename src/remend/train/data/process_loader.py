"""Batches drawn by processes, for a device that threads cannot feed."""

from __future__ import annotations

from collections.abc import Generator
from multiprocessing import get_all_start_methods
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.train.data.loader import Batch
from remend.train.data.samples import Sampler
from remend.train.data.workers import Crew

__all__ = ["DRAWERS", "drawn_by_processes", "suits"]

DRAWERS = ("auto", "threads", "processes")
"""Of ``train.drawn_by``."""


def suits(sampler: Sampler) -> bool:
    """Whether processes can draw these samples: whole pictures without labels, all of them in memory.

    Damage and labels do not travel, and pictures that are kept at their first use would be kept by every
    process anew: those are drawn by threads.
    """
    forks = "fork" in get_all_start_methods()
    return forks and sampler.damage is None and sampler.labels is None and sampler.pictures.in_memory


def drawn_by_processes(
    sampler: Sampler,
    *,
    start: int,
    size: int,
    workers: int,
    device: torch.device,
    rank: int = 0,
    world: int = 1,
) -> Generator[Batch, None, None]:
    """The batches of ``loader.batches``, bit for bit, on ``device``, drawn by forked processes.

    What travels is one byte a value: the wanted picture and the hole. What the net is shown is that picture
    with 0 under the hole, and is made on the device. A CUDA device gets each batch through pinned memory and
    a stream of its own while the step before is computed.

    Args:
        sampler: for which ``suits`` holds.
        start: global index of the first sample.
        size: samples of a batch, over all devices; a multiple of ``world``.
        workers: processes.
        device: where batches are wanted.
        rank: of this process, which gets samples ``rank``, ``rank + world`` … of each batch.
        world: number of processes that train.

    Cost: the masks that take long are made before the first batch: 20 s of one core for every weight above
    0, by all workers together.
    """
    own, side = size // world, sampler.data.crop_px
    cv2.setNumThreads(1)  # before the fork: a child that sets them hangs
    sampler.prepare(workers)

    def draw(number: int, rows: dict[str, NDArray[Any]]) -> None:
        sample = sampler(start + number // own * size + rank + number % own * world)
        rows["wanted"][:] = sample.target
        rows["hole"][:] = sample.hole

    planes = {"wanted": ((side, side, 3), np.uint8), "hole": ((side, side), np.uint8)}
    source = Crew(draw, planes, size=own, workers=workers).batches(0)
    send = _Lane(device) if device.type == "cuda" else _made_here
    try:
        first = start
        ready = send(next(source))
        while True:
            # The next one is on its way before this one is asked for anything.
            wanted, hole, ratios = ready.arrived() if isinstance(ready, _OnItsWay) else ready
            following = send(next(source))
            yield _batch(wanted, hole, ratios, first, first + size)
            first, ready = first + size, following
    finally:
        source.close()


_Sent = tuple[Tensor, Tensor, NDArray[np.float64]]


def _made_here(rows: dict[str, NDArray[Any]]) -> _Sent:
    """A copy on the processor; the rows are drawn over later."""
    return torch.from_numpy(rows["wanted"].copy()), torch.from_numpy(rows["hole"].copy()), _ratios(rows)


def _ratios(rows: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    return np.array([np.count_nonzero(hole) / hole.size for hole in rows["hole"]])


def _batch(wanted: Tensor, hole: Tensor, ratios: NDArray[np.float64], first: int, end: int) -> Batch:
    """(N, H, W, 3) and (N, H, W) uint8 as the net's contract has them."""
    target = wanted.permute(0, 3, 1, 2).float().div_(255)
    missing = hole[:, None]
    image = target.clone().masked_fill_(missing.bool(), 0.0)  # in place, so that it stays channels-last
    return Batch(image, target, missing.float(), first, end, ratios=ratios)


class _OnItsWay:
    """A batch that is being copied to a CUDA device."""

    def __init__(self, planes: list[Tensor], ratios: NDArray[np.float64], done: torch.cuda.Event) -> None:
        self.planes, self.ratios, self.done = planes, ratios, done

    def arrived(self) -> _Sent:
        """Planes that the current stream may read; the processor does not wait."""
        stream = torch.cuda.current_stream(self.planes[0].device)
        stream.wait_event(self.done)
        for plane in self.planes:
            plane.record_stream(stream)  # made on the lane: its memory is not to be reused before it is read
        wanted, hole = self.planes
        return wanted, hole, self.ratios


class _Lane:
    """Copies rows to a CUDA device beside what is computed there, by way of two sets of pinned buffers."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.stream = device, torch.cuda.Stream(device)
        self.buffers: list[dict[str, Tensor]] = [{}, {}]
        self.free: list[torch.cuda.Event | None] = [None, None]
        self.turn = 0

    def __call__(self, rows: dict[str, NDArray[Any]]) -> _OnItsWay:
        buffers, free = self.buffers[self.turn], self.free[self.turn]
        if free is not None:
            free.synchronize()  # of two batches ago: passed long since
        for name, plane in rows.items():
            if name not in buffers:
                buffers[name] = torch.empty(plane.shape, dtype=torch.uint8, pin_memory=True)
            buffers[name].copy_(torch.from_numpy(plane))
        with torch.cuda.stream(self.stream):
            planes = [buffers[name].to(self.device, non_blocking=True) for name in ("wanted", "hole")]
            done = torch.cuda.Event()
            done.record(self.stream)
        self.free[self.turn] = done
        self.turn = 1 - self.turn
        return _OnItsWay(planes, _ratios(rows), done)
