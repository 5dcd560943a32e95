"""GIF: the first frame, as palette indices; colour tables keep every entry and may get new ones.

The indices are decoded by Pillow from a carrier file that holds the frame's LZW data alone, so
nothing is composed, matched or reordered on the way.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.gif_blocks import Block, Screen, colour_table_bytes, read_screen, walk_blocks
from remend.io.pillow_codec import array_of, load_frame, open_frame
from remend.io.previews import bare_xmp
from remend.io.source_stream import opened
from remend.picture import Bool, Container, Metadata, Picture

__all__ = ["CODEC", "GifCodec"]

XMP_START, XMP_TRAILER = b"\x0bXMP DataXMP", 258
ICC_START = b"\x0bICCRGBG1012"
INTERLACED, LOCAL = 0x40, 0x80
LARGEST = 65535


@dataclass(frozen=True, slots=True)
class Frame:
    """The first frame: its descriptor, and what its graphic control says."""

    left: int
    top: int
    width: int
    height: int
    packed: int
    table: bytes
    local: bool
    transparent: int | None


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
        screen, blocks = _parsed(data, source.name)
        image = next((block for block in blocks if block.kind == "image"), None)
        if image is None:
            raise DecodeError(f"{source.name}: a damaged GIF: it holds no picture")
        frame = _frame(data, screen, blocks, image, source.name)
        height = max(screen.height, frame.top + frame.height)
        width = max(screen.width, frame.left + frame.width)
        source.budget.check_pixels(source.name, width, height)
        source.budget.take(source.name, width * height, 8, len(data), copies=4)
        indices = _indices(data, image, frame, source.name)
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
            metadata=_metadata(data, blocks),
            details={"transparent": frame.transparent},
            notes=(f"first of {frames} frames; it will be written as a still picture",) if frames > 1 else (),
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
        screen, blocks = _parsed(data, name)
        image = next(block for block in blocks if block.kind == "image")
        frame = _frame(data, screen, blocks, image, name)
        table = _grown(frame.table, picture.palette)
        if not frame.local:
            screen = replace(screen, packed=_with_size(screen.packed, table), table=table)
        packed = _with_size(frame.packed, table) if frame.local else frame.packed
        descriptor = struct.pack("<BHHHHB", 0x2C, 0, 0, picture.width, picture.height, packed)
        coded = _coded(picture.samples[:, :, 0], interlaced=bool(frame.packed & INTERLACED))
        kept = [screen.to_bytes()]
        images = 0
        for block in blocks:
            if block.kind == "image":
                images += 1
                if images == 1:
                    kept += [descriptor, table if frame.local else b"", coded]
            elif not (block.kind == "control" and images) and not (block.kind == "other" and images):
                kept.append(bare_xmp(data[block.start : block.end]))
        if kept[-1] != b";":
            kept.append(b";")
        note = "the animation was dropped: only its first frame was repaired and written"
        return Encoded(b"".join(kept), (note,) if images > 1 else ())

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
        table = _grown(b"\0" * 6, palette)
        packed = _with_size(0xF0, table)
        parts = [Screen(b"89a", picture.width, picture.height, packed, 0, 0, table).to_bytes()]
        comment = metadata.text.get("Comment") or next(iter(metadata.text.values()), None)
        if comment:
            encoded = comment.encode()
            pieces = (encoded[at : at + 255] for at in range(0, len(encoded), 255))
            parts += [b"!\xfe", *(bytes([len(piece)]) + piece for piece in pieces), b"\0"]
        if transparent is not None:
            parts.append(bytes([0x21, 0xF9, 4, 1, 0, 0, transparent, 0]))
        parts.append(struct.pack("<BHHHHB", 0x2C, 0, 0, picture.width, picture.height, 0))
        parts += [_coded(indices, interlaced=False), b";"]
        lost = [
            word
            for word, value in (
                ("the profile", metadata.icc),
                ("EXIF", metadata.exif),
                ("XMP", metadata.xmp),
                ("the resolution", metadata.dpi),
                ("further text", len(metadata.text) > 1),
            )
            if value
        ]
        return Encoded(
            b"".join(parts), (f"a GIF has no place for {', '.join(lost)}: left out",) if lost else ()
        )


def _parsed(data: bytes, name: str) -> tuple[Screen, list[Block]]:
    file = io.BytesIO(data)
    screen = read_screen(file, name)
    return screen, list(walk_blocks(file, name))


def _frame(data: bytes, screen: Screen, blocks: list[Block], image: Block, name: str) -> Frame:
    """The descriptor of ``image``, with the colour table and transparency that hold for it."""
    left, top, width, height, packed = struct.unpack_from("<HHHHB", data, image.start + 1)
    local = colour_table_bytes(packed)
    table = data[image.start + 10 : image.start + 10 + local] if local else screen.table
    if not table:
        raise FormatError(f"{name}: a GIF without a colour table: its colours are not in the file")
    if not width or not height:
        raise DecodeError(f"{name}: a damaged GIF: its frame is {width}×{height}")
    transparent = None
    for block in blocks:
        if block.start > image.start:
            break
        if block.kind == "control" and data[block.body] >= 4:
            transparent = data[block.body + 4] if data[block.body + 1] & 1 else None
    return Frame(left, top, width, height, packed, table, bool(local), transparent)


def _indices(data: bytes, image: Block, frame: Frame, name: str) -> NDArray[np.uint8]:
    """(h, w, 1) indices of the frame, through a carrier with a palette that Pillow takes for no grey."""
    colours = bytes(value for index in range(256) for value in (index, 0, 255 - index))
    carrier = Screen(b"89a", frame.width, frame.height, 0xF7, 0, 0, colours).to_bytes()
    carrier += struct.pack("<BHHHHB", 0x2C, 0, 0, frame.width, frame.height, frame.packed & INTERLACED)
    carrier += data[image.body : image.end] + b";"
    with open_frame(GifImagePlugin.GifImageFile, carrier, name, "GIF") as opened_frame:
        return array_of(load_frame(opened_frame, name, "GIF"))


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


def _grown(table: bytes, palette: NDArray[np.uint8]) -> bytes:
    """``table`` with the palette's colours over it, padded to a power of two."""
    colours = np.ascontiguousarray(palette[:, :3]).tobytes()
    entries = max(len(table), len(colours)) // 3
    size = 3 << max(1, (entries - 1).bit_length())
    return (colours + table[len(colours) :]).ljust(size, b"\0")


