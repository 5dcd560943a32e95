"""PNG: every layout of the format, written back chunk by chunk.

Only IDAT is made anew. A palette that got new entries takes PLTE, tRNS and hIST along, and grows
the bit depth when it must. Previews in EXIF, XMP and other profiles are made anew or taken out, and chunks
that are not safe to copy are dropped where we do not know that they stay true. Everything else stays where
it was, byte for byte: colour space, text, animation, and whatever follows the end chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.document import Document, Repaired
from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.exif_tag import bare_exif, exif_orientation
from remend.io.png.chunks import (
    SIGNATURE,
    Chunk,
    ImageHeader,
    chunk_bytes,
    colour_key,
    find,
    palette_chunks,
    read_header,
    read_palette,
    split_chunks,
    walk_chunks,
)
from remend.io.png.frames import open_frames, rewrite_frames
from remend.io.png.metadata import metadata_chunks, read_metadata
from remend.io.png.previews import carried, may_stay, unsafe_notes
from remend.io.png.raster import decode_raster, encode_raster, missing_pixels
from remend.io.source_stream import opened
from remend.picture import Bool, Container, Metadata, Mode, Picture

__all__ = ["CODEC", "PngCodec"]

MODES: dict[int, Mode] = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
COLOURS = {"L": 0, "RGB": 2, "P": 3, "LA": 4, "RGBA": 6}
MAX_EXIF = 16 << 20


class PngCodec:
    """PNG and APNG. A palette is given up to its last entry in use; the rest is free for new ones.

    ``details`` of its pictures:

    - ``depth``: bits a sample, ``interlaced``
    - ``levels``: number of grey levels where they are fewer than 256 (mode L of 1, 2 or 4 bits)
    - ``transparent``: the colour key, a tuple in sample units (modes L and RGB); pixels of exactly
      that value are transparent
    """

    format = "png"
    suffixes: tuple[str, ...] = (".png", ".apng")
    lossless = True
    bands = False

    def recognises(self, head: bytes) -> bool:
        """By the signature, also where only its line ends were damaged in a transfer."""
        return head[1:4] == b"PNG" and head[:1] in (b"\x89", b"\x09")

    def header(self, source: Source) -> Header:
        """From IHDR, acTL and eXIf; seeks over everything else."""
        image, orientation, frames = None, 1, 1
        with opened(source) as file:
            for kind, length in walk_chunks(file, source.name, tolerate=source.tolerate):
                if image is None:
                    content = file.read(min(length, 64))
                    image = read_header(content if kind == b"IHDR" else b"", source.name)
                elif kind == b"acTL" and length == 8:
                    frames = max(1, int.from_bytes(file.read(4), "big"))
                elif kind == b"eXIf" and length <= MAX_EXIF:
                    orientation = exif_orientation(bare_exif(file.read(length)))
        if image is None:
            raise DecodeError(f"{source.name}: a truncated PNG: no header")
        return Header(image.width, image.height, orientation, frames)

    def decode(self, source: Source) -> Picture:
        """All layouts; see `decode_raster` for the cost."""
        data = source.read_bytes()
        chunks, doubtful = split_chunks(data, source.name, tolerate=source.tolerate)
        image = read_header(data[chunks[0].content], source.name)
        metadata = read_metadata(data, chunks)
        details: dict[str, Any] = {"depth": image.depth, "interlaced": image.interlaced}
        if image.colour == 0 and image.depth < 8:
            details["levels"] = 1 << image.depth
        plte, trns = (find(chunks, kind) for kind in (b"PLTE", b"tRNS"))
        plte_content = data[plte.content] if plte else b""
        trns_content = data[trns.content] if trns else b""
        key = colour_key(trns_content, image)
        if key is not None:
            details["transparent"] = key
        notes = [f"its {kind} chunk has a wrong checksum and was carried over as it is" for kind in doubtful]
        notes += _animation_notes(data, chunks)
        animated = find(chunks, b"acTL") is not None
        bkgd = find(chunks, b"bKGD")
        background = data[bkgd.start] if image.colour == 3 and bkgd and bkgd.length else 0
        view = memoryview(data)
        idat = [view[chunk.content] for chunk in chunks if chunk.type == b"IDAT"]
        pixels = image.width * image.height
        source.budget.take(source.name, pixels, image.depth * image.channels, len(data))
        short = chunks[-1].type != b"IEND"
        palette = read_palette(plte_content, trns_content, source.name) if image.colour == 3 else None
        del data, view
        reached: list[int] | None = [] if source.tolerate else None
        samples = decode_raster(image, idat, source.name, reached)
        missing = missing_pixels(image, reached[0]) if reached else None
        if palette is not None and int(samples.max()) >= len(palette):
            lacking = np.zeros((int(samples.max()) + 1 - len(palette), 4), np.uint8)
            lacking[:, 3] = 255
            notes.append(f"pixels name {len(lacking)} entries that its palette lacks: taken as black")
            palette = np.vstack((palette, lacking))
        if palette is not None and not animated:
            palette = palette[: max(int(samples.max()), background) + 1]
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            orientation=exif_orientation(metadata.exif),
            metadata=metadata,
            details=details,
            notes=tuple(notes),
            missing=missing if missing is not None and (missing.any() or short) else None,
        )
        return Picture(samples, MODES[image.colour], palette, container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """New IDAT, never interlaced, and PLTE, tRNS and hIST where the palette grew; other chunks stay."""
        assert picture.container is not None
        name = str(picture.container.path or "PNG")
        data = picture.container.read_bytes()
        chunks, _ = split_chunks(data, name, tolerate=True)  # of what was read strictly there is nothing to
        image = read_header(data[chunks[0].content], name)
        notes: tuple[str, ...] = ()
        replaced: dict[bytes, bytes] = {}
        dropped: set[bytes] = set()
        if picture.palette is not None:
            image, replaced = _palette_update(picture.palette, data, chunks, image)
        if image.interlaced:
            image = replace(image, interlaced=False)
            replaced[b"IHDR"] = chunk_bytes(b"IHDR", image.to_bytes())
            notes = ("written without interlacing",)
        if b"IHDR" in replaced and find(chunks, b"acTL"):
            dropped = {b"acTL", b"fcTL", b"fdAT"}
            notes += ("the animation was dropped: its frames are not laid out as the repaired one must be",)
        if changed.any():
            unsafe = {chunk.type for chunk in chunks if not may_stay(chunk.type)}
            notes += unsafe_notes(unsafe)
            dropped |= unsafe
        samples = _off_the_key(picture.samples, changed, picture.container.details.get("transparent"), image)
        view = memoryview(data)
        end = chunks[-1].whole.stop
        closing = b"" if chunks[-1].type == b"IEND" else chunk_bytes(b"IEND", b"")
        shown = picture if changed.any() else None  # a picture that stays keeps its previews
        standing = [
            (chunk.type, carried(data, chunk, shown) if chunk.type != b"IDAT" else b"")
            for chunk in chunks
            if chunk.type not in dropped
        ]
        trailer = bytes(view[end:])
        if trailer.strip(b"\0") and changed.any():
            notes += (
                f"{len(trailer)} bytes behind the picture: kept as they are, and may still show the damage",
            )
        del data, view
        replaced[b"IDAT"] = encode_raster(samples, image)
        parts = [SIGNATURE]
        for kind, whole in standing:
            new = replaced.pop(kind, None) if kind in replaced else None
            if kind == b"IDAT":
                parts.append(new or b"")
                continue
            parts.append(whole if new is None else new)
            if kind == b"PLTE" and b"tRNS" in replaced and not find(chunks, b"tRNS"):
                parts.append(replaced.pop(b"tRNS"))
        return Encoded(b"".join((*parts, closing, trailer)), notes)

    def open(self, source: Source) -> Document:
        """Every frame of an APNG, as it is composed: grey or colours, with transparency."""
        return open_frames(source)

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """Frames that look different are drawn anew; the data of all others stay."""
        return rewrite_frames(document, repaired)

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """L, LA, RGB, RGBA of 8 and 16 bits, and P, with profile, EXIF, XMP, resolution and text."""
        samples = picture.samples
        if picture.mode == "CMYK":
            raise FormatError("a PNG cannot hold CMYK: write a TIFF or a JPEG")
        if samples.dtype == np.float32:
            raise FormatError("a PNG cannot hold floating point samples: write a TIFF")
        details = picture.container.details if picture.container is not None else {}
        depth = 8 * samples.dtype.itemsize
        if picture.palette is not None:
            depth = _palette_depth(len(picture.palette))
        elif picture.mode == "L" and depth == 8 and details.get("levels") in (2, 4, 16):
            depth = int(details["levels"]).bit_length() - 1
        image = ImageHeader(picture.width, picture.height, depth, COLOURS[picture.mode])
        first, second = metadata_chunks(metadata)
        parts = [SIGNATURE, chunk_bytes(b"IHDR", image.to_bytes()), first]
        if picture.palette is not None:
            plte, trns = palette_chunks(picture.palette)
            parts.append(chunk_bytes(b"PLTE", plte))
            if trns:
                parts.append(chunk_bytes(b"tRNS", trns))
        parts += [second, encode_raster(samples, image), chunk_bytes(b"IEND", b"")]
        return Encoded(b"".join(parts))


def _off_the_key(
    samples: NDArray[Any], changed: Bool, key: tuple[int, ...] | None, image: ImageHeader
) -> NDArray[Any]:
    """``samples``, changed pixels that equal the colour key moved by one level in their last channel."""
    if key is None:
        return samples
    level = 255 // ((1 << image.depth) - 1) if image.depth < 8 else 1
    rows, columns = np.nonzero(changed)
    pixels = samples[rows, columns]
    if image.depth < 8:
        pixels = (pixels.astype(np.uint16) + level // 2) // level * level
    hits = (pixels == np.array(key)).all(axis=1)
    if not hits.any():
        return samples
    samples = samples.copy(order="K")
    samples[rows[hits], columns[hits], -1] = key[-1] - level if key[-1] else level
    return samples


def _palette_depth(entries: int) -> int:
    """The fewest bits that number so many entries."""
    return next(depth for depth in (1, 2, 4, 8) if entries <= 1 << depth)


def _palette_update(
    palette: NDArray[np.uint8], data: bytes, chunks: Sequence[Chunk], image: ImageHeader
) -> tuple[ImageHeader, dict[bytes, bytes]]:
    """The header and the chunks that change because ``palette`` is not the file's."""
    plte, trns, hist = (find(chunks, kind) for kind in (b"PLTE", b"tRNS", b"hIST"))
    old_colours, old_alpha = data[plte.content] if plte else b"", data[trns.content] if trns else b""
    old = read_palette(old_colours, old_alpha, "PNG")
    colours, alpha = palette_chunks(np.vstack((palette, old[len(palette) :])))
    replaced: dict[bytes, bytes] = {}
    if colours != old_colours:
        replaced[b"PLTE"] = chunk_bytes(b"PLTE", colours)
        if hist:  # as many entries as PLTE; the new ones are rare
            replaced[b"hIST"] = chunk_bytes(b"hIST", data[hist.content].ljust(len(colours) // 3 * 2, b"\0"))
    if alpha != old_alpha[: len(old)].rstrip(b"\xff"):
        replaced[b"tRNS"] = chunk_bytes(b"tRNS", alpha)
    depth = max(image.depth, _palette_depth(len(palette)))
    if depth != image.depth:
        image = replace(image, depth=depth)
        replaced[b"IHDR"] = chunk_bytes(b"IHDR", image.to_bytes())
    return image, replaced


def _animation_notes(data: bytes, chunks: Sequence[Chunk]) -> list[str]:
    """What becomes of an APNG."""
    control = find(chunks, b"acTL")
    if control is None or control.length != 8:
        return []
    frames = int.from_bytes(data[control.start : control.start + 4], "big")
    kinds = [chunk.type for chunk in chunks]
    shown = b"fcTL" in kinds[: kinds.index(b"IDAT")]
    what = f"first of {frames} frames" if shown else f"the still picture beside {frames} frames"
    return [f"an animated PNG: {what}; the others are kept as they are: --pages all repairs them, too"]


CODEC = PngCodec()
