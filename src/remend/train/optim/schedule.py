"""Rates and seeds as pure functions of what was seen: nothing to store, nothing to lose on resume."""

from __future__ import annotations

import math

import numpy as np

from remend.train.config import Train

__all__ = ["learning_rate", "seed_of"]


def learning_rate(train: Train, samples_seen: int) -> float:
    """Linear warm-up, then held, then a cosine from ``lr`` to ``lr_end`` of it at ``samples``.

    >>> plan = Train(samples=1000, warmup=100, lr=1.0, lr_end=0.1)
    >>> [round(learning_rate(plan, seen), 3) for seen in (0, 50, 100, 1000, 2000)]
    [0.01, 0.505, 1.0, 0.1, 0.1]
    >>> plan = Train(samples=1000, warmup=100, lr=1.0, lr_end=0.0, hold=0.8)
    >>> [round(learning_rate(plan, seen), 3) for seen in (100, 800, 900, 1000)]
    [1.0, 1.0, 0.5, 0.0]
    """
    if samples_seen < train.warmup:
        return train.lr * (samples_seen + 0.01 * train.warmup) / (1.01 * train.warmup)
    start = max(train.warmup, train.hold * train.samples)
    done = min(1.0, max(0.0, samples_seen - start) / max(1, train.samples - start))
    return train.lr * (train.lr_end + (1 - train.lr_end) * 0.5 * (1 + math.cos(math.pi * done)))


def seed_of(*numbers: int) -> int:
    """A seed below 2⁶³ for torch's generators, from numbers such as (seed, index of the sample)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
