"""Co-modulation: a StyleGAN2 generator whose style is made of the known picture and of chance together.

Zhao, Cui, Sheng, Dong, Liang, Chang, Xu, "Large Scale Image Completion via Co-Modulated Generative
Adversarial Networks", ICLR 2021, doi:10.48550/arXiv.2103.10428; generator and training of Karras et al.
(StyleGAN2), CVPR 2020, doi:10.1109/CVPR42600.2020.00813.

One hole has many answers, chosen by ``noise``: the same numbers give the same fill.

What differs: the code of the whole picture is a mean over the coarsest grid (there a dense layer over its 4 ×
4 positions, which ties it to one size), and the generator starts from that grid itself; no noise on single
pixels, so that a fill follows from ``noise`` alone; no mixing of styles.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.blocks import resize_up
from remend.nets.modulated import EqualConv, EqualLinear, ModulatedConv, rectify

__all__ = ["CoModGan", "Mapping"]


class Mapping(nn.Module):
    """From noise to a latent vector, by dense layers: (N, size) in and out.

    Args:
        size: numbers of both.
        layers: how many; they learn at a hundredth of the net's rate.
    """

    def __init__(self, size: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EqualLinear(size, size, rate=0.01) for _ in range(layers))

    def forward(self, noise: Tensor) -> Tensor:
        """Noise of length √size, or 0, to a latent vector."""
        x = noise * torch.rsqrt(noise.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            x = rectify(layer(x))
        return x


class CoModGan(nn.Module):
    """The body of ``comod_gan``: planes, hole and noise in, picture out. Wrap it in ``Inpainter``.

    Args:
        widths: channels at full size, 1/2, 1/4 …; the last is the coarsest grid's, 4 × 4 at the trained
            size.
        noise: how many numbers choose the answer.
        code: numbers that tell of the known picture.
        mapping: dense layers between noise and latent vector.
        dropout: share of the code left out while training, so that noise is listened to.

    Attributes:
        path_mean: running mean of how far the fill moves with the latent vector, which path length
            regularisation holds it to.
    """

    residual = False
    takes_prior = False

    def __init__(
        self,
        *,
        widths: Sequence[int] = (128, 256, 512, 512, 512, 512, 512),
        noise: int = 512,
        code: int = 1024,
        mapping: int = 8,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if len(widths) < 2 or noise < 1:
            raise UsageError(f"comod_gan needs two widths and one number of noise, got {widths}, {noise}")
        self.size_multiple = max(16, 2 ** (len(widths) - 1))  # 16: that of the base fill
        self.noise_size = noise
        self.path_mean: Tensor
        self.register_buffer("path_mean", torch.zeros(()))
        self.mapping = Mapping(noise, mapping)
        self.stem = EqualConv(4, widths[0], 1)
        self.look = nn.ModuleList(EqualConv(width, width) for width in widths)
        self.down = nn.ModuleList(EqualConv(a, b, down=True) for a, b in pairwise(widths))
        self.code = EqualLinear(widths[-1], code)
        self.dropout = nn.Dropout(dropout)
        style, fine = noise + code, tuple(reversed(widths))
        self.first = ModulatedConv(fine[0], fine[0], style)
        self.up = nn.ModuleList(ModulatedConv(a, b, style, up=True) for a, b in pairwise(fine))
        self.draw = nn.ModuleList(ModulatedConv(width, width, style) for width in fine[1:])
        self.colour = nn.ModuleList(ModulatedConv(width, 3, style, 1, demodulate=False) for width in fine)

    def forward(self, planes: Tensor, hole: Tensor, noise: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W), H and W multiples of ``size_multiple``; the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.
            noise: (N, ``noise_size``), standard normal; 0 = the middle of all answers.

        Returns:
            (N, 3, H, W), about [0, 1].
        """
        x = rectify(self.stem(torch.cat([2 * planes[:, :3], hole - 0.5], dim=1)))
        skips: list[Tensor] = []
        for look, down in zip(self.look, (*self.down, None), strict=True):
            x = rectify(look(x))
            skips.append(x)
            x = rectify(down(x)) if down is not None else x
        code = self.dropout(rectify(self.code(x.mean(dim=(2, 3)))))
        style = torch.cat([self.mapping(noise).to(code.dtype), code], dim=1)
        x = rectify(self.first(skips.pop(), style))
        picture: Tensor = self.colour[0](x, style)
        for up, draw, colour in zip(self.up, self.draw, self.colour[1:], strict=True):
            x = rectify(up(x, style)) + skips.pop()
            x = rectify(draw(x, style))
            picture = resize_up(picture) + colour(x, style)
        return 0.5 + 0.5 * picture
