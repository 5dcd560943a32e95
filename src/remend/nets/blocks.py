"""What several nets are built of."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ConvPair", "conv3", "resize_up", "start_at_zero"]


class ConvPair(nn.Sequential):
    """Twice 3 × 3 convolution and ReLU: (N, inside, h, w) to (N, outside, h, w).

    Args:
        inside: channels that come.
        outside: channels that go.
        rectify: ReLU after the second too. Before a head that answers a residual it is left out: where the
            base fill is right the loss wants 0, and a ReLU would learn to die.
    """

    def __init__(self, inside: int, outside: int, *, rectify: bool = True) -> None:
        layers = [conv3(inside, outside), nn.ReLU(inplace=True), conv3(outside, outside)]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if rectify else []))


def conv3(inside: int, outside: int) -> nn.Conv2d:
    """A 3 × 3 convolution, started for the ReLU behind it.

    Reference: He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """
    conv = nn.Conv2d(inside, outside, 3, padding=1)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv


def resize_up(x: Tensor, factor: int = 2) -> Tensor:
    """Bilinear, (N, C, h, w) to (N, C, factor·h, factor·w); no checkerboard as of transposed convolutions."""
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def start_at_zero(conv: nn.Conv2d) -> nn.Conv2d:
    """Make ``conv`` answer 0 at first: as the head of a residual net, the net then begins as its base fill.

    Measured: with a faint head of noise, a short run spends its first thousand steps below the base fill on
    thin holes.

    Reference: Zhang et al., "Fixup Initialization", ICLR 2019.
    """
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
