"""One picture of a batch: repaired, or why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from remend.errors import ResourceError, WriteError
from remend.faults import as_own, trace_of
from remend.options import Bounds, MaskOptions, Settings
from remend.repairing import repair_file
from remend.report import RepairReport

__all__ = ["BatchOptions", "Failure", "Outcome", "Skipped", "attempt", "make_folder"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture was not repaired: one line, the exit code that belongs to it, and a traceback.

    ``starved`` says that memory ran out: with less to hold at once it may go.
    """

    source: str
    message: str
    exit_code: int
    trace: str = ""
    starved: bool = False

    @staticmethod
    def of(source: str, error: Exception) -> Failure:
        """What an exception comes to, whosever it is."""
        own = as_own(error)
        # Limits and full disks are kinds of their own; what is left of the class is memory.
        return Failure(source, str(own), own.exit_code, trace_of(error), type(own) is ResourceError)

    def as_json(self) -> dict[str, object]:
        """Plain data, for a line of ``--json``."""
        return {"input": self.source, "error": self.message, "exit_code": self.exit_code}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A picture with which nothing was done, and why: its result is there, say."""

    source: str
    target: str
    reason: str

    def as_json(self) -> dict[str, object]:
        """Plain data, for a line of ``--json``; there is no ``output``: none was written."""
        return {"input": self.source, "skipped": self.reason, "result": self.target}


Outcome = RepairReport | Failure | Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """What all pictures of a batch share.

    Attributes:
        settings: how holes are filled.
        options: what is repaired.
        guide: a file of lines to follow, or None.
        references: files of other dates of the scene.
        overwrite: replace what is there.
        resume: make results anew that are not what the manifest says of them.
        skip_existing: pass over pictures whose result is there, whatever it is.
        bounds: what a picture may cost.
        dry_run: find and plan, write nothing.
        explain: a folder for plans; None = none are written.
        format: of the results; None = as their names say.
        record: the time, ISO 8601, that is written into each result with what was done; None = nothing is.
    """

    settings: Settings
    options: MaskOptions
    guide: Path | None = None
    references: tuple[Path, ...] = ()
    overwrite: bool = False
    resume: bool = False
    skip_existing: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    dry_run: bool = False
    explain: Path | None = None
    format: str | None = None
    record: str | None = None


def attempt(
    source: Path | bytes,
    target: Path | BinaryIO,
    shared: BatchOptions,
    *,
    mask: Path | None,
    place: Path,
) -> RepairReport | Failure:
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
            record=shared.record,
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
