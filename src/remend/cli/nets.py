"""`remend nets`: the nets that --train knows."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from remend.nets.registry import Figures, Net

__all__ = ["nets"]

_HEAD = f"{'net':<16} {'parameters':>10} {'GMAC 256²':>10} {'GMAC 512²':>10}"


@click.command()
@click.argument("names", nargs=-1, metavar="[NET]...")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--figures",
    "measure",
    is_flag=True,
    help="Measure time, memory and export too, and print a table in Markdown beside the papers' figures.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE.md",
    type=click.Path(path_type=Path),
    help="With --figures: put the table into this page.",
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="With --figures.")
def nets(names: tuple[str, ...], as_json: bool, measure: bool, out: Path | None, threads: int) -> None:
    """List the nets that can be trained: what each costs, its paper, and what differs from it.

    Figures are those of the default options; a GMAC is 10⁹ multiply-adds for one picture. --figures takes
    about half a minute a net, on a quiet machine; a page keeps what it says outside of the table.
    """
    from remend.errors import UsageError
    from remend.nets.registry import NETS, build, figures

    for name in names:
        if name not in NETS:
            raise UsageError(f"no net is called {name!r}: choose among {', '.join(NETS)}")
    if measure:
        _measure(names or tuple(NETS), out, threads, as_json=as_json)
        return
    if out is not None:
        raise UsageError("-o is for --figures: add it, or leave -o out")
    costs: dict[str, Figures] = {}
    chosen = {name: net for name, net in NETS.items() if not names or name in names}
    for name in chosen:
        try:
            costs[name] = figures(build(name))
        except UsageError as error:
            # The list is of use without PyTorch or timm too; only the counting needs them.
            click.echo(f"remend: no figures of {name}: {error}", err=True)
    if as_json:
        lines = [
            {"name": name, **asdict(net), **(asdict(costs[name]) if name in costs else {})}
            for name, net in chosen.items()
        ]
        click.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    click.echo(_HEAD)
    for name, net in chosen.items():
        click.echo("\n".join(_entry(name, net, costs.get(name))))


def _measure(names: Sequence[str], out: Path | None, threads: int, *, as_json: bool) -> None:
    """Measure net by net, and print or write the table.

    A net that cannot be measured here is told of and left out.
    """
    from remend.errors import RemendError, UsageError
    from remend.nets.table import markdown, write_into

    try:
        from remend.nets.costs import Costs, costs
    except ModuleNotFoundError as error:
        raise UsageError(
            f"measuring needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    measured: dict[str, Costs] = {}
    for name in names:
        click.echo(f"measuring {name}", err=True)
        try:
            measured[name] = costs(name, threads=threads)
        except RemendError as error:
            click.echo(f"remend: no figures of {name}: {error}", err=True)
    if not measured:
        raise UsageError("no net could be measured, the lines above say why")
    if as_json:
        click.echo(json.dumps({name: asdict(cost) for name, cost in measured.items()}, indent=2))
        return
    table = markdown(measured, _machine())
    if out is None:
        click.echo(table, nl=False)
        return
    write_into(out, table)
    click.echo(out)


def _machine() -> str:
    """The processor's name and its cores."""
    name = platform.processor() or platform.machine()
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        name = found.group(1) if found else name
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores"


def _entry(name: str, net: Net, cost: Figures | None) -> list[str]:
    """A line of figures, and below it what the net is, wrapped to the terminal."""
    figures = f"{'–':>10} {'–':>10} {'–':>10}"
    if cost is not None:
        figures = f"{cost.parameters / 1e6:>8.2f} M {cost.gmac_256:>10.1f} {cost.gmac_512:>10.1f}"
    about = [net.summary, net.reference + (f", doi:{net.doi}" if net.doi else "")]
    if net.differs != "–":
        about.append(f"differs: {net.differs}")
    width = max(40, min(110, shutil.get_terminal_size().columns))
    wrapped = (
        textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      ") for text in about
    )
    return [f"{name:<16} {figures}", *(line for lines in wrapped for line in lines)]
