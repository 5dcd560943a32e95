"""BMP: changed pixels are written over the file's own, so padding, unused bits and profiles stay.

Palette pictures whose palette is an even ramp from black to white are grey (mode L); others stay
palettes. Run-length coded files are written without run lengths, which is said.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError, FormatError
from remend.io.bmp_layout import RGB, RLE4, RLE8, Layout, expand_rle, read_layout
from remend.io.codec import Encoded, Header, Source
from remend.io.pillow_codec import eight_bit_image
from remend.picture import Bool, Container, Metadata, Mode, Picture

__all__ = ["CODEC", "BmpCodec"]

HEAD = 138
INCH = 0.0254
CALIBRATED = bytes(4)  # a colour space by end points


class BmpCodec:
    """BMP of 1 to 32 bits, RLE, top-down too. ``details``:

    - ``depth``: bits a pixel
    - ``levels``: number of grey levels where they are fewer than 256
    """

    format = "bmp"
    suffixes: tuple[str, ...] = (".bmp", ".dib")
    lossless = True
    bands = False

    def recognises(self, head: bytes) -> bool:
        """By BM and a header length that exists."""
        return head[:2] == b"BM" and head[14:18] in {
            struct.pack("<I", n) for n in (12, 16, 40, 52, 56, 64, 108, 124)
        }

    def header(self, source: Source) -> Header:
        """From the file's first bytes."""
        layout = read_layout(source.head(HEAD), source.name)
        return Header(layout.width, layout.height)

    def decode(self, source: Source) -> Picture:
        """L, P, RGB or RGBA of 8 bits."""
        data = source.read_bytes()
        layout = read_layout(data[:HEAD], source.name)
        if layout.compression not in (RLE8, RLE4):
            _rows(data, layout, source.name)  # a truncated file is told as such
        source.budget.take(source.name, layout.width * layout.height, layout.bits, len(data))
        details: dict[str, Any] = {"depth": layout.bits}
        mode: Mode
        palette = None
        if layout.bits <= 8:
            indices = _indices(data, layout, source.name)
            table = _table(data, layout, int(indices.max()) + 1)
            if _is_grey_ramp(table, layout.bits):
                mode, samples = "L", indices * np.uint8(255 // ((1 << layout.bits) - 1))
                if layout.bits < 8:
                    details["levels"] = 1 << layout.bits
            else:
                mode, samples, palette = "P", indices, table[: int(indices.max()) + 1]
        elif layout.bits == 24:
            mode, samples = (
                "RGB",
                _rows(data, layout, source.name).reshape(layout.height, -1)[:, : 3 * layout.width],
            )
            samples = samples.reshape(layout.height, layout.width, 3).copy()[:, :, ::-1]
        else:
            mode = "RGBA" if layout.masks[3] else "RGB"
            values = _rows(data, layout, source.name).view(f"<u{layout.bits // 8}")[:, : layout.width]
            samples = np.stack([_channel(values, mask) for mask in layout.masks[: len(mode)]], axis=2)
        if not layout.top_down:
            samples = samples[::-1]
        across, down = struct.unpack_from("<ii", data, 38) if layout.info_bytes >= 40 else (0, 0)
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            metadata=Metadata(
                icc=_profile(data, layout),
                dpi=(across * INCH, down * INCH) if across > 0 and down > 0 else None,
                colour="what it says of its colours (end points and gamma)"
                if layout.info_bytes >= 108 and data[70:74] == CALIBRATED and any(data[74:122])
                else "",
            ),
            details=details,
        )
        return Picture(samples, mode, palette, container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The changed pixels over the file's own; the palette's new entries behind or over unused ones."""
        assert picture.container is not None
        data = picture.container.read_bytes()
        if not changed.any():
            return Encoded(data)
        name = str(picture.container.path or "BMP")
        layout = read_layout(data[:HEAD], name)
        samples, where = picture.samples, changed
        if not layout.top_down:
            samples, where = samples[::-1], where[::-1]
        if layout.bits <= 8:
            return _rewritten_indices(picture, data, layout, samples[:, :, 0], where)
        end = layout.pixels_at + layout.row_bytes * layout.height
        rows = _rows(data, layout, name).copy()
        if layout.bits == 24:
            pixels = rows[:, : 3 * layout.width].reshape(layout.height, layout.width, 3)
            pixels[where] = samples[where][:, ::-1]
            rows[:, : 3 * layout.width] = pixels.reshape(layout.height, -1)
        else:
            values = rows.view(f"<u{layout.bits // 8}")
            new = values[:, : layout.width][where].astype(np.uint32)
            for channel, mask in enumerate(layout.masks[: samples.shape[2]]):
                largest = (1 << mask.bit_count()) - 1
                level = (samples[where][:, channel].astype(np.uint32) * largest + 127) // 255
                new = (new & np.uint32(~mask & 0xFFFFFFFF)) | level << np.uint32(_shift(mask))
            values[:, : layout.width][where] = new.astype(values.dtype)
        return Encoded(b"".join((data[: layout.pixels_at], rows.tobytes(), data[end:])))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """L, P, RGB or RGBA of 8 bits, with the resolution."""
        mode, palette = picture.mode, picture.palette
        notes: tuple[str, ...] = ()
        masks = b""
        if mode == "L" and picture.samples.dtype == np.uint8:
            palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
            pixels = picture.samples
        elif palette is not None and (palette[:, 3] == 255).all():
            pixels = picture.samples
        else:
            image, notes = eight_bit_image(picture, kind="BMP", modes=("RGB", "RGBA"))
            pixels = np.asarray(image)[:, :, [2, 1, 0, 3][: len(image.mode)]]
            palette = None
        bits = 8 * pixels.shape[2]
        info = 40
        if bits == 32:
            info, masks = 108, struct.pack("<IIII4s", 0xFF0000, 0xFF00, 0xFF, 0xFF000000, b"BGRs") + bytes(48)
        table = b"" if palette is None else _table_bytes(palette, 4)
        row = (picture.width * bits + 31) // 32 * 4
        rows = np.zeros((picture.height, row), np.uint8)
        rows[:, : picture.width * bits // 8] = pixels[::-1].reshape(picture.height, -1)
        at = 14 + info + len(table)
        across, down = (round(dots / INCH) for dots in metadata.dpi or (0.0, 0.0))
        if at + rows.nbytes >= 1 << 32:
            raise FormatError("this picture needs a BMP larger than 4 GiB: write a PNG or a TIFF")
        head = struct.pack("<2sIHHI", b"BM", at + rows.nbytes, 0, 0, at)
        head += struct.pack(
            "<IiiHHII", info, picture.width, picture.height, 1, bits, 3 * (bits == 32), rows.nbytes
        )
        head += struct.pack("<iiII", across, down, len(table) // 4, 0)
        lost = [
            word
            for word, value in (
                ("profile", metadata.icc),
                ("EXIF", metadata.exif),
                ("XMP", metadata.xmp),
                ("text", metadata.text),
            )
            if value
        ]
        if lost:
            notes += (f"a BMP has no place for {', '.join(lost)}: left out",)
        return Encoded(b"".join((head, masks, table, rows.tobytes())), notes)


def _rows(data: bytes, layout: Layout, name: str) -> NDArray[np.uint8]:
    """(H, row bytes) as they lie in the file."""
    wanted = layout.row_bytes * layout.height
    if len(data) - layout.pixels_at < wanted:
        raise DecodeError(f"{name}: a truncated BMP: {len(data)} bytes of {layout.pixels_at + wanted}")
    return np.frombuffer(data, np.uint8, wanted, layout.pixels_at).reshape(layout.height, layout.row_bytes)


def _indices(data: bytes, layout: Layout, name: str) -> NDArray[np.uint8]:
    """(H, W, 1) palette indices, rows as they lie in the file."""
    if layout.compression in (RLE8, RLE4):
        return expand_rle(data[layout.pixels_at :], layout, name)[:, :, np.newaxis]
    rows = _rows(data, layout, name)
    if layout.bits == 8:
        return rows[:, : layout.width, np.newaxis].copy()
    values = np.unpackbits(rows, axis=1).reshape(layout.height, -1, layout.bits)
    weights = (1 << np.arange(layout.bits)[::-1]).astype(np.uint8)
    return (values @ weights)[:, : layout.width, np.newaxis]


def _packed(indices: NDArray[np.uint8], layout: Layout, bits: int) -> NDArray[np.uint8]:
    """(H, row bytes) of (H, W) indices."""
    padded = np.zeros((layout.height, (layout.width * bits + 31) // 32 * 32 // bits), np.uint8)
    padded[:, : layout.width] = indices
    spread = np.unpackbits(padded[:, :, np.newaxis], axis=2)[:, :, 8 - bits :]
    return np.packbits(spread.reshape(layout.height, -1), axis=1)


def _table(data: bytes, layout: Layout, used: int) -> NDArray[np.uint8]:
    """(N, 4) RGBA of the palette; entries that pixels use beyond it are black."""
    size = layout.entry_bytes * layout.palette_entries
    stored = np.frombuffer(data[layout.palette_at : layout.palette_at + size], np.uint8)
    stored = stored[: len(stored) // layout.entry_bytes * layout.entry_bytes].reshape(-1, layout.entry_bytes)
    table = np.zeros((max(len(stored), used), 4), np.uint8)
    table[: len(stored), :3] = stored[:, 2::-1]
    table[:, 3] = 255
    return table


def _table_bytes(palette: NDArray[np.uint8], entry_bytes: int) -> bytes:
    entries = np.zeros((len(palette), entry_bytes), np.uint8)
    entries[:, :3] = palette[:, 2::-1]
    return entries.tobytes()


def _is_grey_ramp(table: NDArray[np.uint8], bits: int) -> bool:
    """Whether entry i is the grey i · 255 / (2^bits - 1), for all of them."""
    ramp = np.linspace(0, 255, 1 << bits).round().astype(np.uint8)
    return len(table) == len(ramp) and bool((table[:, :3] == ramp[:, None]).all())


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _channel(values: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    """One channel of packed pixels, spread over 0–255."""
    largest = (1 << mask.bit_count()) - 1
    level = (values.astype(np.uint32) & np.uint32(mask)) >> np.uint32(_shift(mask))
    return ((level * 255 + largest // 2) // largest).astype(np.uint8)


def _profile(data: bytes, layout: Layout) -> bytes | None:
    """The embedded profile of a version 5 header."""
    if layout.info_bytes != 124 or data[70:74] != b"DEBM":
        return None
    at, size = struct.unpack_from("<II", data, 14 + 112)
    return data[14 + at : 14 + at + size] or None


def _rewritten_indices(
    picture: Picture, data: bytes, layout: Layout, samples: NDArray[np.uint8], where: Bool
) -> Encoded:
    """A palette or grey file with other indices, and a palette that may be longer."""
    name = str(picture.container.path if picture.container is not None else "BMP")
    indices = _indices(data, layout, name)[:, :, 0]
    bits, table = layout.bits, _table(data, layout, 0)
    old = data[layout.palette_at : layout.palette_at + layout.entry_bytes * len(table)]
    if picture.palette is None:
        largest = (1 << bits) - 1
        samples = ((samples.astype(np.uint16) * largest + 127) // 255).astype(np.uint8)
        new = old
    else:
        fresh = _table_bytes(picture.palette, layout.entry_bytes)
        new = fresh + old[len(fresh) :]
        bits = next(depth for depth in (1, 4, 8) if depth >= bits and len(picture.palette) <= 1 << depth)
    indices = np.where(where, samples, indices)
    coded = layout.compression in (RLE8, RLE4)
    rows = _packed(indices, layout, bits)
    moved = len(new) - len(old)
    end = len(data) if coded else layout.pixels_at + layout.row_bytes * layout.height
    head = bytearray(data[: layout.pixels_at])
    head[layout.palette_at : layout.palette_at + len(old)] = new
    if moved or coded or bits != layout.bits:
        struct.pack_into("<I", head, 10, layout.pixels_at + moved)
        if layout.info_bytes == 12:
            struct.pack_into("<H", head, 24, bits)
        else:
            struct.pack_into("<HII", head, 28, bits, RGB, rows.nbytes)
            struct.pack_into("<I", head, 46, len(new) // layout.entry_bytes)
        if layout.info_bytes == 124 and layout.masks is not None and data[70:74] == b"DEBM":
            (at,) = struct.unpack_from("<I", head, 126)
            struct.pack_into("<I", head, 126, at + moved + rows.nbytes - (end - layout.pixels_at))
        struct.pack_into("<I", head, 2, len(head) + rows.nbytes + len(data) - end)
    notes = ("written without run lengths: they are only read",) if coded else ()
    return Encoded(b"".join((bytes(head), rows.tobytes(), data[end:])), notes)


CODEC = BmpCodec()
