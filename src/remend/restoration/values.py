"""Noise of measured values: how it grows with them, and values without it, by stabilising its variance.

The magnitude that magnetic resonance gives has Rician noise: in the dark it lifts values, and is no longer
symmetric. Counts have Poisson noise, with some that is the same everywhere. A transform makes either the same
everywhere, the net that takes noise off pictures does so, and the inverse of the transform's *mean* brings
values back without a bias.

Reference: Foi, "Noise estimation and removal in MR imaging: the variance-stabilization approach", ISBI 2011.
Mäkitalo, Foi, "Optimal inversion of the generalized Anscombe transformation for Poisson-Gaussian noise",
IEEE TIP 2013. Koay, Basser, "Analytically exact correction scheme for signal extraction from noisy magnitude
MR signals", JMR 2006.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.restoration.net import MARGIN_PX, change_of, tiles

__all__ = ["Counts", "Model", "Rician", "denoised", "estimate_counts", "estimate_rician"]

Values = NDArray[np.float64]
MAD = 0.6745  # of a normal distribution, over its deviation
NODES = 24  # of Gauss and Hermite
DEEPEST = 14.0  # deviations: beyond, Rician noise is normal
BRIGHT, BRIGHT_SHARE = 3.0, 0.1  # deviations; of the picture, that must be so bright to be enough
ROUNDS, CLOSE = 12, 0.002
BINS, FEWEST = 24, 64  # of brightness; details in each
SEEN_LEVELS = 15 / 255  # what the net is shown as one deviation, if the range has room for it
ROOM = 0.9  # of the net's range that values take


@dataclass(frozen=True, slots=True)
class Rician:
    """Noise of a magnitude: ``sigma`` is that of each of the two channels it was made of."""

    sigma: float

    def curve(self, most: float) -> tuple[Values, Values, Values]:
        """(mean, deviation) of what is measured for each true value up to ``most``, and those values."""
        true = np.concatenate([np.linspace(0, DEEPEST, 400), [max(DEEPEST + 1, 1.1 * most / self.sigma)]])
        x, weight = _nodes()
        magnitude = np.hypot(true[:, None, None] + x[:, None], x[None, :])
        both = weight[:, None] * weight[None, :]
        mean = (magnitude * both).sum(axis=(1, 2))
        spread = np.sqrt(np.maximum((magnitude**2 * both).sum(axis=(1, 2)) - mean**2, 1e-9))
        return self.sigma * mean, self.sigma * spread, self.sigma * true

    def measured(self, true: Values) -> Values:
        """(n, nodes²) what may be measured for each true value."""
        x, _ = _nodes()
        both = np.hypot(true[:, None, None] + self.sigma * x[:, None], self.sigma * x[None, :])
        return both.reshape(len(true), -1)

    @property
    def weights(self) -> Values:
        """Of what ``measured`` answers."""
        _, weight = _nodes()
        return np.outer(weight, weight).ravel()

    @property
    def told(self) -> str:
        """In words."""
        return f"Rician noise, deviation {self.sigma:.3g}"


@dataclass(frozen=True, slots=True)
class Counts:
    """Noise whose variance is ``gain`` times the value, and ``floor`` more."""

    gain: float
    floor: float

    def curve(self, most: float) -> tuple[Values, Values, Values]:
        """As that of `Rician`."""
        true = np.linspace(0, max(most, 1e-9) * 1.05, 600)
        return true, np.sqrt(np.maximum(self.gain * true + 0.375 * self.gain**2 + self.floor, 1e-12)), true

    def measured(self, true: Values) -> Values:
        """As that of `Rician`."""
        x, _ = _nodes()
        return true[:, None] + np.sqrt(np.maximum(self.gain * true + self.floor, 0))[:, None] * x

    @property
    def weights(self) -> Values:
        """As those of `Rician`."""
        return _nodes()[1]

    @property
    def told(self) -> str:
        """In words."""
        return f"noise of variance {self.gain:.3g} × the value + {self.floor:.3g}"


Model = Rician | Counts


def estimate_rician(values: NDArray[Any]) -> Rician | None:
    """The deviation of Rician noise; None where there is none, or nothing to tell it by.

    It is the one by whose transform the details of the picture get a deviation of one.

    Args:
        values: (h, w) or (slices, h, w), at least 0; exact zeros were masked out and are not looked at.
    """
    planes = [plane for plane in _planes(values) if min(plane.shape) >= 3]
    if not planes:
        return None
    seen = np.concatenate([_details(plane)[0] for plane in planes])
    sigma = float(np.median(np.abs(seen)) / MAD) if seen.size >= FEWEST else 0.0
    for _ in range(ROUNDS):
        if not sigma > 0:
            return None
        forward, _ = _transform(Rician(sigma), float(max(plane.max() for plane in planes)))
        parts = [_details(plane, forward) for plane in planes]
        details, means = (np.concatenate([part[k] for part in parts]) for k in range(2))
        bright = means > BRIGHT * sigma  # there it is normal, and the median of its size tells its deviation
        if np.count_nonzero(bright) > BRIGHT_SHARE * bright.size:
            details = details[bright]
        left = float(np.median(np.abs(details)) / MAD)
        sigma *= left
        if abs(left - 1) < CLOSE:
            break
    return Rician(sigma) if sigma > 0 else None


def estimate_counts(values: NDArray[Any]) -> Counts | None:
    """How the variance grows with the value: a line through it, bin by bin; None where there is no noise."""
    parts = [_details(plane) for plane in _planes(values) if min(plane.shape) >= 3]
    if not parts:
        return None
    details, means = (np.concatenate([part[k] for part in parts]) for k in range(2))
    if details.size < FEWEST:
        return None
    edges = np.unique(np.quantile(means, np.linspace(0, 1, BINS + 1)))
    where = np.clip(np.searchsorted(edges, means, side="right") - 1, 0, max(0, len(edges) - 2))
    rows = []
    for number in range(max(1, len(edges) - 1)):
        inside = where == number
        count = np.count_nonzero(inside)
        if count >= FEWEST:
            variance = float(np.median(np.abs(details[inside])) / MAD) ** 2
            rows.append((float(means[inside].mean()), variance, count))
    if not rows or not max(row[1] for row in rows) > 0:
        return None
    mean, variance, count = np.array(rows).T
    for _ in range(8):  # edges lift the variance of some bins: what lies far above the line counts less
        gain, floor = _line(mean, variance, count)
        off = variance - (gain * mean + floor)
        scale = 1.5 * float(np.median(np.abs(off))) + 1e-12
        count = np.array([row[2] for row in rows]) / (1 + np.square(np.maximum(off, 0) / scale))
    return Counts(gain, floor) if gain > 0 or floor > 0 else None


def denoised(values: Values, model: Model, *, strength: float = 1.0, usable: Bool | None = None) -> Values:
    """Values without their noise.

    Args:
        values: (h, w), at least 0 for `Rician`.
        model: of the noise.
        strength: 0 = as they were; 1 = all that is seen of it.
        usable: (h, w) bool, what is measured; the rest stays, and its values are not looked at.

    Returns:
        (h, w) float64.

    Cost: that of the net, 1 s of a core a megapixel.
    """
    usable = np.isfinite(values) if usable is None else usable & np.isfinite(values)
    if not usable.any() or not strength:
        return values
    filled = np.where(usable, values, float(np.median(values[usable])))
    if isinstance(model, Counts):
        low = min(0.0, float(filled.min()))
        filled = filled - low
    else:
        low, filled = 0.0, np.maximum(filled, 0)
    forward, back = _transform(model, float(filled.max()))
    flat = forward(filled)
    begin, span = float(flat.min()), max(float(np.ptp(flat)), 1e-9)
    unit = min(SEEN_LEVELS, ROOM / span)
    window = np.asarray((1 - ROOM) / 2 + (flat - begin) * unit, np.float32)
    change = np.zeros_like(window)
    for outer, inner in tiles(*window.shape, margin=MARGIN_PX):
        part: Float = np.repeat(window[outer.slices][..., None], 3, axis=2)
        seen = change_of(part, exact=True)[inner.inside(outer).slices]
        change[inner.slices] = seen.mean(axis=2)
    clear = back(flat + change.astype(np.float64) / unit)
    return np.asarray(np.where(usable, values + strength * (clear + low - values), values))


def _transform(model: Model, most: float) -> tuple[Callable[[Values], Values], Callable[[Values], Values]]:
    """What makes noise have a deviation of one everywhere, and the inverse of its mean."""
    mean, spread, true = model.curve(most)
    steps = np.diff(mean) * 2 / (spread[1:] + spread[:-1])
    height = np.concatenate([[0.0], np.cumsum(steps)])
    slope = 1 / spread[0], 1 / spread[-1]

    def forward(values: Values) -> Values:
        found = np.interp(values, mean, height)
        found += np.minimum(values - mean[0], 0) * slope[0] + np.maximum(values - mean[-1], 0) * slope[1]
        return np.asarray(found)

    expected = forward(model.measured(true)) @ model.weights

    def back(values: Values) -> Values:
        return np.asarray(np.interp(values, expected, true))

    return forward, back


def _nodes() -> tuple[Values, Values]:
    """Places and weights of a normal distribution's quadrature."""
    x, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return x, weight / weight.sum()


