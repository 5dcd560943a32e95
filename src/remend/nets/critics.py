"""Critics: nets that learn to tell filled pictures from real ones.

``critic(image, hole) -> CriticOutput``: scores are logits, positive = real, and features are what the critic
saw on the way, for feature matching. All of them take any size from 32 px on, hold no normalisation
but that of their weights (a picture's scores do not depend on what else is in the batch), and see the
hole as a fourth channel: they judge the fill and its join, and need not search for it.

| name | parameters | GMAC at 256² | field of view |
|---|---|---|---|
| ``global`` | 7.2 M | 1.9 | the whole picture |
| ``patch`` | 2.8 M | 3.3 | 70 × 70 px |
| ``multiscale`` | 8.3 M | 4.3 | 70, 140 and 280 px |
| ``sn_patch`` | 5.9 M | 2.3 | 253 × 253 px |
| ``global_local`` | 6.0 M | 2.1 | the whole picture, and half of each side around the hole |
| ``residual`` | 17.7 M | 15.5 | the whole picture |
| ``projected`` | 0.9 M | 2.1 and the backbone's | 7 px to most of the picture, a scale each |

At ``width=64``, ``projected`` at its own 32; all figures fall with its square.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.critic import SLOPE, Critic, CriticOutput, critic_conv
from remend.nets.patch_critic import PatchCritic
from remend.nets.projected_critic import ProjectedCritic
from remend.nets.residual_critic import ResidualCritic

__all__ = [
    "CRITICS",
    "CriticOutput",
    "GlobalCritic",
    "GlobalLocalCritic",
    "MultiscaleCritic",
    "PatchCritic",
    "ProjectedCritic",
    "SnPatchCritic",
    "around",
    "build_critic",
    "needs_backbone",
]


class GlobalCritic(Critic):
    """One score for the whole picture: does it hang together?

    For holes that need to be understood (faces, centres), beside much data: with few pictures it
    overfits.

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
        self.down = nn.ModuleList(
            critic_conv(a, b, spectral=spectral, stride=2, padding=1) for a, b in pairwise(channels)
        )
        # After the mean a hidden layer, or the score would be no more than a mean of patch scores.
        self.hidden = critic_conv(channels[-1], channels[-1], spectral=spectral, kernel=1)
        self.score = critic_conv(channels[-1], 1, spectral=spectral, kernel=1, gain=1.0)

    def judge(self, planes: Tensor) -> CriticOutput:
        """A score (N, 1, 1, 1), and the features of all convolutions."""
        features: list[Tensor] = []
        x = planes
        for layer in self.down:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        x = F.leaky_relu(self.hidden(x.mean(dim=(2, 3), keepdim=True)), SLOPE)
        return CriticOutput([self.score(x)], [features])


class MultiscaleCritic(Critic):
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

    def judge(self, planes: Tensor) -> CriticOutput:
        """Scores and features of each scale, fine to coarse."""
        scores: list[Tensor] = []
        features: list[list[Tensor]] = []
        for scale, critic in enumerate(self.critics):
            if scale:
                planes = F.avg_pool2d(planes, 2)
            judgement = critic.judge(planes)
            scores += judgement.scores
            features += judgement.features
        return CriticOutput(scores, features)


