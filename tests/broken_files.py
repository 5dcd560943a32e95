"""Files that are broken where parsers look: tags, lengths, offsets and fields, with right checksums.

Files changed blindly mostly fail at the first checksum. These know their format: a seed picks a sound file of
our own making and changes a few of its structural fields to values that hurt (0, 1, the largest, the file's
length, something near), or drops, doubles or swaps whole pieces.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

__all__ = ["FORMATS", "broken", "sound"]

FORMATS = ("jpeg", "png", "tiff", "webp", "bmp", "gif")
EXIF = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHII", 8, 1, 0x0112, 3, 1, 1, 0, 0, 0)


def picture(mode: str, size: tuple[int, int] = (40, 33)) -> Image.Image:
    width, height = size
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 6, y * 7, (x * y) % 256], axis=2).astype(np.uint8)
    image = Image.fromarray(rgb)
    return image.quantize(16) if mode == "P" else image.convert(mode)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@cache
def sound(format: str) -> tuple[bytes, ...]:
    """A few files of a format, as libraries write them."""
    if format == "jpeg":
        return (
            saved(picture("RGB"), "JPEG", exif=EXIF),
            saved(picture("RGB"), "JPEG", progressive=True),
            saved(picture("L"), "JPEG", quality=40),
            saved(picture("CMYK"), "JPEG"),
        )
    if format == "png":
        modes = ("RGB", "L", "P", "RGBA", "LA", "1")
        animated = saved(picture("RGB"), "PNG", save_all=True, append_images=[picture("RGB")])
        return (*(saved(picture(mode), "PNG", dpi=(72, 72)) for mode in modes), animated)
    if format == "tiff":
        kinds = ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg")
        return (
            *(saved(picture("RGB"), "TIFF", compression=kind) for kind in kinds),
            saved(picture("P"), "TIFF"),
            saved(picture("1"), "TIFF", compression="group4"),
            saved(picture("RGB"), "TIFF", save_all=True, append_images=[picture("L", (20, 16))]),
        )
    if format == "webp":
        return (
            saved(picture("RGB"), "WEBP", lossless=True, exif=EXIF),
            saved(picture("RGBA"), "WEBP"),
            saved(picture("RGB"), "WEBP", save_all=True, append_images=[picture("L")]),
        )
    if format == "bmp":
        return (*(saved(picture(mode), "BMP") for mode in ("RGB", "L", "P", "1", "RGBA")), rle_bmp())
    return (
        saved(picture("P"), "GIF"),
        saved(picture("P"), "GIF", save_all=True, append_images=[picture("L")], loop=0),
    )


def rle_bmp() -> bytes:
    rows = b"".join(bytes([40, row % 16]) + b"\0\0" for row in range(33)) + b"\0\1"
    palette = b"".join(bytes([i * 16, 255 - i * 16, i, 0]) for i in range(16))
    at = 54 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", at + len(rows), 0, 0, at)
    return head + struct.pack("<IiiHHIIiiII", 40, 40, 33, 1, 8, 1, len(rows), 0, 0, 16, 0) + palette + rows


def broken(format: str, seed: int) -> bytes:
    """A broken file; the same seed gives the same bytes."""
    draw = random.Random(f"{format} {seed}")
    data = draw.choice(sound(format))
    return MUTATE[format](data, draw)


def hurtful(draw: random.Random, value: int, bits: int, length: int) -> int:
    """Another value for a field of ``bits``."""
    largest = (1 << bits) - 1
    near = value + draw.choice((-1, 1, -2, 2, 8, 256))
    choices = (0, 1, 2, largest, largest >> 1, (largest >> 1) + 1, length, length - 1, near, value * 2)
    return draw.choice((*choices, draw.randrange(largest + 1), draw.randrange(64))) & largest


def poke(data: bytearray, at: int, size: int, order: str, draw: random.Random) -> None:
    """One field of a file changed."""
    if at + size <= len(data):
        old = int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]
        new = hurtful(draw, old, 8 * size, len(data))
        data[at : at + size] = new.to_bytes(size, order)  # type: ignore[arg-type]


def shuffled(pieces: list[bytes], draw: random.Random) -> list[bytes]:
    """Whole pieces dropped, doubled, swapped or cut short."""
    if len(pieces) < 2:
        return pieces
    one, other = draw.randrange(len(pieces)), draw.randrange(len(pieces))
    kind = draw.randrange(4)
    if kind == 0:
        del pieces[one]
    elif kind == 1:
        pieces.insert(other, pieces[one])
    elif kind == 2:
        pieces[one], pieces[other] = pieces[other], pieces[one]
    else:
        pieces[one] = pieces[one][: draw.randrange(len(pieces[one]) + 1)]
    return pieces


def mutate_png(data: bytes, draw: random.Random) -> bytes:
    """Contents changed under right checksums, or chunks moved about."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], bytearray(data[at + 8 : at + 8 + length])))
        at += length + 12
    for _ in range(draw.randrange(1, 4)):
        kind, content = draw.choice(chunks)
        if kind == b"IHDR":
            offset, size = draw.choice(((0, 4), (4, 4), (8, 1), (9, 1), (12, 1)))
            poke(content, offset, size, "big", draw)
        elif kind in (b"IDAT", b"fdAT") and draw.random() < 0.5 and content:
            try:
                raw = bytearray(zlib.decompress(content[4 * (kind == b"fdAT") :]))
            except zlib.error:
                continue
            poke(raw, draw.randrange(len(raw)), 1, "big", draw)
            raw = raw[: draw.randrange(len(raw))] if draw.random() < 0.3 else raw
            content[4 * (kind == b"fdAT") :] = zlib.compress(bytes(raw))
        elif content:
            poke(content, draw.randrange(len(content)), draw.choice((1, 2, 4)), "big", draw)
            if draw.random() < 0.2:
                del content[draw.randrange(len(content)) :]
    if draw.random() < 0.2:
        kind = bytes(draw.choice(b"abcdABCD") for _ in range(4))
        chunks.insert(draw.randrange(len(chunks) + 1), (kind, bytearray(draw.randbytes(9))))
    whole = [
        struct.pack(">I", len(body)) + kind + bytes(body) + struct.pack(">I", zlib.crc32(kind + bytes(body)))
        for kind, body in chunks
    ]
    whole = shuffled(whole, draw) if draw.random() < 0.3 else whole
    return data[:8] + b"".join(whole)


