"""The nets by name. Reading this imports no torch; building a net does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from remend.errors import UsageError

if TYPE_CHECKING:
    from remend.nets.inpainter import Inpainter

__all__ = ["NETS", "Figures", "Net", "build", "figures"]


@dataclass(frozen=True, slots=True)
class Net:
    """A net that can be trained.

    Attributes:
        summary: one line of what it is.
        reference: paper, venue, year.
        doi: of the paper; None = our own.
        differs: what differs from the paper.
        module: where its body lives.
        body: the body's class there.
    """

    summary: str
    reference: str
    doi: str | None
    differs: str
    module: str
    body: str


NETS: dict[str, Net] = {
    "remend": Net(
        summary="dense residual net without normalisation, context at 1/16, attention that copies",
        reference="our own; see the module for the papers it draws on",
        doi=None,
        differs="–",
        module="remend.nets.remend",
        body="RemendNet",
    ),
    "unet": Net(
        summary="the U-Net, the hole as one of its inputs",
        reference="Ronneberger, Fischer, Brox, U-Net: Convolutional Networks for Biomedical Image "
        "Segmentation, MICCAI 2015",
        doi="10.1007/978-3-319-24574-4_28",
        differs="padded convolutions; up by resizing and convolution; predicts what to add to the base fill",
        module="remend.nets.unet",
        body="Unet",
    ),
    "context_encoder": Net(
        summary="encoder, a bottleneck that tells every cell of every other, decoder; learned with a critic",
        reference="Pathak, Krähenbühl, Donahue, Darrell, Efros, Context Encoders: Feature Learning by "
        "Inpainting, CVPR 2016",
        doi="10.1109/CVPR.2016.278",
        differs="the channel-wise fully connected layer has one weight a displacement, so that the size is "
        "free; grid at 1/16; up by resizing and convolution; holes of any shape",
        module="remend.nets.context_encoder",
        body="ContextEncoder",
    ),
    "transfer_unet": Net(
        summary="U-Net whose encoder ImageNet has taught: any backbone of timm, or SqueezeNet",
        reference="after Iglovikov, Shvets, TernausNet: U-Net with VGG11 Encoder Pre-Trained on ImageNet "
        "for Image Segmentation, 2018",
        doi="10.48550/arXiv.1801.05746",
        differs="encoder by choice, resnet18 unless told; sees the base fill, the hole by a stem of its own; "
        "head by sub-pixels; predicts what to add to the base fill",
        module="remend.nets.transfer_unet",
        body="TransferUnet",
    ),
}
"""Every net, by its name on the command line."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a net costs.

    Attributes:
        parameters: how many numbers are learned.
        gmac_256: 10⁹ multiply-adds for one picture of 256².
        gmac_512: the same at 512².
    """

    parameters: int
    gmac_256: float
    gmac_512: float


def build(name: str, options: Mapping[str, Any] | None = None) -> Inpainter:
    """Make a net with fresh weights, drawn from torch's global generator.

    Args:
        name: one of ``NETS``.
        options: the body's keyword arguments.

    Raises:
        UsageError: an unknown name, options that the net does not take, or torch is missing.
    """
    if name not in NETS:
        raise UsageError(f"no net is called {name!r}: choose one of {', '.join(NETS)}")
    try:
        from remend.nets.inpainter import Inpainter
    except ModuleNotFoundError as error:
        raise UsageError(
            f"nets need PyTorch, which is not installed ({error.name}): pip install 'remend[train]'"
        ) from error
    body = getattr(import_module(NETS[name].module), NETS[name].body)
    try:
        return Inpainter(body(**(options or {})))
    except (TypeError, ValueError) as error:
        raise UsageError(f"the net {name} does not take these options: {error}") from error


def figures(net: Inpainter) -> Figures:
    """Count parameters and multiply-adds; nothing is computed, sizes alone are followed.

    Convolutions and matrix products count; pooling, resizing and activations do not.
    """
    import copy

    import torch
    from torch.utils.flop_counter import FlopCounterMode

    shadow = copy.deepcopy(net).to("meta")

    def gmac(side: int) -> float:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            shadow(torch.empty(1, 3, side, side, device="meta"), torch.empty(1, 1, side, side, device="meta"))
        return int(counter.get_total_flops()) / 2e9

    return Figures(sum(p.numel() for p in net.parameters()), gmac(256), gmac(512))
