"""MI-GAN: a generator for phones, of depthwise and 1 × 1 convolutions, learned wide and folded for serving.

Sargsyan, Navasardyan, Xu, Shi, "MI-GAN: A Simple Baseline for Image Inpainting on Mobile Devices", ICCV 2023,
doi:10.1109/ICCV51070.2023.00674.

What differs: no noise planes (the paper's net is served without them); upscaling repeats edge pixels instead
of fading to 0 there; any size that is a multiple of the coarsest grid. Its teacher, Co-Mod-GAN, is here any
net or model file: ``loss.teacher``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.blocks import resize_up
from remend.nets.modulated import blur, rectify

__all__ = ["BranchedConv", "Migan", "SeparableConv"]

_LIMIT = 256.0


class BranchedConv(nn.Module):
    """A convolution whose kernel is a sum of several, each output channel brought to norm 1.

    The branches change how it learns, not what it can answer: ``fold`` makes them one kernel.

    Args:
        inside: channels that come.
        outside: channels that go.
        kernel: its side, odd.
        branches: kernels that are added up; 0 = one kernel as it is, of any norm.
        depthwise: each channel by itself; ``outside`` = ``inside``.
        bias: add one.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        kernel: int = 1,
        *,
        branches: int = 1,
        depthwise: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.groups, self.padding = (inside if depthwise else 1), kernel // 2
        # One behind the other, as a tensor of four dimensions can be laid out channels-last.
        shape = (max(1, branches) * outside, inside // self.groups, kernel, kernel)
        self.branches: nn.Parameter | None = nn.Parameter(torch.randn(shape))
        self.count = max(1, branches)
        self.register_parameter("weight", None)
        if not branches:
            self.fold()
        self.bias = nn.Parameter(torch.zeros(outside)) if bias else None

    def kernel(self) -> Tensor:
        """What is convolved with: (outside, inside, side, side)."""
        if self.branches is None:
            weight: Tensor = self.weight
            return weight
        total = self.branches.unflatten(0, (self.count, -1)).sum(dim=0) / self.count**0.5
        return total * torch.rsqrt(total.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)

    def fold(self) -> None:
        """Keep the one kernel, drop the branches."""
        self.weight = nn.Parameter(self.kernel().detach())
        self.branches = None

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, h, w) to (N, outside, h, w)."""
        return F.conv2d(x, self.kernel(), self.bias, padding=self.padding, groups=self.groups)


class SeparableConv(nn.Module):
    """3 × 3 depthwise, then 1 × 1; leaky ReLU behind both.

    Args:
        inside: channels that come.
        outside: channels that go.
        branches: of each kernel.
        resize: 1 = the same size, 0.5 = halved, 2 = doubled, before the last activation.
        fading: doubling fades to 0 at the frame.
    """

    def __init__(
        self, inside: int, outside: int, *, branches: int, resize: float = 1, fading: bool = False
    ) -> None:
        super().__init__()
        self.deep = BranchedConv(inside, inside, 3, branches=branches, depthwise=True)
        self.wide = BranchedConv(inside, outside, branches=branches, bias=False)
        self.resize, self.fading = resize, fading

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, h, w) to (N, outside, h · resize, w · resize)."""
        x = _activate(self.deep(x))
        if self.resize < 1:  # 1 × 1 and blur commute: each where fewer pixels are
            x = blur(x, padding=1)[:, :, ::2, ::2]
        x = self.wide(x)
        return _activate(_doubled(x, fading=self.fading) if self.resize > 1 else x)


class Migan(nn.Module):
    """The body of ``migan``: planes and hole in, picture out. Wrap it in ``Inpainter``.

    Down to the coarsest grid and up again; on the way up each scale adds what the way down saw there, and its
    share to the picture.

    Args:
        widths: channels at 1, 1/2, 1/4 … of the size; the default is the paper's for 256², with a grid of
            4 × 4 there. For 512² it has (64, 128, 256, 512, 512, 512, 512, 512).
        branches: kernels that each kernel is the sum of while it learns; 0 = plain kernels.
        as_released: doubling fades to 0 at the frame, as in the authors' code: for their weights.
    """

    residual = False
    takes_prior = False

    def __init__(
        self,
        *,
        widths: Sequence[int] = (128, 256, 512, 512, 512, 512, 512),
        branches: int = 9,
        as_released: bool = False,
    ) -> None:
        super().__init__()
        if not widths or branches < 0:
            raise ValueError("migan has widths for one scale at least, and no fewer than 0 branches")
        self.fading = as_released
        self.size_multiple = max(16, 2 ** (len(widths) - 1))  # 16: that of the base fill
        deepest = widths[-1]
        self.stem = BranchedConv(4, widths[0], branches=min(1, branches))
        self.see = nn.ModuleList(SeparableConv(width, width, branches=branches) for width in widths)
        self.down = nn.ModuleList(
            SeparableConv(a, b, branches=branches, resize=0.5) for a, b in pairwise(widths)
        )
        self.down.append(SeparableConv(deepest, deepest, branches=branches))
        upwards = widths[::-1]
        self.up = nn.ModuleList([SeparableConv(deepest, deepest, branches=branches)])
        self.up.extend(
            SeparableConv(a, b, branches=branches, resize=2, fading=as_released) for a, b in pairwise(upwards)
        )
        self.think = nn.ModuleList(SeparableConv(width, width, branches=branches) for width in upwards)
        self.draw = nn.ModuleList(BranchedConv(width, 3, branches=branches) for width in upwards)

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W), H and W multiples of ``size_multiple``; of these the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W), not limited to [0, 1].
        """
        x = _activate(self.stem(torch.cat([0.5 - hole, 2 * planes[:, :3]], dim=1)))
        seen = []
        for see, down in zip(self.see, self.down, strict=True):
            seen.append(see(x))
            x = down(seen[-1])
        shares = []
        for up, think, draw in zip(self.up, self.think, self.draw, strict=True):
            x = think(up(x) + seen.pop())
            shares.append(draw(x))
        picture: Tensor = shares[0]
        for share in shares[1:]:
            picture = _doubled(picture, fading=self.fading) + share
        return 0.5 + 0.5 * picture


def _doubled(x: Tensor, *, fading: bool) -> Tensor:
    """Twice the size, bilinear; ``fading``: as if there were zeros around the frame."""
    return resize_up(F.pad(x, (1, 1, 1, 1)))[:, :, 2:-2, 2:-2] if fading else resize_up(x)


def _activate(x: Tensor) -> Tensor:
    return rectify(x).clamp(-_LIMIT, _LIMIT)