class SnPatchCritic(Critic):
    """Each position of each channel of the last of six layers is a score of its own: SN-PatchGAN.

    Kernels of 5 × 5 and stride 2 see 253 px, so that at 256² one critic is both local and global, and
    channels may each look for something else. Scores are (N, 4 ``width``, H / 64, W / 64): with so coarse a
    map set ``critic.mask_as_target = false``, as the paper has it.

    Reference: Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019,
    doi:10.1109/ICCV.2019.00457.

    Args:
        width: channels of the first layer; they double up to four times that.
        layers: convolutions.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, *, width: int = 64, layers: int = 6, spectral: bool = True) -> None:
        super().__init__()
        channels = [4, *(width * min(2**n, 4) for n in range(layers))]
        self.down = nn.ModuleList(
            critic_conv(a, b, spectral=spectral, kernel=5, stride=2, padding=2) for a, b in pairwise(channels)
        )

    def judge(self, planes: Tensor) -> CriticOutput:
        """The last layer as scores, the others as features."""
        features: list[Tensor] = []
        x = planes
        for number, layer in enumerate(self.down):
            if number:
                x = F.leaky_relu(x, SLOPE)
                features.append(x)
            x = layer(x)
        return CriticOutput([x], [features])


class GlobalLocalCritic(Critic):
    """Two critics of the kind of ``GlobalCritic``: of the whole picture, and of a crop around the hole.

    Made for ``critic.loss = "wasserstein"`` and ``critic.gp = 10``, hence without the norm of weights, whose
    place the penalty takes.

    Reference: Iizuka et al., "Globally and Locally Consistent Image Completion", SIGGRAPH 2017,
    doi:10.1145/3072959.3073659; as two Wasserstein critics: Yu et al., "Generative Image Inpainting with
    Contextual Attention", CVPR 2018, doi:10.1109/CVPR.2018.00577. There holes are boxes of one size, and the
    crop is the hole; here it lies around the middle of all of a picture's holes.

    Args:
        width: channels of the first layers.
        share: the crop's sides as a share of the picture's.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, *, width: int = 64, share: float = 0.5, spectral: bool = False) -> None:
        super().__init__()
        self.share = share
        self.whole = GlobalCritic(width=width, layers=4, spectral=spectral)
        self.near = GlobalCritic(width=width, layers=4, spectral=spectral)

    def judge(self, planes: Tensor) -> CriticOutput:
        """Two scores (N, 1, 1, 1) and the features of both."""
        whole, near = self.whole.judge(planes), self.near.judge(around(planes, self.share))
        return CriticOutput(whole.scores + near.scores, whole.features + near.features)


def around(planes: Tensor, share: float) -> Tensor:
    """A crop of each picture around the middle of its holes, moved into the frame where it would leave it.

    Args:
        planes: (N, C, H, W), the last channel is the hole; a picture without one is cropped in its middle.
        share: the crop's sides as a share of H and W.

    Returns:
        (N, C, round(share · H), round(share · W)), with its gradients. Nothing waits for the device.
    """
    for axis in (2, 3):
        length = planes.shape[axis]
        side = max(1, round(share * length))
        there = planes[:, -1].detach().float().sum(dim=4 - axis).clamp_min(0) + 1e-6  # (N, length)
        at = torch.arange(length, device=planes.device) + 0.5
        middle = (there * at).sum(dim=1) / there.sum(dim=1)
        first = (middle - side / 2).round().clamp(0, length - side).long()
        index = first[:, None] + torch.arange(side, device=planes.device)
        index = index.view((-1, 1, side, 1) if axis == 2 else (-1, 1, 1, side))
        sizes = [-1, *planes.shape[1:]]
        sizes[axis] = side
        planes = planes.gather(axis, index.expand(sizes))
    return planes


CRITICS: dict[str, type[Critic]] = {
    "global": GlobalCritic,
    "patch": PatchCritic,
    "multiscale": MultiscaleCritic,
    "sn_patch": SnPatchCritic,
    "global_local": GlobalLocalCritic,
    "residual": ResidualCritic,
    "projected": ProjectedCritic,
}
"""Every critic, by its name in a recipe."""


def needs_backbone(name: str) -> bool:
    """Whether ``build_critic`` wants a backbone for it."""
    return name == "projected"


def build_critic(
    name: str, options: Mapping[str, Any] | None = None, *, backbone: nn.Module | None = None
) -> nn.Module:
    """Make a critic with fresh weights, drawn from torch's global generator.

    Args:
        name: one of ``CRITICS``.
        options: its keyword arguments.
        backbone: frozen, for a critic that looks through one; see ``remend.nets.backbones``.

    Raises:
        UsageError: an unknown name, options that the critic does not take, or no backbone for one
            that needs it.
    """
    if name not in CRITICS:
        raise UsageError(f"no critic is called {name!r}: choose one of {', '.join(CRITICS)}")
    further: dict[str, Any] = {}
    if needs_backbone(name):
        if backbone is None:
            raise UsageError(
                f"the critic {name} looks through a backbone: give its weights, --set loss.backbone=FILE.h5"
            )
        further["backbone"] = backbone
    try:
        return CRITICS[name](**(options or {}), **further)
    except TypeError as error:
        raise UsageError(f"the critic {name} does not take these options: {error}") from error
