"""What `remend train --check` prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remend.io.read import printable

if TYPE_CHECKING:
    from remend.train.config import Data
    from remend.train.data.sources import DataReport

__all__ = ["check_data"]

_SHOWN = 5


def check_data(sources: Sequence[Path], data: Data, *, as_json: bool = False) -> bool:
    """Scan, print the report to stdout, and say whether the pictures may be trained with.

    A table on a terminal, ``name: value`` lines elsewhere, one JSON document if asked for.

    Raises:
        UsageError: a source that is not there or broken.
    """
    from rich import progress
    from rich.console import Console

    from remend.train.data.sources import scan

    console = Console(stderr=True)
    columns = (
        progress.TextColumn("reading"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as running:
        task = running.add_task("pictures", total=None)
        report = scan(
            sources,
            least_px=1 if data.enlarge else data.crop_px,
            against=[Path(data.against)] if data.against else [],
            validation=data.validation,
            progress=lambda done, total: running.update(task, completed=done, total=total),
        )
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    elif sys.stdout.isatty():
        _print_table(report)
    else:
        for name, value in _rows(report):
            click.echo(f"{name}: {value}")
    for problem in report.problems:
        click.echo(f"remend: {problem}", err=True)
    return report.ok


def _print_table(report: DataReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="The pictures", show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(report):
        table.add_row(name, Text(value))
    Console().print(table)


def _rows(report: DataReport) -> Iterator[tuple[str, str]]:
    yield "layout", report.family
    groups = ", ".join(f"{printable(name)} {count:,}" for name, count in report.groups.items())
    yield "usable", f"{report.usable:,}" + (f" ({groups})" if groups else "")
    if report.sizes is not None:
        sizes = report.sizes
        yield "shorter side", f"{sizes.least}–{sizes.largest} px, half of them up to {sizes.median}"
        yield "size", f"{_bytes(report.nbytes)} in files, {_bytes(report.pixels)} decoded"
    yield "broken", _some(report.broken)
    yield "too small", _some(report.small)
    yield "equal files", _some([" = ".join(group) for group in report.exact])
    yield "look alike", _some([" ~ ".join(group) for group in report.near])
    pairs = [f"{pair.first} ~ {pair.second} ({pair.distance} bits)" for pair in report.across]
    yield "across the split", _some(pairs)
    if report.held_out:
        pairs = [f"{pair.first} ~ {pair.second} ({pair.distance} bits)" for pair in report.leaks]
        yield f"in the {report.held_out:,} held out", _some(pairs)
    for note in report.notes:
        yield "note", printable(note)


def _some(lines: Sequence[str]) -> str:
    """How many, and the first few of them."""
    if not lines:
        return "none"
    rest = f"; and {len(lines) - _SHOWN:,} more" if len(lines) > _SHOWN else ""
    return f"{len(lines):,}: " + "; ".join(printable(line) for line in lines[:_SHOWN]) + rest


def _bytes(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**29 else f"{count / 2**20:.1f} MiB"
