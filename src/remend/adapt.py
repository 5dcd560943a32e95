"""Paths, bytes, PIL images and arrays as pictures, and pictures as what they came as."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from remend.budget import Budget
from remend.errors import UsageError
from remend.io import read_picture
from remend.picture import DTYPES, Channels, Mode, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["as_picture", "from_array", "from_pil", "to_pil"]

MODES: dict[int, Mode] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
MOST_BANDS = 64  # of an array: one of (C, H, W) is more often the wrong way round than meant
PIL_MODES: dict[str, Mode] = {"L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "CMYK": "CMYK"}


def as_picture(image: object, *, budget: Budget | None = None, tolerate: bool = False) -> Picture:
    """Whatever the user has as a picture with samples of its own, in display orientation.

    Args:
        image: a path, the bytes of a file, a binary file, a PIL image, or an array. A picture stays itself.
        budget: for files: what decoding may cost; None = the usual bounds.
        tolerate: open truncated files as far as they go.

    Raises:
        UsageError: none of these, or an array of another shape or type.
        PictureError, LimitError: files that cannot be read.
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, np.ndarray):
        return from_array(image)
    if isinstance(image, (str, PathLike, bytes)) or hasattr(image, "read"):
        source: str | PathLike[str] | bytes | BinaryIO = image  # type: ignore[assignment]
        return read_picture(source, budget=budget, tolerate=tolerate)
    if hasattr(image, "getpixel"):
        return from_pil(image)  # type: ignore[arg-type]
    raise UsageError(
        f"an image is a path, bytes, a binary file, a PIL image or a NumPy array, got {type(image).__name__}"
    )


def from_array(array: NDArray[Any]) -> Picture:
    """A copy of an array as a picture.

    Args:
        array: (H, W) or (H, W, C): grey, grey + alpha, RGB or RGBA; from five channels on they are bands.
            Integers of 8, 16 or 32 bits, float32 or float64; bool counts as black and white.

    Raises:
        UsageError: another shape or type.
    """
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if not 1 <= channels <= MOST_BANDS or array.dtype not in DTYPES:
        raise UsageError(
            f"an image array must be (H, W) or (H, W, 1 to {MOST_BANDS}) of integers of 8, 16 or 32 bits, "
            f"float32 or float64, got {array.dtype} {array.shape}"
        )
    samples, mode = array.reshape(*array.shape[:2], channels).copy(), MODES.get(channels, "L")
    return Picture(samples, mode, channels=Channels.of(mode, channels))


def from_pil(image: Image) -> Picture:
    """A PIL image as a picture: 1, L, LA, RGB, RGBA, CMYK, P, I;16 and F, as they are.

    Raises:
        UsageError: another mode.
    """
    if image.mode == "P":
        return Picture(np.array(image)[..., None], "P", palette=_palette_of(image))
    if image.mode == "1":
        return from_array(np.array(image))
    if image.mode in PIL_MODES:
        samples = np.array(image)
        return Picture(samples.reshape(*samples.shape[:2], -1), PIL_MODES[image.mode])
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N"):
        return Picture(np.array(image).astype(np.uint16)[..., None], "L")
    if image.mode == "F":
        return Picture(np.array(image, np.float32)[..., None], "L")
    raise UsageError(f"a PIL image of mode {image.mode} is not supported: convert it to RGB or L")


def to_pil(picture: Picture, *, like: Image) -> Image:
    """The picture as a new PIL image of the mode, and info, of ``like``; RGB where a palette is gone."""
    import PIL.Image

    samples = picture.samples[..., 0] if picture.samples.shape[2] == 1 else picture.samples
    samples = np.ascontiguousarray(samples)
    if like.mode == "1":
        made = PIL.Image.fromarray(samples).point(lambda value: 255 if value >= 128 else 0).convert("1")
    elif picture.palette is not None:
        made = like.copy()
        made.putpalette(picture.palette[:, :3].tobytes(), "RGB")
        made.frombytes(samples.tobytes())
    elif like.mode.startswith("I;16"):
        made = PIL.Image.frombytes("I;16", (picture.width, picture.height), samples.astype("<u2").tobytes())
    elif like.mode == "CMYK":
        made = PIL.Image.frombytes("CMYK", (picture.width, picture.height), samples.tobytes())
    else:
        made = PIL.Image.fromarray(samples)
    made.info = dict(like.info)
    return made


def _palette_of(image: Image) -> NDArray[np.uint8]:
    """(N, 4) RGBA, with the transparent entries that the image's info names."""
    assert image.palette is not None
    colours = np.frombuffer(image.palette.getdata()[1], np.uint8)
    mode = image.palette.getdata()[0]
    colours = colours.reshape(-1, 4 if mode.startswith("RGBA") else 3)
    table = np.full((len(colours), 4), 255, np.uint8)
    table[:, : colours.shape[1]] = colours
    transparent = image.info.get("transparency")
    if isinstance(transparent, int) and transparent < len(table):
        table[transparent, 3] = 0
    elif isinstance(transparent, bytes):
        alpha = np.frombuffer(transparent, np.uint8)[: len(table)]
        table[: len(alpha), 3] = alpha
    used = int(np.array(image).max()) + 1
    if used > len(table):
        table = np.concatenate([table, np.full((used - len(table), 4), (0, 0, 0, 255), np.uint8)])
    return table
