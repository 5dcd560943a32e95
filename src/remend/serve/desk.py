"""The desk: lines work up, hands it to the crew, keeps results a while."""

from __future__ import annotations

import asyncio
import math
import secrets
import shutil
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from remend.serve.arrivals import Arrival, Arrivals
from remend.serve.crew import Crew, Outcome
from remend.serve.forecast import Forecast
from remend.serve.job import Job
from remend.serve.keys import Keys
from remend.serve.limits import Ledger, Limits
from remend.serve.metrics import Metrics
from remend.serve.options import Wish
from remend.serve.problems import Problem
from remend.serve.shelf import Shelf
from remend.serve.task import Cancelled, Done, Failed, Task

__all__ = ["Desk"]

SWEEP_S = 2.0
FETCH_S = 2.0  # after the last job of a drain, for its client to come and get it
RESTARTED_S = 3  # after a drain, for the server that takes over


class Desk:
    """All jobs of a server. Everything runs on the event loop's thread.

    Args:
        limits: what may be held.
        metrics: what is counted.

    Attributes:
        arrivals: bodies on their way in.
        crew: who works.
        shelf, keys: what is remembered of finished jobs.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self.ledger = Ledger(limits.held_bytes)
        self.forecast = Forecast(limits.workers)
        self.arrivals = Arrivals(limits, self.ledger, held_by=self._held_by, room_in=self._room_in)
        self.crew = Crew(limits, metrics)
        self.folder = Path()
        self.jobs: dict[str, Job] = {}
        self.shelf = Shelf(limits, self._forget)
        self.keys = Keys()
        self.draining = False
        self._until = 0.0  # when a drain ends
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._work = asyncio.Event()
        self._idle = 0
        self._numbers = count(1)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Desk]:
        """Start the workers; at the end kill them and delete all files."""
        self.folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="remend-serve-"))
        self.arrivals.folder = self.folder
        tasks = [asyncio.create_task(self._slot()) for _ in range(self.limits.workers)]
        tasks += [asyncio.create_task(self.crew.keep()), asyncio.create_task(self._sweep())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.crew.end()
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    # Coming in ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether work would be begun: a worker has loaded, and the end has not been asked for."""
        return not self.draining and (self._idle > 0 or bool(self._running))

    @property
    def depth(self) -> int:
        """Requests waiting, or on their way in."""
        return len(self.arrivals) + len(self._waiting)

    @asynccontextmanager
    async def admission(self, client: str | None, declared: int | None) -> AsyncIterator[Arrival]:
        """A place for a request whose body is about to be read; it is not yet one in the queue.

        Args:
            client: see `remend.serve.arrivals.client_of`.
            declared: bytes that it announces.

        Raises:
            Problem: ``queue-full``, ``draining``, ``too-many-bytes`` or ``disk-full``.
        """
        self._check_place(client)
        async with self.arrivals.welcome(client, declared) as arrival:
            yield arrival

    def _check_place(self, client: str | None) -> None:
        """Whether one more would be lined up.

        Raises:
            Problem: ``queue-full`` or ``draining``.
        """
        if self.draining:
            raise self.going_down("no new work is taken")
        # A worker that is free or starting counts as room.
        if len(self._waiting) + len(self._running) >= self.limits.queue + self.limits.workers:
            wait = self.forecast.place(self._running, self._waiting)
            raise Problem("queue-full", f"{len(self._waiting)} requests wait already", retry_after=wait)
        if client is not None and self.limits.client_share < 1:
            own = [job for job in self._waiting if job.client == client]
            if len(own) >= max(1, self.limits.client_share * self.limits.queue):
                wait = math.ceil(self._until_end(own[0]))
                detail = f"{len(own)} requests from your address wait already"
                raise Problem("queue-full", detail, retry_after=wait)

    def submit(self, arrival: Arrival, wish: Wish, *, kept: bool) -> Job:
        """Line it up.

        Args:
            arrival: all of it has come; its upload is the desk's from now on, and deleted when the work is
                over.
            wish: what to do.
            kept: remember the result for who asks by id; otherwise ``release`` must be called.

        Raises:
            Problem: ``queue-full`` or ``draining``: others were faster.
        """
        self._check_place(arrival.client)
        number, upload = next(self._numbers), arrival.upload
        task = Task(
            number=number,
            wish=wish,
            image=upload.files["image"],
            mask=upload.files.get("mask"),
            kept=upload.files.get("kept"),
            result=self.folder / f"{number}.result",
            filename=upload.filename,
            bounds=self.limits.bounds,
        )
        job = Job(secrets.token_urlsafe(18), task, upload, kept, client=arrival.client)
        self.jobs[job.id] = job
        self._waiting.append(job)
        self._renumber()
        self._work.set()
        return job

    # When there will be room ----------------------------------------------------------------------

    def _held_by(self, client: str) -> int:
        return sum(job.upload.held for job in self.jobs.values() if job.client == client)

    def _room_in(self, count: int) -> int:
        return self.forecast.room(count, self._running, self._waiting)

    def _until_end(self, job: Job) -> float:
        ends = self.forecast.ends(self._running, self._waiting)
        return max(1.0, next((seconds for seconds, other in ends if other is job), 1.0))

    def seconds_left(self, job: Job) -> int:
        """Until a job that waits or runs is likely to be over."""
        return math.ceil(self._until_end(job))

    def going_down(self, detail: str) -> Problem:
        """What is answered once the server is asked to end: when the next one may be there."""
        left = max(0.0, self._until - time.monotonic())
        return Problem("draining", detail, retry_after=math.ceil(left) + RESTARTED_S)

    # Going on -------------------------------------------------------------------------------------

    def cancel(self, job: Job) -> None:
        """Stop it if it waits or runs; throw its result away if it is done. Again is fine."""
        job.unwanted.set()
        if job.state == "queued":
            self._waiting.remove(job)
            self._end(job, Cancelled())
            self._renumber()
        elif job.state == "done":
            job.state, job.report = "cancelled", None
            self.shelf.empty(job)
            job.tell()

    def release(self, job: Job) -> None:
        """Nobody waits for it any more, and nobody will ask: stop it, and delete what it left."""
        if not job.over:
            self.cancel(job)
        if job.over:
            self._forget(job)
        # else its slot forgets it, as soon as its worker has stopped

    def _forget(self, job: Job) -> None:
        self.jobs.pop(job.id, None)
        self.keys.drop(job)
        self.shelf.empty(job)
        job.upload.discard()

    def _renumber(self) -> None:
        for place, job in enumerate(self._waiting, start=1):
            if job.position != place:
                job.position = place
                job.tell()

    async def _next(self) -> Job:
        while not self._waiting:
            self._work.clear()
            await self._work.wait()
        job = self._waiting.popleft()
        self._renumber()
        return job

    async def _slot(self) -> None:
        """One place at which a worker works."""
        worker = await self.crew.hire()
        while True:
            self._idle += 1
            try:
                job = await self._next()
            finally:
                self._idle -= 1
            job.state, job.began, job.position = "running", time.monotonic(), None
            self._running.add(job)
            job.tell()
            worker, outcome = await self.crew.work(worker, job)
            self._running.discard(job)
            self._end(job, outcome)
            worker = await self.crew.hire(worker)

    def _end(self, job: Job, outcome: Outcome) -> None:
        job.ended = time.monotonic()
        job.upload.discard()
        if isinstance(outcome, Done) and not job.kept:  # the shelf counts the others
            size = outcome.report["bytes"]
            if self.ledger.fits(size):
                job.upload.hold(size)
            else:
                wait = self._room_in(size)
                outcome = Failed(Problem("queue-full", self.ledger.full(), retry_after=wait))
        if job.began is not None:
            self.forecast.learn(job.ended - job.began)
        if isinstance(outcome, Done) and not job.unwanted.is_set():
            job.state, job.report = "done", dict(outcome.report)
            job.size = outcome.report["bytes"]
            began = job.began if job.began is not None else job.ended
            seconds = {"queue": round(began - job.born, 4), **outcome.report["seconds"]}
            job.report["seconds"] = seconds
            self.metrics.seconds.labels(job.task.wish.kind).observe(job.ended - began)
        elif isinstance(outcome, Failed) and not job.unwanted.is_set():
            job.state, job.problem = "failed", outcome.problem
        else:  # a drain that ran out of time has left its problem
            job.state = "cancelled" if job.problem is None else "failed"
        self.metrics.jobs.labels(job.task.wish.kind, job.state).inc()
        if job.state != "done":
            self.shelf.empty(job)
        if job.kept:
            self.shelf.put(job)
        elif job.unwanted.is_set():
            self._forget(job)
        job.tell()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.shelf.sweep()

    # Going down -----------------------------------------------------------------------------------

    def begin_drain(self) -> None:
        """Take nothing more from now on."""
        self.draining = True
        self._until = time.monotonic() + self.limits.drain_seconds

    async def drain(self) -> None:
        """Wait for what is in hand, as long as the limits allow; call ``begin_drain`` first."""
        deadline = self._until
        while (self._waiting or self._running or len(self.arrivals)) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for job in [*self._waiting, *self._running]:
            job.problem = self.going_down("the server went down before this was done")
            self.cancel(job)
        while self._running:
            await asyncio.sleep(0.02)
        until = min(deadline, time.monotonic() + FETCH_S)
        while time.monotonic() < until and any(
            job.kept and job.over and not job.fetched for job in self.jobs.values()
        ):
            await asyncio.sleep(0.05)
