"""Which pages of a file are meant: ``all``, or numbers and ranges from 1 as in ``1-3,7``."""

from __future__ import annotations

import re

from remend.errors import UsageError

__all__ = ["check_pages", "chosen_pages"]

RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")


def check_pages(text: str) -> None:
    """See that ``text`` can be meant, whatever the file holds.

    Raises:
        UsageError: it is neither empty, nor ``all``, nor numbers and ranges from 1.
    """
    _ranges(text)


def chosen_pages(text: str, count: int, axis: str = "page") -> tuple[int, ...]:
    """The numbers, from 0 and in order, of the pages that a user names.

    Args:
        text: ``all``, or numbers and ranges from 1: ``1-3,7``; empty = the first alone.
        count: how many there are.
        axis: what they are called.

    Raises:
        UsageError: what cannot be meant, or a page that is not there.

    >>> chosen_pages("1-3,7", 9), chosen_pages("all", 2)
    ((0, 1, 2, 6), (0, 1))
    """
    named = _ranges(text or "1")
    if named is None:
        return tuple(range(count))
    last = max(end for _, end in named)
    if last > count:
        raise UsageError(f"--pages names {axis} {last}, and there are {count}: name those, or give all")
    return tuple(sorted({number - 1 for start, end in named for number in range(start, end + 1)}))


def _ranges(text: str) -> list[tuple[int, int]] | None:
    """First and last of each range, from 1; None = all."""
    if text.strip().lower() == "all":
        return None
    found = []
    for part in text.split(",") if text else []:
        match = RANGE.fullmatch(part)
        start = int(match[1]) if match else 0
        end = int(match[2] or start) if match else 0
        if not 1 <= start <= end:
            raise UsageError(f"--pages is all, or numbers and ranges from 1 such as 1-3,7, got {text!r}")
        found.append((start, end))
    return found
