"""The directories of a TIFF file: read lazily, and changed by patches to the bytes around them.

Nothing is moved: every offset that a file holds, known or unknown, stays true. What grows goes to
the end of the file, and what is replaced is overwritten.

Reference: Adobe, "TIFF, Revision 6.0", 1992, §2; the BigTIFF design of libtiff, 2007.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from remend.errors import DecodeError, FormatError

__all__ = ["Directory", "Entry", "Structure", "every_directory", "pages", "read_directory", "read_structure"]

TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_BYTES |= {16: 8, 17: 8, 18: 8}
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
MAX_PAGES = 1 << 16
MAX_CHILDREN = 64  # sub-directories of a page
MAX_VALUES = 1 << 26  # bytes of one tag


@dataclass(frozen=True, slots=True)
class Structure:
    """Byte order (``<`` or ``>``), BigTIFF or classic, and where the first directory lies."""

    order: str
    big: bool
    first: int

    @property
    def offset_code(self) -> str:
        """The struct code of an offset."""
        return f"{self.order}{'Q' if self.big else 'I'}"

    @property
    def inline(self) -> int:
        """Bytes of a value that lie in the entry itself."""
        return 8 if self.big else 4

    @property
    def entry_bytes(self) -> int:
        """Bytes of an entry."""
        return 20 if self.big else 12

    @property
    def count_bytes(self) -> int:
        """Bytes of the number of entries, before the first of them."""
        return 8 if self.big else 2

    def entry(self, tag: int, kind: int, count: int, field: bytes) -> bytes:
        """An entry; ``field`` is the value, or its offset."""
        head = struct.pack(f"{self.order}HH{'Q' if self.big else 'I'}", tag, kind, count)
        return head + field.ljust(self.inline, b"\0")

    def pack(self, kind: int, values: Sequence[int]) -> bytes:
        """Integer values as the bytes of a tag."""
        return struct.pack(f"{self.order}{len(values)}{CODES[kind]}", *values)


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: its type, how many values, where the entry lies, and its field (value or offset)."""

    tag: int
    kind: int
    count: int
    at: int
    field: bytes

    @property
    def nbytes(self) -> int:
        """Bytes of its values."""
        return TYPE_BYTES.get(self.kind, 1) * self.count


@dataclass(frozen=True, slots=True)
class Directory:
    """One IFD. Values are read from ``file`` when asked for; ``start`` is where it lies."""

    file: BinaryIO
    structure: Structure
    entries: dict[int, Entry]
    name: str
    start: int

    def position(self, entry: Entry) -> int:
        """Where the values lie in the file."""
        if entry.nbytes <= self.structure.inline:
            return entry.at + self.structure.entry_bytes - self.structure.inline
        return int(struct.unpack(self.structure.offset_code, entry.field)[0])

    def raw(self, tag: int) -> bytes | None:
        """The values' bytes, None where the tag is missing.

        Raises:
            DecodeError: they lie outside the file.
        """
        entry = self.entries.get(tag)
        if entry is None:
            return None
        if entry.nbytes <= self.structure.inline:
            return entry.field[: entry.nbytes]
        if entry.nbytes > MAX_VALUES:
            raise DecodeError(f"{self.name}: a damaged TIFF: tag {tag} claims {entry.nbytes} bytes")
        data = _read_at(self.file, self.position(entry), entry.nbytes)
        if len(data) < entry.nbytes:
            raise DecodeError(f"{self.name}: a truncated TIFF: the values of tag {tag} lie behind its end")
        return data

    def integers(self, tag: int) -> tuple[int, ...] | None:
        """The values of an integer tag, None where it is missing."""
        data = self.raw(tag)
        if data is None:
            return None
        entry = self.entries[tag]
        code = CODES.get(entry.kind)
        if code is None or code in "fd":
            raise DecodeError(f"{self.name}: a damaged TIFF: tag {tag} has type {entry.kind}, not an integer")
        return struct.unpack(f"{self.structure.order}{entry.count}{code}", data)

    def integer(self, tag: int, default: int) -> int:
        """The first value of an integer tag, or ``default``."""
        values = self.integers(tag)
        return values[0] if values else default

    def text(self, tag: int) -> str | None:
        """An ASCII tag without its end, None where it is missing or empty."""
        data = (self.raw(tag) or b"").rstrip(b"\0 ")
        return data.decode("utf-8", "replace") if data else None

    def rational(self, tag: int) -> float | None:
        """The first value of a rational tag, None where it is missing or divides by zero."""
        data = self.raw(tag)
        if data is None or self.entries[tag].kind != 5 or len(data) < 8:
            return None
        above, below = struct.unpack_from(f"{self.structure.order}II", data)
        return above / below if below else None


