"""ICC profiles made from code points, for formats that have a place for a profile and none for the points.

A matrix and curves: exact for the usual primaries and for transfers that are powers. PQ and HLG have no
such curves; for those of video (BT.709 …) programs differ in what is shown: none of them gets a profile.

Reference: ICC.1:2022 (version 4.4), 8.3 and 10; ITU-T H.273 (2024), tables 2 and 3.
"""

from __future__ import annotations

import struct

import numpy as np

__all__ = ["icc_of"]

# The primaries' x and y, and the white's.
D65 = (0.3127, 0.3290)
PRIMARIES: dict[int, tuple[float, ...]] = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *D65),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060, *D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *D65),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *D65),
}
# y = (a x + b)^g from d on, c x below: g, a, b, c, d.
CURVES: dict[int, tuple[float, ...]] = {
    4: (2.2,),
    5: (2.8,),
    8: (1.0,),
    13: (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
}
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def icc_of(code: tuple[int, int], name: str) -> bytes | None:
    """A display profile, version 4; always the same bytes.

    Args:
        code: primaries and transfer of H.273.
        name: what programs call it; ASCII.

    Returns:
        Some 500 bytes; None where no matrix and curves can say these.
    """
    primaries, curve = PRIMARIES.get(code[0]), CURVES.get(code[1])
    if primaries is None or curve is None:
        return None
    x, y = np.array(primaries[0::2]), np.array(primaries[1::2])
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    colours, white = xyz[:, :3], xyz[:, 3]
    colours = colours * np.linalg.solve(colours, white)
    adapted = np.linalg.solve(BRADFORD, np.diag(BRADFORD @ D50 / (BRADFORD @ white)) @ BRADFORD)
    red, green, blue = (_xyz(column) for column in (adapted @ colours).T)
    shape = b"para" + struct.pack(">IHH", 0, 3 if len(curve) > 1 else 0, 0) + _fixed(curve)
    tags = {
        b"desc": _text(name),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(D50),
        b"chad": b"sf32" + bytes(4) + _fixed(adapted.ravel()),
        b"rXYZ": red,
        b"gXYZ": green,
        b"bXYZ": blue,
        b"rTRC": shape,
        b"gTRC": shape,
        b"bTRC": shape,
    }
    return _profile(tags)


def _profile(tags: dict[bytes, bytes]) -> bytes:
    places: dict[bytes, int] = {}  # equal contents lie there once
    at = 128 + 4 + 12 * len(tags)
    body = b""
    for content in tags.values():
        if content not in places:
            places[content] = at + len(body)
            body += content + bytes(-len(content) % 4)
    table = b"".join(kind + struct.pack(">II", places[data], len(data)) for kind, data in tags.items())
    size = at + len(body)
    head = struct.pack(">I4sI", size, bytes(4), 0x04400000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _fixed(numbers: object) -> bytes:
    """As s15Fixed16."""
    scaled = np.rint(np.asarray(numbers, float) * 65536)
    return bytes(scaled.astype(">i4").tobytes())


def _xyz(numbers: object) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(numbers)


def _text(text: str) -> bytes:
    words = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III4sII", 0, 1, 12, b"enUS", len(words), 28) + words
