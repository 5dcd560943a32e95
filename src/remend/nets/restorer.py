"""The net that takes off noise, grain, JPEG blocks and slight blur: a small U-Net, told of no strength."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from remend.nets.blocks import conv3, start_at_zero

__all__ = ["Block", "Restorer"]


class Restorer(nn.Module):
    """A picture without what was laid on it evenly: noise, grain, blocks, a little blur.

    It is told neither the strength of the noise nor the quality of the JPEG: it sees both in the picture.
    Pixels go in unshuffled to half size, and nothing is computed at full size, so that a processor without a
    GPU is done with a photograph in seconds. What comes out is what is to be added to the picture; a weaker
    effect is a share of it, and none is the picture itself, bit for bit.

    Plain convolutions without any norm: a norm would tie the answer for a pixel to what else the tile holds,
    and depthwise convolutions are slow on processors.

    Args:
        widths: channels at 1/2, 1/4 and 1/8.
        inward: residual blocks on the way down, at each of these.
        outward: on the way up, at 1/2 and 1/4.

    Input (N, 3, H, W) RGB in [0, 1], H and W multiples of 8. Output (N, 3, H, W), to be added; not clipped.

    Cost: about 107 thousand multiplications a pixel; 2.8 million parameters.

    Reference: residual learning of noise, Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 2017; the
    unshuffled picture, Zhang et al., "FFDNet", IEEE TIP 2018; residual blocks in a U, Zhang et al.,
    "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI 2021.
    """

    size_multiple = 8

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 160),
        inward: tuple[int, ...] = (2, 2, 4),
        outward: tuple[int, ...] = (1, 2),
    ) -> None:
        super().__init__()
        self.stem = conv3(12, widths[0])
        self.inward = nn.ModuleList(_row(w, n) for w, n in zip(widths, inward, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(above, here, 2, stride=2) for above, here in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(below, 4 * here, 1) for here, below in pairwise(widths))
        self.outward = nn.ModuleList(_row(w, n) for w, n in zip(widths, outward, strict=False))
        self.head = start_at_zero(conv3(widths[0], 12))

    def forward(self, image: Tensor) -> Tensor:
        """What is to be added to the picture."""
        # In half precision a bright pixel would be rounded by half a level before it is looked at.
        with torch.autocast(image.device.type, enabled=False):
            features = self.stem(functional.pixel_unshuffle(image.float() - 0.5, 2))
        features = self.inward[0](features)
        kept = []
        for down, inward in zip(self.down, self.inward[1:], strict=True):
            kept.append(features)
            features = inward(down(features))
        for k in reversed(range(len(self.up))):
            features = kept[k] + functional.pixel_shuffle(self.up[k](features), 2)
            features = self.outward[k](features)
        answer: Tensor = functional.pixel_shuffle(self.head(features).float(), 2)
        return answer


class Block(nn.Module):
    """Two convolutions whose answer is added; at the start it is nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv3(width, width)
        self.second = start_at_zero(conv3(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        answer: Tensor = features + self.second(functional.relu(self.first(features), inplace=True))
        return answer


def _row(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))
