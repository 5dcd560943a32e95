"""Frames that jump are laid along a smooth way; a pan, a zoom and a cut stay what they are."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from made_clips import panned, texture
from remend.errors import UsageError
from remend.options.video import VideoOptions
from remend.video import job
from remend.video.camera import camera_between, view_of
from remend.video.stabilisation import FRAME_AROUND, stabilised

SIZE = (120, 160)
NONE = np.zeros(SIZE, bool)
WIDE = texture((260, 400), seed=2, finest=6)


def seen(x, y, turn_deg=0.0, growth=1.0, size=SIZE):
    """What a camera shows whose middle is off by (x, y)."""
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    turn = np.radians(turn_deg)
    turned = growth * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    view = np.concatenate([turned, (middle + np.array([x, y]) - turned @ middle)[:, None]], axis=1)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(WIDE, view, size[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)


def weaving(count=50, most=1.3, turn_deg=0.15):
    """Frames of an even pan, the same with a jump of its own in each, and the jumps (x, y)."""
    drawn = np.random.default_rng(1)
    jumps = drawn.normal(0, most, (count, 2))
    turns = drawn.normal(0, turn_deg, count)
    way = [(60 + 1.5 * t, 40 + 0.5 * t) for t in range(count)]
    clean = [seen(*at) for at in way]
    moved = [seen(x + j[0], y + j[1], turn) for (x, y), j, turn in zip(way, jumps, turns, strict=True)]
    return clean, moved, jumps


def way_of(frames):
    """Where the middle of the picture goes, frame by frame."""
    views = [view_of(np.ascontiguousarray(frame)) for frame in frames]
    middle = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2, 1.0])
    moved = [camera_between(a, b) @ middle - middle[:2] for a, b in pairwise(views)]
    return np.cumsum(moved, axis=0)


def test_the_cameras_motion_is_measured_and_a_cut_is_told():
    one, other = seen(50, 40), seen(53.4, 38.5, 1.0, 1.02)
    motion = camera_between(view_of(one), view_of(other))
    middle = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2])
    home = np.linalg.inv(motion[:, :2]) @ (middle - motion[:, 2])  # where the other's middle lies in this one
    assert np.allclose(home - middle, [3.4, -1.5], atol=0.1)
    assert np.hypot(*motion[:, 0]) == pytest.approx(1 / 1.02, abs=0.003)
    assert np.degrees(np.arctan2(motion[1, 0], motion[0, 0])) == pytest.approx(-1.0, abs=0.1)
    assert camera_between(view_of(one), view_of(texture(SIZE, seed=9))) is None
    assert camera_between(view_of(np.full_like(one, 90)), view_of(other)) is None


def test_a_large_frame_is_measured_in_its_own_pixels():
    large = cv2.resize(texture((300, 400), seed=5), (1600, 1200), interpolation=cv2.INTER_CUBIC)
    moved = np.roll(large, (7, -12), axis=(0, 1))
    motion = camera_between(view_of(large), view_of(moved))
    assert np.allclose(motion, [[1, 0, -12], [0, 1, 7]], atol=0.15)


def test_jumps_go_and_the_pan_stays():
    clean, moved, _ = weaving()
    done = [pixels for pixels, _ in stabilised((frame, NONE) for frame in moved)]
    uneven = [np.diff(way_of(frames), axis=0).std(axis=0).max() for frames in (clean, moved, done)]
    assert uneven[1] > 1.5
    assert uneven[2] < 0.08 * uneven[1]
    assert np.abs(way_of(done)[-1] - way_of(clean)[-1]).max() < 2.0  # as far as the camera went
    inner = np.s_[15:-15, 15:-15]
    errors = [
        np.mean([np.square(a[inner].astype(float) - b[inner]).mean() for a, b in zip(x, clean, strict=True)])
        for x in (moved, done)
    ]
    assert errors[1] < 0.35 * errors[0]


def test_what_is_steady_stays_as_it_is_and_a_zoom_too():
    still = [seen(80, 60)] * 30
    assert all((a[0] == b).all() for a, b in zip(stabilised((f, NONE) for f in still), still, strict=True))
    zoomed = [seen(80, 60, growth=1.008**t) for t in range(30)]
    for (pixels, hole), before in zip(stabilised((frame, NONE) for frame in zoomed), zoomed, strict=True):
        assert np.abs(pixels.astype(int) - before).mean() < 1.0
        assert hole.mean() < 0.03


def test_holes_move_along_and_empty_borders_are_holes():
    _, moved, jumps = weaving(30)
    hole = NONE.copy()
    hole[50:60, 70:80] = True
    done = list(stabilised((frame, hole) for frame in moved))
    assert all(one[1][53:57, 73:77].all() for one in done)
    assert all(one[1][25:95, 30:130].sum() < 400 for one in done)
    # A frame that jumped to the right is laid to the right, and lacks its left border.
    far = int(np.argmax(jumps[:, 0]))
    assert done[far][1][20:100, 0].all()
    assert not done[far][1][20:100, -1].any()


def test_a_cut_parts_the_ways_and_frames_depend_on_those_around_alone():
    _, moved, _ = weaving(45)
    other = panned(8, size=SIZE, seed=7)
    clip = moved + other
    done = list(stabilised((frame, NONE) for frame in clip))
    alone = list(stabilised((frame, NONE) for frame in moved))
    assert all((a[0] == b[0]).all() for a, b in zip(done, alone, strict=False))
    later = list(stabilised((frame, NONE) for frame in clip[4:]))
    for a, b in zip(done[4 + FRAME_AROUND :], later[FRAME_AROUND:], strict=True):
        assert (a[0] == b[0]).all()
        assert (a[1] == b[1]).all()


def test_a_killed_run_ends_with_the_same_file_whole_to_its_borders(tmp_path, monkeypatch):
    pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
    import av

    from made_videos import make_video

    monkeypatch.setattr(job, "SEGMENT", 8)
    source, (clean, moved, _) = tmp_path / "in.mp4", weaving(34)
    make_video(source, moved)
    how = VideoOptions(steady="light,frame", reach=4)

    def stop(number, total, mended):
        if number == 30:
            raise KeyboardInterrupt

    whole = job.repair_video(source, tmp_path / "whole.mp4", options=how)
    assert whole.hole > 0
    with pytest.raises(KeyboardInterrupt):
        job.repair_video(source, tmp_path / "out.mp4", options=how, observer=stop)
    assert job.repair_video(source, tmp_path / "out.mp4", options=how).resumed == 24
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with av.open(str(tmp_path / "whole.mp4")) as container:
        done = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert (
        np.diff(way_of(done), axis=0).std(axis=0).max()
        < 0.15 * np.diff(way_of(moved), axis=0).std(axis=0).max()
    )
    border = np.s_[30:90, :3]
    error = [np.abs(a[border].astype(float) - b[border]).mean() for a, b in zip(done, clean, strict=True)]
    assert np.median(error) < 12


def test_kind_refusals(tmp_path):
    with pytest.raises(UsageError, match="light and frame, not 'camera'"):
        VideoOptions(steady="frame,camera")
    av = pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
    assert av
    from made_videos import make_video

    source = tmp_path / "in.mp4"
    make_video(source, weaving(6)[1], options={"x264-params": "tff=1:interlaced=1"})
    with pytest.raises(UsageError, match="deinterlace the video first"):
        job.repair_video(source, tmp_path / "out.mp4", options=VideoOptions(steady="frame"))
