"""Folders of pictures, with the folders and tar shards below; LaMa's masks beside their pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from remend.errors import UsageError
from remend.train.data.sources import shards
from remend.train.data.sources.record import Listing, Record, is_picture

__all__ = ["apart", "listing", "named", "walk"]

# Pictures that `remend repair` reads, or cameras write, and training does not.
OTHERS = (
    *(".tif", ".tiff", ".bmp", ".dib", ".gif", ".avif", ".heic", ".heif", ".hif", ".jxl", ".jp2", ".psd"),
    *(".dng", ".nef", ".cr2", ".cr3", ".arw", ".raf", ".orf", ".rw2", ".pef", ".mpo"),
)
_MASK = re.compile(r"^(?P<stem>.+)_mask\d*$")


def listing(folder: Path, *, annotations: bool = False) -> Listing:
    """Every WebP, JPEG, PNG and shard of ``folder`` and the folders below; links to folders are not followed.

    A file ``x_mask.png`` or ``x_mask001.png`` beside a picture ``x.…`` is a mask of it (the layout of LaMa
    and of ``remend evaluate``): no picture to learn from, but kept in the record's ``masks``.

    Args:
        folder: to list.
        annotations: the folder that a picture lies in, below the one given, as its label; and the labels that
            stand beside pictures in shards.

    Raises:
        UsageError: a broken shard, or a folder that cannot be read.
    """
    names: list[str] = []
    inner: list[str] = []
    others: list[str] = []
    links: list[str] = []
    for name in walk(folder, links):
        if name.lower().endswith(".tar"):
            inner.append(name)
        elif is_picture(name):
            names.append(name)
        elif name.lower().endswith(OTHERS) and not name.rpartition("/")[2].startswith("."):
            others.append(name)
    pictures, masks = apart(names)
    root = f"{folder}{os.sep}"
    records = [
        Record(
            f"{named(folder)}/{name}",
            root + name,
            labels=_folder_of(name) if annotations else (),
            masks=tuple(root + mask for mask in masks.get(_stem(name), ())),
        )
        for name in pictures
    ]
    notes: list[str] = []
    count = sum(len(several) for several in masks.values())
    if count:
        notes.append(
            f"{folder}: {count:,} files named like masks of the pictures beside them are not learned from; "
            f"--set data.masks={folder} takes them as holes"
        )
    if others:
        endings = sorted({name[name.rindex(".") :].lower() for name in others})
        notes.append(
            f"{folder}: {len(others):,} files left alone: {' '.join(endings)} is not learned from "
            "(JPEG, PNG and WebP are): convert them first"
        )
    if links:
        notes.append(
            f"{folder}: {len(links):,} links to folders are not followed, such as {links[0]}: "
            "give those folders as further --data"
        )
    for shard in inner:
        found = shards.listing(folder / shard, annotations=annotations)
        records += found.records
        notes += found.notes
    return Listing("folder", records, tuple(notes))


def named(folder: Path) -> str:
    """What a folder is called in names; also where it is given as ``.`` or ``..``."""
    return folder.name if folder.name not in ("", "..") else folder.resolve().name


def walk(folder: Path, links: list[str] | None = None) -> Iterator[str]:
    """Every file below ``folder``: its path from there, with forward slashes.

    Links to folders, which are not followed, are added to ``links``.

    Raises:
        UsageError: a folder that cannot be read.
    """
    start = str(folder)
    for parent, folders, files in os.walk(start, onerror=_refuse):
        below = os.path.relpath(parent, start).replace(os.sep, "/")
        prefix = "" if below == "." else f"{below}/"
        if links is not None:
            links += [prefix + name for name in folders if Path(parent, name).is_symlink()]
        for file in files:
            yield prefix + file


def _refuse(error: OSError) -> None:
    raise UsageError(f"the folder {error.filename} cannot be read ({error.strerror}): check its rights")


def apart(names: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Pictures, and masks (``x_mask.png``, ``x_mask001.png``) by the stem of the picture beside them."""
    stems = {_stem(name) for name in names}
    pictures: list[str] = []
    masks: dict[str, list[str]] = {}
    for name in names:
        matched = _MASK.match(_stem(name))
        if matched and matched["stem"] in stems:
            masks.setdefault(matched["stem"], []).append(name)
        else:
            pictures.append(name)
    return pictures, {stem: sorted(several) for stem, several in masks.items()}


def _folder_of(name: str) -> tuple[str, ...]:
    """A folder of folders by class is the commonest labelled data set; what lies at its root has no class."""
    return (name.split("/")[-2],) if "/" in name else ()


def _stem(name: str) -> str:
    return name[: name.rindex(".")]
