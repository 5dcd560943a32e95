"""Likeness as a backbone sees it: distances of features and of their statistics.

In two forms. Ours compares directions and shares, so that a weight means the same with any backbone; that
of papers compares plain features, so that the weights of papers hold, with the backbone and the size that
they had.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from remend.nets.precision import in_fp32

__all__ = ["feature_distance", "gram", "plain_feature_distance", "plain_style_distance", "style_distance"]


def feature_distance(
    got: list[Tensor], wanted: list[Tensor], area: Tensor, each: Tensor | None = None
) -> Tensor:
    """Distance of feature maps, each position made a unit vector, averaged over ``area``; mean over maps.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    CVPR 2018, doi:10.1109/CVPR.2018.00068, without its learned weights.
    """
    weights = [F.interpolate(area, size=a.shape[2:], mode="area").flatten(1) for a in got]
    apart: Tensor = _Apart.apply(len(got), *got, *wanted)
    counts = [weight.shape[1] for weight in weights]
    weight = torch.cat(weights, dim=1)
    sums, sizes = (
        torch.stack([part.sum(dim=1) for part in x.split(counts, dim=1)], dim=1)
        for x in (apart * weight, weight)
    )
    own = (sums / sizes.clamp_min(1e-3)).mean(dim=1)
    return _mean(own, each)


class _Apart(torch.autograd.Function):
    """Squared distances of features made unit vectors, of all maps side by side: (N, positions).

    Its gradient, for the first half of the maps alone, is written out: automatic differentiation takes
    three times as many operations. With a the feature, r = (|a|² + ε)^-½, u = r a and d the difference to
    the wanted one, the gradient of |d|² is 2 r (d - (u · d) u).
    """

    @staticmethod
    def forward(ctx: Any, count: int, *maps: Tensor) -> Tensor:
        lengths = [torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32) for x in maps]
        sizes = [length[0].numel() for length in lengths]
        # The root's gradient is infinite at 0, where ReLU puts many a position.
        inverse = torch.rsqrt(torch.cat([x.flatten(1) for x in lengths], dim=1).square() + 1e-6)
        scales = [s.view_as(x) for s, x in zip(inverse.split(sizes, dim=1), lengths, strict=True)]
        units = [x * scale for x, scale in zip(maps[:count], scales[:count], strict=True)]
        away = [
            torch.addcmul(u, x.float(), scale, value=-1)
            for u, x, scale in zip(units, maps[count:], scales[count:], strict=True)
        ]
        ctx.save_for_backward(inverse, *units, *away)
        ctx.dtypes = [x.dtype for x in maps[:count]]
        far = [torch.linalg.vector_norm(d, dim=1).flatten(1) for d in away]
        return torch.cat(far, dim=1).square()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inverse, *saved = ctx.saved_tensors
        count = len(ctx.dtypes)
        units, away = saved[:count], saved[count:]
        sizes = [u[0, 0].numel() for u in units]
        scale = 2 * gradient * inverse[:, : sum(sizes)]
        found = []
        for u, d, own, dtype in zip(units, away, scale.split(sizes, dim=1), ctx.dtypes, strict=True):
            across = torch.addcmul(d, (u * d).sum(dim=1, keepdim=True), u, value=-1)
            found.append((across * own.view_as(u[:, :1])).to(dtype))
        return None, *found, *[None] * count


def style_distance(
    got: list[Tensor], wanted: list[Tensor], area: Tensor, each: Tensor | None = None
) -> Tensor:
    """L1 of Gram matrices over ``area``, as a share of the wanted one's L1; mean over maps.

    The Gram matrix says which features go together, not where: texture. Papers divide by channels and
    positions, so that their weights (PConv 120, AOT-GAN and EdgeConnect 250) belong to one backbone, one
    input range and one size of picture, and make NaN or repeated patterns elsewhere. Here the distance is
    1 for a fill without any of the wanted texture, whatever the backbone: begin at a weight of 0.1.

    Reference: Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
    doi:10.1109/CVPR.2016.265; for holes: Liu et al., ECCV 2018, doi:10.1007/978-3-030-01252-6_6.
    """
    total = torch.zeros((), device=area.device)
    # Products of features reach beyond what half precision holds.
    with in_fp32(area):
        for a, b in zip(got, wanted, strict=True):
            weight = F.interpolate(area, size=a.shape[2:], mode="area")
            ours, theirs = gram(a.float(), weight), gram(b.float(), weight)
            size = theirs.abs().sum(dim=(1, 2)).clamp_min(1e-12)
            total = total + _mean((ours - theirs).abs().sum(dim=(1, 2)) / size, each)
    return total / len(got)


def gram(features: Tensor, weight: Tensor) -> Tensor:
    """Mean products of channels (N, C, C) over positions weighted by ``weight`` (N, 1, h, w)."""
    flat = features.flatten(2)
    scaled = (features * weight).flatten(2)
    share = weight.sum(dim=(2, 3)).unsqueeze(2).clamp_min(1e-3)
    return torch.matmul(scaled, flat.transpose(1, 2)) / share


def plain_feature_distance(
    got: list[Tensor], wanted: list[Tensor], area: Tensor, each: Tensor | None = None, *, power: int = 1
) -> Tensor:
    """Mean absolute or squared difference of features over ``area``; sum over maps.

    Args:
        got: features (N, C, h, w).
        wanted: of the same shapes.
        area: (N, 1, H, W); ones, as in papers, for the whole frame.
        each: (N,), weighs pictures.
        power: 1 or 2.

    Reference: absolute: Liu et al., ECCV 2018, doi:10.1007/978-3-030-01252-6_6; squared, on a backbone
    that sees far: Suvorov et al., WACV 2022, doi:10.1109/WACV51458.2022.00323.
    """
    total = torch.zeros((), device=area.device)
    for a, b in zip(got, wanted, strict=True):
        difference = (a.float() - b.float()).abs().pow(power).mean(dim=1, keepdim=True)
        weight = F.interpolate(area, size=a.shape[2:], mode="area")
        own = (difference * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp_min(1e-3)
        total = total + _mean(own, each)
    return total


def plain_style_distance(
    got: list[Tensor], wanted: list[Tensor], area: Tensor, each: Tensor | None = None
) -> Tensor:
    """L1 of Gram matrices divided by channels and positions, mean over entries; sum over maps.

    Reference: Liu et al., ECCV 2018, doi:10.1007/978-3-030-01252-6_6 (eq. 4 and 5).
    """
    total = torch.zeros((), device=area.device)
    with in_fp32(area):
        for a, b in zip(got, wanted, strict=True):
            weight = F.interpolate(area, size=a.shape[2:], mode="area")
            ours, theirs = gram(a.float(), weight), gram(b.float(), weight)
            own = (ours - theirs).abs().mean(dim=(1, 2)) / a.shape[1]
            total = total + _mean(own, each)
    return total


def _mean(values: Tensor, each: Tensor | None) -> Tensor:
    return values.mean() if each is None else (each * values).mean()
