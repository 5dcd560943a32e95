"""`remend repair`: pictures in, repaired pictures out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.bounds import bounds_from, bounds_options
from remend.cli.finding import finding_options
from remend.errors import UsageError

if TYPE_CHECKING:
    from remend.batch import BatchOptions

__all__ = ["repair"]


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
@click.option(
    "-m",
    "--mask",
    metavar="MASK",
    help="What to repair: a mask, a folder or .flist of some, or COCO's JSON. Without it damage is found.",
)
@click.option(
    "--guide",
    metavar="FILE",
    help="Lines that the fill is to follow, white on black, thin; for models that take some.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="File, folder, or - for stdout. Default: photo.repaired.jpg beside photo.jpg.",
)
@click.option(
    "--method",
    default="auto",
    show_default=True,
    metavar="auto|NAME|FILE.onnx",
    help="How to fill; `remend methods` lists the names.",
)
@click.option(
    "--quality",
    default="balanced",
    show_default=True,
    type=click.Choice(["fast", "balanced", "best"]),
    help="What auto may spend.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Same seed, same pixels.")
@click.option(
    "--mask-polarity",
    default="white",
    show_default=True,
    type=click.Choice(["white", "black", "alpha", "opaque"]),
    help="What marks the hole; alpha = transparent.",
)
@click.option(
    "--dilate-px",
    type=click.IntRange(0, 500),
    help="Grow the hole. Default: 2 for found damage, 0 for a given mask.",
)
@click.option("--resize-mask", is_flag=True, help="Accept a mask, or a guide, of another size.")
@click.option("--yes", is_flag=True, help="A mask that marks more than four fifths of the picture is meant.")
@click.option(
    "--sensitivity", default=0.5, show_default=True, type=click.FloatRange(0, 1), help="Of finding damage."
)
@finding_options
@click.option(
    "--grain",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 2),
    help="Grain of smooth fills; 1 = as around.",
)
@click.option(
    "--denoise", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Denoise what was filled."
)
@click.option(
    "--sharpen", default=0.0, show_default=True, type=click.FloatRange(0, 3), help="Sharpen what was filled."
)
@click.option("--whole-picture", is_flag=True, help="Denoise and sharpen everything.")
@click.option("--repair-alpha", is_flag=True, help="Fill the alpha channel too.")
@click.option(
    "--format", "format_", metavar="FORMAT", help="Of the output, when the file name does not say it."
)
@click.option("--recursive", is_flag=True, help="Go into folders inside folders; the tree is mirrored.")
@click.option(
    "--jobs",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Pictures at a time; each needs memory of its own.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option(
    "--skip-existing", is_flag=True, help="Pass over pictures whose result is there: takes a batch up again."
)
@click.option("--dry-run", is_flag=True, help="Find and plan, write nothing.")
@click.option("--explain", metavar="DIR", help="Write the plan there, as JSON and as pictures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a picture on stdout.")
@bounds_options
def repair(inputs: tuple[str, ...], **flags: Any) -> None:
    """Repair damaged pictures: files, folders, or - for stdin.

    Every sample outside the mask stays as it was: bit for bit in lossless formats, coefficient for
    coefficient in the blocks of a JPEG that the mask does not touch.
    """
    from remend.batch import BatchOptions, Failure, plan_jobs, run_jobs
    from remend.cli.console import Console, exit_code
    from remend.finding import MaskOptions
    from remend.pipeline import Settings

    settings = Settings(
        method=flags["method"],
        quality=flags["quality"],
        seed=flags["seed"],
        grain=flags["grain"],
        denoise=flags["denoise"],
        sharpen=flags["sharpen"],
        whole_picture=flags["whole_picture"],
        repair_alpha=flags["repair_alpha"],
    )
    options = MaskOptions(
        mask_polarity=flags["mask_polarity"],
        dilate_px=flags["dilate_px"],
        resize_mask=flags["resize_mask"],
        yes=flags["yes"],
        sensitivity=flags["sensitivity"],
        find=flags["find"],
        skip=flags["skip"],
        force=flags["force"],
        tolerate=flags["tolerate"],
    )
    if flags["mask"] is not None:
        options.fit_a_mask()  # told once, not for every picture
    shared = BatchOptions(
        settings=settings,
        options=options,
        guide=None if flags["guide"] is None else Path(flags["guide"]),
        overwrite=flags["overwrite"],
        bounds=bounds_from(flags),
        dry_run=flags["dry_run"],
        explain=None if flags["explain"] is None else Path(flags["explain"]),
        format=flags["format_"],
    )
    if "-" in inputs or flags["output"] == "-":
        if len(inputs) > 1:
            raise UsageError("- stands for one picture: give a single input when stdin or stdout is used")
        _through_pipe(inputs[0], flags["mask"], flags["output"], shared, as_json=flags["as_json"])
        return
    jobs = plan_jobs(
        [Path(name) for name in inputs],
        output=flags["output"],
        mask=None if flags["mask"] is None else Path(flags["mask"]),
        recursive=flags["recursive"],
        skip_existing=flags["skip_existing"],
        told=lambda line: click.echo(f"remend: {line}", err=True),
    )
    failures = []
    with Console(len(jobs), as_json=flags["as_json"]) as console:
        for _, outcome in run_jobs(jobs, shared, processes=flags["jobs"]):
            console.show(outcome)
            if isinstance(outcome, Failure):
                failures.append(outcome)
    click.get_current_context().exit(exit_code(failures, len(jobs)))


def _through_pipe(
    source: str,
    mask: str | None,
    output: str | None,
    shared: BatchOptions,
    *,
    as_json: bool,
) -> None:
    """One picture from stdin, to stdout, or both."""
    from remend.batch import Failure, attempt
    from remend.cli.console import Console

    if source == "-" and output is None:
        raise UsageError(
            "a picture from stdin has no name: say where it goes with -o FILE, or -o - for stdout"
        )
    if as_json and output == "-" and not shared.dry_run:
        raise UsageError("stdout can carry the picture or the JSON line, not both: give -o a file")
    piped = output == "-"
    with Console(1, as_json=as_json, quiet=piped) as console:
        outcome = attempt(
            sys.stdin.buffer.read() if source == "-" else Path(source),
            sys.stdout.buffer if piped else Path(str(output)),
            shared,
            mask=None if mask is None else Path(mask),
            place=Path("stdin" if source == "-" else Path(source).name),
        )
        console.show(outcome)
    if isinstance(outcome, Failure):
        click.get_current_context().exit(outcome.exit_code)
