"""What people see of a batch: the time that is left, the report, a folder that is watched."""

import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from made_albums import hashes, make_album, make_mask
from remend.album import Job
from remend.batch.forecast import Forecast
from remend.batch.watch import Settling
from remend.cli.repair import repair


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def foretold(sizes: list[int], seconds: list[float], tmp_path: Path) -> tuple[list[float], list[float]]:
    """What is shown after each picture, and what was then truly left."""
    files = []
    for number, size in enumerate(sizes):
        path = tmp_path / f"{number}"
        path.write_bytes(b"")
        os.truncate(path, size)
        files.append(path)
    clock = Clock()
    forecast = Forecast(files, clock)
    shown, truth = [], []
    for number, spent in enumerate(seconds):
        clock.now += spent
        forecast.done(number, spent)
        if (left := forecast.left_s()) is not None:
            shown.append(left)
            truth.append(sum(seconds[number + 1 :]))
    return shown, truth


def test_the_time_left_is_near_the_truth_and_does_not_jump(tmp_path):
    random = np.random.default_rng(0)
    sizes = (random.lognormal(1, 0.8, 200) * 1e5).astype(int).tolist()
    seconds = [0.2 + size / 2e5 * random.uniform(0.8, 1.2) for size in sizes]
    shown, truth = foretold(sizes, seconds, tmp_path)
    assert shown[-1] == 0
    assert all(later <= earlier for earlier, later in pairwise(shown[5:]))
    halves = [abs(one - other) / other for one, other in zip(shown[20:150], truth[20:150], strict=True)]
    assert np.median(halves) < 0.1 and max(halves) < 0.3


def test_large_pictures_at_the_end_are_seen_coming(tmp_path):
    sizes = [100_000] * 40 + [200_000] * 10 + [3_000_000] * 50
    seconds = [0.1 + size / 1e6 for size in sizes]
    shown, truth = foretold(sizes, seconds, tmp_path)
    assert abs(shown[45] - truth[45]) < 0.05 * truth[45]


def test_a_forecast_that_was_wrong_says_so(tmp_path):
    shown, truth = foretold([1000] * 100, [0.1] * 50 + [1.0] * 50, tmp_path)
    assert shown[45] < 10
    assert shown[70] > 0.5 * truth[70]


def test_what_is_done_already_says_nothing_of_the_rest(tmp_path):
    clock = Clock()
    forecast = Forecast([tmp_path / str(number) for number in range(100)], clock)
    for number in range(50):
        forecast.passed(number)
    assert forecast.left_s() is None
    for number in range(50, 60):
        clock.now += 2
        forecast.done(number, 2)
    assert forecast.left_s() == pytest.approx(80, rel=0.01)


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.images += [value for name, value in attrs if name == "src"]

    def handle_data(self, data):
        self.text += data


def test_the_report_shows_the_least_certain_and_says_what_became_of_all(tmp_path):
    album = tmp_path / "album"
    make_album(album, 8, bad=1)
    (album / "<b>notes.txt").write_text("not a picture")
    arguments = [str(album), "-o", str(tmp_path / "out"), "-m", str(make_mask(tmp_path / "m.png"))]
    report = tmp_path / "report.html"
    result = CliRunner().invoke(repair, [*arguments, "--method", "telea", "--report", str(report)])
    assert result.exit_code == 1
    page = Page()
    page.feed(report.read_text("utf-8"))
    assert len(page.images) == 2 * 7
    assert all(image.startswith("data:image/jpeg;base64,") for image in page.images)
    assert not page.tags & {"script", "link", "b"}
    for said in ("9 files", "7 repaired", "1 failed", "p0000.jpg", "<b>notes.txt", "no picture"):
        assert said in page.text


def test_files_are_taken_when_nobody_writes_them_any_more(tmp_path):
    clock = Clock()
    settling = Settling(3.0, clock)
    path = tmp_path / "a.jpg"
    job = Job(path, tmp_path / "out.jpg", tmp_path / "mask.png")
    assert settling.settled([job]) == []
    path.write_bytes(b"half")
    assert settling.settled([job]) == []
    clock.now += 2
    path.write_bytes(b"half and half")
    assert settling.settled([job]) == []
    clock.now += 2
    assert settling.settled([job]) == []
    clock.now += 2
    assert settling.settled([job]) == []  # its mask is not there yet
    (tmp_path / "mask.png").write_bytes(b"mask")
    settling.settled([job])
    clock.now += 3
    assert settling.settled([job]) == [job]
    assert settling.settled([job]) == []
    path.write_bytes(b"another picture")
    settling.settled([job])
    clock.now += 3
    assert settling.settled([job]) == [job]


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_a_watched_folder(tmp_path):
    album, out = tmp_path / "album", tmp_path / "out"
    album.mkdir()
    made = make_album(tmp_path / "made", 3)
    flags = ["-o", str(out), "-m", str(make_mask(tmp_path / "m.png")), "--method", "telea"]
    process = subprocess.Popen(
        [sys.executable, "-m", "remend", "repair", str(album), *flags, "--watch", "--settle", "0.5"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        whole = made[0].read_bytes()
        with (album / made[0].name).open("wb") as file:  # copied slowly
            for start in range(0, len(whole), len(whole) // 8):
                file.write(whole[start : start + len(whole) // 8])
                file.flush()
                time.sleep(0.15)
        (album / made[1].name).write_bytes(made[1].read_bytes())
        deadline = time.monotonic() + 60
        while len(hashes(out) if out.exists() else {}) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert sorted(hashes(out)) == [path.name for path in made[:2]]
    assert b"failed" not in said
