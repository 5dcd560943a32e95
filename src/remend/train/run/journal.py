"""What a run leaves to read: CSV logs and one status line."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from remend.errors import WriteError

__all__ = ["Journal", "Meter", "duration"]


class Journal:
    """A CSV file that grows by rows, and by columns where a row brings new ones.

    Args:
        path: of the file; rows are added to one that exists.
        samples_seen: rows beyond this are dropped first: they are about to be learned again. So is a last
            line that was cut off.

    Raises:
        WriteError: it cannot be written; what it held is as it was.
    """

    def __init__(self, path: Path, samples_seen: int = 0) -> None:
        self.path = path
        self._columns: list[str] = []
        if path.exists():
            lines = [line for line in _lines(path) if line.endswith("\n")]
            kept = [line for line in lines[1:] if _samples(line) <= samples_seen]
            self._columns = lines[0].rstrip("\n").split(",")[1:] if lines else []
            self._replace("".join(lines[:1] + kept))

    def write(self, samples_seen: int, row: Mapping[str, float]) -> None:
        """Add a row; numbers keep six digits.

        Raises:
            WriteError: it cannot be written.
        """
        new = [name for name in row if name not in self._columns]
        if new:
            self._widen(new)
        cells = [f"{row[name]:.6g}" if name in row else "" for name in self._columns]
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_line([str(samples_seen), *cells]))
        except OSError as error:
            raise self._unwritten(error) from error

    def _widen(self, names: list[str]) -> None:
        """Add columns, empty in the rows so far."""
        self._columns += names
        lines = _lines(self.path) if self.path.exists() else []
        rows = [line.rstrip("\n") + "," * len(names) + "\n" for line in lines[1:]]
        self._replace(_line(["samples", *self._columns]) + "".join(rows))

    def _replace(self, content: str) -> None:
        draft = self.path.with_name(f".{self.path.name}.part")
        try:
            draft.write_text(content, encoding="utf-8")
            draft.replace(self.path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> WriteError:
        return WriteError(
            f"the log {self.path} cannot be written ({error.strerror}): make room; checkpoints are whole"
        )


class Meter:
    """Means of the losses and the speed since the last line.

    Args:
        total: samples of the whole run.
        say: prints a line.
        live: rewrite one line instead, on a terminal.
        memory: the most memory used so far, in GiB.
    """

    def __init__(
        self,
        total: int,
        say: Callable[[str], None],
        *,
        live: bool = False,
        memory: Callable[[], float] | None = None,
    ) -> None:
        self.total, self.say, self.live, self.memory = total, say, live, memory
        self.restart()

    def add(self, samples: int, values: Mapping[str, float], waited_s: float = 0.0) -> None:
        """One step is done; ``waited_s`` of it went by until its batch was there."""
        self._samples += samples
        self._waited += waited_s
        for name, value in values.items():
            self._sums[name] += value
            self._counts[name] += 1

    @property
    def pending(self) -> bool:
        """Whether a step was added since the last line."""
        return self._samples > 0

    def take(self, samples_seen: int) -> dict[str, float]:
        """Print the status line, start over, and return what it said.

        ``img_s`` is the speed, ``waiting`` the share of time in which the loop stood still for want of data.
        """
        took = max(time.perf_counter() - self._since, 1e-9)
        speed = self._samples / took
        row = {name: value / self._counts[name] for name, value in self._sums.items()}
        row |= {"img_s": speed, "waiting": self._waited / took}
        if self.memory is not None:
            row["memory_gib"] = self.memory()
        losses = "  ".join(f"{name} {value:.4g}" for name, value in row.items())
        left = (self.total - samples_seen) / max(speed, 1e-9)
        line = f"{samples_seen:,} of {self.total:,}  {losses}  {duration(left)} left"
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
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, int] = defaultdict(int)
        self._samples, self._waited = 0, 0.0
        self._since = time.perf_counter()


def duration(seconds: float) -> str:
    """Hours and minutes; seconds below two minutes.

    >>> duration(37_260), duration(125), duration(17.2)
    ('10 h 21 min', '2 min', '17 s')
    """
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _samples(line: str) -> int:
    first = line.split(",", 1)[0]
    return int(first) if first.isdigit() else 0