def _planes(values: NDArray[Any]) -> list[Values]:
    planes = np.asarray(values, np.float64)
    return list(planes) if planes.ndim == 3 else [planes]


def _details(plane: Values, forward: Callable[[Values], Values] | None = None) -> tuple[Values, Values]:
    """What is left of each 3 × 3 when slopes along rows and columns are taken off, and their means.

    Noise keeps its deviation. None where a zero or a gap is.

    Reference: Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 1996.
    """
    known = np.isfinite(plane) & (plane != 0)
    parts = [
        known[i : i + known.shape[0] - 2, j : j + known.shape[1] - 2] for i in range(3) for j in range(3)
    ]
    kept = np.logical_and.reduce(parts)
    values = np.where(known, plane, 0)
    mean = sum(
        values[i : i + values.shape[0] - 2, j : j + values.shape[1] - 2] for i in range(3) for j in range(3)
    )
    if forward is not None:
        values = forward(values)
    across = values[:, :-2] - 2 * values[:, 1:-1] + values[:, 2:]
    both = across[:-2] - 2 * across[1:-1] + across[2:]
    return both[kept] / 6, np.asarray(mean)[kept] / 9


def _line(x: Values, y: Values, weight: Values) -> tuple[float, float]:
    """Slope and height at 0 of the best line, neither below 0."""
    middle_x, middle_y = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = float(np.average((x - middle_x) ** 2, weights=weight))
    slope = float(np.average((x - middle_x) * (y - middle_y), weights=weight)) / spread if spread > 0 else 0.0
    slope = max(0.0, slope)
    floor = float(middle_y - slope * middle_x)
    if floor < 0:
        slope, floor = float(np.average(x * y, weights=weight) / np.average(x * x, weights=weight)), 0.0
    return slope, floor
