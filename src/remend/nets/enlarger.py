"""The net that makes a picture twice as large: a cubic enlargement, and what it left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from remend.nets.blocks import conv3, start_at_zero
from remend.nets.restorer import Block

__all__ = ["Enlarger"]


class Enlarger(nn.Module):
    """A picture of twice the height and width.

    All is computed at the small size, and unshuffled at the end, so that a processor without a GPU is done in
    seconds. What the net adds is what a cubic enlargement lacks; untrained it adds nothing. Where the small
    picture shows blocks of a JPEG or slight softness, it adds what takes these off as well.

    Args:
        width: channels.
        blocks: residual blocks.

    Input (N, 3, H, W) RGB in [0, 1]. Output (N, 3, 2 H, 2 W); not clipped.

    Cost: 102 thousand multiplications a pixel of the result; .4 million parameters.

    Reference: sub-pixel convolution, Shi et al., CVPR 2016; residual blocks without norms, Lim et al.,
    "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR workshops 2017.
    """

    size_multiple = 1

    def __init__(self, width: int = 64, blocks: int = 5) -> None:
        super().__init__()
        self.stem = conv3(3, width)
        self.body = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.head = start_at_zero(conv3(width, 12))
        self.register_buffer("kernel", _cubic_kernel(), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """The picture, twice as large."""
        with torch.autocast(image.device.type, enabled=False):
            image = image.float()
            features = self.stem(image - 0.5)
        features = self.head(self.body(features)).float()
        enlarged: Tensor = self.base(image) + functional.pixel_shuffle(features, 2)
        return enlarged

    def base(self, image: Tensor) -> Tensor:
        """The cubic enlargement (Keys, a = -1/2): (N, 3, H, W) to (N, 3, 2 H, 2 W)."""
        with torch.autocast(image.device.type, enabled=False):
            around = functional.pad(image.float(), (2, 2, 2, 2), mode="replicate")
            quarters = functional.conv2d(around, self.kernel, groups=3)
            enlarged: Tensor = functional.pixel_shuffle(quarters, 2)
            return enlarged


def _cubic_kernel() -> Tensor:
    """(12, 1, 5, 5): of each channel the four pixels that one becomes."""
    near = torch.tensor([-0.0703125, 0.8671875, 0.2265625, -0.0234375])  # at -1.25, -.25, .75, 1.75
    before = torch.cat([near.flip(0), torch.zeros(1)])
    after = before.flip(0)
    quarters = torch.stack([torch.outer(y, x) for y in (before, after) for x in (before, after)])
    return quarters[:, None].repeat(3, 1, 1, 1)
