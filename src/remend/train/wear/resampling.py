"""Resampling, blurring and cutting of batches whose pictures each get another scale, strength or place.

A picture is resampled by a matrix on either side, so a batch is two products of matrices, on any device.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["apart", "area", "cut", "gaussian", "halving"]


def apart(planes: Tensor, rows: Tensor, columns: Tensor | None = None) -> Tensor:
    """``rows @ picture @ columns.T`` of every channel.

    Args:
        planes: (N, C, H, W) float32.
        rows: (N, H', H), of each picture.
        columns: (N, W', W); None = the same as ``rows``.
    """
    columns = rows if columns is None else columns
    return rows[:, None] @ planes @ columns[:, None].mT


def area(factor: Tensor, size: int, reach: int) -> Tensor:
    """(N, size, reach): means over ``factor`` pixels each, from the first pixel on.

    Args:
        factor: (N,), pixels that become one; ``size * factor <= reach``.
        size: pixels that come out.
        reach: pixels that go in.
    """
    first = torch.arange(size, device=factor.device)[None, :, None] * factor[:, None, None]
    pixel = torch.arange(reach, device=factor.device)[None, None]
    covered = torch.minimum(first + factor[:, None, None], pixel + 1.0) - torch.maximum(first, pixel + 0.0)
    covered = covered.clamp(min=0)
    return covered / covered.sum(dim=2, keepdim=True)


def gaussian(sigma: Tensor, size: int) -> Tensor:
    """(N, size, size): softening by ``sigma`` pixels each, (N,); 0 = as it was."""
    place = torch.arange(size, device=sigma.device, dtype=torch.float32)
    distance = (place[:, None] - place).square()[None]
    weights = torch.exp(-distance / (2 * sigma[:, None, None].square() + 1e-4))
    return weights / weights.sum(dim=2, keepdim=True)


def halving(kind: Tensor, size: int) -> Tensor:
    """(N, size / 2, size): half the size, by one of four kernels as programs have them.

    Args:
        kind: (N,) int: 0 and 1 cubic (Keys with -1/2, as Pillow has it, and -3/4), 2 area, 3 Lanczos of 3.
        size: an even number.
    """
    centre = 2 * torch.arange(size // 2, device=kind.device) + 0.5
    distance = ((torch.arange(size, device=kind.device) - centre[:, None]) / 2).abs()
    kernels = torch.stack(
        [_cubic(distance, -0.5), _cubic(distance, -0.75), (distance < 0.5).float(), _lanczos(distance)]
    )
    kernels = kernels / kernels.sum(dim=2, keepdim=True)
    return kernels[kind]


def _cubic(distance: Tensor, a: float) -> Tensor:
    near = ((a + 2) * distance - (a + 3)) * distance.square() + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return torch.where(distance <= 1, near, torch.where(distance < 2, far, torch.zeros_like(far)))


def _lanczos(distance: Tensor) -> Tensor:
    return torch.sinc(distance) * torch.sinc(distance / 3) * (distance < 3)


def cut(planes: Tensor, top: Tensor, left: Tensor, size: int) -> Tensor:
    """(N, C, size, size) from another place of each picture; what goes over the edge comes in at the other.

    Args:
        planes: (N, C, H, W).
        top, left: (N,) int64.
        size: side of what is cut out.
    """
    along = torch.arange(size, device=planes.device)
    rows = (top[:, None] + along) % planes.shape[2]
    columns = (left[:, None] + along) % planes.shape[3]
    which = torch.arange(len(planes), device=planes.device)[:, None, None]
    # Indices on either side of the channels would put these last.
    return planes.movedim(1, 3)[which, rows[:, :, None], columns[:, None]].movedim(3, 1)
