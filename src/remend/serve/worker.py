"""A worker process: its inside, and the handle that the server holds of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from remend.faults import as_own, debugging, trace_of
from remend.serve.problems import problem_of
from remend.serve.task import Cancel, Failed, Message, Progress, Ready, Task

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ["Worker"]

NICENESS = 5  # the server answers first, then pictures are worked on
BETWEEN_REPORTS_S = 0.05
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Worker:
    """One process that lives long and does one task at a time.

    Spawned, not forked: OpenCV's threads do not survive a fork. A thread here reads what it says and
    hands it to the event loop; None stands for its death.
    """

    def __init__(self, threads: int, most_bytes: int) -> None:
        self.threads, self.most_bytes = threads, most_bytes
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self.missing: tuple[str, ...] = ()
        self.loaded = False
        self.process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    async def start(self) -> bool:
        """Start it and wait until it has loaded everything; False when it died on the way."""
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._spawn)
        assert self._pipe is not None
        reader = threading.Thread(
            target=_read, args=(self._pipe, loop, self.messages), name="remend-worker-reader", daemon=True
        )
        reader.start()
        first = await self.messages.get()
        if isinstance(first, Ready):
            self.missing, self.loaded = first.missing, True
            return True
        return False

    def _spawn(self) -> None:
        context = get_context("spawn")
        here, there = context.Pipe()
        self._pipe = here
        self.process = context.Process(
            target=run, args=(there, self.threads, self.most_bytes), name="remend-worker", daemon=True
        )
        self.process.start()
        there.close()

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.is_alive()

    def send(self, message: Task | Cancel) -> None:
        """Give it something to do, or tell it to stop. A dead one answers with None."""
        assert self._pipe is not None
        with suppress(OSError):
            self._pipe.send(message)

    async def end(self) -> None:
        """Kill it and wait until it is gone. It holds nothing that would need a goodbye."""
        if self.process is not None and self.process.pid is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.join, 5)


def _read(pipe: Connection, loop: asyncio.AbstractEventLoop, messages: asyncio.Queue[Message | None]) -> None:
    """In a thread: everything that the worker says, then None."""

    def put(message: Message | None) -> None:
        with suppress(RuntimeError):  # the loop has ended before the worker
            loop.call_soon_threadsafe(messages.put_nowait, message)

    try:
        while True:
            put(pipe.recv())
    except (EOFError, OSError):
        put(None)
    finally:
        pipe.close()


def run(pipe: Connection, threads: int, most_bytes: int) -> None:
    """The process: load everything, then one task after another until the server is gone.

    Args:
        pipe: to the server.
        threads: for OpenCV, and for the linear algebra under NumPy, which reads it as it is loaded.
        most_bytes: of memory, from the system.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a signal to the group is the server's to answer
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    _bound_memory(most_bytes)
    import cv2

    from remend.serve.work import perform

    cv2.setNumThreads(threads)
    with suppress(EOFError, OSError):  # the server has gone
        pipe.send(Ready(_missing()))
        while True:
            task = pipe.recv()
            if not isinstance(task, Task):
                continue  # told to stop what was finished already
            try:
                answer: Message = perform(task, _hear(pipe, task.number))
            except (BrokenPipeError, EOFError):
                raise
            except Exception as error:
                answer = _internal(error)
            pipe.send(answer)


def _bound_memory(most_bytes: int) -> None:
    """Ask the system for no more than this; where it knows no such limit, the budget alone holds."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


def _internal(error: Exception) -> Failed:
    """A fault of ours: one line for the log and the client; a traceback only under ``--debug``."""
    own = as_own(error)
    sys.stderr.write(f"remend: {own}\n{trace_of(error) if debugging() else ''}")
    return Failed(problem_of(own, stage=""))


def _hear(pipe: Connection, number: int) -> Callable[[Progress], None]:
    """Reports progress, not too often, and notices when the task is not wanted any more."""
    from remend.serve.work import Stopped

    last = ("", 0.0)

    def hear(progress: Progress) -> None:
        nonlocal last
        while pipe.poll():
            message = pipe.recv()
            if isinstance(message, Cancel) and message.number == number:
                raise Stopped
        now = time.monotonic()
        if progress.stage != last[0] or now - last[1] >= BETWEEN_REPORTS_S:
            pipe.send(progress)
            last = (progress.stage, now)

    return hear


def _missing() -> tuple[str, ...]:
    """Load every filler, so that the first picture does not wait; the names of those that cannot run."""
    from remend.errors import ModelError
    from remend.fill.registry import ENTRIES, filler_named

    missing = []
    for name in ENTRIES:
        try:
            filler_named(name)
        except ModelError:
            missing.append(name)
    from remend.damage import find, signs  # noqa: F401 - loaded for who comes first

    return tuple(missing)
