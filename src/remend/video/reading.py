"""Video files, read frame by frame through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remend.errors import DecodeError, FormatError, UsageError
from remend.io.read import printable
from remend.video.planes import working_format

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

__all__ = ["SUFFIXES", "Facts", "facts_of", "frames_of", "library", "opened"]

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".ogv", ".wmv", ".flv")
FIELDS = {2: "top", 3: "bottom", 4: "bottom", 5: "top"}  # FFmpeg's AVFieldOrder: which is shown first


@dataclass(frozen=True, slots=True)
class Facts:
    """What a video file is, before any frame is decoded.

    Attributes:
        frames: how many, counted.
        size: (height, width) as stored.
        codec: its name.
        format: the planar pixel format that it is worked on in.
        fields: of interlaced video, which comes first: ``top`` or ``bottom``; else empty.
        notes: lines that the user should see.
    """

    frames: int
    size: tuple[int, int]
    codec: str
    format: str
    fields: str = ""
    notes: tuple[str, ...] = ()


def library() -> Any:
    """PyAV.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise UsageError(
            "video files need PyAV: pip install 'remend[video]', or give --ffmpeg, or a folder of frames"
        ) from None
    av.logging.set_level(None)  # its faults come as exceptions, too
    return av


def opened(path: Path) -> InputContainer:
    """A video file, open.

    Raises:
        FormatError: it is no file that FFmpeg knows, or holds no video.
    """
    av = library()
    try:
        container: InputContainer = av.open(str(path))
    except FileNotFoundError:
        raise FormatError(f"{printable(path)}: there is no such file: check the path") from None
    except (av.error.FFmpegError, OSError) as error:
        raise FormatError(
            f"{printable(path)}: cannot be read as a video ({error.strerror}): check it"
        ) from error
    if not container.streams.video:
        container.close()
        raise FormatError(f"{printable(path)}: holds no video: give a file that does")
    return container


def facts_of(path: Path) -> Facts:
    """Count the frames and look at what they are.

    Raises:
        FormatError, DecodeError: as ``opened``, and packets that cannot be read.

    Cost: reads the whole file, decodes nothing.
    """
    av, notes = library(), []
    with opened(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        if not context.width or not context.pix_fmt:
            raise DecodeError(f"{printable(path)}: does not say how large its frames are: it is cut short")
        format_, exact = working_format(context.pix_fmt)
        if not exact:
            notes.append(f"{context.pix_fmt} is written as {format_}")
        if len(container.streams.video) > 1:
            notes.append(
                "more than one video in the file: the first is repaired and kept, the others are not"
            )
        try:
            frames = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
        except av.error.FFmpegError as error:
            raise DecodeError(f"{printable(path)}: cannot be read to its end ({error.strerror})") from error
        fields = FIELDS.get(int(context.field_order), "")
    return Facts(frames, (context.height, context.width), context.name, format_, fields, tuple(notes))


def frames_of(path: Path, facts: Facts) -> Iterator[VideoFrame]:
    """The frames in the order that they are shown, in the working format.

    Raises:
        DecodeError: one cannot be decoded; with its number, from 1, and when it is shown.
    """
    av = library()
    with opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        number = 0
        try:
            for frame in container.decode(stream):
                number += 1
                if frame.is_corrupt:
                    raise _broken(path, number, frame.time)
                if (frame.height, frame.width) != facts.size:
                    raise DecodeError(
                        f"{printable(path)}: frame {number} is {frame.width}×{frame.height}, the first are "
                        f"{facts.size[1]}×{facts.size[0]}: cut the file where the size changes"
                    )
                if frame.format.name != facts.format:
                    yield frame.reformat(format=facts.format)
                else:
                    yield frame
        except av.error.FFmpegError as error:
            raise _broken(path, number + 1, None) from error


def _broken(path: Path, number: int, time_s: float | None) -> DecodeError:
    when = "" if time_s is None else f", at {time_s:.2f} s,"
    return DecodeError(
        f"{printable(path)}: frame {number}{when} cannot be decoded: cut it out, or copy the file anew"
    )
