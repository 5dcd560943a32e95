"""Critics: nets that learn to tell filled pictures from real ones.

``critic(image, hole) -> Judgement``: scores are logits, positive = real, and features are what the critic
saw on the way, for feature matching. All of them take any size from 32 px on, hold no normalisation
but that of their weights (a picture's scores do not depend on what else is in the batch), and see the
hole as a fourth channel: they judge the fill and its join, and need not search for it.

| name | parameters | GMAC at 256² | field of view |
|---|---|---|---|
| ``global`` | 7.2 M | 1.9 | the whole picture |
| ``patch`` | 2.8 M | 3.3 | 70 × 70 px |
| ``multiscale`` | 8.3 M | 4.3 | 70, 140 and 280 px |

At ``width=64``; all figures fall with its square.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from remend.errors import UsageError

__all__ = ["CRITICS", "GlobalCritic", "Judgement", "MultiscaleCritic", "PatchCritic", "build_critic"]

_SLOPE = 0.2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a critic says of a batch, one entry a scale.

    Attributes:
        scores: logits, (N, 1, h, w) or (N, 1, 1, 1); positive = real.
        features: of each scale, (N, C, h, w) fine to coarse, after activation.
    """

    scores: list[Tensor]
    features: list[list[Tensor]]


class _Critic(nn.Module):
    """What all critics share: how pictures enter, and how weights are normalised.

    A forward in training mode moves each norm's power iteration on by one step: its vectors are buffers,
    saved with the weights, so that a resumed run goes on bit for bit. Do not average them over time.
    """

    def forward(self, image: Tensor, hole: Tensor) -> Judgement:
        """Judge pictures.

        Args:
            image: (N, 3, H, W) RGB in [0, 1].
            hole: (N, 1, H, W), 1 = filled.
        """
        # Weights are normalised once a forward, and in fp32: under autocast the power iteration would run
        # in bf16, with three digits.
        with parametrize.cached():
            with torch.autocast(image.device.type, enabled=False):
                for module in self.modules():
                    if parametrize.is_parametrized(module):
                        _ = module.weight
            return self.judge(torch.cat([2 * image - 1, hole.to(image.dtype)], dim=1))

    def judge(self, planes: Tensor) -> Judgement:
        """Judge (N, 4, H, W): RGB in [-1, 1] and the hole."""
        raise NotImplementedError


class PatchCritic(_Critic):
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
            _conv(a, b, spectral=spectral, stride=2) for a, b in pairwise(channels[: layers + 1])
        )
        self.wide = _conv(channels[layers], channels[layers + 1], spectral=spectral)
        self.score = _conv(channels[layers + 1], 1, spectral=spectral, gain=1.0)

    def judge(self, planes: Tensor) -> Judgement:
        """Scores (N, 1, H / 8, W / 8) at the default layers, and the features of all layers before."""
        features: list[Tensor] = []
        x = planes
        for layer in self.down:
            x = F.leaky_relu(layer(F.pad(x, (1, 1, 1, 1))), _SLOPE)
            features.append(x)
        x = F.leaky_relu(self.wide(F.pad(x, (1, 2, 1, 2))), _SLOPE)
        features.append(x)
        return Judgement([self.score(F.pad(x, (2, 1, 2, 1)))], [features])


