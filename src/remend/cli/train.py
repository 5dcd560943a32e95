"""`remend train`: train a net on a folder of pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from remend.cli.flags import data_flag
from remend.errors import UsageError

__all__ = ["train"]


@click.command(short_help="Train a net on pictures.")
@click.argument("recipe", metavar="NET|RECIPE")
@data_flag()
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override the recipe: train.batch=8."
)
@click.option(
    "--preset",
    type=click.Choice(["small"]),
    help="small: the recipe cut down to about a quarter of an hour of one CPU; --set still counts.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the run goes.  [default: runs/NET]",
)
@click.option(
    "--resume",
    metavar="auto|never|PATH",
    default="never",
    show_default=True,
    help="auto: go on from the newest whole checkpoint in --out, if there is one. PATH: from that "
    "checkpoint's or run's folder.",
)
@click.option("--devices", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--accelerator",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
)
@click.option(
    "--strategy",
    type=click.Choice(["auto", "ddp"]),
    default="auto",
    show_default=True,
    help="With several devices; auto: ddp, a copy of the net on each.",
)
@click.option(
    "--precision",
    type=click.Choice(["bf16", "fp32"]),
    default="bf16",
    show_default=True,
    help="bf16: where it is safe.",
)
@click.option("--profile", is_flag=True, help="Trace a few steps into OUT/trace.json, for ui.perfetto.dev.")
@click.option("--fast-dev-run", is_flag=True, help="Four steps, a validation, a checkpoint: does it all run?")
@click.option("--check", is_flag=True, help="Scan the pictures, say what is wrong with them, and stop.")
@click.option("--json", "as_json", is_flag=True, help="With --check: one JSON document.")
@click.pass_context
def train(
    ctx: click.Context,
    recipe: str,
    sources: tuple[Path, ...],
    settings: tuple[str, ...],
    preset: str | None,
    out: Path | None,
    resume: str,
    devices: int,
    accelerator: str,
    strategy: str,
    precision: str,
    profile: bool,
    fast_dev_run: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Train NET, or what the TOML file RECIPE describes, on the pictures of --data.

    It says first what it will do and what that takes. A run leaves log.csv, validation.csv, curves for
    TensorBoard, grids/ of fixed samples, checkpoints/ and best.safetensors in --out. Ctrl-C and SIGTERM
    save first; --resume auto goes on. --check exits with 1 where pictures are broken, or lie in the set that
    data.against names. Exit code 5: losses were not finite, again and again.
    """
    from remend.train import config

    task = _task_of(recipe)
    if task is not None:
        unfit = {"--preset": preset, "--check": check, "--profile": profile, "--json": as_json}
        unfit |= {
            "--devices": devices > 1,
            "--strategy": strategy != "auto",
            "--precision": precision != "bf16",
        }
        for flag, given in unfit.items():
            if given:
                raise UsageError(f"{flag} is not for training the {_CALLED[task]}: leave it out")
        _train_by_itself(task, recipe, sources, settings, out, resume, accelerator, fast_dev_run=fast_dev_run)
        return
    chosen = config.override(config.load(recipe, preset=preset or ""), settings)
    if (first := config.first_run(recipe)) and not chosen.transfer.weights and not check:
        click.echo(
            f"note: {recipe} goes on from a run of {first}, which is what begins here; after it, "
            f"{recipe} with --set transfer.weights=RUN",
            err=True,
        )
        recipe, chosen = first, config.override(config.load(first, preset=preset or ""), settings)
    if check:
        from remend.cli.data_report import check_data

        ctx.exit(0 if check_data(sources, chosen.data, as_json=as_json) else 1)
    try:
        from remend.train.request import Run, fast_dev
        from remend.train.run.loop import train as run
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
            resume={"auto": True, "never": False}.get(resume, Path(resume)),
            devices=devices,
            precision={"bf16": "bf16-mixed", "fp32": "32-true"}[precision],
            accelerator=accelerator,
            strategy=strategy,
            profile=profile,
            say=say,
            live=live,
        )
    )
    if not outcome.first:
        return  # one voice, and one exit code, is enough
    click.echo(outcome.checkpoint)
    if outcome.stopped_by is not None:
        say(f"stopped by {outcome.stopped_by.name} at {outcome.samples_seen:,}; go on with --resume auto")
        ctx.exit(128 + outcome.stopped_by)


# What messages call the nets with loops of their own.
_CALLED = {"damage": "finder", "restorer": "restorer", "enlarger": "enlarger"}


def _task_of(recipe: str) -> str | None:
    """Which net with a loop of its own a recipe is of: its name, or a TOML file that says so; else None."""
    if recipe in _CALLED:
        return recipe
    path = Path(recipe)
    if path.suffix != ".toml" or not path.is_file():
        return None
    text = path.read_text("utf-8", "replace")
    return next((task for task in _CALLED if f'task = "{task}"' in text), None)


def _train_by_itself(
    task: str,
    recipe: str,
    sources: tuple[Path, ...],
    settings: tuple[str, ...],
    out: Path | None,
    resume: str,
    accelerator: str,
    *,
    fast_dev_run: bool,
) -> None:
    """Finder and restorer have loops of their own: what they are shown and what they answer is no fill."""
    called = _CALLED[task]
    if resume not in ("auto", "never"):
        raise UsageError(f"the {called} goes on from --out alone: give --resume auto")
    try:
        import torch

        from remend.train.finder.loop import train_finder
        from remend.train.finder.recipe import fast_dev as few_of_finder
        from remend.train.finder.recipe import load_finder
        from remend.train.restorer.loop import train_restorer
        from remend.train.restorer.recipe import fast_dev as few_of_restorer
        from remend.train.restorer.recipe import load_restorer
    except ModuleNotFoundError as error:
        raise UsageError(
            f"training needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    cuda = accelerator == "cuda" or (accelerator == "auto" and torch.cuda.is_available())
    common: dict[str, Any] = {
        "resume": resume == "auto",
        "device": "cuda" if cuda else "cpu",
        "say": lambda line: click.echo(line, err=True),
    }
    place = out or Path("runs") / task
    if task == "damage":
        finder = load_finder(recipe, settings)
        written = train_finder(
            few_of_finder(finder) if fast_dev_run else finder, list(sources), place, **common
        )
    else:
        restorer = load_restorer(recipe, settings)
        written = train_restorer(
            few_of_restorer(restorer) if fast_dev_run else restorer, list(sources), place, **common
        )
    click.echo(written)
