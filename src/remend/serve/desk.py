"""The desk: takes work in, lines it up, hands it to the crew, and keeps results a while."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from remend.serve.arrivals import Arrival, Arrivals
from remend.serve.crew import Crew, Outcome
from remend.serve.ending import FETCH_S, Ending
from remend.serve.job import Job
from remend.serve.limits import Ledger, Limits
from remend.serve.line import Line
from remend.serve.metrics import Metrics
from remend.serve.options import JobOptions
from remend.serve.problems import Problem
from remend.serve.records import Records
from remend.serve.task import Cancelled, Done, Failed, Task

__all__ = ["Desk"]

SWEEP_S = 2.0


class Desk:
    """All jobs of a server. Everything runs on the event loop's thread.

    Args:
        limits: what may be held.
        metrics: what is counted.

    Attributes:
        arrivals: bodies on their way in.
        line: jobs that wait and jobs in work.
        crew: who works.
        records: what is remembered of jobs.
        ending: when the server is to go down.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self.ledger = Ledger(limits.held_bytes)
        self.line, self.records, self.ending = Line(limits), Records(limits), Ending(limits)
        self.arrivals = Arrivals(limits, self.ledger, held_by=self.records.held_by, room_in=self.line.room_in)
        self.crew = Crew(limits, metrics)
        self.folder = Path()
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

    @property
    def ready(self) -> bool:
        """Whether work would be begun: a worker has loaded, and the end has not been asked for."""
        return not self.ending.begun and (self._idle > 0 or bool(self.line.running))

    @property
    def depth(self) -> int:
        """Requests waiting, or on their way in."""
        return len(self.arrivals) + len(self.line.waiting)

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
        if self.ending.begun:
            raise self.ending.problem("no new work is taken")
        self.line.check_place(client)

    def submit(self, arrival: Arrival, options: JobOptions, *, kept: bool) -> Job:
        """Line it up.

        Args:
            arrival: all of it has come; its upload is the desk's from now on, and deleted when the work is
                over.
            options: what to do.
            kept: remember the result for who asks by id; otherwise ``release`` must be called.

        Raises:
            Problem: ``queue-full`` or ``draining``: others were faster.
        """
        self._check_place(arrival.client)
        number, upload = next(self._numbers), arrival.upload
        task = Task(
            number=number,
            options=options,
            image=upload.files["image"],
            mask=upload.files.get("mask"),
            kept=upload.files.get("kept"),
            result=self.folder / f"{number}.result",
            filename=upload.filename,
            bounds=self.limits.bounds,
        )
        job = Job(secrets.token_urlsafe(18), task, upload, kept, client=arrival.client)
        self.records.jobs[job.id] = job
        self.line.join(job)
        return job

    def cancel(self, job: Job) -> None:
        """Stop it if it waits or runs; throw its result away if it is done. Again is fine."""
        job.unwanted.set()
        if job.state == "queued":
            self.line.leave(job)
            self._end(job, Cancelled())
        elif job.state == "done":
            job.state, job.report = "cancelled", None
            self.records.shelf.empty(job)
            job.tell()

    def release(self, job: Job) -> None:
        """Nobody waits for it any more, and nobody will ask: stop it, and delete what it left."""
        if not job.over:
            self.cancel(job)
        if job.over:
            self.records.forget(job)
        # else its slot forgets it, as soon as its worker has stopped

    async def drain(self) -> None:
        """Wait for what is in hand, as long as the limits allow; call ``ending.begin`` first."""
        line = self.line
        await self.ending.wait_for(lambda: bool(line.waiting or line.running or len(self.arrivals)))
        for job in [*line.waiting, *line.running]:
            job.problem = self.ending.problem("the server went down before this was done")
            self.cancel(job)
        while line.running:
            await asyncio.sleep(0.02)
        jobs = self.records.jobs.values()
        await self.ending.wait_for(
            lambda: any(job.kept and job.over and not job.fetched for job in jobs), at_most=FETCH_S
        )

    async def _slot(self) -> None:
        """One place at which a worker works."""
        worker = await self.crew.hire()
        while True:
            self._idle += 1
            try:
                job = await self.line.next()
            finally:
                self._idle -= 1
            worker, outcome = await self.crew.work(worker, job)
            self.line.running.discard(job)
            self._end(job, outcome)
            worker = await self.crew.hire(worker)

    def _end(self, job: Job, outcome: Outcome) -> None:
        """What came of a job: told, counted, and kept for who asks."""
        job.upload.discard()
        if isinstance(outcome, Done) and not job.kept:  # the shelf counts the others
            size = outcome.report["bytes"]
            if self.ledger.fits(size):
                job.upload.hold(size)
            else:
                wait = self.line.room_in(size)
                outcome = Failed(Problem("queue-full", self.ledger.full(), retry_after=wait))
        spent = job.end(outcome)
        if job.began is not None:
            self.line.forecast.learn(spent)
        if job.state == "done":
            self.metrics.seconds.labels(job.task.options.kind).observe(spent)
        self.metrics.jobs.labels(job.task.options.kind, job.state).inc()
        self.records.keep(job)
        job.tell()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.records.shelf.sweep()
