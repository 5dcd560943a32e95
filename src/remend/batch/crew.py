"""Worker processes of a batch: each does one picture at a time, and may die of it without harm to others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Literal

from remend.batch.work import Answer, Task, work

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ["Crew", "Event"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# A picture's own clock is looked at between steps; a step that does not end is ended from outside.
GRACE, GRACE_S = 1.5, 10.0
LATEST_S = 1.0  # the clocks are looked at so often


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a task: it ``begins`` or is ``done``, its worker ``died`` or was ``stopped``."""

    kind: Literal["begins", "done", "died", "stopped"]
    task: Task
    answer: Answer | None = None


class _Worker:
    """One process, spawned: OpenCV's threads do not survive a fork."""

    def __init__(self, threads: int) -> None:
        context = get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=_live, args=(there, threads), name="remend-batch", daemon=True
        )
        with _deaf(), _few_threads(threads):
            self.process.start()
        there.close()
        self.task: Task | None = None
        self.since = time.monotonic()

    def give(self, task: Task) -> None:
        """Hand it a picture."""
        self.task, self.since = task, time.monotonic()
        with suppress(OSError):  # dead: its pipe says so when it is read
            self.pipe.send(task)

    @property
    def overdue(self) -> bool:
        """Whether its picture has taken far longer than it may."""
        limit = None if self.task is None else self.task.shared.bounds.time_limit_s
        return limit is not None and time.monotonic() - self.since > GRACE * limit + GRACE_S

    def end(self) -> None:
        """Kill it; what it was writing is a draft, and stays none."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Crew:
    """So many workers. Use as a context.

    When it is left, pictures in hand are finished and no other is begun; when it is left a second time
    (Ctrl-C again), workers are killed.

    Args:
        size: pictures at a time.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._threads = max(1, (os.cpu_count() or 1) // size)
        self._workers: list[_Worker] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for worker in self._workers:
                worker.pipe.send(None) if worker.process.is_alive() else None
            for worker in self._workers:
                while worker.task is not None and worker.process.is_alive():
                    self.hear()
        except OSError:
            pass
        finally:
            for worker in self._workers:
                worker.end()

    @property
    def busy(self) -> int:
        """Pictures in hand."""
        return sum(worker.task is not None for worker in self._workers)

    @property
    def free(self) -> bool:
        """Whether another picture can be taken in hand."""
        return self.busy < self.size

    def give(self, task: Task) -> None:
        """Have somebody free do it; a process is started where there is none."""
        worker = next((one for one in self._workers if one.task is None), None)
        if worker is None:
            worker = _Worker(self._threads)
            self._workers.append(worker)
        worker.give(task)

    def go(self, task: Task) -> None:
        """Let a worker that begins go on: the manifest says so now."""
        for worker in self._workers:
            if worker.task is task:
                with suppress(OSError):
                    worker.pipe.send(True)

    def hear(self) -> list[Event]:
        """What happened; waits until something does, a second at most."""
        at_work = {worker.pipe: worker for worker in self._workers if worker.task is not None}
        events = []
        for pipe in wait(list(at_work), timeout=LATEST_S):
            assert isinstance(pipe, Connection)
            worker = at_work.pop(pipe)
            task = worker.task
            assert task is not None
            try:
                message: Answer | None = pipe.recv()
            except (EOFError, OSError):
                self._bury(worker)
                events.append(Event("died", task))
                continue
            if message is None:
                events.append(Event("begins", task))
            else:
                worker.task = None
                events.append(Event("done", task, message))
        for worker in at_work.values():
            if worker.overdue and worker.task is not None:
                events.append(Event("stopped", worker.task))
                self._bury(worker)
        return events

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()


@contextmanager
def _few_threads(threads: int) -> Iterator[None]:
    """The environment of a worker that shares the cores.

    The linear algebra under NumPy reads it when it is loaded; waiting for each other, its threads would keep
    every core of the other workers busy.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _deaf() -> Iterator[None]:
    """Whoever starts here does not hear Ctrl-C: it is the parent's to answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def _live(pipe: Connection, threads: int) -> None:
    """A worker's life: pictures until nobody gives another."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import cv2

    cv2.setNumThreads(threads)

    def begin() -> None:
        pipe.send(None)
        if pipe.recv() is None:  # nobody waits for it any more
            raise SystemExit

    with suppress(EOFError, OSError):
        while (task := pipe.recv()) is not None:
            pipe.send(work(task, begin))


def _end_with_parent() -> None:
    """A batch that was killed must not go on writing beside the one that takes it up."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
