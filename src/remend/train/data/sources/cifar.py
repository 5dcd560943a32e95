"""CIFAR-10, binary version: sixty thousand pictures of 32 × 32 in ten categories.

Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from remend.errors import UsageError
from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing, Record
from remend.train.data.sources.tables import lines_of

__all__ = ["listing", "recognised"]

_SIDE = 32
_ROW = 1 + 3 * _SIDE * _SIDE
_NAMES = "batches.meta.txt"


def recognised(root: Path) -> bool:
    """Whether CIFAR-10's batches, of either version, lie in the folder or in the one they unpack to."""
    return any(
        (place / f"data_batch_1{suffix}").is_file() for place in _places(root) for suffix in ("", ".bin")
    )


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The fifty thousand training pictures, mapped from their files and never read ahead.

    Args:
        root: holds ``data_batch_1.bin`` … ``data_batch_5.bin``.
        annotations: categories as labels.

    Raises:
        UsageError: the Python version, which is pickled, or a file of another length.
    """
    place = next((p for p in _places(root) if (p / "data_batch_1.bin").is_file()), None)
    if place is None:
        raise UsageError(
            f"{root} is CIFAR-10's Python version, and pickles are never read: "
            "take the binary version, cifar-10-binary.tar.gz"
        )
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
