"""`remend nets`: the nets that --train knows."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from remend.nets.catalogue import Figures, Net

__all__ = ["nets"]

_HEAD = f"{'net':<16} {'parameters':>10} {'GMAC 256²':>10} {'GMAC 512²':>10}"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def nets(as_json: bool) -> None:
    """List the nets that can be trained: what each costs, its paper, and what differs from it.

    Figures are those of the default options; a GMAC is 10⁹ multiply-adds for one picture.
    """
    from remend.errors import UsageError
    from remend.nets.catalogue import NETS, build, figures

    costs: dict[str, Figures] = {}
    for name in NETS:
        try:
            costs[name] = figures(build(name))
        except UsageError as error:
            # The list is of use without PyTorch or timm too; only the counting needs them.
            click.echo(f"remend: no figures of {name}: {error}", err=True)
    if as_json:
        lines = [
            {"name": name, **asdict(net), **(asdict(costs[name]) if name in costs else {})}
            for name, net in NETS.items()
        ]
        click.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    click.echo(_HEAD)
    for name, net in NETS.items():
        click.echo("\n".join(_entry(name, net, costs.get(name))))


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
