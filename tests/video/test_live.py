"""`remend live`: causal, steady, quick enough; a camera drops frames rather than lag, a file never."""

import json
import time
import urllib.error
import urllib.request
from itertools import pairwise
from threading import Event, Semaphore
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from made_clips import panned, texture
from remend.cli.main import remend
from remend.errors import MaskError, UsageError
from remend.fill.push_pull import push_pull
from remend.video import watching, writing
from remend.video.capture import Camera, camera_number
from remend.video.live import Live
from remend.video.page import Page
from remend.video.watching import watch

SIZE = (72, 96)


def hole_of(size=SIZE, box=(30, 42, 20, 60)):
    hole = np.zeros(size, np.bool_)
    hole[box[0] : box[1], box[2] : box[3]] = True
    return hole


def damaged(frames, hole):
    return [np.where(hole[..., None], np.uint8(200), frame) for frame in frames]


def error(frames, truth, hole):
    return np.mean(
        [np.square(a[hole].astype(float) - b[hole]).mean() for a, b in zip(frames, truth, strict=True)]
    )


class FakeCamera:
    """Frames as a camera gives them: at a rate of its own, whether somebody reads or not."""

    def __init__(self, frames, rate=200.0):
        self.frames, self.rate = frames, rate
        self.begun, self.given, self.released = None, 0, False

    def read(self):
        if self.given == len(self.frames):
            return False, None
        self.begun = self.begun or time.monotonic()
        time.sleep(max(0.0, self.begun + self.given / self.rate - time.monotonic()))
        self.given += 1
        return True, self.frames[self.given - 1][..., ::-1].copy()

    def release(self):
        self.released = True


def test_what_was_seen_before_is_put_back_and_the_rest_is_untouched():
    truth, hole = panned(14), hole_of()
    given = damaged(truth, hole)
    live = Live()
    done = [live.mend(frame, hole) for frame in given]
    for one, frame in zip(done, given, strict=True):
        assert (one.pixels[~hole] == frame[~hole]).all()
        assert one.seen + one.made == hole.sum()
    assert done[0].seen == 0 and done[-1].seen > 0.9 * hole.sum()
    smooth = [push_pull(frame.astype(np.float32), ~hole) for frame in given]
    assert error([one.pixels for one in done[8:]], truth[8:], hole) < 0.1 * error(smooth[8:], truth[8:], hole)


def test_later_frames_change_nothing():
    hole = hole_of()
    given = damaged(panned(8), hole)
    short, long = Live(), Live()
    first = [short.mend(frame, hole).pixels for frame in given[:5]]
    whole = [long.mend(frame, hole).pixels for frame in given]
    assert all((a == b).all() for a, b in zip(first, whole[:5], strict=True))


def test_what_no_frame_shows_is_made_up_once_and_stays():
    hole = hole_of()
    scene = texture()[20:92, 20:116]
    live = Live()
    done = [live.mend(np.where(hole[..., None], np.uint8(200), scene), hole) for _ in range(6)]
    assert done[-1].made == hole.sum()
    steps = [np.abs(a.pixels.astype(int) - b.pixels).max() for a, b in pairwise(done)]
    assert max(steps[1:]) <= 6 and steps[-1] <= 1  # of 255


def test_after_a_cut_nothing_is_taken_from_before_it():
    hole = hole_of()
    one, other = damaged(panned(6), hole), damaged(panned(4, seed=5), hole)
    live, fresh = Live(), Live()
    done = [live.mend(frame, hole) for frame in one + other]
    alone = [fresh.mend(frame, hole) for frame in other]
    assert [shown.cut for shown in done] == [False] * 6 + [True] + [False] * 3
    assert all((a.pixels == b.pixels).all() for a, b in zip(done[6:], alone, strict=True))


def test_the_exposure_is_followed():
    truth, hole = panned(14, gain=0.08), hole_of()
    live = Live()
    done = [live.mend(frame, hole).pixels for frame in damaged(truth, hole)]
    levels = [float(a[hole].mean()) - b[hole].mean() for a, b in zip(done[8:], truth[8:], strict=True)]
    assert np.abs(levels).max() < 3  # it wavers by ten


@pytest.mark.parametrize("size", [(71, 95), (300, 401)])
def test_odd_sizes_and_sixteen_bits(size):
    hole = hole_of(size)
    live = Live()
    for frame in panned(3, size=size):
        wide = frame.astype(np.uint16) << 8
        shown = live.mend(wide, hole)
        assert shown.pixels.dtype == np.uint16
        assert (shown.pixels[~hole] == wide[~hole]).all()
    assert np.abs(shown.pixels[hole].astype(float) - wide[hole]).mean() < 0.1 * 65535


