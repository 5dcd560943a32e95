"""Noise of several kinds on batches of pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from remend.train.wear.chance import Chance
from remend.train.wear.resampling import apart, gaussian

__all__ = ["noisy"]


def noisy(planes: Tensor, sigma: Tensor, chance: Chance) -> Tensor:
    """Noise of four kinds: of each channel by itself, of all alike, growing with the light, clumped.

    Args:
        planes: (N, 3, S, S) in levels.
        sigma: (N,), its deviation in levels; where it grows with the light, at mid grey.
        chance: to draw from.
    """
    count, _, height, width = planes.shape
    kind = chance.even(count)[:, None, None, None]

    def each(values: Tensor) -> Tensor:
        return values[:, None, None, None]

    alike = torch.where(kind > 0.7, each(chance.even(count)), torch.ones_like(kind)) * (kind > 0.6)
    noise = (1 - alike).sqrt() * chance.normal(count, 3, height, width)
    noise = noise + alike.sqrt() * chance.normal(count, 1, height, width)
    clumps = chance.even(count, 0.35, 1.3) * (kind[:, 0, 0, 0] > 0.85)
    noise = apart(noise, gaussian(clumps, height))
    noise = noise / noise.flatten(1).std(dim=1)[:, None, None, None].clamp(min=1e-6)
    constant = torch.where(kind > 0.7, each(chance.even(count)), torch.ones_like(kind))
    noise = noise * (constant + (1 - constant) * planes / 127.5).sqrt()
    return (planes + each(sigma) * noise).round().clamp(0, 255)
