"""Many pictures: run them, and survive the bad ones. `remend.album` says which become which."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from remend.album import Job, plan_jobs
from remend.errors import ResourceError, UsageError, WriteError
from remend.faults import as_own, trace_of
from remend.job import Report, repair_file
from remend.options import Bounds, MaskOptions, Settings

__all__ = ["BatchOptions", "Failure", "Job", "Outcome", "attempt", "make_folder", "plan_jobs", "run_jobs"]

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture was not repaired: one line, the exit code that belongs to it, and a traceback."""

    source: str
    message: str
    exit_code: int
    trace: str = ""

    @staticmethod
    def of(source: str, error: Exception) -> Failure:
        """What an exception comes to, whosever it is."""
        own = as_own(error)
        return Failure(source, str(own), own.exit_code, trace_of(error))


Outcome = Report | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """What all pictures of a batch share: ``guide`` is a file of lines to follow, or None; ``references`` are
    other dates of the scene."""

    settings: Settings
    options: MaskOptions
    guide: Path | None = None
    references: tuple[Path, ...] = ()
    overwrite: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    dry_run: bool = False
    explain: Path | None = None
    format: str | None = None


def run_jobs(
    jobs: Sequence[Job], shared: BatchOptions, *, processes: int = 1
) -> Iterator[tuple[Job, Outcome]]:
    """Repair them, and answer for each as it ends: in order with one process, as they come with more.

    A bad picture is a Failure and never stops the rest; a worker that dies (killed for memory, say)
    costs its own picture only.

    Args:
        jobs: from ``plan_jobs``.
        shared: what they have in common.
        processes: how many pictures at a time; each needs memory of its own.
    """
    if processes <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, _run(job, shared)
        return
    yield from _in_processes(list(jobs), shared, min(processes, len(jobs)))


def _in_processes(jobs: list[Job], shared: BatchOptions, processes: int) -> Iterator[tuple[Job, Outcome]]:
    waiting = list(reversed(jobs))
    suspects: list[Job] = []  # in flight when a worker died: each is tried once more, alone
    while waiting:
        with _pool(processes) as pool:
            running: dict[Future[Outcome], Job] = {}
            broken = False
            while (waiting and not broken) or running:
                while waiting and not broken and len(running) < processes:
                    job = waiting.pop()
                    running[_submit(pool, job, shared)] = job
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    job = running.pop(future)
                    try:
                        yield job, future.result()
                    except BrokenProcessPool:
                        broken = True
                        suspects.append(job)
                    except Exception as error:  # what the pool itself raises
                        yield job, Failure.of(str(job.source), error)
    for job in suspects:
        with _pool(1) as pool:
            try:
                yield job, _submit(pool, job, shared).result()
            except BrokenProcessPool:
                died = ResourceError(
                    "the worker died, most likely for memory: use fewer --jobs or a smaller picture"
                )
                yield job, Failure.of(str(job.source), died)


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes (spawned: OpenCV's threads do not survive a fork) that share the cores.

    When the user interrupts, the pictures in hand are finished and no other is begun: a worker that
    is killed could leave its temporary file behind.
    """
    threads = max(1, (os.cpu_count() or 1) // processes)
    # The linear algebra under NumPy reads this when it is loaded; waiting for each other, its threads
    # would keep every core of the other workers busy.
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update(dict.fromkeys(BLAS_THREADS, str(threads)))
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_limit_threads, initargs=(threads,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _submit(pool: ProcessPoolExecutor, job: Job, shared: BatchOptions) -> Future[Outcome]:
    """Hand a job to the pool. Workers start here, deaf to Ctrl-C: it is the parent's to answer."""
    if threading.current_thread() is not threading.main_thread():
        return pool.submit(_run, job, shared)
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return pool.submit(_run, job, shared)
    finally:
        signal.signal(signal.SIGINT, heard)


def _limit_threads(threads: int) -> None:
    import cv2

    cv2.setNumThreads(threads)


def _run(job: Job, shared: BatchOptions) -> Outcome:
    if job.refused is not None:
        return Failure.of(str(job.source), UsageError(job.refused))
    return attempt(job.source, job.target, shared, mask=job.mask, place=job.place)


def attempt(
    source: Path | bytes,
    target: Path | BinaryIO,
    shared: BatchOptions,
    *,
    mask: Path | None,
    place: Path,
) -> Outcome:
    """Repair one picture; whatever goes wrong becomes a Failure.

    Args:
        source: a file, or the bytes that came through a pipe.
        target: a file, or an open one.
        shared: everything else.
        mask: None = find the damage.
        place: what the files of ``--explain`` are named after.
    """
    name = str(source) if isinstance(source, Path) else "-"
    explanation = None
    try:
        if shared.explain is not None:
            from remend.explain import Explanation

            explanation = Explanation(shared.explain / place.parent, place.name, shared.settings)
        if isinstance(target, Path) and not shared.dry_run:
            make_folder(target.parent)
        return repair_file(
            source,
            None if shared.dry_run else target,
            mask=mask,
            guide=shared.guide,
            references=shared.references,
            settings=shared.settings,
            options=shared.options,
            format=shared.format,
            overwrite=shared.overwrite,
            bounds=shared.bounds,
            observer=None if explanation is None else explanation.observe,
            inspect=None if explanation is None else explanation.inspect,
        )
    except BrokenPipeError:
        raise  # whoever read our output has left: nobody to tell
    except Exception as error:
        return Failure.of(name, error)


def make_folder(folder: Path, flag: str = "-o") -> None:
    """Make a folder for results, and those above it.

    Args:
        folder: may be there already.
        flag: that named it.

    Raises:
        WriteError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"the folder {folder} cannot be made ({error.strerror}): give another {flag}"
        ) from error
