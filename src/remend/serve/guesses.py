"""What wrong tokens cost: after a few, an address waits, longer each time."""

from __future__ import annotations

import math
import time

from remend.serve.problems import Problem

__all__ = ["Guesses"]

FREE = 5  # a token is mistyped, or an old one left in a script
LONGEST_S = 60.0
FORGOTTEN_S = 600.0
MOST_ADDRESSES = 4096


class Guesses:
    """Wrong tokens by address; a good one clears the address, and so do ten quiet minutes."""

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[int, float]] = {}  # how many, and when the last one came

    def check(self, address: str) -> None:
        """Whether a token of this address is looked at now.

        Raises:
            Problem: ``too-many-guesses``.
        """
        count, last = self._wrong.get(address, (0, 0.0))
        if count <= FREE:
            return
        pause = min(LONGEST_S, 2.0 ** min(count - FREE - 1, 10))
        left = last + pause - time.monotonic()
        if left > 0:
            raise Problem(
                "too-many-guesses",
                f"{count} wrong tokens came from your address: none is looked at now",
                retry_after=math.ceil(left),
            )

    def wrong(self, address: str) -> None:
        """A wrong one came."""
        now = time.monotonic()
        count, last = self._wrong.pop(address, (0, now))
        while len(self._wrong) >= MOST_ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[address] = (1 if now - last > FORGOTTEN_S else count + 1, now)

    def good(self, address: str) -> None:
        """A good one came."""
        self._wrong.pop(address, None)
