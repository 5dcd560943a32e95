"""`open_document`: all pictures of a file; `encode_document`: the file with some of them repaired.

Formats of one picture a file are documents of one page here, through their codec as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from remend.budget import Budget
from remend.document import Document, Pages, Repaired
from remend.errors import FormatError, PictureError, WriteError
from remend.io.atomic import write_whole
from remend.io.codec import Encoded, PagedCodec
from remend.io.dicom_series import SERIES, open_series
from remend.io.limits import own_limits
from remend.io.orientation import to_display, to_stored
from remend.io.read import (
    PictureSource,
    checked_header,
    identity_of,
    printable,
    read_picture,
    recognised,
    unchanged_since_read,
)
from remend.io.registry import codec_named
from remend.io.write import Written, check_target, encode_picture, output_format, write_picture
from remend.picture import Picture

__all__ = ["encode_document", "open_document", "write_document"]


def open_document(source: PictureSource, *, budget: Budget | None = None, tolerate: bool = False) -> Document:
    """The pictures of a file, each decoded when it is asked for.

    Args:
        source: a path, the file's bytes, or a file opened for reading bytes; or a folder of a DICOM series.
        budget: what each of them may cost; None = the usual bounds.
        tolerate: open what a truncated file of one picture still holds.

    Returns:
        Pages in display orientation; one for a format that holds, or is read with, one picture alone.

    Raises:
        The same as `read_picture`; a page's own faults come when it is asked for.

    Cost: the file's bytes, and one page at a time.
    """
    budget = budget or Budget()
    if isinstance(source, (str, os.PathLike)) and Path(source).is_dir():
        return open_series(Path(source), budget)
    opened, codec = recognised(source, budget)
    opened = replace(opened, tolerate=tolerate)
    with own_limits(), _told(opened.name):
        header = checked_header(codec, opened)
        before = identity_of(opened)
        document = codec.open(opened) if header.frames > 1 and isinstance(codec, PagedCodec) else None
    if document is None or len(document.pages) == 1:
        # Not through `source` again: a pipe has been read by now.
        given = opened.path if opened.data is None else opened.data
        assert given is not None
        picture = read_picture(given, budget=budget, tolerate=tolerate)
        assert picture.container is not None
        return Document(picture.container, [picture])
    if document.axis == "frame":
        budget.check_frames(opened.name, header.width * header.height, len(document.pages))
    stored = document.pages

    def read(number: int) -> Picture:
        called = f"{opened.name}, {document.axis} {number + 1}"
        budget.check_time(called)
        held = budget.held
        try:
            with own_limits(), _told(called):
                page = stored[number]
        finally:
            budget.held = held  # of the page before nothing is in memory any more
        orientation = page.container.orientation if page.container is not None else 1
        return replace(page, samples=to_display(page.samples, orientation))

    details = {**document.container.details, "identity": before}
    return replace(
        document,
        container=replace(document.container, details=details),
        pages=Pages(len(stored), read),
    )


def encode_document(
    document: Document, repaired: Iterable[Repaired], *, format: str | None = None
) -> Encoded:
    """The file with its repaired pages, and every other one as it was.

    Args:
        document: from `open_document`.
        repaired: in display orientation and ascending order; each is taken when the one before is written.
        format: None for the source's; of several pages no other can be written.

    Raises:
        FormatError: another format; WriteError: the source file changed in the meantime.
        And what the codec raises.
    """
    container = document.container
    if len(document.pages) == 1:
        pages = list(repaired)
        if not pages:
            return Encoded(container.read_bytes())
        return encode_picture(pages[0].picture, changed=pages[0].changed, format=format, consume=True)
    if format not in (None, container.format):
        raise FormatError(
            f"several {document.axis}s are written into a file of their own format ({container.format}), "
            f"not as {format}: give an output of that format, or one of the {document.axis}s alone"
        )
    codec = codec_named(container.format)
    assert isinstance(codec, PagedCodec)

    def stored() -> Iterator[Repaired]:
        for one in repaired:
            kept = one.picture.container
            orientation = kept.orientation if kept is not None else 1
            samples = to_stored(one.picture.samples, orientation)
            yield Repaired(
                one.number, replace(one.picture, samples=samples), to_stored(one.changed, orientation)
            )

    with own_limits():
        encoded = codec.rewrite_pages(document, stored())
    if not unchanged_since_read(container):
        raise WriteError(
            f"{printable(container.path)}: the file was changed or moved after it was read: repair it again"
        )
    return encoded


def write_document(
    document: Document,
    target: str | os.PathLike[str],
    repaired: Iterable[Repaired],
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> Written:
    """Write a document to a file, whole or not at all, as `remend.io.write_picture` does.

    Args:
        document, repaired, format: as for `encode_document`.
        target: the file to write; it may be the document's own source, with ``overwrite``.
        overwrite: replace an existing file.

    Raises:
        WriteError: the target exists, or the folder or the disk does not take it.
        And what `encode_document` raises.
    """
    path = Path(target)
    if document.container.format == SERIES:
        return _write_series(document, path, repaired, overwrite=overwrite)
    chosen = output_format(document, path, format)
    check_target(path, overwrite=overwrite)
    encoded = encode_document(document, repaired, format=chosen)
    write_whole(path, encoded.data, overwrite=overwrite)
    return Written(path, chosen, encoded.notes)


def _write_series(
    document: Document, folder: Path, repaired: Iterable[Repaired], *, overwrite: bool
) -> Written:
    """The slices that were repaired, under their own names in another folder."""
    files, count = document.container.details["files"], 0
    notes: dict[str, None] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"the folder {folder} cannot be made ({error.strerror}): give another -o") from error
    for one in repaired:
        written = write_picture(
            one.picture,
            folder / files[one.number].name,
            changed=one.changed,
            format="dicom",
            overwrite=overwrite,
        )
        notes |= dict.fromkeys(written.notes)
        count += 1
    note = f"{count} of {len(files)} slices were repaired and written: a series of their own"
    return Written(folder, "dicom", (*document.container.notes, note, *notes))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What reading a file may raise, as one line."""
    try:
        yield
    except OSError as error:
        raise PictureError(f"{name}: cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise PictureError(f"{name}: not enough memory to decode it") from error
