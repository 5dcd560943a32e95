"""`remend nets`: the nets that --train knows."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

__all__ = ["nets"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def nets(as_json: bool) -> None:
    """List the nets that can be trained: what each is, the paper, parameters and multiply-adds."""
    from remend.errors import UsageError
    from remend.nets.catalogue import NETS, Figures, build, figures

    costs: dict[str, Figures] = {}
    try:
        costs = {name: figures(build(name)) for name in NETS}
    except UsageError as error:
        # The list is of use without PyTorch too; only the counting needs it.
        click.echo(f"remend: no figures: {error}", err=True)
    if as_json:
        lines = [
            {"name": name, **asdict(net), **(asdict(costs[name]) if name in costs else {})}
            for name, net in NETS.items()
        ]
        click.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    for name, net in NETS.items():
        click.echo(f"{name:<18} {net.summary}")
        click.echo(f"{'':<18} {net.reference}")
        if name in costs:
            cost = costs[name]
            click.echo(
                f"{'':<18} {cost.parameters / 1e6:.2f} M parameters, {cost.gmac_256:.1f} GMAC at 256², "
                f"{cost.gmac_512:.1f} at 512²"
            )
