"""The base fill inside the graph: a push-pull pyramid, smoothed on the way up.

Only pooling, resizing by two and arithmetic: it exports to ONNX with free sizes, has no parameters, and
gives the net the low frequencies of every hole, so that what is learned is the residual.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["SIZE_MULTIPLE", "push_pull"]

_HALVINGS = 4
SIZE_MULTIPLE = 2**_HALVINGS
"""Height and width must be multiples of this: each halving is exact."""

# Windows of normalised averages at 1/16, in cells: the widest spans a hole of 1,000 px.
_SPANS = (3, 7, 15, 31, 63)
# Smoothing steps at full, 1/2, 1/4, 1/8 and 1/16 scale: coarse ones cost next to nothing and reach far.
_SWEEPS = (2, 2, 4, 8, 16)


def push_pull(image: Tensor, hole: Tensor) -> Tensor:
    """Fill the hole smoothly from the known pixels.

    Push: known pixels are averaged into ever coarser grids. Pull: each grid takes what it does not know
    from the coarser one, then a few Jacobi sweeps of the heat equation draw it towards the membrane
    that the known pixels span.

    Args:
        image: (N, C, H, W) float; what lies under the hole must be 0. H and W multiples of 16.
        hole: (N, 1, H, W) float, 1 = fill, 0 = known.

    Returns:
        (N, C, H, W): ``image`` where known, smooth elsewhere; 0.5 where nothing is known at all.

    Cost: about 3 ms at 512² on two threads.

    Reference: Gortler et al., "The Lumigraph", SIGGRAPH 1996 (push-pull).
    """
    values, weights = [image], [1 - hole]
    for _ in range(_HALVINGS):
        total = F.avg_pool2d(values[-1] * weights[-1], 2)
        share = F.avg_pool2d(weights[-1], 2)
        values.append(total / share.clamp_min(1e-6))
        # A cell that knows a quarter of its pixels counts as known.
        weights.append((4 * share).clamp_max(1))
    filled = _spread(values[-1], weights[-1])
    for level in range(_HALVINGS, -1, -1):
        if level < _HALVINGS:
            filled = F.interpolate(filled, scale_factor=2.0, mode="bilinear", align_corners=False)
        filled = torch.lerp(filled, values[level], weights[level])
        for _ in range(_SWEEPS[level]):
            filled = torch.lerp(_smooth(filled), values[level], weights[level])
    return filled


def _spread(value: Tensor, weight: Tensor) -> Tensor:
    """Fill the coarsest grid by normalised averages over ever wider windows."""
    levels = [(value, weight)]
    for span in _SPANS:
        total, share = _box(value * weight, span), _box(weight, span)
        levels.append((total / share.clamp_min(1e-6), (share * span).clamp_max(1)))
    filled = torch.full_like(value, 0.5)
    for own, known in reversed(levels):
        filled = torch.lerp(filled, own, known)
    return filled


def _box(planes: Tensor, span: int) -> Tensor:
    """Sum over span × span cells, divided by span²; cells beyond the frame count as 0."""
    pad = span // 2
    rows = F.avg_pool2d(planes, (span, 1), stride=1, padding=(pad, 0))
    return F.avg_pool2d(rows, (1, span), stride=1, padding=(0, pad))


def _smooth(planes: Tensor) -> Tensor:
    """Mean of the 3 × 3 cells around, those beyond the frame left out."""
    return F.avg_pool2d(planes, 3, stride=1, padding=1, count_include_pad=False)
