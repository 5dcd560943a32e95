"""The U-Net, with the hole as input and a residual as output.

Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015.

What differs: convolutions are padded, so that the answer has the picture's size (the paper crops);
up-convolutions are a resizing and a convolution, against checkerboards; the head answers three channels to be
added to the base fill. As in the paper there is no normalisation, and dropout at the end of the contracting
path.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.blocks import ConvPair, resize_up, start_at_zero
from remend.nets.inpainter import PLANES

__all__ = ["Unet"]


class Unet(nn.Module):
    """The body of ``unet``: planes and hole in, residual out. Wrap it in ``Inpainter``.

    Args:
        widths: channels at 1, 1/2, 1/4 … of the size, two at least.
        dropout: share of features left out at the last two scales while training; 0 = none. The paper
            does not say how large.

    Raises:
        UsageError: fewer than two widths.
    """

    residual = True

    def __init__(self, *, widths: Sequence[int] = (64, 128, 256, 512, 1024), dropout: float = 0.5) -> None:
        super().__init__()
        if len(widths) < 2:
            raise UsageError(f"unet needs two widths at least, one a scale, got {list(widths)}")
        up = tuple(reversed(widths))
        self.size_multiple = max(16, 2 ** (len(widths) - 1))  # 16: that of the base fill
        self.taps = {f"contracting.{scale}": (2**scale,) for scale in range(len(widths))}
        self.contracting = nn.ModuleList(ConvPair(a, b) for a, b in pairwise((PLANES, *widths)))
        self.narrow = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(up))
        self.expanding = nn.ModuleList(ConvPair(2 * width, width) for width in up[1:-1])
        self.expanding.append(ConvPair(2 * up[-1], up[-1], rectify=False))
        self.dropout = nn.Dropout(dropout)
        self.head = start_at_zero(nn.Conv2d(up[-1], 3, 1))

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Predict what to add to the base fill.

        Args:
            planes: (N, 8, H, W), H and W multiples of ``size_multiple``; the hole is one of them.
            hole: not used besides.

        Returns:
            (N, 3, H, W).
        """
        x, skips = planes, []
        for scale, stage in enumerate(self.contracting):
            x = stage(F.max_pool2d(x, 2) if scale else x)
            if scale >= len(self.contracting) - 2:
                x = self.dropout(x)
            skips.append(x)
        skips.pop()
        for narrow, stage in zip(self.narrow, self.expanding, strict=True):
            # 1 × 1 before the resizing: both commute, and this order costs a quarter.
            x = stage(torch.cat([skips.pop(), resize_up(narrow(x))], dim=1))
        residual: Tensor = self.head(x)
        return residual