def test_frames_without_holes_and_frames_of_nothing_else():
    live, whole = Live(), np.ones(SIZE, np.bool_)
    frame = panned(1)[0]
    assert (live.mend(frame, ~whole).pixels == frame).all()
    shown = live.mend(frame, whole)
    assert shown.pixels.shape == frame.shape
    assert (live.mend(frame, ~whole).pixels == frame).all()
    with pytest.raises(MaskError, match="one size"):
        live.mend(frame, whole[1:])


class GatedCamera:
    """Frames that come when the test lets them."""

    def __init__(self, frames):
        self.frames, self.gate = list(frames), Semaphore(0)

    def read(self):
        self.gate.acquire()
        return (True, self.frames.pop(0)[..., ::-1].copy()) if self.frames else (False, None)

    def release(self):
        pass


def test_a_slow_reader_gets_the_newest_frame_and_hears_what_was_dropped():
    source = GatedCamera(np.full((*SIZE, 3), t, np.uint8) for t in range(8))
    with Camera(source) as camera:
        frames = camera.frames()
        source.gate.release()
        assert next(frames)[0][0, 0, 0] == 0
        source.gate.release(6)  # while that one is worked on
        patience = time.monotonic() + 20
        while camera.dropped < 5 and time.monotonic() < patience:
            time.sleep(0.001)
        newest, when = next(frames)
        assert newest[0, 0, 0] == 6 and when <= time.monotonic()
        assert camera.dropped == 5
        source.gate.release(2)
        rest = [int(frame[0, 0, 0]) for frame, _ in frames]
        assert rest == [7] and camera.dropped == 5


def test_a_camera_that_says_nothing_is_told(monkeypatch):
    monkeypatch.setattr("remend.video.capture.PATIENCE_S", 0.05)
    with (
        Camera(FakeCamera([np.zeros((*SIZE, 3), np.uint8)] * 2, rate=2.0)) as camera,
        pytest.raises(UsageError, match="connect it anew"),
    ):
        list(camera.frames())


def test_numbers_are_cameras_and_names_are_files():
    assert [camera_number(name) for name in ("0", "12", "0.mp4", "-1", "², ")] == [0, 12, None, None, None]


def test_the_camera_is_shown_and_let_go(tmp_path):
    cv2.imwrite(str(tmp_path / "logo.png"), hole_of().view(np.uint8) * 255)
    source = FakeCamera(damaged(panned(10), hole_of()), rate=20.0)
    with Page() as page:
        shown = []
        report = watch(
            "0",
            mask=tmp_path / "logo.png",
            page=page,
            capture=lambda number: source,
            observer=lambda report: shown.append(page.after(0)),
        )
    assert source.released
    assert report.frames + report.dropped == 10 and report.frames == len(shown)
    number, coded = shown[-1]
    assert number == report.frames
    picture = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (*SIZE, 3)


def test_it_stops_when_it_is_told(tmp_path):
    cv2.imwrite(str(tmp_path / "logo.png"), hole_of().view(np.uint8) * 255)
    stop, source = Event(), FakeCamera(damaged(panned(40), hole_of()), rate=8.0)

    def hear(report):
        if report.frames == 3:
            stop.set()

    report = watch("0", mask=tmp_path / "logo.png", capture=lambda number: source, stop=stop, observer=hear)
    assert report.frames == 3 and source.released


def test_the_page_is_for_who_knows_its_name_and_streams():
    frame = texture()[:48, :64]
    with Page() as page:
        root = page.address.rsplit("/", 2)[0]
        assert root.startswith("http://127.0.0.1:")
        for path in ("/", "/live.mjpg", "/guess/live.mjpg"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(root + path, timeout=5)
        with urllib.request.urlopen(page.address, timeout=5) as answer:
            assert b"live.mjpg" in answer.read()
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        page.show(frame)
        with urllib.request.urlopen(page.address + "live.mjpg", timeout=5) as stream:
            assert stream.headers["Content-Type"].startswith("multipart/x-mixed-replace")
            assert stream.readline() == b"--frame\r\n"
            assert stream.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(stream.readline().split(b":")[1])
            stream.readline()
            picture = cv2.imdecode(np.frombuffer(stream.read(length), np.uint8), cv2.IMREAD_COLOR)
        assert np.abs(picture[..., ::-1].astype(int) - frame).mean() < 6


def test_a_port_that_is_taken_is_told():
    with Page() as page:
        port = int(page.address.split(":")[2].split("/")[0])
        with pytest.raises(UsageError, match="choose another --port"):
            Page(port)


def test_no_camera_is_one_line(monkeypatch, tmp_path):
    nothing = SimpleNamespace(isOpened=lambda: False, release=lambda: None)
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: nothing)
    cv2.imwrite(str(tmp_path / "logo.png"), hole_of().view(np.uint8) * 255)
    with pytest.raises(UsageError, match="camera 3 cannot be opened: see that one is connected"):
        watch("3", mask=tmp_path / "logo.png")


