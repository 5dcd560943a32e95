"""The one EXIF tag that reading a picture needs: its orientation."""

from __future__ import annotations

import struct

__all__ = ["bare_exif", "exif_orientation"]

ORIENTATION = 274


def bare_exif(block: bytes) -> bytes:
    """The block without the ``Exif\\0\\0`` that some containers put before it."""
    return block[6:] if block.startswith(b"Exif\0\0") else block


def exif_orientation(exif: bytes | None) -> int:
    """The orientation, 1–8, of an EXIF block; 1 where it has none or is damaged.

    >>> exif_orientation(b"II*\\0" + bytes([8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]))
    6
    """
    if exif is None or exif[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == ORIENTATION and kind == 3:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
