"""`remend compare`: reports of `remend evaluate` side by side, with paired intervals."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from remend.evaluation.analysis import Mean
    from remend.evaluation.comparison import Comparison

__all__ = ["compare"]


@click.command(short_help="Compare reports, picture by picture.")
@click.argument("reports", metavar="REPORT…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--baseline", metavar="METHOD", help="What the others are compared with.  [default: the first]")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. Repeatable.")
@click.option(
    "--bucket", "buckets", multiple=True, metavar="NAME", help="Only this kind of hole. Repeatable."
)
@click.option(
    "--votes",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="People's votes, as saved by the page of `remend evaluate --sheet`. Repeatable.",
)
@click.option("--force", is_flag=True, help="Compare though the protocols differ, with a warning.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the tables.")
def compare(
    reports: tuple[Path, ...],
    baseline: str | None,
    metrics: tuple[str, ...],
    buckets: tuple[str, ...],
    votes: tuple[Path, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Compare the methods of REPORTs (report.json, or its folder) with the first of them, or --baseline.

    Differences are paired, picture by picture, with 95 % bootstrap intervals; where an interval holds 0
    there is no clear difference. Reports of different protocols are refused: they were not measured on
    the same.
    """
    from remend.evaluation.comparison import compare as run
    from remend.evaluation.comparison import read_report
    from remend.evaluation.preference import count
    from remend.evaluation.votes import read_ballots

    loaded = [read_report(path) for path in reports]
    found = run(loaded, baseline=baseline, force=force)
    _known("metric", metrics, found.metrics)
    _known("bucket", buckets, tuple(group.bucket for group in found.analysis.groups))
    if votes and found.protocol is None:
        raise UsageError("votes belong to one protocol: compare reports of that one only")
    # The baseline first, so that a share is the other's over it.
    methods = sorted(
        {name for report in loaded for name in report.methods}, key=lambda m: m != found.baseline
    )
    protocol = found.protocol or ""
    cast = count(read_ballots(votes, protocol=protocol), methods, protocol=protocol) if votes else None
    for line in found.warnings:
        click.echo(f"remend: {line}", err=True)
    if as_json:
        content = _as_json(found) | {"votes": None if cast is None else cast.as_json()}
        click.echo(json.dumps(content, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160)
    shown = metrics or tuple(name for name in found.metrics if name not in ("psnr", "ssim", "l1"))
    for drawn in _tables(found, shown, buckets):
        console.print(drawn)
    for line in [] if cast is None else cast.lines():
        console.print(f"votes: {line}", markup=False, highlight=False, soft_wrap=True)


def _known(what: str, asked: tuple[str, ...], there: tuple[str, ...]) -> None:
    for name in asked:
        if name not in there:
            raise UsageError(f"no {what} {name!r} in the reports: choose {', '.join(there)}")


def _tables(found: Comparison, metrics: tuple[str, ...], buckets: tuple[str, ...]) -> list[Table]:
    """One a method: a line a kind of hole and metric."""
    from rich.table import Table

    from remend.evaluation.analysis import ALL
    from remend.evaluation.shown import number, shown

    groups = {group.bucket: group for group in found.analysis.groups}
    protocol = f"protocol {found.protocol[:12]}" if found.protocol else "protocols differ"
    drawn = []
    for method in found.methods[1:]:
        table = Table(title=f"{method} against {found.baseline} · {protocol}", title_justify="left")
        for heading, justify in (
            ("holes", "left"),
            ("n", "right"),
            ("metric", "left"),
            (found.baseline, "right"),
            (method, "right"),
            ("difference", "right"),
            ("95 % interval", "right"),
            ("", "left"),
        ):
            table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # the literals of rich
        for difference in found.analysis.differences:
            group = groups[difference.bucket]
            same_as_all = difference.bucket != ALL and group.pictures == groups[ALL].pictures
            if difference.second != method or (difference.bucket not in buckets if buckets else same_as_all):
                continue
            means = group.means
            for name in metrics:
                gap = difference.by_metric[name]
                table.add_row(
                    difference.bucket,
                    str(gap.pictures),
                    shown(name).heading,
                    number(name, means[found.baseline][name].value),
                    number(name, means[method][name].value),
                    number(name, gap.value, signed=True),
                    f"{number(name, gap.low, signed=True)} … {number(name, gap.high, signed=True)}",
                    _verdict(name, gap),
                )
            table.add_section()
        drawn.append(table)
    names = list(dict.fromkeys(name for figures in found.sets.values() for name in figures))
    if names:
        table = Table(title="whole sets, without intervals", title_justify="left")
        table.add_column("method")
        for name in names:
            table.add_column(shown(name).heading, justify="right")
        for method in found.methods:
            if method in found.sets:
                table.add_row(method, *(number(name, found.sets[method].get(name)) for name in names))
        drawn.append(table)
    return drawn


def _verdict(name: str, gap: Mean) -> str:
    from remend.evaluation.bootstrap import FEWEST
    from remend.evaluation.shown import number, shown

    if gap.pictures < FEWEST:
        return "too few pictures"
    if not gap.clear:
        return "no clear difference"
    if float(number(name, gap.value)) == 0:
        return "too small to show"
    better = shown(name).better
    if better == "one":
        return "sharper" if gap.value > 0 else "less sharp"
    return "better" if (gap.value > 0) == (better == "higher") else "worse"


def _as_json(found: Comparison) -> dict[str, Any]:
    from remend.evaluation.tables import mean_json

    def rows(by_metric: Any) -> dict[str, Any]:
        return {name: mean_json(mean) for name, mean in by_metric.items()}

    return {
        "protocol": found.protocol,
        "baseline": found.baseline,
        "warnings": list(found.warnings),
        "means": [
            {"bucket": group.bucket, "method": method, "metrics": rows(means), "protocol": found.protocol}
            for group in found.analysis.groups
            for method, means in group.means.items()
        ],
        "differences": [
            {
                "bucket": difference.bucket,
                "first": difference.first,
                "second": difference.second,
                "metrics": {
                    name: mean_json(gap) | {"verdict": _verdict(name, gap)}
                    for name, gap in difference.by_metric.items()
                },
                "protocol": found.protocol,
            }
            for difference in found.analysis.differences
        ],
        "sets": [{"method": m, "figures": f, "protocol": found.protocol} for m, f in found.sets.items()],
    }
