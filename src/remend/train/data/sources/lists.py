"""Lists of pictures: the ``.flist`` of DeepFill and EdgeConnect, or a ``.txt``, a path a line."""

from __future__ import annotations

from pathlib import Path

from remend.errors import UsageError
from remend.train.data.sources.record import Listing, Record

__all__ = ["SUFFIXES", "listing"]

SUFFIXES = frozenset({".flist", ".txt"})


def listing(path: Path, *, annotations: bool = False) -> Listing:
    """The files that a list names.

    Paths are absolute, relative to the list's folder, or, as the authors' scripts write them, to the
    working directory. A number behind a path is its label, as in Places' lists. A picture's name is its
    path as written, so that a list gives the same split on every machine that has it.

    Args:
        path: the list: UTF-8, blank lines and lines from ``#`` on left out.
        annotations: keep the labels.

    Raises:
        UsageError: no text, or none of its files is there.

    Cost: one look at each file's directory entry.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the list {path} cannot be read as text ({error}): give a path a line") from error
    records, skipped = [], []
    wanted = 0
    for line in lines:
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        wanted += 1
        found, label = _find(path.parent, written)
        if found is None:
            skipped.append(f"{path.stem}/{written}: not there")
            continue
        name = written if label is None else written[: -len(label)].rstrip()
        labels = (label,) if annotations and label is not None else ()
        records.append(
            Record(f"{path.stem}/{name.replace(chr(92), '/').lstrip('./')}", str(found), labels=labels)
        )
    if wanted and not records:
        raise UsageError(
            f"none of the {wanted:,} files that {path} names is there, the first {skipped[0]}: "
            "paths count from the list's folder or the working directory"
        )
    return Listing("list", records, (), tuple(skipped))


def _find(folder: Path, written: str) -> tuple[Path | None, str | None]:
    """The file that a line means, and the label behind it."""
    text, _, last = written.rpartition(" ")
    readings: list[tuple[str, str | None]] = [(written, None)]
    if text and last.isdigit():
        readings.append((text.rstrip(), last))
    for name, label in readings:
        # Places writes "/a/airfield/1.jpg" and means it from its own root.
        for candidate in (folder / name, Path(name), folder / name.lstrip("/")):
            if candidate.is_file():
                return candidate, label
    return None, None
