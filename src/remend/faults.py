"""Exceptions that are none of ours, told in one line: what a library raises on a file nobody thought of."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from remend.errors import InternalError, RemendError, ResourceError

__all__ = ["DEBUG", "as_own", "debugging", "own_errors", "trace_of"]

DEBUG = "REMEND_DEBUG"
"""The environment variable behind ``--debug``: worker processes inherit it."""

_HERE = Path(__file__).parent
_NO_MEMORY = -4  # OpenCV's code for it
_LONGEST = 160

Callback = TypeVar("Callback", bound=Callable[..., Any] | None)


def debugging() -> bool:
    """Whether somebody wants to see tracebacks."""
    return bool(os.environ.get(DEBUG))


def as_own(error: Exception, file: str = "") -> RemendError:
    """Any exception as one of ours; ours stay as they are.

    Args:
        error: whatever was raised.
        file: which it is about, for the line to begin with.

    >>> str(as_own(MemoryError(), "a.png"))
    'a.png: out of memory: use a smaller picture or fewer --jobs'
    """
    if isinstance(error, RemendError):
        return error
    about = f"{file}: " if file else ""
    if isinstance(error, MemoryError) or getattr(error, "code", None) == _NO_MEMORY:
        return ResourceError(f"{about}out of memory: use a smaller picture or fewer --jobs")
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = " ".join(str(error).split())[:_LONGEST]
    where = next(
        (
            f" at {Path(frame.filename).relative_to(_HERE).as_posix()}:{frame.lineno}"
            for frame in reversed(traceback.extract_tb(error.__traceback__))
            if Path(frame.filename).is_relative_to(_HERE)
        ),
        "",
    )
    return InternalError(
        f"{about}a fault of Remend's own ({name}{where}{': ' if text else ''}{text}): please report it, "
        "with what --debug says"
    )


def trace_of(error: Exception) -> str:
    """The whole traceback, for ``--debug``."""
    return "".join(traceback.format_exception(error))


@contextmanager
def own_errors(file: str = "") -> Iterator[Callable[[Callback], Callback]]:
    """Foreign exceptions leave as ours, with the foreign one as their cause.

    Args:
        file: which they are about.

    Yields:
        A wrapper for functions that the caller gave: what those raise is the caller's and leaves as it is.
    """
    theirs: list[BaseException] = []

    def given(function: Callback) -> Callback:
        def call(*args: Any) -> Any:
            assert function is not None
            try:
                return function(*args)
            except BaseException as error:
                theirs.append(error)
                raise

        return function if function is None else call  # type: ignore[return-value]

    try:
        yield given
    except (RemendError, BrokenPipeError):  # the reader has left: no fault, and nobody to tell
        raise
    except Exception as error:
        if any(error is one for one in theirs):
            raise
        raise as_own(error, file) from error
