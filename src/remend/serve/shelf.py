"""Finished jobs, kept for who asks by id: bounded in number, bytes and time; the oldest go first."""

from __future__ import annotations

import time
from collections.abc import Callable

from remend.serve.job import Job
from remend.serve.limits import Limits
from remend.serve.task import result_files

__all__ = ["Shelf"]


class Shelf:
    """Results on disk and records in memory.

    Args:
        limits: how many, how large, how long.
        forget: called with a job that is thrown out.
    """

    def __init__(self, limits: Limits, forget: Callable[[Job], None]) -> None:
        self.limits, self.forget = limits, forget
        self.held = 0
        self._jobs: dict[str, Job] = {}  # in the order they ended

    def put(self, job: Job) -> None:
        """Keep it, and throw out what is too much."""
        self._jobs[job.id] = job
        self.held += job.size
        self.sweep()

    def empty(self, job: Job) -> None:
        """Delete its result; the record stays. Again is fine."""
        for path in result_files(job.result):
            path.unlink(missing_ok=True)
        if job.id in self._jobs:
            self.held -= job.size
        job.size = 0

    def sweep(self) -> None:
        """Throw out what is too old or too much."""
        limits, now = self.limits, time.monotonic()
        full = [job for job in self._jobs.values() if job.state == "done"]
        bare = [job for job in self._jobs.values() if job.state != "done"]
        out = [
            job
            for job in self._jobs.values()
            if job.ended is not None and now > job.ended + limits.result_seconds
        ]
        out += full[: max(0, len(full) - limits.results)]
        out += bare[: max(0, len(bare) - limits.records)]
        for job in out:
            self._throw_out(job)
        for job in full:
            if self.held <= limits.result_bytes:
                break
            self._throw_out(job)

    def _throw_out(self, job: Job) -> None:
        if job.id in self._jobs:
            self.empty(job)
            del self._jobs[job.id]
            self.forget(job)
