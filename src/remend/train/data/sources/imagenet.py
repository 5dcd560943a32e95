"""ImageNet (ILSVRC 2012): 1.28 million pictures of a thousand categories.

Russakovsky et al., *ImageNet Large Scale Visual Recognition Challenge*, IJCV 2015.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing, Record
from remend.train.data.sources.tables import lines_of, rows_of

__all__ = ["listing", "recognised"]

_SYNSET = re.compile(r"^n\d{8}$")
_VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})")
_MAPPING = "LOC_synset_mapping.txt"
_SOLUTION = "LOC_val_solution.csv"
_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
_WORDS = "imagenet_2012_validation_synset_labels.txt"
_KAGGLE = Path("ILSVRC/Data/CLS-LOC")


def recognised(root: Path) -> bool:
    """Whether the folder, or its ``train/``, holds folders called as synsets, or ImageNet's tables."""
    if any((root / name).is_file() for name in (_MAPPING, _SOLUTION, _TRUTH, _WORDS)):
        return True
    return any(_holds_synsets(root / inner) for inner in (".", "train", _KAGGLE / "train"))


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The training pictures where they are there; else what the folder holds, such as flat ``val/``.

    Args:
        root: holds ``train/n01440764/…`` (or Kaggle's ``ILSVRC/Data/CLS-LOC/train``), ``val/``, and the
            tables; or is one of these folders.
        annotations: synsets as labels, their words behind them where ``LOC_synset_mapping.txt`` is there.
            Of the validation part from ``LOC_val_solution.csv`` or from
            ``imagenet_2012_validation_synset_labels.txt``; ``ILSVRC2012_validation_ground_truth.txt`` gives
            numbers alone (``ILSVRC2012_ID 490``), for what they mean stands in a MATLAB file.
    """
    inner = next((p for p in (Path("train"), _KAGGLE / "train") if (root / p).is_dir()), None)
    found = plain.listing(root / inner if inner else root)
    notes = list(found.notes)
    records = found.records
    if inner is not None:
        prefix = f"{plain.named(root)}/{inner.parent.as_posix()}/".replace("/./", "/")
        records = [replace(record, name=prefix + record.name) for record in records]
        left = [name for name in ("val", "test") if (root / inner.parent / name).is_dir()]
        if left:
            beside = root / inner.parent / left[0]
            notes.append(f"{root}: of train/ alone; {', '.join(left)} left, give --data {beside}")
    if annotations:
        records = _labelled(records, root)
    return Listing("ImageNet", records, tuple(notes), found.skipped)


def _labelled(records: list[Record], root: Path) -> list[Record]:
    words = _synsets(root)
    validation = _validation(root)
    result = []
    for record in records:
        parts = record.name.split("/")
        synset = next((part.split(".")[0] for part in parts[:-1] if _SYNSET.match(part.split(".")[0])), None)
        # A shard n01440764.tar is called without its suffix.
        if synset is None:
            matched = _VALIDATION.search(parts[-1])
            synset = validation.get(int(matched[1])) if matched else None
        labels = () if synset is None else (synset, *words.get(synset, ()))
        result.append(replace(record, labels=labels))
    return result


def _synsets(root: Path) -> dict[str, tuple[str, ...]]:
    path = _near(root, _MAPPING)
    if path is None:
        return {}
    pairs = (line.split(maxsplit=1) for line in lines_of(path))
    return {pair[0]: (pair[1].strip(),) for pair in pairs if len(pair) == 2}


def _validation(root: Path) -> dict[int, str]:
    """Label of each picture of validation, by its number from 1."""
    if (path := _near(root, _SOLUTION)) is not None:
        table = {}
        for row in rows_of(path):
            matched = _VALIDATION.match(row[0])
            if matched and len(row) > 1 and row[1]:
                table[int(matched[1])] = row[1].split()[0]
        return table
    if (path := _near(root, _WORDS)) is not None:
        return {number: line.strip() for number, line in enumerate(lines_of(path), 1)}
    if (path := _near(root, _TRUTH)) is not None:
        return {number: f"ILSVRC2012_ID {line.strip()}" for number, line in enumerate(lines_of(path), 1)}
    return {}


def _near(root: Path, name: str) -> Path | None:
    """A table, in the folder, above it (where ``val/`` itself was given) or in the development kit."""
    places = (
        root,
        root.parent,
        root / "ILSVRC2012_devkit_t12/data",
        root.parent / "ILSVRC2012_devkit_t12/data",
    )
    return next((place / name for place in places if (place / name).is_file()), None)


def _holds_synsets(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return any(_SYNSET.match(entry.name.removesuffix(".tar")) for entry in entries)
