"""Partial convolutions: only known pixels are read, and what they leave unknown shrinks from layer to layer.

Liu, Reda, Shih, Wang, Tao, Catanzaro, "Image Inpainting for Irregular Holes Using Partial Convolutions",
ECCV 2018, doi:10.1007/978-3-030-01252-6_6.

What differs: any size is taken (odd sides are rounded up on the way down and cut on the way up; padding is
unknown to a partial convolution, so that nothing is made up at the frame); the mask is carried as one plane
for all channels that share it, which gives the same sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PartialConv", "PartialConvNet"]

_SLOPE = 0.2
_FIRST_KERNELS = (7, 5, 5)


class PartialConv(nn.Module):
    """A convolution over what is known, scaled to what it would be if all were; and what is known then.

    Where any pixel under the kernel is known: the kernel over the known ones, divided by their share of the
    kernel, plus the bias. Where none is: 0, and the place stays unknown. What lies beyond the frame is
    unknown.

    Args:
        inside: channels that come, of all parts together.
        outside: channels that go.
        kernel: its side, odd.
        stride: 1 or 2; at 2 sides are halved, rounded up.
    """

    def __init__(self, inside: int, outside: int, kernel: int = 3, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, padding=kernel // 2, bias=False)
        self.bias = nn.Parameter(torch.zeros(outside))
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        self.kernel, self.stride = kernel, stride

    def forward(self, *parts: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Convolve parts, one behind the other, each known elsewhere.

        Args:
            parts: features (N, C, h, w) and, for all of their channels, what of them is known (N, 1, h, w),
                1 or 0.

        Returns:
            (N, outside, h', w') and (N, 1, h', w').
        """
        x = torch.cat([features * known for features, known in parts], dim=1)
        share = sum(features.shape[1] * known for features, known in parts) / x.shape[1]
        share = F.avg_pool2d(share, self.kernel, self.stride, self.kernel // 2)
        known = (share > 0).to(share.dtype)
        answer = self._convolved(x) / share.clamp_min(1e-8) + self.bias.view(1, -1, 1, 1)
        return answer * known, known

    def _convolved(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.conv(x)
        # A step of 2 along a single pixel is one of 1. There oneDNN's bf16 gradient holds memory that nobody
        # wrote (torch 2.13), and now and then it is not finite.
        stride = [self.stride if side > 1 else 1 for side in x.shape[2:]]
        return F.conv2d(x, self.conv.weight, stride=stride, padding=self.conv.padding)


class PartialConvNet(nn.Module):
    """The body of ``partial_conv``: planes and hole in, picture out. Wrap it in ``Inpainter``.

    A U-Net of partial convolutions: down by stride 2, up by repeating pixels, batch norm in all but the first
    and the last layer. At the default widths a picture of 512² has 2 × 2 cells at the bottom.

    Args:
        widths: channels at 1/2, 1/4, 1/8 … of the size.
        freeze_norms: leave the batch norms on the way down as they are, statistics and gains: the paper's
            second stage. Holes distort a batch's statistics; once they have settled, learn on without.
    """

    residual = False
    takes_prior = False
    size_multiple = 16  # that of the base fill

    def __init__(
        self,
        *,
        widths: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512),
        freeze_norms: bool = False,
    ) -> None:
        super().__init__()
        if not widths:
            raise ValueError("partial_conv has widths for one scale at least")
        kernels = (*_FIRST_KERNELS, *(3 for _ in widths))
        self.down = nn.ModuleList(
            PartialConv(a, b, kernel, stride=2)
            for (a, b), kernel in zip(pairwise((3, *widths)), kernels, strict=False)
        )
        self.down_norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        # Each takes what comes from below and what lay beside it on the way down.
        beside = (3, *widths[:-1])
        self.up = nn.ModuleList(
            PartialConv(below + skip, 3 if skip == 3 and not level else skip)
            for level, (below, skip) in reversed(list(enumerate(zip(widths, beside, strict=True))))
        )
        self.up_norms = nn.ModuleList(nn.BatchNorm2d(width) for width in reversed(widths[:-1]))
        self.freeze_norms = freeze_norms
        self.needs_weights = "partial_conv" if freeze_norms else ""
        if freeze_norms:
            self.down_norms.requires_grad_(False)
            self.train(self.training)

    def train(self, mode: bool = True) -> PartialConvNet:
        """Set the mode; frozen norms stay in evaluation."""
        super().train(mode)
        if self.freeze_norms:
            self.down_norms.eval()
        return self

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W); of these the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W), not limited to [0, 1].
        """
        x, known = 2 * planes[:, :3], 1 - hole
        beside = []
        for level, conv in enumerate(self.down):
            beside.append((x, known))
            x, known = conv((x, known))
            x = F.relu(self.down_norms[level - 1](x) if level else x)
        for level, conv in enumerate(self.up):
            skip, skip_known = beside.pop()
            x, known = conv((_grown(x, skip), _grown(known, skip)), (skip, skip_known))
            if beside:
                x = F.leaky_relu(self.up_norms[level](x), _SLOPE)
        return 0.5 + 0.5 * x


def _grown(x: Tensor, like: Tensor) -> Tensor:
    """Each pixel four times, cut to the size of ``like``."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, : like.shape[2], : like.shape[3]]
