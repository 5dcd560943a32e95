"""Video files: sound as it was, times and colours kept, samples outside holes untouched, kills survived."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from made_clips import panned
from remend.errors import DecodeError, MaskError, UsageError, WriteError
from remend.options.video import VideoOptions
from remend.video import job as video_job
from remend.video.job import repair_video

av = pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
from made_videos import make_video, packets_of  # noqa: E402

SIZE = (72, 96)
FAST = VideoOptions(reach=4)
EXACT = VideoOptions(reach=4, lossless=True)
NO_FFMPEG = shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None


@pytest.fixture(
    autouse=True,
    params=["pyav", pytest.param("ffmpeg", marks=pytest.mark.skipif(NO_FFMPEG, reason="no ffmpeg here"))],
)
def by(request, monkeypatch):
    """All of it twice: by PyAV, and by the programs of the system where there are some."""
    if request.param == "ffmpeg":
        for name in ("FAST", "EXACT"):
            monkeypatch.setitem(globals(), name, replace(globals()[name], ffmpeg=True))
    return request.param


@pytest.fixture
def logo(tmp_path):
    hole = np.zeros(SIZE, np.uint8)
    hole[40:50, 30:50] = 255
    cv2.imwrite(str(tmp_path / "logo.png"), hole)
    return tmp_path / "logo.png"


def frames(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def spans(container):
    """Chapters in seconds: in which units they are written is the container's."""
    each = container.chapters()
    return [(c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"]) for c in each]


def luma(frame):
    plane = frame.planes[0]
    dtype = np.uint16 if "10" in frame.format.name else np.uint8
    return np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]


def test_sound_times_title_and_chapters_stay(tmp_path, logo):
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    times = [0, 400, 1100, 1500, 2600, 3000, 3300, 4400]  # no steady rate
    make_video(source, panned(8), times=times, chapters=True)
    report = repair_video(source, target, mask=logo, options=FAST)
    assert report.frames == 8
    assert packets_of(target, "audio") == packets_of(source, "audio")
    assert [f.time for f in frames(target)] == [f.time for f in frames(source)]
    with av.open(str(source)) as before, av.open(str(target)) as after:
        assert after.metadata["title"] == "a clip"
        assert spans(after) == spans(before)
        assert after.streams.video[0].time_base == before.streams.video[0].time_base


def test_outside_holes_lossless_means_sample_by_sample(tmp_path, logo):
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    make_video(source, panned(6))
    repair_video(source, target, mask=logo, options=EXACT)
    hole = cv2.imread(str(logo), 0) > 0
    for before, after in zip(frames(source), frames(target), strict=True):
        assert (luma(before)[~hole] == luma(after)[~hole]).all()
        assert (luma(before)[hole] != luma(after)[hole]).any()


def test_ten_bits_and_colour_tags_stay(tmp_path, logo):
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    make_video(source, panned(5), pix_fmt="yuv420p10le", tags=True)
    repair_video(source, target, mask=logo, options=EXACT)
    hole = cv2.imread(str(logo), 0) > 0
    for before, after in zip(frames(source), frames(target), strict=True):
        assert after.format.name == "yuv420p10le"
        assert (after.color_primaries, after.color_trc, after.colorspace, after.color_range) == (1, 1, 1, 1)
        assert (luma(before)[~hole] == luma(after)[~hole]).all()
        assert np.abs(luma(before)[hole].astype(int) - luma(after)[hole]).mean() < 40  # of 1023


def test_the_mask_is_as_shown_where_a_telephone_was_turned(tmp_path):
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    make_video(source, panned(4), rotation=90)
    shown = np.rot90(np.zeros(SIZE, np.uint8)).copy()
    shown[5:15, 50:60] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), shown)
    repair_video(source, target, mask=tmp_path / "mask.png", options=EXACT)
    stored = np.rot90(shown, -1) > 0
    for before, after in zip(frames(source), frames(target), strict=True):
        assert after.rotation == before.rotation == 90
        assert (luma(before)[~stored] == luma(after)[~stored]).all()
        assert (luma(before)[stored] != luma(after)[stored]).any()


