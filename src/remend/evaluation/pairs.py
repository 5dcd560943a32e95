"""Pairs of pictures and masks in folders, as the tools of the field lay them out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.damage.given import effective_mask
from remend.errors import EvaluationError
from remend.io import read_picture
from remend.io.registry import readable_suffixes
from remend.options import Polarity
from remend.picture import Bool
from remend.samples import eight_bit

__all__ = ["Pair", "PairSet", "find_outputs", "find_pairs", "read_pair", "read_rgb"]

_MASK = re.compile(r"^(?P<stem>.+)_mask(?P<number>\d*)$")


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """One picture, which is the truth, and one mask of it.

    Attributes:
        name: what reports call it: the picture's stem, or the mask's where a picture has several.
        image: the picture's file.
        mask: the mask's file.
    """

    name: str
    image: Path
    mask: Path


@dataclass(frozen=True, slots=True)
class PairSet:
    """What a folder holds.

    Attributes:
        pairs: sorted by name.
        unpaired: one line for each file left out: a picture without a mask, a mask without a picture,
            a picture whose stem another has too.
    """

    pairs: tuple[Pair, ...]
    unpaired: tuple[str, ...]


def find_pairs(folder: Path, *, masks: Path | None = None) -> PairSet:
    """The pairs of a folder.

    Layouts: ``x.png`` beside ``x_mask.png``; LaMa's ``x.png`` beside ``x_mask001.png``, as many masks
    a picture as there are; two folders matched by stem (IOPaint's), given as ``masks``, or found as
    ``images/`` and ``masks/`` (also singular) in ``folder``. Picture formats may differ within a pair.

    Args:
        folder: where the pictures are.
        masks: where the masks are; None = as above.

    Raises:
        EvaluationError: no such folder, or nothing that pairs.

    Cost: one listing of each folder.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not a folder: give a folder of pictures and masks")
    if masks is None:
        inner = {path.name.lower(): path for path in folder.iterdir() if path.is_dir()}
        pictures = inner.get("images") or inner.get("image")
        masks = inner.get("masks") or inner.get("mask")
        folder = pictures if pictures and masks else folder
        masks = masks if pictures and masks else None
    if masks is not None and not masks.is_dir():
        raise EvaluationError(f"{masks} is not a folder: give a folder of masks")
    images, found = _beside(folder) if masks is None else (_listing(folder), _listing(masks))
    by_stem, ambiguous = _by_stem(images)
    of_image: dict[Path, list[Path]] = {}
    unpaired = []
    for mask in found:
        matched = _MASK.match(mask.stem)
        image = by_stem.get(mask.stem) if masks is not None else None
        image = image or (by_stem.get(matched["stem"]) if matched else None)
        if image is None:
            unpaired.append(f"{mask.name}: no picture of this mask")
        else:
            of_image.setdefault(image, []).append(mask)
    unpaired += [f"{image.name}: another picture has the same stem" for image in ambiguous]
    unpaired += [
        f"{image.name}: no mask of this picture" for image in by_stem.values() if image not in of_image
    ]
    pairs = [
        Pair(image.stem if len(several) == 1 and not _numbered(several[0]) else mask.stem, image, mask)
        for image, several in of_image.items()
        for mask in several
    ]
    if not pairs:
        raise EvaluationError(
            f"{folder} holds no pair: name masks x_mask.png or x_mask001.png beside x.png, "
            "or keep images/ and masks/ of equal names"
        )
    return PairSet(tuple(sorted(pairs)), tuple(sorted(unpaired)))


def find_outputs(folder: Path, pairs: tuple[Pair, ...]) -> dict[str, Path]:
    """What another tool made of ``pairs``: by pair name, from files named after the pair, the mask (LaMa) or
    the picture (IOPaint), where a picture has one mask only.

    Raises:
        EvaluationError: no such folder, or no file that belongs to a pair.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not a folder: give a folder of another tool's pictures")
    by_stem, _ = _by_stem(_listing(folder))
    masks_of = Counter(pair.image for pair in pairs)
    found: dict[str, Path] = {}
    for pair in pairs:
        names = [pair.name, pair.mask.stem] + ([pair.image.stem] if masks_of[pair.image] == 1 else [])
        path = next((by_stem[name] for name in names if name in by_stem), None)
        if path is not None:
            found[pair.name] = path
    if not found:
        raise EvaluationError(f"{folder} holds no file named after a pair, such as {pairs[0].name}.png")
    return found


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A file as (H, W, 3) uint8 RGB in display orientation; 16 bits lose the lower eight, alpha is dropped.

    Raises:
        PictureError, LimitError: it cannot be read.
    """
    return np.ascontiguousarray(eight_bit(read_picture(path)))


def read_pair(pair: Pair, *, polarity: Polarity = "white") -> tuple[NDArray[np.uint8], Bool]:
    """The truth, (H, W, 3) uint8, and the hole, (H, W) bool.

    Raises:
        PictureError, LimitError: a file cannot be read.
        MaskError: the mask has another size.
        EvaluationError: the mask is empty, so that there is nothing to measure.
    """
    truth = read_rgb(pair.image)
    size = (truth.shape[0], truth.shape[1])
    hole = effective_mask(read_picture(pair.mask), size, polarity=polarity, soft=False).mask
    if not hole.any():
        raise EvaluationError(f"{pair.mask.name} marks nothing: check --mask-polarity (now {polarity})")
    return truth, hole


def _listing(folder: Path) -> list[Path]:
    suffixes = readable_suffixes()
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())


def _beside(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures and masks of one folder, told apart by name."""
    files = _listing(folder)
    masks = [path for path in files if _MASK.match(path.stem)]
    return [path for path in files if path not in set(masks)], masks


def _numbered(mask: Path) -> bool:
    matched = _MASK.match(mask.stem)
    return bool(matched and matched["number"])


def _by_stem(files: list[Path]) -> tuple[dict[str, Path], list[Path]]:
    """Files by stem, and those whose stem does not tell them apart."""
    counts = Counter(path.stem for path in files)
    table = {path.stem: path for path in files if counts[path.stem] == 1}
    return table, [path for path in files if counts[path.stem] > 1]
