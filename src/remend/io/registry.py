"""Which codec reads and writes what. A codec's module is imported when a file needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from remend.errors import UsageError
from remend.io.codec import Codec

__all__ = [
    "FORMATS",
    "codec_named",
    "codec_of_bytes",
    "ending_of",
    "format_of_suffix",
    "formats_named",
    "readable_suffixes",
]

# Format and file name endings; every codec's own `suffixes` say the same, which a test holds.
# AVIF is asked before HEIF: both are ISO base media files, told apart by their brands.
FORMATS: dict[str, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "png": (".png", ".apng"),
    "tiff": (".tif", ".tiff"),
    "webp": (".webp",),
    "bmp": (".bmp", ".dib"),
    "gif": (".gif",),
    "avif": (".avif",),
    "heif": (".heic", ".heif", ".hif"),
    "dicom": (".dcm", ".dicom"),
    "nifti": (".nii", ".nii.gz"),
}


@cache
def codec_named(name: str) -> Codec:
    """The codec of a format.

    Raises:
        UsageError: there is none of that name.
    """
    name = {"jpg": "jpeg", "tif": "tiff", "heic": "heif"}.get(name.lower(), name.lower())
    if name not in FORMATS:
        raise UsageError(f"no format named {name!r}: choose one of {', '.join(FORMATS)}")
    return cast(Codec, import_module(f"remend.io.{name}").CODEC)


def formats_named(words: Sequence[str]) -> tuple[str, ...]:
    """The formats that somebody means, by their proper names.

    Raises:
        UsageError: there is none of that name.
    """
    return tuple(codec_named(word).format for word in words)


def _codecs() -> Iterator[Codec]:
    # A DICOM may begin as a TIFF does, for readers of either; a TIFF never holds what tells a DICOM.
    for name in sorted(FORMATS, key=lambda name: name != "dicom"):
        yield codec_named(name)


def codec_of_bytes(head: bytes) -> Codec | None:
    """The codec that knows a file by its first bytes; its name is never asked."""
    return next((codec for codec in _codecs() if codec.recognises(head)), None)


def format_of_suffix(path: Path) -> str | None:
    """The format that a file name's ending stands for, None where it stands for none.

    >>> format_of_suffix(Path("scan.JPG"))
    'jpeg'
    """
    ending = ending_of(path).lower()
    return next((name for name, endings in FORMATS.items() if ending in endings), None)


def ending_of(path: Path) -> str:
    """A file name's ending as written, with the dot, of both parts where that stands for a format.

    >>> ending_of(Path("brain.nii.gz")), ending_of(Path("notes.txt.gz"))
    ('.nii.gz', '.gz')
    """
    double = "".join(path.suffixes[-2:])
    return double if any(double.lower() in endings for endings in FORMATS.values()) else path.suffix


def readable_suffixes() -> frozenset[str]:
    """Every ending that a folder is searched for."""
    return frozenset(ending for endings in FORMATS.values() for ending in endings)
