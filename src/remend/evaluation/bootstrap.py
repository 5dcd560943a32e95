"""How sure a mean over pictures is: percentile intervals by drawing the pictures again and again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DRAWS", "FEWEST", "LEVEL", "SEED", "intervals"]

DRAWS = 2000
LEVEL = 0.95
SEED = 0
FEWEST = 6
"""Below so many pictures there is no interval: six that all say the same are the fewest that even a sign test
takes for more than chance at 95 %, and a bootstrap of fewer is far too sure of itself."""

_CHUNK = 1 << 22


def intervals(
    table: NDArray[np.floating], *, draws: int = DRAWS, level: float = LEVEL, seed: int = SEED
) -> NDArray[np.float64]:
    """Percentile bootstrap intervals of column means.

    Give the differences of two methods on the same pictures, and the intervals are paired: much narrower
    than what two separate intervals suggest, since hard pictures are hard for both.

    Args:
        table: (N, K), a row a picture; NaN where a metric does not apply, which does not count.
        draws: how often N pictures are drawn with replacement.
        level: how much of the draws lies within.
        seed: the same seed draws the same pictures.

    Returns:
        (K, 2) low and high; NaN for a column with fewer than ``FEWEST`` numbers.

    Cost: ``draws`` × N × K operations, in chunks.

    Reference: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993.

    >>> intervals(np.ones((6, 1)))
    array([[1., 1.]])
    """
    values = np.asarray(table, np.float64)
    count, columns = values.shape
    there = np.isfinite(values)
    enough = there.sum(axis=0) >= FEWEST
    found = np.full((columns, 2), np.nan)
    if not enough.any():
        return found
    rng = np.random.default_rng(seed)
    filled, applies = np.where(there, values, 0.0), there.astype(np.float64)
    means = np.empty((draws, columns))
    chunk = max(1, _CHUNK // count)
    for first in range(0, draws, chunk):
        size = min(chunk, draws - first)
        picked = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(picked.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a draw without any picture where the metric applies
            means[first : first + size] = (times @ filled) / (times @ applies)
    tail = 50 * (1 - level)
    found[enough] = np.nanpercentile(means[:, enough], [tail, 100 - tail], axis=0).T
    return found
