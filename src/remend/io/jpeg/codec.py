"""JPEG: read by OpenCV or Pillow, written back block by block.

Kinds: grey, YCbCr and RGB with any sampling go through OpenCV; CMYK and YCCK through Pillow, whose
samples are the inverse of what Adobe's files store (0 = no ink). A file is written back with its own
coefficients wherever the mask leaves a block alone (`remend.io.jpeg.blocks`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from remend.errors import DecodeError, FormatError, WriteError
from remend.io.codec import Encoded, Header, Source
from remend.io.jpeg import blocks, lazy, markers, mpf
from remend.io.jpeg.blocks import Colours
from remend.io.jpeg.encode import new_file, recoded
from remend.io.jpeg.libjpeg import TranscodeError, decoding_warnings, transcode
from remend.io.jpeg.markers import Frame, Stream
from remend.io.jpeg.missing import part_missing
from remend.io.jpeg.others import Beside, beside
from remend.io.orientation import exif_orientation
from remend.picture import Bool, Container, Metadata, Mode, Picture

__all__ = ["CODEC", "JpegCodec"]

END = b"\xff\xd9"
READ_FLAGS = cv2.IMREAD_IGNORE_ORIENTATION


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if source.data is not None:
        yield io.BytesIO(source.data)
    else:
        assert source.path is not None
        with source.path.open("rb") as file:
            yield file


def _colours(frame: Frame, carried: list[bytes]) -> Colours:
    """What the components mean, by the rules that libjpeg (and so every decoder) follows."""
    count = len(frame.components)
    if count == 1:
        return "L"
    transform = next((s[15] for s in carried if s[1] == 0xEE and s[4:9] == b"Adobe" and len(s) > 15), None)
    if count == 4:
        return "YCCK" if transform == 2 else "CMYK"
    jfif = any(s[1] == 0xE0 and s[4:9] == b"JFIF\0" for s in carried)
    if jfif or transform == 1:
        return "YCbCr"
    names = bytes(c.identifier for c in frame.components)
    return "RGB" if transform == 0 or (transform is None and names == b"RGB") else "YCbCr"


class JpegCodec:
    """Files of ITU-T T.81: JFIF, Exif, Adobe and plain."""

    format: Final = "jpeg"
    suffixes: Final = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")
    lossless: Final = False
    bands: Final = False

    def recognises(self, head: bytes) -> bool:
        """Whether the file starts with SOI and a marker."""
        return head[:3] == b"\xff\xd8\xff"

    def header(self, source: Source) -> Header:
        """Size and orientation, from the segments before the frame header."""
        try:
            with _opened(source) as file:
                frame, carried = markers.frame_header(file)
        except DecodeError as error:
            raise DecodeError(f"{source.name}: {error}") from None
        orientation = exif_orientation(markers.metadata(carried).exif)
        return Header(frame.width, frame.height, orientation)

    def decode(self, source: Source) -> Picture:
        """The picture in stored orientation: L, RGB or CMYK, uint8."""
        data = source.read_bytes()
        try:
            stream = markers.parse_stream(data)
        except DecodeError as error:
            raise DecodeError(f"{source.name}: {error}") from None
        frame = stream.frame
        if frame.precision != 8:
            raise FormatError(
                f"{source.name}: a JPEG of {frame.precision} bits a sample; only 8-bit ones can be read: "
                "convert it to a 16-bit PNG or TIFF"
            )
        if len(frame.components) not in {1, 3, 4}:
            raise FormatError(
                f"{source.name}: a JPEG of {len(frame.components)} components; 1, 3 or 4 were expected"
            )
        pixels = frame.width * frame.height
        source.budget.check_scans(source.name, pixels, stream.scans)
        source.budget.take(source.name, pixels, 8 * len(frame.components), len(data))
        mode: Mode = {1: "L", 3: "RGB", 4: "CMYK"}[len(frame.components)]  # type: ignore[assignment]
        missing = None
        if source.tolerate and (short := part_missing(stream, source.name)) is not None:
            missing, data = short
        elif not stream.ended:
            # Refused here, before OpenCV's decoder writes a line of its own to stderr.
            _coding_warnings(source.name, stream)
        complete = stream.ended or missing is not None
        samples = _decode_samples(source.name, data if complete else data + END, mode)
        if samples.shape[:2] != (frame.height, frame.width):
            raise DecodeError(
                f"{source.name}: decoded to {samples.shape[1]}×{samples.shape[0]}, but its header says "
                f"{frame.width}×{frame.height}: the file is damaged"
            )
        notes = _damage_notes(source.name, stream, samples) if missing is None else ()
        lifted = markers.metadata(stream.carried)
        container = Container(
            self.format,
            path=source.path,
            data=source.data,
            orientation=exif_orientation(lifted.exif),
            metadata=lifted,
            details={"progressive": frame.progressive, "colours": _colours(frame, stream.carried)},
            notes=notes,
            missing=missing,
        )
        return Picture(samples, mode, container=container)

    def open_lazily(self, source: Source, *, rewritten: bool = True) -> Picture | None:
        """The picture with its samples on disk; None for ink, odd sampling, further pictures behind it.

        Cost: decoding it all; the coded file in memory.
        """
        if source.path is None or source.data is not None:
            return None
        size = source.path.stat().st_size
        try:
            stream = markers.parse_stream(source.path.read_bytes())
        except DecodeError as error:
            raise DecodeError(f"{source.name}: {error}") from None
        frame, lifted = stream.frame, markers.metadata(stream.carried)
        if not lazy.may_be_lazy(stream) or exif_orientation(lifted.exif) != 1 or markers.obstacle(stream):
            return None
        pixels = frame.width * frame.height
        source.budget.check_scans(source.name, pixels, stream.scans)
        source.budget.take(source.name, pixels, 8 * len(frame.components), size, copies=0)
        plane, warnings = lazy.lazy_samples(stream, source.name)
        _refuse_truncated(source.name, stream, warnings)
        container = Container(
            self.format,
            path=source.path,
            metadata=lifted,
            details={"progressive": frame.progressive, "colours": _colours(frame, stream.carried)},
            notes=_warning_notes(warnings),
        )
        samples: Any = plane
        return Picture(samples, "L" if len(frame.components) == 1 else "RGB", container=container)

    def repaint(self, file: BinaryIO, picture: Picture, changed: Bool) -> tuple[str, ...]:
        """`rewrite` with coefficients on disk: ``file`` holds the repaired picture then, and nothing else."""
        assert picture.container is not None and picture.container.path is not None
        path = picture.container.path
        stream = markers.parse_stream(path.read_bytes())
        others = beside(stream, picture, changed)
        samples: Any = picture.samples
        marked: Any = changed
        units = lazy.units_of(samples, marked, (8 * stream.frame.v_max, 8 * stream.frame.h_max))
        try:
            coded, warnings = _repainted(stream, units, _colours(stream.frame, stream.carried), on_disk=True)
        except TranscodeError as error:
            raise WriteError(f"{path}: its blocks cannot be written back ({error}): save it anew") from error
        file.seek(0)
        file.truncate()
        for piece in _pieces(stream, coded, others):
            file.write(piece)
        return others.notes + _warning_notes(warnings)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The source file with the touched blocks repainted and every other block's coefficients kept.

        Args:
            picture: stored orientation, decoded by this codec.
            changed: (H, W) bool.
            consume: let go of ``picture.samples`` (one pixel remains) before the coefficients are
                read. Where the caller holds no other reference to them, this keeps the frame and
                the coefficients, equally large, from being in memory together.
        """
        assert picture.container is not None
        data = picture.container.read_bytes()
        if not changed.any() and picture.container.missing is None:
            return Encoded(data)
        stream = markers.parse_stream(data)
        others = beside(stream, picture, changed)
        reason = markers.obstacle(stream)
        if reason is None:
            colours = _colours(stream.frame, stream.carried)
            unit = 8 * stream.frame.v_max, 8 * stream.frame.h_max
            units = blocks.touched_units(picture.samples, changed, unit)
            kept = picture.samples  # needed again only if libjpeg gives up, and not kept when consumed
            if consume:
                picture.samples = kept = kept[:1, :1].copy()
            try:
                coded, warnings = _repainted(stream, units, colours)
                if picture.container.missing is None:
                    _refuse_truncated(str(picture.container.path or "the picture"), stream, warnings)
                else:
                    warnings = []
                return Encoded(
                    b"".join(_pieces(stream, coded, others)), others.notes + _warning_notes(warnings)
                )
            except TranscodeError as error:
                reason = str(error)
            if consume:
                kept = _decode_samples("the picture", data if stream.ended else data + END, picture.mode)
                _put_back(kept, units, unit)
            picture = Picture(kept, picture.mode, container=picture.container)
        anew = recoded(picture, stream, data)
        note = f"re-encoded as a whole, because its blocks could not be kept: {reason}"
        return Encoded(b"".join(_pieces(stream, anew, others)), (*others.notes, note))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """A new file: quality 95, no chroma subsampling."""
        return new_file(picture, metadata)


