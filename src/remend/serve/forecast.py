"""When there is likely to be room again: what Retry-After says."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from remend.serve.job import Job

__all__ = ["Forecast"]

MOST_SECONDS = 600
TRUSTED_SHARE = 0.15  # of a job's way: from here on its own pace says more than the usual one
LEAST_WEIGHT = 0.1  # of the last job in what is usual


@dataclass
class Forecast:
    """Guesses from how long jobs lately took and how far those in work are.

    Attributes:
        usual_seconds: of a job, lately.
        refused: requests sent away since a place was last freed; each is told of a place of its own.
    """

    workers: int
    usual_seconds: float = 1.0
    refused: int = 0
    _known: int = 0

    def learn(self, seconds: float) -> None:
        """A job took so long."""
        self._known += 1
        weight = max(LEAST_WEIGHT, 1 / self._known)
        self.usual_seconds += weight * (seconds - self.usual_seconds)
        self.refused = 0

    def left(self, job: Job) -> float:
        """Seconds that a job in work still needs."""
        elapsed = time.monotonic() - (job.began if job.began is not None else time.monotonic())
        if job.share >= TRUSTED_SHARE:
            return elapsed * (1 - job.share) / job.share
        # One that is late already is likely to be a large one.
        return max(self.usual_seconds - elapsed, elapsed / 4)

    def ends(self, running: Iterable[Job], waiting: Iterable[Job]) -> list[tuple[float, Job]]:
        """Seconds until each job is over, the next first."""
        found = sorted(((self.left(job), job) for job in running), key=lambda pair: pair[0])
        free = [seconds for seconds, _ in found]
        free += [0.0] * (self.workers - len(free))
        heapq.heapify(free)
        for job in waiting:
            end = heapq.heappop(free) + self.usual_seconds
            heapq.heappush(free, end)
            found.append((end, job))
        return sorted(found, key=lambda pair: pair[0])

    def place(self, running: Iterable[Job], waiting: Iterable[Job]) -> int:
        """Seconds until there is a place in the queue for one more who is sent away now."""
        ends = [seconds for seconds, _ in self.ends(running, waiting)]
        beyond = self.refused - len(ends) + 1
        self.refused += 1
        if beyond > 0 or not ends:
            last = ends[-1] if ends else 0.0
            return _whole(last + max(1, beyond) * self.usual_seconds / self.workers)
        return _whole(ends[self.refused - 1])

    def room(self, count: int, running: Iterable[Job], waiting: Iterable[Job]) -> int:
        """Seconds until jobs that end have given back so many bytes."""
        seconds = self.usual_seconds
        for seconds, job in self.ends(running, waiting):  # noqa: B007 - the last one counts
            count -= job.upload.held
            if count <= 0:
                break
        return _whole(seconds)


def _whole(seconds: float) -> int:
    return max(1, min(MOST_SECONDS, math.ceil(seconds)))