def test_a_camera_takes_one_mask(tmp_path):
    with pytest.raises(UsageError, match="one mask for all frames"):
        watch("0", mask=tmp_path, capture=lambda number: FakeCamera([]))


def test_twenty_five_frames_a_second_at_432_by_240():
    """By the processor's time, of which two cores have 80 ms in a 25th of a second; others may be busy."""
    truth = panned(24, size=(240, 432))
    hole = hole_of((240, 432), (180, 215, 60, 330))
    given, live = damaged(truth, hole), Live()
    live.mend(given[0], hole)  # loads the net
    spent = []
    for frame in given[1:]:
        begun = time.process_time()
        live.mend(frame, hole)
        spent.append(time.process_time() - begun)
    assert np.median(spent) < 0.08


class TestFiles:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path):
        pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
        cv2.imwrite(str(tmp_path / "logo.png"), hole_of().view(np.uint8) * 255)

    def test_a_file_is_never_dropped_from_and_keeps_sound_and_times(self, tmp_path):
        from made_videos import make_video, packets_of

        times = [0, 400, 1100, 1500, 2600, 3000, 3300, 4400]
        make_video(tmp_path / "in.mp4", damaged(panned(8), hole_of()), times=times)
        report = watch(str(tmp_path / "in.mp4"), mask=tmp_path / "logo.png", target=tmp_path / "out.mp4")
        assert (report.frames, report.dropped) == (8, 0)
        for kind in ("audio", "video"):
            before, after = packets_of(tmp_path / "in.mp4", kind), packets_of(tmp_path / "out.mp4", kind)
            assert sorted(one[0] for one in before) == sorted(one[0] for one in after)
        assert packets_of(tmp_path / "in.mp4", "audio") == packets_of(tmp_path / "out.mp4", "audio")
        assert not list(tmp_path.glob(".*"))

    def test_a_camera_is_recorded_with_the_times_of_its_frames(self, tmp_path):
        from made_videos import packets_of

        source = FakeCamera(damaged(panned(6), hole_of()), rate=10.0)
        report = watch(
            "0", mask=tmp_path / "logo.png", target=tmp_path / "out.mkv", capture=lambda number: source
        )
        times = [float(one[0]) for one in packets_of(tmp_path / "out.mkv", "video")]
        assert len(times) == report.frames >= 2
        assert times[0] == 0 and times[-1] > 0.1 and all(a < b for a, b in pairwise(times))
        assert not list(tmp_path.glob(".*"))

    def test_the_command(self, tmp_path, monkeypatch):
        from made_videos import make_video

        make_video(tmp_path / "in.mp4", damaged(panned(5), hole_of()))
        opened = []
        monkeypatch.setattr("webbrowser.open", opened.append)
        given = [str(tmp_path / "in.mp4"), "-m", str(tmp_path / "logo.png")]
        out = ["-o", str(tmp_path / "out.mp4")]
        answer = CliRunner().invoke(remend, ["live", *given, *out, "--json"], catch_exceptions=False)
        assert answer.exit_code == 0 and not opened
        assert json.loads(answer.stdout)["frames"] == 5
        assert "frames/s" in answer.stderr
        shown = CliRunner().invoke(remend, ["live", *given], catch_exceptions=False)
        assert shown.exit_code == 0
        assert len(opened) == 1 and opened[0].startswith("http://127.0.0.1:")
        assert f"shown at {opened[0]}" in shown.stderr

    def test_an_output_that_exists_is_kept(self, tmp_path):
        (tmp_path / "out.mp4").write_bytes(b"mine")
        with pytest.raises(Exception, match="exists"):
            watch("0", mask=tmp_path / "logo.png", target=tmp_path / "out.mp4", capture=FakeCamera)
        assert (tmp_path / "out.mp4").read_bytes() == b"mine"

    def test_less_is_searched_by_every_encoder(self):
        assert set(watching.HASTE) == set(writing.LOOK)
