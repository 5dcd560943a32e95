"""Made wear for batches of pictures: noise, grain, JPEG blocks, slight blur, or half the size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from remend.train.wear.chance import Chance
from remend.train.wear.jpeg import compressed
from remend.train.wear.noise import noisy
from remend.train.wear.resampling import apart, cut, gaussian, halving

__all__ = ["Wear", "smaller", "worn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """Shares of pairs that are treated so; what is left over is clean, to learn to leave that alone.

    Attributes:
        noise: noise alone.
        blocks: JPEG alone, two in five compressed twice, the grids apart.
        both: noise, then JPEG.
        blur: softened before any of these.
        most_sigma: the strongest noise, in levels.
        least_quality: the coarsest JPEG.
        grey: without colour.
        shrunk: pictures made smaller, ``shrunk_by`` times, so that what their own compression left is gone.
        shrunk_by: from and to; a picture that is too small for it is made as much smaller as it bears.
    """

    noise: float = 0.46
    blocks: float = 0.29
    both: float = 0.18
    blur: float = 0.08
    most_sigma: float = 55.0
    least_quality: int = 8
    grey: float = 0.08
    shrunk: float = 0.9
    shrunk_by: tuple[float, float] = (1.2, 2.4)


def worn(clean: Tensor, chance: Chance, wear: Wear, offset: float) -> Tensor:
    """The same pictures with something on them, or not.

    Kinds lie one behind the other in a batch, so that nothing is computed of which nothing is kept.

    Args:
        clean: (N, 3, S, S) in levels, whole numbers; S a multiple of 16.
        chance: to draw from.
        wear: what happens how often.
        offset: 0 to 1; from batch to batch another, so that shares of a small batch come true over many.
    """
    count, size = len(clean), clean.shape[-1]
    soft = gaussian(chance.even(count, 0.4, 1.2) * chance.flip(count, wear.blur), size)
    shown = apart(clean, soft).round()
    ends, share = [], 0.0
    for part in (wear.noise, wear.both, wear.blocks):
        share += part
        ends.append(min(count, math.floor(share * count + offset)))
    noise, both, blocks = ends
    most = torch.full((both,), float(wear.most_sigma), device=clean.device)
    most[noise:] *= 0.5
    parts = [noisy(shown[:both], _sigma(chance, most), chance), shown[both:]]
    shown = torch.cat(parts)
    if blocks > noise:
        coded = _coded(shown[noise:blocks], chance, wear)
        shown = torch.cat([shown[:noise], coded, shown[blocks:]])
    return shown


def _sigma(chance: Chance, most: Tensor) -> Tensor:
    """Even, but for a third with as many weak as strong ones: real pictures have weak noise."""
    count = len(most)
    few = torch.exp(chance.even(count) * torch.log(0.5 * most))
    return torch.where(chance.flip(count, 0.3), few, chance.even(count) * most)


def smaller(clean: Tensor, chance: Chance, wear: Wear) -> Tensor:
    """The same pictures at half the size, by one of four kernels; some softened, some as a JPEG.

    Args:
        clean: (N, 3, S, S) in levels; S a multiple of 32.
        chance: to draw from.
        wear: ``blocks`` of them are coded, ``blur`` softened.
    """
    count, size = len(clean), clean.shape[-1]
    soft = gaussian(chance.even(count, 0.4, 1.2) * chance.flip(count, wear.blur), size)
    small = apart(clean, halving(chance.whole(count, 4), size) @ soft).round().clamp(0, 255)
    coded = min(count, round(wear.blocks * count))
    if not coded:
        return small
    quality = chance.even(coded, 30, 97).floor()
    return torch.cat([compressed(small[:coded], quality, chance.flip(coded, 0.5)), small[coded:]])


def _coded(planes: Tensor, chance: Chance, wear: Wear) -> Tensor:
    """JPEG, two of five twice, with grids apart."""
    count, size = len(planes), planes.shape[-1]
    twice = round(0.4 * count)
    top, left = chance.whole(twice, 8), chance.whole(twice, 8)
    if twice:
        first = compressed(planes[:twice], chance.even(twice, 30, 96).floor(), chance.flip(twice, 0.5))
        planes = torch.cat([cut(first, top, left, size), planes[twice:]])
    # Coarse ones more often: between 10 and 20 as much changes as between 40 and 90.
    quality = (wear.least_quality + (96 - wear.least_quality) * chance.even(count) ** 1.5).floor()
    coded = compressed(planes, quality, chance.flip(count, 0.5))
    return torch.cat([cut(coded[:twice], size - top, size - left, size), coded[twice:]]) if twice else coded
