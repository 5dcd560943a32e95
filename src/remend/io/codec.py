"""What a codec is: one format family, one file, one contract.

A codec writes a picture back into *its own container*: the encoder of a library makes the pixel
payload, and everything else of the source file (profiles, EXIF, XMP, text, palettes, further
pages, unknown chunks) is carried over byte for byte. So nothing has to be understood to survive.

A codec whose files hold several pictures that can be repaired one by one is a `PagedCodec`, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from remend.budget import Budget
from remend.document import Document, Repaired
from remend.picture import Bool, Metadata, Picture

__all__ = ["Codec", "Encoded", "Header", "LazyCodec", "PagedCodec", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read: a path, or bytes that came through a pipe.

    ``name`` is what messages call it; ``budget`` is what decoding may cost;
    with ``tolerate`` a file that is cut short is opened as far as it goes (JPEG and PNG).
    """

    name: str
    path: Path | None = None
    data: bytes | None = None
    budget: Budget = field(default_factory=Budget)
    tolerate: bool = False

    def read_bytes(self) -> bytes:
        """All of it."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()

    def head(self, length: int = 1024) -> bytes:
        """The first bytes, enough to tell the format."""
        if self.data is not None:
            return self.data[:length]
        assert self.path is not None
        with self.path.open("rb") as file:
            return file.read(length)


@dataclass(frozen=True, slots=True)
class Header:
    """What can be said before any pixel is decoded.

    ``width`` and ``height`` are as stored, before the orientation is applied.
    """

    width: int
    height: int
    orientation: int = 1
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Encoded:
    """A written file: its bytes, and lines that the user should see."""

    data: bytes
    notes: tuple[str, ...] = ()


class Codec(Protocol):
    """One format family. Codecs are modules' singletons; they hold no state."""

    @property
    def format(self) -> str:
        """Its name in `remend.io.registry`: ``jpeg``, ``png``, ``tiff`` …"""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """File name endings, lower case with the dot, the usual one first."""

    @property
    def lossless(self) -> bool:
        """Whether every sample survives a write (``webp`` answers for its default)."""

    @property
    def bands(self) -> bool:
        """Whether it has a place for bands, and for samples of int16 and float64."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that starts with ``head`` (1024 bytes or more, if it has them) is of this format."""

    def header(self, source: Source) -> Header:
        """Size, orientation and frames, without decoding pixels and in bounded memory.

        Raises:
            DecodeError: the file is truncated or damaged before its size is told.
        """

    def decode(self, source: Source) -> Picture:
        """The picture **in stored orientation**, its container filled in (format, metadata, details,
        notes, path or data). Never converts: 16-bit stays 16-bit, CMYK stays CMYK, P stays P.

        Raises:
            DecodeError: truncated or damaged; FormatError: a kind that is not supported.
        """

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """``picture`` (stored orientation, decoded by this very codec, samples changed only under
        ``changed``) as a file that is otherwise the source file: same kind of payload, same metadata.

        With ``consume`` a codec may let go of ``picture.samples`` as soon as it has what it needs, so
        that the frame and the encoder's own copy are not in memory together.
        """

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """``picture`` (stored orientation) as a new file of this format, when the source was of
        another format or an array. Says in ``notes`` what the format cannot hold.

        Raises:
            FormatError: the format cannot hold such samples at all (say, float in JPEG).
        """


@runtime_checkable
class LazyCodec(Codec, Protocol):
    """A format whose pictures can be repaired without being in memory."""

    def open_lazily(self, source: Source, *, rewritten: bool = True) -> Picture | None:
        """The picture with a `remend.planes.LazyPlane` for samples; None where this one is read as a whole.

        With ``rewritten`` it must be one that ``repaint`` can write.

        Raises:
            DecodeError, FormatError: as `decode`; faults of a part come when that is read.
        """

    def repaint(self, file: BinaryIO, picture: Picture, changed: Bool) -> tuple[str, ...]:
        """Change ``file``, a copy of the source opened for reading and writing, as `rewrite` would."""


@runtime_checkable
class PagedCodec(Codec, Protocol):
    """A format whose files may hold several pages, frames or slices, each repaired by itself."""

    def open(self, source: Source) -> Document:
        """The file's pages **in stored orientation**, none of them decoded yet, each with a container.

        Raises:
            DecodeError, FormatError: as `decode`; a page's own faults come when it is asked for.
        """

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """The file with these pages changed, and every other one as it was.

        Args:
            document: what `open` made of it.
            repaired: in ascending order, in stored orientation; each is taken when the one before is written,
                so that one at a time is in memory.
        """