def _decode_samples(name: str, data: bytes, mode: Mode) -> NDArray[np.uint8]:
    """(H, W, C) uint8. OpenCV first, which keeps one copy; Pillow for ink and to say what is wrong."""
    if mode != "CMYK":
        flags = READ_FLAGS | (cv2.IMREAD_GRAYSCALE if mode == "L" else cv2.IMREAD_COLOR_RGB)
        try:
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:
            decoded = None
        if decoded is not None:
            return np.asarray(decoded, np.uint8).reshape(*decoded.shape[:2], -1)
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            image.load()
            if image.mode != mode:
                raise FormatError(f"{name}: decodes as {image.mode} where {mode} was expected")
            array = np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise DecodeError(f"{name}: truncated or damaged JPEG: {error}") from error
    return array.reshape(*array.shape[:2], -1)


def _damage_notes(name: str, stream: Stream, samples: NDArray[np.uint8]) -> tuple[str, ...]:
    """Refuse a picture whose data stop early; say so when a decoder had to guess.

    Decoders fill what is missing with flat grey and say nothing. The coded data are read once more,
    for libjpeg's warnings, only where that can have happened: a sequential file cut short ends in a
    flat block; of a progressive one nothing can be told from the pixels.

    Raises:
        DecodeError: the data are cut short.
    """
    corner = samples[-8:, -8:]
    suspect = not stream.ended or stream.frame.progressive or bool((corner == corner[-1, -1]).all())
    if stream.frame.lossless or not suspect:
        return ()
    warnings = _coding_warnings(name, stream)
    notes = [] if stream.ended else ["the end marker was missing: the data are complete all the same"]
    return (*notes, *_warning_notes(warnings))


