"""WebP: the picture's chunks made anew, every other chunk of the file kept byte for byte.

Lossless files stay lossless, with the colours that lie under transparent pixels. In a lossy file
every block depends on its neighbours, so the whole frame has to be compressed again; that is said.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

import numpy as np
from PIL import Image, WebPImagePlugin

from remend.document import Document, Repaired
from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.exif_tag import bare_exif, exif_orientation
from remend.io.pillow_codec import array_of, eight_bit_image, load_frame, open_frame
from remend.io.previews import TAKEN_OUT, bare_xmp, renewed_exif
from remend.io.riff import read_chunks, walk_riff, webp_bytes
from remend.io.source_stream import opened
from remend.io.webp_frames import ALPHA, ANIMATION, PIXELS, QUALITY, bitstream, open_frames, rewrite_frames
from remend.picture import Bool, Container, Metadata, Picture

__all__ = ["CODEC", "WebpCodec"]

LARGEST = 16383
MAX_EXIF = 16 << 20


class WebpCodec:
    """WebP, still or the first frame. ``details``: ``lossless``, of the source."""

    format = "webp"
    suffixes: tuple[str, ...] = (".webp",)
    lossless = True
    bands = False

    def recognises(self, head: bytes) -> bool:
        """By RIFF … WEBP."""
        return head[:4] == b"RIFF" and head[8:12] == b"WEBP"

    def header(self, source: Source) -> Header:
        """From VP8X, or the first bytes of the bitstream; EXIF for the orientation."""
        size: tuple[int, int] | None = None
        orientation, frames = 1, 0
        with opened(source) as file:
            for kind, length in walk_riff(file, source.name):
                if kind in (b"VP8X", b"VP8 ", b"VP8L"):
                    size = size or _size(kind, file.read(min(length, 16)))
                elif kind == b"EXIF" and length <= MAX_EXIF:
                    orientation = exif_orientation(bare_exif(file.read(length)))
                frames += kind == b"ANMF"
        if size is None:
            raise DecodeError(f"{source.name}: a damaged WebP: it holds no picture")
        return Header(*size, orientation, max(1, frames))

    def decode(self, source: Source) -> Picture:
        """RGB or RGBA of 8 bits."""
        data = source.read_bytes()
        chunks = read_chunks(io.BytesIO(data), source.name)
        contents = dict(reversed(chunks))
        header = self.header(source)
        frames = sum(kind == b"ANMF" for kind, _ in chunks)
        # an animation is composed on canvases of its own
        copies = 4 if frames else 2
        source.budget.take(source.name, header.width * header.height, 32, len(data), copies=copies)
        with open_frame(WebPImagePlugin.WebPImageFile, data, source.name, "WebP") as image:
            if image.size != (header.width, header.height):
                raise DecodeError(f"{source.name}: a damaged WebP: its header and its picture differ in size")
            samples = array_of(load_frame(image, source.name, "WebP"))
        exif = bare_exif(contents[b"EXIF"]) if b"EXIF" in contents else None
        metadata = Metadata(icc=contents.get(b"ICCP"), exif=exif, xmp=contents.get(b"XMP "))
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            orientation=exif_orientation(exif),
            metadata=metadata,
            details={"lossless": _is_lossless(chunks)},
            notes=(
                f"first of {frames} frames; it will be written as a still picture: "
                "--pages all repairs and keeps them all",
            )
            if frames > 1
            else (),
        )
        return Picture(samples, "RGBA" if samples.shape[2] == 4 else "RGB", None, container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """New VP8L, or ALPH and VP8; without a changed pixel the very file."""
        assert picture.container is not None
        data = picture.container.read_bytes()
        if not changed.any():
            return Encoded(data)
        _check_size(picture)
        chunks = read_chunks(io.BytesIO(data), str(picture.container.path or "WebP"))
        lossless = _is_lossless(chunks)
        new = bitstream(Image.fromarray(np.ascontiguousarray(picture.samples)), lossless=lossless)
        notes: list[str] = []
        if not lossless:
            notes.append(f"lossy WebP: the whole frame was compressed again (quality {QUALITY})")
        if any(kind == b"ANMF" for kind, _ in chunks):
            notes.append("the animation was dropped: only its first frame was repaired and written")
        result: list[tuple[bytes, bytes]] = []
        for kind, content in chunks:
            if kind == b"C2PA":
                notes.append(TAKEN_OUT)
            elif kind == b"EXIF":
                prefix = content[: len(content) - len(bare_exif(content))]
                result.append((kind, prefix + renewed_exif(bare_exif(content), picture)))
            elif kind == b"XMP ":
                result.append((kind, bare_xmp(content)))
            elif kind == b"VP8X":
                result.append((kind, _still_flags(content, any(k == b"ALPH" for k, _ in new))))
            elif kind not in PIXELS:
                result.append((kind, content))
            elif new and kind != b"ANIM":
                result += new
                new = []
        if not any(kind == b"VP8X" for kind, _ in result) and any(kind == b"ALPH" for kind, _ in result):
            result.insert(0, (b"VP8X", _extended_header(picture, ALPHA)))
        return Encoded(webp_bytes(result), tuple(notes))

    def open(self, source: Source) -> Document:
        """Every frame, as it is composed on the canvas: RGBA."""
        header = self.header(source)
        return open_frames(source, (header.height, header.width))

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """Frames that look different become lossless ones, all others stay."""
        container = document.container
        header = self.header(Source(str(container.path or "WebP"), data=container.read_bytes()))
        return rewrite_frames(document, (header.height, header.width), repaired)

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """Lossless RGB or RGBA with profile, EXIF and XMP."""
        _check_size(picture)
        image, notes = eight_bit_image(picture, kind="WebP", modes=("RGB", "RGBA"))
        chunks = bitstream(image, lossless=True)
        flags = ALPHA if image.mode == "RGBA" else 0
        before: list[tuple[bytes, bytes]] = []
        behind: list[tuple[bytes, bytes]] = []
        for flag, kind, content in (
            (0x20, b"ICCP", metadata.icc),
            (0x08, b"EXIF", metadata.exif),
            (0x04, b"XMP ", metadata.xmp),
        ):
            if content:
                flags |= flag
                (before if kind == b"ICCP" else behind).append((kind, content))
        if before or behind:
            chunks = [(b"VP8X", _extended_header(picture, flags)), *before, *chunks, *behind]
        if metadata.dpi and not metadata.exif:
            notes += ("WebP has no place for the resolution: left out",)
        if metadata.text:
            notes += ("WebP has no place for text entries: left out",)
        return Encoded(webp_bytes(chunks), notes)


def _check_size(picture: Picture) -> None:
    if max(picture.size) > LARGEST:
        size = f"{picture.width}×{picture.height}"
        raise FormatError(f"{size} is too large for a WebP, which ends at {LARGEST} a side: write a PNG")


def _size(kind: bytes, content: bytes) -> tuple[int, int] | None:
    """(width, height) of a VP8X, VP8L or VP8 chunk."""
    if kind == b"VP8X" and len(content) >= 10:
        return (
            1 + int.from_bytes(content[4:7], "little"),
            1 + int.from_bytes(content[7:10], "little"),
        )
    if kind == b"VP8L" and len(content) >= 5 and content[0] == 0x2F:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(content) >= 10 and content[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", content[6:10])
        return (width & 0x3FFF, height & 0x3FFF) if width & 0x3FFF and height & 0x3FFF else None
    return None


def _is_lossless(chunks: list[tuple[bytes, bytes]]) -> bool:
    """Whether the picture, or the first frame, is VP8L."""
    for kind, content in chunks:
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        if kind == b"ANMF":
            return content[16:20] == b"VP8L"
    return False


def _extended_header(picture: Picture, flags: int) -> bytes:
    """A VP8X chunk's content."""
    sides = ((side - 1).to_bytes(3, "little") for side in (picture.width, picture.height))
    return bytes([flags, 0, 0, 0]) + b"".join(sides)


def _still_flags(content: bytes, alpha: bool) -> bytes:
    """VP8X without the animation flag, and with alpha where the new bitstream brings it apart."""
    flags = (content[0] & ~ANIMATION) | (ALPHA if alpha else 0)
    return bytes([flags]) + content[1:]


CODEC = WebpCodec()
