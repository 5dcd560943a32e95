"""What a run leaves to read: CSV logs, one status line, grids of pictures."""

from __future__ import annotations

import csv
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from remend.errors import WriteError

__all__ = ["Journal", "Meter"]


class Journal:
    """A CSV file whose columns are those of its first row.

    Args:
        path: of the file; rows are added to one that exists.
        samples_seen: rows beyond this are dropped first: they are about to be learned again.
    """

    def __init__(self, path: Path, samples_seen: int = 0) -> None:
        self.path = path
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines[1:] if _samples(line) <= samples_seen]
            path.write_text("".join(lines[:1] + kept), encoding="utf-8")

    def write(self, samples_seen: int, row: Mapping[str, float]) -> None:
        """Add a row; numbers keep six digits.

        Raises:
            WriteError: it cannot be written.
        """
        try:
            new = not self.path.exists() or self.path.stat().st_size == 0
            with self.path.open("a", encoding="utf-8", newline="") as file:
                out = csv.writer(file, lineterminator="\n")
                if new:
                    out.writerow(["samples", *row])
                out.writerow([samples_seen, *(f"{value:.6g}" for value in row.values())])
        except OSError as error:
            raise WriteError(
                f"the log {self.path} cannot be written ({error.strerror}): make room; checkpoints are whole"
            ) from error


class Meter:
    """Means of the losses and the speed since the last line.

    Args:
        total: samples of the whole run.
        say: prints a line.
        live: rewrite one line instead, on a terminal.
    """

    def __init__(self, total: int, say: Callable[[str], None], *, live: bool = False) -> None:
        self.total, self.say, self.live = total, say, live
        self._sums: dict[str, float] = defaultdict(float)
        self._steps = self._samples = 0
        self._since = time.perf_counter()

    def add(self, samples: int, values: Mapping[str, float]) -> None:
        """One step is done."""
        self._steps += 1
        self._samples += samples
        for name, value in values.items():
            self._sums[name] += value

    def take(self, samples_seen: int) -> dict[str, float]:
        """Print the status line, start over, and return what it said."""
        now = time.perf_counter()
        speed = self._samples / max(now - self._since, 1e-9)
        row = {name: value / max(self._steps, 1) for name, value in self._sums.items()}
        row |= {"img_s": speed, "memory_gib": _memory_gib()}
        losses = "  ".join(f"{name} {value:.4g}" for name, value in row.items())
        left = (self.total - samples_seen) / max(speed, 1e-9)
        line = f"{samples_seen:,} of {self.total:,}  {losses}  {_duration(left)} left"
        if self.live:
            sys.stderr.write(f"\r\x1b[2K{line}")
            sys.stderr.flush()
        else:
            self.say(line)
        self.restart()
        return row

    def leave_out(self, seconds: float) -> None:
        """Do not count a pause: saving and validating are not training."""
        self._since += seconds

    def restart(self) -> None:
        """Forget what was added."""
        self._sums.clear()
        self._steps = self._samples = 0
        self._since = time.perf_counter()


def _samples(line: str) -> int:
    first = line.split(",", 1)[0]
    return int(first) if first.isdigit() else 0


def _memory_gib() -> float:
    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
