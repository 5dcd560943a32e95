"""StyleGAN2's layers: equalised learning rates, convolution modulated by a style, blurred resizing.

Reference: Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of
StyleGAN", CVPR 2020, doi:10.1109/CVPR42600.2020.00813; equalised rates: Karras, Aila, Laine, Lehtinen,
"Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR 2018,
doi:10.48550/arXiv.1710.10196.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.precision import in_fp32

__all__ = ["EqualConv", "EqualLinear", "ModulatedConv", "blur", "rectify"]

_SLOPE = 0.2


def rectify(x: Tensor) -> Tensor:
    """Leaky ReLU times √2, which keeps the size of what is random."""
    return F.leaky_relu(x, _SLOPE) * math.sqrt(2)


class EqualLinear(nn.Module):
    """A dense layer (N, inside) to (N, outside) whose weights are stored at size 1 and scaled when used.

    Adam moves all weights by like steps; stored at one size, all layers learn at one rate.

    Args:
        inside: numbers that come.
        outside: numbers that go.
        rate: factor on the layer's learning rate.
        start: what the bias starts at.
    """

    def __init__(self, inside: int, outside: int, *, rate: float = 1.0, start: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outside, inside) / rate)
        self.bias = nn.Parameter(torch.full((outside,), start / rate))
        self.gain, self.rate = rate / math.sqrt(inside), rate

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)


class EqualConv(nn.Module):
    """A convolution with weights as ``EqualLinear``'s; with ``down`` it is blurred and halved.

    Args:
        inside: channels that come.
        outside: channels that go.
        kernel: its side, odd.
        down: (N, inside, h, w) to (N, outside, h // 2, w // 2) instead of the same size.
        bias: add one.
    """

    def __init__(
        self, inside: int, outside: int, kernel: int = 3, *, down: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outside, inside, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outside)) if bias else None
        self.gain, self.kernel, self.down = 1 / math.sqrt(inside * kernel**2), kernel, down

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        weight = self.weight * self.gain
        if not self.down:
            return F.conv2d(x, weight, self.bias, padding=self.kernel // 2)
        # Padded so that output (i, j) lies in the middle of the 2 × 2 that it stands for.
        blurred = blur(x, padding=self.kernel // 2 + 1)
        return F.conv2d(blurred, weight, self.bias, stride=2)


class ModulatedConv(nn.Module):
    """A convolution whose kernel each picture's style scales: (N, inside, h, w) to (N, outside, h, w).

    For each picture the kernel's input channels are scaled by an affine map of the style, then each output
    channel is divided by the norm of its scaled kernel. Scaling the features before and after is the same
    and leaves one kernel for the whole batch: it needs no grouped convolution, and exports.

    Args:
        inside: channels that come.
        outside: channels that go.
        style: numbers of the style.
        kernel: its side, odd.
        up: double the size: (N, outside, 2h, 2w), the zeros between blurred.
        demodulate: divide by the norm.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        style: int,
        kernel: int = 3,
        *,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.affine = EqualLinear(style, inside, start=1.0)
        self.weight = nn.Parameter(torch.randn(outside, inside, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outside))
        self.gain, self.kernel = 1 / math.sqrt(inside * kernel**2), kernel
        self.up, self.demodulate = up, demodulate

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: (N, inside, h, w).
            style: (N, style).
        """
        scale = self.affine(style)
        weight = self.weight * self.gain
        x = x * scale[:, :, None, None].to(x.dtype)
        if self.up:
            # Transposed, on four times fewer products than after resizing, and the same.
            x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2, padding=self.kernel // 2 - 1)
            x = 4 * blur(x, padding=1)
        else:
            x = F.conv2d(x, weight, padding=self.kernel // 2)
        if self.demodulate:
            x = x * self._norms(scale, weight)[:, :, None, None].to(x.dtype)
        return x + self.bias[:, None, None].to(x.dtype)

    def _norms(self, scale: Tensor, weight: Tensor) -> Tensor:
        """One over the norm of each picture's kernels: (N, outside)."""
        with in_fp32(scale):
            power = weight.float().square().sum(dim=(2, 3))
            return torch.rsqrt(torch.matmul(scale.float().square(), power.t()) + 1e-8)


def blur(x: Tensor, *, padding: int) -> Tensor:
    """Blurred by (1, 3, 3, 1) / 8 along rows and columns: sides grow by 2 · ``padding`` - 3."""
    channels = int(x.shape[1])
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = (taps[:, None] * taps[None, :]).repeat(channels, 1, 1, 1)
    return F.conv2d(x, kernel.to(x), padding=padding, groups=channels)