def test_odd_sizes_and_no_sound(tmp_path):
    source, target = tmp_path / "in.mkv", tmp_path / "out.mp4"
    odd = [frame[:71, :95].copy() for frame in panned(3)]
    make_video(source, odd, codec="ffv1", sound=False, options={})
    hole = np.zeros((71, 95), np.uint8)
    hole[65:71, 85:95] = 255
    cv2.imwrite(str(tmp_path / "m.png"), hole)
    repair_video(source, target, mask=tmp_path / "m.png", options=EXACT)
    for before, after in zip(frames(source), frames(target), strict=True):
        assert (after.width, after.height) == (95, 71)
        assert (luma(before)[hole == 0] == luma(after)[hole == 0]).all()


def test_hevc_stays_hevc_and_webm_becomes_vp9(tmp_path, logo):
    source = tmp_path / "in.mkv"
    make_video(source, panned(4), codec="libx265", options={"x265-params": "log-level=none:crf=8"})
    for name, codec in (("out.mkv", "hevc"), ("out.webm", "vp9")):
        report = repair_video(source, tmp_path / name, mask=logo, options=EXACT)
        with av.open(str(tmp_path / name)) as made:
            assert made.streams.video[0].codec_context.name == codec
        hole = cv2.imread(str(logo), 0) > 0
        for before, after in zip(frames(source), frames(tmp_path / name), strict=True):
            assert (luma(before)[~hole] == luma(after)[~hole]).all()
        assert any("audio" in note for note in report.notes) == (codec == "vp9")  # AAC is not for WebM


def test_subtitles_stay(tmp_path, logo):
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    make_video(source, panned(4), words=tmp_path / "words.srt")
    repair_video(source, target, mask=logo, options=FAST)
    assert packets_of(target, "subtitle") == packets_of(source, "subtitle")
    assert packets_of(target, "audio") == packets_of(source, "audio")


@pytest.mark.parametrize("first", ["tff", "bff"])
def test_fields_of_interlaced_video_are_repaired_apart(tmp_path, logo, first):
    """Two moments of a fast pan are woven into each frame; repaired as one they would be combed."""
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    moments = panned(12, speed=(5.0, 2.3), finest=2)
    order = (0, 1) if first == "tff" else (1, 0)
    truth = []
    for pair in zip(moments[::2], moments[1::2], strict=True):
        frame = np.empty_like(pair[0])
        for line, moment in zip(order, pair, strict=True):
            frame[line::2] = moment[line::2]
        truth.append(frame)
    hole = cv2.imread(str(logo), 0) > 0
    broken = [np.where(hole[..., None], np.uint8(128), frame) for frame in truth]
    make_video(source, broken, pix_fmt="yuv444p", options={"qp": "0", "x264-params": f"{first}=1"})
    repair_video(source, target, mask=logo, options=replace(EXACT, reach=12))
    with av.open(str(source)) as before, av.open(str(target)) as after:
        fields = before.streams.video[0].codec_context.field_order
        assert fields > 1
        assert after.streams.video[0].codec_context.field_order == fields
    assert all(frame.interlaced_frame for frame in frames(target))
    for before, after, right in zip(frames(source), frames(target), truth, strict=True):
        assert (luma(before)[~hole] == luma(after)[~hole]).all()
        error = after.to_ndarray(format="rgb24")[hole].astype(float) - right[hole]
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 28
    with pytest.raises(UsageError, match="interlaced video goes into"):
        repair_video(source, tmp_path / "out.webm", mask=logo, options=FAST)


