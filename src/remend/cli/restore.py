"""`remend restore`: pictures in, restored pictures out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.cli.one_by_one import each, places_of
from remend.options import Bounds
from remend.options.restoration import RestoreOptions

if TYPE_CHECKING:
    from remend.restoring import RestoreReport

__all__ = ["restore"]


@click.command(short_help="Take off noise and blocks, mend damage, bring faded tones back.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="File, or folder for several inputs. Default: photo.restored.jpg beside photo.jpg.",
)
@flags(RestoreOptions)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option("--dry-run", is_flag=True, help="Measure and decide, write nothing.")
@click.option("--explain", metavar="DIR", help="Write the picture before and after each step there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a picture on stdout.")
@flags(Bounds)
def restore(inputs: tuple[str, ...], **given: Any) -> None:
    """Restore pictures: what helps each of them, and nothing that does not.

    Noise, grain and JPEG blocks are taken off, damage is found and repaired, faded tones are brought back;
    with `--preset print` the dots of a halftone go, too. Each step says why it was taken or left. A picture
    that nothing helps is copied bit for bit. `repair` mends damage alone, and leaves every other pixel as it
    was.
    """
    from remend.restoring import restored_name

    options = options_from(RestoreOptions, given)
    places = places_of(inputs, given["output"], named=restored_name, done=".restored", verb="restore")
    each(
        places, lambda source, target: _restore_one(source, target, options, given), dry_run=given["dry_run"]
    )


def _restore_one(source: Path, target: Path, options: RestoreOptions, given: dict[str, Any]) -> None:
    from remend.explain import Steps
    from remend.restoring import restore_file

    report = restore_file(
        source,
        None if given["dry_run"] else target,
        options=options,
        overwrite=given["overwrite"],
        bounds=options_from(Bounds, given),
        shown=None if given["explain"] is None else Steps(Path(given["explain"]), source.name).show,
    )
    _say(report)
    if given["as_json"]:
        click.echo(json.dumps(report.as_json()))
    elif report.target is not None:
        click.echo(report.target)


def _say(report: RestoreReport) -> None:
    """What was done and why, on stderr."""
    from remend.io.read import printable

    click.echo(f"{printable(report.source)} · {report.nature} · {report.seconds:.2f} s", err=True)
    for step in report.steps:
        done = f"{step.strength:.0%}" if step.strength else "left"
        click.echo(f"  {step.kind:6} {done:>5}  {step.reason}", err=True)
    for note in report.notes:
        click.echo(f"  note: {note}", err=True)