def read_structure(file: BinaryIO, name: str) -> Structure:
    """The first 8 or 16 bytes.

    Raises:
        FormatError: not a TIFF. DecodeError: truncated.
    """
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise FormatError(f"{name}: not a TIFF: it does not start with II or MM")
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    if version == 42:
        return Structure(order, False, struct.unpack_from(f"{order}I", head, 4)[0])
    if version == 43 and len(head) == 16 and struct.unpack_from(f"{order}HH", head, 4) == (8, 0):
        return Structure(order, True, struct.unpack_from(f"{order}Q", head, 8)[0])
    raise FormatError(f"{name}: not a TIFF: version {version}, expected 42 or 43")


def read_directory(file: BinaryIO, structure: Structure, at: int, name: str) -> tuple[Directory, int]:
    """The directory at ``at``, and the offset of the next one (0 for none).

    Raises:
        DecodeError: it lies outside the file.
    """
    count, body = _read_body(file, structure, at, name)
    entries: dict[int, Entry] = {}
    each, first = structure.entry_bytes, at + structure.count_bytes
    layout = struct.Struct(f"{structure.order}HH{'Q' if structure.big else 'I'}{structure.inline}s")
    for index, (tag, kind, values, field) in enumerate(layout.iter_unpack(body[: count * each])):
        if tag not in entries:  # the first of a tag counts; a hostile file has sixty thousand of one
            entries[tag] = Entry(tag, kind, values, first + index * each, field)
    tail = body[count * structure.entry_bytes :]
    following = struct.unpack(structure.offset_code, tail)[0] if len(tail) == structure.inline else 0
    return Directory(file, structure, entries, name, at), following


def pages(file: BinaryIO, structure: Structure, name: str) -> Iterator[Directory]:
    """The chain of directories, the first one first; stops at a damaged or circular link after that.

    Raises:
        DecodeError: the first directory cannot be read.
    """
    seen: set[int] = set()
    at, room = structure.first, file.seek(0, 2)
    while at and at not in seen and len(seen) < MAX_PAGES:
        try:
            directory, following = read_directory(file, structure, at, name)
        except DecodeError:
            if not seen:
                raise
            return
        seen.add(at)
        room -= structure.entry_bytes * len(directory.entries)
        if room < 0:
            raise DecodeError(f"{name}: a damaged TIFF: its directories overlap")
        yield directory
        at = following
    if not seen:
        raise DecodeError(f"{name}: a damaged TIFF: it has no directory")


def every_directory(file: BinaryIO, structure: Structure, name: str) -> list[Directory]:
    """The chain of pages, and behind it the sub-directories that they name (reduced copies, mostly).

    Raises:
        DecodeError: the first directory cannot be read.
    """
    found = list(pages(file, structure, name))
    seen = {page.start for page in found}
    for page in tuple(found):
        try:
            below = page.integers(330) or ()
        except DecodeError:
            continue
        for at in below[:MAX_CHILDREN]:
            if at in seen:
                continue
            seen.add(at)
            try:
                found.append(read_directory(file, structure, at, name)[0])
            except DecodeError:
                continue
    return found


def _read_at(file: BinaryIO, at: int, length: int) -> bytes:
    """Bytes at an offset that may be anything; fewer than wanted where the file ends."""
    if at >= 1 << 62:  # beyond what a file system addresses: seek() would overflow
        return b""
    file.seek(at)
    return file.read(length)


def _read_body(file: BinaryIO, structure: Structure, at: int, name: str) -> tuple[int, bytes]:
    """(number of entries, the entries and the link behind them); the link may be cut off."""
    head = _read_at(file, at, structure.count_bytes)
    if len(head) < structure.count_bytes:
        raise DecodeError(f"{name}: a truncated TIFF: its directory at byte {at} lies behind its end")
    count = int(struct.unpack(f"{structure.order}{'Q' if structure.big else 'H'}", head)[0])
    wanted = count * structure.entry_bytes
    if not 0 < count <= 0xFFFF:
        raise DecodeError(f"{name}: a damaged TIFF: its directory at byte {at} claims {count} entries")
    body = file.read(wanted + structure.inline)
    if len(body) < wanted:
        raise DecodeError(f"{name}: a truncated TIFF: it ends inside its directory at byte {at}")
    return count, body
