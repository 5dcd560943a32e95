"""By what video files are read and written: PyAV, or the system's own `ffmpeg` where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remend.video import ffmpeg, ffmpeg_writing, planes, reading, writing, yuv

__all__ = ["FFMPEG", "PYAV", "Backend", "backend"]


@dataclass(frozen=True, slots=True)
class Backend:
    """What is needed of one; functions of `remend.video.reading`, `planes` and `writing` say what they do.

    Frames are whatever ``frames_of`` gives, and go through the others of the same backend alone.
    """

    facts_of: Callable[..., reading.Facts]
    frames_of: Callable[..., Any]
    rgb_of: Callable[[Any], Any]
    put_back: Callable[..., Any]
    write_segment: Callable[..., None]
    join: Callable[..., tuple[str, ...]]


PYAV = Backend(
    reading.facts_of,
    reading.frames_of,
    planes.rgb_of,
    planes.put_back,
    writing.write_segment,
    writing.join,
)
FFMPEG = Backend(
    ffmpeg.facts_of,
    ffmpeg.frames_of,
    yuv.rgb_of,
    yuv.put_back,
    ffmpeg_writing.write_segment,
    ffmpeg_writing.join,
)


def backend(asked: bool) -> Backend:
    """FFmpeg's programs if they are asked for, else PyAV."""
    return FFMPEG if asked else PYAV
