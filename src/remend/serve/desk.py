"""The desk: takes work in while there is room, lines it up, hands it to workers, keeps results a while."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import shutil
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

from remend.serve.job import Job
from remend.serve.keys import Keys
from remend.serve.limits import Ledger, Limits
from remend.serve.metrics import Metrics
from remend.serve.options import Wish
from remend.serve.problems import Problem
from remend.serve.shelf import Shelf
from remend.serve.task import Cancel, Cancelled, Done, Failed, Message, Progress, Task
from remend.serve.uploads import Upload
from remend.serve.worker import Worker

__all__ = ["Desk"]

log = logging.getLogger("remend.serve")
GRACE_S = 0.3  # for a worker to stop by itself before it is killed
SWEEP_S = 2.0
FETCH_S = 2.0  # after the last job of a drain, for its client to come and get it
DIED = "the process that worked on the picture died, most likely for memory"
ATTEMPTS = 3
RESTART_S = 1.0  # between attempts to start a worker that does not start


class Desk:
    """All jobs of a server and the workers that do them. Everything runs on the event loop's thread.

    Args:
        limits: what may be held.
        metrics: what is counted.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self.ledger = Ledger(limits.held_bytes)
        self.folder = Path()
        self.jobs: dict[str, Job] = {}
        self.shelf = Shelf(limits, self._forget)
        self.keys = Keys()
        self.draining = False
        self.missing: tuple[str, ...] = ()
        self._arriving = 0
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._work = asyncio.Event()
        self._idle = 0
        self._spare: asyncio.Queue[Worker] = asyncio.Queue()
        self._wanted = asyncio.Semaphore(limits.workers + 1)  # workers still to be started
        self._workers: set[Worker] = set()
        self._numbers = count(1)
        self._usual_seconds = 0.5  # of a job, lately

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Desk]:
        """Start the workers; at the end kill them and delete all files."""
        self.folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="remend-serve-"))
        tasks = [asyncio.create_task(self._slot()) for _ in range(self.limits.workers)]
        tasks += [asyncio.create_task(self._keep_a_spare()), asyncio.create_task(self._sweep())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(worker.end() for worker in set(self._workers)))
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    # Coming in ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether work would be begun: a worker has loaded, and the end has not been asked for."""
        return not self.draining and (self._idle > 0 or bool(self._running))

    @property
    def depth(self) -> int:
        """Requests waiting, or on their way in."""
        return self._arriving + len(self._waiting)

    @contextmanager
    def admission(self) -> Iterator[None]:
        """A place for a request whose body is about to be read.

        Raises:
            Problem: ``queue-full`` or ``draining``.
        """
        if self.draining:
            raise Problem("draining", "no new work is taken", retry_after=10)
        # A worker that is free or starting counts as room.
        if self.depth + len(self._running) >= self.limits.queue + self.limits.workers:
            detail = f"{len(self._waiting)} requests wait already"
            raise Problem("queue-full", detail, retry_after=self.retry_after())
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    def retry_after(self) -> int:
        """Seconds until there is likely room, 1 to 60."""
        ahead = (len(self._waiting) / 2 + 1) * self._usual_seconds / self.limits.workers
        return max(1, min(60, math.ceil(ahead)))

    def submit(self, upload: Upload, wish: Wish, *, kept: bool) -> Job:
        """Line it up.

        Args:
            upload: the desk's from now on; its files are deleted when the work is over.
            wish: what to do.
            kept: remember the result for who asks by id; otherwise ``release`` must be called.
        """
        number = next(self._numbers)
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
        job = Job(secrets.token_urlsafe(18), task, upload, kept)
        self.jobs[job.id] = job
        self._waiting.append(job)
        self._renumber()
        self._work.set()
        return job

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
        """One place at which a worker works; a worker that dies is replaced."""
        worker = await self._spare.get()
        while True:
            self._idle += 1
            try:
                job = await self._next()
            finally:
                self._idle -= 1
            job.state, job.began, job.position = "running", time.monotonic(), None
            self._running.add(job)
            job.tell()
            outcome = None
            for _ in range(ATTEMPTS):
                if not worker.alive:
                    await self._bury(worker)
                    worker = await self._spare.get()
                outcome = await self._at_work(worker, job)
                if outcome is not None or job.progress is not None:
                    break  # else it died before it began, of something else: another may try
            self._running.discard(job)
            self._end(job, outcome or Failed(Problem("worker-died", DIED)))
            if worker not in self._workers:
                worker = await self._spare.get()

    async def _at_work(self, worker: Worker, job: Job) -> Done | Failed | Cancelled | None:
        """Let the worker do it; None when it died of it."""
        worker.send(job.task)
        deadline = time.monotonic() + self.limits.job_seconds
        unwanted = asyncio.create_task(job.unwanted.wait())
        try:
            while True:
                saying = asyncio.create_task(worker.messages.get())
                left = deadline - time.monotonic()
                await asyncio.wait(
                    {saying, unwanted}, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED
                )
                if saying.done():
                    message = saying.result()
                    if isinstance(message, Progress):
                        job.hear(message)
                        continue
                    if message is None:
                        await self._bury(worker)
                        self.metrics.deaths.inc()
                        log.error("a worker died at job %s; it is replaced", job.task.number)
                        return None
                    assert isinstance(message, Done | Failed | Cancelled)
                    return message
                saying.cancel()
                if unwanted.done():
                    await self._stop(worker, job)
                    return Cancelled()
                await self._bury(worker)
                told = f"it was stopped after {self.limits.job_seconds:g} seconds"
                return Failed(Problem("took-too-long", told))
        finally:
            unwanted.cancel()

    async def _stop(self, worker: Worker, job: Job) -> None:
        """Ask it to stop, and kill it when it does not at once: fillers cannot be interrupted."""
        worker.send(Cancel(job.task.number))
        try:
            async with asyncio.timeout(GRACE_S):
                message: Message | None = Progress("")
                while isinstance(message, Progress):
                    message = await worker.messages.get()
            if message is None:
                await self._bury(worker)
        except TimeoutError:
            await self._bury(worker)

    async def _bury(self, worker: Worker) -> None:
        if worker in self._workers:
            self._workers.discard(worker)
            self._wanted.release()
        await worker.end()

    def _end(self, job: Job, outcome: Done | Failed | Cancelled) -> None:
        job.ended = time.monotonic()
        job.upload.discard()
        if isinstance(outcome, Done) and not job.kept:  # the shelf counts the others
            try:
                job.upload.hold(outcome.report["bytes"])
            except Problem as problem:
                outcome = Failed(problem)
        if isinstance(outcome, Done) and not job.unwanted.is_set():
            job.state, job.report = "done", dict(outcome.report)
            job.size = outcome.report["bytes"]
            began = job.began if job.began is not None else job.ended
            seconds = {"queue": round(began - job.born, 4), **outcome.report["seconds"]}
            job.report["seconds"] = seconds
            self._usual_seconds += 0.1 * (job.ended - began - self._usual_seconds)
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

    # Keeping workers ------------------------------------------------------------------------------

    async def _keep_a_spare(self) -> None:
        """Have one worker more than work at a time: a place that loses its own goes on at once."""
        while True:
            await self._wanted.acquire()
            worker = Worker(self.limits.threads, self.limits.worker_bytes)
            self._workers.add(worker)
            if await worker.start():
                self.missing = worker.missing
                await self._spare.put(worker)
            else:
                await self._bury(worker)
                log.error("a worker did not start; trying again")
                await asyncio.sleep(RESTART_S)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.shelf.sweep()

    @property
    def workers_loaded(self) -> int:
        """Processes that can work or do, the spare one included."""
        return sum(worker.loaded for worker in self._workers)

    # Going down -----------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Take nothing more, and wait for what is in hand, as long as the limits allow."""
        self.draining = True
        deadline = time.monotonic() + self.limits.drain_seconds
        while (self._waiting or self._running or self._arriving) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for job in [*self._waiting, *self._running]:
            job.problem = Problem("draining", "the server went down before this was done", retry_after=10)
            self.cancel(job)
        while self._running:
            await asyncio.sleep(0.02)
        until = min(deadline, time.monotonic() + FETCH_S)
        while time.monotonic() < until and any(
            job.kept and job.over and not job.fetched for job in self.jobs.values()
        ):
            await asyncio.sleep(0.05)
