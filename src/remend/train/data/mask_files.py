"""Holes from mask files, such as NVIDIA's irregular masks: drawn evenly over bins of hole ratio."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError, UsageError
from remend.options import POLARITIES
from remend.picture import Bool
from remend.train.data.sources.coco import read_objects
from remend.train.data.sources.folder import apart, walk

__all__ = ["BINS", "MaskFiles", "read_mask_files"]

BINS = (0.0, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)
"""Edges of the bins of hole ratio that masks are drawn from evenly; those of the papers, .01–.1 … .5–.6."""

_SUFFIXES = frozenset({".png", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
_LARGEST_PX = 1024
_TRIES = 8
_MOST = 0.95
_OUTLINES = 20_000
_LEAST_OUTLINE_PX = 16


@dataclass(frozen=True)
class MaskFiles:
    """Masks in memory, packed: an irregular one of 512² takes about 3 KB.

    Attributes:
        names: paths from the folder, sorted.
        packed: deflated bits.
        sizes: (height, width) of each.
        bins: numbers of the masks of each bin of ``BINS`` that has any.
        skipped: a line for each file that is no mask, or marks nothing or everything.
    """

    names: tuple[str, ...]
    packed: tuple[bytes, ...]
    sizes: tuple[tuple[int, int], ...]
    bins: tuple[tuple[int, ...], ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, number: int) -> Bool:
        """Mask ``number``: (H, W) bool, True = hole."""
        height, width = self.sizes[number]
        bits = np.frombuffer(zlib.decompress(self.packed[number]), np.uint8)
        return np.unpackbits(bits, count=height * width).view(np.bool_).reshape(height, width)

    def draw(self, side: int, rng: np.random.Generator) -> Bool:
        """A hole: (side, side) bool, neither empty nor over 95 %.

        A bin is drawn, then a mask of it; a square of it, half of the time the largest, else as large as
        comes between that and ``side``, is brought to ``side`` without new values, turned and mirrored.
        """
        chosen = self.bins[int(rng.integers(len(self.bins)))]
        for attempt in range(_TRIES):
            mask = self[chosen[int(rng.integers(len(chosen)))]]
            largest = min(mask.shape)
            # The last attempt takes the whole: its ratio is known to be neither none nor all, or nearly so.
            whole = rng.random() < 0.5 or attempt == _TRIES - 1
            window = largest if whole else int(rng.integers(min(side, largest), largest + 1))
            top, left = (int(rng.integers(length - window + 1)) for length in mask.shape)
            crop = np.rot90(mask[top : top + window, left : left + window], int(rng.integers(4)))
            if rng.random() < 0.5:
                crop = crop[:, ::-1]
            hole = _resized(np.ascontiguousarray(crop), side)
            if hole.any() and hole.mean() <= _MOST:
                return hole
        # A thin mask far larger than the crop can lose everything on the way: any pixel that was touched.
        hole = _touched(mask, side)
        return hole if not hole.all() else _resized(mask, side)


def read_mask_files(folder: Path, *, polarity: str = "white", threads: int = 2) -> MaskFiles:
    """Read every mask of a folder and the folders below.

    In a folder of pictures with masks beside them (``x_mask001.png``), the masks alone are taken. An
    ``instances_*.json`` of COCO gives the outlines of its things, some twenty thousand.

    Args:
        folder: of masks of any size and depth, which need not fit any picture; or COCO's JSON.
        polarity: what marks the hole: ``white`` (half of the range and more), ``black``, ``alpha``
            (transparent) or ``opaque``.
        threads: that decode.

    Raises:
        UsageError: no such folder, an unknown polarity.
        MaskError: no usable mask in it.

    Cost: 2 ms a mask of 512² and thread.
    """
    if polarity not in POLARITIES:
        raise UsageError(f"data.mask_polarity must be one of {', '.join(POLARITIES)}, got {polarity!r}")
    if folder.is_file() and folder.suffix.lower() == ".json":
        return _binned(_outlines(folder), folder)
    if not folder.is_dir():
        raise UsageError(f"data.masks={folder} is no folder: give one of masks, or COCO's instances JSON")
    names = sorted(n for n in walk(folder) if "." + n.rsplit(".", 1)[-1].lower() in _SUFFIXES)
    beside = apart(names)[1]
    if beside:
        names = sorted(name for several in beside.values() for name in several)
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda name: (name, _read(folder / name, polarity)), names)
        return _binned(found, folder)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A mask as it is kept; at 512², a hundredth of what it takes as an array."""

    bits: bytes
    size: tuple[int, int]
    ratio: float

    @classmethod
    def of(cls, mask: Bool) -> _Packed:
        bits = zlib.compress(np.packbits(mask).tobytes(), 1)
        return cls(bits, (mask.shape[0], mask.shape[1]), float(mask.mean()))


