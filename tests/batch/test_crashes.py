"""Batches that are killed, starved and refused the disk end as if nothing had happened."""

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from made_albums import hashes, make_album, make_mask
from remend.batch import BatchOptions, Failure, attempt, plan_jobs, run_jobs, work
from remend.batch import run as running
from remend.batch.manifest import manifest_in
from remend.cli.repair import repair
from remend.io import atomic
from remend.options import Bounds, MaskOptions, Settings
from remend.report import RepairReport

POSIX = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")


def command(folder: Path, out: Path, mask: Path, *more: str) -> list[str]:
    flags = ["-o", str(out), "-m", str(mask), "--method", "telea", *more]
    return [sys.executable, "-m", "remend", "repair", str(folder), *flags]


def tries(out: Path) -> int:
    base = sqlite3.connect(manifest_in(out))
    (count,) = base.execute("SELECT sum(tries) FROM pictures").fetchone()
    base.close()
    return int(count)


def killed_often(tmp_path: Path, count: int, kills: int, jobs: int, wait_s: float) -> None:
    """Kill a batch again and again, at random; then let it end, and hold it to one that was left alone."""
    make_album(tmp_path / "album", count)
    mask = make_mask(tmp_path / "m.png")
    subprocess.run(command(tmp_path / "album", tmp_path / "right", mask), check=True, capture_output=True)
    chance = random.Random(0)
    out, done = tmp_path / "out", 0
    arguments = command(tmp_path / "album", out, mask, "--jobs", str(jobs), "--resume")
    while done < kills:
        process = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        begun = time.monotonic()
        # Most kills when work has begun: the imports before it are the longest part of a short life.
        while not manifest_in(out).exists() and time.monotonic() - begun < 20:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, wait_s))
        if process.poll() is not None:  # it came to its end: begin anew with what is there taken away
            for path in chance.sample(sorted(out.glob("p*")), count // 2):
                path.unlink()
            continue
        if chance.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:  # the leader alone: its workers must not go on
            process.kill()
        process.wait()
        done += 1
        for path in out.glob("p*"):  # nothing under a name that is not whole
            assert hashes(out)[path.name] == hashes(tmp_path / "right")[path.name]
    subprocess.run(arguments, check=True, capture_output=True)
    assert hashes(out) == hashes(tmp_path / "right")
    assert not list(out.glob("*.tmp")) or all(
        time.time() - path.stat().st_mtime < atomic.STRAY_AFTER_S + 10 for path in out.glob("*.tmp")
    )


@POSIX
def test_a_batch_that_is_killed_again_and_again(tmp_path):
    killed_often(tmp_path, count=12, kills=3, jobs=1, wait_s=0.6)


@POSIX
@pytest.mark.slow
def test_workers_of_a_killed_batch_end_with_it(tmp_path):
    killed_often(tmp_path, count=40, kills=6, jobs=2, wait_s=4.0)


@POSIX
def test_kills_cost_no_more_than_what_was_in_hand(tmp_path):
    make_album(tmp_path / "album", 30)
    mask = make_mask(tmp_path / "m.png")
    out = tmp_path / "out"
    arguments = command(tmp_path / "album", out, mask)
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(5):
        process.stdout.readline()
    process.kill()
    process.communicate()
    result = subprocess.run(arguments, check=True, capture_output=True)
    assert b"done already" in result.stderr
    assert tries(out) <= 30 + 1
    assert len(hashes(out)) == 30


def shared(**more) -> BatchOptions:
    return BatchOptions(settings=Settings(method="telea"), options=MaskOptions(), **more)


def test_a_full_disk_and_a_broken_one_fail_the_picture_alone(tmp_path, monkeypatch):
    make_album(tmp_path / "album", 6)
    out = tmp_path / "out"
    jobs = plan_jobs([tmp_path / "album"], output=out, mask=make_mask(tmp_path / "m.png"), recursive=False)
    for code in (errno.ENOSPC, errno.EACCES, errno.EIO):
        truly, count = os.fsync, iter(range(100))

        def fsync(handle, truly=truly, count=count, code=code):
            if next(count) == 2:
                raise OSError(code, os.strerror(code))
            truly(handle)

        monkeypatch.setattr(atomic.os, "fsync", fsync)
        outcomes = [outcome for _, outcome in run_jobs(jobs, shared(overwrite=True))]
        monkeypatch.undo()
        assert [isinstance(one, Failure) for one in outcomes] == [False, False, True, False, False, False]
        assert os.strerror(code) in outcomes[2].message
        assert outcomes[2].exit_code == 4
        assert not list(out.glob(".remend-*"))


def test_a_disk_that_is_full_is_taken_up_when_there_is_room(tmp_path, monkeypatch):
    make_album(tmp_path / "album", 6)
    flags = ["-m", str(make_mask(tmp_path / "m.png")), "--method", "telea"]
    right = CliRunner().invoke(repair, [str(tmp_path / "album"), "-o", str(tmp_path / "right"), *flags])
    assert right.exit_code == 0
    arguments = [str(tmp_path / "album"), "-o", str(tmp_path / "out"), *flags]

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    assert CliRunner().invoke(repair, arguments).exit_code == 4
    monkeypatch.undo()
    assert hashes(tmp_path / "out") == {}
    assert CliRunner().invoke(repair, arguments).exit_code == 0
    assert hashes(tmp_path / "out") == hashes(tmp_path / "right")


def test_bad_pictures_are_listed_and_the_others_written(tmp_path):
    make_album(tmp_path / "album", 40, bad=6)
    mask = make_mask(tmp_path / "m.png")
    arguments = [str(tmp_path / "album"), "-o", str(tmp_path / "out"), "-m", str(mask), "--method", "telea"]
    result = CliRunner().invoke(repair, [*arguments, "--manifest", str(tmp_path / "book.sqlite")])
    assert result.exit_code == 1
    assert len(hashes(tmp_path / "out")) == 34
    base = sqlite3.connect(tmp_path / "book.sqlite")
    failed = base.execute("SELECT source, reason FROM pictures WHERE state='failed'").fetchall()
    base.close()
    assert sorted(Path(source).name[:5] for source, _ in failed) == [f"p{number:04d}" for number in range(6)]
    assert all(reason for _, reason in failed)


def test_memory_that_runs_out_is_tried_again_with_smaller_windows(tmp_path, monkeypatch):
    make_album(tmp_path / "album", 2)
    jobs = plan_jobs(
        [tmp_path / "album"], output=tmp_path / "out", mask=make_mask(tmp_path / "m.png"), recursive=False
    )
    asked: list[int | None] = []

    def hungry(source, target, shared, **more):
        asked.append(shared.settings.window_px)
        if shared.settings.window_px is None and source.name.startswith("p0000"):
            return Failure.of(str(source), MemoryError())
        return attempt(source, target, shared, **more)

    monkeypatch.setattr(work, "attempt", hungry)
    outcomes = [outcome for _, outcome in run_jobs(jobs, shared())]
    assert asked == [None, None, running.LESS_PX, None]
    assert all(isinstance(one, RepairReport) for one in outcomes)
    assert "windows of 256 px" in outcomes[0].notes[-1]
    assert outcomes[1].notes == ()


@POSIX
@pytest.mark.slow
def test_a_worker_that_dies_costs_its_own_picture_and_order_is_kept(tmp_path):
    """A model from outside cannot kill a worker; a signal can."""
    make_album(tmp_path / "album", 60)
    mask = make_mask(tmp_path / "m.png")
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(tmp_path / "album", out, mask, "--jobs", "2", "--method", "biharmonic"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # or what is read ahead with the first line is lost to communicate
    )
    first = process.stdout.readline()
    (workers,) = [Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    for worker in workers:
        if b"spawn_main" in Path(f"/proc/{worker}/cmdline").read_bytes():
            os.kill(int(worker), signal.SIGKILL)
            break
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    names = [Path(line.decode()).name for line in [first, *rest.splitlines()]]
    assert [name.strip() for name in names] == sorted(path.name for path in (tmp_path / "album").iterdir())


@pytest.mark.slow
def test_answers_of_several_workers_come_in_order(tmp_path):
    make_album(tmp_path / "album", 24, bad=3)
    jobs = plan_jobs(
        [tmp_path / "album"], output=tmp_path / "out", mask=make_mask(tmp_path / "m.png"), recursive=False
    )
    found = [job for job, _ in run_jobs(jobs, shared(), processes=3)]
    assert found == jobs


@pytest.mark.slow
def test_a_picture_that_does_not_end_is_stopped_from_outside(tmp_path, monkeypatch):
    from remend.batch import crew

    monkeypatch.setattr(crew, "GRACE_S", 0.0)
    monkeypatch.setattr(crew, "GRACE", 1.0)
    make_album(tmp_path / "album", 2)
    jobs = plan_jobs(
        [tmp_path / "album"], output=tmp_path / "out", mask=make_mask(tmp_path / "m.png"), recursive=False
    )
    # Before the first step of a fresh worker is over, this time is.
    limited = shared(bounds=Bounds(time_limit_s=1e-4))
    outcomes = [outcome for _, outcome in run_jobs(jobs, limited, processes=2)]
    assert all(isinstance(one, Failure) and "--time-limit" in one.message for one in outcomes)
