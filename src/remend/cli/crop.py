"""`remend crop`: scans in, straight prints out, one file each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.cli.one_by_one import each, places_of
from remend.options import Bounds

if TYPE_CHECKING:
    from remend.cropping import CropReport

__all__ = ["crop"]


@click.command(short_help="Straighten the prints of a scan, take the bed off, one file each.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Folder, or file: a-1.jpg, a-2.jpg … of several prints. Default: scan.cropped.jpg beside scan.jpg.",
)
@click.option("--without-rim", is_flag=True, help="Take white rims off, too.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option("--dry-run", is_flag=True, help="Find and measure, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a scan on stdout: corners, tilts, rims.")
@flags(Bounds)
def crop(inputs: tuple[str, ...], **given: Any) -> None:
    """Crop scans: each print on the scanner's bed becomes a file, straight and without the bed.

    Several prints on one bed are told apart. Depth, channels, profile and resolution stay; the scan itself is
    never changed. A picture that is no scan is copied as it is.
    """
    from remend.cropping import cropped_name

    places = places_of(inputs, given["output"], named=cropped_name, done=".cropped", verb="crop")
    each(places, lambda source, target: _crop_one(source, target, given), dry_run=given["dry_run"])


def _crop_one(source: Path, target: Path, given: dict[str, Any]) -> None:
    from remend.cropping import crop_file

    report = crop_file(
        source,
        None if given["dry_run"] else target,
        without_rim=given["without_rim"],
        overwrite=given["overwrite"],
        bounds=options_from(Bounds, given),
    )
    _say(report)
    if given["as_json"]:
        click.echo(json.dumps(report.as_json()))
    else:
        for written in report.targets:
            click.echo(written)


def _say(report: CropReport) -> None:
    """What was found, on stderr."""
    from remend.io.read import printable

    count = len(report.cuts)
    what = f"{count} print{'s' if count > 1 else ''} · " if count else ""
    click.echo(f"{printable(report.source)} · {what}{report.seconds:.2f} s", err=True)
    for number, cut in enumerate(report.cuts, 1):
        high, wide = cut.found.size
        rim = "" if cut.rim is None else f", white rim of about {(cut.rim.top + cut.rim.left) / 2:.0f} px"
        click.echo(f"  {number}  {wide:.0f}×{high:.0f}, tilted by {cut.found.tilt_deg:+.2f}°{rim}", err=True)
    for note in report.notes:
        click.echo(f"  note: {note}", err=True)
