"""Several looks at one thing: those that agree are believed, and averaged.

What passes before a scene hides it for some frames, and a wrong motion shows some other place each time; what
is really there is shown again and again.
"""

from __future__ import annotations

import numpy as np

from remend.picture import Float

__all__ = ["agreed", "squares"]

ALIKE = 0.05  # of the range and channel, that two looks at one thing may differ by
SHARPER = 2.0  # how much more what agrees counts


def agreed(values: Float, variance: Float) -> tuple[Float, Float]:
    """One colour of several looks.

    Args:
        values: (s, n, 3) float32, in [0, 1].
        variance: (s, n) float32, of each; infinite = nothing was seen.

    Returns:
        (n, 3) colours and (n,) variance: what the looks that agree leave, and how far others contradict;
        infinite where nothing was seen.

    Cost: s² passes over n pixels.
    """
    weight = 1 / variance
    support = np.zeros_like(weight)
    for one in range(len(values)):
        for other in range(one + 1):
            apart = squares(values[one] - values[other])
            alike = np.exp(apart * np.float32(-0.5 / (3 * ALIKE**2)))
            support[one] += weight[other] * alike
            if other < one:
                support[other] += weight[one] * alike
    total = np.maximum(weight.sum(axis=0), np.float32(1e-12))
    share = weight * np.power(support / total, np.float32(SHARPER))
    share /= np.maximum(share.sum(axis=0), np.float32(1e-20))
    best = np.einsum("sn,snc->nc", share, values)
    found = np.isfinite(variance).any(axis=0)
    left = squares(values - best)
    with np.errstate(invalid="ignore"):
        own = np.where(share > 0, share * variance, 0).sum(axis=0)
    against = (weight * left).sum(axis=0) / total
    spread = np.where(found, own + against / 4, np.inf)
    return best.astype(np.float32), spread.astype(np.float32)


def squares(values: Float) -> Float:
    """(…, 3) → (…) the sum of squares; `numpy.sum` over so short an axis takes five times as long."""
    return np.asarray(np.einsum("...c,...c->...", values, values), np.float32)
