"""CelebA and CelebA-HQ: faces with forty attributes and, for CelebA, five landmarks.

Liu, Luo, Wang, Tang, *Deep Learning Face Attributes in the Wild*, ICCV 2015; Karras et al., *Progressive
Growing of GANs*, ICLR 2018 (CelebA-HQ); Lee et al., *MaskGAN*, CVPR 2020 (CelebAMask-HQ).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing, Record
from remend.train.data.sources.tables import rows_of

__all__ = ["listing", "recognised"]

_ATTRIBUTES = (
    "CelebAMask-HQ-attribute-anno.txt",
    "list_attr_celeba.txt",
    "list_attr_celeba.csv",
    "list_attr_celeba_hq.txt",
)
_PARTITIONS = ("list_eval_partition.txt", "list_eval_partition.csv")
_MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
# Beside the pictures CelebAMask-HQ brings a drawing of every eye and ear: no pictures to learn from.
_LEFT_OUT = ("CelebAMask-HQ-mask-anno/", "CelebA-HQ-mask/", "mask/")


def recognised(root: Path) -> bool:
    """Whether one of the attribute, landmark or mapping files lies in the folder, or in its ``Anno``."""
    return any(
        (place / name).is_file() for place in _places(root) for name in (*_ATTRIBUTES, _MAPPING)
    ) or bool(_landmark_files(root))


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The faces; those of the official training part where the partition file is there.

    Args:
        root: holds the pictures (in any folders below) and the text files.
        annotations: read attributes and landmarks. CelebA-HQ's come through
            ``CelebA-HQ-to-CelebA-mapping.txt`` where only CelebA's are there; landmarks never do, for they
            belong to another crop.

    Raises:
        UsageError: a table that is not as published.
    """
    found = plain.listing(root)
    start = plain.named(root) + "/"
    kept = [r for r in found.records if not r.name.removeprefix(start).startswith(_LEFT_OUT)]
    notes = list(found.notes)
    if len(kept) < len(found.records):
        notes.append(f"{root}: {len(found.records) - len(kept):,} drawings of face parts are left out")
    original = _originals(root)
    partition = _first(root, _PARTITIONS)
    if partition is not None:
        part = _parts(partition)
        train = [r for r in kept if part.get(_key(r, original), 0) == 0]
        if len(train) < len(kept):
            notes.append(
                f"{root}: {len(kept) - len(train):,} pictures of the validation and test parts are left for "
                f"measuring, as {partition.name} says"
            )
        kept = train
    if annotations:
        kept = _annotated(kept, root, original)
    return Listing("CelebA", kept, tuple(notes), found.skipped)


def _annotated(records: list[Record], root: Path, original: dict[str, str]) -> list[Record]:
    attributes: dict[str, dict[str, bool]] = {}
    for name in reversed(_ATTRIBUTES):  # so that the first, CelebA-HQ's own, wins
        path = _first(root, (name,))
        if path is not None:
            header, rows = _table(path)
            attributes |= {key: {n: v > 0 for n, v in zip(header, row, strict=True)} for key, row in rows}
    landmarks: dict[str, dict[str, NDArray[np.float32]]] = {}
    for path in _landmark_files(root):
        _, rows = _table(path)
        landmarks[path.stem] = {
            key: np.asarray(row, np.float32).reshape(-1, 2) for key, row in rows if len(row) % 2 == 0
        }
    result = []
    for record in records:
        file = record.name.rsplit("/", 1)[-1]
        own = attributes.get(file) or attributes.get(original.get(file, ""), {})
        result.append(replace(record, attributes=own, landmarks=_points(record, landmarks)))
    return result


def _points(record: Record, tables: dict[str, dict[str, NDArray[np.float32]]]) -> NDArray[np.float32] | None:
    """CelebA has a table for the aligned and one for the untouched pictures: by the folder's name."""
    folder, _, file = record.name.rpartition("/")
    aligned = "align" in folder
    for table in sorted(tables, key=lambda name: ("align" in name) != aligned):
        if file in tables[table]:
            return tables[table][file]
    return None


def _table(path: Path) -> tuple[list[str], list[tuple[str, list[float]]]]:
    """Column names and rows of a table: a count, the names, then a file name and its numbers a line."""
    rows = list(rows_of(path))
    if rows and len(rows[0]) == 1 and rows[0][0].isdigit():
        rows = rows[1:]
    try:
        header = rows[0]
        body = [(row[0], [float(v) for v in row[1:]]) for row in rows[1:]]
    except (IndexError, ValueError) as error:
        raise UsageError(f"{path} is not as published ({error}): fetch it again") from error
    if path.suffix.lower() == ".csv":
        header = header[1:]  # which names the column of files, too
    wrong = next((key for key, row in body if len(row) != len(header)), None)
    if wrong is not None:
        raise UsageError(f"{path}: the row of {wrong} has not {len(header)} numbers: fetch it again")
    return header, body


def _parts(path: Path) -> dict[str, int]:
    rows = [row for row in rows_of(path) if len(row) == 2 and row[1].isdigit()]
    return {file: int(part) for file, part in rows}


def _originals(root: Path) -> dict[str, str]:
    """CelebA's file of each picture of CelebA-HQ, whose files are numbers: ``0.jpg``, or ``00000.jpg``."""
    path = _first(root, (_MAPPING,))
    if path is None:
        return {}
    table: dict[str, str] = {}
    for row in rows_of(path):
        if len(row) == 3 and row[0].isdigit():
            for stem in (row[0], row[0].zfill(5)):
                table |= {f"{stem}{suffix}": row[2] for suffix in (".jpg", ".png")}
    return table


def _key(record: Record, original: dict[str, str]) -> str:
    file = record.name.rsplit("/", 1)[-1]
    return original.get(file, file)


def _places(root: Path) -> tuple[Path, ...]:
    return (root, root / "Anno", root / "Eval")


def _first(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((p / n for n in names for p in _places(root) if (p / n).is_file()), None)


def _landmark_files(root: Path) -> list[Path]:
    return sorted(
        path for place in _places(root) for path in place.glob("list_landmarks_*") if path.is_file()
    )