def _binned(found: Iterable[tuple[str, _Packed | str]], source: Path) -> MaskFiles:
    names: list[str] = []
    kept: list[_Packed] = []
    skipped: list[str] = []
    bins: dict[int, list[int]] = {}
    for name, mask in found:
        if isinstance(mask, str):
            skipped.append(f"{name}: {mask}")
        elif not 0 < mask.ratio <= _MOST:
            skipped.append(f"{name}: marks {f'{mask.ratio:.0%} of it' if mask.ratio else 'nothing'}")
        else:
            bins.setdefault(int(np.searchsorted(BINS, mask.ratio, side="right")), []).append(len(names))
            names.append(name)
            kept.append(mask)
    if not names:
        why = f"{len(skipped):,} files were no use, the first {skipped[0]}" if skipped else "no picture files"
        raise MaskError(f"data.masks={source} holds no mask ({why}): check data.mask_polarity, white = hole")
    ordered = tuple(tuple(bins[number]) for number in sorted(bins))
    return MaskFiles(
        tuple(names), tuple(m.bits for m in kept), tuple(m.size for m in kept), ordered, tuple(skipped)
    )


def _read(path: Path, polarity: str) -> _Packed | str:
    """A mask no larger than 1024 px, or why it is none."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except cv2.error:
        image = None
    if image is None:
        return "cannot be decoded"
    planes: NDArray[Any] = np.atleast_3d(image)
    half = {np.dtype(np.uint8): 128, np.dtype(np.uint16): 32768}.get(planes.dtype, 0.5)
    alpha = planes.shape[2] in (2, 4)
    if polarity in ("alpha", "opaque"):
        if not alpha:
            return "has no transparency"
        mask = (planes[..., -1] >= half) == (polarity == "opaque")
    else:
        colour = planes[..., :-1] if alpha else planes
        top = colour.max()
        if 0 < top < half:
            if not np.isin(colour, (0, top)).all():
                return f"has nothing white, its largest value is {top:g}"
            half = top  # of two levels, 0 and 1 say
        mask = (colour >= half).any(axis=2) == (polarity == "white")
    largest = max(mask.shape)
    if largest > _LARGEST_PX:
        height, width = (max(1, round(n * _LARGEST_PX / largest)) for n in mask.shape)
        shrunk = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        mask = np.asarray(shrunk, np.uint8).view(np.bool_)
    return _Packed.of(mask)


def _outlines(path: Path) -> Iterator[tuple[str, _Packed]]:
    """Things of COCO that are no crowds, each in a square half as large again as its box."""
    things = [
        (f"{name}#{number}", thing)
        for name, several in sorted(read_objects(path).items())
        for number, thing in enumerate(several)
        if not thing.crowd and isinstance(thing.outline, list) and min(thing.box[2:]) >= _LEAST_OUTLINE_PX
    ]
    for name, thing in things[:: max(1, len(things) // _OUTLINES)]:
        x, y, width, height = thing.box
        side = int(1.5 * max(width, height))
        # Moved from its box in the picture to the middle of the square.
        move = np.array(((side - width) / 2 - x, (side - height) / 2 - y))
        moved = [(np.reshape(polygon, (-1, 2)) + move).ravel().tolist() for polygon in thing.outline]
        square = (round((side - width) / 2), round((side - height) / 2), width, height)
        yield name, _Packed.of(replace(thing, box=square, outline=moved).mask((side, side)))


def _resized(mask: Bool, side: int) -> Bool:
    if mask.shape == (side, side):
        return mask
    resized = cv2.resize(mask.view(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.uint8).view(np.bool_)


def _touched(mask: Bool, side: int) -> Bool:
    shrunk = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk) > 0
