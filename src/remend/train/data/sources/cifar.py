"""CIFAR-10, binary or Python version: sixty thousand pictures of 32 × 32 in ten categories.

The Python version is pickled. It is read without being unpickled: its opcodes are looked through for the one
long string that holds the pixels and for the numbers of the labels, and nothing in it is run.

Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing, Record
from remend.train.data.sources.tables import lines_of

__all__ = ["listing", "recognised"]

_SIDE = 32
_ROW = 1 + 3 * _SIDE * _SIDE
_NAMES = "batches.meta.txt"
# Keys of the pickled tables, as text or as bytes, and opcodes whose numbers are places in the memo.
_TEXT_KEYS = ("data", "labels", "filenames", "batch_label", "label_names", "num_cases_per_batch", "num_vis")
_KEYS = {*_TEXT_KEYS, *(key.encode() for key in _TEXT_KEYS)}
_PLACES = {"PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET", "PROTO", "FRAME"}


def recognised(root: Path) -> bool:
    """Whether CIFAR-10's batches, of either version, lie in the folder or in the one they unpack to."""
    return any(
        (place / f"data_batch_1{suffix}").is_file() for place in _places(root) for suffix in ("", ".bin")
    )


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The fifty thousand training pictures: the binary version mapped from its files, the other in memory.

    Args:
        root: holds ``data_batch_1.bin`` … ``data_batch_5.bin``, or the same without ``.bin``.
        annotations: categories as labels.

    Raises:
        UsageError: a file that is no batch.

    Cost: of the Python version, about a second and 150 MB.
    """
    place = next((p for p in _places(root) if (p / "data_batch_1.bin").is_file()), None)
    if place is None:
        return _pickled(root, annotations=annotations)
    names = [line.strip() for line in lines_of(place / _NAMES)] if (place / _NAMES).is_file() else []
    records: list[Record] = []
    for path in sorted(place.glob("data_batch_*.bin")):
        size = path.stat().st_size
        if not size or size % _ROW:
            raise UsageError(f"{path} is no batch of CIFAR-10: {size:,} bytes, not a multiple of {_ROW:,}")
        rows = np.memmap(path, np.uint8, "r").reshape(-1, _ROW)
        for number, row in enumerate(rows):
            # A label, then the red, green and blue planes.
            pixels = np.asarray(row[1:]).reshape(3, _SIDE, _SIDE).transpose(1, 2, 0)
            labels: tuple[str, ...] = ()
            if annotations:
                label = int(row[0])
                labels = (names[label] if label < len(names) else str(label),)
            records.append(Record(f"{plain.named(root)}/{path.stem}/{number:05d}", pixels, labels))
    notes = (f"{root}: test_batch.bin is left for measuring",) if (place / "test_batch.bin").is_file() else ()
    return Listing("CIFAR-10", records, notes)


def _places(root: Path) -> tuple[Path, ...]:
    return (root, root / "cifar-10-batches-bin", root / "cifar-10-batches-py")


def _pickled(root: Path, *, annotations: bool) -> Listing:
    """The same from the Python version."""
    place = next(p for p in _places(root) if (p / "data_batch_1").is_file())
    meta = place / "batches.meta"
    names = (
        [v for k, v in _values(meta) if k == "label_names" and isinstance(v, str)] if meta.is_file() else []
    )
    records: list[Record] = []
    for path in sorted(place.glob("data_batch_?")):
        rows, numbers = _batch(path)
        for number, row in enumerate(rows):
            pixels = row.reshape(3, _SIDE, _SIDE).transpose(1, 2, 0)
            labels: tuple[str, ...] = ()
            if annotations and len(numbers) == len(rows):
                label = numbers[number]
                labels = (names[label] if label < len(names) else str(label),)
            records.append(Record(f"{plain.named(root)}/{path.name}/{number:05d}", pixels, labels))
    notes = (f"{root}: test_batch is left for measuring",) if (place / "test_batch").is_file() else ()
    return Listing("CIFAR-10", records, notes)


def _batch(path: Path) -> tuple[NDArray[np.uint8], list[int]]:
    """Pixels (N, 3072) and labels of one pickled batch."""
    data, numbers = b"", []
    for key, value in _values(path):
        if key == "labels" and isinstance(value, int):
            numbers.append(value)
        elif key == "data" and isinstance(value, str | bytes) and len(value) > max(len(data), _ROW - 2):
            try:
                data = value if isinstance(value, bytes) else value.encode("latin-1")
            except UnicodeEncodeError:
                continue
    if not data or len(data) % (_ROW - 1):
        raise UsageError(f"{path} is no batch of CIFAR-10: take it from cifar-10-python.tar.gz again")
    return np.frombuffer(data, np.uint8).reshape(-1, _ROW - 1), numbers


def _values(path: Path) -> Iterator[tuple[str, object]]:
    """Strings and whole numbers of a pickled table with the key that they follow; nothing is run."""
    key = ""
    try:
        for opcode, value, _ in pickletools.genops(path.read_bytes()):
            if opcode.name in _PLACES:
                continue
            if isinstance(value, str | bytes) and value in _KEYS:
                key = value if isinstance(value, str) else value.decode()
            elif isinstance(value, str | bytes | int) and not isinstance(value, bool):
                yield key, value
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}): take it from cifar-10-python.tar.gz again"
        ) from error
