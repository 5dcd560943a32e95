"""Video files, written in segments that a killed run keeps, and joined with what else the source holds.

A segment is a NUT file of packets, encoded from a key frame on without frames that look ahead, so segments
follow one another as if they had been one. Sound, subtitles and chapters are copied packet by packet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remend.errors import UsageError, WriteError
from remend.io.atomic import existing
from remend.io.read import printable
from remend.video.reading import library, opened

if TYPE_CHECKING:
    from av import Packet, VideoFrame

__all__ = ["Encoding", "encoding_for", "join", "write_segment"]

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
# With them the same frames became other bytes in one run of seven, whatever the number of threads.
SETTLED = "threads=1:lookahead-threads=1:sync-lookahead=0:rc-lookahead=0:mbtree=0"
LOOK = {"libx264": "14", "libx265": "14", "libvpx-vp9": "16"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the repaired frames are coded.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: its options. One thread, so that the bytes do not depend on the machine's cores.
    """

    codec: str
    options: dict[str, str]


def encoding_for(
    target: Path,
    size: tuple[int, int],
    source_codec: str,
    *,
    crf: int | None,
    lossless: bool,
    fields: str = "",
) -> Encoding:
    """The encoder for a target by its ending.

    Args:
        target: ``.mp4``, ``.m4v``, ``.mov``, ``.mkv`` or ``.webm``.
        size: (height, width); odd ones need VP9.
        source_codec: HEVC stays HEVC, all else becomes H.264.
        crf: the rate factor, lower is better; None = what cannot be told from the source by eye.
        lossless: every decoded sample outside holes comes back as it was.
        fields: of interlaced video, which comes first, ``top`` or ``bottom``; it becomes H.264, interlaced.

    Raises:
        UsageError: an ending that is none of these, an odd size in ``.mov``, or fields where they do not go.
    """
    container = CONTAINERS.get(target.suffix.lower())
    if container is None:
        raise UsageError(
            f"{printable(target.name)}: videos are written as {' '.join(CONTAINERS)}: choose one"
        )
    odd = size[0] % 2 or size[1] % 2
    if fields and (container == "webm" or odd or size[0] % 4):
        raise UsageError(
            "interlaced video goes into .mp4, .mov or .mkv, its lines a multiple of four: choose one of "
            "these, or deinterlace it first"
        )
    if container == "webm" or odd:
        if container == "mov":
            raise UsageError("a size of odd numbers does not go into .mov: write .mp4 or .mkv")
        options = {"lossless": "1"} if lossless else {"crf": str(crf or LOOK["libvpx-vp9"]), "b": "0"}
        return Encoding(
            "libvpx-vp9", options | {"threads": "1", "cpu-used": "4", "row-mt": "0", "lag-in-frames": "0"}
        )
    if source_codec == "hevc" and not fields:
        rate = "lossless=1" if lossless else f"crf={LOOK['libx265'] if crf is None else crf}"
        settled = "bframes=0:pools=1:frame-threads=1:open-gop=0:log-level=none"
        return Encoding("libx265", {"x265-params": f"{rate}:{settled}"})
    woven = f":{'tff' if fields == 'top' else 'bff'}=1" if fields else ""
    quality = {"qp": "0"} if lossless else {"crf": str(LOOK["libx264"] if crf is None else crf)}
    return Encoding("libx264", quality | {"bf": "0", "preset": "medium", "x264-params": SETTLED + woven})


