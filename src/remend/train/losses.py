"""What is minimised: L1 apart in the hole, around it and elsewhere; distance of trunk features."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.squeezenet import SqueezeNet
from remend.train.config import Loss

__all__ = ["JITTER_PX", "Criterion", "feature_distance", "grow", "l1"]

JITTER_PX = 16
"""The trunk sees crops shifted by up to this, so that its grid of strides is nowhere fixed."""

_MARGIN_PX = 8


class Criterion(nn.Module):
    """The losses of a recipe, each averaged within a picture and then over pictures.

    So a scratch counts as much as a hole over half of the frame, and a batch split over devices needs no
    exchange of hole areas.

    Args:
        weights: from the recipe.
        trunk: judges likeness; needed where ``weights.perceptual`` is above 0.
    """

    def __init__(self, weights: Loss, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.weights = weights
        self.trunk = trunk if weights.perceptual else None

    @staticmethod
    def of(weights: Loss) -> Criterion:
        """Load the trunk that ``weights`` names.

        Raises:
            UsageError: a perceptual loss is asked for, but no trunk is given.
            ModelError: the trunk's file cannot be used.
        """
        if not weights.perceptual:
            return Criterion(weights)
        if not weights.trunk:
            raise UsageError(
                f"the perceptual loss (loss.perceptual={weights.perceptual:g}) needs SqueezeNet's weights: "
                "give --set loss.trunk=FILE.h5, or leave it out with --set loss.perceptual=0"
            )
        return Criterion(weights, SqueezeNet.load(Path(weights.trunk).expanduser()))

    def forward(
        self, filled: Tensor, raw: Tensor, target: Tensor, hole: Tensor, shift: tuple[int, int] = (0, 0)
    ) -> dict[str, Tensor]:
        """Every loss by name, unweighted, and ``total``.

        Args:
            filled: (N, 3, H, W), composed.
            raw: (N, 3, H, W), as the net predicts it.
            target: (N, 3, H, W).
            hole: (N, 1, H, W), 1 = fill.
            shift: of the trunk's crop, (down, right), below ``JITTER_PX``.
        """
        ring = grow(hole, self.weights.ring_px) - hole
        parts = {
            "hole": l1(raw, target, hole),
            "ring": l1(raw, target, ring),
            "valid": l1(raw, target, 1 - hole - ring),
        }
        if self.trunk is not None:
            down, right = shift
            rows = slice(down, filled.shape[2] - JITTER_PX + down)
            columns = slice(right, filled.shape[3] - JITTER_PX + right)
            with torch.no_grad():
                wanted = self.trunk(target[:, :, rows, columns])
            got = self.trunk(filled[:, :, rows, columns])
            near = grow(hole, _MARGIN_PX)[:, :, rows, columns]
            parts["perceptual"] = feature_distance(got, wanted, near)
        total = sum((getattr(self.weights, name) * part for name, part in parts.items()), torch.zeros(()))
        return {**parts, "total": total}


def l1(output: Tensor, target: Tensor, area: Tensor) -> Tensor:
    """Mean absolute difference over ``area`` (N, 1, H, W, 0–1) of each picture, then over pictures.

    A picture without such an area counts as 0.
    """
    difference = (output - target).abs().mean(dim=1, keepdim=True) * area
    return (difference.sum(dim=(1, 2, 3)) / area.sum(dim=(1, 2, 3)).clamp_min(1)).mean()


def feature_distance(got: list[Tensor], wanted: list[Tensor], area: Tensor) -> Tensor:
    """Distance of feature maps, each position made a unit vector, averaged over ``area``; mean over maps.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    CVPR 2018, without its learned weights.
    """
    total = torch.zeros(())
    for a, b in zip(got, wanted, strict=True):
        difference = (_unit(a.float()) - _unit(b.float())).square().sum(dim=1, keepdim=True)
        weight = F.interpolate(area, size=a.shape[2:], mode="area")
        each = (difference * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp_min(1e-3)
        total = total + each.mean()
    return total / len(got)


def grow(area: Tensor, radius_px: int) -> Tensor:
    """``area`` (N, 1, H, W) grown by a square of ``radius_px`` to each side."""
    span = 2 * radius_px + 1
    rows = F.max_pool2d(area, (span, 1), stride=1, padding=(radius_px, 0))
    return F.max_pool2d(rows, (1, span), stride=1, padding=(0, radius_px))


def _unit(features: Tensor) -> Tensor:
    # The root's gradient is infinite at 0, where ReLU puts many a position.
    return features * torch.rsqrt(features.square().sum(dim=1, keepdim=True) + 1e-6)
