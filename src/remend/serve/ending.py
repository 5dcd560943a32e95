"""The end of a server: from when on nothing is taken, and how long work in hand is waited for."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from remend.serve.limits import Limits
from remend.serve.problems import Problem

__all__ = ["Ending"]

FETCH_S = 2.0  # after the last job, for its client to come and get it
RESTARTED_S = 3  # for the server that takes over
LOOK_S = 0.05


class Ending:
    """Asked for once; then a deadline counts.

    Attributes:
        begun: whether it has been asked for.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits, self.begun = limits, False
        self._deadline = 0.0

    def begin(self) -> None:
        """Nothing more is to be taken from now on."""
        self.begun = True
        self._deadline = time.monotonic() + self.limits.drain_seconds

    def problem(self, detail: str) -> Problem:
        """What is answered from now on: when the next server may be there."""
        left = max(0.0, self._deadline - time.monotonic())
        return Problem("draining", detail, retry_after=math.ceil(left) + RESTARTED_S)

    async def wait_for(self, busy: Callable[[], bool], *, at_most: float = math.inf) -> None:
        """Wait until it is over, ``at_most`` seconds, and never beyond the deadline."""
        until = min(self._deadline, time.monotonic() + at_most)
        while busy() and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