def mutate_tiff(data: bytes, draw: random.Random) -> bytes:
    """Tags, types, counts, values and links of the directories."""
    made = bytearray(data)
    places = []
    at = int.from_bytes(made[4:8], "little")
    while at and at + 2 <= len(made) and len(places) < 99:
        count = int.from_bytes(made[at : at + 2], "little")
        entries = [at + 2 + 12 * index for index in range(count)]
        for entry in entries:
            places += [(entry + 8, 4)] * 4 + [(entry + 4, 4), (entry + 2, 2), (entry, 2)]
        places += [(at, 2), (at + 2 + 12 * count, 4)]
        at = int.from_bytes(made[at + 2 + 12 * count : at + 6 + 12 * count], "little")
    for _ in range(draw.randrange(1, 4)):
        offset, size = draw.choice(places)
        poke(made, offset, size, "little", draw)
        if draw.random() < 0.2:  # what a value's offset leads to
            inside = int.from_bytes(made[offset : offset + 4], "little")
            poke(made, inside, draw.choice((2, 4)), "little", draw)
    return bytes(made)


def mutate_riff(data: bytes, draw: random.Random) -> bytes:
    """Chunk lengths and contents; VP8X flags and sizes; frames."""
    chunks, at = [], 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append(bytearray(data[at : at + 8 + length + length % 2]))
        at += 8 + length + length % 2
    for _ in range(draw.randrange(1, 4)):
        chunk = draw.choice(chunks)
        offset = draw.choice((4, 8, 9, 12, 15, 16, 20, draw.randrange(len(chunk))))
        poke(chunk, offset, draw.choice((1, 2, 3, 4)), "little", draw)
    pieces = [bytes(chunk) for chunk in chunks]
    body = b"".join(shuffled(pieces, draw) if draw.random() < 0.3 else pieces)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def mutate_jpeg(data: bytes, draw: random.Random) -> bytes:
    """Segments: lengths, tables, frame and scan headers; pieces moved about."""
    segments, at = [], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append(bytearray(data[at:end]))
        at = end
    scan = bytearray(data[at:])
    for _ in range(draw.randrange(1, 4)):
        segment = draw.choice((*segments, scan))
        offset = (
            draw.randrange(min(len(segment), 24)) if draw.random() < 0.7 else draw.randrange(len(segment))
        )
        poke(segment, offset, draw.choice((1, 1, 2)), "big", draw)
    pieces = [bytes(segment) for segment in segments]
    pieces = shuffled(pieces, draw) if draw.random() < 0.3 else pieces
    tail = bytes(scan)
    if draw.random() < 0.2:
        tail = tail[: draw.randrange(len(tail))]
    return data[:2] + b"".join(pieces) + tail


def mutate_bmp(data: bytes, draw: random.Random) -> bytes:
    """The fields of both headers, the palette, run lengths."""
    made = bytearray(data)
    fields = (
        (2, 4),
        (10, 4),
        (14, 4),
        (18, 4),
        (22, 4),
        (28, 2),
        (30, 4),
        (34, 4),
        (38, 4),
        (46, 4),
        (54, 4),
    )
    for _ in range(draw.randrange(1, 4)):
        place = draw.choice((*fields, (draw.randrange(14, len(made)), 1)))
        poke(made, *place, "little", draw)
    return bytes(made[: draw.randrange(len(made))]) if draw.random() < 0.1 else bytes(made)


def mutate_gif(data: bytes, draw: random.Random) -> bytes:
    """Screen and frame descriptors, colour table sizes, code size, sub-block lengths."""
    made = bytearray(data)
    frame = made.find(b",", 13)
    fields = [(6, 2), (8, 2), (10, 1), (11, 1)] + [(frame + offset, 2) for offset in (1, 3, 5, 7)]
    fields += [(frame + 9, 1), (frame + 10, 1), (frame + 11, 1)]
    for _ in range(draw.randrange(1, 4)):
        place = draw.choice((*fields, (draw.randrange(13, len(made)), 1)))
        poke(made, *place, "little", draw)
    return bytes(made[: draw.randrange(len(made))]) if draw.random() < 0.1 else bytes(made)


MUTATE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "jpeg": mutate_jpeg,
    "png": mutate_png,
    "tiff": mutate_tiff,
    "webp": mutate_riff,
    "bmp": mutate_bmp,
    "gif": mutate_gif,
}
