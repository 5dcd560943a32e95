"""Exceptions that are none of ours, told in one line: what a library raises on a file nobody thought of."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remend.errors import InternalError, RemendError, ResourceError

__all__ = ["DEBUG", "as_own", "debugging", "own_errors", "trace_of"]

DEBUG = "REMEND_DEBUG"
"""The environment variable behind ``--debug``: worker processes inherit it."""

_HERE = Path(__file__).parent
_NO_MEMORY = -4  # OpenCV's code for it
_LONGEST = 160


def debugging() -> bool:
    """Whether somebody wants to see tracebacks."""
    return bool(os.environ.get(DEBUG))


def as_own(error: Exception) -> RemendError:
    """Any exception as one of ours; ours stay as they are.

    >>> str(as_own(MemoryError()))
    'out of memory: use a smaller picture or fewer --jobs'
    """
    if isinstance(error, RemendError):
        return error
    if isinstance(error, MemoryError) or getattr(error, "code", None) == _NO_MEMORY:
        return ResourceError("out of memory: use a smaller picture or fewer --jobs")
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    said = " ".join(str(error).split())[:_LONGEST]
    where = next(
        (
            f" at {Path(frame.filename).relative_to(_HERE).as_posix()}:{frame.lineno}"
            for frame in reversed(traceback.extract_tb(error.__traceback__))
            if Path(frame.filename).is_relative_to(_HERE)
        ),
        "",
    )
    return InternalError(
        f"a fault of Remend's own ({name}{where}{': ' if said else ''}{said}): please report it, "
        "with what --debug says"
    )


def trace_of(error: Exception) -> str:
    """The whole traceback, for ``--debug``."""
    return "".join(traceback.format_exception(error))


@contextmanager
def own_errors() -> Iterator[None]:
    """Foreign exceptions leave as ours, with the foreign one as their cause."""
    try:
        yield
    except RemendError:
        raise
    except Exception as error:
        raise as_own(error) from error
