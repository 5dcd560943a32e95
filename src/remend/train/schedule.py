"""The learning rate as a pure function of what was seen: nothing to store, nothing to lose on resume."""

from __future__ import annotations

import math

from remend.train.config import Train

__all__ = ["learning_rate"]


def learning_rate(train: Train, samples_seen: int) -> float:
    """Linear warm-up, then a cosine from ``lr`` to ``lr_end`` of it at ``samples``.

    >>> plan = Train(samples=1000, warmup=100, lr=1.0, lr_end=0.1)
    >>> [round(learning_rate(plan, seen), 3) for seen in (0, 50, 100, 1000, 2000)]
    [0.01, 0.505, 1.0, 0.1, 0.1]
    """
    if samples_seen < train.warmup:
        return train.lr * (samples_seen + 0.01 * train.warmup) / (1.01 * train.warmup)
    done = min(1.0, (samples_seen - train.warmup) / max(1, train.samples - train.warmup))
    return train.lr * (train.lr_end + (1 - train.lr_end) * 0.5 * (1 + math.cos(math.pi * done)))
