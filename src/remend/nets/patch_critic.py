"""The critic of texture and joins: a score for each patch."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.critic import SLOPE, Critic, CriticOutput, critic_conv

__all__ = ["PatchCritic"]


class PatchCritic(Critic):
    """Scores for overlapping patches of 70 × 70 px, one each 8 px: texture and joins.

    Choose it first: it is cheap, has much to learn from in each picture, and so needs few pictures. It does
    not see whether a face has two eyes.

    Three 4 × 4 convolutions of stride 2 and two of stride 1, as in the paper; spectral norm instead of
    batch norm. Here the even kernels of stride 1 are padded 1 + 2, then 2 + 1, so that score (i, j) lies
    in the middle of cell (i, j) of 8 px, where the hole averaged over the cell is its target.

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    doi:10.1109/CVPR.2017.632; Miyato et al., "Spectral Normalization for Generative Adversarial Networks",
    ICLR 2018, doi:10.48550/arXiv.1802.05957. With hinge loss and the hole as input it is the kin of
    SN-PatchGAN: Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019,
    doi:10.1109/ICCV.2019.00457.

    Args:
        width: channels of the first layer; they double up to eight times that.
        layers: convolutions of stride 2; the field of view is 16, 34, 70 or 142 px for 1 to 4.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, *, width: int = 64, layers: int = 3, spectral: bool = True) -> None:
        super().__init__()
        channels = [4, *(width * min(2**n, 8) for n in range(layers + 1))]
        self.down = nn.ModuleList(
            critic_conv(a, b, spectral=spectral, stride=2, padding=1)
            for a, b in pairwise(channels[: layers + 1])
        )
        self.wide = critic_conv(channels[layers], channels[layers + 1], spectral=spectral)
        self.score = critic_conv(channels[layers + 1], 1, spectral=spectral, gain=1.0)

    def judge(self, planes: Tensor) -> CriticOutput:
        """Scores (N, 1, H / 8, W / 8) at the default layers, and the features of all layers before."""
        features: list[Tensor] = []
        x = planes
        for layer in self.down:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        x = F.leaky_relu(self.wide(F.pad(x, (1, 2, 1, 2))), SLOPE)
        features.append(x)
        return CriticOutput([self.score(F.pad(x, (2, 1, 2, 1)))], [features])
