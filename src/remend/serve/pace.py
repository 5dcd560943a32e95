"""How long a plan is likely to take, learned by a worker from the windows that it has filled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from remend.plan.plan import Plan, Step

__all__ = ["Pace"]

USUAL = 2e-6  # seconds a pixel, of a filler that was not seen at work yet
LEAST_WEIGHT = 0.25  # of the last window in what is usual


@dataclass
class Pace:
    """Seconds a pixel of each filler, from one repair to the next.

    Attributes:
        clock: seconds, for tests.
    """

    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, int]] = field(default_factory=dict)
    _left: list[Step] = field(default_factory=list)
    _since: float = 0.0

    def begin(self, plan: Plan) -> float:
        """Filling begins: the seconds that it is likely to take."""
        self._left, self._since = list(plan.steps), self.clock()
        return self.left()

    def left(self) -> float:
        """Seconds that the steps not yet done are likely to take."""
        return sum(_pixels(step) * self._known.get(step.filler, (USUAL, 0))[0] for step in self._left)

    def done(self, step: Step) -> float:
        """A step is done: the seconds that the others are likely to take."""
        now = self.clock()
        rate, count = self._known.get(step.filler, (USUAL, 0))
        weight = max(LEAST_WEIGHT, 1 / (count + 1))
        rate += weight * ((now - self._since) / _pixels(step) - rate)
        self._known[step.filler] = rate, count + 1
        self._since = now
        del self._left[:1]
        return self.left()


def _pixels(step: Step) -> float:
    """What a filler sees of a step, at the scale that it is filled at."""
    if step.tiles is not None:
        return float(sum(box.height * box.width for box, _ in step.pieces()))
    return max(1.0, step.window.height * step.window.width * step.scale**2)
