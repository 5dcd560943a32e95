"""What is minimised besides a critic: likeness of pixels, gradients, features and their statistics.

Every loss is a mean within a picture and then over pictures. So a scratch counts as much as a hole over half
of the frame, and a batch split over devices needs no exchange of hole areas.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.push_pull import push_pull
from remend.nets.trunks import load_trunk
from remend.train.config import Loss

__all__ = [
    "JITTER_PX",
    "Criterion",
    "by_difficulty",
    "discounted",
    "edge_distance",
    "feature_distance",
    "gram",
    "grow",
    "l1",
    "l2",
    "quarter_l1",
    "style_distance",
    "total_variation",
]

JITTER_PX = 16
"""The trunk sees crops shifted by up to this, so that its grid of strides is nowhere fixed."""

_MARGIN_PX = 8
_RIM_PX = 1
# What the base fill leaves in the holes of the shipped recipe, on average.
_TYPICAL_L1 = 0.08


class Criterion(nn.Module):
    """The losses of a recipe; those of weight 0 are not computed (but L1, for the log).

    Args:
        weights: from the recipe.
        trunk: judges likeness; needed where ``weights.perceptual`` or ``weights.style`` is above 0.
    """

    def __init__(self, weights: Loss, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.weights = weights
        self.trunk = trunk if weights.perceptual or weights.style else None

    @staticmethod
    def of(weights: Loss) -> Criterion:
        """Load the trunk that ``weights`` names.

        Raises:
            UsageError: a loss needs a trunk, but none is given; or the trunk is unknown.
            ModelError: the trunk's file cannot be used.
        """
        asked = {name: getattr(weights, name) for name in ("perceptual", "style") if getattr(weights, name)}
        if not asked:
            return Criterion(weights)
        if not weights.trunk:
            given = ", ".join(f"loss.{name}={value:g}" for name, value in asked.items())
            kind = "FILE.h5" if weights.trunk_name == "squeezenet" else "FILE.safetensors"
            without = " ".join(f"--set loss.{name}=0" for name in asked)
            raise UsageError(
                f"the perceptual loss ({given}) needs {weights.trunk_name}'s weights: "
                f"give --set loss.trunk={kind}, or leave it out with {without}"
            )
        return Criterion(weights, load_trunk(weights.trunk_name, weights.trunk))

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
        weights = self.weights
        ring = grow(hole, weights.ring_px) - hole
        inside = hole if weights.discount == 1 else discounted(hole, weights.discount)
        areas = {"hole": inside, "ring": ring, "valid": 1 - hole - ring}
        each = {"hole": by_difficulty(target, hole, weights.relative)} if weights.relative else {}
        parts = {name: l1(raw, target, area, each.get(name)) for name, area in areas.items()}
        parts |= {
            f"{name}_l2": l2(raw, target, area, each.get(name))
            for name, area in areas.items()
            if getattr(weights, f"{name}_l2")
        }
        if weights.hole_quarter:
            parts["hole_quarter"] = quarter_l1(filled, target, hole)
        if weights.tv:
            parts["tv"] = total_variation(filled, grow(hole, _RIM_PX))
        if weights.edge:
            parts["edge"] = edge_distance(filled, target, grow(hole, _RIM_PX))
        if self.trunk is not None:
            parts |= self._judged(self.trunk, filled, target, hole, shift, each.get("hole"))
        total = torch.zeros((), device=filled.device)
        for name, part in parts.items():
            total = total + getattr(weights, name) * part
        return {**parts, "total": total}

    def _judged(
        self,
        trunk: nn.Module,
        filled: Tensor,
        target: Tensor,
        hole: Tensor,
        shift: tuple[int, int],
        each: Tensor | None,
    ) -> dict[str, Tensor]:
        """The losses on the trunk's features, of a crop that is shifted."""
        down, right = shift
        rows = slice(down, filled.shape[2] - JITTER_PX + down)
        columns = slice(right, filled.shape[3] - JITTER_PX + right)
        with torch.no_grad():
            wanted = trunk(target[:, :, rows, columns])
        got = trunk(filled[:, :, rows, columns])
        near = grow(hole, _MARGIN_PX)[:, :, rows, columns]
        parts: dict[str, Tensor] = {}
        if self.weights.perceptual:
            parts["perceptual"] = feature_distance(got, wanted, near, each)
        if self.weights.style:
            parts["style"] = style_distance(got, wanted, near, each)
        return parts


