"""Gated convolution: next to each feature, a learned gate says how far it may pass.

A plain convolution treats holes like pictures; partial convolution follows a mask by rule. Here what passes
is learned, at each position and channel, so that holes, the pictures around them and drawn lines are told
apart in every layer.

Reference: Yu, Lin, Yang, Shen, Lu, Huang, "Free-Form Image Inpainting with Gated Convolution", ICCV 2019,
doi:10.1109/ICCV.2019.00457.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["EluConv", "GatedConv"]


class EluConv(nn.Module):
    """``elu(conv(x))``: (N, inside, h, w) to (N, outside, h / stride, w / stride).

    Args:
        inside: channels that come.
        outside: channels that go.
        kernel: its side, odd.
        stride: 1 or 2.
        dilation: steps between the kernel's taps.
    """

    def __init__(
        self, inside: int, outside: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.conv = _conv(inside, outside, kernel, stride, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return F.elu(self.conv(x))


class GatedConv(nn.Module):
    """``elu(feature(x)) · sigmoid(gate(x))``, both halves of one convolution; arguments as of ``EluConv``."""

    def __init__(
        self, inside: int, outside: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.both = _conv(inside, 2 * outside, kernel, stride, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        feature, gate = self.both(x).chunk(2, dim=1)
        return F.elu(feature) * torch.sigmoid(gate)


def _conv(inside: int, outside: int, kernel: int, stride: int, dilation: int) -> nn.Conv2d:
    conv = nn.Conv2d(
        inside, outside, kernel, stride=stride, padding=dilation * (kernel // 2), dilation=dilation
    )
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv
