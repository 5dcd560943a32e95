"""Our own net: dense, without normalisation, context at 1/16 scale, attention that copies.

Figures at the default widths: see ``remend nets``. What speaks for this shape, measured on two cores:
dense 3 × 3 convolutions reach three to six times the rate of gated, depthwise or full-resolution ones;
without normalisation a window's fill does not depend on what else is in the batch, and nothing is left
to fold on export; dilation at 1/16 is free; and copying texture from the known part of the picture needs
less training data than inventing it.

Not from one paper. Residual blocks with zero-initialised branches: Zhang et al., "Fixup Initialization",
ICLR 2019, and Lim et al., "Enhanced Deep Residual Networks" (EDSR), CVPRW 2017. Copying: Yu et al.,
"Generative Image Inpainting with Contextual Attention", CVPR 2018; there patches are both keys and
values at one scale, here keys are learned at 1/16 and whole 4 × 4 tiles of 1/4-scale features are copied.
Head: Aitken et al., "Checkerboard artifact free sub-pixel convolution" (ICNR), 2017.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.inpainter import PLANES

__all__ = ["CopyAttention", "RemendNet", "ResidualBlock"]

_TILE = 4


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))``; the second convolution starts at zero, so the block starts as identity."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = _conv(width, width, dilation=dilation)
        self.second = _conv(width, width, dilation=dilation)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) in and out."""
        residual: Tensor = self.second(F.relu(self.first(x)))
        return x + residual


class CopyAttention(nn.Module):
    """Copies tiles of fine features from known places that look alike at the coarse scale.

    Scores are cosines of learned 1/16-scale features times a learned sharpness, lowered where the place
    to copy from is itself missing. Values are 4 × 4 tiles of 1/4-scale features. What was copied is added
    through a convolution that starts at zero.

    Args:
        coarse: channels at 1/16.
        fine: channels at 1/4.
        key: channels of queries and keys.
        value: channels that are copied.
    """

    def __init__(self, coarse: int, fine: int, *, key: int = 64, value: int = 48) -> None:
        super().__init__()
        self.query = nn.Conv2d(coarse, key, 1)
        self.key = nn.Conv2d(coarse, key, 1)
        self.value = nn.Conv2d(fine, value, 1)
        self.out = nn.Conv2d(value, fine, 3, padding=1)
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, coarse: Tensor, fine: Tensor, known: Tensor) -> Tensor:
        """What to add to ``fine``.

        Args:
            coarse: (N, coarse, h, w).
            fine: (N, fine, 4h, 4w).
            known: (N, 1, h, w) in [0, 1], the known share of each coarse cell.
        """
        query = F.normalize(self.query(coarse).float(), dim=1).flatten(2).transpose(1, 2)
        key = F.normalize(self.key(coarse).float(), dim=1).flatten(2)
        # Half known: exp(-2.8) = 1/16; unknown: 1e-8. Finite, so a window without any known cell is no NaN.
        penalty = 4 * torch.log(known.float() + 0.01).flatten(2)
        tiles = F.pixel_unshuffle(self.value(fine), _TILE)
        scores = self.sharpness * torch.matmul(query, key) + penalty
        weights = torch.softmax(scores, dim=2).to(tiles.dtype)
        copied = torch.matmul(weights, tiles.flatten(2).transpose(1, 2)).transpose(1, 2)
        result: Tensor = self.out(F.pixel_shuffle(copied.reshape(tiles.shape), _TILE))
        return result


class RemendNet(nn.Module):
    """The body of ``remend``: planes and hole in, residual out. Wrap it in ``Inpainter``.

    Args:
        widths: channels at 1/2, 1/4 and from 1/8 on.
        dilations: of the blocks at 1/16, one block each.
        attention: copy 1/4-scale features by attention.
        planes: input channels.
    """

    size_multiple = 16

    def __init__(
        self,
        *,
        widths: tuple[int, int, int] = (48, 96, 192),
        dilations: tuple[int, ...] = (1, 2, 4, 8, 1),
        attention: bool = True,
        planes: int = PLANES,
    ) -> None:
        super().__init__()
        half, quarter, deep = widths
        self.stem = nn.Conv2d(planes, half, 5, stride=2, padding=2)
        self.in_half = ResidualBlock(half)
        self.to_quarter = _conv(half, quarter, stride=2)
        self.in_quarter = ResidualBlock(quarter)
        self.to_eighth = _conv(quarter, deep, stride=2)
        self.in_eighth = nn.Sequential(ResidualBlock(deep), ResidualBlock(deep))
        self.to_sixteenth = _conv(deep, deep, stride=2)
        self.context = nn.Sequential(*(ResidualBlock(deep, dilation) for dilation in dilations))
        self.copy = CopyAttention(deep, quarter) if attention else None
        self.up_eighth = nn.Conv2d(deep, deep, 1)
        self.out_eighth = ResidualBlock(deep)
        self.up_quarter = nn.Conv2d(deep, quarter, 1)
        self.out_quarter = nn.Sequential(ResidualBlock(quarter), ResidualBlock(quarter))
        self.up_half = nn.Conv2d(quarter, half, 1)
        self.out_half = nn.Sequential(ResidualBlock(half), ResidualBlock(half))
        self.head = nn.Conv2d(half, 12, 3, padding=1)
        _start_smooth(self.head)

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Predict what to add to the base fill.

        Args:
            planes: (N, planes, H, W), H and W multiples of 16.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W).
        """
        half = self.in_half(F.relu(self.stem(planes)))
        quarter = self.in_quarter(F.relu(self.to_quarter(half)))
        eighth = self.in_eighth(F.relu(self.to_eighth(quarter)))
        context = self.context(F.relu(self.to_sixteenth(eighth)))
        up = self.out_eighth(_double(self.up_eighth(context)) + eighth)
        up = _double(self.up_quarter(up)) + quarter
        if self.copy is not None:
            up = up + self.copy(context, quarter, 1 - F.avg_pool2d(hole, 16))
        up = self.out_quarter(up)
        up = self.out_half(_double(self.up_half(up)) + half)
        # No ReLU before the head: where the base is right the loss wants 0, and a ReLU would learn to die.
        residual: Tensor = F.pixel_shuffle(self.head(up), 2)
        return residual


def _conv(inside: int, outside: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(inside, outside, 3, stride=stride, padding=dilation, dilation=dilation)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv


def _double(x: Tensor) -> Tensor:
    # Bilinear, then 3 × 3 convolutions: no checkerboard, unlike transposed convolutions.
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _start_smooth(head: nn.Conv2d) -> None:
    """ICNR: the four sub-pixels of a channel start alike, and faint: the fill starts near its base."""
    kernel = torch.empty(head.out_channels // 4, *head.weight.shape[1:])
    nn.init.kaiming_normal_(kernel, nonlinearity="linear")
    with torch.no_grad():
        head.weight.copy_(0.05 * kernel.repeat_interleave(4, dim=0))
    nn.init.zeros_(head.bias)
