"""What a JPEG carries of its picture beside the picture: segments with previews, and further pictures.

Phones put a gain map, a depth map, previews or a second view behind the first picture's end. After a
repair a preview is made anew, a map is smoothed over where the picture was repaired, and whatever is
neither is kept and told. Each one keeps its length, so that no index has to change.

Reference: CIPA DC-007-2009, Multi-Picture Format, 5.2.3.3; Ultra HDR Image Format v1.1; ISO 21496-1.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import JpegImagePlugin

from remend.errors import DecodeError
from remend.io.jpeg import blocks, markers, mpf
from remend.io.jpeg.libjpeg import TranscodeError, transcode
from remend.io.jpeg.markers import Stream
from remend.io.previews import (
    TAKEN_OUT,
    bare_resources,
    bare_xmp,
    holds_picture,
    renewed_exif,
    thumbnail_of,
)
from remend.picture import Bool, Picture

__all__ = ["Beside", "beside"]

PHOTOSHOP = b"Photoshop 3.0\0"
MAPS = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496", b"GainMap", b"DepthMap", b"hdrgainmap")
PREVIEW_KINDS = (0x010001, 0x010002)  # of the index: large thumbnails, VGA and Full HD
MAKERS = frozenset(range(0xE3, 0xF0)) - {0xEB, 0xED}  # segments that have no name of their own
ALIKE = 8  # levels between two pictures of one thing, at 32 × 32
RING_PX = 2  # a map's sample beside the mask has some of the damage, too
LARGEST_MAP = 1 << 26


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes into the file beside the picture: segments (None: left out), what follows the end mark."""

    segments: list[bytes | None]
    tail: bytes
    notes: tuple[str, ...]


def beside(stream: Stream, picture: Picture, changed: Bool) -> Beside:
    """The source's segments and further pictures, such that none shows what was repaired without a word.

    Args:
        stream: the source file.
        picture: repaired, in stored order.
        changed: (H, W) bool.
    """
    notes: list[str] = []
    segments = _segments(stream.carried, picture, notes)
    tail = _tail(stream, picture, changed, notes)
    return Beside(segments, tail, tuple(dict.fromkeys(notes)))


def _segments(carried: list[bytes], picture: Picture, notes: list[str]) -> list[bytes | None]:
    extended = b"".join(s[4 + len(markers.XMP_MORE) + 40 :] for s in carried if _is(s, markers.XMP_MORE))
    drop_extended = bare_xmp(extended) != extended
    if drop_extended:
        notes.append("a copy of the picture in its extended XMP was taken out")
    previews = {s[1] for s in carried if s[1] in MAKERS and holds_picture(s)}
    if previews:
        notes.append("a maker's preview in its segments was taken out")
    kept: list[bytes | None] = []
    for whole in carried:
        marker, payload = whole[1], whole[4:]
        if marker == 0xEB and payload[:2] == b"JP" and b"jumb" in payload[:64]:
            notes.append(TAKEN_OUT)
            kept.append(None)
        elif marker in previews or (drop_extended and _is(whole, markers.XMP_MORE)):
            kept.append(None)
        elif _is(whole, markers.EXIF):
            block = renewed_exif(payload[len(markers.EXIF) :], picture)
            kept.append(markers.segment(marker, markers.EXIF + block))
        elif _is(whole, markers.XMP):
            kept.append(markers.segment(marker, bare_xmp(payload)))
        elif _is(whole, PHOTOSHOP):
            kept.append(markers.segment(marker, PHOTOSHOP + bare_resources(payload[len(PHOTOSHOP) :])))
        elif marker == 0xE0 and payload[:5] == b"JFXX\0":
            kept.append(None)
        elif marker == 0xE0 and payload[:5] == b"JFIF\0" and len(payload) > 14:
            kept.append(markers.segment(marker, payload[:12] + b"\0\0"))
        else:
            kept.append(whole)
    return kept


def _is(segment: bytes, name: bytes) -> bool:
    return 0xE0 <= segment[1] <= 0xEF and segment[4 : 4 + len(name)] == name


