"""The structure of a JPEG file: its marker segments, without touching the coded picture.

Reference: ITU-T T.81 (1992), annex B; T.871 (JFIF); Exif 2.32; XMP part 3; ICC.1:2022 annex B.4.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from remend.errors import DecodeError
from remend.picture import Metadata

__all__ = [
    "Component",
    "Frame",
    "Stream",
    "frame_header",
    "metadata",
    "obstacle",
    "parse_stream",
    "segment",
]

SOI, EOI, SOS, DQT, DHT, DRI, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM and RSTn carry no length
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # a literal first byte keeps the search fast

EXIF, XMP, ICC = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00", b"ICC_PROFILE\x00"
XMP_MORE = b"http://ns.adobe.com/xmp/extension/\x00"

# fmt: off
ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15,
    23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)
# fmt: on
# Number of codes of each length, 1 to 16 bits, in the four example tables of T.81 annex K.3.
STANDARD_CODE_COUNTS = {
    0x00: bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)),
    0x01: bytes((0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0)),
    0x10: bytes((0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D)),
    0x11: bytes((0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77)),
}


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a frame: its identifier, sampling factors and quantisation table."""

    identifier: int
    h: int
    v: int
    table: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame header: what is coded, and how."""

    marker: int
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        """Whether coefficients come in several passes."""
        return self.marker in {0xC2, 0xC6, 0xCA, 0xCE}

    @property
    def arithmetic(self) -> bool:
        """Whether arithmetic coding is used."""
        return self.marker >= 0xC8

    @property
    def lossless(self) -> bool:
        """Whether it is coded by prediction and not by DCT."""
        return self.marker in {0xC3, 0xC7, 0xCB, 0xCF}

    @property
    def h_max(self) -> int:
        """The largest horizontal sampling factor."""
        return max(c.h for c in self.components)

    @property
    def v_max(self) -> int:
        """The largest vertical sampling factor."""
        return max(c.v for c in self.components)


@dataclass(slots=True)
class Stream:
    """A JPEG file taken apart.

    Attributes:
        frame: the frame header.
        carried: every APPn and COM segment before the last scan, marker and length included, in order.
        coding: the file without those: SOI, tables, frame, scans, EOI. The JFIF and Adobe segments stay
            in it too, since they tell a decoder which colours the components are.
        tables: quantisation table of each component, 64 values in natural order.
        restart_interval: in MCUs, 0 for none.
        standard_huffman: whether all Huffman tables have the shape of the standard's examples.
        tail: what follows EOI: further pictures of phones, or nothing.
        positions: where in the file each carried segment began.
        length: of the first picture, SOI to EOI.
        ended: whether there was an EOI; ``coding`` has one in any case.
        scans: how many passes over the picture there are.
    """

    frame: Frame
    carried: list[bytes] = field(default_factory=list)
    coding: bytes = b""
    tables: list[tuple[int, ...]] = field(default_factory=list)
    restart_interval: int = 0
    standard_huffman: bool = True
    tail: bytes = b""
    positions: list[int] = field(default_factory=list)
    length: int = 0
    ended: bool = True
    scans: int = 1


def segment(marker: int, payload: bytes) -> bytes:
    """A marker segment with its length."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _parse_frame(marker: int, payload: bytes) -> Frame:
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5] or not payload[5]:
        raise DecodeError("the JPEG's frame header is cut short: the file is damaged")
    precision, height, width, count = struct.unpack(">BHHB", payload[:6])
    rows = (payload[6 + 3 * i : 9 + 3 * i] for i in range(count))
    components = tuple(Component(c, s >> 4, s & 15, table) for c, s, table in rows)
    if any(not 1 <= c.h <= 4 or not 1 <= c.v <= 4 for c in components):
        raise DecodeError("the JPEG's sampling factors are impossible: the file is damaged")
    if not width or not height:
        raise DecodeError("the JPEG's frame header gives no size: the file is damaged")
    return Frame(marker, precision, height, width, components)


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Marker and payload of each segment up to the first scan (whose header is the last one given)."""
    if file.read(2) != b"\xff\xd8":
        raise DecodeError("not a JPEG: it does not start with SOI")
    while True:
        byte = file.read(1)
        while byte and byte != b"\xff":  # libjpeg skips garbage between segments, so this does too
            byte = file.read(1)
        while byte == b"\xff":
            byte = file.read(1)
        if not byte:
            raise DecodeError("the JPEG ends before its picture starts: the file is truncated")
        marker = byte[0]
        if marker in BARE or marker == 0:
            continue
        if marker == EOI:
            raise DecodeError("the JPEG holds no picture: the file is truncated or damaged")
        length = int.from_bytes(file.read(2), "big")
        payload = file.read(max(length - 2, 0))
        if length < 2 or len(payload) != length - 2:
            raise DecodeError("a segment of the JPEG is cut short: the file is truncated or damaged")
        yield marker, payload
        if marker == SOS:
            return


def frame_header(file: BinaryIO) -> tuple[Frame, list[bytes]]:
    """The frame header, and the APPn and COM segments before it; reads nothing further.

    Raises:
        DecodeError: the file ends, or is damaged, before its size is told.
    """
    carried: list[bytes] = []
    for marker, payload in _segments(file):
        if marker in FRAMES:
            return _parse_frame(marker, payload), carried
        if 0xE0 <= marker <= 0xEF or marker == COM:
            carried.append(segment(marker, payload))
    raise DecodeError("the JPEG has a scan but no frame header: the file is damaged")


def parse_stream(data: bytes) -> Stream:
    """Take a whole JPEG file apart.

    Raises:
        DecodeError: the markers do not form a file.
    """
    pos, end = 2, len(data)
    frame: Frame | None = None
    carried: list[bytes] = []
    positions: list[int] = []
    pieces: list[bytes] = [data[:2]]
    quantisers: dict[int, tuple[int, ...]] = {}
    latched: dict[int, tuple[int, ...]] = {}
    restart, standard, scans = 0, True, 0
    if data[:2] != b"\xff\xd8":
        raise DecodeError("not a JPEG: it does not start with SOI")
    while True:
        found = NEXT_MARKER.search(data, pos)
        marker, start = (data[found.end() - 1], found.end()) if found else (EOI, end)
        if marker == EOI:
            pieces.append(b"\xff\xd9")
            break
        if marker in BARE:
            pos = start
            continue
        length = int.from_bytes(data[start : start + 2], "big")
        if length < 2 or start + length > end:
            raise DecodeError("a segment of the JPEG is cut short: the file is truncated or damaged")
        payload, pos = data[start + 2 : start + length], start + length
        whole = segment(marker, payload)
        if 0xE0 <= marker <= 0xEF or marker == COM:
            carried.append(whole)
            positions.append(start - 2)
            if whole[4:9] == b"JFIF\0" or whole[4:9] == b"Adobe":
                pieces.append(whole)
            continue
        pieces.append(whole)
        if marker in FRAMES:
            if frame is not None:
                raise DecodeError("the JPEG has several frames: hierarchical files are not supported")
            frame = _parse_frame(marker, payload)
        elif marker == DQT:
            quantisers.update(_parse_tables(payload))
        elif marker == DHT:
            standard = standard and _is_standard(payload)
        elif marker == DRI and len(payload) >= 2:
            restart = int.from_bytes(payload[:2], "big")
        elif marker == SOS:
            if frame is None or not payload:
                raise DecodeError("the JPEG has a scan but no frame header: the file is damaged")
            scans += 1
            named = payload[1 : 1 + 2 * payload[0] : 2]
            for component in frame.components:
                if component.identifier in named and component.table in quantisers:
                    latched.setdefault(component.identifier, quantisers[component.table])
            ahead = NEXT_MARKER.search(data, pos)
            stop = ahead.start() if ahead else end
            pieces.append(data[pos:stop])
            pos = stop
    if frame is None:
        raise DecodeError("the JPEG holds no picture: the file is truncated or damaged")
    return Stream(
        frame,
        carried,
        coding=b"".join(pieces),
        tables=[latched.get(c.identifier, ()) for c in frame.components],
        restart_interval=restart,
        standard_huffman=standard,
        tail=data[start:],
        positions=positions,
        length=start,
        ended=found is not None,
        scans=scans,
    )


def _parse_tables(payload: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Number and values (natural order) of each table in a DQT segment."""
    pos = 0
    while pos < len(payload):
        wide, number = payload[pos] >> 4, payload[pos] & 15
        size = 128 if wide else 64
        body = payload[pos + 1 : pos + 1 + size]
        if len(body) != size:
            raise DecodeError("a quantisation table of the JPEG is cut short: the file is damaged")
        values = struct.unpack(">64H", body) if wide else tuple(body)
        natural = [0] * 64
        for index, value in zip(ZIGZAG, values, strict=True):
            natural[index] = value
        yield number, tuple(natural)
        pos += 1 + size


