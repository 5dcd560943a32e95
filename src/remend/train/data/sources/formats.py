"""Every layout that ``--data`` takes, and which one a path has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from remend.errors import UsageError
from remend.train.data.sources import celeba, cifar, coco, ffhq, folder, imagenet, lists, places, shards
from remend.train.data.sources.record import Listing, Record, Stored

__all__ = ["FAMILIES", "Family", "list_records", "open_source"]


class _Lister(Protocol):
    def __call__(self, path: Path, /, *, annotations: bool = False) -> Listing: ...


@dataclass(frozen=True, slots=True)
class Family:
    """A data set that is known by its layout.

    Attributes:
        name: of the data set.
        recognised: whether a folder has the layout; looks at names alone.
        listing: what the folder holds.
    """

    name: str
    recognised: Callable[[Path], bool]
    listing: _Lister


FAMILIES: tuple[Family, ...] = (
    Family("CIFAR-10", cifar.recognised, cifar.listing),
    Family("COCO", coco.recognised, coco.listing),
    Family("FFHQ", ffhq.recognised, ffhq.listing),
    Family("CelebA", celeba.recognised, celeba.listing),
    Family("Places365", places.recognised, places.listing),
    Family("ImageNet", imagenet.recognised, imagenet.listing),
)
"""Asked in this order; a folder that none of them recognises is walked as it is."""


def open_source(path: Path, *, annotations: bool = False) -> Listing:
    """What one ``--data`` holds.

    Args:
        path: a folder (a data set's root, or any with pictures and shards below), a shard (``.tar``), or a
            list (``.flist``, ``.txt``).
        annotations: read labels, attributes, landmarks and outlines too; training needs none of them.

    Raises:
        UsageError: none of these, or broken.

    Cost: names alone are looked at: about 5 µs a file once its folder is in the system's cache.
    """
    if path.is_dir():
        family = next((f for f in FAMILIES if f.recognised(path)), None)
        return (family.listing if family else folder.listing)(path, annotations=annotations)
    suffix = path.suffix.lower()
    if path.is_file() and suffix == ".tar":
        return shards.listing(path, annotations=annotations)
    if path.is_file() and suffix in lists.SUFFIXES:
        return lists.listing(path, annotations=annotations)
    if path.is_file() and path.name.lower().endswith((".tar.gz", ".tgz", ".tar.zst", ".zip")):
        raise UsageError(f"--data {path} is compressed: unpack it, or make it a plain .tar")
    raise UsageError(
        f"--data {path} is neither a folder nor a .tar shard nor a list (.flist, .txt): check the path"
    )


def list_records(sources: Iterable[Path], *, annotations: bool = False) -> Listing:
    """What all sources hold, sorted by name: the order depends on nothing else.

    Args:
        sources: see ``open_source``.
        annotations: see ``open_source``.

    Raises:
        UsageError: a source that is not there or broken.
    """
    found: dict[str, Record] = {}
    notes: list[str] = []
    skipped: list[str] = []
    families: list[str] = []
    for source in sources:
        listing = open_source(source, annotations=annotations)
        families.append(listing.family)
        notes += listing.notes
        skipped += listing.skipped
        for record in listing.records:
            if record.name in found and not _same(found[record.name].stored, record.stored):
                skipped.append(f"{record.name}: two sources have a picture of this name, the later counts")
            found[record.name] = record
    family = ", ".join(dict.fromkeys(families))
    return Listing(family, [found[name] for name in sorted(found)], tuple(notes), tuple(skipped))


def _same(one: Stored, other: Stored) -> bool:
    """Whether a source was given twice."""
    return one is other if isinstance(one, np.ndarray) or isinstance(other, np.ndarray) else one == other
