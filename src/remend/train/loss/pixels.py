"""Likeness of pixels: differences over parts of the frame, with what is uncertain weighed less.

Every loss is a mean within a picture and then over pictures. So a scratch counts as much as a hole over half
of the frame, and a batch split over devices needs no exchange of hole areas.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from remend.nets.push_pull import push_pull

__all__ = [
    "by_difficulty",
    "decibels",
    "discounted",
    "distillation_distance",
    "edge_distance",
    "grow",
    "l1",
    "l2",
    "over",
    "quarter_l1",
    "total_variation",
]

# What the base fill leaves in the holes of the shipped recipe, on average.
_TYPICAL_L1 = 0.08
_LESSON_SCALES = 4


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


def l1(
    output: Tensor, target: Tensor, area: Tensor, each: Tensor | None = None, *, whole: bool = False
) -> Tensor:
    """Mean absolute difference over ``area`` (N, 1, H, W, 0–1) of each picture, then over pictures.

    A picture without such an area counts as 0; ``each`` (N,) weighs pictures. ``whole``: the sum over the
    area is divided by the whole frame, as in many papers: small holes count little.
    """
    return over(area, (output - target).abs().mean(dim=1, keepdim=True), each, whole=whole)


def l2(
    output: Tensor, target: Tensor, area: Tensor, each: Tensor | None = None, *, whole: bool = False
) -> Tensor:
    """Mean squared difference over ``area`` (N, 1, H, W, 0–1), or ``whole``, as in ``l1``.

    Wide errors count above all, so what is uncertain is answered by its mean: more fog than with L1.

    Reference: Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016,
    doi:10.1109/CVPR.2016.278.
    """
    return over(area, (output - target).square().mean(dim=1, keepdim=True), each, whole=whole)


def decibels(output: Tensor, target: Tensor, hole: Tensor) -> Tensor:
    """The hole's PSNR with its sign turned, in dB, mean over pictures.

    Every decibel counts alike, gained on a flat sky or on gravel, under a scratch or in a wide hole. Below
    50 dB, that is; nothing is gained beyond.

    Args:
        output: (N, 3, H, W) in [0, 1].
        target: (N, 3, H, W).
        hole: (N, 1, H, W), 1 = fill.

    Reference: as a loss: Chen et al., "HINet: Half Instance Normalization Network for Image Restoration",
    CVPRW 2021.
    """
    squared = (output - target).square().mean(dim=1, keepdim=True) * hole
    mean = squared.sum(dim=(1, 2, 3)) / hole.sum(dim=(1, 2, 3)).clamp_min(1)
    return 10 * torch.log10(mean + 1e-5).mean()


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


def distillation_distance(
    filled: Tensor, teacher_fill: Tensor, hole: Tensor, *, whole: bool = False
) -> Tensor:
    """L1 between a fill and a teacher's in the hole, at 1, 1/2, 1/4 and 1/8 of the size; sum over scales.

    What is uncertain in a picture is certain in a teacher's answer: a small net learns to follow one that
    has chosen, instead of the middle of all.

    Args:
        filled: (N, 3, H, W), composed.
        teacher_fill: (N, 3, H, W), the teacher's, composed.
        hole: (N, 1, H, W), 1 = fill.
        whole: as in ``l1``.

    Reference: Sargsyan et al., "MI-GAN", ICCV 2023, doi:10.1109/ICCV51070.2023.00674; it compares what both
    nets add to the picture at each scale, and so needs a teacher of its own build.
    """
    total = torch.zeros((), device=hole.device)
    difference, area = filled - teacher_fill, hole
    for scale in range(_LESSON_SCALES):
        if scale:
            difference, area = F.avg_pool2d(difference, 2), F.avg_pool2d(area, 2)
        share = area.sum(dim=(1, 2, 3)).clamp_min(1 / 64)
        size = area[0].numel() if whole else share
        # Known pixels differ by nothing, so a cell's difference is that of its hole already.
        total = total + (difference.abs().mean(dim=1).sum(dim=(1, 2)) / size).mean()
    return total


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


def total_variation(output: Tensor, area: Tensor, *, whole: bool = False) -> Tensor:
    """Mean absolute difference of neighbours that both lie in ``area`` (N, 1, H, W): right and below.

    ``whole`` is as in ``l1``.

    It has no target: it smooths, and at more than a tenth of the weight of L1 it makes fog.

    Reference: Rudin et al., "Nonlinear total variation based noise removal algorithms", Physica D 60 (1992),
    doi:10.1016/0167-2789(92)90242-F; in this form Liu et al., "Image Inpainting for Irregular Holes Using
    Partial Convolutions", ECCV 2018, doi:10.1007/978-3-030-01252-6_6.
    """
    total = torch.zeros((), device=output.device)
    for axis in (2, 3):
        length = output.shape[axis] - 1
        difference = output.diff(dim=axis).abs().mean(dim=1, keepdim=True)
        both = area.narrow(axis, 0, length) * area.narrow(axis, 1, length)
        total = total + over(both, difference, whole=whole)
    return total


def edge_distance(output: Tensor, target: Tensor, area: Tensor) -> Tensor:
    """L1 of Sobel gradients, across and down, over ``area`` (N, 1, H, W); in units of value a px.

    Reference: Mathieu et al., "Deep multi-scale video prediction beyond mean square error", ICLR 2016,
    doi:10.48550/arXiv.1511.05440 (gradient difference loss), there on the sizes of plain differences.
    """
    return over(area, _sobel(output - target).abs().mean(dim=1, keepdim=True))


def grow(area: Tensor, radius_px: int) -> Tensor:
    """``area`` (N, 1, H, W) grown by a square of ``radius_px`` to each side."""
    span = 2 * radius_px + 1
    rows = F.max_pool2d(area, (span, 1), stride=1, padding=(radius_px, 0))
    return F.max_pool2d(rows, (1, span), stride=1, padding=(0, radius_px))


def over(area: Tensor, difference: Tensor, each: Tensor | None = None, *, whole: bool = False) -> Tensor:
    """Mean of ``difference`` (N, 1, H, W) over ``area`` of each picture, then over pictures."""
    size = area[0].numel() if whole else area.sum(dim=(1, 2, 3)).clamp_min(1)
    return _mean((difference * area).sum(dim=(1, 2, 3)) / size, each)


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
