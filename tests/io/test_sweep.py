"""Drafts that a killed process leaves: swept by who writes there next, and never from under anybody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import remend
from remend.io import atomic
from remend.io.atomic import sweep, write_whole

NAME = ".remend-0123456789abcdef.tmp"


@pytest.fixture(autouse=True)
def forgotten():
    atomic.sweep_once.cache_clear()


def aged(path: Path, seconds: float = 3600) -> Path:
    if not path.exists():
        path.write_bytes(b"half a picture")
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_a_stray_draft_goes_with_the_next_write(tmp_path):
    stray = aged(tmp_path / NAME)
    write_whole(tmp_path / "a.png", b"whole", overwrite=False)
    assert not stray.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "name",
    [
        ".remend-0123.tmp",
        "remend-0123456789abcdef.tmp",
        f"{NAME}.bak",
        ".remend-0123456789ABCDEF.tmp",
        "x.tmp",
    ],
)
def test_what_is_not_ours_stays(tmp_path, name):
    path = aged(tmp_path / name)
    assert sweep(tmp_path) == 0
    assert path.exists()


def test_a_young_one_and_what_is_no_file_stay(tmp_path):
    (tmp_path / NAME).write_bytes(b"")
    (tmp_path / NAME.replace("0", "1")).mkdir()
    os.utime(tmp_path / NAME.replace("0", "1"), (0, 0))
    treasure = aged(tmp_path / "treasure.png")
    link = tmp_path / NAME.replace("0", "2")
    link.symlink_to(treasure)
    os.utime(link, (0, 0), follow_symlinks=False)
    assert sweep(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 4
    assert treasure.read_bytes() == b"half a picture"


def test_a_missing_folder_is_no_fault(tmp_path):
    assert sweep(tmp_path / "nowhere") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="locks and signals of POSIX")
def test_one_that_is_being_written_stays_until_its_writer_is_killed(tmp_path):
    code = """
import os, sys, time
from pathlib import Path
from remend.io import atomic
def sync(handle):
    print("half", flush=True)
    time.sleep(60)
os.fsync = sync
atomic.write_whole(Path(sys.argv[1]) / "a.png", b"x" * 9999, overwrite=False)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(remend.__file__).parents[1])}
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        (draft,) = tmp_path.iterdir()
        aged(draft)
        assert sweep(tmp_path) == 0
        writer.send_signal(signal.SIGKILL)
    assert sweep(tmp_path) == 1
    assert not list(tmp_path.iterdir())
