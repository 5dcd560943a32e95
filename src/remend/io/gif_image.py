"""One image of a GIF: its descriptor, its palette indices by Pillow's LZW, and what the file says beside it.

The indices are decoded from a carrier file that holds the frame's LZW data alone, so nothing is composed,
matched or reordered on the way.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from remend.errors import DecodeError, FormatError
from remend.io.gif_blocks import Block, Screen, colour_table_bytes, read_screen, walk_blocks
from remend.io.pillow_codec import array_of, load_frame, open_frame
from remend.picture import Metadata

__all__ = [
    "CREDENTIALS",
    "INTERLACED",
    "XMP_START",
    "Frame",
    "coded",
    "grown",
    "indices_of",
    "parsed",
    "read_frame",
    "read_metadata",
    "with_size",
]

XMP_START, XMP_TRAILER = b"\x0bXMP DataXMP", 258
ICC_START = b"\x0bICCRGBG1012"
CREDENTIALS = b"\x0bC2PA_GIF"
INTERLACED, LOCAL = 0x40, 0x80


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: its descriptor, colour table, and the index that is transparent."""

    left: int
    top: int
    width: int
    height: int
    packed: int
    table: bytes
    local: bool
    transparent: int | None


def parsed(data: bytes, name: str) -> tuple[Screen, list[Block]]:
    """The first block, and all others."""
    file = io.BytesIO(data)
    screen = read_screen(file, name)
    return screen, list(walk_blocks(file, name))


def read_frame(data: bytes, screen: Screen, image: Block, transparent: int | None, name: str) -> Frame:
    """The descriptor of ``image``, with the colour table that holds for it."""
    left, top, width, height, packed = struct.unpack_from("<HHHHB", data, image.start + 1)
    local = colour_table_bytes(packed)
    table = data[image.start + 10 : image.start + 10 + local] if local else screen.table
    if not table:
        raise FormatError(f"{name}: a GIF without a colour table: its colours are not in the file")
    if not width or not height:
        raise DecodeError(f"{name}: a damaged GIF: its frame is {width}×{height}")
    return Frame(left, top, width, height, packed, table, bool(local), transparent)


def indices_of(data: bytes, image: Block, frame: Frame, name: str) -> NDArray[np.uint8]:
    """(h, w, 1) indices of the frame, through a carrier with a palette that Pillow takes for no grey."""
    colours = bytes(value for index in range(256) for value in (index, 0, 255 - index))
    carrier = Screen(b"89a", frame.width, frame.height, 0xF7, 0, 0, colours).to_bytes()
    carrier += struct.pack("<BHHHHB", 0x2C, 0, 0, frame.width, frame.height, frame.packed & INTERLACED)
    carrier += data[image.body : image.end] + b";"
    with open_frame(GifImagePlugin.GifImageFile, carrier, name, "GIF") as opened_frame:
        return array_of(load_frame(opened_frame, name, "GIF"))


def grown(table: bytes, palette: NDArray[np.uint8]) -> bytes:
    """``table`` with the palette's colours over it, padded to a power of two."""
    colours = np.ascontiguousarray(palette[:, :3]).tobytes()
    entries = max(len(table), len(colours)) // 3
    size = 3 << max(1, (entries - 1).bit_length())
    return (colours + table[len(colours) :]).ljust(size, b"\0")


def with_size(packed: int, table: bytes) -> int:
    """A packed field that announces ``table``."""
    return (packed & ~7) | LOCAL | ((len(table) // 3 - 1).bit_length() - 1)


def coded(indices: NDArray[np.uint8], *, interlaced: bool) -> bytes:
    """Minimum code size and LZW sub-blocks, made by Pillow."""
    image = Image.frombytes("P", indices.shape[::-1], np.ascontiguousarray(indices).tobytes())
    image.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    file = io.BytesIO()
    image.save(file, "GIF", optimize=False, interlace=int(interlaced))
    data = file.getvalue()
    _, blocks = parsed(data, "GIF")
    written = next(block for block in blocks if block.kind == "image")
    return data[written.body : written.end]


def read_metadata(data: bytes, blocks: list[Block]) -> Metadata:
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
