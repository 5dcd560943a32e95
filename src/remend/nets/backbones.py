"""Backbones: nets learned elsewhere, frozen, whose features judge likeness and style.

Say which one when you quote a number: distances of two backbones cannot be compared.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from remend.nets.encoders import TimmEncoder
from remend.nets.squeezenet import SqueezeNet

__all__ = ["TimmBackbone", "load_backbone"]

_DILATED = "dilated_"


class TimmBackbone(nn.Module):
    """A net of timm as a backbone: its features by scale, of a picture in [0, 1].

    Args:
        encoder: with its weights loaded.
    """

    def __init__(self, encoder: TimmEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features (N, C, h, w), fine to coarse, of (N, 3, H, W) RGB in [0, 1]."""
        return self.encoder(self.encoder.normalise(image))


def load_backbone(name: str, weights: str) -> nn.Module:
    """A backbone with its weights, frozen, in evaluation mode.

    Args:
        name: ``squeezenet`` (v1.1), or a backbone of timm: ``vgg16`` is the backbone of most papers,
            ``resnet18`` costs least. ``dilated_`` before it: its later layers are dilated instead of
            strided, as far as timm can, so that features stay at 1/8 and each sees far. LaMa's is a
            dilated ResNet-50 that ADE20K taught to segment; ``dilated_resnet50`` has the weights of ImageNet,
            which the paper finds to be worse, but better than a VGG.
        weights: a file: Keras' ``…_notop.h5`` for SqueezeNet, timm's ``model.safetensors`` for others.

    Returns:
        ``backbone(image (N, 3, H, W) in [0, 1]) -> [features (N, C, h, w)]``, fine to coarse.

    Raises:
        UsageError: timm is not installed or does not know the name; or the file is of another kind.
        ModelError: the file cannot be read or is of another net.

    Reference: SqueezeNet: Iandola et al., 2016, doi:10.48550/arXiv.1602.07360; VGG: Simonyan and Zisserman,
    ICLR 2015, doi:10.48550/arXiv.1409.1556; ResNet: He et al., CVPR 2016, doi:10.1109/CVPR.2016.90.
    """
    if name == "squeezenet":
        return SqueezeNet.load(Path(weights).expanduser())
    plain = name.removeprefix(_DILATED)
    encoder = TimmEncoder(plain, stride=8 if plain != name else 0)
    encoder.load_weights(weights)
    return TimmBackbone(encoder).eval().requires_grad_(False)
