"""The line: jobs that wait and jobs in work, who may still join, and when there will be room."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

from remend.serve.forecast import Forecast
from remend.serve.job import Job
from remend.serve.limits import Limits
from remend.serve.problems import Problem

__all__ = ["Line"]


class Line:
    """First come, first served.

    Attributes:
        waiting: the next one first.
        running: in work.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits, self.forecast = limits, Forecast(limits.workers)
        self.waiting: deque[Job] = deque()
        self.running: set[Job] = set()
        self._work = asyncio.Event()

    def check_place(self, client: str | None) -> None:
        """Whether one more would be lined up.

        Raises:
            Problem: ``queue-full``.
        """
        # A worker that is free or starting counts as room.
        if len(self.waiting) + len(self.running) >= self.limits.queue + self.limits.workers:
            wait = self.forecast.place(self.running, self.waiting)
            raise Problem("queue-full", f"{len(self.waiting)} requests wait already", retry_after=wait)
        if client is not None and self.limits.client_share < 1:
            own = [job for job in self.waiting if job.client == client]
            if len(own) >= max(1, self.limits.client_share * self.limits.queue):
                detail = f"{len(own)} requests from your address wait already"
                raise Problem("queue-full", detail, retry_after=self.seconds_left(own[0]))

    def join(self, job: Job) -> None:
        """It waits from now on."""
        self.waiting.append(job)
        self._renumber()
        self._work.set()

    async def next(self) -> Job:
        """Wait for the next job, and begin it."""
        while not self.waiting:
            self._work.clear()
            await self._work.wait()
        job = self.waiting.popleft()
        self._renumber()
        job.state, job.began, job.position = "running", time.monotonic(), None
        self.running.add(job)
        job.tell()
        return job

    def leave(self, job: Job) -> None:
        """It waits no more."""
        self.waiting.remove(job)
        self._renumber()

    def _renumber(self) -> None:
        for place, job in enumerate(self.waiting, start=1):
            if job.position != place:
                job.position = place
                job.tell()

    def room_in(self, count: int) -> int:
        """Seconds until jobs that end are likely to have given back so many bytes."""
        return self.forecast.room(count, self.running, self.waiting)

    def seconds_left(self, job: Job) -> int:
        """Until a job that waits or runs is likely to be over."""
        ends = self.forecast.ends(self.running, self.waiting)
        return math.ceil(max(1.0, next((seconds for seconds, other in ends if other is job), 1.0)))