def _tail(stream: Stream, picture: Picture, changed: Bool, notes: list[str]) -> bytes:
    """What follows the first picture, its pictures renewed in their places."""
    tail = bytearray(stream.tail)
    kinds = _kinds(stream)
    described = b"".join(s for s in stream.carried if _is(s, markers.XMP))
    at, others, rest = 0, 0, 0
    while (start := stream.tail.find(b"\xff\xd8\xff", at)) >= 0:
        rest += len(stream.tail[at:start].strip(b"\0\xff"))
        try:
            inner = markers.parse_stream(stream.tail[start:])
        except DecodeError:
            rest += 3
            at = start + 3
            continue
        at = start + inner.length
        new = _renewed(inner, stream.tail[start:at], picture, changed, kinds.get(start), described)
        if new is None:
            others += 1
        else:
            tail[start:at] = new
    rest += len(stream.tail[at:].strip(b"\0\xff"))
    if others:
        notes.append(
            f"first of {others + 1} pictures; the others are kept as they are and may still show the damage"
        )
    if rest:
        what = "a video" if b"ftyp" in stream.tail[at : at + 4096] else f"{rest} bytes"
        notes.append(f"{what} behind the picture: kept as it is, and may still show the damage")
    return bytes(tail)


def _kinds(stream: Stream) -> dict[int, int]:
    """The index's kind of each further picture, by where it begins in the tail."""
    for segment, before in zip(stream.carried, stream.positions, strict=True):
        if mpf.is_index(segment):
            return {
                before + mpf.HEADER + offset - stream.length: kind
                for kind, offset in mpf.listed(segment)
                if offset
            }
    return {}


def _renewed(
    inner: Stream, data: bytes, picture: Picture, changed: Bool, kind: int | None, described: bytes
) -> bytes | None:
    """A further picture without the damage, as many bytes long; None where that cannot be."""
    frame = inner.frame
    ratio = frame.width / frame.height * picture.height / picture.width
    if kind in PREVIEW_KINDS or (kind is None and 0.97 < ratio < 1.03 and _looks_alike(data, picture)):
        made = thumbnail_of(picture, max(frame.width, frame.height), len(data))
        return None if made is None else _padded(made, len(data))
    own = b"".join(inner.carried)
    if not any(sign in own for sign in MAPS) and not (kind == 0 and any(sign in described for sign in MAPS)):
        return None
    if not 0.9 < ratio < 1.1 or frame.width * frame.height > LARGEST_MAP or frame.precision != 8:
        return None
    return _smoothed(inner, data, changed)


def _looks_alike(data: bytes, picture: Picture) -> bool:
    """Whether a further picture shows what this one does: by mean difference at 32 × 32."""
    made = thumbnail_of(picture, 128, 1 << 20)
    if made is None:
        return False
    try:
        one, other = (
            np.asarray(JpegImagePlugin.JpegImageFile(io.BytesIO(jpeg)).convert("L").resize((32, 32)), float)
            for jpeg in (data, made)
        )
    except (OSError, ValueError, SyntaxError, EOFError):
        return False
    return bool(np.abs(one - other).mean() < ALIKE)


def _smoothed(inner: Stream, data: bytes, changed: Bool) -> bytes | None:
    """A map with its surroundings drawn smoothly over what was repaired; its other blocks stay."""
    try:
        with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
            if image.mode not in ("L", "RGB"):
                return None
            samples: NDArray[np.uint8] = np.array(image)
    except (OSError, ValueError, SyntaxError, EOFError):
        return None
    frame = inner.frame
    if not all(inner.tables) or any(frame.h_max % c.h or frame.v_max % c.v for c in frame.components):
        return None
    size = frame.width, frame.height
    hole = cv2.resize(changed.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    hole = cv2.dilate(hole.astype(np.uint8), np.ones((2 * RING_PX + 1,) * 2, np.uint8)).astype(bool)
    if hole.all():
        return None
    filled = cv2.inpaint(samples, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    filled = filled.reshape(*filled.shape[:2], -1)
    colours: blocks.Colours = "L" if filled.shape[2] == 1 else "YCbCr"
    units = blocks.touched_units(filled, hole, (8 * frame.v_max, 8 * frame.h_max))
    try:
        coded, _ = transcode(
            inner.coding,
            blocks.editor(units, frame, inner.tables, colours),
            progressive=frame.progressive,
            arithmetic=frame.arithmetic,
            restart_interval=inner.restart_interval,
        )
    except TranscodeError:
        return None
    pos = 2
    while coded[pos] == 0xFF and (0xE0 <= coded[pos + 1] <= 0xEF or coded[pos + 1] == markers.COM):
        pos += 2 + int.from_bytes(coded[pos + 2 : pos + 4], "big")
    new = b"".join((coded[:2], *inner.carried, coded[pos:]))
    return _padded(new, len(data)) if len(new) <= len(data) else None


def _padded(jpeg: bytes, length: int) -> bytes:
    """The same JPEG made longer by fill bytes before its end marker, which T.81 allows (B.1.1.2)."""
    return jpeg[:-2] + b"\xff" * (length - len(jpeg)) + b"\xff\xd9"
