"""The context encoder: the picture squeezed to a small grid, every cell told of every other, and drawn anew.

Pathak, Krähenbühl, Donahue, Darrell, Efros, "Context Encoders: Feature Learning by Inpainting", CVPR 2016;
the encoder and decoder of the authors' released code: 4 × 4 convolutions of stride 2, batch norm, leaky ReLU.

What differs: the paper's channel-wise fully connected layer is tied to one picture size. Here its weight
depends on the displacement between two cells alone, which makes it a depthwise convolution whose window, at
the trained size, spans from any cell to any other; a 1 × 1 convolution then mixes channels, as in the paper.
Transposed convolutions are a resizing and a convolution. The grid is 1/16 of the picture (the released code
goes to 1/32), the skip-free decoder as deep as the encoder. Like the paper's, it predicts the picture itself
and starts from no fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.blocks import resize_up

__all__ = ["ContextEncoder", "Spread"]

_KNOWN_AND_HOLE = [0, 1, 2, 6]  # of the planes


class Spread(nn.Module):
    """Tells every cell of every other, channel by channel, then mixes channels.

    Args:
        channels: in and out.
        reach: cells to each side. On a grid of up to ``reach + 1`` cells a side this is the paper's
            channel-wise fully connected layer with one weight a displacement.
    """

    def __init__(self, channels: int, reach: int) -> None:
        super().__init__()
        span = 2 * reach + 1
        self.across = nn.Conv2d(channels, channels, span, padding=reach, groups=channels, bias=False)
        self.mix = nn.Conv2d(channels, channels, 1)
        # The cell itself passes; of the others a little.
        nn.init.normal_(self.across.weight, std=1 / span)
        with torch.no_grad():
            self.across.weight[:, :, reach, reach] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) in and out."""
        mixed: Tensor = self.mix(self.across(x))
        return mixed


class ContextEncoder(nn.Module):
    """The body of ``context_encoder``: planes and hole in, picture out. Wrap it in ``Inpainter``.

    Args:
        widths: channels at 1/2, 1/4, 1/8 … of the size; the last is the grid's.
        reach: cells that the grid's cells hear of, to each side: 7 spans a grid of 8 × 8, which is that of
            128² pixels.
    """

    residual = False
    takes_prior = False

    def __init__(self, *, widths: Sequence[int] = (64, 128, 256, 512), reach: int = 7) -> None:
        super().__init__()
        if not widths or reach < 1:
            raise UsageError(f"context_encoder needs widths and a reach of 1 or more, got {widths}, {reach}")
        self.size_multiple = max(16, 2 ** len(widths))  # 16: that of the base fill
        self.contracting = nn.Sequential(
            # As in the authors' code the first convolution has no batch norm behind it.
            nn.Conv2d(len(_KNOWN_AND_HOLE), widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            *(_down(a, b) for a, b in pairwise(widths)),
        )
        self.spread = nn.Sequential(
            Spread(widths[-1], reach), nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)
        )
        self.expanding = nn.ModuleList(
            _up(a, b) for a, b in pairwise((*reversed(widths), max(8, widths[0] // 2)))
        )
        self.head = nn.Conv2d(max(8, widths[0] // 2), 3, 3, padding=1)

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W), H and W multiples of ``size_multiple``; of these the known pixels and the
                hole are read.
            hole: not used besides.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        x = self.spread(self.contracting(planes[:, _KNOWN_AND_HOLE]))
        for stage in self.expanding:
            x = stage(resize_up(x))
        picture: Tensor = 0.5 + 0.5 * torch.tanh(self.head(x))
        return picture


def _down(inside: int, outside: int) -> nn.Sequential:
    conv = nn.Conv2d(inside, outside, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.LeakyReLU(0.2, inplace=True))


def _up(inside: int, outside: int) -> nn.Sequential:
    conv = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU(inplace=True))
