"""`remend restore`: pictures in, restored pictures out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.errors import UsageError
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
    from remend.batch import Failure, make_folder
    from remend.cli.console import exit_code
    from remend.io.read import printable

    options = options_from(RestoreOptions, given)
    places = _places([Path(name) for name in inputs], given["output"])
    failures = []
    for source, target in places:
        try:
            if not given["dry_run"]:
                make_folder(target.parent)
            _restore_one(source, target, options, given)
        except BrokenPipeError:
            raise
        except Exception as error:
            failures.append(failure := Failure.of(str(source), error))
            name = printable(str(source))
            said = failure.message if failure.message.startswith(name) else f"{name}: {failure.message}"
            click.echo(f"remend: {said}", err=True)
    click.get_current_context().exit(exit_code(failures, len(places)))


def _places(inputs: list[Path], output: str | None) -> list[tuple[Path, Path]]:
    """Which file becomes which; a folder gives its pictures.

    Raises:
        UsageError: a folder without pictures, or two that would write the same file.
    """
    from remend.io.registry import readable_suffixes
    from remend.restoring import restored_name

    sources: list[Path] = []
    for path in inputs:
        if path.is_dir():
            inside = [
                entry
                for entry in sorted(path.iterdir())
                if entry.suffix.lower() in readable_suffixes() and not entry.name.startswith(".")
            ]
            sources += [entry for entry in inside if not entry.stem.endswith(".restored")]
        else:
            sources.append(path)
    if not sources:
        raise UsageError(f"{inputs[0]} holds no picture: name a file, or a folder of some")
    into = output is not None and (len(sources) > 1 or Path(output).is_dir() or output.endswith("/"))
    if output is None:
        places = [(source, restored_name(source)) for source in sources]
    elif into:
        places = [(source, Path(output) / source.name) for source in sources]
    else:
        places = [(sources[0], Path(output))]
    if len({target for _, target in places}) < len(places):
        raise UsageError("two inputs would write the same file: restore them one folder at a time")
    return places


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
