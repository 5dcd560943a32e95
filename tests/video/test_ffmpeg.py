"""`--ffmpeg`: the programs of the system in place of PyAV; test_files.py runs through both."""

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from remend.errors import UsageError, WriteError
from remend.options.video import VideoOptions
from remend.video import ffmpeg, yuv
from remend.video.job import repair_video
from remend.video.planes import working_format
from remend.video.watching import watch

SIZE = (72, 96)
MINE = VideoOptions(reach=4, ffmpeg=True)
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="no ffmpeg here"
)


@pytest.fixture
def logo(tmp_path):
    hole = np.zeros(SIZE, np.uint8)
    hole[40:50, 30:50] = 255
    cv2.imwrite(str(tmp_path / "logo.png"), hole)
    return tmp_path / "logo.png"


@pytest.fixture
def clip(tmp_path):
    """Six frames and a tone, made without PyAV."""
    path = tmp_path / "in.mp4"
    pictures = ["-f", "lavfi", "-i", "testsrc=size=96x72:rate=25:duration=0.24"]
    tone = ["-f", "lavfi", "-i", "sine=duration=0.24"]
    coded = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", str(path)]
    subprocess.run(["ffmpeg", "-v", "error", *pictures, *tone, *coded], check=True)
    return path


def raw(format_, planes, **more):
    return yuv.Raw(tuple(planes), format_, 0, 0.0, **more)


def planes_of(format_, seed=0):
    drawn = np.random.default_rng(seed)
    top, dtype = (1023, np.uint16) if "10" in format_ else (255, np.uint8)
    found = []
    for size in yuv.plane_sizes(format_, SIZE):
        coarse = drawn.uniform(0.3, 0.7, (5, 6)).astype(np.float32)
        found.append((cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) * top).astype(dtype))
    return found


@pytest.mark.parametrize("format_", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le", "gray"])
@pytest.mark.parametrize("matrix", ["", "bt709", "bt2020nc"])
@pytest.mark.parametrize("full", [False, True])
def test_samples_come_back_as_they_were_and_only_under_the_hole(format_, matrix, full):
    frame = raw(format_, planes_of(format_), matrix=matrix, full=full, turns=1)
    hole = np.zeros(SIZE[::-1], np.bool_)
    hole[20:61, 11:40] = True
    pixels = yuv.rgb_of(frame)
    assert pixels.shape == (*SIZE[::-1], 3)
    same = yuv.put_back(frame, pixels, hole)
    unit = 4 if "10" in format_ else 1
    for old, new in zip(frame.planes, same.planes, strict=True):
        assert np.abs(old.astype(int) - new).max() <= 2 * unit  # smooth ones, there and back
    white = yuv.put_back(frame, np.full_like(pixels, np.iinfo(pixels.dtype).max), hole)
    stored = np.rot90(hole, -1)
    assert (white.planes[0][~stored] == frame.planes[0][~stored]).all()
    assert (white.planes[0][stored] == (255 if full else 235) * unit + (3 if full and unit == 4 else 0)).all()


@pytest.mark.parametrize("format_", ["yuv420p", "yuv444p", "yuv422p10le"])
@pytest.mark.parametrize(("matrix", "number"), [("bt709", 1), ("", 2)])
def test_colours_are_those_of_swscale(format_, matrix, number):
    av = pytest.importorskip("av", reason="compared with PyAV: pip install '.[video]'")
    from remend.video import planes

    given = planes_of(format_)
    if "444" not in format_:  # chroma that does not change: swscale repeats samples, where others lead over
        given[1:] = [np.full_like(plane, plane[9, 9]) for plane in given[1:]]
    ours = raw(format_, given, matrix=matrix)
    theirs = av.VideoFrame(SIZE[1], SIZE[0], format_)
    for plane, target in zip(ours.planes, planes.planes_of(theirs), strict=True):
        target[...] = plane
    theirs.colorspace = number
    apart = yuv.rgb_of(ours).astype(float) - planes.rgb_of(theirs)
    assert np.abs(apart).mean() < (2.0 if "10" not in format_ else 257.0)  # swscale's quickest way cuts off


def test_without_the_programs_one_line_says_so(monkeypatch, tmp_path, logo):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "in.mp4").write_bytes(b"x")
    with pytest.raises(UsageError, match="--ffmpeg needs ffprobe, which is not on this machine's path"):
        repair_video(tmp_path / "in.mp4", tmp_path / "out.mp4", mask=logo, options=MINE)


