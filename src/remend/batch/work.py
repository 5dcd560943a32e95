"""What a worker does for one picture: see whether it is done already, repair it, say what came of it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from remend import __version__
from remend.album import Job
from remend.batch.manifest import Known
from remend.batch.outcome import BatchOptions, Failure, Outcome, Skipped, attempt
from remend.batch.staging import deliver, named_as, staged
from remend.errors import RemendError, UsageError, WriteError
from remend.io.read import printable
from remend.places import is_remote
from remend.plan.plan import Plan
from remend.report import RepairReport

__all__ = ["Answer", "Task", "failed", "hash_of", "is_there", "settle", "work"]

DONE_ALREADY = "done already"


@dataclass(frozen=True, slots=True)
class Task:
    """One picture in hand.

    Attributes:
        number: of the job, from 0.
        job: which file becomes which.
        shared: what all have in common.
        known: what the manifest knows of it.
        keep: whether hashes are wanted.
        window_px: the longest side of a window, after memory ran out; None = as the settings say.
    """

    number: int
    job: Job
    shared: BatchOptions
    known: Known | None = None
    keep: bool = True
    window_px: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a task; ``known`` is what the manifest is to say, None = what it says already."""

    outcome: Outcome
    known: Known | None = None


def work(task: Task, begin: Callable[[], None] = lambda: None) -> Answer:
    """Do one picture.

    Args:
        task: which, and how.
        begin: called before a result may appear; when it returns the manifest says so.
    """
    if (settled := settle(task)) is not None:
        return settled
    try:
        with staged(task.job) as here:
            return _repair(task, here, begin)
    except RemendError as error:
        return failed(Failure.of(str(task.job.source), error))


def settle(task: Task) -> Answer | None:
    """The answer where nothing is to be done: a result is there, or the picture is refused; else None."""
    job, shared, known = task.job, task.shared, task.known
    try:
        if job.refused is not None:
            raise UsageError(job.refused)
        if shared.dry_run or not is_there(job.target):
            return None
        ours = known is not None and known.output is not None
        running = known is not None and known.state == "running"
        if shared.skip_existing and not running:
            reason = DONE_ALREADY if ours else "a file is there already"
            skipped = Skipped(str(job.source), str(job.target), reason)
            return Answer(skipped, None if ours else Known("skipped", reason=reason))
        if known is not None and ours and not running:
            return _held_to(task, known)
        if running or shared.overwrite:
            return None
        raise WriteError(f"{job.target} exists: give another -o, or --overwrite")
    except OSError as error:
        said = Failure(str(job.source), f"{printable(job.source)}: cannot be read: {error.strerror}", 1)
        return failed(said, known)
    except Exception as error:
        return failed(Failure.of(str(job.source), error), known)


def _repair(task: Task, here: Job, begin: Callable[[], None]) -> Answer:
    """Make the result, on this machine, and put it where it belongs."""
    job, shared = task.job, task.shared
    began = time.perf_counter()
    before = input_hash = options_hash = None
    try:
        if task.keep:
            before, input_hash = here.source.stat(), hash_of(here.source)
            options_hash = _hash_of_options(here, shared)
    except OSError as error:
        return failed(
            Failure(str(job.source), f"{printable(job.source)}: cannot be read: {error.strerror}", 1)
        )
    begin()
    note = ""
    if task.window_px is not None:
        shared = replace(shared, settings=replace(shared.settings, window_px=task.window_px))
        note = f"memory ran out: done again with windows of {task.window_px} px"
    if task.known is not None and _is_ours(task.known):  # else what is there was settled before
        shared = replace(shared, overwrite=True)
    outcome = named_as(attempt(here.source, here.target, shared, mask=here.mask, place=job.place), job, here)
    if isinstance(outcome, Failure):
        return failed(outcome)
    if before is not None and not _in_place(here) and _changed(here.source, before):
        message = f"{printable(job.source)}: the file changed while it was repaired: repair it again"
        return failed(Failure(str(job.source), message, 4))
    output_hash = hash_of(here.target) if task.keep and outcome.target is not None else None
    if here.target is not job.target and not shared.dry_run:
        deliver(here.target, job.target)
    return Answer(
        _light(outcome, note),
        Known(
            "repaired" if outcome.hole_ratio else "clean",
            input=input_hash,
            options=options_hash,
            output=output_hash,
            reason=note,
            seconds=round(time.perf_counter() - began, 4),
            certainty=outcome.certainty,
        ),
    )


def _is_ours(known: Known) -> bool:
    """Whether what lies where the result goes is of this batch."""
    return known.output is not None or known.state == "running"


def is_there(path: Path) -> bool:
    """Whether something lies there, a broken link too."""
    return path.exists() if is_remote(path) else os.path.lexists(path)


def _held_to(task: Task, known: Known) -> Answer | None:
    """The answer where a result of ours is there; None = it is to be made anew."""
    job, shared = task.job, task.shared
    input_hash, options_hash = hash_of(job.source), _hash_of_options(job, shared)
    differs = [
        what
        for what, then, now in (
            ("the picture", known.output if _in_place(job) else known.input, input_hash),
            ("the options, the mask or Remend", known.options, options_hash),
        )
        if then != now
    ]
    if known.output != hash_of(job.target):
        differs.append("the result")
    if not differs and (shared.resume or not shared.overwrite):
        return Answer(Skipped(str(job.source), str(job.target), DONE_ALREADY))
    if shared.resume or shared.overwrite:
        return None
    error = WriteError(
        f"{job.target} exists, and {' and '.join(differs)} changed since it was written: "
        "--resume makes it anew"
    )
    return failed(Failure.of(str(job.source), error), known)


def failed(failure: Failure, known: Known | None = None) -> Answer:
    """A failure; what is known of an earlier result stays known."""
    if known is None or known.state == "running":
        return Answer(failure, Known("failed", reason=failure.message))
    return Answer(failure, replace(known, state="failed", reason=failure.message))


def _light(report: RepairReport, note: str) -> RepairReport:
    """A report without the arrays of its plan: a million of them are kept, and sent between processes."""
    steps = tuple(replace(step, hole=None, tiles=None) for step in report.plan.steps)
    return replace(report, plan=Plan(steps), notes=report.notes + ((note,) if note else ()))


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; about a millisecond a megabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of_options(job: Job, shared: BatchOptions) -> str:
    """SHA-256 of all that a result depends on beside its picture."""
    settings = {one.name: getattr(shared.settings, one.name) for one in fields(shared.settings)}
    method = settings["method"]
    settings["method"] = method if isinstance(method, str) else method.name
    said = {
        "remend": __version__,
        "settings": settings,
        "options": {one.name: getattr(shared.options, one.name) for one in fields(shared.options)},
        "format": shared.format,
        "record": shared.record is not None,
        "files": [
            None if path is None or not path.is_file() else hash_of(path)
            for path in (job.mask, shared.guide, *shared.references, Path(str(settings["method"])))
        ],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _in_place(job: Job) -> bool:
    """Whether the result takes its picture's place."""
    try:
        return job.source.samefile(job.target)
    except OSError:
        return False


def _changed(path: Path, before: os.stat_result) -> bool:
    """Whether somebody wrote to a file that is not our own result."""
    try:
        now = path.stat()
    except OSError:
        return True
    return (now.st_size, now.st_mtime_ns, now.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino)
