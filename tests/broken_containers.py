"""Broken files of further containers, by the same rule as `broken_files`: fields, lengths and pieces.

AVIF, animations of WebP and PNG, TIFFs of many bands, DICOM and NIfTI. Some are made by libraries that may
not be there: `formats` says which can be made here.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import random
import struct
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from broken_files import hurtful, mutate_png, mutate_riff, mutate_tiff, picture, poke, saved

__all__ = ["broken", "formats", "sound"]

NEEDS = {
    "avif": "",
    "webp-frames": "",
    "apng": "",
    "bands": "tifffile",
    "dicom": "pydicom",
    "nifti": "nibabel",
}


def formats() -> tuple[str, ...]:
    """Those whose files can be made here."""
    return tuple(name for name, library in NEEDS.items() if not library or importlib.util.find_spec(library))


def waves(*shape: int, kind: type = np.uint8) -> np.ndarray:
    """Something that differs along all axes."""
    at = np.indices(shape).reshape(len(shape), -1)
    steps = np.array([7, 5, 3, 11][: len(shape)])
    return ((steps @ at) % 251).reshape(shape).astype(kind)


@cache
def sound(format: str) -> tuple[bytes, ...]:
    """A few files of a format, as libraries write them."""
    if format == "avif":
        return saved(picture("RGB"), "AVIF", speed=10), saved(picture("RGBA"), "AVIF", speed=10)
    if format in ("webp-frames", "apng"):
        kind = "WEBP" if format == "webp-frames" else "PNG"
        frames = [picture("RGB"), picture("RGB", (40, 33)).rotate(90), picture("RGB").rotate(180)]
        return (
            saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=40, loop=0),
            saved(picture("RGBA"), kind, save_all=True, append_images=[picture("RGBA").rotate(180)]),
        )
    if format == "bands":
        return tuple(
            _bands(kind, planar) for kind in (np.uint8, np.uint16) for planar in ("contig", "separate")
        )
    if format == "dicom":
        return _dicoms()
    return _niftis()


def broken(format: str, seed: int) -> bytes:
    """A broken file; the same seed gives the same bytes."""
    draw = random.Random(f"{format} {seed}")
    return MUTATE[format](draw.choice(sound(format)), draw)


def _bands(kind: type, planar: str) -> bytes:
    import tifffile

    file = io.BytesIO()
    shape = (24, 28, 6) if planar == "contig" else (6, 24, 28)
    tifffile.imwrite(
        file, waves(*shape, kind=kind), photometric="minisblack", planarconfig=planar, compression="zlib"
    )
    return file.getvalue()


def _dicoms() -> tuple[bytes, ...]:
    from made_dicoms import made_dicom

    made = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for frames in (waves(1, 24, 28, kind=np.uint16), waves(3, 24, 28), waves(1, 24, 28, 3)):
            made.append(made_dicom(Path(folder) / "a.dcm", frames).read_bytes())
    return tuple(made)


def _niftis() -> tuple[bytes, ...]:
    import nibabel

    made = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, name in ((np.int16, "a.nii"), (np.float32, "a.nii"), (np.uint8, "a.nii.gz")):
            path = Path(folder) / name
            nibabel.save(nibabel.Nifti1Image(waves(20, 24, 5, kind=kind), np.eye(4)), path)
            made.append(path.read_bytes())
    return tuple(made)


def mutate_boxes(data: bytes, draw: random.Random) -> bytes:
    """Sizes, names and contents of the boxes that describe an AVIF; now and then of its picture."""
    made = bytearray(data)
    described = data.find(b"mdat")
    for _ in range(draw.randrange(1, 5)):
        limit = described if draw.random() < 0.8 and described > 8 else len(made)
        poke(made, draw.randrange(limit), draw.choice((1, 2, 4)), "big", draw)
    return bytes(made[: draw.randrange(len(made))]) if draw.random() < 0.1 else bytes(made)


def mutate_dicom(data: bytes, draw: random.Random) -> bytes:
    """Tags, types, lengths and values of the elements; elements dropped, doubled or swapped."""
    elements, at = [], 132
    while at + 8 <= len(data):
        long = data[at + 4 : at + 6] in (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT")
        head = 12 if long else 8
        length = int.from_bytes(data[at + 8 : at + 12] if long else data[at + 6 : at + 8], "little")
        elements.append((head, bytearray(data[at : at + head + length])))
        at += head + length
    for _ in range(draw.randrange(1, 4)):
        head, element = draw.choice(elements)
        places = [(0, 2), (2, 2), (4, 2), (6, 2) if head == 8 else (8, 4)]
        if len(element) > head:
            places += [(draw.randrange(head, len(element)), draw.choice((1, 2)))] * 4
        poke(element, *draw.choice(places), "little", draw)
    whole = [bytes(element) for _, element in elements]
    if draw.random() < 0.3 and len(whole) > 1:
        one, other = draw.randrange(len(whole)), draw.randrange(len(whole))
        if draw.random() < 0.5:
            del whole[one]
        else:
            whole[one], whole[other] = whole[other], whole[one]
    return data[:132] + b"".join(whole)


def mutate_nifti(data: bytes, draw: random.Random) -> bytes:
    """Sizes, types, scales, offsets and orders of the header; packed ones are packed again."""
    packed = data[:2] == b"\x1f\x8b"
    made = bytearray(gzip.decompress(data) if packed else data)
    fields = [
        (0, 4),
        (70, 2),
        (72, 2),
        (74, 2),
        (108, 4),
        (112, 4),
        (116, 4),
        (252, 2),
        (254, 2),
        (344, 4),
        (348, 4),
    ]
    fields += [(40 + 2 * axis, 2) for axis in range(8)] * 2 + [(76 + 4 * axis, 4) for axis in range(8)]
    for _ in range(draw.randrange(1, 4)):
        place = draw.choice((*fields, (draw.randrange(348), 1)))
        if draw.random() < 0.2:  # a number that is none
            made[112:116] = struct.pack("<f", draw.choice((float("nan"), float("inf"), 1e38, -0.0)))
        poke(made, *place, "little", draw)
    if draw.random() < 0.1:
        del made[draw.randrange(len(made)) :]
    if not packed:
        return bytes(made)
    again = bytearray(gzip.compress(bytes(made), mtime=0))
    if draw.random() < 0.2:
        at = draw.randrange(len(again))
        again[at] = hurtful(draw, again[at], 8, len(again))
    return bytes(again)


MUTATE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "avif": mutate_boxes,
    "webp-frames": mutate_riff,
    "apng": mutate_png,
    "bands": mutate_tiff,
    "dicom": mutate_dicom,
    "nifti": mutate_nifti,
}
