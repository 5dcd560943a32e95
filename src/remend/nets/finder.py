"""The net that finds damage: a U-Net that names, for every pixel, what lies on the picture there."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CLASSES", "DAMAGE", "Finder"]

CLASSES = ("none", "scratch", "dust", "stain", "hole", "text", "watermark")
"""What a pixel can be, in the order of the net's answers. Cracks are told from scratches by their shape."""

DAMAGE = slice(1, 5)
"""The classes that are damage; lettering is not, until the user says so."""


class Finder(nn.Module):
    """Damage by pixel, at the scale of the picture that it is given.

    Pixels go in unshuffled to half size, so that a speck of two pixels is still a pattern of its own, and the
    answer is shuffled back to full size. Three quarters of the work is done at a quarter of the size and
    below. Batch norm, which an exported net carries inside its convolutions, keeps the answer for one tile
    independent of what else the tile holds; dilated blocks at 1/32 let a stroke of some hundred pixels be
    seen whole.

    Args:
        widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32.
        depths: residual blocks on the way down, at each of these; on the way up there is one each.

    Input (N, 3, H, W) RGB in [0, 1], H and W multiples of 32. Output (N, 7, H, W) logits, in the order of
    ``CLASSES``.

    Cost: about 42 thousand multiplications a pixel; 2.9 million parameters.

    Reference: the U is Ronneberger et al., "U-Net", MICCAI 2015; unshuffled input as in Shi et al.,
    "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
    Network", CVPR 2016.
    """

    size_multiple = 32

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 96, 128, 160),
        depths: tuple[int, ...] = (1, 2, 2, 2, 3),
    ) -> None:
        super().__init__()
        self.stem = _Unit(12, widths[0])
        self.down = nn.ModuleList(_Unit(above, here, stride=2) for above, here in pairwise(widths))
        self.inward = nn.ModuleList(
            nn.Sequential(*(_Residual(width, 2**k if width == widths[-1] else 1) for k in range(depth)))
            for width, depth in zip(widths, depths, strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(below, here, 1) for here, below in pairwise(widths))
        self.outward = nn.ModuleList(_Residual(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 4 * len(CLASSES), 3, padding=1)
        # Nearly all pixels are sound: begun there, the first thousand steps are not spent on learning it.
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias.zero_()
            self.head.bias[:4] = 5.0

    def forward(self, image: Tensor) -> Tensor:
        """Logits by pixel."""
        return functional.pixel_shuffle(self.folded(image), 2)

    def folded(self, image: Tensor) -> Tensor:
        """The same logits at half size: (N, 4 · classes, H / 2, W / 2), four pixels of a class together."""
        features = self.inward[0](self.stem(functional.pixel_unshuffle(image - 0.5, 2)))
        kept = [features]
        for down, inward in zip(self.down, self.inward[1:], strict=True):
            features = inward(down(features))
            kept.append(features)
        for k in reversed(range(len(self.outward))):
            brought = functional.interpolate(self.up[k](features), scale_factor=2.0, mode="nearest")
            features = self.outward[k](functional.relu(brought + kept[k]))
        answer: Tensor = self.head(features)
        return answer


class _Unit(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inward: int, outward: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inward, outward, 3, stride, dilation, dilation, bias=False),
            nn.BatchNorm2d(outward),
            nn.ReLU(),
        )


class _Residual(nn.Module):
    """Two convolutions whose answer is added; at the start it is nothing."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = _Unit(width, width, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        return functional.relu(features + self.norm(self.second(self.first(features))))
