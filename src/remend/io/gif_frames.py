"""The frames of an animated GIF: read as they are composed, and written anew where a repair shows."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from remend.document import Document, Pages, Repaired
from remend.errors import DecodeError, FormatError
from remend.io.animation import Canvas, Composer, Disposal, Drawing, Frame, redrawn
from remend.io.codec import Encoded, Source
from remend.io.gif_blocks import Block, Screen
from remend.io.gif_image import (
    CREDENTIALS,
    coded,
    grown,
    indices_of,
    parsed,
    read_frame,
    read_metadata,
    with_size,
)
from remend.io.previews import TAKEN_OUT, bare_xmp
from remend.picture import Box, Container, Picture
from remend.samples import collapse_palette

__all__ = ["open_frames", "rewrite_frames"]

DISPOSALS: dict[int, Disposal] = {2: "clear", 3: "restore"}
MOST_COLOURS = 256


@dataclass(frozen=True, slots=True)
class _Place:
    """An image block, and the control block that holds for it."""

    image: Block
    control: Block | None


def open_frames(source: Source, size: tuple[int, int]) -> Document:
    """Every frame of a GIF as RGBA of 8 bits, on a canvas of ``size`` (height, width)."""
    data = source.read_bytes()
    screen, blocks = parsed(data, source.name)
    places = _places(blocks)
    composer = _composer(data, screen, places, size, source.name)
    metadata = read_metadata(data, blocks)
    container = Container("gif", source.path, source.data, metadata=metadata)

    def read(number: int) -> Picture:
        source.budget.take(source.name, size[0] * size[1], 32, len(data), copies=4)
        return Picture(composer.read(number).copy(), "RGBA", container=container)

    durations = tuple(_delay(data, place.control) / 100 for place in places)
    return Document(container, Pages(len(places), read), "frame", durations)


def rewrite_frames(document: Document, size: tuple[int, int], repaired: Iterable[Repaired]) -> Encoded:
    """The file with frames drawn anew where they look different; blocks of all others as they were."""
    name = str(document.container.path or "GIF")
    data = document.container.read_bytes()
    screen, blocks = parsed(data, name)
    places = _places(blocks)
    composer = _composer(data, screen, places, size, name)

    def draw(drawing: Drawing) -> tuple[bytes, Canvas]:
        return _image(drawing, data, places[drawing.number].control)

    new = dict(zip((place.image.start for place in places), redrawn(composer, repaired, draw), strict=True))
    if not any(new.values()):
        return Encoded(data)
    replaced = {place.control.start for place in places if place.control and new[place.image.start]}
    kept = [data[: blocks[0].start]]
    notes: tuple[str, ...] = ()
    for block in blocks:
        made = new.get(block.start)
        if made is not None:
            kept.append(made)
        elif data[block.body : block.body + len(CREDENTIALS)] == CREDENTIALS:
            notes = (TAKEN_OUT,)
        elif block.start not in replaced:
            whole = data[block.start : block.end]
            kept.append(bare_xmp(whole) if block.kind == "application" else whole)
    return Encoded(b"".join((*kept, b"" if kept[-1] == b";" else b";")), notes)


def _places(blocks: list[Block]) -> list[_Place]:
    found, control = [], None
    for block in blocks:
        if block.kind == "control":
            control = block
        elif block.kind == "image":
            found.append(_Place(block, control))
            control = None
    return found


def _control(data: bytes, block: Block | None) -> tuple[int, int, int]:
    """Packed field, delay in hundredths of a second, and transparent index."""
    if block is None or data[block.body] < 4:
        return 0, 0, 0
    packed, delay, index = struct.unpack_from("<BHB", data, block.body + 1)
    return packed, delay, index


def _delay(data: bytes, control: Block | None) -> int:
    return _control(data, control)[1]


def _composer(
    data: bytes, screen: Screen, places: list[_Place], size: tuple[int, int], name: str
) -> Composer:
    def frames() -> Iterator[Frame]:
        for number, place in enumerate(places):
            packed, _, index = _control(data, place.control)
            transparent = index if packed & 1 else None
            frame = read_frame(data, screen, place.image, transparent, f"{name}, frame {number + 1}")
            if frame.width * frame.height > size[0] * size[1]:
                raise DecodeError(f"{name}, frame {number + 1}: a damaged GIF: a frame exceeds the screen")
            indices = indices_of(data, place.image, frame, name)[..., 0]
            table = np.zeros((MOST_COLOURS, 4), np.uint8)
            stored = np.frombuffer(frame.table, np.uint8).reshape(-1, 3)
            table[: len(stored), :3] = stored
            table[:, 3] = 255
            if transparent is not None:
                table[transparent] = 0
            box = Box(frame.top, frame.left, frame.top + frame.height, frame.left + frame.width)
            yield Frame(box, table[indices], True, DISPOSALS.get(packed >> 2 & 7, "keep"))

    return Composer(size, 4, np.uint8, frames)


def _image(drawing: Drawing, data: bytes, control: Block | None) -> tuple[bytes, Canvas]:
    """Control and image blocks of a frame with a colour table of its own; and what is seen of it."""
    target, needed = drawing.target, drawing.needed
    if (target[..., 3][needed] == 0).any():
        raise FormatError(
            f"frame {drawing.number + 1} of a GIF cannot become transparent again: leave --repair-alpha out"
        )
    exact = needed & ~drawing.changed
    colours, inverse = np.unique(target[exact], axis=0, return_inverse=True)
    clear = not needed.all()
    if len(colours) + clear > MOST_COLOURS and target[..., 3].all():
        # What is there already may be drawn once more in its own colours: no entry has to be transparent.
        needed, clear = np.ones_like(needed), False
        exact = ~drawing.changed
        colours, inverse = np.unique(target[exact], axis=0, return_inverse=True)
    if len(colours) + clear > MOST_COLOURS:
        raise FormatError(
            f"frame {drawing.number + 1} shows more than {MOST_COLOURS} colours where it has to be drawn "
            "anew: give --pages all, or save the animation as a WebP or an APNG first"
        )
    palette = np.concatenate((np.zeros((int(clear), 4), np.uint8), colours.astype(np.uint8)))
    indices = np.zeros((*needed.shape, 1), np.uint8)
    indices[exact, 0] = inverse.ravel() + clear
    if (drawing.changed & needed).any():
        first = target[drawing.changed & needed][:1]
        original = Picture(indices, "P", palette if len(palette) else first.copy())
        repaired = Picture(np.ascontiguousarray(target), "RGBA")
        made = collapse_palette(original, repaired, drawing.changed & needed)
        assert made.palette is not None
        indices, palette = made.samples, made.palette
    seen = target.copy()
    seen[needed] = palette[indices[needed, 0]]
    packed, delay, _ = _control(data, control)
    table = grown(b"", palette)
    box = drawing.box
    return b"".join(
        (
            struct.pack("<BBBBHBB", 0x21, 0xF9, 4, packed & ~1 | int(clear), delay, 0, 0),
            struct.pack("<BHHHHB", 0x2C, box.left, box.top, box.width, box.height, with_size(0, table)),
            table,
            coded(indices[..., 0], interlaced=False),
        )
    ), seen
