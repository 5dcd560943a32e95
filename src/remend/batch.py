"""Many pictures: pair inputs with outputs and masks, run them, and survive the bad ones."""

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

from remend.budget import Bounds
from remend.errors import RemendError, ResourceError, UsageError, WriteError
from remend.io.registry import readable_suffixes
from remend.job import MaskOptions, Report, default_target, repair_file
from remend.pipeline import Settings

__all__ = ["BatchOptions", "Failure", "Job", "Outcome", "attempt", "make_folder", "plan_jobs", "run_jobs"]

MADE_BY_US = ".repaired"
BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to repair.

    Attributes:
        source: the picture.
        target: where the result goes.
        mask: the mask's path; None = find the damage.
        place: the picture's path below the folder that was named; its file name if it was named itself.
    """

    source: Path
    target: Path
    mask: Path | None = None
    place: Path = Path()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture was not repaired: one line, and the exit code that belongs to it."""

    source: str
    message: str
    exit_code: int


Outcome = Report | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """What all pictures of a batch share: ``guide`` is a file of lines to follow, or None."""

    settings: Settings
    options: MaskOptions
    guide: Path | None = None
    overwrite: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    dry_run: bool = False
    explain: Path | None = None
    format: str | None = None


def plan_jobs(
    inputs: Sequence[Path], *, output: str | Path | None, mask: Path | None, recursive: bool
) -> list[Job]:
    """Which file becomes which.

    Folders give their pictures (by file name ending, sorted, hidden files and earlier results left
    out); with ``recursive`` also those of the folders inside, whose tree is mirrored.

    Args:
        inputs: files and folders.
        output: a file for one input file; a folder for everything else; None = beside each input,
            as ``photo.repaired.jpg``.
        mask: one mask for all, or a folder of masks matched by relative path, or by stem
            (``a.png`` or ``a_mask.png`` for ``a.jpg``).
        recursive: go into folders inside folders.

    Raises:
        UsageError: nothing to do, two inputs that would write the same file, a missing mask.
    """
    folder_meant = str(output).endswith(("/", os.sep))  # Path would drop the slash
    output = None if output is None else Path(output)
    found: list[tuple[Path, Path]] = []  # the file, and its place below the folder that was named
    for path in inputs:
        if path.is_dir():
            inside = [(file, file.relative_to(path)) for file in _pictures(path, recursive=recursive)]
            if not inside:
                hint = "" if recursive else " (its folders are only searched with --recursive)"
                raise UsageError(f"the folder {path} holds no picture{hint}")
            found += inside
        else:
            found.append((path, Path(path.name)))
    into_folder = output is not None and (
        len(inputs) > 1 or inputs[0].is_dir() or output.is_dir() or folder_meant
    )
    if output is not None and into_folder and output.is_file():
        raise UsageError(f"{output} is a file, and several pictures go there: give a folder")
    jobs = []
    for file, place in found:
        target = default_target(file)
        if output is not None:
            target = output / place if into_folder else output
        jobs.append(Job(file, target, _mask_for(place, mask), place))
    _refuse_collisions(jobs)
    return jobs


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
    for job in suspects:
        with _pool(1) as pool:
            try:
                yield job, _submit(pool, job, shared).result()
            except BrokenProcessPool:
                error = ResourceError(
                    "the worker died, most likely for memory: use fewer --jobs or a smaller picture"
                )
                yield job, Failure(str(job.source), str(error), error.exit_code)


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
    return attempt(job.source, job.target, shared, mask=job.mask, place=job.place)


def attempt(
    source: Path | bytes,
    target: Path | BinaryIO,
    shared: BatchOptions,
    *,
    mask: Path | None,
    place: Path,
) -> Outcome:
    """Repair one picture; every expected fault becomes a Failure.

    Args:
        source: a file, or the bytes that came through a pipe.
        target: a file, or an open one.
        shared: everything else.
        mask: None = find the damage.
        place: what the files of ``--explain`` are named after.
    """
    name = str(source) if isinstance(source, Path) else "-"
    explanation = None
    if shared.explain is not None:
        from remend.explain import Explanation

        explanation = Explanation(shared.explain / place.parent, place.name, shared.settings)
    try:
        if isinstance(target, Path) and not shared.dry_run:
            make_folder(target.parent)
        return repair_file(
            source,
            None if shared.dry_run else target,
            mask=mask,
            guide=shared.guide,
            settings=shared.settings,
            options=shared.options,
            format=shared.format,
            overwrite=shared.overwrite,
            bounds=shared.bounds,
            observer=None if explanation is None else explanation.observe,
            inspect=None if explanation is None else explanation.inspect,
        )
    except RemendError as error:
        return Failure(name, str(error), error.exit_code)
    except MemoryError:
        message = "out of memory: use a smaller picture or fewer --jobs"
        return Failure(name, message, ResourceError.exit_code)


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


def _pictures(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """The pictures of a folder, sorted. Links to folders are not followed: they may lead round."""
    suffixes = readable_suffixes()
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read ({error.strerror})") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if recursive and not entry.is_symlink():
                yield from _pictures(entry, recursive=True)
        elif entry.suffix.lower() in suffixes and not entry.stem.endswith(MADE_BY_US):
            yield entry


def _mask_for(place: Path, mask: Path | None) -> Path | None:
    """The mask of one picture; where none is found, the path where it was expected."""
    if mask is None or not mask.is_dir():
        return mask
    below = mask / place.parent
    candidates = [mask / place]
    for stem in (place.stem, f"{place.stem}_mask"):
        candidates += [below / f"{stem}{suffix}" for suffix in (".png", *sorted(readable_suffixes()))]
    # A picture whose mask is missing fails by itself, with that path in the message.
    return next((path for path in candidates if path.is_file()), below / f"{place.stem}.png")


def _refuse_collisions(jobs: list[Job]) -> None:
    """Two inputs must not write one file, and no output may be another job's input."""
    taken: dict[str, Job] = {}
    for job in jobs:
        key = _key(job.target)
        if key in taken:
            raise UsageError(
                f"{taken[key].source} and {job.source} would both be written to {job.target}: "
                "repair them one by one, or into different folders"
            )
        taken[key] = job
    for job in jobs:
        other = taken.get(_key(job.source))
        if other is not None and other is not job:
            raise UsageError(
                f"the result of {other.source} would replace the input {job.source}: give another -o"
            )


def _key(path: Path) -> str:
    """What two paths share when they are one file; on macOS and Windows A.jpg and a.jpg are."""
    return str(path.absolute()).casefold()
