"""Our own net: dense, equal to contrast, context at 1/16 scale, attention that copies.

Figures at the default widths: see ``remend nets``. What speaks for this shape, measured on two cores:
dense 3 × 3 convolutions reach three to six times the rate of gated, depthwise or full-resolution ones;
without layers that normalise, a window's fill does not depend on what else is in the batch, and nothing is
left to fold on export; dilation at 1/16 is free; and copying texture from the known part of the picture
needs less training data than inventing it.

The body is shown the picture less its blurred self, divided by the local contrast of what is known, and its
answer is multiplied by that contrast. What a scratch leaves to be guessed is a few per cent of the range; in
plain pixels it drowns in the levels of light and dark, and the net's way to less loss is to answer 0 and to
let its activations die (docs/log.md). Leaky activations for the same reason.

Not from one paper. Residual blocks with zero-initialised branches: Zhang et al., "Fixup Initialization",
ICLR 2019, and Lim et al., "Enhanced Deep Residual Networks" (EDSR), CVPRW 2017. Copying: Yu et al.,
"Generative Image Inpainting with Contextual Attention", CVPR 2018; there patches are both keys and
values at one scale, here keys are learned at 1/16 and whole 4 × 4 tiles of 1/4-scale features are copied.
Equal answers to scaled pictures: after Mohan et al., "Robust and Interpretable Blind Image Denoising via
Bias-Free Convolutional Neural Networks", ICLR 2020, though here by the input.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.inpainter import PLANES

__all__ = ["CopyAttention", "RemendNet", "ResidualBlock"]

_TILE = 4
_SLOPE = 0.2  # of the activations below 0
_SLOPE_OF_LEVELS = 0.03  # the same of the net that sees plain levels, which was begun with ReLU
_CELL_PX = 8  # contrast is measured on cells of this size
_FAINT = 0.02  # contrast, as a share of the range, below which a place counts as flat


class ResidualBlock(nn.Module):
    """``x + conv(leaky(conv(x)))``; the second starts at zero, so the block starts as identity."""

    def __init__(self, width: int, dilation: int = 1, slope: float = _SLOPE) -> None:
        super().__init__()
        self.slope = slope
        self.first = _conv(width, width, dilation=dilation)
        self.second = _conv(width, width, dilation=dilation)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) in and out."""
        residual: Tensor = self.second(F.leaky_relu(self.first(x), self.slope))
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
        contrast: see and answer in units of contrast, for thin damage above all; False = plain levels, in
            which wide holes were learned faster.
    """

    size_multiple = 16
    taps = MappingProxyType({"in_quarter": (4,), "in_eighth": (8,), "context": (16,)})

    def __init__(
        self,
        *,
        widths: tuple[int, int, int] = (48, 96, 192),
        dilations: tuple[int, ...] = (1, 2, 4, 8, 1),
        attention: bool = True,
        contrast: bool = True,
    ) -> None:
        super().__init__()
        half, quarter, deep = widths
        self.contrast, self.slope = contrast, _SLOPE if contrast else _SLOPE_OF_LEVELS
        block = partial(ResidualBlock, slope=self.slope)
        # Besides the planes that a body is given: deviations once with, once without the base fill.
        self.stem = nn.Conv2d(PLANES + 3 * contrast, half, 5, stride=2, padding=2)
        self.in_half = block(half)
        self.to_quarter = _conv(half, quarter, stride=2)
        self.in_quarter = block(quarter)
        self.to_eighth = _conv(quarter, deep, stride=2)
        self.in_eighth = nn.Sequential(block(deep), block(deep))
        self.to_sixteenth = _conv(deep, deep, stride=2)
        self.context = nn.Sequential(*(block(deep, dilation) for dilation in dilations))
        self.copy = CopyAttention(deep, quarter) if attention else None
        self.up_eighth = nn.Conv2d(deep, deep, 1)
        self.out_eighth = block(deep)
        self.up_quarter = nn.Conv2d(deep, quarter, 1)
        self.out_quarter = nn.Sequential(block(quarter), block(quarter))
        self.up_half = nn.Conv2d(quarter, half, 1)
        self.out_half = nn.Sequential(block(half), block(half))
        self.head = nn.Conv2d(half, 12, 3, padding=1)
        # The fill starts as the base fill.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Predict what to add to the base fill.

        Args:
            planes: (N, planes, H, W), H and W multiples of 16.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W).
        """
        seen = planes
        if self.contrast:
            deviation, contrast = _by_contrast(planes[:, 3:6].float(), hole.float())
            seen = torch.cat([deviation * (1 - hole), deviation, 2 * planes[:, 3:6], planes[:, 6:]], dim=1)
        half = self.in_half(self._active(self.stem(seen)))
        quarter = self.in_quarter(self._active(self.to_quarter(half)))
        eighth = self.in_eighth(self._active(self.to_eighth(quarter)))
        context = self.context(self._active(self.to_sixteenth(eighth)))
        up = self.out_eighth(_double(self.up_eighth(context)) + eighth)
        up = _double(self.up_quarter(up)) + quarter
        if self.copy is not None:
            up = up + self.copy(context, quarter, 1 - F.avg_pool2d(hole, 16))
        up = self.out_quarter(up)
        up = self.out_half(_double(self.up_half(up)) + half)
        # Nothing before the head that could die: where the base is right the loss wants 0.
        residual: Tensor = F.pixel_shuffle(self.head(up), 2)
        return residual.to(contrast.dtype) * contrast if self.contrast else residual

    def _active(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.slope)


def _by_contrast(base: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """A picture in units of its own contrast.

    Args:
        base: (N, 3, H, W), the picture with its hole filled smoothly; H and W multiples of 8.
        hole: (N, 1, H, W), 1 = fill.

    Returns:
        What it differs from its blurred self, divided by the contrast (N, 3, H, W); and the contrast
        (N, 1, H, W): the root mean square of those differences over known pixels near, in wide holes over
        those further away.
    """
    known = 1 - hole
    difference = base - _wide(_near(F.avg_pool2d(base, _CELL_PX), 1))
    power = F.avg_pool2d(known * difference.square().mean(dim=1, keepdim=True), _CELL_PX)
    share = F.avg_pool2d(known, _CELL_PX)

    def spread(x: Tensor) -> Tensor:
        # Each weight is small enough to matter only where the nearer sums hold hardly a known pixel.
        far = F.avg_pool2d(x, 9, stride=1, padding=4)
        return F.avg_pool2d(x, 3, stride=1, padding=1) + 0.05 * far + 0.002 * x.mean(dim=(2, 3), keepdim=True)

    squared = spread(power) / (spread(share) + 1e-6)
    contrast = torch.sqrt(_wide(squared) + _FAINT**2)
    return difference / contrast, contrast


def _near(x: Tensor, px: int) -> Tensor:
    """Mean over neighbours within ``px``, edges repeated."""
    return F.avg_pool2d(F.pad(x, (px, px, px, px), mode="replicate"), 2 * px + 1, stride=1)


def _wide(cells: Tensor) -> Tensor:
    return F.interpolate(cells, scale_factor=float(_CELL_PX), mode="bilinear", align_corners=False)


def _conv(inside: int, outside: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(inside, outside, 3, stride=stride, padding=dilation, dilation=dilation)
    nn.init.kaiming_normal_(conv.weight, a=_SLOPE, nonlinearity="leaky_relu")
    nn.init.zeros_(conv.bias)
    return conv


def _double(x: Tensor) -> Tensor:
    # Bilinear, then 3 × 3 convolutions: no checkerboard, unlike transposed convolutions.
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
