"""What is minimised: the section ``[loss]`` of a recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

__all__ = ["Loss"]


@dataclass(frozen=True, slots=True)
class Loss:
    """Weights of the losses; 0 leaves one out.

    Attributes:
        hole: L1 in the hole.
        ring: L1 on the known pixels within ``ring_px`` of it, of the net's own prediction there.
        valid: L1 on the other known pixels.
        perceptual: distance of the backbone's features of the composed picture, in and near the hole.
        hole_l2, ring_l2, valid_l2: the mean squared difference on the same three areas.
        hole_quarter: L1 in the hole at 1/4 scale: colours and shapes, without saying where each hair lies.
        hole_db: minus the hole's PSNR in dB: every picture counts alike. Its unit is large: 0.006 is much.
        style: distance of the Gram matrices of the backbone's features. It is relative to the target's, so
            the weights of papers (120, 250) do not carry over: begin at 0.1.
        tv: total variation of the composed picture in the hole and a rim of 1 px; it smooths.
        edge: L1 of Sobel gradients of the composed picture in the hole and a rim of 1 px.
        discount: the weight of a pixel in ``hole`` and ``hole_l2`` falls by this factor with each step from
            the known ones; 1 = all alike, 0.99 is DeepFill's.
        stages: how much the L1 of a net's earlier stages counts beside that of its answer: hole, ring and
            valid at their own weights.
        relative: above 0, the losses in the hole are divided by the base fill's own L1 there plus this, so
            that scratches count as much as wide holes; 0 = plain means over pictures.
        distill: distance from the fill of a teacher, in the hole, at four scales.
        teacher: who teaches: a run's folder, its ``best.safetensors``, or any model file (``.onnx``).
        over: ``area``: pixel losses are means over their own area, so that a scratch counts as much as a wide
            hole. ``frame``: over the whole frame, as in papers; the backbone's losses then too.
        features: how ``perceptual`` and ``style`` compare: ``unit``, our own scale, the same for every
            backbone; ``absolute`` or ``squared``: plain features, for the weights of papers.
        perceptual_input: what the backbone is shown: the ``filled`` picture, the net's own ``raw`` answer, or
            ``both``.
        ring_px: width of the ring.
        backbone: file with the backbone's weights: Keras' for SqueezeNet, safetensors for any other.
        backbone_name: ``squeezenet``, or a name that timm knows: ``vgg16``, ``resnet18`` …; with ``dilated_``
            before it, one that keeps its features at 1/8 and so sees further: ``dilated_resnet50``.
        backbone_maps: of the backbone's maps of features, take this many, fine to coarse; 0 = all.
    """

    hole: float = 2.0
    ring: float = 0.1
    valid: float = 0.0
    perceptual: float = 0.7
    hole_l2: float = 0.0
    ring_l2: float = 0.0
    valid_l2: float = 0.0
    hole_quarter: float = 0.0
    hole_db: float = 0.0
    style: float = 0.0
    tv: float = 0.0
    edge: float = 0.0
    stages: float = 0.0
    distill: float = 0.0
    discount: float = 1.0
    relative: float = 0.0
    ring_px: int = 16
    over: str = "area"
    features: str = "unit"
    perceptual_input: str = "filled"
    backbone: str = ""
    backbone_name: str = "squeezenet"
    backbone_maps: int = 0
    teacher: str = ""

    def weights(self) -> dict[str, float]:
        """The losses that count, by name."""
        settings = {"discount", "relative", "ring_px", "backbone_maps"}
        names = (
            field.name
            for field in dataclasses.fields(self)
            if field.name not in settings and field.type != "str"
        )
        return {name: getattr(self, name) for name in names if getattr(self, name)}
