"""Processes that draw numbered samples into shared memory, in order, ahead of the loop that needs them."""

from __future__ import annotations

import gc
import mmap
import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Crew", "calm", "quiet_fork"]

Rows = dict[str, NDArray[Any]]


class Crew:
    """Draws batches of samples by forked processes.

    What is drawn lies in memory that the processes share, so a batch costs its reader no copy and no
    pickling: a thread pool of the same size is held back by Python's lock, a process pool by its pipe.

    Args:
        draw: writes sample ``number`` into the rows that it is given, one a plane. It runs in processes that
            are forked when ``batches`` begins and see everything that ``draw`` refers to without a copy.
        planes: shape and type of one sample's row in each plane.
        size: samples of a batch.
        workers: processes; 0 = the caller draws by itself, when a batch is asked for.
        ahead: batches that are drawn before they are asked for; twice the workers and two by default.

    Cost: memory of ``ahead`` + 1 batches.
    """

    def __init__(
        self,
        draw: Callable[[int, Rows], None],
        planes: Mapping[str, tuple[tuple[int, ...], DTypeLike]],
        *,
        size: int,
        workers: int,
        ahead: int | None = None,
    ) -> None:
        self.draw, self.size, self.workers = draw, size, workers
        self.ahead = (2 * workers + 2 if ahead is None else ahead) if workers else 0
        self._slots = [
            {name: _shared((size, *shape), np.dtype(kind)) for name, (shape, kind) in planes.items()}
            for _ in range(self.ahead + 1)
        ]

    def batches(self, first: int) -> Generator[Rows, None, None]:
        """Batches of samples ``first``, ``first + 1`` … without end; close the iterator to end the processes.

        A batch is overwritten once the next but ``ahead`` is asked for at the earliest, so copy it before you
        ask for the next one.
        """
        if not self.workers:
            while True:
                self._fill(0, first)
                first += self.size
                yield self._slots[0]
        global _CREW
        _CREW = self
        pool = ProcessPoolExecutor(self.workers, get_context("fork"), calm)
        waiting: deque[tuple[int, Future[None]]] = deque()
        try:
            with quiet_fork():  # all processes are forked with the first batch
                for slot in range(self.ahead):
                    waiting.append((slot, pool.submit(_fill_there, slot, first)))
                    first += self.size
            free = self.ahead
            while True:
                slot, future = waiting.popleft()
                # The slot that was read last is drawn into only now, when its reader is done with it.
                waiting.append((free, pool.submit(_fill_there, free, first)))
                first += self.size
                future.result()
                yield self._slots[slot]
                free = slot
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _fill(self, slot: int, first: int) -> None:
        for k in range(self.size):
            self.draw(first + k, {name: plane[k, ...] for name, plane in self._slots[slot].items()})


_CREW: Crew | None = None  # the crew whose processes are forked next


def _fill_there(slot: int, first: int) -> None:
    assert _CREW is not None
    _CREW._fill(slot, first)


@contextmanager
def quiet_fork() -> Iterator[None]:
    """Inside, Python does not warn of forking a process that has threads.

    What its children run is NumPy and OpenCV's own loops alone: no lock of torch or CUDA is ever asked for.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


def calm() -> None:
    """Training goes first. OpenCV's threads were set before the fork: a child that sets them hangs.

    What was there before the fork is never collected here: among it may be memory of a device.
    """
    os.nice(3)
    gc.freeze()


def _shared(shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    """Zeros that forked processes see and write to."""
    length = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    return np.frombuffer(mmap.mmap(-1, max(1, length)), kind, int(np.prod(shape, dtype=np.int64))).reshape(
        shape
    )
