"""TIFF and BigTIFF: a page's pixels repaired strip by strip, everything else left where it is.

Only strips or tiles that hold a changed pixel are coded again. Other pages, sub-directories, private
tags and every other strip keep their bytes and their place, so a repair that changes nothing returns
the very file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from remend.document import Document, Pages, Repaired
from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.elsewhere import known_elsewhere
from remend.io.file_bytes import FileBytes
from remend.io.source_stream import opened
from remend.io.tiff.chunk import ENCODABLE
from remend.io.tiff.cog import laid_anew
from remend.io.tiff.directory import Directory, Structure, every_directory, pages, read_structure
from remend.io.tiff.edit import CLASSIC_LIMIT
from remend.io.tiff.layout import COMPRESSIONS, REDUCED, Layout, read_layout, refuse_raw
from remend.io.tiff.lazy import MOST_CHUNK_BYTES, chunk_bytes_of, lazy_samples
from remend.io.tiff.metadata import metadata_tags, read_metadata, tags_bytes
from remend.io.tiff.page import chunk_table, colour_map, read_palette
from remend.io.tiff.previews import take_old_pixels_out, without_old_pixels
from remend.io.tiff.repaint import decoded, jpeg_stays, recoded, repaint_file, repainted
from remend.picture import Bool, Channels, Container, Metadata, Picture

__all__ = ["CODEC", "TiffCodec"]

Array = NDArray[Any]

STRIP_BYTES = 1 << 18  # of a new file, before compression
PHOTOMETRIC = {"L": 1, "LA": 1, "RGB": 2, "RGBA": 2, "P": 3, "CMYK": 5}


class TiffCodec:
    """TIFF and BigTIFF. ``details`` of its pictures:

    - ``depth``: bits a sample; ``compression``: by name; ``pages``
    - ``levels``: number of grey levels where they are fewer than 256
    - ``premultiplied``: whether the colours are stored multiplied by alpha
    - ``nodata``: the value that GDAL's tag names as empty, as a float; NaN samples are empty anyhow
    """

    format = "tiff"
    suffixes: tuple[str, ...] = (".tif", ".tiff")
    lossless = True
    bands = True

    def recognises(self, head: bytes) -> bool:
        """By byte order mark and version."""
        return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and known_elsewhere(head) is None

    def header(self, source: Source) -> Header:
        """From the first directory, and the chain behind it."""
        with opened(source) as file:
            structure = read_structure(file, source.name)
            first: Directory | None = None
            frames = 0
            for page in pages(file, structure, source.name):
                first = first or page
                frames += 1
            assert first is not None
            width, height = first.integer(256, 0), first.integer(257, 0)
            if width < 1 or height < 1:
                raise DecodeError(f"{source.name}: a damaged TIFF: its size is {width}×{height}")
            return Header(width, height, _orientation(first), frames)

    def decode(self, source: Source) -> Picture:
        """The first page. Cost: the frame, the file, and one strip or tile."""
        data = source.read_bytes()
        chain = _chain(data, source.name)
        return self._page(source, data, chain, chain[0], source.name)

    def open(self, source: Source) -> Document:
        """Every page; reduced copies are none. Cost: the file."""
        data = source.read_bytes()
        chain = _chain(data, source.name)
        whole = _whole_pages(chain)

        def read(number: int) -> Picture:
            return self._page(
                source, data, [whole[number]], whole[number], f"{source.name}, page {number + 1}"
            )

        container = Container(self.format, source.path, source.data, details={"pages": len(chain)})
        return Document(container, Pages(len(whole), read))

    def open_lazily(self, source: Source, *, rewritten: bool = True) -> Picture | None:
        """The first page, its samples read strip by strip or tile by tile when they are asked for.

        Returns:
            None where the page must be decoded, or written, as a whole: a palette, a turned picture, strips
            that are a picture each; where it is ``rewritten`` also a compression that is only read.

        Cost: the page's tables.
        """
        path = source.path
        if path is None or source.data is not None:
            return None
        with path.open("rb") as file:
            structure = read_structure(file, source.name)
            refuse_raw(every_directory(file, structure, source.name))
            chain = list(pages(file, structure, source.name))
            layout = read_layout(chain[0])
            whole = layout.mode == "P" or _orientation(chain[0]) != 1
            if whole or chunk_bytes_of(layout) > MOST_CHUNK_BYTES:
                return None
            if rewritten and layout.compression not in ENCODABLE:
                return None
            tables = chunk_table(chain[0], layout)
            if rewritten and layout.compression == 7 and not jpeg_stays(FileBytes(file), *tables, layout):
                return None
            samples: Any = lazy_samples(chain[0], layout, partial(_fetched, path))
            return self._picture(source, chain, chain[0], layout, samples)

    def repaint(self, file: BinaryIO, picture: Picture, changed: Bool) -> tuple[str, ...]:
        """`rewrite` in place: ``file``, opened for both, holds the source's bytes and then the repaired ones.

        Args:
            file: a copy of the source.
            picture: from ``open_lazily``, repaired.
            changed: (H, W) bool, a `LazyPlane`.

        Returns:
            Lines that the user should see.
        """
        assert picture.container is not None
        name, data = str(picture.container.path), FileBytes(file)
        first = next(pages(file, read_structure(file, name), name))
        notes = repaint_file(data, first.start, picture, changed, name)
        return notes + take_old_pixels_out(data, picture, changed, name)

    def _page(
        self, source: Source, data: bytes, chain: Sequence[Directory], directory: Directory, name: str
    ) -> Picture:
        """One page. ``chain`` is what its notes are about."""
        directory = replace(directory, name=name)
        layout = read_layout(directory)
        view = memoryview(data)
        pixels, bits = layout.width * layout.height, layout.bits * layout.channels
        source.budget.take(source.name, pixels, bits, len(data))
        source.budget.take(source.name, layout.chunk_pixels, layout.bits * layout.chunk_samples, len(data))
        return self._picture(source, chain, directory, layout, decoded(directory, layout, view))

    def _picture(
        self, source: Source, chain: Sequence[Directory], directory: Directory, layout: Layout, samples: Array
    ) -> Picture:
        """A page's samples with what its tags say."""
        details: dict[str, Any] = {
            "depth": layout.bits,
            "compression": COMPRESSIONS[layout.compression],
            "pages": len(chain),
            "premultiplied": layout.mode in ("LA", "RGBA") and layout.extra[0] == 1,
        }
        if layout.mode == "L" and layout.bits < 8:
            details["levels"] = 1 << layout.bits
        nodata = _nodata(directory)
        if nodata is not None:
            details["nodata"] = nodata
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            orientation=_orientation(directory),
            metadata=read_metadata(directory),
            details=details,
            notes=_notes(chain, layout),
        )
        palette = read_palette(directory, samples) if layout.mode == "P" else None
        return Picture(samples, layout.mode, palette, container, layout.meaning)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The strips or tiles with changed pixels coded again, in the source's compression where we can."""
        assert picture.container is not None
        name = str(picture.container.path or "TIFF")
        data = picture.container.read_bytes()
        file = io.BytesIO(data)
        first = next(pages(file, read_structure(file, name), name))
        data, notes = repainted(data, first.start, picture, changed, name)
        if changed.any():
            data, more = without_old_pixels(data, picture, changed, name)
            notes += more
            data = laid_anew(picture.container.read_bytes(), data, name)
        return Encoded(data, notes)

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """Page by page; the strips, tiles and directories of all others keep their bytes and their place."""
        name = str(document.container.path or "TIFF")
        data = document.container.read_bytes()
        starts = [page.start for page in _whole_pages(_chain(data, name))]
        notes: dict[str, None] = {}
        for one in repaired:
            called = f"{name}, page {one.number + 1}"
            data, messages = repainted(data, starts[one.number], one.picture, one.changed, called)
            if one.changed.any():
                data, more = without_old_pixels(data, one.picture, one.changed, called, at=starts[one.number])
                messages += more
            notes |= dict.fromkeys(messages)
        return Encoded(laid_anew(document.container.read_bytes(), data, name), tuple(notes))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """Any picture, in strips, deflated with a predictor; EXIF and GPS in their own directories."""
        tags, notes = metadata_tags(metadata)
        samples, mode, palette, meaning = picture.samples, picture.mode, picture.palette, picture.channels
        if palette is not None and (palette[:, 3] != 255).any():
            samples, mode, meaning = palette[samples[:, :, 0]], "RGBA", Channels.of("RGBA")
            notes += ("a TIFF palette has no transparency: written as RGBA",)
            palette = None
        floating, signed = samples.dtype.kind == "f", samples.dtype.kind == "i"
        bits = 8 * samples.dtype.itemsize
        count = samples.shape[2]
        details = picture.container.details if picture.container is not None else {}
        if mode == "L" and bits == 8 and details.get("levels") in (2, 4, 16):
            bits = int(details["levels"]).bit_length() - 1
        row = max(1, picture.width * count * bits // 8)
        layout = Layout(
            width=picture.width,
            height=picture.height,
            bits=bits,
            samples=count,
            floating=floating,
            photometric=PHOTOMETRIC[mode],
            extra=_extra(meaning, premultiplied=bool(details.get("premultiplied"))),
            planar=False,
            compression=8,
            predictor=1 if palette is not None or bits < 8 else 3 if floating else 2,
            reversed_bits=False,
            order=tags.order,
            tile=None,
            rows_per_strip=min(picture.height, max(1, STRIP_BYTES // row)),
            signed=signed,
        )
        chunks = list(layout.chunks([0] * layout.chunk_count, [0] * layout.chunk_count))
        plain = replace(picture, samples=samples, mode=mode, palette=palette, channels=meaning)
        payload: list[bytes] = []
        offsets: list[int] = []
        at = 8
        for chunk in chunks:
            coded = recoded(plain, chunk, layout, layout, memoryview(b""), "TIFF")
            coded += b"\0" * (len(coded) % 2)
            offsets.append(at)
            payload.append(coded)
            at += len(coded)
        if at > CLASSIC_LIMIT - (1 << 24):
            raise FormatError("this picture needs a TIFF larger than 4 GiB: write it in parts")
        tags.set(256, 4, layout.width)
        tags.set(257, 4, layout.height)
        tags.set(258, 3, *[bits] * count)
        tags.set(259, 3, layout.compression)
        tags.set(262, 3, layout.photometric)
        tags.set(273, 4, *offsets)
        tags.set(277, 3, count)
        tags.set(278, 4, layout.rows_per_strip)
        tags.set(279, 4, *map(len, payload))
        tags.set(284, 3, 1)
        tags.set(317, 3, layout.predictor)
        tags.set(339, 3, *[3 if floating else 2 if signed else 1] * count)
        if layout.extra:
            tags.set(338, 3, *layout.extra)
        if palette is not None:
            tags.set(320, 3, *colour_map(palette, bits))
        start = Structure(tags.order, False, at)
        head = (b"II" if start.order == "<" else b"MM") + start.pack(3, [42]) + start.pack(4, [at])
        return Encoded(b"".join((head, *payload, tags_bytes(tags, at=at))), notes)


def _fetched(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _chain(data: bytes, name: str) -> list[Directory]:
    """The pages of a file, and copies of them.

    Raises:
        FormatError: a camera's raw file.
    """
    file = io.BytesIO(data)
    structure = read_structure(file, name)
    refuse_raw(every_directory(file, structure, name))
    return list(pages(file, structure, name))


def _whole_pages(chain: Sequence[Directory]) -> list[Directory]:
    """The pages that are no reduced copies; the first one always."""
    return [page for place, page in enumerate(chain) if not place or not page.integer(254, 0) & REDUCED]


def _extra(meaning: Channels, *, premultiplied: bool) -> tuple[int, ...]:
    """What ExtraSamples says of the channels behind the colours."""
    kinds = dict.fromkeys(meaning.kept, 2)
    if meaning.alpha is not None:
        kinds[meaning.alpha] = 1 if premultiplied else 2
    return tuple(kinds.get(place, 0) for place in range(meaning.colours, meaning.count))


def _orientation(directory: Directory) -> int:
    value = directory.integer(274, 1)
    return value if 1 <= value <= 8 else 1


def _nodata(directory: Directory) -> float | None:
    """GDAL_NODATA, an ASCII number."""
    try:
        return float(directory.text(42113) or "")
    except ValueError:
        return None


def _notes(chain: Sequence[Directory], layout: Layout) -> tuple[str, ...]:
    notes = []
    count = len(_whole_pages(chain))
    if count > 1:
        notes.append(
            f"first of {count} pages; the others are kept as they are: --pages all repairs them, too"
        )
    kept = layout.samples - layout.channels + len(layout.meaning.kept)
    if kept:
        notes.append(f"{kept} further channels are kept as they are")
    return tuple(notes)


CODEC = TiffCodec()
