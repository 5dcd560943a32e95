"""A critic on the features of a frozen backbone (projected GAN)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.critic import SLOPE, Critic, CriticOutput, critic_conv
from remend.nets.patch_critic import PatchCritic

__all__ = ["ProjectedCritic"]

_PROBE_PX = 96


class ProjectedCritic(Critic):
    """Scores a scale of features that a backbone, taught on ImageNet and left as it is, has of a picture.

    Choose it where there is time for thousands of steps, not for hundreds of thousands: a critic of pixels
    must first learn what an edge is, this one begins with edges, textures and parts. It has a small net of
    its own a scale, on a fixed random mixture of the backbone's channels, so that it cannot lean on the few
    that give a fill away at once. A backbone of strided convolutions is blind to some patterns in each phase,
    and a net would learn to draw them: so a narrow critic of pixels stands beside, and ``critic.augment =
    "colour,translation"`` is wanted.

    The backbone is the losses' (``loss.backbone_name``, ``loss.backbone``). It is neither learned nor saved.

    Reference: Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, doi:10.48550/arXiv.2111.01007.
    Here channels are mixed within a scale, not from scale to scale.

    Args:
        backbone: ``backbone(image (N, 3, H, W) in [0, 1]) -> [features (N, C, h, w)]``, fine to coarse,
            frozen.
        width: channels that a scale's features are mixed to, and half of those of its net.
        maps: which of the backbone's maps are judged, each by itself.
        pixels: width of the critic of pixels, a ``PatchCritic``; 0 = there is none.
        spectral: normalise weights by their largest singular value.

    Raises:
        UsageError: maps that the backbone does not have.
    """

    def __init__(
        self,
        *,
        backbone: nn.Module,
        width: int = 32,
        maps: tuple[int, ...] = (0, 1, 2, -1),
        pixels: int = 32,
        spectral: bool = True,
    ) -> None:
        super().__init__()
        # In a list, so that it is no part: not among the parameters, which are learned, nor in the state.
        self._backbone = [backbone.eval().requires_grad_(False)]
        self.maps = tuple(maps)
        with torch.no_grad():
            seen = backbone(_probe())
            if not self.maps or not all(-len(seen) <= index < len(seen) for index in self.maps):
                raise UsageError(
                    f"critic.options.maps chooses among the {len(seen)} maps of the backbone, got "
                    f"{list(self.maps)}: give numbers from {-len(seen)} to {len(seen) - 1}"
                )
            probed = [seen[index].float() for index in self.maps]
        self.heads = nn.ModuleList()
        for number, features in enumerate(probed):
            channels = features.shape[1]
            mixture = torch.randn(width, channels, 1, 1) / channels**0.5
            # Backbones differ in size, and their maps by tenfold: each enters with a spread of about one.
            self.register_buffer(
                f"mixture{number}", mixture / features.square().mean().sqrt().clamp_min(1e-6)
            )
            self.heads.append(
                nn.ModuleList(
                    [
                        critic_conv(width + 1, 2 * width, spectral=spectral, kernel=3, padding=1),
                        critic_conv(2 * width, 2 * width, spectral=spectral, kernel=3, padding=1),
                        critic_conv(2 * width, 1, spectral=spectral, kernel=1, gain=1.0),
                    ]
                )
            )

        self.pixels = PatchCritic(width=pixels, spectral=spectral) if pixels else None

    def judge(self, planes: Tensor) -> CriticOutput:
        """Scores (N, 1, h, w) of each map, about in the backbone's cells; features of its own two layers.

        The critic of pixels comes last.
        """
        image, hole = (planes[:, :3] + 1) / 2, planes[:, 3:]
        seen = self._backbone[0](image)
        scores: list[Tensor] = []
        features: list[list[Tensor]] = []
        for number, (index, head) in enumerate(zip(self.maps, self.heads, strict=True)):
            first, second, score = head
            mixed = F.conv2d(seen[index], getattr(self, f"mixture{number}").to(seen[index].dtype))
            x = torch.cat(
                [mixed, F.interpolate(hole, size=mixed.shape[2:], mode="area").to(mixed.dtype)], dim=1
            )
            x = F.leaky_relu(first(x), SLOPE)
            own = [x]
            x = F.leaky_relu(second(x), SLOPE)
            own.append(x)
            scores.append(score(x))
            features.append(own)
        if self.pixels is not None:
            of_pixels = self.pixels.judge(planes)
            scores, features = scores + of_pixels.scores, features + of_pixels.features
        return CriticOutput(scores, features)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Whatever moves the critic to a device moves the backbone."""
        self._backbone[0]._apply(fn, recurse)
        moved: Self = super()._apply(fn, recurse)
        return moved


def _probe() -> Tensor:
    """(1, 3, H, W) in [0, 1]: noise at all scales alike, as photographs have it; always the same."""
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros(1, 3, _PROBE_PX, _PROBE_PX)
    for side in (3, 6, 12, 24, 48, 96):
        noise = torch.randn(1, 3, side, side, generator=generator)
        total = total + F.interpolate(noise, size=total.shape[2:], mode="bilinear", align_corners=False)
    return (0.5 + 0.1 * total).clamp(0, 1)