def write_segment(path: Path, frames: Iterable[VideoFrame], source: Path, encoding: Encoding) -> None:
    """Encode frames into a segment, whole or not at all.

    Args:
        path: of the segment.
        frames: in the working format, in order, with the source's times.
        source: what they come from: its rate, shape of pixels and colours are kept.
        encoding: how.

    Raises:
        WriteError: the disk does not take it.
    """
    av = library()
    draft = path.with_suffix(".draft")
    with opened(source) as before:
        like = before.streams.video[0]
        context = like.codec_context
        try:
            with av.open(str(draft), "w", format="nut") as container:
                stream = container.add_stream(
                    encoding.codec, rate=like.guessed_rate or Fraction(25), options=encoding.options
                )
                stream.time_base = like.time_base
                stream.codec_context.thread_count = 1
                stream.codec_context.time_base = like.time_base
                for name in ("color_primaries", "color_trc", "colorspace"):
                    setattr(stream.codec_context, name, getattr(context, name))
                stream.codec_context.color_range = context.color_range
                if context.pix_fmt and context.pix_fmt.startswith("yuvj"):
                    stream.codec_context.color_range = 2
                stream.codec_context.sample_aspect_ratio = like.sample_aspect_ratio or Fraction(0, 1)
                for count, frame in enumerate(frames):
                    if not count:
                        stream.width, stream.height = frame.width, frame.height
                        stream.pix_fmt = frame.format.name
                    frame.pict_type = 0  # the encoder's to choose
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
            draft.replace(path)
        except OSError as error:
            raise WriteError(f"{printable(path)}: cannot be written: {error.strerror or error}") from error


def join(segments: Sequence[Path], source: Path, target: Path, *, overwrite: bool) -> tuple[str, ...]:
    """Put segments together, with everything of the source beside its video.

    Args:
        segments: in order.
        source: its sound, subtitles, attachments, chapters and tags are copied.
        target: appears whole or not at all.
        overwrite: replace an existing one.

    Returns:
        Lines that the user should see: what the container cannot hold.

    Raises:
        WriteError: it exists, or the disk does not take it.
    """
    av, notes = library(), []
    draft = target.with_name(f".{target.name}.remend-draft")
    try:
        with (
            opened(source) as before,
            av.open(str(segments[0])) as first,
            av.open(str(draft), "w", format=CONTAINERS[target.suffix.lower()]) as container,
        ):
            like = before.streams.video[0]
            video = container.add_stream_from_template(first.streams.video[0])
            video.time_base = like.time_base
            _keep_looks(video, like)
            others: dict[int, Any] = {}
            for stream in before.streams:
                if stream.type not in ("audio", "subtitle", "attachment"):
                    continue  # the data in which .mp4 keeps its chapters are made anew
                held = stream.type == "attachment" or stream.codec_context.name in container.supported_codecs
                if held and (stream.type != "attachment" or target.suffix.lower() == ".mkv"):
                    others[stream.index] = container.add_stream_from_template(stream)
                    others[stream.index].metadata.update(stream.metadata)
                    others[stream.index].disposition = stream.disposition
                else:
                    notes.append(
                        f"{target.suffix} cannot hold the source's {stream.type}: left out, .mkv can"
                    )
            container.metadata.update(before.metadata)
            video.metadata.update(like.metadata)
            if before.chapters():
                container.set_chapters(before.chapters())
            _interleave(container, _packets(segments, video), before, others)
        if overwrite:
            draft.replace(target)
        else:
            try:
                os.link(draft, target)
            except FileExistsError:
                raise existing(target) from None
    except (OSError, av.error.FFmpegError) as error:
        raise WriteError(f"{printable(target)}: cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return tuple(notes)


def _keep_looks(video: Any, like: Any) -> None:
    """Rotation and flags of a stream."""
    video.disposition = like.disposition
    with opened(Path(like.container.name)) as again:
        turned = next(again.decode(again.streams.video[0])).rotation
    if turned:
        video.set_display_rotation(turned)


def _packets(segments: Sequence[Path], stream: Any) -> Iterator[Packet]:
    """The packets of all segments, for a stream of the output."""
    av = library()
    for path in segments:
        with av.open(str(path)) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.size:
                    packet.stream = stream
                    yield packet


def _interleave(container: Any, video: Iterator[Packet], before: Any, others: dict[int, Any]) -> None:
    """Write two lots of packets in the order of their times."""
    waiting = next(video, None)
    if others:
        for packet in before.demux(*(before.streams[index] for index in others)):
            if not packet.size:
                continue
            while waiting is not None and _time(waiting) <= _time(packet):
                container.mux(waiting)
                waiting = next(video, None)
            packet.stream = others[packet.stream.index]
            container.mux(packet)
    while waiting is not None:
        container.mux(waiting)
        waiting = next(video, None)


def _time(packet: Packet) -> float:
    when = packet.dts if packet.dts is not None else packet.pts
    return 0.0 if when is None else float(when * packet.time_base)
