"""Clean photographs: Kodak and CID22 where a developer has them, and those that scikit-image brings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from benchmarks.finding.bars import MissingError
from benchmarks.line import SHARED

SETS = ("kodak24", "cid22_val")
SCIKIT = (
    *("astronaut", "brick", "camera", "cell", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("hubble_deep_field", "immunohistochemistry", "moon", "retina", "rocket", "stereo_motorcycle"),
)


@dataclass(frozen=True, slots=True)
class Photograph:
    """A clean picture.

    Attributes:
        of_set: ``kodak24``, ``cid22_val`` or ``skimage``.
        name: its own.
        number: among all of them, whichever are used; seeds are drawn from it.
        pixels: (H, W, 3) uint8 RGB.
    """

    of_set: str
    name: str
    number: int
    pixels: NDArray[np.uint8]


def shared(folder: str) -> Path:
    """A folder of the shared data.

    Raises:
        MissingError: it is not there.
    """
    path = SHARED / folder
    if not path.exists():
        raise MissingError(f"needs {folder} of the shared data, which is not part of the repository")
    return path


def photographs(every: int = 1, *, sets: tuple[str, ...] = SETS) -> Iterator[Photograph]:
    """Every n-th picture of the shared sets.

    Raises:
        MissingError: they are not there.
    """
    paths = [path for name in SETS for path in sorted(shared(f"dev/{name}").iterdir())]
    paths = [path for path in paths if not path.stem.endswith("_mask")]
    for number, path in list(enumerate(paths))[::every]:
        if path.parent.name in sets:
            yield Photograph(path.parent.name, path.stem, number, read_rgb(path))


def scikit_photographs(every: int = 1) -> Iterator[Photograph]:
    """Every n-th photograph of scikit-image's wheel; grey ones as RGB."""
    for number, name in list(enumerate(SCIKIT))[::every]:
        loaded = getattr(data, name)()
        pixels = loaded[0] if isinstance(loaded, tuple) else loaded
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        yield Photograph("skimage", name, 1000 + number, np.ascontiguousarray(pixels[..., :3]))


def clean_photographs(every: int = 1) -> Iterator[Photograph]:
    """Those of the shared sets, where there are any, and scikit-image's."""
    with contextlib.suppress(MissingError):
        yield from photographs(every)
    yield from scikit_photographs(every)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) of a file."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
