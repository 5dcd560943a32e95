"""TIFF and BigTIFF: the first page's pixels repaired strip by strip, everything else left where it is.

Only strips or tiles that hold a changed pixel are coded again. Other pages, sub-directories, private
tags and every other strip keep their bytes and their place, so a repair that changes nothing returns
the very file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.source_stream import opened
from remend.io.tiff.chunk import ENCODABLE, decode_chunk, decode_chunks, encode_chunk, jpeg_can_be_replaced
from remend.io.tiff.directory import Directory, Structure, pages, read_structure
from remend.io.tiff.edit import (
    CLASSIC_LIMIT,
    overlap_each_other,
    ranges_of_other_pages,
    ranges_of_tags,
    set_integers,
    set_palette,
)
from remend.io.tiff.layout import COMPRESSIONS, Chunk, Layout, read_layout
from remend.io.tiff.metadata import metadata_tags, read_metadata, tags_bytes
from remend.io.tiff.page import chunk_table, coded_bytes, colour_map, read_palette, to_picture, to_stored
from remend.io.tiff.placement import Patches, merged, overlapping
from remend.picture import Bool, Container, Metadata, Picture

__all__ = ["CODEC", "TiffCodec"]

Array = NDArray[Any]

RUN_BYTES = 8 << 20  # decoded at once, at most
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

    def recognises(self, head: bytes) -> bool:
        """By byte order mark and version."""
        return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

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
        file = io.BytesIO(data)
        chain = list(pages(file, read_structure(file, source.name), source.name))
        directory = chain[0]
        layout = read_layout(directory)
        view = memoryview(data)
        samples = np.zeros((layout.height, layout.width, layout.channels), layout.dtype)
        for run in _runs(layout, directory):
            coded = [coded_bytes(view, chunk, source.name) for chunk in run]
            blocks = decode_chunks(coded, layout, run[0].rows, run[0].columns, source.name)
            for chunk, block in zip(run, blocks, strict=True):
                visible = block[: chunk.box.height, : chunk.box.width]
                visible = to_picture(visible, layout, chunk.plane)
                if layout.planar:
                    samples[(*chunk.box.slices, chunk.plane)] = visible[:, :, 0]
                else:
                    samples[chunk.box.slices] = visible[:, :, : layout.channels]
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
        return Picture(samples, layout.mode, palette, container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The strips or tiles with changed pixels coded again, in the source's compression where we can."""
        assert picture.container is not None
        name = str(picture.container.path or "TIFF")
        data = picture.container.read_bytes()
        file = io.BytesIO(data)
        structure = read_structure(file, name)
        chain = list(pages(file, structure, name))
        directory = chain[0]
        layout = read_layout(directory)
        offsets, lengths = (list(values) for values in chunk_table(directory, layout))
        target = layout
        notes: list[str] = []
        rows_changed: Bool = np.asarray(changed.any(axis=1))
        if picture.palette is not None and len(picture.palette) > 1 << layout.bits:
            target = replace(target, bits=8)
        if layout.compression not in ENCODABLE and rows_changed.any():
            target = replace(target, compression=8)
            notes.append(f"written with deflate: {COMPRESSIONS[layout.compression]} is only read")
        if layout.compression == 7 and rows_changed.any() and not _jpeg_stays(data, offsets, lengths, layout):
            target = replace(
                target, compression=8, photometric=2 if layout.photometric == 6 else layout.photometric
            )
            notes.append("written with deflate: its strips share JPEG tables that only its own writer makes")

        protected = ranges_of_other_pages(chain, structure) + ranges_of_tags(chain, structure)
        whole = list(layout.chunks(offsets, lengths))
        touched = [chunk for chunk in whole if target != layout or _touches(chunk, changed, rows_changed)]
        touched = [chunk for chunk in touched if chunk.plane < layout.channels or target != layout]
        if not touched and picture.palette is None:
            return Encoded(data)
        numbers = {chunk.index for chunk in touched}
        protected += [(c.offset, c.offset + c.length) for c in whole if c.index not in numbers]
        protected = merged(protected)
        own = [(chunk.offset, chunk.offset + chunk.length) for chunk in touched]
        shared = any(overlapping(one, protected) for one in own) or overlap_each_other(own)
        view = memoryview(data)

        if layout.compression == 1 and target == layout and not shared and all(c.length for c in touched):
            patches = Patches(len(data), [])  # every piece is as long as before
            for piece in layout.chunks(offsets, lengths, pieces=True):
                if piece.index in numbers and _touches(piece, changed, rows_changed):
                    patches.write(piece.offset, _recoded(picture, piece, layout, layout, view, name))
        else:
            patches = Patches(len(data), merged(one for one in own if not overlapping(one, protected)))
            for chunk in touched:
                coded = _recoded(picture, chunk, layout, target, view, name)
                offsets[chunk.index], lengths[chunk.index] = patches.place(coded), len(coded)
            offset_tag = 324 if layout.tile else 273
            set_integers(patches, directory, offset_tag, offsets)
            set_integers(patches, directory, offset_tag + 1 + (offset_tag == 273) * 5, lengths)
        if target.compression != layout.compression:
            set_integers(patches, directory, 259, [target.compression])
        if target.photometric != layout.photometric:
            set_integers(patches, directory, 262, [target.photometric])
        if target.bits != layout.bits:
            set_integers(patches, directory, 258, [target.bits])
        if picture.palette is not None:
            set_palette(patches, directory, picture.palette, target.bits)
        if target.compression == 7 and touched:
            notes.append(f"JPEG data: {len(touched)} of {len(whole)} strips or tiles were compressed again")
        if patches.end > CLASSIC_LIMIT and not structure.big:
            raise FormatError(
                f"{name}: the repaired TIFF would be larger than 4 GiB: save it as BigTIFF first"
            )
        return Encoded(patches.apply(data), tuple(notes))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """Any picture, in strips, deflated with a predictor; EXIF and GPS in their own directories."""
        tags, notes = metadata_tags(metadata)
        samples, mode, palette = picture.samples, picture.mode, picture.palette
        if palette is not None and (palette[:, 3] != 255).any():
            samples, mode = palette[samples[:, :, 0]], "RGBA"
            notes += ("a TIFF palette has no transparency: written as RGBA",)
            palette = None
        floating = samples.dtype == np.float32
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
            extra=((1 if details.get("premultiplied") else 2),) if mode in ("LA", "RGBA") else (),
            planar=False,
            compression=8,
            predictor=1 if palette is not None or bits < 8 else 3 if floating else 2,
            reversed_bits=False,
            order=tags.order,
            tile=None,
            rows_per_strip=min(picture.height, max(1, STRIP_BYTES // row)),
        )
        chunks = list(layout.chunks([0] * layout.chunk_count, [0] * layout.chunk_count))
        plain = replace(picture, samples=samples, mode=mode, palette=palette)
        payload: list[bytes] = []
        offsets: list[int] = []
        at = 8
        for chunk in chunks:
            coded = _recoded(plain, chunk, layout, layout, memoryview(b""), "TIFF")
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
        tags.set(339, 3, *[3 if floating else 1] * count)
        if layout.extra:
            tags.set(338, 3, *layout.extra)
        if palette is not None:
            tags.set(320, 3, *colour_map(palette, bits))
        start = Structure(tags.order, False, at)
        head = (b"II" if start.order == "<" else b"MM") + start.pack(3, [42]) + start.pack(4, [at])
        return Encoded(b"".join((head, *payload, tags_bytes(tags, at=at))), notes)


def _runs(layout: Layout, directory: Directory) -> Iterator[list[Chunk]]:
    """The strips or tiles that the picture needs, in runs of one size that are decoded together."""
    run: list[Chunk] = []
    for chunk in layout.chunks(*chunk_table(directory, layout), pieces=True):
        if (layout.planar and chunk.plane >= layout.channels) or not chunk.length:
            continue  # samples that the picture does not have, or a tile that was never written
        size = layout.row_bytes(chunk.columns) * chunk.rows
        if run and (
            (run[0].rows, run[0].columns) != (chunk.rows, chunk.columns) or size * len(run) > RUN_BYTES
        ):
            yield run
            run = []
        run.append(chunk)
    if run:
        yield run


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
    copies = sum(page.integer(254, 0) & 1 for page in chain[1:])
    if len(chain) - copies > 1:
        notes.append(f"first of {len(chain) - copies} pages; the others are kept as they are")
    if copies or 330 in chain[0].entries:
        notes.append("reduced copies inside the file are kept as they are and still show the damage")
    if layout.samples > layout.channels:
        notes.append(f"{layout.samples - layout.channels} further channels are kept as they are")
    return tuple(notes)


def _jpeg_stays(data: bytes, offsets: Sequence[int], lengths: Sequence[int], layout: Layout) -> bool:
    """Whether single strips of JPEG data can be coded again; see `jpeg_can_be_replaced`."""
    which = next((index for index, length in enumerate(lengths) if length), None)
    if which is None:
        return False
    return jpeg_can_be_replaced(layout, data[offsets[which] : offsets[which] + lengths[which]])


def _touches(chunk: Chunk, changed: Bool, rows_changed: Bool) -> bool:
    """Whether a changed pixel lies in the strip or tile."""
    rows, columns = chunk.box.slices
    return bool(rows_changed[rows].any() and changed[rows, columns].any())


def _recoded(
    picture: Picture, chunk: Chunk, layout: Layout, target: Layout, view: memoryview, name: str
) -> bytes:
    """The strip or tile with the picture's samples; samples that the picture lacks come from the file."""
    source = coded_bytes(view, chunk, name) if chunk.length else memoryview(b"")
    rows, columns = chunk.box.slices
    if layout.planar and chunk.plane >= layout.channels:
        return encode_chunk(decode_chunk(source, layout, chunk.rows, chunk.columns, name), target)
    which = slice(chunk.plane, chunk.plane + 1) if layout.planar else slice(None)
    block = to_stored(picture.samples[rows, columns, which], target, chunk.plane)
    if not layout.planar and layout.samples > layout.channels and chunk.length:
        whole = decode_chunk(source, layout, chunk.rows, chunk.columns, name)[
            : chunk.box.height, : chunk.box.width
        ]
        block = np.concatenate((block, whole[:, :, layout.channels :]), axis=2)
    missing = (chunk.rows - block.shape[0], chunk.columns - block.shape[1])
    if any(missing):  # a tile reaches outside: repeat the edge, so that nothing old stays there
        block = np.pad(block, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    template = bytes(source) if target.compression == 7 else b""
    return encode_chunk(block, target, template)


CODEC = TiffCodec()
