"""GIF: the first frame, as palette indices; colour tables keep every entry and may get new ones.

Of an animation each frame can be repaired, too: `remend.io.gif_frames`.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from remend.document import Document, Repaired
from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.gif_blocks import Block, read_screen, walk_blocks
from remend.io.gif_frames import open_frames, rewrite_frames
from remend.io.gif_image import (
    CREDENTIALS,
    INTERLACED,
    Frame,
    coded,
    grown,
    indices_of,
    parsed,
    read_frame,
    read_metadata,
    with_size,
)
from remend.io.pillow_codec import left_out
from remend.io.previews import TAKEN_OUT, bare_xmp
from remend.io.source_stream import opened
from remend.picture import Bool, Container, Metadata, Picture

__all__ = ["CODEC", "GifCodec"]

LARGEST = 65535


class GifCodec:
    """GIF 87a and 89a, first frame. ``details``: ``transparent``, the index that is, or None."""

    format = "gif"
    suffixes: tuple[str, ...] = (".gif",)
    lossless = True
    bands = False

    def recognises(self, head: bytes) -> bool:
        """By the signature."""
        return head[:6] in (b"GIF87a", b"GIF89a")

    def header(self, source: Source) -> Header:
        """From the screen descriptor; frames are counted without decoding them."""
        with opened(source) as file:
            screen = read_screen(file, source.name)
            frames = 0
            width, height = screen.width, screen.height
            for block in walk_blocks(file, source.name):
                if block.kind == "image" and not frames:
                    here = file.tell()
                    file.seek(block.start + 1)
                    frame = struct.unpack("<HHHH", file.read(8))
                    file.seek(here)
                    width, height = max(width, frame[0] + frame[2]), max(height, frame[1] + frame[3])
                frames += block.kind == "image"
        if not frames or not width or not height:
            raise DecodeError(f"{source.name}: a damaged GIF: it holds no picture")
        return Header(width, height, 1, frames)

    def decode(self, source: Source) -> Picture:
        """Mode P, the whole screen; what the frame leaves free is transparent or background."""
        data = source.read_bytes()
        screen, blocks = parsed(data, source.name)
        image = next((block for block in blocks if block.kind == "image"), None)
        if image is None:
            raise DecodeError(f"{source.name}: a damaged GIF: it holds no picture")
        frame = read_frame(data, screen, image, _transparent(data, blocks, image), source.name)
        height = max(screen.height, frame.top + frame.height)
        width = max(screen.width, frame.left + frame.width)
        source.budget.check_pixels(source.name, width, height)
        source.budget.take(source.name, width * height, 8, len(data), copies=4)
        indices = indices_of(data, image, frame, source.name)
        canvas = indices
        if (height, width) != indices.shape[:2]:
            outside = screen.background if frame.transparent is None else frame.transparent
            canvas = np.full((height, width, 1), outside, np.uint8)
            canvas[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width] = indices
        frames = sum(block.kind == "image" for block in blocks)
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            metadata=read_metadata(data, blocks),
            details={"transparent": frame.transparent},
            notes=(
                f"first of {frames} frames; it will be written as a still picture: "
                "--pages all repairs and keeps them all",
            )
            if frames > 1
            else (),
        )
        return Picture(canvas, "P", _palette(frame, int(canvas.max())), container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """New image data; new entries go where the table was free. Further frames are dropped."""
        assert picture.container is not None
        assert picture.palette is not None
        data = picture.container.read_bytes()
        if not changed.any():
            return Encoded(data)
        name = str(picture.container.path or "GIF")
        if max(picture.size) > LARGEST:
            raise FormatError(f"{name}: a GIF cannot be larger than {LARGEST} pixels a side: write a PNG")
        screen, blocks = parsed(data, name)
        image = next(block for block in blocks if block.kind == "image")
        frame = read_frame(data, screen, image, _transparent(data, blocks, image), name)
        table = grown(frame.table, picture.palette)
        if not frame.local:
            screen = replace(screen, packed=with_size(screen.packed, table), table=table)
        packed = with_size(frame.packed, table) if frame.local else frame.packed
        descriptor = struct.pack("<BHHHHB", 0x2C, 0, 0, picture.width, picture.height, packed)
        payload = coded(picture.samples[:, :, 0], interlaced=bool(frame.packed & INTERLACED))
        kept = [screen.to_bytes()]
        images = 0
        notes: tuple[str, ...] = ()
        for block in blocks:
            if block.kind == "image":
                images += 1
                if images == 1:
                    kept += [descriptor, table if frame.local else b"", payload]
            elif data[block.body : block.body + len(CREDENTIALS)] == CREDENTIALS:
                notes = (TAKEN_OUT,)
            elif not (block.kind == "control" and images) and not (block.kind == "other" and images):
                kept.append(bare_xmp(data[block.start : block.end]))
        if kept[-1] != b";":
            kept.append(b";")
        if images > 1:
            notes += ("the animation was dropped: only its first frame was repaired and written",)
        return Encoded(b"".join(kept), notes)

    def open(self, source: Source) -> Document:
        """Every frame, as it is composed on the screen: RGBA."""
        header = self.header(source)
        return open_frames(source, (header.height, header.width))

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """Frames that look different get a new image with a colour table of its own, all others stay."""
        container = document.container
        header = self.header(Source(str(container.path or "GIF"), data=container.read_bytes()))
        return rewrite_frames(document, (header.height, header.width), repaired)

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """Mode P with at most one transparent colour, or L; with the first text entry as the comment."""
        if picture.samples.dtype != np.uint8 or picture.mode not in ("P", "L"):
            raise FormatError(
                f"a GIF cannot hold {picture.mode} of {picture.samples.dtype}, only 256 colours: write a PNG"
            )
        if max(picture.size) > LARGEST:
            raise FormatError(f"a GIF cannot be larger than {LARGEST} pixels a side: write a PNG")
        indices, palette, transparent = picture.samples[:, :, 0], picture.palette, None
        if palette is None:
            palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
        else:
            clear = np.flatnonzero(palette[:, 3] == 0)
            if ((palette[:, 3] != 255) & (palette[:, 3] != 0)).any():
                raise FormatError(
                    "a GIF pixel is transparent or it is not: write a PNG to keep half-transparent ones"
                )
            if clear.size:
                transparent = int(clear[0])
                indices = np.where(np.isin(indices, clear), np.uint8(transparent), indices)
        image = Image.frombytes("P", indices.shape[::-1], np.ascontiguousarray(indices).tobytes())
        image.putpalette(np.ascontiguousarray(palette[:, :3]).tobytes())
        options: dict[str, Any] = {} if transparent is None else {"transparency": transparent}
        comment = metadata.text.get("Comment") or next(iter(metadata.text.values()), None)
        if comment:
            options["comment"] = comment
        file = io.BytesIO()
        image.save(file, "GIF", optimize=False, interlace=0, **options)
        kept = ("text",) if len(metadata.text) == 1 else ()
        return Encoded(file.getvalue(), left_out("GIF", metadata, kept))


def _palette(frame: Frame, largest: int) -> NDArray[np.uint8]:
    """(N, 4) RGBA up to the last entry in use, so that the rest of the table is free."""
    used = max(largest, -1 if frame.transparent is None else frame.transparent) + 1
    palette = np.zeros((used, 4), np.uint8)
    colours = np.frombuffer(frame.table, np.uint8).reshape(-1, 3)[:used]
    palette[: len(colours), :3] = colours
    palette[:, 3] = 255
    if frame.transparent is not None:
        palette[frame.transparent, 3] = 0
    return palette


def _transparent(data: bytes, blocks: list[Block], image: Block) -> int | None:
    """The index that is, by the last graphic control before ``image``."""
    transparent = None
    for block in blocks:
        if block.start > image.start:
            break
        if block.kind == "control" and data[block.body] >= 4:
            transparent = data[block.body + 4] if data[block.body + 1] & 1 else None
    return transparent


CODEC = GifCodec()
