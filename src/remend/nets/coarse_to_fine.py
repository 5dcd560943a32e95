"""The two nets in a row of both DeepFill papers: a coarse fill, then one refined by contextual attention.

Yu et al., CVPR 2018, doi:10.1109/CVPR.2018.00577 (``deepfill_v1``) and ICCV 2019,
doi:10.1109/ICCV.2019.00457 (``deepfill_v2``): the same layers in the same order, once of plain and once of
gated convolutions. Their files say what each does with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.contextual_attention import ContextualAttention

__all__ = ["CoarseToFine", "Layer"]


class Layer(Protocol):
    """A kind of convolution with its activation: ``EluConv`` or ``GatedConv``."""

    def __call__(
        self, inside: int, outside: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1
    ) -> nn.Module:
        """Make one."""


class CoarseToFine(nn.Module):
    """The body of both: planes and hole in, the pictures ``(refined, coarse)`` out. Wrap it in ``Inpainter``.

    Down to 1/4 by two convolutions of stride 2, four convolutions dilated by 2 to 16, and up again by
    repeating pixels. The second net sees the first one's fill; one of its two branches is dilated as the
    first net is, the other copies by ``ContextualAttention`` at 1/4.

    Args:
        layer: the kind of convolution.
        width: channels at full size; four times that at 1/4.
        limit: brings what the last convolution says into [-1, 1].
        guide: take lines to follow, as a further input of both nets.
    """

    residual = False
    takes_prior = False
    size_multiple = 16  # that of the base fill

    def __init__(
        self, layer: Layer, *, width: int, limit: Callable[[Tensor], Tensor], guide: bool = False
    ) -> None:
        super().__init__()
        self.takes_guide, self.limit = guide, limit
        inside = 6 if guide else 5
        half, full = 2 * width, 4 * width
        self.coarse = nn.Sequential(
            *_down(layer, inside, (width, half, half, full, full, full)),
            *_dilated(layer, full),
            *_up(layer, full, width),
        )
        self.imagine = nn.Sequential(
            *_down(layer, inside, (width, width, half, half, full, full)), *_dilated(layer, full)
        )
        self.liken = nn.Sequential(*_down(layer, inside, (width, width, half, full, full, full)))
        self.attention = ContextualAttention()
        self.copied = nn.Sequential(layer(full, full), layer(full, full))
        self.join = nn.Sequential(*_up(layer, 2 * full, width))

    def forward(self, planes: Tensor, hole: Tensor, guide: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Draw the picture, twice.

        Args:
            planes: (N, 8, H, W); of these the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.
            guide: (N, 1, H, W) in [0, 1], lines to follow; read in the hole alone.

        Returns:
            (N, 3, H, W) in [0, 1], refined and coarse.
        """
        known = 2 * planes[:, :3]
        # The plane of ones tells the frame's edge, where it is padded with zeros.
        further = [torch.ones_like(hole), hole, *([guide * hole] if guide is not None else [])]
        coarse = self.limit(self.coarse(torch.cat([known, *further], dim=1)))
        start = torch.cat([known + coarse * hole, *further], dim=1)
        missing = F.max_pool2d(hole, 4)
        copied = self.copied(self.attention(self.liken(start), missing))
        refined = self.limit(self.join(torch.cat([self.imagine(start), copied], dim=1)))
        return 0.5 + 0.5 * refined, 0.5 + 0.5 * coarse


class _Double(nn.Module):
    """Each pixel four times."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _down(layer: Layer, inside: int, widths: tuple[int, int, int, int, int, int]) -> list[nn.Module]:
    """From full size to 1/4: the second and the fourth of six convolutions have stride 2."""
    first, *others = widths
    layers = [layer(inside, first, 5)]
    for number, width in enumerate(others, start=2):
        layers.append(layer(widths[number - 2], width, stride=2 if number in (2, 4) else 1))
    return layers


def _dilated(layer: Layer, width: int) -> list[nn.Module]:
    return [layer(width, width, dilation=dilation) for dilation in (2, 4, 8, 16)]


def _up(layer: Layer, inside: int, width: int) -> list[nn.Module]:
    """From 1/4 to full size, and to three channels without activation."""
    head = nn.Conv2d(max(1, width // 2), 3, 3, padding=1)
    nn.init.xavier_normal_(head.weight)
    nn.init.zeros_(head.bias)
    return [
        layer(inside, 4 * width),
        layer(4 * width, 4 * width),
        _Double(),
        layer(4 * width, 2 * width),
        layer(2 * width, 2 * width),
        _Double(),
        layer(2 * width, width),
        layer(width, max(1, width // 2)),
        head,
    ]
