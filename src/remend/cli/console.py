"""What people see while pictures are worked on: stdout is data, stderr is log and progress."""

from __future__ import annotations

import json
import sys
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from remend.batch import Failure, Outcome, Skipped
from remend.faults import debugging
from remend.io.read import printable
from remend.language import told

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from remend.batch.forecast import Forecast

__all__ = ["Console", "exit_code", "failure_line"]


class Console:
    """Log lines, results and, on a terminal, a progress bar with an estimate of the time left.

    Args:
        total: how many pictures.
        as_json: results are one JSON line a picture on stdout, instead of the written path.
        quiet: no results on stdout (it carries the picture itself).
        forecast: of the time left, for the bar and the JSON lines; None = none is told.
    """

    def __init__(
        self, total: int, *, as_json: bool = False, quiet: bool = False, forecast: Forecast | None = None
    ) -> None:
        self.total, self.as_json, self.quiet = total, as_json, quiet
        self.forecast = forecast
        self.out = sys.stdout  # whatever a library may print meanwhile goes elsewhere
        self.shown = 0
        self.reasons: Counter[str] = Counter()  # of pictures that were skipped
        self.bar: Progress | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> Console:
        if sys.stderr.isatty() and self.total > 1:
            from rich.console import Console as Terminal
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            left = TextColumn("{task.fields[left]}")
            columns = (TextColumn("repairing"), BarColumn(), MofNCompleteColumn(), left)
            self.bar = Progress(*columns, console=Terminal(stderr=True))
            self.task = self.bar.add_task("repairing", total=self.total, left="")
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def show(self, outcome: Outcome) -> None:
        """One picture is done."""
        left_s = self._forecast(outcome)
        if isinstance(outcome, Failure):
            self.log(failure_line(outcome))
            if debugging() and outcome.trace:
                self.log(outcome.trace.rstrip())
            content: dict[str, Any] = outcome.as_json()
        elif isinstance(outcome, Skipped):
            self.reasons[outcome.reason] += 1
            content = outcome.as_json()
        else:
            content = outcome.as_json()
            self.log(_line(content))
            for note in outcome.notes:
                self.log(f"  note: {note}")
        if self.as_json:
            if self.forecast is not None:
                content |= {"done": self.shown, "of": self.total, "left_s": left_s}
            click.echo(json.dumps(content), file=self.out)
        elif not self.quiet and content.get("output") is not None:
            click.echo(content["output"], file=self.out)
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, advance=1, left="" if left_s is None else f"{_time(left_s)} left")

    def _forecast(self, outcome: Outcome) -> float | None:
        """The seconds left once this one is done, None where nothing can be said."""
        self.shown += 1
        if self.forecast is None:
            return None
        if isinstance(outcome, (Failure, Skipped)):
            self.forecast.passed(self.shown - 1)
        else:
            self.forecast.done(self.shown - 1, sum(outcome.seconds.values()))
        left_s = self.forecast.left_s()
        return None if left_s is None else round(left_s, 1)

    def sum_up(self, failed: int) -> None:
        """What became of all of them, in one line."""
        skipped = self.reasons.total()
        parts = [f"{self.shown - skipped - failed} repaired or clean"]
        parts += [f"{count} {reason}" for reason, count in self.reasons.items()]
        parts += [f"{failed} failed"] if failed else []
        self.log(f"remend: {self.total} pictures: {', '.join(parts)}")

    def log(self, line: str) -> None:
        """A line on stderr, above the bar if there is one."""
        if self.bar is not None:
            self.bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(line, err=True)


def failure_line(failure: Failure) -> str:
    """What is said of a picture that could not be worked on, by its name, in the user's language."""
    name = printable(failure.source)
    message = told(failure.message)
    return f"remend: {message}" if failure.message.startswith(name) else f"remend: {name}: {message}"


def exit_code(failures: list[Failure], total: int) -> int:
    """0 all good; the failures' own code if every picture failed for the same cause; else 1."""
    if not failures:
        return 0
    codes = {failure.exit_code for failure in failures}
    return codes.pop() if len(failures) == total and len(codes) == 1 else 1


def _time(seconds: float) -> str:
    """Hours, minutes and seconds, as a clock shows them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _line(content: dict[str, Any]) -> str:
    """What happened to one picture, in one line."""
    found = ", ".join(f"{count} {kind}" for kind, count in content["found"].items())
    methods = ", ".join(f"{name} ×{count}" for name, count in content["methods"].items()) or "nothing to do"
    parts = [
        printable(content["input"]),
        f"{100 * content['hole_ratio']:.2f} % marked" + (f" ({found})" if found else ""),
        methods,
        f"{sum(content['seconds'].values()):.2f} s",
    ]
    return " · ".join(parts)
