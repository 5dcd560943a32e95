"""Where files lie: paths of this machine, and URLs of object stores and the like.

A URL becomes an object that answers as `pathlib.Path` does, made by universal_pathlib on fsspec, so whoever
lists, names and opens files need not know which of the two he has. Only who hands a file to a library asks.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from remend.errors import UsageError

__all__ = ["is_remote", "located"]

URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


def located(text: str | Path) -> Path:
    """A path, or what a URL names as if it were one.

    Args:
        text: ``album/``, ``file:///srv/album``, ``s3://bucket/album`` …; a path stays what it is.

    Raises:
        UsageError: a URL whose library is not installed, or of a kind that nobody knows.

    >>> located("file:///srv/my%20album") == Path("/srv/my album")
    True
    """
    if not isinstance(text, str) or (found := URL.match(text)) is None:
        return text if not isinstance(text, str) else Path(text)
    if found[1].lower() == "file":
        return Path(unquote(text[found.end() :]))
    try:
        from upath import UPath
    except ImportError as error:
        raise UsageError(f"{text} is a URL: pip install '.[remote]' reads such, or give a path") from error
    try:
        return cast(Path, UPath(text))
    except (ImportError, ValueError) as error:
        raise UsageError(f"{text} cannot be opened ({error}): install what fsspec asks for") from error


def is_remote(path: Path) -> bool:
    """Whether it lies elsewhere, so that a library cannot open it by its name."""
    return not isinstance(path, Path)