def _refuse_truncated(name: str, stream: Stream, warnings: list[str]) -> None:
    # without its end marker nobody knows how many more passes a progressive file had; and arithmetic
    # coding may leave zeros out at its end, so that its decoder takes any end for the right one
    unknown = (stream.frame.progressive or stream.frame.arithmetic) and not stream.ended
    if unknown or any("premature end" in warning for warning in warnings):
        raise DecodeError(
            f"{name}: truncated JPEG, a part of it is missing: get a complete copy, or --tolerate it"
        )


def _coding_warnings(name: str, stream: Stream) -> list[str]:
    """What libjpeg has to say against the coded data.

    Raises:
        DecodeError: the data are cut short.
    """
    try:
        warnings = decoding_warnings(stream.coding)
    except TranscodeError:  # a kind that only the decoder of the pixels knows
        return []
    _refuse_truncated(name, stream, warnings)
    return warnings


def _warning_notes(warnings: list[str]) -> tuple[str, ...]:
    if not warnings:
        return ()
    return (f"damaged data were decoded around ({warnings[0]}): look at the result",)


def _repainted(
    stream: Stream, units: blocks.Units, colours: Colours, *, on_disk: bool = False
) -> tuple[bytes | memoryview, list[str]]:
    frame = stream.frame
    return transcode(
        stream.coding,
        blocks.editor(units, frame, stream.tables, colours),
        progressive=frame.progressive,
        arithmetic=frame.arithmetic,
        optimise=not stream.standard_huffman,
        restart_interval=stream.restart_interval,
        on_disk=on_disk,
    )


def _pieces(stream: Stream, coded: bytes | memoryview, others: Beside) -> list[bytes | memoryview]:
    """The new file: the source's segments, the new coding, and what follows the end."""
    pos = 2
    while coded[pos] == 0xFF and (0xE0 <= coded[pos + 1] <= 0xEF or coded[pos + 1] == markers.COM):
        pos += 2 + int.from_bytes(coded[pos + 2 : pos + 4], "big")
    length = sum(len(segment) for segment in others.segments if segment) + len(coded) - pos + 2
    pieces: list[bytes | memoryview] = [coded[:2]]
    at = 2
    for segment, before in zip(others.segments, stream.positions, strict=True):
        if segment is None:
            continue
        if mpf.is_index(segment):
            segment = mpf.moved(segment, old=(before, stream.length), new=(at, length))
        pieces.append(segment)
        at += len(segment)
    return [*pieces, coded[pos:], others.tail]


def _put_back(samples: NDArray[np.uint8], units: blocks.Units, unit: tuple[int, int]) -> None:
    """Paint the lifted pixels into a frame that was decoded anew."""
    height, width = samples.shape[:2]
    for row, column, pixels, mask in zip(units.rows, units.columns, units.pixels, units.mask, strict=True):
        y, x = int(row) * unit[0], int(column) * unit[1]
        window = samples[y : min(y + unit[0], height), x : min(x + unit[1], width)]
        inside = mask[: window.shape[0], : window.shape[1]]
        window[inside] = pixels[: window.shape[0], : window.shape[1]][inside]


CODEC = JpegCodec()
