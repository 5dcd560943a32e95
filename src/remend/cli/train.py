"""`remend train`: train a net on a folder of pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from remend.errors import UsageError

__all__ = ["train"]


@click.command(short_help="Train a net on pictures.")
@click.argument("recipe", metavar="NET|RECIPE")
@click.option(
    "--data",
    "sources",
    multiple=True,
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder of pictures or tar shards, or a shard. Repeatable.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override the recipe: train.batch=8."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the run goes.  [default: runs/NET]",
)
@click.option(
    "--resume",
    type=click.Choice(["never", "auto"]),
    default="never",
    show_default=True,
    help="auto: go on from the newest whole checkpoint in --out, if there is one.",
)
@click.option("--devices", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["bf16", "fp32"]),
    default="bf16",
    show_default=True,
    help="bf16: where it is safe.",
)
@click.option("--fast-dev-run", is_flag=True, help="Four steps, a validation, a checkpoint: does it all run?")
@click.pass_context
def train(
    ctx: click.Context,
    recipe: str,
    sources: tuple[Path, ...],
    settings: tuple[str, ...],
    out: Path | None,
    resume: str,
    devices: int,
    precision: str,
    fast_dev_run: bool,
) -> None:
    """Train NET, or what the TOML file RECIPE describes, on the pictures of --data.

    A run leaves log.csv, validation.csv, grids/ of fixed samples and checkpoints/ in --out. Ctrl-C and
    SIGTERM save first; --resume auto goes on. Exit code 5: losses were not finite, again and again.
    """
    from remend.train import config

    chosen = config.override(config.load(recipe), settings)
    try:
        from remend.train.loop import fast_dev
        from remend.train.loop import train as run
        from remend.train.run import Run
    except ModuleNotFoundError as error:
        raise UsageError(
            f"training needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    if fast_dev_run:
        chosen = fast_dev(chosen)
    live = sys.stderr.isatty()

    def say(line: str) -> None:
        click.echo(f"\n{line}" if live else line, err=True)

    outcome = run(
        Run(
            chosen,
            sources,
            out or Path("runs") / Path(recipe).stem,
            resume=resume == "auto",
            devices=devices,
            precision={"bf16": "bf16-mixed", "fp32": "32-true"}[precision],
            say=say,
            live=live,
        )
    )
    if outcome.first:
        click.echo(outcome.checkpoint)
    if outcome.stopped_by is not None:
        if outcome.first:
            say(f"stopped by {outcome.stopped_by.name} at {outcome.samples_seen:,}; go on with --resume auto")
        ctx.exit(128 + outcome.stopped_by)
