"""What goes between the server and its workers. Plain data: it is pickled, and costs no imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remend.options import Bounds

if TYPE_CHECKING:
    from remend.serve.options import JobOptions
    from remend.serve.problems import Problem

__all__ = [
    "Cancel",
    "Cancelled",
    "Done",
    "Failed",
    "Message",
    "Progress",
    "Ready",
    "Task",
    "mask_beside",
    "result_files",
]


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to work on.

    Attributes:
        number: which task this is.
        options: what to do.
        image, mask, kept: files to read; deleted by the server.
        result: file to write; a detection writes its mask beside it, as ``mask_beside(result)``.
        filename: of the image, as the client calls it.
        bounds: what the work may cost.
    """

    number: int
    options: JobOptions
    image: Path
    mask: Path | None
    kept: Path | None
    result: Path
    filename: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Cancel:
    """To a worker: stop at the next step, if this is still what you are at."""

    number: int


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: everything is loaded. ``missing``: methods whose model is not there."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """From a worker: where it is. ``steps`` is 0 outside the stage ``fill``.

    Attributes:
        left_s: seconds that the rest of the filling is likely to take; None = nobody knows.
    """

    stage: str
    step: int = 0
    steps: int = 0
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: the result is written.

    Attributes:
        report: as the API shows it (see docs/api.md); ``bytes`` counts everything written.
    """

    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: it cannot be done."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Cancelled:
    """From a worker: stopped as asked."""


Message = Ready | Progress | Done | Failed | Cancelled


def mask_beside(result: Path) -> Path:
    """Where a detection's mask lies."""
    return result.with_name(result.name + ".mask")


def result_files(result: Path) -> tuple[Path, ...]:
    """Everything that a task may write."""
    return result, mask_beside(result)
