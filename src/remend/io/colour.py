"""Colour without a profile: the code points of ITU-T H.273, carried between the formats that have them and
told where they are lost.

AVIF and HEIF say them in a ``colr`` box of kind ``nclx``, PNG in cICP. Written files get the source's
primaries and transfer; the matrix is the encoder's own, since it is how the samples were coded. JPEG, TIFF
and WebP say them by a profile, where one can (`remend.io.icc`).

Reference: ITU-T H.273 (2024), tables 2 and 3; ISO/IEC 23008-12, 6.5.5; PNG 3rd ed., 11.3.2.6.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from remend.io.icc import icc_of
from remend.picture import Metadata

__all__ = ["beside_pictures", "carried_to", "nclx_of", "specified", "with_nclx"]

Code = tuple[int, int]

NCLX = b"colrnclx"
UNSAID = {(1, 13), (1, 2), (2, 13), (2, 2), (0, 0)}  # sRGB, or nothing
PRIMARIES = {1: "BT.709", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
TRANSFERS = {1: "BT.709", 8: "linear", 13: "sRGB", 14: "BT.2020", 15: "BT.2020", 16: "PQ", 18: "HLG"}
CARRIERS = ("png", "avif", "heif")
PROFILED = ("jpeg", "tiff", "webp")
COLOURED = ("RGB", "RGBA", "P")
BESIDE = (b"tmap", b"hdrgainmap", b"auxid:2", b":auxid:depth", b"aux:depth")


def nclx_of(data: bytes) -> Code | None:
    """(primaries, transfer) of an AVIF or HEIF file; None where it is sRGB or does not say."""
    at = data.find(NCLX)
    if at < 0 or at + len(NCLX) + 4 > len(data):
        return None
    return specified(struct.unpack_from(">HH", data, at + len(NCLX)))


def specified(code: Code) -> Code | None:
    """The code points where they say anything but sRGB.

    >>> specified((12, 13)), specified((1, 13))
    ((12, 13), None)
    """
    return None if tuple(code) in UNSAID else code


def with_nclx(data: bytes, code: Code | None) -> tuple[bytes, tuple[str, ...]]:
    """A file just written, with these code points; what to say where it has no place for them."""
    if code is None:
        return data, ()
    at = data.find(NCLX)
    if at < 0:
        return data, (_lost(code),)
    at += len(NCLX)
    return data[:at] + struct.pack(">HH", *code) + data[at + 4 :], ()


def carried_to(metadata: Metadata, format: str, mode: str) -> tuple[Metadata, tuple[str, ...]]:
    """What a new file of another format says of the source's colours; and what to say where that is less.

    Args:
        metadata: of the source.
        format: of the new file. Where it has no place for code points, but for a profile, they become one.
        mode: of the picture; a profile is made for colours only.
    """
    notes = []
    if metadata.cicp is not None and format not in CARRIERS and metadata.icc is None:
        name = _name_of(metadata.cicp)
        icc = icc_of(metadata.cicp, name) if format in PROFILED and mode in COLOURED else None
        if icc is None:
            notes.append(_lost(metadata.cicp))
        else:
            metadata = replace(metadata, icc=icc)
            notes.append(f"its colours, {name}, are said by an ICC profile in the new file")
    if metadata.colour:
        notes.append(f"{metadata.colour}: left out, it has no place in the new format")
    return metadata, tuple(notes)


def beside_pictures(data: bytes) -> tuple[str, ...]:
    """What to say of an AVIF or HEIF with a gain map, a depth map or light levels, which are not written."""
    notes = []
    if any(sign in data for sign in BESIDE):
        notes.append("its gain map or depth map was dropped: only the picture is written")
    if b"mdcv" in data or b"clli" in data:
        notes.append("its light levels (mdcv, clli) were left out")
    return tuple(notes)


def _name_of(code: Code) -> str:
    primaries, transfer = PRIMARIES.get(code[0]), TRANSFERS.get(code[1])
    return f"{primaries or 'other primaries'} with {transfer or 'another transfer'}"


def _lost(code: Code) -> str:
    return (
        f"its colours are {_name_of(code)} (CICP {code[0]}/{code[1]}), which the new file does "
        "not say: they will look different; write a PNG or an AVIF to keep them"
    )
