"""`remend detect`: the damage of a picture, as a mask, a picture of what was seen, or JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.errors import AmbiguousError, UsageError
from remend.options import DETECT, Bounds, MaskOptions

if TYPE_CHECKING:
    from remend.picture import Region

__all__ = ["detect"]


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
@click.option(
    "-o",
    "--output",
    metavar="MASK",
    help="Where the mask goes (white = repair); a folder, made if missing, for several inputs.",
)
@click.option(
    "--overlay", metavar="FILE", help="A picture of what was found; a folder, made too, for several inputs."
)
@flags(DETECT)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON line a picture on stdout: every region with kind, confidence and box, what was left, "
    "and what the picture is.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@flags(Bounds)
def detect(inputs: tuple[str, ...], **given: Any) -> None:
    """Find scratches, cracks, dust, stains and holes; lettering is left alone unless --find asks for it."""
    from remend.batch import Failure
    from remend.cli.console import exit_code, failure_line
    from remend.faults import debugging

    if given["output"] is None and given["overlay"] is None and not given["as_json"]:
        raise UsageError("say what is wanted: -o MASK, --overlay FILE, or --json")
    options = options_from(MaskOptions, given)
    failures = []
    for name in inputs:
        try:
            _detect_one(Path(name), given, options, several=len(inputs) > 1)
        except BrokenPipeError:
            raise
        except Exception as error:
            failures.append(failure := Failure.of(name, error))
            click.echo(failure_line(failure), err=True)
            if given["as_json"] and isinstance(error, AmbiguousError):
                choices = [asdict(choice) for choice in error.choices]
                click.echo(json.dumps({"input": name, "question": error.question, "choices": choices}))
            if debugging():
                click.echo(failure.trace, err=True, nl=False)
    click.get_current_context().exit(exit_code(failures, len(inputs)))


def _detect_one(source: Path, given: dict[str, Any], options: MaskOptions, *, several: bool) -> None:
    import numpy as np

    from remend.batch import make_folder
    from remend.budget import Budget
    from remend.explain import draw_regions
    from remend.finding import find_mask, with_missing
    from remend.io import read_picture, write_picture
    from remend.io.read import printable
    from remend.picture import Picture
    from remend.samples import eight_bit

    picture = read_picture(source, budget=Budget(options_from(Bounds, given)), tolerate=given["tolerate"])
    finding = with_missing(find_mask(picture, None, options=options), picture)
    notes = (picture.container.notes if picture.container is not None else ()) + finding.notes
    pictures = {"output": finding.mask.astype(np.uint8)[..., None] * np.uint8(255)}
    if given["overlay"] is not None:
        pictures["overlay"] = draw_regions(eight_bit(picture), finding.regions)
    for flag, samples in pictures.items():
        if given[flag] is None:
            continue
        target = Path(given[flag])
        if several or target.is_dir() or given[flag].endswith(("/", os.sep)):  # Path drops the slash
            target = target / f"{source.name}.{'mask' if flag == 'output' else 'seen'}.png"
        make_folder(target.parent, "-o" if flag == "output" else "--overlay")
        made = Picture(samples, "L" if samples.shape[2] == 1 else "RGB")
        everything = np.ones(made.size, bool)
        written = write_picture(made, target, changed=everything, overwrite=given["overwrite"])
        click.echo(str(written.path), err=given["as_json"])
    share = 100 * float(np.count_nonzero(finding.mask)) / finding.mask.size
    click.echo(f"{printable(str(source))} · {len(finding.regions)} regions, {share:.2f} % marked", err=True)
    for note in notes:
        click.echo(f"  note: {note}", err=True)
    if given["as_json"]:
        line = {
            "input": str(source),
            "width": picture.width,
            "height": picture.height,
            "nature": finding.nature,
            "regions": [_plain(region) for region in finding.regions],
            "left": [_plain(region) for region in finding.left],
            "notes": list(notes),
        }
        click.echo(json.dumps(line))


def _plain(region: Region) -> dict[str, Any]:
    box = region.box
    return {
        "kind": region.kind,
        "confidence": round(region.confidence, 3),
        "box": [box.left, box.top, box.right, box.bottom],
        "pixels": int(region.mask.sum()),
    }
