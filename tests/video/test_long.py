"""Long clips and hard deaths: memory that does not grow, and kill -9 at any moment."""

import os
import random
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from made_clips import panned

av = pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
from made_videos import make_video  # noqa: E402

KILLS = 50
PEAK = """
import sys
from pathlib import Path
from remend.options.video import VideoOptions
from remend.video.job import repair_video
repair_video(Path(sys.argv[1]), Path(sys.argv[2]), mask=Path(sys.argv[3]), options=VideoOptions(reach=6))
# Not ru_maxrss, which begins at what the parent had.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def mask_of(path, size):
    hole = np.zeros(size, np.uint8)
    hole[size[0] // 2 : size[0] // 2 + 8, 10:30] = 255
    cv2.imwrite(str(path), hole)
    return path


@pytest.mark.slow
def test_fifty_kills_at_any_moment_end_with_the_same_file(tmp_path):
    source, mask = tmp_path / "in.mp4", mask_of(tmp_path / "m.png", (72, 96))
    log = tmp_path / "log"
    make_video(source, panned(400, speed=(0.3, 0.1)), times=[512 * t for t in range(400)])

    def begin(target):
        words = ["video", source, "-m", mask, "-o", target, "--reach", "6"]
        with log.open("w") as told:
            return subprocess.Popen(
                [sys.executable, "-m", "remend", *map(str, words)],
                stdout=subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,
            )

    begun = time.monotonic()
    whole = begin(tmp_path / "whole.mp4")
    assert whole.wait() == 0, log.read_text()
    lasted = time.monotonic() - begun
    drawn, target = random.Random(0), tmp_path / "out.mp4"
    killed = 0
    while killed < KILLS:
        job = begin(target)
        try:
            job.wait(timeout=drawn.uniform(0, lasted))
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            killed += 1
            if not target.exists():  # else it was done, and only about to end
                continue
            job.returncode = 0
        assert job.returncode == 0, log.read_text()
        assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
        assert not list(tmp_path.glob(".out*"))
        target.unlink()
    last = begin(target)
    assert last.wait() == 0, log.read_text()
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_clip(tmp_path):
    mask = mask_of(tmp_path / "m.png", (120, 160))
    some = panned(100, size=(120, 160), speed=(0.5, 0.1))
    there_and_back = [*some, *some[::-1]]
    peaks = []
    for count in (1_000, 10_000):
        source = tmp_path / f"{count}.mp4"
        make_video(source, [there_and_back[t % 200] for t in range(count)], options={"preset": "ultrafast"})
        words = [source, tmp_path / f"{count}-out.mp4", mask]
        told = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, words)], capture_output=True, text=True, check=True
        )
        peaks.append(int(told.stdout))
        print(f"{count} frames: {peaks[-1] / 1024:.0f} MiB")
    assert peaks[1] < 1.05 * peaks[0] + 10 * 1024
