"""Light that flickers becomes steady; a fade and a cut stay."""

import cv2
import numpy as np
import pytest

from made_clips import panned
from remend.errors import UsageError
from remend.options.video import VideoOptions
from remend.video import job
from remend.video.steady import LIGHT_AROUND, steadied

SIZE = (96, 128)
NONE = np.zeros(SIZE, bool)


def flickering(count=24, most=0.12):
    """Clean frames that pan, and the same with another gain and offset in each."""
    clean, drawn = panned(count, size=SIZE, speed=(1.2, 0.5), noise=1.0), np.random.default_rng(3)
    broken = []
    for frame in clean:
        gain, offset = 1 + drawn.uniform(-most, most), drawn.uniform(-8, 8)
        level = (frame.astype(np.float32) - 128) * 0.6 + 128  # nothing is burnt out
        broken.append(np.clip(np.rint(level * gain + offset), 0, 255).astype(np.uint8))
    clean = [np.rint((frame.astype(np.float32) - 128) * 0.6 + 128).astype(np.uint8) for frame in clean]
    return clean, broken


def unsteady(frames, clean):
    """Deviation of what is added to the mean level, over time."""
    return np.std([frame.mean() - right.mean() for frame, right in zip(frames, clean, strict=True)])


def test_flicker_goes():
    clean, broken = flickering()
    even = [pixels for pixels, hole in steadied((frame, NONE) for frame in broken)]
    assert len(even) == len(broken)
    assert unsteady(even[4:-4], clean[4:-4]) < 0.35 * unsteady(broken[4:-4], clean[4:-4])
    assert unsteady(even, clean) < 0.6 * unsteady(broken, clean)


def test_what_is_steady_and_what_fades_stay():
    clean, _ = flickering()
    fading = [np.rint(frame * (0.5 + 0.02 * t)).astype(np.uint8) for t, frame in enumerate(clean)]
    for clip in (clean, fading):
        even = [pixels for pixels, _ in steadied((frame, NONE) for frame in clip)]
        off = [abs(a.mean() - b.mean()) for a, b in zip(even, clip, strict=True)]
        assert max(off[2:-2]) < 1.5


def test_a_cut_is_not_evened_out_and_frames_depend_on_those_around_alone():
    _, broken = flickering(30)
    dark = [(frame[::-1] // 4).astype(np.uint8) for frame in panned(10, size=SIZE, seed=4)]
    clip = broken + dark
    even = [pixels for pixels, _ in steadied((frame, NONE) for frame in clip)]
    assert even[29].mean() > 100
    assert even[30].mean() < 50
    later = [pixels for pixels, _ in steadied((frame, NONE) for frame in clip[5:])]
    assert all((a == b).all() for a, b in zip(even[5 + LIGHT_AROUND :], later[LIGHT_AROUND:], strict=True))


def test_a_folder_with_steady_light_and_a_mask(tmp_path):
    _, broken = flickering(12)
    source = tmp_path / "frames"
    source.mkdir()
    for t, frame in enumerate(broken):
        cv2.imwrite(str(source / f"{t:02d}.png"), frame[..., ::-1])
    report = job.repair_video(source, tmp_path / "out", options=VideoOptions(steady="light", reach=2))
    assert (report.frames, report.hole) == (12, 0)
    done = [cv2.imread(str(path))[..., ::-1] for path in sorted((tmp_path / "out").iterdir())]
    levels = np.array([[frame.mean() for frame in clip] for clip in (broken, done)])
    assert np.abs(np.diff(levels[1])).mean() < 0.4 * np.abs(np.diff(levels[0])).mean()


def test_a_killed_run_with_steady_light_ends_with_the_same_file(tmp_path, monkeypatch):
    pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
    from made_videos import make_video

    monkeypatch.setattr(job, "SEGMENT", 4)
    source = tmp_path / "in.mp4"
    make_video(source, flickering(26)[1])
    how = VideoOptions(steady="light", find="dust", reach=2)

    def stop(number, total, mended):
        if number == 25:
            raise KeyboardInterrupt

    job.repair_video(source, tmp_path / "whole.mp4", options=how)
    with pytest.raises(KeyboardInterrupt):
        job.repair_video(source, tmp_path / "out.mp4", options=how, observer=stop)
    assert job.repair_video(source, tmp_path / "out.mp4", options=how).resumed == 24
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_kind_refusal():
    with pytest.raises(UsageError, match="what can be made steady is light"):
        VideoOptions(steady="camera")