def by_difficulty(target: Tensor, hole: Tensor, floor: float) -> Tensor:
    """Weights (N,) of pictures: the smaller, the further the base fill is from the target.

    A scratch leaves a fifth of the error of a hole over half of the frame, so in a plain mean the wide holes
    set the course, and what a net does to scratches is their noise: it can end up worse there than the base
    fill that it starts from. Divided by what the base fill leaves, all kinds of holes count alike.

    Args:
        target: (N, 3, H, W) in [0, 1]; its known pixels are the picture's.
        hole: (N, 1, H, W).
        floor: added to the base fill's L1: it keeps holes that are filled right already from ruling.

    Returns:
        1 for the mean of our holes (L1 of 0.08), about 2.3 for scratches, 0.6 for wide holes.
    """
    with torch.no_grad():
        base = push_pull((target * (1 - hole)).float(), hole.float())
        off = (base - target).abs().mean(dim=1, keepdim=True) * hole
        return _TYPICAL_L1 / (off.sum(dim=(1, 2, 3)) / hole.sum(dim=(1, 2, 3)).clamp_min(1) + floor)


def l1(output: Tensor, target: Tensor, area: Tensor, each: Tensor | None = None) -> Tensor:
    """Mean absolute difference over ``area`` (N, 1, H, W, 0–1) of each picture, then over pictures.

    A picture without such an area counts as 0; ``each`` (N,) weighs pictures.
    """
    return _over(area, (output - target).abs().mean(dim=1, keepdim=True), each)


def l2(output: Tensor, target: Tensor, area: Tensor, each: Tensor | None = None) -> Tensor:
    """Mean squared difference over ``area`` (N, 1, H, W, 0–1) of each picture, then over pictures.

    Wide errors count above all, so what is uncertain is answered by its mean: more fog than with L1.

    Reference: Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016,
    doi:10.1109/CVPR.2016.278.
    """
    return _over(area, (output - target).square().mean(dim=1, keepdim=True), each)


def quarter_l1(filled: Tensor, target: Tensor, hole: Tensor) -> Tensor:
    """L1 of means over cells of 4 × 4 px, over the hole's cells as far as they are hole.

    It holds colours and shapes and leaves texture to a critic: of what is finer than a cell it says nothing.
    A constant error costs what it costs in ``l1``.

    Args:
        filled: (N, 3, H, W), composed: known pixels add nothing to a cell's difference.
        target: (N, 3, H, W).
        hole: (N, 1, H, W).

    Reference: reconstruction at reduced scale beside an adversarial loss at full scale: Liu et al.,
    "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018 (multi-scale features); the
    form here is our own.
    """
    difference = F.avg_pool2d(filled - target, 4).abs().mean(dim=1, keepdim=True).sum(dim=(1, 2, 3))
    cells = F.avg_pool2d(hole, 4).sum(dim=(1, 2, 3))
    return (difference / cells.clamp_min(1 / 16)).mean()


def discounted(hole: Tensor, factor: float) -> Tensor:
    """The hole with weights ``factor ** (d - 1)``, d being the steps along rows and columns to a known pixel.

    Deep in a hole many answers are right, and the middle of them is fog: weigh it less.

    Reference: Yu et al., "Generative Image Inpainting with Contextual Attention", CVPR 2018,
    doi:10.1109/CVPR.2018.00577 (factor 0.99).
    """
    height, width = hole.shape[2:]
    beyond = 2 * (height + width)
    steps = hole * beyond
    for axis in (2, 3):
        place = torch.arange(hole.shape[axis], device=hole.device, dtype=hole.dtype)
        place = place.view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
        before = torch.cummin(steps - place, dim=axis)[0] + place
        after = torch.cummin((steps + place).flip(axis), dim=axis)[0].flip(axis) - place
        steps = torch.minimum(before, after)
    # A hole over the whole frame has no depth.
    steps = torch.where(steps < beyond, steps, torch.ones_like(steps))
    return hole * torch.pow(factor, steps - 1)


