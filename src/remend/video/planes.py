"""A decoded frame as RGB samples, and repaired samples back into its own planes.

Outside the hole the planes stay as they were decoded, sample by sample; a chroma sample that several pixels
share is renewed where the hole touches one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["deep", "planes_of", "put_back", "reduced", "rgb_of", "working_format"]

# Kept as they are, if the encoder takes them; others become the nearest of these.
PLANAR = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray", "gray10le")
FULL = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p"}


def working_format(name: str) -> tuple[str, bool]:
    """The planar format that a decoded one is worked on in, and whether every sample survives that.

    Args:
        name: as FFmpeg calls it.
    """
    if name in PLANAR or name in FULL:
        return FULL.get(name, name), True
    if name in ("nv12", "nv21"):
        return "yuv420p", True
    deep_one = any(mark in name for mark in ("10", "12", "14", "16", "48", "64"))
    sampling = next((part for part in ("420", "422", "444") if part in name), "444")
    return f"yuv{sampling}p" + ("10le" if deep_one else ""), False


def deep(name: str) -> bool:
    """Whether a working format has more than 8 bits."""
    return name.endswith("10le")


def rgb_of(frame: VideoFrame) -> NDArray[Any]:
    """(H, W, 3) uint8 or uint16, in the orientation that it is shown in."""
    name = "rgb48le" if deep(frame.format.name) else "rgb24"
    samples = frame.reformat(format=name).to_ndarray()
    return np.ascontiguousarray(np.rot90(samples, _turns(frame)))


def put_back(frame: VideoFrame, pixels: NDArray[Any], hole: Bool) -> VideoFrame:
    """The frame with repaired samples under the hole.

    Args:
        frame: in a working format.
        pixels: (H, W, 3) as ``rgb_of`` gave them, repaired.
        hole: (H, W) bool, True = repaired.

    Returns:
        A new frame of the same format, times and colours; the same one where nothing was repaired.
    """
    from av import VideoFrame

    if not hole.any():
        return frame
    turns = -_turns(frame)
    pixels, hole = np.rot90(pixels, turns), np.ascontiguousarray(np.rot90(hole, turns))
    name = "rgb48le" if deep(frame.format.name) else "rgb24"
    shown = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=name)
    drawn = shown.reformat(
        format=frame.format.name, dst_colorspace=frame.colorspace, dst_color_range=frame.color_range
    )
    result = VideoFrame(frame.width, frame.height, frame.format.name)
    for plane in result.planes:
        np.frombuffer(plane, np.uint8)[:] = 0  # encoders look past the end of a line
    for old, new, target in zip(planes_of(frame), planes_of(drawn), planes_of(result), strict=True):
        inside = reduced(hole, target.shape)
        target[...] = np.where(inside, new, old)
    result.pts, result.time_base = frame.pts, frame.time_base
    result.colorspace, result.color_range = frame.colorspace, frame.color_range
    result.color_primaries, result.color_trc = frame.color_primaries, frame.color_trc
    return result


def planes_of(frame: VideoFrame) -> list[NDArray[Any]]:
    """The planes of a frame in a working format, (h, w) uint8 or uint16 each; views, to be written to."""
    dtype = np.dtype(np.uint16 if deep(frame.format.name) else np.uint8)
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
        found.append(rows[:, : plane.width])
    return found


def _turns(frame: VideoFrame) -> int:
    """Quarter turns against the clock from what is stored to what is shown."""
    return round(int(frame.rotation) / 90) % 4


def reduced(hole: Bool, size: tuple[int, ...]) -> Bool:
    """The hole at the size of a plane: where any pixel of a cell is in it."""
    height, width = size
    across, down = -(-hole.shape[1] // width), -(-hole.shape[0] // height)
    if (across, down) == (1, 1):
        return hole
    padded = np.zeros((height * down, width * across), np.uint8)
    padded[: hole.shape[0], : hole.shape[1]] = hole
    grown = cv2.dilate(padded, np.ones((down, across), np.uint8), anchor=(0, 0))
    return np.asarray(grown[::down, ::across]).view(np.bool_)
