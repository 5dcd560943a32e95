"""Huge pictures: opened without being read, and written by changing a copy of their file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from remend.budget import Budget
from remend.errors import FormatError, WriteError
from remend.io.atomic import write_whole
from remend.io.codec import LazyCodec
from remend.io.limits import own_limits
from remend.io.read import identity_of, printable, recognised, unchanged_since_read
from remend.io.registry import codec_named
from remend.io.write import Written, check_target, output_format
from remend.picture import Bool, Picture
from remend.planes import count_marked

__all__ = ["LEAST_PIXELS", "open_lazily", "write_lazily"]

LEAST_PIXELS = 64_000_000  # smaller pictures are read: that is quicker
COPY_BYTES = 16 << 20


def open_lazily(path: str | os.PathLike[str], *, budget: Budget) -> Picture | None:
    """A huge picture whose samples are read when they are asked for.

    Args:
        path: of the file.
        budget: what it may cost; it may have ten times as many pixels as one that is read.

    Returns:
        None for what is smaller, of another format than TIFF, PNG and JPEG, or must be read as a whole.

    Raises:
        As `remend.io.read_picture`.
    """
    opened, codec = recognised(path, budget)
    if not isinstance(codec, LazyCodec):
        return None
    with own_limits():
        header = codec.header(opened)
        if header.width * header.height < LEAST_PIXELS:
            return None
        if header.orientation != 1:
            return None
        budget.check_pixels(opened.name, header.width, header.height, lazily=True)
        before = identity_of(opened)
        picture = codec.open_lazily(opened)
    if picture is None or picture.container is None:
        return None
    details = {**picture.container.details, "identity": before}
    picture.container = replace(picture.container, details=details)
    return picture


def write_lazily(
    picture: Picture,
    changed: Bool,
    target: str | os.PathLike[str],
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> Written:
    """Write a picture of `open_lazily`: a copy of its file, of which only what the repair touches is changed.

    Args:
        picture: repaired.
        changed: (H, W) bool, a `remend.planes.LazyPlane`.
        target: the file to write; it may be the source, with ``overwrite``.
        format: of the output; None = the target's suffix.
        overwrite: replace an existing file.

    Raises:
        FormatError: the target is of another format.
        WriteError: it exists, the source has changed, or the folder or the disk does not take it.

    Cost: copying the file, and the strips or tiles that changed.
    """
    path, container = Path(target), picture.container
    assert container is not None and container.path is not None
    chosen = output_format(picture, path, format)
    if chosen != container.format:
        raise FormatError(
            f"a picture of {picture.width * picture.height / 1e6:,.0f} megapixels is written into a file of "
            f"its own format ({container.format}), not as {chosen}: give an output of that format"
        )
    check_target(path, overwrite=overwrite)
    if not unchanged_since_read(container):
        raise WriteError(
            f"{printable(container.path)}: the file was changed or moved after it was read: repair it again"
        )
    notes: tuple[str, ...] = ()

    def write(file: BinaryIO) -> None:
        nonlocal notes
        assert container.path is not None
        with container.path.open("rb") as source:
            shutil.copyfileobj(source, file, COPY_BYTES)
        if count_marked(changed):
            codec = codec_named(chosen)
            assert isinstance(codec, LazyCodec)
            with own_limits():
                notes = codec.repaint(file, picture, changed)

    writer: Callable[[BinaryIO], None] = write
    write_whole(path, writer, overwrite=overwrite)
    return Written(path, chosen, notes)
