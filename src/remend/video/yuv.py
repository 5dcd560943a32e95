"""Frames as planes of luma and chroma, without PyAV: to RGB, and repaired samples back under the hole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.video.planes import deep, reduced

__all__ = ["Raw", "plane_sizes", "put_back", "rgb_of"]

# Shares of red and blue in luma: ITU-R BT.601, BT.709, BT.2020, and those that FFmpeg knows beside.
SHARES = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
    "bt2020c": (0.2627, 0.0593),
}
USUAL = (0.299, 0.114)


@dataclass(frozen=True, slots=True)
class Raw:
    """One decoded frame.

    Attributes:
        planes: (h, w) uint8, or uint16 of 10 bits, each: luma, then chroma if any.
        format: the working format, as FFmpeg calls it.
        pts: its time in the stream's units.
        time: in seconds.
        turns: quarter turns against the clock from what is stored to what is shown.
        matrix: FFmpeg's name of the colour matrix; empty = not said.
        full: samples use the full range.
    """

    planes: tuple[NDArray[Any], ...]
    format: str
    pts: int
    time: float
    turns: int = 0
    matrix: str = ""
    full: bool = False


def plane_sizes(format_: str, size: tuple[int, int]) -> list[tuple[int, int]]:
    """(height, width) of each plane of a working format."""
    if format_.startswith("gray"):
        return [size]
    down = 2 if "420" in format_ else 1
    across = 1 if "444" in format_ else 2
    return [size, *[(-(-size[0] // down), -(-size[1] // across))] * 2]


def rgb_of(frame: Raw) -> NDArray[Any]:
    """(H, W, 3) uint8 or uint16, in the orientation that it is shown in."""
    deep_one = deep(frame.format)
    black, scale, middle = _levels(frame)
    luma = (frame.planes[0].astype(np.float32) - black) * scale[0]
    if len(frame.planes) == 1:
        colours = np.repeat(luma[..., None], 3, axis=2)
    else:
        red, blue = SHARES.get(frame.matrix, USUAL)
        size = luma.shape[::-1]
        cb, cr = (
            np.asarray(cv2.resize((plane.astype(np.float32) - middle) * scale[1], size), np.float32)
            for plane in frame.planes[1:]
        )
        r, b = luma + np.float32(2 - 2 * red) * cr, luma + np.float32(2 - 2 * blue) * cb
        g = (luma - np.float32(red) * r - np.float32(blue) * b) / np.float32(1 - red - blue)
        colours = np.stack([r, g, b], axis=2)
    top = 65535 if deep_one else 255
    samples = np.clip(np.rint(colours * top), 0, top).astype(np.uint16 if deep_one else np.uint8)
    return np.ascontiguousarray(np.rot90(samples, frame.turns))


def put_back(frame: Raw, pixels: NDArray[Any], hole: Bool) -> Raw:
    """The frame with repaired samples under the hole; see `remend.video.planes.put_back`."""
    if not hole.any():
        return frame
    pixels, hole = np.rot90(pixels, -frame.turns), np.ascontiguousarray(np.rot90(hole, -frame.turns))
    colours = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    red, blue = SHARES.get(frame.matrix, USUAL)
    r, g, b = np.moveaxis(colours, 2, 0)
    luma = np.float32(red) * r + np.float32(1 - red - blue) * g + np.float32(blue) * b
    black, scale, middle = _levels(frame)
    drawn = [luma / scale[0] + black]
    if len(frame.planes) > 1:
        size = frame.planes[1].shape
        for colour, share in ((b, blue), (r, red)):
            drawn.append(_averaged((colour - luma) / np.float32(2 - 2 * share), size) / scale[1] + middle)
    top = 1023 if deep(frame.format) else 255
    planes = tuple(
        np.where(reduced(hole, old.shape), np.clip(np.rint(new), 0, top).astype(old.dtype), old)
        for old, new in zip(frame.planes, drawn, strict=True)
    )
    return replace(frame, planes=planes)


def _levels(frame: Raw) -> tuple[np.float32, tuple[np.float32, np.float32], np.float32]:
    """The code of black; what a step of luma and of chroma is worth; the code of no colour."""
    unit = 4 if deep(frame.format) else 1
    middle = np.float32(128 * unit)
    if frame.full:
        worth = np.float32(1 / (1023 if unit == 4 else 255))
        return np.float32(0), (worth, worth), middle
    return np.float32(16 * unit), (np.float32(1 / (219 * unit)), np.float32(1 / (224 * unit))), middle


def _averaged(plane: Float, size: tuple[int, ...]) -> Float:
    """A plane at the size of chroma: means of cells; the last ones of odd sizes hold less."""
    across, down = -(-plane.shape[1] // size[1]), -(-plane.shape[0] // size[0])
    wide = np.pad(
        plane, ((0, size[0] * down - plane.shape[0]), (0, size[1] * across - plane.shape[1])), "edge"
    )
    return np.asarray(wide.reshape(size[0], down, size[1], across).mean(axis=(1, 3)), np.float32)
