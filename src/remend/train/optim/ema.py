"""Averaged weights: what is validated and exported."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["Ema"]


class Ema:
    """A copy of a net whose weights follow it exponentially.

    Args:
        net: to follow.
        half_life: samples after which half of the average is new.
    """

    def __init__(self, net: nn.Module, half_life: int) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.half_life = half_life

    @torch.no_grad()
    def update(self, net: nn.Module, *, batch: int, samples_seen: int) -> None:
        """Follow ``net`` after a step on ``batch`` samples.

        Early on the half-life is a tenth of what was seen, so that the start is soon forgotten.
        """
        half_life = max(1.0, min(self.half_life, samples_seen / 10))
        new = 1 - 0.5 ** (batch / half_life)
        torch._foreach_lerp_(list(self.net.parameters()), list(net.parameters()), new)
        if buffers := list(self.net.buffers()):
            torch._foreach_copy_(buffers, list(net.buffers()))
