"""Request bodies: streamed into a private folder, within bounds, under names of our own."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from remend.serve.limits import Ledger
from remend.serve.problems import Problem, problem_of_system

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

    from remend.serve.arrivals import Arrival, Arrivals

__all__ = ["Upload", "declared_bytes", "receive_upload", "safe_name"]

FLUSH_BYTES = 1 << 20  # written to the disk in another thread, this much at a time
FIELD_BYTES = 4096
MOST_PARTS = 32
REPEATED = ("reference",)  # file fields that may come several times; the files are "reference 1" …
NAME_LENGTH = 100


@dataclass(slots=True)
class Upload:
    """A form that has come in.

    Attributes:
        files: by field, where the file lies; the names are ours.
        fields: the other fields.
        filename: what the client calls its image, made safe; only ever used for the answer's name.
        held: bytes that are reserved in the ledger.
    """

    ledger: Ledger
    files: dict[str, Path] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    filename: str = "image"
    held: int = 0

    def hold(self, count: int) -> None:
        """Reserve bytes, until ``discard``.

        Raises:
            Problem: ``queue-full``.
        """
        self.ledger.take(count)
        self.held += count

    def discard(self) -> None:
        """Delete the files and release the bytes. Again is fine."""
        for path in self.files.values():
            path.unlink(missing_ok=True)
        self.files.clear()
        self.ledger.give_back(self.held)
        self.held = 0

    def fingerprint(self) -> bytes:
        """SHA-256 of everything that was asked for. Reads the files: not for the event loop."""
        digest = hashlib.sha256()
        for name, text in sorted(self.fields.items()):
            digest.update(repr((name, text)).encode())
        for name, path in sorted(self.files.items()):
            with path.open("rb") as file:
                digest.update(name.encode() + hashlib.file_digest(file, "sha256").digest())
        return digest.digest()


def declared_bytes(request: Request) -> int | None:
    """What a request says of its body; None = nothing."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdecimal() else None


async def receive_upload(
    request: Request, arrival: Arrival, arrivals: Arrivals, *, files: Collection[str]
) -> Upload:
    """Read a multipart body into the server's folder.

    Args:
        request: its body has not been touched.
        arrival, arrivals: its place among those on their way in.
        files: the fields that hold files; every other one is text.

    Raises:
        Problem: too many bytes, too slow, not a form, a file where none belongs, or no room for it any more.
        ClientDisconnect: nobody is there any more.
    """
    upload, limits = arrival.upload, arrivals.limits
    try:
        form = _Form(upload, arrivals.folder, files, _boundary(request))
        try:
            # An announcement that nothing follows ends by the clock, before `grace_seconds` at the soonest.
            async with asyncio.timeout(limits.grace_seconds) as arrival.clock:
                await _pour(request, form, arrival, arrivals)
        finally:
            arrival.clock = None
            await asyncio.shield(asyncio.to_thread(form.close))
    except TimeoutError:
        upload.discard()
        slow = Problem("upload-too-slow", "the body came too slowly, or not at all")
        raise arrival.lost or slow from None
    except OSError as error:
        upload.discard()
        problem = problem_of_system(error)
        if problem is None:
            raise
        raise problem from error
    except BaseException:
        upload.discard()
        raise
    return upload


async def _pour(request: Request, form: _Form, arrival: Arrival, arrivals: Arrivals) -> None:
    stream, limits = request.stream(), arrivals.limits
    clock, loop = arrival.clock, asyncio.get_running_loop()
    assert clock is not None
    began = loop.time()
    while True:
        chunk = await _next(stream, limits.idle_seconds)
        if chunk is None:
            break
        if not chunk:
            continue
        await arrivals.take(arrival, len(chunk))
        if arrival.lost is None:
            allowed = limits.grace_seconds + arrival.received / limits.least_rate
            clock.reschedule(began + min(limits.upload_seconds, allowed))
        try:
            form.parser.write(chunk)
        except FormParserError as error:
            raise Problem("bad-request", f"the form is malformed: {error}") from None
        if form.waiting >= FLUSH_BYTES:
            await asyncio.to_thread(form.flush)
    if not form.complete:
        raise Problem("bad-request", "the form ends too early: its closing boundary is missing")
    await asyncio.to_thread(form.flush)