def test_a_mask_for_each_frame_from_a_folder(tmp_path):
    source = tmp_path / "in.mp4"
    make_video(source, panned(4))
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(4):
        hole = np.zeros(SIZE, np.uint8)
        hole[30:36, 10 + 10 * number : 18 + 10 * number] = 255 if number != 2 else 0
        cv2.imwrite(str(masks / f"{number}.png"), hole)
    report = repair_video(source, tmp_path / "out.mp4", mask=masks, options=FAST)
    assert report.hole == 3 * 48
    assert report.made == 0
    (masks / "3.png").unlink()
    with pytest.raises(MaskError, match=r"3 masks .* for 4 frames"):
        repair_video(source, tmp_path / "other.mp4", mask=masks, options=FAST)


def test_a_run_that_was_killed_ends_with_the_same_file(tmp_path, logo, monkeypatch):
    monkeypatch.setattr(video_job, "SEGMENT", 4)
    source, target, whole = tmp_path / "in.mp4", tmp_path / "out.mp4", tmp_path / "whole.mp4"
    make_video(source, panned(15, speed=(0.6, 0.2)))
    repair_video(source, whole, mask=logo, options=FAST)

    class KilledError(Exception):
        pass

    def kill_at(wanted):
        def hear(number, total, mended):
            assert total == 15
            if number == wanted:
                raise KilledError

        return hear

    for wanted in (2, 7, 14):
        with pytest.raises(KilledError):
            repair_video(source, target, mask=logo, options=FAST, observer=kill_at(wanted))
        assert not target.exists()
    report = repair_video(source, target, mask=logo, options=FAST)
    assert report.resumed == 12
    assert target.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "logo.png", "out.mp4", "whole.mp4"]


def test_other_options_begin_anew(tmp_path, logo, monkeypatch):
    monkeypatch.setattr(video_job, "SEGMENT", 2)
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    make_video(source, panned(6))

    def stop(number, total, mended):
        if number == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repair_video(source, target, mask=logo, options=FAST, observer=stop)
    assert repair_video(source, target, mask=logo, options=VideoOptions(reach=3)).resumed == 0


def test_a_broken_file_is_one_line(tmp_path, logo):
    source = tmp_path / "in.mp4"
    make_video(source, panned(30, noise=6.0))
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        where = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    position, size = where[12]
    data[position + 4 : position + size] = bytes(size - 4)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    with pytest.raises(DecodeError, match=r"broken\.mp4: frame \d+.* cannot be decoded"):
        repair_video(broken, tmp_path / "out.mp4", mask=logo, options=FAST)
    assert not (tmp_path / "out.mp4").exists()
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(Exception, match="cannot be read as a video"):
        repair_video(tmp_path / "text.mp4", tmp_path / "out.mp4", mask=logo, options=FAST)


def test_kind_refusals(tmp_path, logo):
    source = tmp_path / "in.mp4"
    make_video(source, panned(2))
    with pytest.raises(UsageError, match="say what to repair"):
        repair_video(source, tmp_path / "out.mp4")
    with pytest.raises(UsageError, match=r"written as \.mp4"):
        repair_video(source, tmp_path / "out.doc", mask=logo)
    with pytest.raises(UsageError, match="dust, scratches, hair, not for"):
        repair_video(source, tmp_path / "out.mp4", options=VideoOptions(find=("rain",)))
    (tmp_path / "there.mp4").write_bytes(b"")
    with pytest.raises(WriteError, match="exists already"):
        repair_video(source, tmp_path / "there.mp4", mask=logo)


def test_the_command(tmp_path, logo, capfd):
    from remend.cli.main import main

    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    make_video(source, panned(3))
    words = ["video", str(source), "-m", str(logo), "-o", str(target), "--reach", "2", "--json"]
    with pytest.raises(SystemExit) as end:
        main([*words, "--explain", str(tmp_path / "why")])
    assert end.value.code == 0
    assert json.loads(capfd.readouterr().out)["frames"] == 3
    assert len(list((tmp_path / "why").iterdir())) == 3
