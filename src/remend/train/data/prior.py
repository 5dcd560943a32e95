"""Coarse fills to start from: the net's own answer at half scale, so that one net learns to cascade.

At repair time a wide hole is filled small first, and that fill is the ``prior`` at the next scale up. A net
that never saw its own coarse answers would not know what to trust in them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from remend.nets.inpainter import Inpainter
from remend.nets.precision import CastOnce

__all__ = ["coarse_prior", "half_scale"]

# Narrower holes are filled at full scale at once; their coarse fill would only blur the start.
_LEAST_RATIO = 0.12
_EVEN = 8


def coarse_prior(
    net: Inpainter,
    image: Tensor,
    hole: Tensor,
    *,
    share: float,
    seed: int,
    indices: Sequence[int],
    ratios: NDArray[np.float64] | None = None,
) -> Tensor | None:
    """Priors for some samples of a batch, drawn by (seed, index of the sample).

    Args:
        net: the averaged net; it is run without gradients, at half scale, on the chosen samples alone.
        image: (N, 3, H, W) in [0, 1], 0 under the hole. Half of H and W must suit the net.
        hole: (N, 1, H, W), 1 = fill.
        share: chance of each sample whose hole is not small.
        seed: of the draw.
        indices: of the N samples.
        ratios: (N,), mean of each hole; None = they are taken, which waits for the device.

    Returns:
        (N, 3, H, W), negative where a sample has none; None where no sample has one.

    Cost: for all samples of a batch, a quarter of a forward pass.
    """
    if not share or any(side // 2 % net.size_multiple for side in image.shape[2:]):
        return None
    drawn = np.array([np.random.default_rng([seed, index, 2]).random() < share for index in indices])
    if ratios is None:
        ratios = hole.mean(dim=(1, 2, 3)).cpu().numpy()
    numbers = np.flatnonzero(drawn & (ratios > _LEAST_RATIO))
    if not len(numbers):
        return None
    chosen = _sent(numbers, image.device)
    with torch.inference_mode():
        small, small_hole = half_scale(image[chosen], hole[chosen])
        filled, *_ = CastOnce(net)(small, small_hole)
        coarse = F.interpolate(filled.clamp(0, 1), scale_factor=2.0, mode="bilinear", align_corners=False)
    prior = torch.full_like(image, -1.0)
    prior[chosen] = coarse.to(image.dtype)
    return prior


def _sent(numbers: NDArray[np.intp], device: torch.device) -> Tensor:
    """Numbers of samples on ``device``.

    To a CUDA device they go without a wait, and the last is repeated up to a multiple of eight: cuDNN
    measures its ways of computing anew for every size of batch.
    """
    if device.type != "cuda":
        return torch.from_numpy(numbers).to(device)
    return torch.from_numpy(_even(numbers)).pin_memory().to(device, non_blocking=True)


def _even(numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.pad(numbers, (0, -len(numbers) % _EVEN), mode="edge")


def half_scale(image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Picture and hole at half scale, averaged over known pixels; any hole pixel makes a hole.

    Where that would leave nothing known, half-known cells count as known.
    """
    known = 1 - hole
    share = F.avg_pool2d(known, 2)
    small = F.avg_pool2d(image * known, 2) / share.clamp_min(1e-6)
    small_hole = (share < 1).to(hole.dtype)
    lost = small_hole.amin(dim=(1, 2, 3), keepdim=True) > 0
    small_hole = torch.where(lost, (share < 0.5).to(hole.dtype), small_hole)
    return small * (1 - small_hole), small_hole
