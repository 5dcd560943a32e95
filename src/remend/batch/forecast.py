"""When a batch will be done: from what pictures took, by the size of their files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

__all__ = ["Forecast"]

RISE = 1.25  # what is shown rises only when it was wrong by more: noise would make it jump
MEMORY = 0.97  # of what earlier pictures took, with each further one
FEWEST = 3  # pictures before anything is said


class Forecast:
    """Seconds that are left.

    A picture costs a part of its own and a part by the bytes of its file; both are fitted to those that are
    done, the last ones most. What is shown never rises, unless it turns out wrong by more than a quarter:
    then it would be a lie.

    Args:
        files: of all pictures.
        clock: in seconds, never turned back.
    """

    def __init__(self, files: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes = np.array([_size(file) for file in files], float)
        self._clock = clock
        self._left = np.ones(len(files), bool)
        self._began = clock()
        self._normal, self._moment = np.zeros((2, 2)), np.zeros(2)
        self._worked = 0.0
        self._done = 0
        self._shown: float | None = None

    def passed(self, number: int) -> None:
        """A picture that needed no work: it says nothing of the others."""
        self._left[number] = False

    def done(self, number: int, seconds: float) -> None:
        """A picture that took so long, in whichever process."""
        self._left[number] = False
        row = np.array([1.0, self._bytes[number] / 1e6])
        self._normal = MEMORY * self._normal + np.outer(row, row)
        self._moment = MEMORY * self._moment + row * seconds
        self._worked += seconds
        self._done += 1

    def left_s(self) -> float | None:
        """What to show; None = too early to say."""
        if not self._left.any():
            return 0.0
        if self._done < FEWEST:
            return None
        now = self._clock()
        speed = max(self._worked / max(now - self._began, 1e-9), 1e-9)  # pictures' seconds in each second
        estimate = self._cost() / speed
        if self._shown is None or estimate < self._shown or estimate > RISE * self._shown + 1:
            self._shown = estimate
        return self._shown

    def _cost(self) -> float:
        """Of all that is left, in one process; never less than the mean says by half."""
        count, size = float(np.count_nonzero(self._left)), float(self._bytes[self._left].sum()) / 1e6
        mean = count * self._worked / self._done
        fixed, by_size = np.linalg.solve(self._normal + 1e-6 * np.eye(2), self._moment)
        if fixed < 0 or by_size < 0:
            return mean
        return max(float(fixed * count + by_size * size), mean / 2)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