class GlobalCritic(_Critic):
    """One score for the whole picture: does it hang together?

    For holes that need to be understood (faces, centres), beside much data: with few pictures it learns
    them by heart.

    Five 4 × 4 convolutions of stride 2, the mean over the frame, two dense layers. The paper's has 5 × 5
    kernels, batch norm, and a dense layer that binds it to one size.

    Reference: Iizuka et al., "Globally and Locally Consistent Image Completion", SIGGRAPH 2017,
    doi:10.1145/3072959.3073659; Pathak et al., "Context Encoders: Feature Learning by Inpainting",
    CVPR 2016, doi:10.1109/CVPR.2016.278.

    Args:
        width: channels of the first layer; they double up to eight times that.
        layers: convolutions of stride 2.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, *, width: int = 64, layers: int = 5, spectral: bool = True) -> None:
        super().__init__()
        channels = [4, *(width * min(2**n, 8) for n in range(layers))]
        self.down = nn.ModuleList(_conv(a, b, spectral=spectral, stride=2) for a, b in pairwise(channels))
        # After the mean a hidden layer, or the score would be no more than a mean of patch scores.
        self.hidden = _conv(channels[-1], channels[-1], spectral=spectral, kernel=1)
        self.score = _conv(channels[-1], 1, spectral=spectral, kernel=1, gain=1.0)

    def judge(self, planes: Tensor) -> Judgement:
        """A score (N, 1, 1, 1), and the features of all convolutions."""
        features: list[Tensor] = []
        x = planes
        for layer in self.down:
            x = F.leaky_relu(layer(F.pad(x, (1, 1, 1, 1))), _SLOPE)
            features.append(x)
        x = F.leaky_relu(self.hidden(x.mean(dim=(2, 3), keepdim=True)), _SLOPE)
        return Judgement([self.score(x)], [features])


class MultiscaleCritic(_Critic):
    """Patch critics at full, 1/2 and 1/4 scale, each with its own weights: texture, parts, layout.

    For feature matching, which it was made for, and for pictures of 256 px and more.

    Reference: Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional
    GANs" (pix2pixHD), CVPR 2018, doi:10.1109/CVPR.2018.00917. Here halving is a mean of 2 × 2 pixels,
    which keeps the grids of scores over the picture's, and the norm is spectral.

    Args:
        width: channels of each critic's first layer.
        layers: convolutions of stride 2 in each.
        scales: how many critics, each at half of the scale before.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, *, width: int = 64, layers: int = 3, scales: int = 3, spectral: bool = True) -> None:
        super().__init__()
        self.critics = nn.ModuleList(
            PatchCritic(width=width, layers=layers, spectral=spectral) for _ in range(scales)
        )

    def judge(self, planes: Tensor) -> Judgement:
        """Scores and features of each scale, fine to coarse."""
        scores: list[Tensor] = []
        features: list[list[Tensor]] = []
        for scale, critic in enumerate(self.critics):
            if scale:
                planes = F.avg_pool2d(planes, 2)
            judgement = critic.judge(planes)
            scores += judgement.scores
            features += judgement.features
        return Judgement(scores, features)


CRITICS: dict[str, type[_Critic]] = {
    "global": GlobalCritic,
    "patch": PatchCritic,
    "multiscale": MultiscaleCritic,
}
"""Every critic, by its name in a recipe."""


def build_critic(name: str, options: Mapping[str, Any] | None = None) -> nn.Module:
    """Make a critic with fresh weights, drawn from torch's global generator.

    Args:
        name: one of ``CRITICS``.
        options: its keyword arguments.

    Raises:
        UsageError: an unknown name, or options that the critic does not take.
    """
    if name not in CRITICS:
        raise UsageError(f"no critic is called {name!r}: choose one of {', '.join(CRITICS)}")
    try:
        return CRITICS[name](**(options or {}))
    except TypeError as error:
        raise UsageError(f"the critic {name} does not take these options: {error}") from error


def _conv(
    inside: int, outside: int, *, spectral: bool, kernel: int = 4, stride: int = 1, gain: float | None = None
) -> nn.Module:
    conv = nn.Conv2d(inside, outside, kernel, stride=stride)
    # Without the norm the scale of weights is what begins the game; with it, only their direction is.
    nn.init.kaiming_normal_(conv.weight, a=_SLOPE, nonlinearity="leaky_relu")
    if gain is not None:
        nn.init.xavier_normal_(conv.weight, gain)
    nn.init.zeros_(conv.bias)
    return spectral_norm(conv) if spectral else conv
