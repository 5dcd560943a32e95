"""Folders of pictures as clips: `frames/0001.png` and so on, in the order of their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import FormatError
from remend.io import read_picture, write_picture
from remend.io.read import printable
from remend.io.registry import format_of_suffix
from remend.picture import Bool, Picture

__all__ = ["frame_of", "pictures_in", "read_frames", "write_frame"]


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, 2 before 10.

    Raises:
        FormatError: there are none.
    """
    found = [path for path in folder.iterdir() if path.is_file() and format_of_suffix(path) is not None]
    found = [path for path in found if not path.name.startswith(".")]
    if not found:
        raise FormatError(f"{printable(folder)}: holds no pictures: give a folder of frames")
    return sorted(
        found, key=lambda path: [(int(w) if w.isdigit() else w) for w in re.split(r"(\d+)", path.name)]
    )


def read_frames(paths: list[Path]) -> Iterator[tuple[Picture, NDArray[Any]]]:
    """Each picture, and its samples as (H, W, 3).

    Raises:
        FormatError: one of another size than the first, or neither grey nor RGB in 8 or 16 bits.
        PictureError: one that cannot be read.
    """
    size = None
    for path in paths:
        picture = read_picture(path)
        size = size or picture.size
        if picture.size != size:
            raise FormatError(
                f"{printable(path)}: {picture.width}×{picture.height}, the first is {size[1]}×{size[0]}: "
                "frames must be of one size"
            )
        yield picture, frame_of(picture, path)


def frame_of(picture: Picture, path: Path) -> NDArray[Any]:
    """The colours of a picture as (H, W, 3) uint8 or uint16."""
    if picture.mode not in ("L", "LA", "RGB", "RGBA") or picture.samples.dtype == np.float32:
        raise FormatError(f"{printable(path)}: frames are grey or RGB in 8 or 16 bits: convert them")
    if picture.mode in ("L", "LA"):
        return np.repeat(picture.samples[..., :1], 3, axis=2)
    return np.ascontiguousarray(picture.samples[..., :3])


def write_frame(picture: Picture, pixels: NDArray[Any], hole: Bool, target: Path, *, overwrite: bool) -> None:
    """A picture with repaired colours under the hole, in its own container.

    Raises:
        WriteError: it exists, or the disk does not take it.
    """
    channels = 1 if picture.mode in ("L", "LA") else 3
    picture.samples[hole, :channels] = pixels[hole, :channels]
    write_picture(picture, target, changed=hole, overwrite=overwrite)
