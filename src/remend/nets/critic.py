"""What a critic is, and what all of them share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from remend.nets.spectral import norms_in_fp32, spectral_norm

__all__ = ["SLOPE", "Critic", "CriticOutput", "critic_conv"]

SLOPE = 0.2
"""Of every critic's leaky ReLU."""


@dataclass(frozen=True, slots=True)
class CriticOutput:
    """What a critic says of a batch, one entry a scale.

    Attributes:
        scores: logits, (N, 1, h, w), (N, C, h, w) where each channel judges by itself, or (N, 1, 1, 1);
            positive = real.
        features: of each scale, (N, C, h, w) fine to coarse, after activation.
    """

    scores: list[Tensor]
    features: list[list[Tensor]]


class Critic(nn.Module):
    """What all critics share: how pictures enter, and how weights are normalised (``norms_in_fp32``)."""

    def forward(self, image: Tensor, hole: Tensor) -> CriticOutput:
        """Judge pictures.

        Args:
            image: (N, 3, H, W) RGB in [0, 1].
            hole: (N, 1, H, W), 1 = filled.
        """
        with norms_in_fp32(self, image):
            return self.judge(torch.cat([2 * image - 1, hole.to(image.dtype)], dim=1))

    def judge(self, planes: Tensor) -> CriticOutput:
        """Judge (N, 4, H, W): RGB in [-1, 1] and the hole."""
        raise NotImplementedError


def critic_conv(
    inside: int,
    outside: int,
    *,
    spectral: bool,
    kernel: int = 4,
    stride: int = 1,
    padding: int = 0,
    gain: float | None = None,
) -> nn.Module:
    """A convolution, started for the leaky ReLU behind it, or with ``gain`` for a score.

    Args:
        inside: channels that come.
        outside: channels that go.
        spectral: normalise its weight by the largest singular value.
        kernel: its side.
        stride: of the convolution.
        padding: zeros on each side.
        gain: of Xavier's start.
    """
    conv = nn.Conv2d(inside, outside, kernel, stride=stride, padding=padding)
    # Without the norm the scale of weights is what begins the game; with it, only their direction is.
    nn.init.kaiming_normal_(conv.weight, a=SLOPE, nonlinearity="leaky_relu")
    if gain is not None:
        nn.init.xavier_normal_(conv.weight, gain)
    nn.init.zeros_(conv.bias)
    return spectral_norm(conv) if spectral else conv
