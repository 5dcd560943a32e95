"""EXIF orientation: stored order ↔ display order, as views.

Orientations are the eight of EXIF tag 0x0112 (Exif 2.32, 4.6.4): 1 is as stored, 2–4 flip, 5–8
also swap rows and columns.
"""

from __future__ import annotations

import re
import struct
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["exif_orientation", "normalised_exif", "normalised_xmp", "to_display", "to_stored"]

Scalar = TypeVar("Scalar", bound=np.generic)

ORIENTATION_TAG = 0x0112
XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>\s*))[2-8]""")

# (swap rows and columns, reverse rows, reverse columns), in this order, from stored to display
STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def to_display(array: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """``array`` (H, W[, C]) in stored order, as a view in display order.

    >>> to_display(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[3, 1], [4, 2]]
    """
    swap, rows, columns = STEPS[orientation]
    if swap:
        array = array.swapaxes(0, 1)
    return array[:: -1 if rows else 1, :: -1 if columns else 1]


def to_stored(array: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """The way back: a view in stored order of an array in display order.

    >>> picture = np.arange(6).reshape(2, 3)
    >>> all((to_stored(to_display(picture, o), o) == picture).all() for o in range(1, 9))
    True
    """
    swap, rows, columns = STEPS[orientation]
    array = array[:: -1 if rows else 1, :: -1 if columns else 1]
    return array.swapaxes(0, 1) if swap else array


def _orientation_at(exif: bytes) -> tuple[int, int, str] | None:
    """Where the orientation's value lies, its size in bytes, and the byte order as struct writes it."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 > len(exif):
        return None
    (count,) = struct.unpack_from(order + "H", exif, start)
    for index in range(count):
        entry = start + 2 + 12 * index
        if entry + 12 > len(exif):
            return None
        tag, kind, number = struct.unpack_from(order + "HHI", exif, entry)
        if tag == ORIENTATION_TAG:
            size = {1: 1, 3: 2, 4: 4}.get(kind)
            return (entry + 8, size, order) if size and number == 1 else None
    return None


def exif_orientation(exif: bytes | None) -> int:
    """The orientation that an EXIF block gives, 1 where it gives none or an impossible one.

    Args:
        exif: a TIFF structure, without the ``Exif\\0\\0`` prefix.
    """
    place = _orientation_at(exif) if exif else None
    if exif is None or place is None:
        return 1
    at, size, order = place
    (value,) = struct.unpack_from(order + {1: "B", 2: "H", 4: "I"}[size], exif, at)
    return int(value) if 1 <= value <= 8 else 1


def normalised_exif(exif: bytes) -> bytes:
    """The same block with orientation 1, for samples that are written in display order."""
    place = _orientation_at(exif)
    if place is None:
        return exif
    at, size, order = place
    one = struct.pack(order + {1: "B", 2: "H", 4: "I"}[size], 1)
    return exif[:at] + one + exif[at + size :]


def normalised_xmp(xmp: bytes) -> bytes:
    """The same packet with ``tiff:Orientation`` 1."""
    return XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
