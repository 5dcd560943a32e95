"""A server in a process of its own, for the benchmarks of serving: forms, memory, a place to stop it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

__all__ = ["Running", "serving"]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    pid: int
    address: str

    def memory_bytes(self) -> int:
        """Private and shared memory (proportional set size) of the server and its workers."""
        return sum(_pss(pid) for pid in [self.pid, *_children(self.pid)])

    def own_seconds(self) -> float:
        """Processor time of the server itself, without its workers."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(*flags: str) -> Iterator[Running]:
    """`remend serve` on a free port, ready."""
    command = [sys.executable, "-m", "remend", "serve", "--port", "0", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = re.search(r"http://[^/]+", process.stderr.readline())
        assert found is not None
        server = Running(process.pid, found[0])
        until = time.monotonic() + 60
        while "remend_workers 2.0" not in httpx.get(f"{server.address}/metrics").text:
            assert time.monotonic() < until
            time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(stat.parent.name)
            found += [child, *_children(child)]
    return found


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) * 1024 if found else 0
