"""What JPEG leaves of a batch of pictures: the arithmetic of the format without its files, on any device.

Reference: ITU-T T.81 (1992), annexes A, K; scaling of the tables by a quality of 1 to 100 and the enlargement
of colours by a triangle as the Independent JPEG Group's library has them.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["compressed"]

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *4 * ((99, 99, 99, 99, 99, 99, 99, 99),),
)
_TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136286, -0.714136286), (1.0, 1.772, 0.0))


def compressed(planes: Tensor, quality: Tensor, halved: Tensor) -> Tensor:
    """Pictures as they come out of a JPEG.

    Args:
        planes: (N, 3, H, W) RGB in levels, whole numbers of 0 to 255; H and W multiples of 16.
        quality: (N,) of 1 to 100.
        halved: (N,) bool, colours at half the size.

    Returns:
        The same shape; whole numbers of 0 to 255. libjpeg's own answer differs by a level here and there.

    Cost: 100 multiplications a pixel.
    """
    ycc = torch.einsum("kc,nchw->nkhw", _matrix(_TO_YCC, planes.device), planes).round()
    luma, colours = ycc[:, :1] - 128, ycc[:, 1:]
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    luma = _coded(luma, _table(_LUMA, scale))
    fine = _table(_CHROMA, scale)
    small = _coded((functional.avg_pool2d(colours, 2) + 0.25).floor(), fine)
    spread = functional.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
    colours = torch.where(halved[:, None, None, None], spread.round(), _coded(colours, fine))
    back = torch.cat([luma + 128, colours], dim=1)
    return torch.einsum("kc,nchw->nkhw", _matrix(_TO_RGB, planes.device), back).round().clamp(0, 255)


def _coded(planes: Tensor, table: Tensor) -> Tensor:
    """Planes around 0, transformed in blocks of 8², rounded to multiples of the table (N, 8, 8), and back."""
    n, channels, height, width = planes.shape
    basis = _basis(planes.device)
    blocks = planes.view(n, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    steps = table[:, None, None, None]
    numbers = (basis @ blocks @ basis.T / steps).round() * steps
    decoded = (basis.T @ numbers @ basis).round().clamp(-128, 127)
    return decoded.transpose(3, 4).reshape(planes.shape)


def _table(base: tuple[tuple[int, ...], ...], scale: Tensor) -> Tensor:
    return ((_matrix(base, scale.device) * scale[:, None, None] + 50) / 100).floor().clamp(1, 255)


@lru_cache(maxsize=8)
def _matrix(rows: tuple[tuple[float, ...], ...], device: torch.device) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32, device=device)


@lru_cache(maxsize=2)
def _basis(device: torch.device) -> Tensor:
    """(8, 8) of the discrete cosine transform: its rows are orthogonal and of length 1."""
    row = torch.arange(8, dtype=torch.float64)[:, None]
    waves = torch.cos((2 * torch.arange(8) + 1) * row * math.pi / 16) / 2
    waves[0] /= math.sqrt(2)
    return waves.float().to(device)
