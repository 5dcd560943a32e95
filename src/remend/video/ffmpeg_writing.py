"""Segments and whole videos written by the system's own `ffmpeg`, as `remend.video.writing` does by PyAV."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np

from remend.errors import WriteError
from remend.io.atomic import existing
from remend.io.read import printable
from remend.video.ffmpeg import (
    Stream,
    last_line,
    program,
    rotation_of,
    stream_of,
    streams_of,
    times_of,
    version,
)
from remend.video.writing import CONTAINERS, Encoding
from remend.video.yuv import Raw

__all__ = ["join", "write_segment"]

# What containers hold as it is; Matroska all.
HELD = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac", "mp2", "dts", "mov_text"},
    "mov": {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "mov_text"},
    "webm": {"vorbis", "opus", "webvtt"},
}
COLOURS = {
    "color_primaries": "color_primaries",
    "color_transfer": "color_trc",
    "color_space": "colorspace",
    "color_range": "color_range",
}


def write_segment(path: Path, frames: Iterable[Raw], source: Path, encoding: Encoding) -> None:
    """Encode frames into a segment, whole or not at all; see `remend.video.writing.write_segment`.

    Their times are kept beside it, and given to the packets when segments are joined.
    """
    draft = path.with_suffix(".draft")
    stream, running = stream_of(source), None
    times = []
    with tempfile.TemporaryFile() as said:
        try:
            for frame in frames:
                if running is None:
                    command = _encoder(frame, stream, encoding, draft)
                    running = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said)
                assert running.stdin is not None
                times.append(frame.pts)
                for plane in frame.planes:
                    running.stdin.write(np.ascontiguousarray(plane).data)
            assert running is not None and running.stdin is not None
            running.stdin.close()
            if running.wait():
                raise BrokenPipeError
        except BrokenPipeError:
            if running is not None:
                running.wait()
            raise WriteError(f"{printable(path)}: cannot be written: {last_line(said)}") from None
        except OSError as error:
            raise WriteError(f"{printable(path)}: cannot be written: {error.strerror or error}") from error
        finally:
            if running is not None:
                _let_go(running)
    _timed(draft, path, times, Fraction(stream["time_base"]))
    draft.unlink()


def _let_go(running: subprocess.Popen[bytes]) -> None:
    """End a program that may be waiting for more."""
    if running.poll() is None:
        running.kill()
    if running.stdin is not None:
        with suppress(BrokenPipeError):
            running.stdin.close()
    running.wait()


def _encoder(frame: Raw, stream: Stream, encoding: Encoding, target: Path) -> list[str]:
    """The command that encodes raw planes from its standard input."""
    height, width = frame.planes[0].shape
    rate = stream.get("avg_frame_rate", "25")
    rate = "25" if rate.startswith("0/") else rate
    looks = {
        option: stream[name] for name, option in COLOURS.items() if stream.get(name, "unknown") != "unknown"
    }
    if frame.full:
        looks["color_range"] = "pc"
    coloured = [part for name, value in looks.items() for part in (f"-{name}", value)]
    command = [program("ffmpeg"), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", frame.format]
    command += ["-s", f"{width}x{height}", "-framerate", rate, *coloured, "-i", "pipe:0"]
    shape = stream.get("sample_aspect_ratio", "0:1").replace(":", "/")
    if shape not in ("0/1", "1/1", "N/A"):
        command += ["-vf", f"setsar={shape}"]
    command += ["-c:v", encoding.codec, "-threads", "1"]
    for name, value in encoding.options.items():
        command += [f"-{name}", value]
    return [*command, *coloured, *_units(Fraction(stream["time_base"])), "-f", "mp4", f"file:{target}"]


def _units(base: Fraction) -> list[str]:
    """Of MP4, the one container of which one may say in what it counts."""
    return ["-video_track_timescale", str(base.denominator)]


def _timed(draft: Path, path: Path, times: Sequence[int], base: Fraction) -> None:
    """A segment whose packets have the times of their frames, from 0 on: ffmpeg's pipes carry none.

    Raises:
        WriteError: this ffmpeg gives them others.
    """
    ticks = [(pts - times[0]) * base.numerator for pts in times]
    table = "+".join(f"eq(N\\,{number})*{tick}" for number, tick in enumerate(ticks))
    ready = path.with_suffix(".ready")
    command = [program("ffmpeg"), "-v", "error", "-nostdin", "-y", "-i", f"file:{draft}", "-c", "copy"]
    _run([*command, "-bsf:v", f"setts=ts={table}", *_units(base), "-f", "mp4", f"file:{ready}"], path)
    kept = [pts * Fraction(stream_of(ready)["time_base"]) for pts in times_of(ready)]
    if kept != [Fraction(tick, base.denominator) for tick in ticks]:
        raise WriteError(
            f"{printable(path)}: this ffmpeg does not keep the times of frames: take one from 5.1 on, or PyAV"
        )
    ready.replace(path)


def join(segments: Sequence[Path], source: Path, target: Path, *, overwrite: bool) -> tuple[str, ...]:
    """Put segments together, with all that is beside the source's video; see `remend.video.writing`."""
    container, stream = CONTAINERS[target.suffix.lower()], stream_of(source)
    base, times = Fraction(stream["time_base"]), times_of(source)
    maps, notes = _others(source, target)
    listed = segments[0].with_name("segments.txt")
    draft = target.with_name(f".{target.name}.remend-draft")
    lines, first = ["ffconcat version 1.0"], 0
    for segment in segments:
        count = len(times_of(segment))
        last = times[first + count] if first + count < len(times) else times[-1] + _usual(times)
        lines += [f"file '{segment.name}'", f"duration {float((last - times[first]) * base):.6f}"]
        first += count
    turned = rotation_of(stream)
    shown = ["-display_rotation", str(turned)] if turned and version() > 5 else []
    command = [program("ffmpeg"), "-v", "error", "-nostdin", "-y", "-copyts"]
    command += ["-itsoffset", f"{float(times[0] * base):.6f}", *shown, "-f", "concat", "-safe", "0"]
    command += ["-i", f"file:{listed}", "-i", f"file:{source}", "-map", "0:v", *maps, "-c", "copy"]
    command += ["-map_metadata", "1", "-map_metadata:s:v:0", "1:s:v:0", "-map_chapters", "1"]
    command += ["-avoid_negative_ts", "disabled"]
    if turned and not shown:
        command += ["-metadata:s:v:0", f"rotate={turned % 360}"]
    flags = "+".join(name for name, value in stream.get("disposition", {}).items() if value)
    command += ["-disposition:v:0", flags or "0"]
    if container in ("mp4", "mov"):
        command += _units(base)
    try:
        listed.write_text("\n".join(lines) + "\n", "utf-8")
        _run([*command, "-f", container, f"file:{draft}"], target)
        if overwrite:
            draft.replace(target)
        else:
            try:
                os.link(draft, target)
            except FileExistsError:
                raise existing(target) from None
    except OSError as error:
        raise WriteError(f"{printable(target)}: cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
        listed.unlink(missing_ok=True)
    return tuple(notes)


def _others(source: Path, target: Path) -> tuple[list[str], list[str]]:
    """What is copied beside the video, and what the container cannot hold."""
    container, maps, notes = CONTAINERS[target.suffix.lower()], [], []
    for stream in streams_of(source):
        kind = stream["codec_type"]
        if kind not in ("audio", "subtitle", "attachment"):
            continue
        held = HELD.get(container)
        if held is None or stream.get("codec_name") in held:
            maps += ["-map", f"1:{stream['index']}"]
        else:
            notes.append(f"{target.suffix} cannot hold the source's {kind}: left out, .mkv can")
    return maps, notes


def _usual(times: Sequence[int]) -> int:
    """The last frame's duration, of which nothing tells: that of the one before."""
    return times[-1] - times[-2] if len(times) > 1 else 1


def _run(command: Sequence[str], path: Path) -> None:
    """Run a program to its end.

    Raises:
        WriteError: it failed, by its own last line.
    """
    with tempfile.TemporaryFile() as said:
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=said, check=False).returncode:
            raise WriteError(f"{printable(path)}: cannot be written: {last_line(said)}")
