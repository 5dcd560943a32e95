"""One strip or tile of a TIFF: coded bytes to samples, and back.

Bits, planes, byte order and predictors are undone here; deflate is Python's; LZW, PackBits, CCITT,
LZMA and Zstandard are libtiff's, through Pillow, which sees a carrier: an 8-bit grey (for CCITT
bilevel) TIFF of one strip whose rows are the rows' bytes. So libtiff never needs to know what the
samples mean, and every layout goes the same way.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, TiffImagePlugin

from remend.errors import DecodeError
from remend.io.tiff.directory import pages, read_structure
from remend.io.tiff.layout import COMPRESSIONS, Layout

__all__ = ["ENCODABLE", "decode_chunk", "decode_chunks", "encode_chunk", "jpeg_can_be_replaced"]

Array = NDArray[Any]

PILLOW_NAMES = {4: "group4", 5: "tiff_lzw", 32773: "packbits", 34925: "lzma", 50000: "zstd"}
WITHOUT_LIBTIFF = (1, 7, 8, 32946)
ENCODABLE = frozenset({1, 7, 8, 32946, *PILLOW_NAMES})
REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1)[:, 0]


def decode_chunks(
    coded: Sequence[bytes | memoryview], layout: Layout, rows: int, columns: int, name: str
) -> Iterator[Array]:
    """`decode_chunk` for several strips or tiles of one size, at less cost where libtiff decodes them."""
    if layout.compression in WITHOUT_LIBTIFF or layout.reversed_bits or len(coded) == 1:
        for one in coded:
            yield decode_chunk(one, layout, rows, columns, name)
        return
    wanted = layout.row_bytes(columns) * rows
    raw = _decode_with_libtiff(coded, layout, rows, columns, name)
    _check_length(len(raw), wanted * len(coded), name)
    for number in range(len(coded)):
        part = np.frombuffer(raw, np.uint8, wanted, number * wanted)
        yield _unpacked(part.reshape(rows, -1), layout, columns)


def decode_chunk(coded: bytes | memoryview, layout: Layout, rows: int, columns: int, name: str) -> Array:
    """(rows, columns, samples) of a strip or tile as stored, in the type that the layout tells.

    Samples of fewer than 8 bits come as their values, 0 … 2^bits - 1.

    Raises:
        DecodeError: the data are damaged or end early.
    """
    if layout.compression == 7:
        return _decode_jpeg(coded, layout, rows, columns, name)
    if layout.reversed_bits:
        coded = REVERSED[np.frombuffer(coded, np.uint8)].tobytes()
    wanted = layout.row_bytes(columns) * rows
    if layout.compression == 1:
        raw = bytes(coded[:wanted])
    elif layout.compression in (8, 32946):
        try:
            raw = zlib.decompressobj().decompress(coded, wanted)
        except zlib.error as error:
            raise DecodeError(
                f"{name}: a damaged TIFF: a strip or tile cannot be inflated ({error})"
            ) from error
    else:
        raw = _decode_with_libtiff([coded], layout, rows, columns, name)
    _check_length(len(raw), wanted, name)
    return _unpacked(np.frombuffer(raw, np.uint8).reshape(rows, -1), layout, columns)


def _check_length(length: int, wanted: int, name: str) -> None:
    if length < wanted:
        raise DecodeError(f"{name}: a truncated TIFF: strips or tiles hold {length} of {wanted} bytes")


def encode_chunk(samples: Array, layout: Layout, template: bytes = b"") -> bytes:
    """A strip or tile as bytes; the inverse of `decode_chunk`.

    Args:
        samples: (rows, columns, samples), as stored.
        template: for JPEG, the coded strip or tile that this one replaces: its tables are used again.
    """
    if layout.compression == 7:
        return _encode_jpeg(samples, layout, template)
    rows = _packed(samples, layout)
    if layout.compression == 1:
        coded = rows.tobytes()
    elif layout.compression in (8, 32946):
        coded = zlib.compress(rows.tobytes(), 6)
    else:
        coded = _encode_with_libtiff(rows, layout, samples.shape[1])
    return REVERSED[np.frombuffer(coded, np.uint8)].tobytes() if layout.reversed_bits else coded


def _unpacked(raw: NDArray[np.uint8], layout: Layout, columns: int) -> Array:
    """(rows, bytes) as (rows, columns, samples)."""
    shape = (len(raw), columns, layout.chunk_samples)
    if layout.bits < 8:
        values = np.unpackbits(raw, axis=1).reshape(len(raw), -1, layout.bits)
        weights = (1 << np.arange(layout.bits)[::-1]).astype(np.uint8)
        return (values @ weights)[:, :columns].reshape(shape)
    if layout.predictor == 3:
        summed = np.cumsum(raw.reshape(len(raw), -1, layout.chunk_samples), axis=1, dtype=np.uint8)
        planes = summed.reshape(len(raw), layout.bits // 8, -1)
        stored = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(f">f{layout.bits // 8}")
        return stored.astype(layout.dtype).reshape(shape)
    kind = np.dtype(f"{layout.order}u{layout.bits // 8}")
    values = raw.view(kind).reshape(shape).astype(kind.newbyteorder("="), copy=False)
    if layout.predictor == 2:
        values = np.cumsum(values, axis=1, dtype=values.dtype)
    return values.view(layout.dtype)


def _packed(samples: Array, layout: Layout) -> NDArray[np.uint8]:
    """(rows, columns, samples) as (rows, bytes)."""
    rows = len(samples)
    if layout.bits < 8:
        bits = np.unpackbits(samples.reshape(rows, -1, 1).astype(np.uint8), axis=2)[:, :, 8 - layout.bits :]
        return np.packbits(bits.reshape(rows, -1), axis=1)
    if layout.predictor == 3:
        wide = layout.bits // 8
        planes = np.ascontiguousarray(samples.astype(f">f{wide}")).view(np.uint8).reshape(rows, -1, wide)
        shuffled = np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(rows, -1, layout.chunk_samples)
        return _differences(shuffled).reshape(rows, -1)
    values = np.ascontiguousarray(samples)
    values = values.view(f"u{layout.bits // 8}")  # differences wrap
    if layout.predictor == 2:
        values = _differences(values)
    stored = np.ascontiguousarray(values.astype(f"{layout.order}u{layout.bits // 8}", copy=False))
    return stored.view(np.uint8).reshape(rows, -1)


def _differences(values: NDArray[Any]) -> NDArray[Any]:
    """Each pixel less the one on its left, in wrapping integers."""
    result = values.copy()
    result[:, 1:] -= values[:, :-1]
    return result


def _carrier(coded: Sequence[bytes | memoryview], layout: Layout, rows: int, columns: int) -> bytes:
    """A TIFF of these strips, 8-bit grey, as wide as a row has bytes; bilevel for CCITT."""
    bilevel = layout.compression in (2, 3, 4)
    count = len(coded)
    tags = {
        256: (1, columns if bilevel else layout.row_bytes(columns)),
        257: (1, rows * count),
        258: (1, 1 if bilevel else 8),
        259: (1, layout.compression),
        262: (1, 1),
        273: (count, 0),
        277: (1, 1),
        278: (1, rows),
        279: (count, len(coded[0])),
    }
    if layout.compression == 3:
        tags[292] = (1, layout.t4_options)
    arrays = 8 + 2 + 12 * len(tags) + 4
    start = arrays + (8 * count if count > 1 else 0)
    offsets = list(accumulate((len(one) for one in coded), initial=start))[:-1]
    lengths = [len(one) for one in coded]
    tags[273] = (count, arrays if count > 1 else start)
    if count > 1:
        tags[279] = (count, arrays + 4 * count)
    entries = b"".join(struct.pack("<HHII", tag, 4, *field) for tag, field in sorted(tags.items()))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    tables = struct.pack(f"<{2 * count}I", *offsets, *lengths) if count > 1 else b""
    return b"".join((head, tables, *coded))


def _decode_with_libtiff(
    coded: Sequence[bytes | memoryview], layout: Layout, rows: int, columns: int, name: str
) -> bytes:
    carrier = io.BytesIO(_carrier(coded, layout, rows, columns))
    try:
        with TiffImagePlugin.TiffImageFile(carrier) as image:
            return image.tobytes()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        kind = COMPRESSIONS[layout.compression]
        raise DecodeError(f"{name}: a damaged TIFF: a strip or tile is no valid {kind} data") from error


def _encode_with_libtiff(rows: NDArray[np.uint8], layout: Layout, columns: int) -> bytes:
    size = (columns if layout.compression == 4 else rows.shape[1], len(rows))
    image = Image.frombytes("1" if layout.compression == 4 else "L", size, rows.tobytes())
    file = io.BytesIO()
    image.save(file, "TIFF", compression=PILLOW_NAMES[layout.compression], tiffinfo={278: len(rows)})
    directory = next(pages(file, read_structure(file, "carrier"), "carrier"))
    offsets, lengths = directory.integers(273), directory.integers(279)
    assert offsets is not None
    assert lengths is not None
    assert len(offsets) == 1, "libtiff was told to write one strip"
    return file.getvalue()[offsets[0] : offsets[0] + lengths[0]]


def _whole_jpeg(coded: bytes | memoryview, layout: Layout) -> bytes:
    """An abbreviated stream with its tables, and an Adobe marker that says YCbCr or RGB."""
    transform = 1 if layout.photometric == 6 else 0
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    marker = adobe if layout.samples == 3 else b""
    return b"\xff\xd8" + marker + layout.jpeg_tables[2:-2] + bytes(coded[2:])


def _decode_jpeg(coded: bytes | memoryview, layout: Layout, rows: int, columns: int, name: str) -> Array:
    try:
        with JpegImagePlugin.JpegImageFile(io.BytesIO(_whole_jpeg(coded, layout))) as image:
            fits = rows <= image.height < rows + 64 and columns <= image.width < columns + 64
            samples = np.atleast_3d(np.asarray(image)) if fits else np.zeros((0, 0, 0), np.uint8)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise DecodeError(f"{name}: a damaged TIFF: a strip or tile is no valid JPEG data") from error
    if not fits or samples.shape[2] != layout.samples:
        raise DecodeError(f"{name}: a damaged TIFF: a JPEG strip or tile has another size than its place")
    return samples[:rows, :columns]


def jpeg_can_be_replaced(layout: Layout, template: bytes) -> bool:
    """Whether single strips can be coded again beside ``template`` and its like.

    Readers keep the tables of one strip for the next. So a new strip may bring tables of its own only
    where all the others do too; where the page has common tables, those must be the ones it needs.
    """
    if not layout.jpeg_tables:
        return True
    block = np.zeros((16, 16, layout.samples), np.uint8)
    common = _tables(layout.jpeg_tables)
    return all(
        common.get(key) == table for key, table in _tables(_coded_jpeg(block, layout, template)).items()
    )


def _encode_jpeg(samples: Array, layout: Layout, template: bytes) -> bytes:
    coded = _coded_jpeg(samples, layout, template)
    if not layout.jpeg_tables:
        return coded
    kept = [segment for marker, segment in _segments(coded) if marker not in (0xDB, 0xC4)]
    return b"\xff\xd8" + b"".join(kept)


def _coded_jpeg(samples: Array, layout: Layout, template: bytes) -> bytes:
    """A whole JPEG with the quantisation and subsampling of ``template`` and the standard Huffman tables."""
    with JpegImagePlugin.JpegImageFile(io.BytesIO(_whole_jpeg(template, layout))) as image:
        tables = image.quantization
        sampling = JpegImagePlugin.get_sampling(image)
    file = io.BytesIO()
    picture = Image.fromarray(
        np.ascontiguousarray(np.squeeze(samples, 2) if layout.samples == 1 else samples)
    )
    picture.save(
        file,
        "JPEG",
        qtables=tables,
        subsampling=sampling if sampling >= 0 else 0,
        keep_rgb=layout.photometric == 2,
    )
    return file.getvalue()


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, segment with its marker) up to the scan; the scan and all behind it as one piece."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        yield jpeg[at + 1], jpeg[at:end]
        at = end
    yield 0xDA, jpeg[at:]


def _tables(jpeg: bytes) -> dict[tuple[int, int], bytes]:
    """The quantisation (DB) and Huffman (C4) tables, by marker and number."""
    found: dict[tuple[int, int], bytes] = {}
    for marker, segment in _segments(jpeg):
        at = 4
        while marker in (0xDB, 0xC4) and at < len(segment):
            number = segment[at]
            length = 64 * (1 + (number >> 4)) if marker == 0xDB else 16 + sum(segment[at + 1 : at + 17])
            found[marker, number] = segment[at + 1 : at + 1 + length]
            at += 1 + length
    return found
