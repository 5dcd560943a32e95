"""The worker processes: started, given jobs, stopped, replaced when they die."""

from __future__ import annotations

import asyncio
import logging
import time

from remend.serve.job import Job
from remend.serve.limits import Limits
from remend.serve.metrics import Metrics
from remend.serve.problems import Problem
from remend.serve.task import Cancel, Cancelled, Done, Failed, Message, Progress
from remend.serve.worker import Worker

__all__ = ["Crew", "Outcome"]

log = logging.getLogger("remend.serve")
GRACE_S = 0.3  # for a worker to stop by itself before it is killed
DIED = "the process that worked on the picture died, most likely for memory"
ATTEMPTS = 3
RESTART_S = 1.0  # between attempts to start a worker that does not start

Outcome = Done | Failed | Cancelled


class Crew:
    """One worker more than work at a time, so that a place that loses its own goes on at once.

    Args:
        limits: how many, and how long a job may take.
        metrics: deaths are counted.

    Attributes:
        missing: methods whose model is not there, as the last worker said.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self.missing: tuple[str, ...] = ()
        self._spare: asyncio.Queue[Worker] = asyncio.Queue()
        self._wanted = asyncio.Semaphore(limits.workers + 1)  # workers still to be started
        self._workers: set[Worker] = set()

    @property
    def loaded(self) -> int:
        """Processes that can work or do, the spare one included."""
        return sum(worker.loaded for worker in self._workers)

    async def keep(self) -> None:
        """Start workers as they are wanted; runs until it is cancelled."""
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

    async def end(self) -> None:
        """Kill all of them."""
        await asyncio.gather(*(worker.end() for worker in set(self._workers)))

    async def hire(self, last: Worker | None = None) -> Worker:
        """The same worker again while it lives; else another, as soon as there is one."""
        if last is not None and last in self._workers:
            return last
        return await self._spare.get()

    async def work(self, worker: Worker, job: Job) -> tuple[Worker, Outcome]:
        """Have a job done; another worker takes it up when one died before it began.

        Returns:
            Who did it in the end, dead perhaps, and what came of it.
        """
        for _ in range(ATTEMPTS):
            if not worker.alive:
                await self._bury(worker)
                worker = await self._spare.get()
            outcome = await self._at_work(worker, job)
            if outcome is not None:
                return worker, outcome
            if job.progress is not None:
                break  # it died of it
        return worker, Failed(Problem("worker-died", DIED))

    async def _at_work(self, worker: Worker, job: Job) -> Outcome | None:
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
