"""A folder that is watched: pictures are taken when nobody writes to them any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from remend.album import Job

__all__ = ["Settling", "watched"]

LOOKS_S = 1.0  # between two looks at the folder, at most


class Settling:
    """Which files have been left alone for a while.

    Size and time of the last write must stay the same for ``settle_s`` seconds by our own clock: a copy may
    set the time of its original, and a camera's clock may be wrong.
    """

    def __init__(self, settle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.settle_s, self._clock = settle_s, clock
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._taken: dict[Path, tuple[int, int]] = {}

    def settled(self, jobs: list[Job]) -> list[Job]:
        """Jobs whose picture, and mask if there is one, can be taken now; each is answered once."""
        return [job for job in jobs if self._take(job)]

    def _take(self, job: Job) -> bool:
        files = [job.source] if job.mask is None else [job.source, job.mask]
        quiet = [self._quiet(file) for file in files]
        if None in quiet:
            return False
        sign = quiet[0]
        assert sign is not None
        if self._taken.get(job.target) == sign:
            return False
        self._taken[job.target] = sign
        return True

    def _quiet(self, file: Path) -> tuple[int, int] | None:
        """Size and time of the last write of a file that nobody writes; None = wait."""
        try:
            stat = file.stat()
        except OSError:
            self._seen.pop(file, None)
            return None
        sign, now = (stat.st_size, stat.st_mtime_ns), self._clock()
        before, since = self._seen.get(file, (None, now))
        if before != sign:
            self._seen[file] = (sign, now)
            return sign if self.settle_s == 0 else None
        return sign if now - since >= self.settle_s else None


def watched(look: Callable[[], list[Job]], settle_s: float) -> Iterator[list[Job]]:
    """Jobs as they can be taken, some at a time; never ends by itself.

    Args:
        look: what lies there now.
        settle_s: how long a file must have been left alone.
    """
    settling = Settling(settle_s)
    while True:
        jobs = settling.settled(look())
        if jobs:
            yield jobs
        else:
            time.sleep(min(LOOKS_S, max(settle_s / 4, 0.05)))
