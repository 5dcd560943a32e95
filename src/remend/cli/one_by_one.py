"""Verbs that make files of files, one after the other: which becomes which, and a line for each failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from remend.errors import UsageError

__all__ = ["each", "places_of"]

Place = tuple[Path, Path]


def each(places: Sequence[Place], work: Callable[[Path, Path], None], *, dry_run: bool) -> None:
    """Do ``work(source, target)`` for each place, and end the command: 0, or the code of what failed.

    Args:
        places: of sources and targets; a target's folder is made.
        work: raises what went wrong with one; the others are done all the same.
        dry_run: nothing is written, so no folder is made.
    """
    from remend.batch import Failure, make_folder
    from remend.cli.console import exit_code, failure_line

    failures = []
    for source, target in places:
        try:
            if not dry_run:
                make_folder(target.parent)
            work(source, target)
        except BrokenPipeError:
            raise
        except Exception as error:
            failures.append(failure := Failure.of(str(source), error))
            click.echo(failure_line(failure), err=True)
    click.get_current_context().exit(exit_code(failures, len(places)))


def places_of(
    inputs: Sequence[str],
    output: str | None,
    *,
    named: Callable[[Path], Path],
    done: str,
    verb: str,
) -> list[Place]:
    """Which file becomes which; a folder gives its pictures.

    Args:
        inputs: files and folders.
        output: a file, or a folder where there are several, where it is one, or where its name has no
            ending; None = beside each source.
        named: the name beside a source.
        done: a part of the names of results, which no folder gives again: ``.restored``.
        verb: what is done, for messages.

    Raises:
        UsageError: a folder without pictures, or two that would write the same file.
    """
    from remend.io.registry import readable_suffixes

    sources: list[Path] = []
    for path in map(Path, inputs):
        if path.is_dir():
            inside = [
                entry
                for entry in sorted(path.iterdir())
                if entry.suffix.lower() in readable_suffixes() and not entry.name.startswith(".")
            ]
            sources += [entry for entry in inside if done not in entry.stem]
        else:
            sources.append(path)
    if not sources:
        raise UsageError(f"{inputs[0]} holds no picture: name a file, or a folder of some")
    if output is None:
        places = [(source, named(source)) for source in sources]
    elif len(sources) == 1 and Path(output).suffix and not Path(output).is_dir() and output[-1] != "/":
        places = [(sources[0], Path(output))]
    else:
        places = [(source, Path(output) / source.name) for source in sources]
    if len({target for _, target in places}) < len(places):
        raise UsageError(f"two inputs would write the same file: {verb} them one folder at a time")
    return places
