"""Rates and seeds as pure functions of what was seen: nothing to store, nothing to lose on resume."""

from __future__ import annotations

import math

import numpy as np

from remend.errors import UsageError
from remend.train.config import Train

__all__ = ["SCHEDULES", "learning_rate", "seed_of"]

SCHEDULES = ("cosine", "step", "plateau", "constant")
_STEPS = 3  # over a run, where nothing says how many


def learning_rate(train: Train, samples_seen: int, drops: int = 0) -> float:
    """Linear warm-up, then what ``train.schedule`` says.

    ``cosine``: held, then from ``lr`` to ``lr_end`` of it at ``samples``; ``step``: times ``lr_factor`` each
    ``step_every`` crops; ``plateau``: times ``lr_factor`` for each of ``drops``; ``constant``: as it is.

    Args:
        train: the plan.
        samples_seen: so far.
        drops: how often validation has stood still; for ``plateau``.

    Raises:
        UsageError: a schedule that there is not.

    >>> plan = Train(samples=1000, warmup=100, lr=1.0, lr_end=0.1)
    >>> [round(learning_rate(plan, seen), 3) for seen in (0, 50, 100, 1000, 2000)]
    [0.01, 0.505, 1.0, 0.1, 0.1]
    >>> plan = Train(samples=1000, warmup=100, lr=1.0, lr_end=0.0, hold=0.8)
    >>> [round(learning_rate(plan, seen), 3) for seen in (100, 800, 900, 1000)]
    [1.0, 1.0, 0.5, 0.0]
    >>> plan = Train(samples=900, warmup=0, lr=1.0, schedule="step", lr_factor=0.5, step_every=300)
    >>> [learning_rate(plan, seen) for seen in (0, 299, 300, 899)]
    [1.0, 1.0, 0.5, 0.25]
    """
    if samples_seen < train.warmup:
        return train.lr * (samples_seen + 0.01 * train.warmup) / (1.01 * train.warmup)
    match train.schedule:
        case "step":
            every = train.step_every or max(1, train.samples // _STEPS)
            return float(train.lr * train.lr_factor ** (samples_seen // every))
        case "plateau":
            return float(train.lr * train.lr_factor**drops)
        case "constant":
            return train.lr
        case "cosine":
            return _cosine(train, samples_seen)
    raise UsageError(f"train.schedule is {', '.join(SCHEDULES)}, got {train.schedule!r}")


def _cosine(train: Train, samples_seen: int) -> float:
    start = max(train.warmup, train.hold * train.samples)
    done = min(1.0, max(0.0, samples_seen - start) / max(1, train.samples - start))
    return train.lr * (train.lr_end + (1 - train.lr_end) * 0.5 * (1 + math.cos(math.pi * done)))


def seed_of(*numbers: int) -> int:
    """A seed below 2⁶³ for torch's generators, from numbers such as (seed, index of the sample)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
