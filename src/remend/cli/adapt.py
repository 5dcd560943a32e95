"""`remend adapt`: an embedded net tuned to one album."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from remend.errors import UsageError

__all__ = ["adapt"]


@click.command(short_help="Tune an embedded net to an album.")
@click.argument("album", metavar="ALBUM", type=click.Path(path_type=Path))
@click.option("-o", "--out", "target", required=True, metavar="FILE.onnx", type=click.Path(path_type=Path))
@click.option(
    "--net",
    type=click.Choice(["thin", "restorer"]),
    default="thin",
    show_default=True,
    help="thin: fills scratches and strokes. restorer: takes off noise and JPEG blocks.",
)
@click.option(
    "--damage",
    metavar="find|none|DIR",
    default="find",
    show_default=True,
    help="What must not be learned from. find: it is looked for. DIR: masks called like the pictures, "
    "white = damaged.",
)
@click.option("--samples", type=click.IntRange(8), help="Crops to learn from.  [default: 8000]")
@click.option("--minutes", type=click.FloatRange(0.01), default=10.0, show_default=True, help="At most.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of thin: override the recipe, train.lr=1e-4.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line.")
@click.pass_context
def adapt(
    ctx: click.Context,
    album: Path,
    target: Path,
    net: str,
    damage: str,
    samples: int | None,
    minutes: float,
    seed: int,
    settings: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Tune an embedded net to the pictures of ALBUM, from what of them is intact.

    A part of the album is set aside to judge by: unless the tuned net mends made damage there better, by
    .1 dB and by more than chance, nothing is written and the exit code is 1. Worth it for albums of one kind
    of picture. Use the file of thin with `remend repair --method FILE.onnx`, or for thin holes alone with
    `remend models add FILE.onnx` and `remend models use NAME`; that of restorer with
    `remend restore --model FILE.onnx`.
    """
    if net == "restorer" and settings:
        raise UsageError("--set is for --net thin: leave it out")
    try:
        from remend.adapting import SAMPLES, adapt_restorer
        from remend.adapting import adapt as adapt_thin
    except ModuleNotFoundError as error:
        raise UsageError(
            f"adapting needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    tune = adapt_restorer if net == "restorer" else partial(adapt_thin, settings=settings)
    done = tune(
        album,
        target,
        damage="" if damage == "none" else damage,
        samples=samples or SAMPLES,
        minutes=minutes,
        seed=seed,
        overwrite=overwrite,
        say=lambda line: click.echo(line, err=True),
    )
    verdict = done.verdict
    if as_json:
        click.echo(json.dumps(done.as_json(), ensure_ascii=False))
    click.echo(
        f"on {verdict.patches} patches of {verdict.pictures} pictures set aside: {verdict.before:.2f} dB, "
        f"tuned {verdict.after:.2f} ({verdict.gain:+.2f} ± {verdict.error:.2f})",
        err=True,
    )
    if done.model is None:
        click.echo("tuning does not gain here: nothing was written, the embedded net stays better", err=True)
        ctx.exit(1)
    if not as_json:
        click.echo(done.model)