@needs_ffmpeg
def test_pyav_is_not_needed(monkeypatch, tmp_path, logo, clip):
    monkeypatch.setitem(sys.modules, "av", None)
    repair_video(clip, tmp_path / "out.mp4", mask=logo, options=MINE)
    facts = ffmpeg.facts_of(tmp_path / "out.mp4")
    assert (facts.frames, facts.size, facts.codec, facts.format) == (6, SIZE, "h264", "yuv420p")
    assert ffmpeg.times_of(tmp_path / "out.mp4") == ffmpeg.times_of(clip)
    assert {one["codec_type"] for one in ffmpeg.streams_of(tmp_path / "out.mp4")} == {"video", "audio"}
    with pytest.raises(UsageError, match="video files need PyAV"):
        repair_video(clip, tmp_path / "other.mp4", mask=logo)


@needs_ffmpeg
def test_what_ffmpeg_says_is_told(monkeypatch, tmp_path, logo, clip):
    """A build without x264, say."""
    real = shutil.which("ffmpeg")
    programs = tmp_path / "programs"
    programs.mkdir()
    script = f"""#!/bin/sh
case "$*" in
*libx264*) echo "Unknown encoder 'libx264'" >&2; exit 1;;
*) exec {real} "$@";;
esac
"""
    (programs / "ffmpeg").write_text(script)
    (programs / "ffmpeg").chmod(0o755)
    (programs / "ffprobe").symlink_to(shutil.which("ffprobe"))
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    with pytest.raises(WriteError, match=r"cannot be written: Unknown encoder 'libx264'$"):
        repair_video(clip, tmp_path / "out.mp4", mask=logo, options=MINE)
    assert not (tmp_path / "out.mp4").exists()


@needs_ffmpeg
def test_live_goes_by_it_too(tmp_path, logo, clip):
    report = watch(str(clip), mask=logo, target=tmp_path / "out.mkv", options=MINE)
    assert report.frames == 6
    assert ffmpeg.facts_of(tmp_path / "out.mkv").frames == 6
    assert "audio" in {one["codec_type"] for one in ffmpeg.streams_of(tmp_path / "out.mkv")}
    with pytest.raises(UsageError, match="a camera is recorded by PyAV"):
        watch("0", mask=logo, target=tmp_path / "c.mkv", options=MINE, capture=lambda number: None)


@needs_ffmpeg
def test_names_that_look_like_something_else(tmp_path, logo, clip):
    odd = tmp_path / "a 'b': -c%d.mp4"
    clip.rename(odd)
    repair_video(odd, tmp_path / "out 'x': %d.mp4", mask=logo, options=MINE)
    assert ffmpeg.facts_of(tmp_path / "out 'x': %d.mp4").frames == 6


def test_working_formats_have_planes():
    for name in ("yuv420p", "yuvj422p", "nv12", "yuv444p10le", "gray", "gray10le", "rgb24", "yuv420p12le"):
        sizes = yuv.plane_sizes(working_format(name)[0], (5, 7))
        assert sizes[0] == (5, 7) and len(sizes) == (1 if name.startswith("gray") else 3)


def test_the_mean_of_chroma_is_of_its_own_cells():
    frame = raw("yuv420p", planes_of("yuv420p"))
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[:, 2::4] = pixels[:, 3::4] = (255, 0, 0)
    drawn = yuv.put_back(frame, pixels, np.ones(SIZE, np.bool_))
    assert set(np.unique(drawn.planes[2])) == {128, 240}  # red, or none; nothing between
