"""Pillow's decoders behind our errors.

A plugin class is opened by itself, not through `Image.open`: the format is known by then, and
Pillow's own limit on pixels, which is a setting of the whole process, stays out of it.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from remend.errors import DecodeError, FormatError
from remend.picture import CHANNELS, Metadata, Mode, Picture

__all__ = ["array_of", "eight_bit_image", "load_frame", "open_frame"]

# What the plugins raise on damaged files; libavif's and libheif's come as RuntimeError.
DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    struct.error,
    LookupError,
    TypeError,
    OverflowError,
)


def open_frame(plugin: type[ImageFile.ImageFile], data: bytes, name: str, kind: str) -> ImageFile.ImageFile:
    """The file opened, its first frame not decoded yet.

    Raises:
        DecodeError: the plugin refuses it.
    """
    try:
        return plugin(io.BytesIO(data))
    except DAMAGE as error:
        raise DecodeError(f"{name}: a damaged {kind}: {_reason(error)}") from error


def load_frame(image: ImageFile.ImageFile, name: str, kind: str) -> Image.Image:
    """The first frame, decoded.

    Raises:
        DecodeError: truncated or damaged.
    """
    try:
        image.load()
    except DAMAGE as error:
        raise DecodeError(f"{name}: a truncated or damaged {kind}: {_reason(error)}") from error
    return image


def array_of(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, C) uint8, writable."""
    samples = np.array(image)
    return samples.reshape(*samples.shape[:2], -1)


def eight_bit_image(
    picture: Picture, *, kind: str, modes: tuple[Mode, ...], metadata: Metadata | None = None
) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture as a Pillow image of one of ``modes`` with the same colours, and what had to change.

    L and LA become RGB and RGBA, a palette becomes its colours; CMYK and more than 8 bits are never
    converted.

    Raises:
        FormatError: the format cannot hold such samples.
    """
    if picture.mode == "CMYK":
        raise FormatError(f"{kind} cannot hold CMYK: write a TIFF or a JPEG")
    if picture.samples.dtype != np.uint8:
        wide = "a TIFF" if picture.samples.dtype == np.float32 else "a PNG or a TIFF"
        raise FormatError(f"{kind} cannot hold {picture.samples.dtype} samples: write {wide}")
    samples: NDArray[Any] = picture.samples
    mode: Mode = picture.mode
    notes: tuple[str, ...] = ()
    if picture.palette is not None:
        mode = "RGBA" if (picture.palette[:, 3] != 255).any() else "RGB"
        samples = picture.palette[samples[:, :, 0], : CHANNELS[mode]]
        notes = (f"{kind} has no palette: written as {mode}",)
    if mode not in modes:
        wider: Mode = "RGBA" if mode == "LA" else "RGB"
        samples = samples[:, :, [0, 0, 0, 1][: CHANNELS[wider]]]
        notes = (*notes, f"{kind} has no {mode}: written as {wider}, the same colours")
    if samples.shape[2] == 1:
        samples = samples[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(samples)), notes


def _reason(error: Exception) -> str:
    """The plugin's message, kept to one line."""
    return " ".join(str(error).split()) or type(error).__name__
