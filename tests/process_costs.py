"""What a command costs, as seen from outside."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def busy_seconds() -> float:
    """Processor time of all commands that have ended; unlike the clock it bears other work beside it."""
    spent = os.times()
    return spent.children_user + spent.children_system


def measured(command: Sequence[str | Path], folder: Path) -> tuple[int, list[str], float, float]:
    """Exit code, lines of stderr, seconds, and the most memory that its processes held together, in MB."""
    since, peak = time.monotonic(), 0.0
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while process.poll() is None:
            peak = max(peak, _resident_mb(process.pid))
            time.sleep(0.02)
        assert process.stderr is not None
        lines = process.stderr.read().strip().splitlines()
    return process.returncode, lines, time.monotonic() - since, peak


def _resident_mb(group: int) -> float:
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total / 1e6