def total_variation(output: Tensor, area: Tensor) -> Tensor:
    """Mean absolute difference of neighbours that both lie in ``area`` (N, 1, H, W): right and below.

    It has no target: it smooths, and at more than a tenth of the weight of L1 it makes fog.

    Reference: Rudin et al., "Nonlinear total variation based noise removal algorithms", Physica D 60 (1992),
    doi:10.1016/0167-2789(92)90242-F; in this form Liu et al., "Image Inpainting for Irregular Holes Using
    Partial Convolutions", ECCV 2018, doi:10.1007/978-3-030-01252-6_6.
    """
    total = torch.zeros((), device=output.device)
    for axis in (2, 3):
        length = output.shape[axis] - 1
        difference = output.diff(dim=axis).abs().mean(dim=1, keepdim=True)
        total = total + _over(area.narrow(axis, 0, length) * area.narrow(axis, 1, length), difference)
    return total


def edge_distance(output: Tensor, target: Tensor, area: Tensor) -> Tensor:
    """L1 of Sobel gradients, across and down, over ``area`` (N, 1, H, W); in units of value a px.

    Reference: Mathieu et al., "Deep multi-scale video prediction beyond mean square error", ICLR 2016,
    doi:10.48550/arXiv.1511.05440 (gradient difference loss), there on the sizes of plain differences.
    """
    return _over(area, _sobel(output - target).abs().mean(dim=1, keepdim=True))


def feature_distance(
    got: list[Tensor], wanted: list[Tensor], area: Tensor, each: Tensor | None = None
) -> Tensor:
    """Distance of feature maps, each position made a unit vector, averaged over ``area``; mean over maps.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    CVPR 2018, doi:10.1109/CVPR.2018.00068, without its learned weights.
    """
    total = torch.zeros((), device=area.device)
    for a, b in zip(got, wanted, strict=True):
        difference = (_unit(a.float()) - _unit(b.float())).square().sum(dim=1, keepdim=True)
        weight = F.interpolate(area, size=a.shape[2:], mode="area")
        own = (difference * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp_min(1e-3)
        total = total + _mean(own, each)
    return total / len(got)


def style_distance(
    got: list[Tensor], wanted: list[Tensor], area: Tensor, each: Tensor | None = None
) -> Tensor:
    """L1 of Gram matrices over ``area``, as a share of the wanted one's L1; mean over maps.

    The Gram matrix says which features go together, not where: texture. Papers divide by channels and
    positions, so that their weights (PConv 120, AOT-GAN and EdgeConnect 250) belong to one trunk, one input
    range and one size of picture, and make NaN or repeated patterns elsewhere. Here the distance is 1 for a
    fill without any of the wanted texture, whatever the trunk: begin at a weight of 0.1.

    Reference: Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
    doi:10.1109/CVPR.2016.265; for holes: Liu et al., ECCV 2018, doi:10.1007/978-3-030-01252-6_6.
    """
    total = torch.zeros((), device=area.device)
    # Products of features reach beyond what half precision holds.
    with torch.autocast(area.device.type, enabled=False):
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


def grow(area: Tensor, radius_px: int) -> Tensor:
    """``area`` (N, 1, H, W) grown by a square of ``radius_px`` to each side."""
    span = 2 * radius_px + 1
    rows = F.max_pool2d(area, (span, 1), stride=1, padding=(radius_px, 0))
    return F.max_pool2d(rows, (1, span), stride=1, padding=(0, radius_px))


def _over(area: Tensor, difference: Tensor, each: Tensor | None = None) -> Tensor:
    """Mean of ``difference`` (N, 1, H, W) over ``area`` of each picture, then over pictures."""
    return _mean((difference * area).sum(dim=(1, 2, 3)) / area.sum(dim=(1, 2, 3)).clamp_min(1), each)


def _mean(values: Tensor, each: Tensor | None) -> Tensor:
    return values.mean() if each is None else (each * values).mean()


def _sobel(image: Tensor) -> Tensor:
    """Gradients (N, 2C, H, W) of (N, C, H, W): across for each channel, then down; edges repeated."""
    count, channels, height, width = image.shape
    across = image.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    kernel = torch.stack([across, across.T]).unsqueeze(1)
    padded = F.pad(image.reshape(count * channels, 1, height, width), (1, 1, 1, 1), mode="replicate")
    gradients = F.conv2d(padded, kernel).reshape(count, channels, 2, height, width)
    return gradients.transpose(1, 2).reshape(count, 2 * channels, height, width)


def _unit(features: Tensor) -> Tensor:
    # The root's gradient is infinite at 0, where ReLU puts many a position.
    return features * torch.rsqrt(features.square().sum(dim=1, keepdim=True) + 1e-6)
