"""A source as a file to seek in, so that a header is read without reading the whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from remend.io.codec import Source

__all__ = ["opened"]


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """``source`` as a seekable binary file, closed afterwards."""
    if source.path is not None and source.data is None:
        with source.path.open("rb") as file:
            yield file
    else:
        yield io.BytesIO(source.read_bytes())
