"""Sixty files that claim much cost little: each is refused or done in five seconds and a gigabyte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bombs import bombs

SECONDS, MIB = 5, 1024
# The peak of a child counts what its parent held when it was started: a small process starts the command.
STARTER = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "remend", *sys.argv[1:]], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""


def cost(arguments: list[str]) -> tuple[int, float, int]:
    """Exit code, seconds of processor time, and peak memory in MiB of the command."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", STARTER, *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
    return int(said[0]), float(said[1]), int(said[2])


@pytest.mark.slow
@pytest.mark.parametrize("name", bombs())
def test_a_bomb_costs_little(tmp_path: Path, name):
    path, target = tmp_path / name, tmp_path / "out.png"
    path.write_bytes(bombs()[name]())
    code, seconds, peak = cost(["repair", str(path), "-o", str(target)])
    assert code in (0, 1, 4)
    assert seconds < SECONDS
    assert peak < MIB
    assert target.exists() == (code == 0)
