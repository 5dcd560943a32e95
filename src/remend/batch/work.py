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
from remend.errors import UsageError, WriteError
from remend.io.read import printable
from remend.job import Report
from remend.plan.plan import Plan

__all__ = ["Answer", "Task", "hash_of", "work"]

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
    job, shared, known = task.job, task.shared, task.known
    if job.refused is not None:
        return _failed(Failure.of(str(job.source), UsageError(job.refused)), known)
    began = time.perf_counter()
    try:
        there = os.path.lexists(job.target) and not shared.dry_run
        if there and shared.skip_existing and not (known is not None and known.state == "running"):
            reason = DONE_ALREADY if known is not None and known.output else "a file is there already"
            skipped = Skipped(str(job.source), str(job.target), reason)
            is_ours = known is not None and known.output is not None
            return Answer(skipped, None if is_ours else Known("skipped", reason=reason))
        before = job.source.stat() if task.keep else None
        input_hash = hash_of(job.source) if task.keep else None
        options_hash = _hash_of_options(job, shared) if task.keep else None
        if there and known is not None and (known.output or known.state == "running"):
            settled = _settled(task, known, input_hash, options_hash)
            if settled is not None:
                return settled
            shared = replace(shared, overwrite=True)
    except OSError as error:
        message = f"{printable(job.source)}: cannot be read: {error.strerror}"
        return _failed(Failure(str(job.source), message, 1), known)
    except Exception as error:
        return _failed(Failure.of(str(job.source), error), known)
    begin()
    note = ""
    if task.window_px is not None:
        shared = replace(shared, settings=replace(shared.settings, window_px=task.window_px))
        note = f"memory ran out: done again with windows of {task.window_px} px"
    outcome = attempt(job.source, job.target, shared, mask=job.mask, place=job.place)
    if isinstance(outcome, Failure):
        return _failed(outcome, None)
    if before is not None and not _in_place(job) and _changed(job.source, before):
        message = f"{printable(job.source)}: the file changed while it was repaired: repair it again"
        return _failed(Failure(str(job.source), message, 4), None)
    outcome = _light(outcome, note)
    written = task.keep and outcome.target is not None
    return Answer(
        outcome,
        Known(
            "repaired" if outcome.hole_ratio else "clean",
            input=input_hash,
            options=options_hash,
            output=hash_of(job.target) if written else None,
            reason=note,
            seconds=round(time.perf_counter() - began, 4),
            certainty=outcome.certainty,
        ),
    )


def _settled(task: Task, known: Known, input_hash: str | None, options_hash: str | None) -> Answer | None:
    """The answer where a result of ours is there; None = it is to be made anew."""
    job, shared = task.job, task.shared
    if known.state == "running":  # in hand when a batch died: nobody knows whether it is whole work
        return None
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
    return _failed(Failure.of(str(job.source), error), known)


def _failed(failure: Failure, known: Known | None) -> Answer:
    """A failure; what is known of an earlier result stays known."""
    if known is None or known.state == "running":
        return Answer(failure, Known("failed", reason=failure.message))
    return Answer(failure, replace(known, state="failed", reason=failure.message))


def _light(report: Report, note: str) -> Report:
    """A report without the arrays of its plan: a million of them are kept, and sent between processes."""
    steps = tuple(replace(step, hole=None, tiles=None) for step in report.plan.steps)
    return replace(report, plan=Plan(steps), notes=report.notes + ((note,) if note else ()))


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; 1 to 3 ms a megabyte."""
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
            for path in (job.mask, shared.guide, Path(str(settings["method"])))
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
