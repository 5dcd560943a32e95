"""The many pictures of `remend repair`: planned, run, shown, written down."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import click

from remend.album import LIST, Job, LeftOut, counted
from remend.batch import BatchOptions, Failure, Outcome, plan_jobs, run_jobs
from remend.batch.forecast import Forecast
from remend.batch.manifest import Manifest, manifest_in
from remend.batch.report import write_report
from remend.batch.watch import watched
from remend.cli.console import Console, exit_code
from remend.errors import UsageError
from remend.places import is_remote, located

__all__ = ["repair_album"]


def repair_album(inputs: Sequence[Path], shared: BatchOptions, given: dict[str, Any]) -> int:
    """Repair files, folders and lists; the exit code.

    Args:
        inputs: what was named.
        shared: what all pictures have in common.
        given: the flags of `remend repair`.
    """
    left: dict[Path, LeftOut] = {}

    def look() -> list[Job]:
        return plan_jobs(
            inputs,
            output=given["output"],
            mask=None if given["mask"] is None else located(given["mask"]),
            recursive=given["recursive"],
            left_out=lambda one: left.update({one.path: one}),
            may_be_empty=given["watch"],
        )

    if given["address"] is not None and given["engine"] == "local":
        raise UsageError("--address is of a cluster: add --engine ray, or leave it out")
    if given["watch"] and not any(path.is_dir() for path in inputs):
        raise UsageError("--watch waits for pictures in a folder: name one")
    jobs = look()
    if line := counted(left.values()):
        click.echo(f"remend: {line}", err=True)
    failures: list[Failure] = []
    total = 0
    with ExitStack() as stack:
        where = _manifest_of(inputs, given)
        wanted = where is not None or given["report"] is not None
        manifest = stack.enter_context(Manifest(where)) if wanted else None
        with suppress(KeyboardInterrupt) if given["watch"] else ExitStack():
            for lot in _lots(jobs, look, given):
                if manifest is not None and not shared.dry_run:
                    manifest.leave_out(left.values())
                total += len(lot)
                failures += _run(lot, shared, given, manifest)
        if manifest is not None and given["report"] is not None:
            write_report(Path(given["report"]), manifest)
    return exit_code(failures, total)


def _lots(jobs: list[Job], look: Any, given: dict[str, Any]) -> Iterator[list[Job]]:
    """All that is there; under --watch, what comes, whenever it has settled."""
    if given["watch"]:
        yield from watched(look, given["settle_s"])
    else:
        yield jobs


def _run(
    jobs: list[Job], shared: BatchOptions, given: dict[str, Any], manifest: Manifest | None
) -> list[Failure]:
    """Run them and show what comes of each; those that failed."""
    failures: list[Failure] = []
    many = len(jobs) > 1
    forecast = Forecast([job.source for job in jobs]) if many else None
    # Ray prints what happens to its workers, from a thread of its own; stdout is ours.
    apart: AbstractContextManager[object] = (
        nullcontext() if given["engine"] == "local" else redirect_stdout(sys.stderr)
    )
    with Console(len(jobs), as_json=given["as_json"], forecast=forecast) as console, apart:
        for _, outcome in _engine(jobs, shared, given, manifest):
            console.show(outcome)
            if isinstance(outcome, Failure):
                failures.append(outcome)
        if many or console.reasons:
            console.sum_up(len(failures))
    return failures


def _engine(
    jobs: list[Job], shared: BatchOptions, given: dict[str, Any], manifest: Manifest | None
) -> Iterator[tuple[Job, Outcome]]:
    if given["engine"] == "local":
        return run_jobs(jobs, shared, processes=given["jobs"] or 1, manifest=manifest)
    from remend.batch.cluster import run_on_cluster

    return run_on_cluster(jobs, shared, address=given["address"], processes=given["jobs"], manifest=manifest)


def _manifest_of(inputs: Sequence[Path], given: dict[str, Any]) -> Path | None:
    """Where the manifest lies; None = none is kept: a picture or two, or nothing is written."""
    if given["dry_run"]:
        return None
    if given["manifest"] is not None:
        return Path(given["manifest"])
    several = any(path.is_dir() or path.suffix.lower() == LIST for path in inputs)
    if not several and not given["resume"]:
        return None
    output = None if given["output"] is None else located(given["output"])
    if is_remote(inputs[0] if output is None else output):
        raise UsageError("results that go elsewhere have their manifest here: say where with --manifest FILE")
    if output is None:
        return manifest_in(inputs[0] if inputs[0].is_dir() else inputs[0].parent)
    into = several or len(inputs) > 1 or output.is_dir() or str(given["output"]).endswith("/")
    return manifest_in(output if into else output.parent)
