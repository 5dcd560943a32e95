"""What is minimised besides a critic: likeness of pixels, gradients, features and their statistics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.backbones import load_backbone
from remend.train.config import Loss
from remend.train.loss.perceptual import (
    feature_distance,
    plain_feature_distance,
    plain_style_distance,
    style_distance,
)
from remend.train.loss.pixels import (
    by_difficulty,
    decibels,
    discounted,
    distillation_distance,
    edge_distance,
    grow,
    l1,
    l2,
    over,
    quarter_l1,
    total_variation,
)

__all__ = ["JITTER_PX", "Criterion"]

JITTER_PX = 16
"""The backbone sees crops shifted by up to this, so that its grid of strides is nowhere fixed."""

_MARGIN_PX = 8
_RIM_PX = 1
# Settings of losses that are words.
_CHOICES = {
    "over": ("area", "frame"),
    "features": ("unit", "absolute", "squared"),
    "perceptual_input": ("filled", "raw", "both"),
}


class Criterion(nn.Module):
    """The losses of a recipe; those of weight 0 are not computed (but L1, for the log).

    Args:
        weights: from the recipe.
        backbone: judges likeness; needed where ``weights.perceptual`` or ``weights.style`` is above 0.

    Raises:
        UsageError: a setting is a word that its loss does not know.
    """

    def __init__(self, weights: Loss, backbone: nn.Module | None = None) -> None:
        super().__init__()
        for key, known in _CHOICES.items():
            if getattr(weights, key) not in known:
                raise UsageError(f"loss.{key} is one of {', '.join(known)}, got {getattr(weights, key)!r}")
        self.weights = weights
        self.backbone = backbone if weights.perceptual or weights.style else None

    @staticmethod
    def of(weights: Loss) -> Criterion:
        """Load the backbone that ``weights`` names.

        Raises:
            UsageError: a loss needs a backbone, but none is given; or the backbone is unknown.
            ModelError: the backbone's file cannot be used.
        """
        asked = {name: getattr(weights, name) for name in ("perceptual", "style") if getattr(weights, name)}
        if not asked:
            return Criterion(weights)
        if not weights.backbone:
            given = ", ".join(f"loss.{name}={value:g}" for name, value in asked.items())
            kind = "FILE.h5" if weights.backbone_name == "squeezenet" else "FILE.safetensors"
            raise UsageError(
                f"the perceptual loss ({given}) needs {weights.backbone_name}'s weights: "
                f"give --set loss.backbone={kind}"
            )
        return Criterion(weights, load_backbone(weights.backbone_name, weights.backbone))

    def forward(
        self,
        filled: Tensor,
        raw: Tensor,
        target: Tensor,
        hole: Tensor,
        shift: tuple[int, int] = (0, 0),
        *,
        earlier: Sequence[Tensor] = (),
        teacher_fill: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Every loss by name, unweighted, and ``total``.

        Args:
            filled: (N, 3, H, W), composed.
            raw: (N, 3, H, W), as the net predicts it.
            target: (N, 3, H, W).
            hole: (N, 1, H, W), 1 = fill.
            shift: of the backbone's crop, (down, right), below ``JITTER_PX``.
            earlier: (N, 3, H, W) each, as earlier stages of the net predict it.
            teacher_fill: (N, 3, H, W), how a teacher fills it.
        """
        weights, whole = self.weights, self.weights.over == "frame"
        ring = grow(hole, weights.ring_px) - hole
        inside = hole if weights.discount == 1 else discounted(hole, weights.discount)
        areas = {"hole": inside, "ring": ring, "valid": 1 - hole - ring}
        each = {"hole": by_difficulty(target, hole, weights.relative)} if weights.relative else {}
        off = (raw - target).abs().mean(dim=1, keepdim=True)
        parts = {name: over(area, off, each.get(name), whole=whole) for name, area in areas.items()}
        if weights.stages and earlier:
            parts["stages"] = torch.stack(
                [
                    getattr(weights, name) * l1(stage, target, area, each.get(name), whole=whole)
                    for stage in earlier
                    for name, area in areas.items()
                ]
            ).sum()
        parts |= {
            f"{name}_l2": l2(raw, target, area, each.get(name), whole=whole)
            for name, area in areas.items()
            if getattr(weights, f"{name}_l2")
        }
        if weights.hole_db:
            parts["hole_db"] = decibels(raw, target, hole)
        if weights.hole_quarter:
            parts["hole_quarter"] = quarter_l1(filled, target, hole)
        if weights.tv:
            parts["tv"] = total_variation(filled, grow(hole, _RIM_PX), whole=whole)
        if weights.edge:
            parts["edge"] = edge_distance(filled, target, grow(hole, _RIM_PX))
        if weights.distill and teacher_fill is not None:
            parts["distill"] = distillation_distance(filled, teacher_fill, hole, whole=whole)
        if self.backbone is not None:
            shown = {"filled": [filled], "raw": [raw], "both": [filled, raw]}[weights.perceptual_input]
            parts |= self._judged(self.backbone, shown, target, hole, shift, each.get("hole"))
        total = torch.zeros((), device=filled.device)
        for name, part in parts.items():
            total = total + getattr(weights, name) * part
        return {**parts, "total": total}

    def _judged(
        self,
        backbone: nn.Module,
        shown: Sequence[Tensor],
        target: Tensor,
        hole: Tensor,
        shift: tuple[int, int],
        each: Tensor | None,
    ) -> dict[str, Tensor]:
        """The losses on the backbone's features, of a crop that is shifted; added up over what is shown."""
        weights, (down, right) = self.weights, shift
        rows = slice(down, target.shape[2] - JITTER_PX + down)
        columns = slice(right, target.shape[3] - JITTER_PX + right)
        maps = weights.backbone_maps or None
        with torch.no_grad():
            wanted = backbone(target[:, :, rows, columns])[:maps]
        area = torch.ones_like(hole) if weights.over == "frame" else grow(hole, _MARGIN_PX)
        area = area[:, :, rows, columns]
        parts: dict[str, Tensor] = {}
        for image in shown:
            got = backbone(image[:, :, rows, columns])[:maps]
            if weights.perceptual:
                if weights.features == "unit":
                    own = feature_distance(got, wanted, area, each)
                else:
                    power = 1 if weights.features == "absolute" else 2
                    own = plain_feature_distance(got, wanted, area, each, power=power)
                parts["perceptual"] = parts.get("perceptual", torch.zeros_like(own)) + own
            if weights.style:
                distance = style_distance if weights.features == "unit" else plain_style_distance
                own = distance(got, wanted, area, each)
                parts["style"] = parts.get("style", torch.zeros_like(own)) + own
        return parts
