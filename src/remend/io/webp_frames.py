"""WebP's bitstreams by Pillow, and an animation's frames: read as composed, redrawn where a repair shows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, WebPImagePlugin

from remend.document import Document, Pages, Repaired
from remend.errors import DecodeError
from remend.io.animation import Canvas, Composer, Disposal, Drawing, Frame, redrawn
from remend.io.codec import Encoded, Source
from remend.io.exif_tag import bare_exif, exif_orientation
from remend.io.pillow_codec import load_frame, open_frame
from remend.io.previews import TAKEN_OUT, bare_xmp, renewed_exif
from remend.io.riff import read_chunks, riff_chunk, split_chunks, webp_bytes
from remend.picture import Box, Container, Metadata, Picture

__all__ = ["ALPHA", "ANIMATION", "PIXELS", "QUALITY", "bitstream", "open_frames", "rewrite_frames"]

PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF")
QUALITY = 95
ANIMATION, ALPHA = 0x02, 0x10
FRAME_HEAD = 16
CLEAR, REPLACE = 1, 2  # a frame's flags


def bitstream(image: Image.Image, *, lossless: bool) -> list[tuple[bytes, bytes]]:
    """The picture's chunks alone: VP8L, or VP8 and perhaps ALPH."""
    file = io.BytesIO()
    if lossless:
        image.save(file, "WEBP", lossless=True, exact=True, quality=75, method=4)
    else:
        image.save(file, "WEBP", quality=QUALITY, alpha_quality=100, exact=True, method=4)
    file.seek(0)
    return [chunk for chunk in read_chunks(file, "WebP") if chunk[0] in PIXELS]


def open_frames(source: Source, size: tuple[int, int]) -> Document:
    """Every frame of a WebP as RGBA, on a canvas of ``size`` (height, width)."""
    data = source.read_bytes()
    chunks = read_chunks(io.BytesIO(data), source.name)
    contents = dict(reversed(chunks))
    held = [content for kind, content in chunks if kind == b"ANMF"]
    composer = _composer(held, size, source.name)
    exif = bare_exif(contents[b"EXIF"]) if b"EXIF" in contents else None
    container = Container(
        "webp",
        source.path,
        source.data,
        exif_orientation(exif),
        Metadata(icc=contents.get(b"ICCP"), exif=exif, xmp=contents.get(b"XMP ")),
    )

    def read(number: int) -> Picture:
        source.budget.take(source.name, size[0] * size[1], 32, len(data), copies=4)
        return Picture(composer.read(number).copy(), "RGBA", container=container)

    durations = tuple(_three(content, 12) / 1000 for content in held)
    return Document(container, Pages(len(held), read), "frame", durations)


def rewrite_frames(document: Document, size: tuple[int, int], repaired: Iterable[Repaired]) -> Encoded:
    """The file with frames drawn anew, without loss, where they look different; all others as they were."""
    name = str(document.container.path or "WebP")
    data = document.container.read_bytes()
    chunks = read_chunks(io.BytesIO(data), name)
    held = [content for kind, content in chunks if kind == b"ANMF"]
    first: list[Picture] = []

    def noted() -> Iterator[Repaired]:
        for one in repaired:
            if not one.number:
                first.append(one.picture)
            yield one

    def draw(drawing: Drawing) -> tuple[bytes, Canvas]:
        return _frame_bytes(drawing, held[drawing.number]), drawing.target

    made = list(redrawn(_composer(held, size, name), noted(), draw, step=2))
    if not any(made):
        return Encoded(data)
    frames, result, notes = iter(zip(held, made, strict=True)), [], []
    lossy = sum(new is not None and not _is_lossless(old) for old, new in zip(held, made, strict=True))
    if lossy:
        notes.append(f"{lossy} lossy frames were written without loss, so that nothing else in them changes")
    for kind, content in chunks:
        if kind == b"ANMF":
            old, new = next(frames)
            result.append((kind, new or old))
        elif kind == b"C2PA":
            notes.append(TAKEN_OUT)
        elif kind == b"EXIF" and first:
            prefix = content[: len(content) - len(bare_exif(content))]
            result.append((kind, prefix + renewed_exif(bare_exif(content), first[0])))
        elif kind == b"VP8X":
            result.append((kind, bytes([content[0] | ALPHA]) + content[1:]))
        else:
            result.append((kind, bare_xmp(content) if kind == b"XMP " else content))
    return Encoded(webp_bytes(result), tuple(notes))


def _three(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 3], "little")


def _composer(held: list[bytes], size: tuple[int, int], name: str) -> Composer:
    def frames() -> Iterator[Frame]:
        for number, content in enumerate(held):
            called = f"{name}, frame {number + 1}"
            left, top = 2 * _three(content, 0), 2 * _three(content, 3)
            width, height = 1 + _three(content, 6), 1 + _three(content, 9)
            if len(content) < FRAME_HEAD or left + width > size[1] or top + height > size[0]:
                raise DecodeError(f"{called}: a damaged WebP: a frame lies outside the canvas")
            pixels = _decoded(content, (width, height), called)
            flags = content[15]
            disposal: Disposal = "clear" if flags & CLEAR else "keep"
            yield Frame(Box(top, left, top + height, left + width), pixels, not flags & REPLACE, disposal)

    return Composer(size, 4, np.uint8, frames)


def _decoded(content: bytes, size: tuple[int, int], name: str) -> Canvas:
    """(h, w, 4) of one frame, through a still WebP of its chunks."""
    chunks = [chunk for chunk in split_chunks(content[FRAME_HEAD:]) if chunk[0] in PIXELS]
    if any(kind == b"ALPH" for kind, _ in chunks):
        sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
        chunks.insert(0, (b"VP8X", bytes([ALPHA, 0, 0, 0]) + sides))
    with open_frame(WebPImagePlugin.WebPImageFile, webp_bytes(chunks), name, "WebP") as image:
        if image.size != size:
            raise DecodeError(f"{name}: a damaged WebP: its header and its picture differ in size")
        return np.array(load_frame(image, name, "WebP").convert("RGBA"))


def _frame_bytes(drawing: Drawing, old: bytes) -> bytes:
    """An ANMF chunk's content: a lossless frame that replaces its box, shown as long as the old one."""
    box, target = drawing.box, drawing.target
    mode = "RGB" if (target[..., 3] == 255).all() else "RGBA"
    chunks = bitstream(Image.fromarray(np.ascontiguousarray(target[..., : len(mode)])), lossless=True)
    sides = (box.left // 2, box.top // 2, box.width - 1, box.height - 1)
    head = b"".join(side.to_bytes(3, "little") for side in sides) + old[12:15]
    return head + bytes([old[15] | REPLACE]) + b"".join(riff_chunk(*chunk) for chunk in chunks)


def _is_lossless(content: bytes) -> bool:
    return any(kind == b"VP8L" for kind, _ in split_chunks(content[FRAME_HEAD:]))
