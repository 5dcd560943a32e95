"""The frames of an APNG: read as they are composed, and drawn anew where a repair shows.

Reference: W3C, "Portable Network Graphics (PNG) Specification, Third Edition", 2025, §11.3.3 and §13.10.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from remend.document import Document, Pages, Repaired
from remend.errors import DecodeError
from remend.io.animation import Canvas, Composer, Disposal, Drawing, Frame, redrawn
from remend.io.codec import Encoded, Source
from remend.io.exif_tag import exif_orientation
from remend.io.png.chunks import (
    SIGNATURE,
    Chunk,
    ImageHeader,
    chunk_bytes,
    colour_key,
    find,
    palette_chunks,
    read_header,
    read_palette,
    split_chunks,
)
from remend.io.png.metadata import read_metadata
from remend.io.png.previews import carried, may_stay, unsafe_notes
from remend.io.png.raster import decode_raster, encode_raster
from remend.picture import Box, Container, Picture
from remend.samples import collapse_palette

__all__ = ["open_frames", "rewrite_frames"]

DISPOSALS: dict[int, Disposal] = {1: "clear", 2: "restore"}
CONTROL = struct.Struct(">IIIIIHHBB")  # fcTL
WHOLE_CONTROL = CONTROL.size + 12
SEQUENCE = 4  # bytes of the number that fcTL and fdAT begin with


@dataclass(frozen=True, slots=True)
class _Held:
    """A frame's control chunk, its fields, and the chunks of its data."""

    control: Chunk
    fields: tuple[int, ...]
    data: list[Chunk] = field(default_factory=list)

    @property
    def box(self) -> Box:
        _, width, height, left, top, *_ = self.fields
        return Box(top, left, top + height, left + width)

    @property
    def seconds(self) -> float:
        above, below = self.fields[5:7]
        return above / (below or 100)


