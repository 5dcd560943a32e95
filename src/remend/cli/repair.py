"""`remend repair`: pictures in, repaired pictures out."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.errors import UsageError
from remend.options import Bounds, MaskOptions, Settings

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
    "--reference",
    multiple=True,
    metavar="FILE",
    help="Another date of the same scene, to fill from; several by naming it again.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="File, folder, or - for stdout. Default: photo.repaired.jpg beside photo.jpg.",
)
@flags(Settings)
@flags(MaskOptions)
@click.option(
    "--format", "format_", metavar="FORMAT", help="Of the output, when the file name does not say it."
)
@click.option(
    "--volume", is_flag=True, help="A folder's DICOM files are the slices of one volume; -o is a folder."
)
@click.option("--recursive", is_flag=True, help="Go into folders inside folders; the tree is mirrored.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 100_000),
    help="Pictures at a time; each needs memory of its own. Default: 1; on a cluster, its cores.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Who works: this machine, or a Ray cluster (pip install '.[ray]').",
)
@click.option(
    "--address", metavar="HOST:PORT", help="Of the cluster. Default: RAY_ADDRESS, or one on this machine."
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option(
    "--resume",
    is_flag=True,
    help="Take a batch up again: what its manifest cannot vouch for, hash by hash, is made anew.",
)
@click.option(
    "--skip-existing", is_flag=True, help="Pass over pictures whose result is there, whatever it is."
)
@click.option("--watch", is_flag=True, help="Then wait for more pictures in the folders, until Ctrl-C.")
@click.option(
    "--settle",
    "settle_s",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0, 3600),
    metavar="SECONDS",
    help="Under --watch, how long nobody may have written to a picture before it is taken.",
)
@click.option(
    "--manifest",
    metavar="FILE",
    help="What became of every file, in SQLite. Default, for folders and lists: .remend/ beside the results.",
)
@click.option(
    "--report", metavar="FILE", help="An HTML page: what became of every file, the least certain ones shown."
)
@click.option("--dry-run", is_flag=True, help="Find and plan, write nothing.")
@click.option("--explain", metavar="DIR", help="Write the plan there, as JSON and as pictures.")
@click.option(
    "--record",
    is_flag=True,
    help="Write what was done into the result's XMP, and with its hash into FILE.remend.json: for "
    "`remend undo`, `redo` and `audit`.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a picture on stdout.")
@flags(Bounds)
def repair(inputs: tuple[str, ...], **given: Any) -> None:
    """Repair damaged pictures: files, folders, or - for stdin.

    Every sample outside the mask stays as it was: bit for bit in lossless formats, coefficient for
    coefficient in the blocks of a JPEG that the mask does not touch.
    """
    from remend.batch import BatchOptions
    from remend.cli.album import repair_album
    from remend.places import located

    options = options_from(MaskOptions, given)
    # Told once, not for every picture.
    options.check_place(mask=given["mask"] is not None, guide=given["guide"] is not None)
    shared = BatchOptions(
        settings=options_from(Settings, given),
        options=options,
        guide=None if given["guide"] is None else Path(given["guide"]),
        references=tuple(map(Path, given["reference"])),
        overwrite=given["overwrite"],
        resume=given["resume"],
        skip_existing=given["skip_existing"],
        bounds=options_from(Bounds, given),
        dry_run=given["dry_run"],
        explain=None if given["explain"] is None else Path(given["explain"]),
        format=given["format_"],
        record=datetime.now(UTC).isoformat(timespec="seconds") if given["record"] else None,
    )
    if given["report"] is not None and given["dry_run"]:
        raise UsageError("--report tells what was done, and --dry-run does nothing: leave out one")
    if "-" in inputs or given["output"] == "-":
        if len(inputs) > 1:
            raise UsageError("- stands for one picture: give a single input when stdin or stdout is used")
        _through_pipe(inputs[0], given["mask"], given["output"], shared, as_json=given["as_json"])
        return
    if given["volume"]:
        _volumes(inputs, shared, given)
        return
    click.get_current_context().exit(repair_album([located(name) for name in inputs], shared, given))


def _volumes(inputs: tuple[str, ...], shared: BatchOptions, given: dict[str, Any]) -> None:
    """Folders of DICOM files, each a volume.

    Raises:
        UsageError: no folder, or none to write to.
    """
    from remend.batch import Failure, attempt
    from remend.cli.console import Console, exit_code

    out = given["output"]
    if out is None or not all(Path(name).is_dir() for name in inputs):
        raise UsageError("--volume takes folders of DICOM files: name those, and another one with -o")
    if any(Path(out).resolve() == Path(name).resolve() for name in inputs):
        raise UsageError("the slices would replace their sources: give another -o")
    if not shared.options.pages:
        shared = replace(shared, options=replace(shared.options, pages="all"))
    failures = []
    with Console(len(inputs), as_json=given["as_json"]) as console:
        for name in map(Path, inputs):
            target = Path(out) / name.name if len(inputs) > 1 else Path(out)
            mask = None if given["mask"] is None else Path(given["mask"])
            outcome = attempt(name, target, shared, mask=mask, place=Path(name.name))
            console.show(outcome)
            if isinstance(outcome, Failure):
                failures.append(outcome)
    click.get_current_context().exit(exit_code(failures, len(inputs)))


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
