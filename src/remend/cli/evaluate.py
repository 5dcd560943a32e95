"""`remend evaluate`: measure methods, and what other tools made, on pairs of pictures and masks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from remend.errors import UsageError

__all__ = ["evaluate"]


@click.command(short_help="Measure methods on pairs of pictures and masks.")
@click.argument("folder", metavar="PAIRS", type=click.Path(path_type=Path))
@click.option(
    "--method", "methods", metavar="A,B,FILE", help="Methods by name and ONNX files, separated by commas."
)
@click.option(
    "--outputs",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="What another tool made, named after the pair, the picture or the mask. Repeatable.",
)
@click.option(
    "--masks",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Masks in a folder of their own, same stems.",
)
@click.option(
    "-o",
    "--out",
    "target",
    required=True,
    metavar="REPORT",
    type=click.Path(path_type=Path),
    help="A folder for report.html, report.json and scores.csv; or one file of such a kind.",
)
@click.option(
    "--mask-polarity",
    type=click.Choice(["white", "black", "alpha"]),
    default="white",
    show_default=True,
    help="What marks the hole.",
)
@click.option(
    "--quality", type=click.Choice(["fast", "balanced", "best"]), default="balanced", show_default=True
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace a report that exists.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON line a picture and method instead of the table."
)
@click.pass_context
def evaluate(
    ctx: click.Context,
    folder: Path,
    methods: str | None,
    outputs: tuple[Path, ...],
    masks: Path | None,
    target: Path,
    mask_polarity: str,
    quality: str,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure methods on PAIRS: a folder of pictures and their masks.

    \b
    Layouts: x.png beside x_mask.png, or beside x_mask001.png, x_mask002.png …
             images/ and masks/ with equal names; or PAIRS and --masks DIR

    The picture is the truth; its hole is erased before a method sees it. Metrics are PSNR, SSIM and L1 of the
    whole picture and of the hole, and SHARP (gradient against the truth) of the hole. Tables carry a protocol
    hash over all pictures, masks and rules: compare only what has the same.
    """
    from remend.evaluation.pairs import find_pairs
    from remend.evaluation.report import Gallery, check_free, score_json, table, write_report
    from remend.evaluation.run import Seen
    from remend.evaluation.run import evaluate as measure

    names = [name.strip() for name in (methods or "").split(",") if name.strip()]
    if not names and not outputs:
        raise UsageError("nothing to measure: give --method telea,biharmonic,auto or --outputs DIR")
    check_free(target, overwrite=overwrite)
    found = find_pairs(folder, masks=masks)
    for line in found.unpaired:
        click.echo(f"remend: left out {line}", err=True)
    gallery = Gallery()
    with Progress(len(found.pairs)) as progress:

        def see(seen: Seen) -> None:
            gallery.see(seen)
            for score in seen.scores:
                if score.error is not None:
                    progress.log(f"remend: {score.pair}: {score.method}: {score.error}")
                if as_json:
                    click.echo(json.dumps(score_json(score), ensure_ascii=False))
            progress.advance()

        evaluation = measure(
            found,
            names,
            outputs=outputs,
            polarity=mask_polarity,  # type: ignore[arg-type]  # click.Choice holds it to the three
            quality=quality,
            seed=seed,
            observer=see,
        )
    for name, reason in evaluation.skipped.items():
        click.echo(f"remend: {name}: not measured: {reason}", err=True)
    written = write_report(
        evaluation, gallery, target, title=f"Evaluation of {folder.name}", overwrite=overwrite
    )
    if not as_json:
        from rich.console import Console

        # Off a terminal the table is as wide as it needs to be, for files and other programs.
        Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200).print(table(evaluation))
    for path in written:
        click.echo(f"wrote {path}", err=True)
    if evaluation.skipped or evaluation.failures:
        ctx.exit(1)


class Progress:
    """A bar on stderr where that is a terminal; otherwise only the lines."""

    def __init__(self, total: int) -> None:
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True)
        self._bar = progress.Progress(
            progress.TextColumn("measuring"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("pairs", total=total)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self) -> None:
        """One pair is done."""
        self._bar.advance(self._task)

    def log(self, line: str) -> None:
        """A line above the bar."""
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