async def _next(stream: AsyncIterator[bytes], seconds: float) -> bytes | None:
    """The next piece; None at the end."""
    async with asyncio.timeout(seconds):
        return await anext(stream, None)


class _Form:
    """The parser's callbacks. They only collect; files are written by ``flush``, in another thread."""

    def __init__(self, upload: Upload, folder: Path, files: Collection[str], boundary: bytes) -> None:
        self.upload, self.folder, self.files = upload, folder, files
        self.complete = False
        self.waiting = 0  # bytes collected and not yet written
        self.parts = 0
        self.pieces: list[tuple[str, bytes]] = []
        self.open: dict[str, BinaryIO] = {}
        self.header = (b"", b"")
        self.name = ""
        self.text = bytearray()
        self.is_file = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }
        self.parser = MultipartParser(boundary, callbacks)

    def _begin(self) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise Problem("bad-request", f"the form has more than {MOST_PARTS} parts")
        self.name, self.is_file, self.text = "", False, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self.header = (self.header[0] + data[start:end], self.header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self.header = (self.header[0], self.header[1] + data[start:end])

    def _header_end(self) -> None:
        name, value = self.header
        self.header = (b"", b"")
        if name.lower() != b"content-disposition":
            return
        _, options = parse_options_header(value)
        self.name = options.get(b"name", b"").decode("utf-8", "replace")
        if self.name == "image" and b"filename" in options:
            self.upload.filename = safe_name(options[b"filename"].decode("utf-8", "replace"))

    def _headers_finished(self) -> None:
        if not self.name:
            raise Problem("bad-request", "a part of the form has no name")
        self.is_file = self.name in self.files
        if self.is_file and self.name in REPEATED:
            self.name = next(
                f"{self.name} {number}"
                for number in range(1, MOST_PARTS + 1)
                if f"{self.name} {number}" not in self.upload.files
            )
        if self.name in self.upload.files or self.name in self.upload.fields:
            raise Problem(
                "invalid-option", f"{self.name[:40]} is given twice", self.name[:40], "give it once"
            )
        if self.is_file:
            self.upload.files[self.name] = self.folder / uuid4().hex
            self.pieces.append((self.name, b""))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self.is_file:
            self.pieces.append((self.name, data[start:end]))
            self.waiting += end - start
        else:
            self.text += data[start:end]
            if len(self.text) > FIELD_BYTES:
                short = self.name[:40]
                raise Problem("invalid-option", f"{short} is longer than {FIELD_BYTES} bytes", short)

    def _end(self) -> None:
        if not self.is_file:
            self.upload.fields[self.name] = self.text.decode("utf-8", "replace")

    def _whole(self) -> None:
        self.complete = True

    def flush(self) -> None:
        """Write what has been collected."""
        pieces, self.pieces, self.waiting = self.pieces, [], 0
        for name, piece in pieces:
            if name not in self.open:
                self.open[name] = self.upload.files[name].open("xb")
            self.open[name].write(piece)
        if self.complete:
            self.close()

    def close(self) -> None:
        """Close the files."""
        while self.open:
            self.open.popitem()[1].close()


def safe_name(raw: str) -> str:
    """A client's file name as one that no program can stumble over; it never names a file here.

    >>> safe_name("../../etc/passwd")
    'passwd'
    >>> safe_name("C:\\\\scans\\\\scan 1.jpg")
    'scan 1.jpg'
    >>> safe_name("..")
    'image'
    """
    last = unicodedata.normalize("NFC", raw).replace("\\", "/").rpartition("/")[2]
    kept = "".join("_" if c in '<>:"|?*%;' else c for c in last if c.isprintable() and c != "�")
    kept = kept.strip(" .~")
    stem, dot, suffix = kept.rpartition(".")
    if dot and len(suffix) <= 8:
        kept = stem.rstrip(" .")[: NAME_LENGTH - 9] + dot + suffix
    return kept[:NAME_LENGTH] or "image"


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        shown = kind.decode("latin-1")[:60] or "nothing"
        raise Problem("not-multipart", f"multipart/form-data was expected, got {shown}")
    boundary = options.get(b"boundary", b"")
    if not boundary or len(boundary) > 70:
        raise Problem("bad-request", "the form's boundary is missing or longer than 70 characters")
    return boundary
