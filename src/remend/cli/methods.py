"""`remend methods`: the fillers that --method takes."""

from __future__ import annotations

import json

import click

__all__ = ["methods"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def methods(as_json: bool) -> None:
    """List the fillers: what each is good for, and the paper it comes from."""
    from remend.added import names
    from remend.fill.registry import ENTRIES

    if as_json:
        lines = [{"name": n, "summary": e.summary, "reference": e.reference} for n, e in ENTRIES.items()]
        click.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    click.echo("auto            chooses for each hole; see --quality")
    for name, entry in ENTRIES.items():
        click.echo(f"{name:<15} {entry.summary}\n{'':<15} {entry.reference}")
    for name in names():
        click.echo(f"{name:<15} a model that you have added (remend models show {name})")
    click.echo("FILE.onnx       any ONNX model that keeps the contract (docs/models.md)")
