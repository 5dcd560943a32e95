"""One picture to learn from, wherever it lies, with what its data set says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError
from remend.train.data.sources.segmentation import Outlined

__all__ = ["SUFFIXES", "Listing", "Record", "Span", "Stored", "content", "decode", "is_picture", "pixels_of"]

SUFFIXES = frozenset({".webp", ".jpg", ".jpeg", ".png"})
"""Of files that are taken for pictures where a folder or a shard is walked."""

# One for all records: data sets have millions.
_NOTHING: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a larger file: a member of a shard.

    Attributes:
        path: of the file.
        offset: of the first byte.
        size: in bytes.
    """

    path: str
    offset: int
    size: int


Stored = str | Span | bytes | NDArray[np.uint8]
"""A file's path, a part of a file, its content, or pixels: (H, W, 3) uint8 RGB, maybe mapped from a file."""


@dataclass(frozen=True, slots=True)
class Record:
    """One picture of a data set; nothing of it is read until it is asked for.

    Attributes:
        name: ``source/path``, the same on every machine; the order and every split hang on it alone.
        stored: where the picture is.
        labels: categories, the data set's own words.
        attributes: what is said to be so or not (CelebA).
        landmarks: (n, 2) float32, x and y in pixels of the stored picture; None = not known.
        objects: outlined things (COCO), which can serve as holes.
        masks: paths of mask files that lie beside the picture (LaMa's layout).
    """

    name: str
    stored: Stored
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, bool] = field(default_factory=lambda: _NOTHING)
    landmarks: NDArray[np.float32] | None = None
    objects: tuple[Outlined, ...] = ()
    masks: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The folder, list or shard that it came from."""
        return self.name.split("/", 1)[0]

    def pixels(self) -> NDArray[np.uint8]:
        """The picture: (H, W, 3) uint8 RGB in display orientation.

        Raises:
            DecodeError: it is not there any more, truncated, or no picture.
        """
        return pixels_of(self.stored, self.name)


@dataclass(frozen=True)
class Listing:
    """What a source holds.

    Attributes:
        family: the layout that was recognised.
        records: in no particular order.
        notes: a line for each thing that was left alone on purpose.
        skipped: a line for each file that is named and cannot be used.
    """

    family: str
    records: list[Record]
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def is_picture(name: str) -> bool:
    """Whether a file of this name is taken for a picture.

    >>> is_picture("a/B.JPEG"), is_picture("a/b.txt")
    (True, False)
    """
    return "." + name.rsplit(".", 1)[-1].lower() in SUFFIXES


def content(stored: str | Span | bytes) -> bytes:
    """The encoded file.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(stored, bytes):
        return stored
    if isinstance(stored, str):
        return Path(stored).read_bytes()
    with Path(stored.path).open("rb") as file:
        file.seek(stored.offset)
        return file.read(stored.size)


def pixels_of(stored: Stored, name: str) -> NDArray[np.uint8]:
    """Read and decode: (H, W, 3) uint8 RGB.

    Raises:
        DecodeError: it cannot be read, is truncated, or is no picture.
    """
    if isinstance(stored, np.ndarray):
        return stored
    try:
        data = content(stored)
    except OSError as error:
        raise DecodeError(f"{name}: cannot be read ({error.strerror or error})") from error
    image = decode(data)
    if image is None:
        raise DecodeError(f"{name}: cannot be decoded, its {len(data):,} bytes are broken or no picture")
    return image


def decode(data: bytes) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8 RGB in display orientation; None where the bytes are no whole picture.

    Decoders make grey out of what a truncated JPEG lacks: that would be learned, so its end is looked for.
    """
    if not data or _truncated(data):
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _truncated(data: bytes) -> bool:
    if data[:3] == b"\xff\xd8\xff":
        # Behind the end there may be padding, or the video and depth that phones append.
        return data.rfind(b"\xff\xd9") < 0 or (data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"))
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return data.rfind(b"IEND") < 0
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    return False