@dataclass(slots=True)
class _Animation:
    """An APNG taken apart. ``palette`` grows where repaired frames need new colours."""

    data: bytes
    name: str
    chunks: list[Chunk]
    image: ImageHeader
    frames: list[_Held]
    palette: NDArray[np.uint8] | None
    key: tuple[int, ...] | None

    @property
    def grey(self) -> bool:
        """Whether its frames are grey and alpha, not colours and alpha."""
        return self.image.colour in (0, 4)

    def composer(self) -> Composer:
        dtype = np.uint16 if self.image.depth == 16 else np.uint8
        size = self.image.height, self.image.width
        return Composer(size, 2 if self.grey else 4, dtype, self.read)

    def read(self) -> Iterator[Frame]:
        """Every frame as the file holds it."""
        for number, (held, samples) in enumerate(self.decoded()):
            disposal = DISPOSALS.get(held.fields[7], "keep")
            if number == 0 and disposal == "restore":  # there is nothing before it
                disposal = "clear"
            yield Frame(held.box, self.seen(samples), held.fields[8] == 1, disposal)

    def decoded(self) -> Iterator[tuple[_Held, Canvas]]:
        """Every frame with its samples as stored."""
        view = memoryview(self.data)
        for number, held in enumerate(self.frames):
            called, box = f"{self.name}, frame {number + 1}", held.box
            if box.bottom > self.image.height or box.right > self.image.width or not box.area:
                raise DecodeError(f"{called}: a damaged PNG: a frame lies outside the picture")
            header = replace(self.image, width=box.width, height=box.height)
            parts = [view[one.content][_skipped(one) :] for one in held.data]
            yield held, decode_raster(header, parts, called)

    def complete_palette(self) -> None:
        """Add the entries that pixels name and the palette lacks, black: new ones go behind them."""
        if self.palette is not None:
            used = max(int(samples.max()) for _, samples in self.decoded()) + 1
            lacking = np.zeros((max(0, used - len(self.palette)), 4), np.uint8)
            lacking[:, 3] = 255
            self.palette = np.concatenate((self.palette, lacking))

    def seen(self, samples: Canvas) -> Canvas:
        """(h, w, 2 or 4) of stored samples: with alpha, a palette's colours in place of its indices."""
        if self.palette is not None:
            table = np.zeros((256, 4), np.uint8)
            table[:, 3] = 255
            table[: len(self.palette)] = self.palette
            return table[samples[..., 0]]
        if self.image.colour in (4, 6):
            return samples
        full = np.iinfo(samples.dtype).max
        alpha = np.full((*samples.shape[:2], 1), full, samples.dtype)
        if self.key is not None:
            alpha[(samples == np.array(self.key)).all(axis=2)] = 0
        return np.concatenate((samples, alpha), axis=2)

    def draw(self, drawing: Drawing) -> tuple[bytes, Canvas]:
        """The chunks of a frame's control and data, numbers left at 0; and what is seen of it."""
        held, box = self.frames[drawing.number], drawing.box
        stored = self.stored(drawing)
        fields = (0, box.width, box.height, box.left, box.top, *held.fields[5:8], 0)
        header = replace(self.image, width=box.width, height=box.height)
        made = chunk_bytes(b"fcTL", CONTROL.pack(*fields)) + encode_raster(stored, header)
        return made, self.seen(stored)

    def stored(self, drawing: Drawing) -> Canvas:
        """The target in the file's kind of samples."""
        target = drawing.target
        if self.palette is not None:
            return self.indices(target)
        if self.image.colour in (4, 6):
            return target
        samples = np.ascontiguousarray(target[..., :-1])
        if self.image.depth < 8:
            largest = (1 << self.image.depth) - 1
            levels = (samples.astype(np.uint16) * largest + 127) // 255
            samples = (levels * (255 // largest)).astype(np.uint8)
        if self.key is not None:
            clear = target[..., -1] == 0
            hits = (samples == np.array(self.key)).all(axis=2) & ~clear & drawing.changed
            step = 255 // ((1 << self.image.depth) - 1) if self.image.depth < 8 else 1
            samples[hits, -1] += -step if self.key[-1] >= step else step
            samples[clear] = self.key
        return samples

    def indices(self, target: Canvas) -> Canvas:
        """Entries of the palette, which gets new ones where there is room."""
        assert self.palette is not None
        # All frames share the depth: where it is less than 8 bits, fewer entries are free than 256 leave.
        barred = min(256 - (1 << self.image.depth), 256 - len(self.palette))
        spare = np.repeat(self.palette[:1], barred, axis=0)
        palette = np.concatenate((self.palette, spare))
        blank = Picture(np.zeros((*target.shape[:2], 1), np.uint8), "P", palette)
        colours = np.ascontiguousarray(target)
        made = collapse_palette(blank, Picture(colours, "RGBA"), np.ones(target.shape[:2], bool))
        assert made.palette is not None
        samples = made.samples
        samples[samples >= len(palette)] -= np.uint8(barred)
        self.palette = np.concatenate((self.palette, made.palette[len(palette) :]))
        return samples


def open_frames(source: Source) -> Document:
    """Every frame of an APNG: LA or RGBA of the file's own depth."""
    data = source.read_bytes()
    animation = _taken_apart(data, source.name)
    composer, image = animation.composer(), animation.image
    metadata = read_metadata(data, animation.chunks)
    container = Container("png", source.path, source.data, exif_orientation(metadata.exif), metadata)
    bits = composer.blank.itemsize * 8 * composer.blank.shape[2]

    def read(number: int) -> Picture:
        source.budget.take(source.name, image.width * image.height, bits, len(data), copies=4)
        return Picture(composer.read(number).copy(), "LA" if animation.grey else "RGBA", container=container)

    durations = tuple(held.seconds for held in animation.frames)
    return Document(container, Pages(len(animation.frames), read), "frame", durations)


def rewrite_frames(document: Document, repaired: Iterable[Repaired]) -> Encoded:
    """The file with frames drawn anew where they look different."""
    data = document.container.read_bytes()
    animation = _taken_apart(data, str(document.container.path or "PNG"))
    animation.complete_palette()
    first: list[Picture] = []

    def noted() -> Iterator[Repaired]:
        for one in repaired:
            if not one.number:
                first.append(one.picture)
            yield one

    shown_still = bool(animation.frames[0].data) and animation.frames[0].data[0].type == b"IDAT"
    made = list(redrawn(animation.composer(), noted(), animation.draw, whole_first=shown_still))
    if not any(made):
        return Encoded(data)
    unsafe = {chunk.type for chunk in animation.chunks if not may_stay(chunk.type)}
    notes = unsafe_notes(unsafe)
    if not shown_still:
        notes += ("the still picture beside the frames is kept as it is: it is none of them",)
    new: dict[int, bytes] = {}
    for held, one in zip(animation.frames, made, strict=True):
        if one is not None:
            new |= {chunk.start: b"" for chunk in held.data}
            new |= {held.control.start: one[:WHOLE_CONTROL], held.data[0].start: one[WHOLE_CONTROL:]}
    parts, number = [SIGNATURE], 0
    for chunk in animation.chunks:
        if chunk.type in unsafe:
            continue
        for kind, content in _replaced(animation, chunk, new.get(chunk.start), first):
            if kind == b"IDAT" and number and not (shown_still and number == 1):
                kind, content = b"fdAT", bytes(SEQUENCE) + content
            if kind in (b"fcTL", b"fdAT"):
                content, number = struct.pack(">I", number) + content[SEQUENCE:], number + 1
            parts.append(chunk_bytes(kind, content))
    parts.append(data[animation.chunks[-1].whole.stop :])
    return Encoded(b"".join(parts), notes)


def _replaced(
    animation: _Animation, chunk: Chunk, frame: bytes | None, first: list[Picture]
) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of what stands in a chunk's place."""
    if frame is not None:
        yield from _chunks_of(frame)
        return
    if animation.palette is not None and chunk.type in (b"PLTE", b"tRNS"):
        colours, alpha = palette_chunks(animation.palette)
        yield chunk.type, colours if chunk.type == b"PLTE" else alpha
        if chunk.type == b"PLTE" and alpha and not find(animation.chunks, b"tRNS"):
            yield b"tRNS", alpha
        return
    if animation.palette is not None and chunk.type == b"hIST" and chunk.length != 2 * len(animation.palette):
        return  # of the old palette
    whole = carried(animation.data, chunk, first[0] if first else None)
    yield from _chunks_of(whole)


def _chunks_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of whole chunks."""
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _taken_apart(data: bytes, name: str) -> _Animation:
    """The frames of an APNG, with what they share.

    Raises:
        DecodeError: it has none, or one without data, or whose control is of another size; IDAT stands behind
            frames.
    """
    chunks, _ = split_chunks(data, name)
    image = read_header(data[chunks[0].content], name)
    frames: list[_Held] = []
    for chunk in chunks:
        if chunk.type == b"fcTL":
            if chunk.length != CONTROL.size:
                raise DecodeError(f"{name}: a damaged PNG: the control of a frame has {chunk.length} bytes")
            frames.append(_Held(chunk, CONTROL.unpack(data[chunk.content])))
        elif chunk.type in (b"fdAT", b"IDAT") and frames:
            if chunk.type == b"IDAT" and (len(frames) > 1 or any(c.type == b"fdAT" for c in frames[0].data)):
                raise DecodeError(f"{name}: a damaged PNG: the still picture stands behind frames")
            frames[-1].data.append(chunk)
    if not frames or not all(held.data for held in frames):
        raise DecodeError(f"{name}: a damaged PNG: its animation has a frame without data")
    plte, trns = (find(chunks, kind) for kind in (b"PLTE", b"tRNS"))
    colours, alpha = (data[one.content] if one else b"" for one in (plte, trns))
    palette = read_palette(colours, alpha, name) if image.colour == 3 else None
    return _Animation(data, name, chunks, image, frames, palette, colour_key(alpha, image))


def _skipped(chunk: Chunk) -> int:
    """Bytes of a data chunk before its data."""
    return SEQUENCE if chunk.type == b"fdAT" else 0
