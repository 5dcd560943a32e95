"""`remend inspect`: what a picture suffers from, in numbers; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.options import Bounds

if TYPE_CHECKING:
    from remend.restoration.inspection import Inspection
    from remend.scans.layout import Layout

__all__ = ["inspect"]


@click.command(short_help="Measure noise, compression, blur, tones, tilt and border.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a picture.")
@flags(Bounds)
def inspect(inputs: tuple[str, ...], **given: Any) -> None:
    """Measure pictures: noise, JPEG quality and double compression, blur, tones, cast, fading, screen;
    the tilt of each print of a scan, and the border round it.
    """
    from remend.batch import Failure
    from remend.budget import Budget
    from remend.cli.console import exit_code, failure_line
    from remend.faults import own_errors
    from remend.io import read_picture
    from remend.io.read import printable
    from remend.restoration.inspection import inspect_picture
    from remend.scans.layout import lay_out

    failures = []
    for name in inputs:
        shown = printable(name)
        try:
            with own_errors(shown):
                picture = read_picture(Path(name), budget=Budget(options_from(Bounds, given)))
                found, scan = inspect_picture(picture), lay_out(picture)
        except Exception as error:
            failures.append(failure := Failure.of(name, error))
            click.echo(failure_line(failure), err=True)
            continue
        if given["as_json"]:
            size = {"width": picture.width, "height": picture.height}
            click.echo(json.dumps({"input": name, **size, **found.as_json(), **scan.as_json()}))
        else:
            click.echo(f"{shown}  {picture.width}×{picture.height}")
            for line in (*_lines(found), *_layout_lines(scan)):
                click.echo(f"  {line}")
    click.get_current_context().exit(exit_code(failures, len(inputs)))


def _lines(found: Inspection) -> list[str]:
    noise, shown, tones = found.noise, found.compression, found.tones
    lines = [f"noise     {noise.mean:.1f} levels ({', '.join(f'{one:.1f}' for one in noise.sigma)})"]
    if noise.dark != noise.light:
        lines[0] += f", {noise.dark:.1f} in the dark, {noise.light:.1f} in the light"
    line = "none seen" if shown is None else f"quality {shown.quality}, blocks from {shown.offset}"
    if shown is not None and shown.earlier is not None:
        line += f"; {shown.earlier} before that"
    if found.quality is not None:
        line += f"; the file's tables say {found.quality}"
    lines.append(f"JPEG      {line}")
    lines.append("blur      " + ("no edges" if found.blur_px is None else f"{found.blur_px:.1f} px"))
    black, white = ("/".join(f"{one:.0f}" for one in ends) for ends in (tones.black, tones.white))
    one = ", one tone" if tones.one_tone else ""
    lines.append(
        f"tones     black {black}, white {white}, fading {tones.fading:.0%}, cast {tones.cast:.0f}{one}"
    )
    if found.screen is not None:
        angles = ", ".join(f"{angle:.0f}°" for angle in found.screen.angles)
        lines.append(f"screen    dots every {found.screen.period_px:.2f} px at {angles}")
    return lines


def _layout_lines(scan: Layout) -> list[str]:
    tilt = "not certain"
    if scan.prints:
        turned = ", ".join(f"{one.tilt_deg:+.2f}°" for one in scan.prints)
        tilt = f"{turned} ({len(scan.prints)} on a scanner's bed: remend crop)"
    elif scan.content_deg is not None:
        tilt = f"{scan.content_deg:+.2f}°, by what the picture shows"
    border = "none seen"
    if scan.prints:
        border = f"bed, {scan.bed_share:.0%} of the scan"
    elif scan.rim is not None:
        border = "white rim, {:.0f}/{:.0f}/{:.0f}/{:.0f} px (top, right, bottom, left)".format(*scan.rim)
    return [f"tilt      {tilt}", f"border    {border}"]
