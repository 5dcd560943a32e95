"""The same batch on a Ray cluster of this machine."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from made_albums import hashes, make_album, make_mask
from remend.batch.manifest import manifest_in

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")]


@pytest.fixture(autouse=True)
def _ray():
    pytest.importorskip("ray", reason="needs its extra: pip install '.[ray]'")


def command(folder: Path, out: str, *more: str) -> list[str]:
    flags = ["-o", str(folder / out), "-m", str(folder / "m.png"), "--method", "telea", *more]
    return [sys.executable, "-m", "remend", "repair", str(folder / "album"), *flags]


def rows(out: Path) -> list[tuple[str, ...]]:
    base = sqlite3.connect(manifest_in(out))
    found = base.execute("SELECT target, state, input, options, output FROM pictures ORDER BY target")
    answer = found.fetchall()
    base.close()
    return answer


def workers() -> list[int]:
    """Processes of Ray that do, or could do, a task of ours."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith((b"ray::_work_there", b"ray::_settle_there", b"ray::IDLE")):
                found.append(int(entry.name))
    return found


def test_the_same_manifest_and_the_same_pixels(tmp_path):
    make_album(tmp_path / "album", 10, bad=1)
    make_mask(tmp_path / "m.png")
    right = subprocess.run(command(tmp_path, "right", "--json"), capture_output=True, check=False)
    ray = ("--engine", "ray", "--jobs", "2", "--json")
    found = subprocess.run(command(tmp_path, "out", *ray), capture_output=True, check=False)
    assert found.returncode == right.returncode == 1, found.stderr.decode()
    assert hashes(tmp_path / "out") == hashes(tmp_path / "right")
    assert rows(tmp_path / "out") == rows(tmp_path / "right")
    assert len(found.stdout.splitlines()) == len(right.stdout.splitlines()) == 10
    # Taken up again: by the cluster what this machine began, and the other way round.
    (tmp_path / "right" / "p0004.jpg").write_bytes(b"cut short")
    again = subprocess.run(command(tmp_path, "right", "--resume", *ray), capture_output=True, check=False)
    assert b"8 done already" in again.stderr
    assert hashes(tmp_path / "out") == hashes(tmp_path / "right")


def test_workers_that_are_killed_lose_nothing(tmp_path):
    make_album(tmp_path / "album", 60)
    make_mask(tmp_path / "m.png")
    subprocess.run(command(tmp_path, "right"), check=True, capture_output=True)
    process = subprocess.Popen(
        command(tmp_path, "out", "--engine", "ray", "--jobs", "2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # or what is read ahead with the first line is lost to communicate
    )
    killed = 0
    lines = [process.stdout.readline()]
    while process.poll() is None and killed < 4:
        if here := workers():
            os.kill(here[0], signal.SIGKILL)
            killed += 1
        time.sleep(1.5)
    rest, said = process.communicate(timeout=200)
    assert process.returncode == 0, said.decode()
    assert killed
    # Nothing on stdout but the results, in order.
    names = [Path(line.decode().strip()).name for line in [*lines, *rest.splitlines()]]
    assert names == sorted(path.name for path in (tmp_path / "album").iterdir())
    assert hashes(tmp_path / "out") == hashes(tmp_path / "right")