def _with_size(packed: int, table: bytes) -> int:
    """A packed field that announces ``table``."""
    return (packed & ~7) | LOCAL | ((len(table) // 3 - 1).bit_length() - 1)


def _coded(indices: NDArray[np.uint8], *, interlaced: bool) -> bytes:
    """Minimum code size and LZW sub-blocks, made by Pillow."""
    image = Image.frombytes("P", indices.shape[::-1], np.ascontiguousarray(indices).tobytes())
    image.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    file = io.BytesIO()
    image.save(file, "GIF", optimize=False, interlace=int(interlaced))
    data = file.getvalue()
    _, blocks = _parsed(data, "GIF")
    written = next(block for block in blocks if block.kind == "image")
    return data[written.body : written.end]


def _metadata(data: bytes, blocks: list[Block]) -> Metadata:
    """The comments as one text, XMP, and an ICC profile."""
    comments, xmp, icc = [], None, None
    for block in blocks:
        if block.kind == "comment":
            comments.append(_joined(data, block.body).decode("utf-8", "replace"))
        elif block.kind == "application" and data.startswith(XMP_START, block.body):
            xmp = data[block.body + len(XMP_START) : block.end - XMP_TRAILER]
        elif block.kind == "application" and data.startswith(ICC_START, block.body):
            icc = _joined(data, block.body + len(ICC_START))
    return Metadata(icc=icc, xmp=xmp, text={"Comment": "\n".join(comments)} if comments else {})


def _joined(data: bytes, at: int) -> bytes:
    """The content of sub-blocks."""
    parts = []
    while length := data[at]:
        parts.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return b"".join(parts)


CODEC = GifCodec()
