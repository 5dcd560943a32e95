"""`read_picture`: a path, bytes or an open file in, a `Picture` in display orientation out."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from remend.budget import Budget
from remend.errors import DecodeError, FormatError, PictureError, UsageError
from remend.io.codec import Codec, Header, Source
from remend.io.elsewhere import known_elsewhere
from remend.io.limits import own_limits
from remend.io.orientation import to_display
from remend.io.registry import FORMATS, codec_of_bytes, format_of_suffix
from remend.picture import Container, Picture

__all__ = ["PictureSource", "printable", "read_header", "read_picture", "same_file", "unchanged_since_read"]

PictureSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def read_picture(source: PictureSource, *, budget: Budget | None = None, tolerate: bool = False) -> Picture:
    """Read a picture with everything that is needed to write it back.

    The format is told from the first bytes, never from the name. The samples are the file's own:
    nothing is converted, and display orientation is a view of the stored order, not a copy.

    Args:
        source: a path, the file's bytes, or a file opened for reading bytes.
        budget: what it may cost, told before anything is decoded; None = the usual bounds.
        tolerate: open what a truncated JPEG or PNG still holds; ``container.missing`` marks the rest.

    Returns:
        The picture; ``picture.container.notes`` holds what the user should know.

    Raises:
        PictureError: there is no such file, or it cannot be read.
        FormatError: not a picture, or of a kind that is not supported.
        DecodeError: truncated or damaged.
        LimitError: more than the budget holds.

    Cost: one copy of the samples; OpenCV's or Pillow's time to decode.
    """
    opened, codec = recognised(source, budget or Budget())
    opened = replace(opened, tolerate=tolerate)
    with own_limits():
        checked_header(codec, opened)
        before = identity_of(opened)
        try:
            picture = codec.decode(opened)
        except OSError as error:
            raise PictureError(f"{opened.name}: cannot be read: {error.strerror or error}") from error
        except MemoryError as error:
            raise PictureError(f"{opened.name}: not enough memory to decode it") from error
    container = picture.container
    if container is None:
        raise DecodeError(f"{opened.name}: the {codec.format} codec gave no container")
    notes = container.notes
    named = format_of_suffix(opened.path) if opened.path else None
    if named and named != codec.format:
        notes = (*notes, f"named as {named}, but it is {codec.format}: read as what it is")
    missing = container.missing
    if missing is not None:
        missing = to_display(missing, container.orientation)
        lost = f"{100 * missing.mean():.1f} % of the picture is missing"
        whole = "all of the picture is there, maybe with fewer details"
        notes += (f"the file is cut short: {lost if missing.any() else whole}",)
    picture.container = replace(
        container,
        missing=missing,
        notes=notes,
        details={**container.details, "identity": before},
    )
    picture.samples = to_display(picture.samples, container.orientation)
    return picture


def read_header(source: PictureSource, *, budget: Budget | None = None) -> tuple[str, Header]:
    """Format and header of a picture, without decoding it.

    Raises:
        The same as `read_picture`.
    """
    opened, codec = recognised(source, budget or Budget())
    with own_limits():
        return codec.format, checked_header(codec, opened)


def recognised(source: PictureSource, budget: Budget) -> tuple[Source, Codec]:
    """The file opened, and who reads it."""
    opened = _source(source, budget)
    try:
        head = opened.head()
    except OSError as error:
        raise PictureError(f"{opened.name}: cannot be read: {error.strerror or error}") from error
    if not head:
        raise FormatError(f"{opened.name}: the file is empty; a picture was expected")
    codec = codec_of_bytes(head)
    if codec is None:
        known = known_elsewhere(head)
        if known is not None:
            raise FormatError(f"{opened.name}: {known}")
        what = "a text file" if _looks_like_text(head) else "of no format that is known here"
        raise FormatError(f"{opened.name}: {what}; a picture was expected ({', '.join(FORMATS)})")
    budget.check_format(opened.name, codec.format)
    return opened, codec


def checked_header(codec: Codec, opened: Source) -> Header:
    """Its header, of a size that the budget allows."""
    try:
        header = codec.header(opened)
    except OSError as error:
        raise PictureError(f"{opened.name}: cannot be read: {error.strerror or error}") from error
    opened.budget.check_pixels(opened.name, header.width, header.height)
    return header


def _source(source: PictureSource, budget: Budget) -> Source:
    if isinstance(source, bytes | bytearray | memoryview):
        return Source("the picture", data=bytes(source), budget=budget)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return Source(printable(path), path=_regular_file(path), budget=budget)
    if not hasattr(source, "read"):
        raise UsageError(f"a path, bytes or a binary file was expected, got {type(source).__name__}")
    data = source.read()
    if not isinstance(data, bytes):
        raise UsageError("a file opened for bytes was expected, got one opened for text: open it with 'rb'")
    return Source(printable(getattr(source, "name", None)) or "the picture", data=data, budget=budget)


def printable(name: object) -> str:
    """A file's name on one line, whatever is in it."""
    if not isinstance(name, str | os.PathLike):
        return ""
    text = os.fsencode(os.fspath(name)).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _regular_file(path: Path) -> Path:
    name = printable(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        hint = " (a link to a file that is gone)" if path.is_symlink() else ""
        raise PictureError(f"{name}: no such file{hint}: check the path") from None
    except (OSError, ValueError) as error:  # symlink loops, names too long, no right to look, NUL
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{name}: cannot be read: {reason}") from error
    if stat.S_ISDIR(mode):
        raise PictureError(f"{name}: is a folder; a picture was expected: name its files, or use --recursive")
    if not stat.S_ISREG(mode):
        raise PictureError(f"{name}: is a device or a pipe; give '-' and pipe the picture in")
    return path


def identity_of(opened: Source) -> tuple[int, int] | None:
    """Size and time of change, to notice when a file changes between reading and writing back."""
    if opened.path is None:
        return None
    found = opened.path.stat()
    return found.st_size, found.st_mtime_ns


def same_file(one: object, other: Path | None) -> bool:
    """Whether both are paths to one file; False where either is no path, or is not there."""
    try:
        return other is not None and isinstance(one, (str, os.PathLike)) and other.samefile(one)
    except OSError:
        return False


def unchanged_since_read(container: Container) -> bool:
    """Whether the file behind a picture is still the one that was read."""
    identity = container.details.get("identity")
    if container.data is not None or container.path is None or identity is None:
        return True
    try:
        found = container.path.stat()
    except OSError:
        return False
    return bool((found.st_size, found.st_mtime_ns) == identity)


def _looks_like_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c in "\t\r\n\ufeff" for c in text)