def _is_standard(payload: bytes) -> bool:
    pos = 0
    while pos + 17 <= len(payload):
        counts = payload[pos + 1 : pos + 17]
        if counts != STANDARD_CODE_COUNTS.get(payload[pos]):
            return False
        pos += 17 + sum(counts)
    return True


def metadata(carried: list[bytes]) -> Metadata:
    """Lift out of APPn and COM segments what other formats can hold too."""
    exif = xmp = None
    dpi = None
    profile: dict[int, bytes] = {}
    comments = []
    for whole in carried:
        marker, payload = whole[1], whole[4:]
        if marker == 0xE1 and payload.startswith(EXIF) and exif is None:
            exif = payload[len(EXIF) :]
        elif marker == 0xE1 and payload.startswith(XMP) and xmp is None:
            xmp = payload[len(XMP) :]
        elif marker == 0xE2 and payload.startswith(ICC) and len(payload) > 14:
            profile[payload[12]] = payload[14:]
        elif marker == 0xE0 and payload[:5] == b"JFIF\0" and len(payload) >= 12:
            unit, x, y = struct.unpack(">BHH", payload[7:12])
            if unit in {1, 2} and x and y:
                scale = 1.0 if unit == 1 else 2.54
                dpi = (x * scale, y * scale)
        elif marker == COM:
            comments.append(payload.rstrip(b"\0").decode("utf-8", "replace"))
    return Metadata(
        icc=b"".join(profile[n] for n in sorted(profile)) or None,
        exif=exif,
        xmp=xmp,
        dpi=dpi,
        text={"comment": "\n".join(comments)} if comments else {},
    )


def obstacle(stream: Stream) -> str | None:
    """Why this file's blocks cannot be read and repainted one by one; None when they can."""
    frame = stream.frame
    if frame.lossless:
        return "lossless JPEG has no blocks"
    if any(frame.h_max % c.h or frame.v_max % c.v for c in frame.components):
        return "its sampling factors do not divide one another"
    if not all(stream.tables) or not all(all(t) for t in stream.tables):
        return "a quantisation table is missing"
    return None
