"""Runs side by side on a lent machine: each is told of, ended in time, and what it made is packed."""

import subprocess
import sys
from pathlib import Path

STAGE = Path(__file__).parents[2] / "tools" / "gpu_stage.py"


def run_stage(tmp_path, text, *options):
    plan = tmp_path / "stage.toml"
    plan.write_text(text)
    command = [sys.executable, str(STAGE), str(plan), "--out", str(tmp_path / "out"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_run_that_ends_is_packed(tmp_path):
    done = run_stage(
        tmp_path,
        '[[run]]\nname = "short"\ncommand = "echo learned"\npack = "echo packed > $OUT/made"\n',
        "--seconds=30",
        "--grace=2",
    )
    assert done.returncode == 0 and "short ended with 0: learned" in done.stdout
    assert (tmp_path / "out" / "made").read_text() == "packed\n"


def test_a_run_that_is_late_is_asked_to_end_and_its_signal_reaches_what_it_started(tmp_path):
    saves = "trap 'echo saved; exit 0' TERM; echo begins; while true; do sleep 0.1; done"
    done = run_stage(
        tmp_path, f'[[run]]\nname = "late"\ncommand = "{saves}"\n', "--seconds=4", "--grace=3", "--every=1"
    )
    assert "late ended with 0: saved" in done.stdout
