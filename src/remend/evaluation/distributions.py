"""Distances between two sets of feature vectors: FID, KID, P-IDS and U-IDS. Pure functions on NumPy.

They judge a method over many pictures, not one picture. All take (N, D) arrays, a row a picture, and
compute in float64. What they say depends on the features, so a figure names its features or says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError

__all__ = ["FEW", "Separator", "fid", "ids", "kid", "separator"]

Rows = NDArray[np.floating]
_F64 = NDArray[np.float64]

FEW = 2048
"""Below so many pictures FID says more about N than about the method; Inception's covariance is not even
of full rank."""

_BLOCK = 2048


def fid(real: Rows, fake: Rows) -> float:
    """Fréchet distance of two Gaussians fitted to the features; 0 = equal, lower is better.

    Biased: it falls as N grows, for every method by another amount. Compare at equal N only.

    The trace of the root of the covariances' product is the sum of the singular values of A·Bᵀ, where
    AᵀA and BᵀB are the covariances: no matrix root, no imaginary rest, and exact for N below D.

    Args:
        real: (N, D) features of the truths.
        fake: (M, D) features of what a method made.

    Raises:
        EvaluationError: fewer than two rows, or widths that differ.

    Cost: three decompositions of at most D × D; 10 s for D = 2048.

    Reference: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium", NeurIPS 2017.
    """
    a, b = _rows(real, fake)
    shift = a.mean(axis=0) - b.mean(axis=0)
    root_a, root_b = _root(a), _root(b)
    shared = float(np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum())
    spread = float(np.square(root_a).sum() + np.square(root_b).sum())
    return max(0.0, float(shift @ shift) + spread - 2 * shared)


def kid(real: Rows, fake: Rows) -> float:
    """Squared maximum mean discrepancy under the kernel (x·y / D + 1)³; about 0 = equal, lower is better.

    The unbiased estimate over all rows at once: unlike FID it does not fall with N, and it may be a
    little below 0. Packages average it over random subsets, which is the same in the mean and noisier.

    Raises:
        EvaluationError: fewer than two rows, or widths that differ.

    Cost: N × M products of vectors, in blocks of 2048 rows.

    Reference: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018.
    """
    a, b = _rows(real, fake)
    n, m = len(a), len(b)
    within_a = (_kernel_sum(a, a) - _kernel_diagonal(a)) / (n * (n - 1))
    within_b = (_kernel_sum(b, b) - _kernel_diagonal(b)) / (m * (m - 1))
    return within_a + within_b - 2 * _kernel_sum(a, b) / (n * m)


def ids(real: Rows, fake: Rows) -> tuple[float, float]:
    """P-IDS and U-IDS: how often a linear judge takes fillings for truths; 0.5 is ideal, higher is better.

    A linear SVM is fitted to tell truths from fillings. U-IDS is the share of all pictures that it then
    puts on the wrong side; P-IDS the share of pairs whose filling it finds more real than its own truth.
    As in the authors' code the judge is asked about what it was fitted to: with N below the width D it
    tells everything apart, and both are 0 whatever the method.

    Args:
        real: (N, D), the truths.
        fake: (N, D), in the same order.

    Returns:
        P-IDS, U-IDS, as shares.

    Raises:
        EvaluationError: fewer than two rows, or shapes that differ.

    Reference: Zhao et al., "Large Scale Image Completion via Co-Modulated Generative Adversarial
    Networks", ICLR 2021.
    """
    a, b = _rows(real, fake)
    if len(a) != len(b):
        raise EvaluationError(f"P-IDS pairs rows: {len(a)} truths and {len(b)} fillings must be equally many")
    found = separator(np.concatenate([a, b]), np.repeat([1.0, -1.0], len(a)))
    of_real, of_fake = a @ found.weights + found.bias, b @ found.weights + found.bias
    wrong = np.count_nonzero(of_real <= 0) + np.count_nonzero(of_fake > 0)
    return float(np.mean(of_fake > of_real)), float(wrong / (2 * len(a)))


@dataclass(frozen=True, slots=True)
class Separator:
    """A plane: positive ``rows @ weights + bias`` is the class +1.

    Attributes:
        weights: (D,) float64.
        bias: float.
        objective: what was minimised, at the end.
        slope: norm of the gradient at the end, as a share of that at the start.
    """

    weights: _F64
    bias: float
    objective: float
    slope: float


def separator(rows: Rows, sides: Rows, *, cost: float = 1.0, tolerance: float = 1e-6) -> Separator:
    """The linear SVM with squared hinge: min ½‖w‖² + ½b² + cost · Σ max(0, 1 − side · (row·w + b))².

    The same as scikit-learn's ``LinearSVC(dual=False)`` and LIBLINEAR's solver 2, where the bias is one
    more weight, on a feature that is always 1. Strictly convex, so there is one answer.

    Args:
        rows: (N, D).
        sides: (N,), +1 or −1.
        cost: of a row on the wrong side of its margin.
        tolerance: share of the first gradient at which it is done.

    Cost: a few dozen Newton steps of conjugate gradients, each some products with ``rows``.
    """
    x = np.concatenate([np.asarray(rows, np.float64), np.ones((len(rows), 1))], axis=1)
    y = np.asarray(sides, np.float64)
    w = np.zeros(x.shape[1])

    def value(margins: _F64, weights: _F64) -> float:
        return float(0.5 * weights @ weights + cost * np.square(np.maximum(0, margins)).sum())

    margins = 1 - y * (x @ w)
    first = 0.0
    for _ in range(200):
        active = margins > 0
        inside = x[active]
        gradient = w - 2 * cost * (inside.T @ (y[active] * margins[active]))
        size = float(np.linalg.norm(gradient))
        first = first or size
        if size <= tolerance * first or first == 0:
            break
        step = _newton_step(inside, gradient, cost)
        along, slope = -y * (x @ step), float(gradient @ step)
        length, before = 1.0, value(margins, w)
        while value(margins + length * along, w + length * step) > before + 1e-4 * length * slope:
            length /= 2
            if length < 1e-12:
                break
        w = w + length * step
        margins = margins + length * along
    return Separator(w[:-1], float(w[-1]), value(margins, w), size / first if first else 0.0)


def _newton_step(inside: _F64, gradient: _F64, cost: float) -> _F64:
    """Solve (I + 2·cost·XᵀX) step = −gradient by conjugate gradients."""
    step = np.zeros_like(gradient)
    residual = -gradient
    direction = residual.copy()
    energy = float(residual @ residual)
    goal = 1e-4 * energy  # a hundredth of the gradient is enough for a step of Newton's
    for _ in range(4 * len(gradient)):
        if energy <= goal:
            break
        image = direction + 2 * cost * (inside.T @ (inside @ direction))
        length = energy / float(direction @ image)
        step += length * direction
        residual -= length * image
        energy, previous = float(residual @ residual), energy
        direction = residual + energy / previous * direction
    return step


def _rows(real: Rows, fake: Rows) -> tuple[_F64, _F64]:
    for name, rows in (("truths", real), ("fillings", fake)):
        if rows.ndim != 2 or len(rows) < 2:
            raise EvaluationError(f"features of the {name} must be (N, D) with N ≥ 2, got {rows.shape}")
        if not np.isfinite(rows).all():
            raise EvaluationError(f"features of the {name} are not all finite: check the feature net")
    if real.shape[1] != fake.shape[1]:
        raise EvaluationError(
            f"features of the truths are {real.shape[1]} wide and of the fillings {fake.shape[1]}: "
            "take both from one net"
        )
    return np.asarray(real, np.float64), np.asarray(fake, np.float64)


def _root(rows: _F64) -> _F64:
    """A with AᵀA the covariance of ``rows``, at most D rows of it."""
    centred = (rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1)
    if len(centred) <= centred.shape[1]:
        return np.asarray(centred)
    return np.asarray(np.linalg.qr(centred, mode="r"))


def _kernel_sum(a: _F64, b: _F64) -> float:
    total = 0.0
    for first in range(0, len(a), _BLOCK):
        for second in range(0, len(b), _BLOCK):
            part = a[first : first + _BLOCK] @ b[second : second + _BLOCK].T
            total += float(((part / a.shape[1] + 1) ** 3).sum())
    return total


def _kernel_diagonal(a: _F64) -> float:
    return float(((np.square(a).sum(axis=1) / a.shape[1] + 1) ** 3).sum())
