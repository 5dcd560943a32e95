"""The small text tables that data sets bring: rows of words, or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remend.errors import UsageError

__all__ = ["json_of", "lines_of", "rows_of"]


def lines_of(path: Path) -> list[str]:
    """The lines that are not blank.

    Raises:
        UsageError: it cannot be read as text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the annotation file {path} cannot be read ({error}): fetch it again") from error
    return [line for line in text.splitlines() if line.strip()]


def rows_of(path: Path) -> Iterator[list[str]]:
    """The lines of a table taken apart: at commas in a ``.csv``, else at blanks.

    Raises:
        UsageError: it cannot be read as text.
    """
    lines = lines_of(path)
    if path.suffix.lower() == ".csv":
        yield from csv.reader(lines)
    else:
        yield from (line.split() for line in lines)


def json_of(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        UsageError: it cannot be read, or is no JSON.
    """
    try:
        with path.open("rb") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"the annotation file {path} cannot be read ({error}): fetch it again") from error
