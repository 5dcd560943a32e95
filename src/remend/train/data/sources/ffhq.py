"""FFHQ: seventy thousand faces at 1024², with 68 landmarks.

Karras, Laine, Aila, *A Style-Based Generator Architecture for Generative Adversarial Networks*, CVPR 2019.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing
from remend.train.data.sources.tables import json_of

__all__ = ["listing", "recognised"]

_SIZES = {"images1024x1024": "image", "thumbnails128x128": "thumbnail", "in-the-wild-images": "in_the_wild"}
_JSON = "ffhq-dataset-v2.json"
# "The dataset consists of 70,000 images", of which the first 60,000 are category "training".
_TRAINING = 60_000


def recognised(root: Path) -> bool:
    """Whether the JSON of FFHQ or one of its folders of pictures lies in the folder."""
    return (root / _JSON).is_file() or any((root / name).is_dir() for name in _SIZES)


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The official training part (numbers below 60,000) at the largest size that is there.

    Args:
        root: holds ``images1024x1024/00000/00000.png`` … or ``thumbnails128x128/``, and the JSON.
        annotations: landmarks from ``ffhq-dataset-v2.json`` (255 MB: seconds, and 2 GB while it is read).

    Raises:
        UsageError: a JSON that is not as published.
    """
    size = next((name for name in _SIZES if (root / name).is_dir()), None)
    found = plain.listing(root / size if size else root)
    start = plain.named(root)
    records = [replace(r, name=f"{start}/{r.name}") for r in found.records] if size else found.records
    notes = list(found.notes)
    others = [name for name in _SIZES if name != size and (root / name).is_dir()]
    if others:
        notes.append(f"{root}: of {size}/ alone; {', '.join(others)} are the same faces")
    training = [record for record in records if _number(record.name) < _TRAINING]
    if len(training) < len(records):
        notes.append(
            f"{root}: {len(records) - len(training):,} faces of FFHQ's validation part are left for measuring"
        )
    if annotations and size and (root / _JSON).is_file():
        points = _landmarks(json_of(root / _JSON), _SIZES[size], root / _JSON)
        training = [replace(r, landmarks=points.get(_number(r.name))) for r in training]
    return Listing("FFHQ", training, tuple(notes), found.skipped)


def _number(name: str) -> int:
    stem = name.rsplit("/", 1)[-1].split(".")[0]
    return int(stem) if stem.isdigit() else 0


def _landmarks(facts: Any, part: str, path: Path) -> dict[int, NDArray[np.float32]]:
    """The points are stated for each size but the thumbnails, which are an eighth of the pictures."""
    table: dict[int, NDArray[np.float32]] = {}
    try:
        for number, face in facts.items():
            points = face["image" if part == "thumbnail" else part]["face_landmarks"]
            scale = np.float32(128 / 1024 if part == "thumbnail" else 1.0)
            table[int(number)] = np.asarray(points, np.float32).reshape(-1, 2) * scale
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is not as published ({error!r}): fetch it again") from error
    return table
