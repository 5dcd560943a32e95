"""What the server may hold, and for how long."""

from __future__ import annotations

import os
from dataclasses import dataclass

from remend.options import MIB, Bounds, options_of
from remend.serve.problems import Problem

__all__ = ["Ledger", "Limits", "default_workers"]

COST = options_of(Bounds)
WORKER_BYTES = 2 << 30  # libraries, models, and what a filler needs for a window


def default_workers() -> int:
    """How many pictures at a time: one for two cores, four at most.

    Two threads on one picture are nearly as good as two pictures on one thread each, take half the
    memory, and a person waits half as long.
    """
    return max(1, min(4, (os.cpu_count() or 1) // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the server; all of them hold at once.

    Attributes:
        max_pixels: of a picture or mask, told from its header before it is decoded.
        max_memory: bytes of the samples of one picture; a worker as a whole gets three times as much and
            2 GiB, from the system, and dies beyond that.
        accept: formats that are taken; empty = all.
        max_bytes: of one request's body.
        queue: requests that may wait, beside those in work.
        arrivals: bodies that may be on their way in.
        connections: that may be open.
        client_share: of the queue, of arrivals, of bytes and of event streams that one address may have, 0 to
            1. Addresses of this machine are not told apart.
        workers: pictures at a time.
        threads: of each worker.
        held_bytes: of all uploads and all answers on their way out, together.
        results: finished jobs that are kept with their result.
        result_bytes: of all kept results together.
        result_seconds: that a finished job is remembered.
        records: finished jobs without a result (failed, cancelled) that are remembered.
        header_seconds: that a request's headers may take.
        idle_seconds: that an upload may pause.
        upload_seconds: that an upload may take.
        least_rate: bytes a second, of an upload or an answer, after ``grace_seconds``.
        grace_seconds: before that nothing is too slow.
        room_seconds: that an upload waits for room before it is refused.
        job_seconds: that the work on one picture may take.
        streams: event streams open at once.
        drain_seconds: that work in hand is given when the server is asked to end.
    """

    max_pixels: int = COST["max_pixels"].default
    max_memory: int = COST["max_memory"].default
    accept: tuple[str, ...] = ()
    max_bytes: int = 256 * MIB
    queue: int = 32
    arrivals: int = 128
    connections: int = 512
    client_share: float = 0.5
    workers: int = 1
    threads: int = 1
    held_bytes: int = 2048 * MIB
    results: int = 64
    result_bytes: int = 512 * MIB
    result_seconds: float = 600.0
    records: int = 256
    header_seconds: float = 10.0
    idle_seconds: float = 15.0
    upload_seconds: float = 300.0
    least_rate: float = 4096.0
    grace_seconds: float = 5.0
    room_seconds: float = 4.0
    job_seconds: float = 600.0
    streams: int = 256
    drain_seconds: float = 14.0

    @property
    def bounds(self) -> Bounds:
        """What one job may cost."""
        return Bounds(
            max_pixels=self.max_pixels,
            max_memory=self.max_memory,
            time_limit_s=self.job_seconds,
            accept=self.accept,
        )

    @property
    def worker_bytes(self) -> int:
        """What the system lets a worker have: beyond it, it runs out of memory before the machine does."""
        return 3 * self.max_memory + WORKER_BYTES


class Ledger:
    """Counts the bytes that requests hold, and says no before there are too many."""

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0

    def fits(self, count: int) -> bool:
        """Whether there is room for so many more."""
        return self.held + count <= self.limit

    def full(self) -> str:
        """What is said when there is not."""
        return f"pictures in hand fill the {self.limit // MIB} MiB set aside for them"

    def take(self, count: int) -> None:
        """Reserve.

        Raises:
            Problem: ``queue-full``.
        """
        if not self.fits(count):
            raise Problem("queue-full", self.full(), retry_after=5)
        self.held += count

    def give_back(self, count: int) -> None:
        """Release what was reserved."""
        self.held -= count
