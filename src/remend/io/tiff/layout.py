"""How the pixels of one TIFF page lie in its file: sample layout, and strips or tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from remend.errors import DecodeError, FormatError
from remend.io.elsewhere import DEVELOP
from remend.io.tiff.directory import Directory
from remend.picture import Box, Channels, Mode

__all__ = ["COMPRESSIONS", "MASK", "REDUCED", "Chunk", "Layout", "read_layout", "refuse_raw"]

COMPRESSIONS = {
    1: "none",
    2: "CCITT RLE",
    3: "CCITT Group 3",
    4: "CCITT Group 4",
    5: "LZW",
    7: "JPEG",
    8: "deflate",
    32773: "PackBits",
    32946: "deflate",
    34925: "LZMA",
    50000: "Zstandard",
}
WITH_PREDICTOR = (5, 8, 32946, 34925, 50000)
ALPHA = (1, 2)  # of ExtraSamples: colours multiplied by it, or not
PHOTOMETRIC = {0: "L", 1: "L", 2: "RGB", 3: "P", 4: "L", 5: "CMYK", 6: "RGB"}
RAW_TAGS = {50706, 37398, 33421}  # DNG, TIFF/EP, and the pattern of a colour filter array
COLOUR_FILTERS, LINEAR = 32803, 34892  # photometric kinds of raw files
REDUCED, MASK = 1, 4  # of NewSubfileType
MAX_CHUNKS = 1 << 22
MAX_SAMPLES = 1024
MAX_TILE = 1 << 26  # pixels; tiles of 4096×4096 are rare already
MAX_ROW = (1 << 31) - 1  # bytes: what libtiff counts with
VIRTUAL_BYTES = 1 << 20  # uncompressed strips are treated in pieces of about this size


@dataclass(frozen=True, slots=True)
class Chunk:
    """A strip or tile: its number, its plane, where its pixels are, and where its bytes lie.

    ``rows`` and ``columns`` are those of the coded block, which for tiles may reach outside the picture.
    """

    index: int
    plane: int
    box: Box
    rows: int
    columns: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The tags that say how to read pixels; see TIFF 6.0 for each. ``bits`` is the same for all samples."""

    width: int
    height: int
    bits: int
    samples: int
    floating: bool
    photometric: int
    extra: tuple[int, ...]
    planar: bool
    compression: int
    predictor: int
    reversed_bits: bool
    order: str
    tile: tuple[int, int] | None
    rows_per_strip: int
    jpeg_tables: bytes = b""
    t4_options: int = 0
    signed: bool = False

    @property
    def mode(self) -> Mode:
        """The picture's mode; L and RGB with an extra sample that is alpha are LA and RGBA."""
        base = PHOTOMETRIC[self.photometric]
        room = {"L": 2, "RGB": 4}.get(base, 99)
        alpha = self.samples >= room and self.extra[:1] and self.extra[0] in ALPHA
        return f"{base}A" if alpha else base  # type: ignore[return-value]

    @property
    def meaning(self) -> Channels:
        """What the picture's channels are. Of several that are transparency the first is, the others stay."""
        own = Channels.of(self.mode)
        if self.mode == "P" or self.samples <= own.count:
            return own
        named = zip(range(own.colours, self.samples), self.extra, strict=False)
        clear = tuple(place for place, kind in named if kind in ALPHA)
        return Channels(self.samples, own.colours, clear[0] if clear else None, clear[1:])

    @property
    def channels(self) -> int:
        """Samples a pixel that the picture has; the others, beside a palette's indices, stay in the file."""
        return self.meaning.count

    @property
    def chunk_samples(self) -> int:
        """Samples a pixel within one strip or tile."""
        return 1 if self.planar else self.samples

    @property
    def dtype(self) -> type[np.generic]:
        """The samples' type in memory."""
        if self.floating:
            return np.float64 if self.bits == 64 else np.float32
        kind = "i" if self.signed else "u"
        return np.dtype(f"{kind}{max(1, self.bits // 8)}").type

    @property
    def chunk_pixels(self) -> int:
        """Pixels of one strip or tile, which may reach outside the picture."""
        tall, wide = self.tile or (self.rows_per_strip, self.width)
        return tall * wide

    def row_bytes(self, columns: int) -> int:
        """Bytes of a row of a strip or tile, decoded."""
        return (columns * self.chunk_samples * self.bits + 7) // 8

    def chunks(
        self, offsets: Sequence[int], lengths: Sequence[int], *, pieces: bool = False
    ) -> Iterator[Chunk]:
        """Every strip or tile, plane by plane, row by row.

        With ``pieces``, an uncompressed strip comes as several short ones, which are the same bytes.
        """
        tall, wide = self.tile or (self.rows_per_strip, self.width)
        index = 0
        for plane in range(self.samples if self.planar else 1):
            for top in range(0, self.height, tall):
                for left in range(0, self.width, wide):
                    box = Box(top, left, min(top + tall, self.height), min(left + wide, self.width))
                    rows = tall if self.tile else box.height
                    chunk = Chunk(index, plane, box, rows, wide, offsets[index], lengths[index])
                    if pieces and self.compression == 1 and not self.tile and chunk.length:
                        yield from self._pieces(chunk)
                    else:
                        yield chunk
                    index += 1

    def _pieces(self, chunk: Chunk) -> Iterator[Chunk]:
        row = self.row_bytes(chunk.columns)
        step = max(1, VIRTUAL_BYTES // row)
        for start in range(0, chunk.rows, step):
            rows = min(step, chunk.rows - start)
            top = chunk.box.top + start
            box = Box(top, chunk.box.left, top + rows, chunk.box.right)
            length = max(0, min(rows * row, chunk.length - start * row))
            yield Chunk(
                chunk.index, chunk.plane, box, rows, chunk.columns, chunk.offset + start * row, length
            )

    @property
    def chunk_count(self) -> int:
        """Strips or tiles that the page must have."""
        tall, wide = self.tile or (self.rows_per_strip, self.width)
        return -(-self.height // tall) * -(-self.width // wide) * (self.samples if self.planar else 1)


def read_layout(directory: Directory) -> Layout:
    """The layout of a page, checked to be one that can be read and written.

    Raises:
        FormatError: a kind of sample, photometric interpretation or compression that is not supported.
        DecodeError: tags that contradict each other.
    """
    name = directory.name
    width, height = directory.integer(256, 0), directory.integer(257, 0)
    if width < 1 or height < 1:
        raise DecodeError(f"{name}: a damaged TIFF: its size is {width}×{height}")
    samples = max(1, directory.integer(277, 1))
    bits = set((directory.integers(258) or (1,))[:samples])
    formats = set((directory.integers(339) or (1,))[:samples])
    photometric = directory.integer(262, 1)
    compression = directory.integer(259, 1)
    if photometric not in PHOTOMETRIC:
        raise FormatError(
            f"{name}: a TIFF of photometric kind {photometric}: grey, RGB, palette and CMYK are read"
        )
    if compression not in COMPRESSIONS:
        raise FormatError(f"{name}: a TIFF of compression {compression}: save it with LZW or deflate first")
    if photometric == 6 and compression != 7:
        raise FormatError(f"{name}: a TIFF of YCbCr samples without JPEG: save it as RGB first")
    depth = min(bits)
    floating, signed = formats == {3}, formats == {2}
    allowed = (32, 64) if floating else (8, 16, 32) if signed else (1, 2, 4, 8, 16, 32)
    base = {"L": 1, "P": 1, "RGB": 3, "CMYK": 4}[PHOTOMETRIC[photometric]]
    if (
        len(bits) > 1
        or depth not in allowed
        or formats not in ({1}, {2}, {3}, {4})
        or (depth < 8 and samples > 1)
    ):
        kind = {1: "unsigned", 2: "signed", 3: "floating point", 5: "complex", 6: "complex"}.get(
            min(formats), ""
        )
        raise FormatError(
            f"{name}: a TIFF of {samples} × {depth}-bit {kind} samples: integers of 8, 16 and 32 bits, "
            "32 and 64 bits floating point, and 1–4 bits of grey or palette are read"
        )
    if (
        not base <= samples <= MAX_SAMPLES
        or ((floating or signed) and photometric in (3, 5))
        or (photometric == 3 and depth > 8)
    ):
        raise FormatError(
            f"{name}: a TIFF of {samples} samples of {depth} bits, photometric kind {photometric}"
        )
    predictor = directory.integer(317, 1) if compression in WITH_PREDICTOR else 1
    if predictor not in (1, 2, 3) or (predictor == 2 and depth < 8) or (predictor == 3 and not floating):
        raise FormatError(f"{name}: a TIFF of predictor {predictor} on {depth}-bit samples")
    if compression == 7 and (depth != 8 or samples != base or base == 4 or directory.integer(284, 1) == 2):
        raise FormatError(f"{name}: a TIFF of JPEG data other than 8-bit grey or RGB: save it with LZW first")
    tile = (directory.integer(323, 0), directory.integer(322, 0)) if 322 in directory.entries else None
    rows = min(directory.integer(278, height) or height, height)
    if tile and not (min(tile) > 0 and tile[0] * tile[1] <= MAX_TILE):
        raise DecodeError(f"{name}: a damaged TIFF: tiles of {tile[1]}×{tile[0]}")
    layout = Layout(
        width=width,
        height=height,
        bits=depth,
        samples=samples,
        floating=floating,
        photometric=photometric,
        extra=directory.integers(338) or (),
        planar=directory.integer(284, 1) == 2 and samples > 1,
        compression=compression,
        predictor=predictor,
        reversed_bits=directory.integer(266, 1) == 2,
        order=directory.structure.order,
        tile=tile,
        rows_per_strip=rows,
        jpeg_tables=directory.raw(347) or b"",
        t4_options=directory.integer(292, 0),
        signed=signed,
    )
    if layout.row_bytes(tile[1] if tile else width) > MAX_ROW:
        raise DecodeError(
            f"{name}: a damaged TIFF: it claims rows of {width} pixels of {samples} × {depth} bits"
        )
    if layout.chunk_count > MAX_CHUNKS:
        raise DecodeError(f"{name}: a damaged TIFF: it claims {layout.chunk_count} strips or tiles")
    return layout


def refuse_raw(directories: Sequence[Directory]) -> None:
    """Refuse cameras' files, and others whose first picture is a small copy of the real one.

    Args:
        directories: the pages and their sub-directories, the first page first.

    Raises:
        FormatError: naming the way out.
    """
    first = directories[0]
    kinds = {page.integer(262, 1) for page in directories}
    if LINEAR in kinds and COLOUR_FILTERS not in kinds:
        raise FormatError(
            f"{first.name}: a DNG of linear samples, not a picture yet: let the scanning program write a "
            f"TIFF, with infrared as its fourth channel, or {DEVELOP}"
        )
    if RAW_TAGS & first.entries.keys() or COLOUR_FILTERS in kinds:
        raise FormatError(f"{first.name}: a camera's raw file, not a picture: {DEVELOP}")
    if first.integer(254, 0) & REDUCED:
        size = first.integer(256, 0), first.integer(257, 0)
        larger = (page for page in directories[1:] if not page.integer(254, 0) & REDUCED)
        for page in larger:
            if page.integer(256, 0) > size[0] or page.integer(257, 0) > size[1]:
                raise FormatError(
                    f"{first.name}: a TIFF whose first picture is a small copy ({size[0]}×{size[1]}) of the "
                    f"real one ({page.integer(256, 0)}×{page.integer(257, 0)}): save the real one by itself"
                )
