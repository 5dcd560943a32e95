"""Fast Fourier convolution: features that see the whole frame in one layer, beside some that look nearby.

Chi, Jiang, Mu, "Fast Fourier Convolution", NeurIPS 2020; for holes: Suvorov et al., "Resolution-robust Large
Mask Inpainting with Fourier Convolutions" (LaMa), WACV 2022, doi:10.1109/WACV51458.2022.00323.

The transform is two matrix products with cosines and sines instead of a call of an FFT: it exports to ONNX
with free sizes, is the same graph in training and serving, and on features at 1/8 costs a few per cent of the
convolutions around it (sides up to 128; an FFT wins beyond).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.precision import in_fp32

__all__ = ["FourierConv", "FourierUnit", "SpectralTransform", "inverse_transform", "transform"]


def transform(x: Tensor) -> tuple[Tensor, Tensor]:
    """The real Fourier transform in two dimensions, orthonormal: ``torch.fft.rfft2(x, norm="ortho")``.

    Args:
        x: (N, C, H, W) float.

    Returns:
        Real and imaginary part, each (N, C, H, W // 2 + 1) float32.

    Cost: about H·W·(W + 2·H) multiply-adds a channel.
    """
    height, width = x.shape[2], x.shape[3]
    with in_fp32(x):
        x = x.float()
        cos, sin = _waves(width, x)
        half = width // 2 + 1
        real, imaginary = x @ cos[:, :half], -(x @ sin[:, :half])
        cos, sin = _waves(height, x)
        scale = _scale(height, width)
        return (cos @ real + sin @ imaginary) * scale, (cos @ imaginary - sin @ real) * scale


def inverse_transform(real: Tensor, imaginary: Tensor, width: int) -> Tensor:
    """Back from the frequencies: ``torch.fft.irfft2(…, norm="ortho")``.

    Args:
        real: (N, C, H, width // 2 + 1).
        imaginary: of the same shape.
        width: of the features, as it cannot be told from the frequencies.

    Returns:
        (N, C, H, width) float32.
    """
    height = real.shape[2]
    with in_fp32(real):
        real, imaginary = real.float(), imaginary.float()
        cos, sin = _waves(height, real)
        across, down = cos @ real - sin @ imaginary, cos @ imaginary + sin @ real
        cos, sin = _waves(width, real)
        half = width // 2 + 1
        # All frequencies but 0 and the highest of an even width stand for their mirrored twin too.
        place = torch.arange(half, device=real.device)
        single = (place == 0) | (2 * place == width)
        weight = torch.where(single, torch.ones_like(cos[0, :half]), torch.full_like(cos[0, :half], 2.0))
        back = (across * weight) @ cos[:half] - (down * weight) @ sin[:half]
        return back * _scale(height, width)


class FourierUnit(nn.Module):
    """A 1 × 1 convolution, batch norm and ReLU of the frequencies: (N, C, h, w) in and out.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        mixed = F.relu(self.norm(self.conv(torch.cat(transform(x), dim=1))))
        real, imaginary = mixed.chunk(2, dim=1)
        return inverse_transform(real, imaginary, x.shape[3]).to(x.dtype)


class SpectralTransform(nn.Module):
    """The path from global to global features: narrowed to half, through a ``FourierUnit`` and past it.

    Args:
        inside: channels that come.
        outside: channels that go.
    """

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        middle = max(1, outside // 2)
        self.narrow = nn.Sequential(
            nn.Conv2d(inside, middle, 1, bias=False), nn.BatchNorm2d(middle), nn.ReLU(inplace=True)
        )
        self.unit = FourierUnit(middle)
        self.widen = nn.Conv2d(middle, outside, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, h, w) to (N, outside, h, w)."""
        x = self.narrow(x)
        widened: Tensor = self.widen(x + self.unit(x))
        return widened


class FourierConv(nn.Module):
    """3 × 3 convolutions between local and global features, but by frequencies from global to global.

    Then batch norm and ReLU. Edges are mirrored.

    Args:
        near: local channels that come and go.
        wide: global channels that come and go.
    """

    def __init__(self, near: int, wide: int) -> None:
        super().__init__()
        self.near_near, self.near_wide = _conv(near, near), _conv(near, wide)
        self.wide_near, self.wide_wide = _conv(wide, near), SpectralTransform(wide, wide)
        self.near_norm, self.wide_norm = nn.BatchNorm2d(near), nn.BatchNorm2d(wide)

    def forward(self, near: Tensor, wide: Tensor) -> tuple[Tensor, Tensor]:
        """(N, near, h, w) and (N, wide, h, w), in and out; sides of 2 at least."""
        to_near = self.near_near(near) + self.wide_near(wide)
        to_wide = self.near_wide(near) + self.wide_wide(wide)
        return F.relu(self.near_norm(to_near)), F.relu(self.wide_norm(to_wide))


def _conv(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1, bias=False, padding_mode="reflect")


def _waves(length: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of 2π·j·k / length, each (length, length), as ``like``."""
    place = torch.arange(length, device=like.device)
    # The remainder first: large angles would lose digits.
    turns = (place[:, None] * place[None, :]) % length
    angle = turns.to(like.dtype) * (2 * math.pi / length)
    return angle.cos(), angle.sin()


def _scale(height: int, width: int) -> float:
    # Sizes are tensors while the net is traced for export.
    return 1 / (height * width) ** 0.5
