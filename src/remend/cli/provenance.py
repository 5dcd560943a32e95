"""`remend undo`, `redo` and `audit`: what the records of ``remend repair --record`` are good for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from remend.errors import UsageError

__all__ = ["audit", "redo", "undo"]

ORIGINAL = {
    "required": True,
    "metavar": "ORIGINAL",
    "help": "The file before the repair, or a folder that holds it.",
}


@click.command(short_help="Take a repair back.")
@click.argument("repaired", metavar="FILE")
@click.option("--from", "original", **ORIGINAL)  # type: ignore[arg-type]
@click.option("-o", "--output", metavar="OUT", help="Default: photo.undone.jpg beside photo.jpg.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file: FILE itself, say.")
def undo(repaired: str, original: str, output: str | None, overwrite: bool) -> None:
    """Put the file before a repair back, byte for byte: the one that the record names, and no other."""
    from remend.undoing import undo as take_back

    path = Path(repaired)
    target = path.with_name(f"{path.stem}.undone{path.suffix}") if output is None else Path(output)
    found = take_back(path, Path(original), target, overwrite=overwrite)
    click.echo(f"{found} · the file before the repair", err=True)
    click.echo(target)


@click.command(short_help="Do a repair again, as its record says.")
@click.argument("repaired", metavar="FILE")
@click.option("--from", "original", **ORIGINAL)  # type: ignore[arg-type]
@click.option("-o", "--output", metavar="OUT", help="Where it goes. Default: nowhere, it is only compared.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def redo(repaired: str, original: str, output: str | None, overwrite: bool) -> None:
    """Repair the original again with the recorded mask, method and seed, and compare the bytes."""
    from remend.undoing import redo as do_again

    target = None if output is None else Path(output)
    do_again(Path(repaired), Path(original), target, overwrite=overwrite)
    click.echo(f"{repaired} · the same bytes came of it", err=True)
    if target is not None:
        click.echo(target)


@click.command(short_help="See whether repaired files are what was written.")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER…")
@click.option(
    "--from", "originals", metavar="DIR", help="Look for the files before the repairs there, too, by hash."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a file on stdout.")
def audit(folders: tuple[str, ...], originals: str | None, as_json: bool) -> None:
    """Hold every picture of folders to its record: one flipped bit is found.

    Records are checksums, no signatures. Exit code 1 if anything is not as it was written.
    """
    from remend.io.read import printable
    from remend.io.registry import readable_suffixes
    from remend.undoing import audit_folder

    counts: Counter[str] = Counter()
    bad = False
    for folder in folders:
        if not Path(folder).is_dir():
            raise UsageError(f"{folder} is no folder: name one that holds repaired files")
        before = None if originals is None else Path(originals)
        for found in audit_folder(Path(folder), readable_suffixes(), before):
            counts[found.state] += 1
            bad = bad or not found.fine
            if as_json:
                click.echo(json.dumps(found.as_json()))
            elif not found.fine:
                click.echo(f"{printable(str(found.path))}: {found.state}: {found.reason}")
    line = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    click.echo(f"remend: {line or 'no pictures'}", err=True)
    click.get_current_context().exit(1 if bad else 0)
