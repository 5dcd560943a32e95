"""Small files that claim much: sixty of them, by name, for limits to be tried on."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

__all__ = ["bombs"]

Image.MAX_IMAGE_PIXELS = None


def saved(mode: str, size: tuple[int, int], format: str, **options: object) -> bytes:
    """A blank picture, as its library writes it."""
    file = io.BytesIO()
    Image.new(mode, size, 1 if mode == "1" else 0).save(file, format, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, depth: int = 8, colour: int = 2, *extra: bytes, rows: int | None = None
) -> bytes:
    """Blank, row by row, so that none of these takes memory itself."""
    channels = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = bytes(1 + (width * depth * channels + 7) // 8)
    parts = [packer.compress(row) for _ in range(height if rows is None else rows)]
    content = b"".join((*parts, packer.flush()))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(6)) if colour == 3 else b""
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return head + palette + b"".join(extra) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def inflating(kind: bytes, head: bytes) -> bytes:
    """A chunk of a megabyte's size that becomes a gigabyte."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(1024)]
    return chunk(kind, head + b"".join((*parts, packer.flush())))


def gif(width: int, height: int, frames: int = 1) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return head + (b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x4c\1\0") * frames + b";"


def tiff(
    width: int, height: int, *, bits: int = 8, samples: int = 1, compression: int = 1, **more: int
) -> bytes:
    """One strip (or tile) of zeros under whatever is claimed."""
    tags = {256: width, 257: height, 258: bits, 259: compression, 262: 1, 277: samples, 278: height}
    tags |= {int(tag[1:]): value for tag, value in more.items()}
    content = zlib.compress(bytes(1 << 20), 9) if compression == 8 else bytes(64)
    number = len(tags) + 2
    at = 8 + 2 + 12 * number + 4
    offset, length = (324, 325) if 322 in tags else (273, 279)
    tags |= {offset: at, length: len(content) if compression != 1 else 0}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, number) + body + bytes(4) + content


def overlapping(count: int, entries: int) -> bytes:
    """Directories that begin two bytes behind each other."""
    size = 12 * entries
    out = bytearray(b"II*\0" + struct.pack("<I", 8) + bytes(size + 2 * count + 100))
    for index in range(count):
        struct.pack_into("<H", out, 8 + 2 * index, entries)
        at = 8 + 2 * index + 2 + size
        if at + 4 <= len(out):
            struct.pack_into("<I", out, at, 8 + 2 * index + 2)
    return bytes(out)


def scans(mode: str, side: int, count: int) -> bytes:
    data = saved(mode, (side, side), "JPEG", progressive=True)
    last = data.rfind(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def bmp(width: int, height: int, bits: int, compression: int, content: bytes) -> bytes:
    palette = bytes(4 << bits) if bits <= 8 else b""
    at = 54 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", at + len(content), 0, 0, at)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(content), 0, 0, 0, 0)
    return head + info + palette + content


def webp(width: int, height: int, frames: int) -> bytes:
    frame = saved("RGB", (1, 1), "WEBP", lossless=True)[12:]
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + sides + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    one = bytes(12) + b"\1\0\0\0" + frame
    body += (b"ANMF" + struct.pack("<I", len(one)) + one + b"\0" * (len(one) % 2)) * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def bombs() -> dict[str, Callable[[], bytes]]:
    """Makers of sixty files by name, each with its format's ending."""
    sides = (4000, 5000, 8000, 11_000)
    made: dict[str, Callable[[], bytes]] = {}
    for side in sides:
        made |= {
            f"rgb{side}.png": lambda side=side: png(side, side),
            f"bilevel{side}.png": lambda side=side: png(side, side, 1, 0),
            f"palette{side}.png": lambda side=side: png(side, side, 8, 3),
            f"screen{side}.gif": lambda side=side: gif(side, side),
            f"g4-{side}.tif": lambda side=side: saved("1", (side, side), "TIFF", compression="group4"),
            f"sparse{side}.tif": lambda side=side: tiff(side, side, bits=32, t339=3),
            f"grey{side}.jpg": lambda side=side: saved("L", (side, side), "JPEG", quality=1),
            f"rle{side}.bmp": lambda side=side: bmp(side, side, 8, 1, b"\xff\1" * 9 + b"\0\1"),
            f"canvas{side}.webp": lambda side=side: webp(side, side, 3),
        }
    made |= {
        "claims.png": lambda: png(65_535, 65_535, rows=1),
        "long.png": lambda: png(20_000, 4),
        "line.png": lambda: png(100_000, 1),
        "column.png": lambda: png(1, 100_000),
        "wide16.png": lambda: png(5000, 5000, 16, 6),
        "text.png": lambda: png(8, 8, 8, 2, inflating(b"zTXt", b"Title\0\0")),
        "profile.png": lambda: png(8, 8, 8, 2, inflating(b"iCCP", b"a\0\0")),
        "xmp.png": lambda: png(8, 8, 8, 2, inflating(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0")),
        "chunks.png": lambda: png(8, 8, 8, 2, *[chunk(b"teSt", b"")] * 200_000),
        "frames.gif": lambda: gif(2000, 2000, 50_000),
        "claims.gif": lambda: gif(65_535, 65_535),
        "tile.tif": lambda: tiff(16, 16, compression=8, t322=16_384, t323=65_536),
        "samples.tif": lambda: tiff(10_000, 10_000, samples=64),
        "strips.tif": lambda: tiff(1, 4_000_000, t278=1),
        "overlap100.tif": lambda: overlapping(100, 60_000),
        "overlap4000.tif": lambda: overlapping(4000, 600),
        "deflate.tif": lambda: tiff(9000, 9000, compression=8),
        "scans25.jpg": lambda: scans("L", 4000, 25),
        "scans60.jpg": lambda: scans("RGB", 4000, 60),
        "scans400.jpg": lambda: scans("RGB", 2000, 400),
        "cmyk.jpg": lambda: saved("CMYK", (5000, 5000), "JPEG", quality=1),
        "lossless.webp": lambda: saved("RGB", (9000, 9000), "WEBP", lossless=True, method=0),
        "blank.avif": lambda: saved("L", (8000, 8000), "AVIF", speed=10),
        "runs.bmp": lambda: bmp(4000, 4000, 8, 1, b"\1\0" * 2_000_000 + b"\0\1"),
    }
    return made
