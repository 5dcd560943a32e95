"""Video files read through the system's own `ffmpeg` and `ffprobe`, in place of PyAV and its wheels.

Frames come as raw planes through a pipe; their times are those of the packets, in the order of showing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from remend.errors import DecodeError, FormatError, UsageError
from remend.io.read import printable
from remend.video.planes import deep, working_format
from remend.video.reading import Facts
from remend.video.yuv import Raw, plane_sizes

__all__ = ["Stream", "facts_of", "frames_of", "last_line", "program", "stream_of", "times_of", "version"]

FIELDS = {"tt": "top", "bb": "bottom", "tb": "bottom", "bt": "top"}
Stream = dict[str, Any]  # as ffprobe tells of it


def program(name: str) -> str:
    """Where ``ffmpeg`` or ``ffprobe`` is.

    Raises:
        UsageError: it is not on the path.
    """
    found = shutil.which(name)
    if found is None:
        raise UsageError(
            f"--ffmpeg needs {name}, which is not on this machine's path: install FFmpeg, or leave --ffmpeg "
            "out and install PyAV by 'remend[video]'"
        )
    return found


@lru_cache(maxsize=1)
def version() -> int:
    """The major version of ``ffmpeg``; 99 where it does not say, as of a build from its newest source."""
    told = subprocess.run([program("ffmpeg"), "-version"], capture_output=True, text=True, check=False).stdout
    number = told.removeprefix("ffmpeg version ").lstrip("n").partition(".")[0]
    return int(number) if number.isdigit() else 99


def facts_of(path: Path) -> Facts:
    """Count the frames and look at what they are; see `remend.video.reading.facts_of`."""
    videos = [one for one in streams_of(path) if one["codec_type"] == "video"]
    if not videos:
        raise FormatError(f"{printable(path)}: holds no video: give a file that does")
    stream, notes = videos[0], []
    if not stream.get("width") or not stream.get("pix_fmt"):
        raise DecodeError(f"{printable(path)}: does not say how large its frames are: it is cut short")
    format_, exact = working_format(stream["pix_fmt"])
    if not exact:
        notes.append(f"{stream['pix_fmt']} is written as {format_}")
    if len(videos) > 1:
        notes.append("more than one video in the file: the first is repaired and kept, the others are not")
    size = (int(stream["height"]), int(stream["width"]))
    fields = FIELDS.get(stream.get("field_order", ""), "")
    return Facts(len(times_of(path)), size, stream["codec_name"], format_, fields, tuple(notes))


def frames_of(path: Path, facts: Facts) -> Iterator[Raw]:
    """The frames in the order that they are shown, in the working format.

    Raises:
        DecodeError: one cannot be decoded; with its number, from 1, and when it is shown.
    """
    stream, times = stream_of(path), times_of(path)
    base = Fraction(stream["time_base"])
    sizes = plane_sizes(facts.format, facts.size)
    dtype = np.dtype("<u2") if deep(facts.format) else np.dtype(np.uint8)
    whole = sum(height * width for height, width in sizes) * dtype.itemsize
    full = stream.get("color_range") == "pc" or stream["pix_fmt"].startswith("yuvj")
    turns, matrix = round(rotation_of(stream) / 90) % 4, stream.get("color_space", "")
    steady = ["-fps_mode", "passthrough"] if version() > 5 else ["-vsync", "passthrough"]
    command = [program("ffmpeg"), "-v", "error", "-nostdin", "-xerror", "-err_detect", "explode"]
    command += ["-noautorotate", "-i", f"file:{path}", "-map", "0:v:0", *steady]
    command += ["-pix_fmt", facts.format, "-f", "rawvideo", "pipe:1"]
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said)
        assert running.stdout is not None
        try:
            for number, pts in enumerate(times):
                content = _read(running.stdout, whole)
                if len(content) < whole:
                    raise DecodeError(
                        f"{printable(path)}: frame {number + 1}, at {float(pts * base):.2f} s, cannot be "
                        f"decoded ({last_line(said)}): cut it out, or copy the file anew"
                    )
                planes, at = [], 0
                for height, width in sizes:
                    plane = np.frombuffer(content, dtype, height * width, at).reshape(height, width)
                    planes.append(plane)
                    at += plane.nbytes
                yield Raw(tuple(planes), facts.format, pts, float(pts * base), turns, matrix, full)
        finally:
            running.kill()
            running.stdout.close()
            running.wait()


def _read(pipe: IO[bytes], count: int) -> bytes:
    """So many bytes, or what is left of a stream that ends."""
    return pipe.read(count)


def streams_of(path: Path) -> Sequence[Stream]:
    """What ffprobe tells of each stream.

    Raises:
        FormatError: it is no file that FFmpeg knows.
    """
    if not path.exists():
        raise FormatError(f"{printable(path)}: there is no such file: check the path")
    told = _probed(str(path), path.stat().st_mtime_ns, "-show_streams", "json")
    streams: list[Stream] = json.loads(told)["streams"]
    return streams


def stream_of(path: Path) -> Stream:
    """The video that is repaired."""
    return next(one for one in streams_of(path) if one["codec_type"] == "video")


def times_of(path: Path) -> list[int]:
    """When each frame is shown, in units of the stream, in order.

    Cost: reads the whole file, decodes nothing.
    """
    entries = "packet=pts,dts,flags,size"
    told = _probed(str(path), path.stat().st_mtime_ns, "-show_entries", "json", entries)
    packets = [one for one in json.loads(told)["packets"] if int(one["size"]) and "D" not in one["flags"]]
    return sorted(int(one.get("pts", one.get("dts", 0))) for one in packets)


@lru_cache(maxsize=8)
def _probed(path: str, changed_ns: int, what: str, form: str, entries: str = "") -> str:
    command = [program("ffprobe"), "-v", "error", "-of", form, what]
    command += [entries, "-select_streams", "v:0"] if entries else []
    done = subprocess.run([*command, f"file:{path}"], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = _plain(done.stderr) or "no reason is given"
        raise FormatError(f"{printable(Path(path))}: cannot be read as a video ({reason}): check it")
    return done.stdout


def rotation_of(stream: Stream) -> int:
    """Degrees against the clock that a stream is turned by when it is shown."""
    return next((int(one["rotation"]) for one in stream.get("side_data_list", ()) if "rotation" in one), 0)


def last_line(said: IO[bytes]) -> str:
    """The last that a program said, as a part of one line."""
    said.seek(0)
    return _plain(said.read().decode("utf-8", "replace")) or "ffmpeg gives no reason"


def _plain(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    line = "".join(letter if letter.isprintable() else "?" for letter in lines[-1].strip()) if lines else ""
    return line if len(line) <= 200 else line[:200] + "…"
