"""The nets by name. Reading this imports no torch; building a net does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from remend.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from remend.nets.inpainter import Inpainter

__all__ = ["NETS", "Figures", "Net", "build", "figures", "register_net"]


@dataclass(frozen=True, slots=True)
class Net:
    """A net that can be trained.

    Attributes:
        summary: one line of what it is.
        reference: paper, venue, year.
        module: where its body lives.
        body: the body's class there.
        doi: of the paper; None = our own.
        differs: what differs from the paper.
    """

    summary: str
    reference: str
    module: str
    body: str
    doi: str | None = None
    differs: str = "–"


NETS: dict[str, Net] = {
    "remend": Net(
        summary="dense residual net in units of contrast, context at 1/16, attention that copies",
        reference="our own; see the module for the papers it draws on",
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
    "partial_conv": Net(
        summary="a U-Net of partial convolutions: only known pixels are read, layer by layer",
        reference="Liu, Reda, Shih, Wang, Tao, Catanzaro, Image Inpainting for Irregular Holes Using Partial "
        "Convolutions, ECCV 2018",
        doi="10.1007/978-3-030-01252-6_6",
        differs="any size: odd sides are rounded up on the way down; one plane of mask for all channels that "
        "share it",
        module="remend.nets.partial_conv",
        body="PartialConvNet",
    ),
    "lama": Net(
        summary="residual net at 1/8 that sees the whole frame by Fourier convolution; for wide holes",
        reference="Suvorov, Logacheva, Mashikhin, Remizova, Ashukha, Silvestrov, Kong, Goka, Park, "
        "Lempitsky, Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV 2022",
        doi="10.1109/WACV51458.2022.00323",
        differs="the transform is a matrix product, so that it exports; known pixels enter centred",
        module="remend.nets.lama",
        body="Lama",
    ),
    "aot_gan": Net(
        summary="blocks that look at four distances at once, gated a pixel; learned with a soft-mask critic",
        reference="Zeng, Fu, Chao, Guo, Aggregated Contextual Transformations for High-Resolution Image "
        "Inpainting, IEEE TVCG 2023 (first 2021)",
        doi="10.1109/TVCG.2022.3156949",
        differs="edges are repeated, not mirrored, so that small windows can be filled",
        module="remend.nets.aot_gan",
        body="AotGan",
    ),
    "migan": Net(
        summary="small generator for phones, depthwise; learned with many kernels that fold into one, from a "
        "teacher",
        reference="Sargsyan, Navasardyan, Xu, Shi, MI-GAN: A Simple Baseline for Image Inpainting on Mobile "
        "Devices, ICCV 2023",
        doi="10.1109/ICCV51070.2023.00674",
        differs="no noise; upscaling repeats edge pixels; free sizes; the teacher is any net or model file",
        module="remend.nets.migan",
        body="Migan",
    ),
    "deepfill_v1": Net(
        summary="a coarse net, then one that copies from what looks alike; learned with Wasserstein critics",
        reference="Yu, Lin, Yang, Shen, Lu, Huang, Generative Image Inpainting with Contextual Attention, "
        "CVPR 2018",
        doi="10.1109/CVPR.2018.00577",
        differs="what is partly unknown is never copied; propagation ends with rows and columns; holes of "
        "any shape",
        module="remend.nets.deepfill_v1",
        body="DeepFillV1",
    ),
    "deepfill_v2": Net(
        summary="the same in gated convolutions, with SN-PatchGAN; options.guide lets it follow drawn lines",
        reference="Yu, Lin, Yang, Shen, Lu, Huang, Free-Form Image Inpainting with Gated Convolution, "
        "ICCV 2019",
        doi="10.1109/ICCV.2019.00457",
        differs="as deepfill_v1; lines are of an edge detector, not of HED",
        module="remend.nets.deepfill_v2",
        body="DeepFillV2",
    ),
    "edge_connect": Net(
        summary="edges first, then the picture along them, or along drawn lines; learned in two runs",
        reference="Nazeri, Ng, Joseph, Qureshi, Ebrahimi, EdgeConnect: Structure Guided Image Inpainting "
        "using Edge Prediction, ICCV Workshops 2019",
        doi="10.1109/ICCVW.2019.00408",
        differs="a detector of edges without jumps, inside the graph; the critic of edges does not see the "
        "grey picture",
        module="remend.nets.edge_connect",
        body="EdgeConnect",
    ),
    "comod_gan": Net(
        summary="StyleGAN2 told by picture and chance together: several answers for one hole, by seed",
        reference="Zhao, Cui, Sheng, Dong, Liang, Chang, Xu, Large Scale Image Completion via Co-Modulated "
        "Generative Adversarial Networks, ICLR 2021",
        doi="10.48550/arXiv.2103.10428",
        differs="free sizes: the picture's code is a mean over the coarsest grid; no noise on single pixels; "
        "no mixing of styles; its critic compares no pictures of a batch",
        module="remend.nets.comod_gan",
        body="CoModGan",
    ),
    "autoencoder": Net(
        summary="encoder of strides, decoder of transposed convolutions, as courses teach it; worn pictures",
        reference="after Vincent, Larochelle, Bengio, Manzagol, Extracting and Composing Robust Features "
        "with Denoising Autoencoders, ICML 2008",
        doi="10.1145/1390156.1390294",
        differs="convolutions with batch norm, where the paper has dense layers, one learned after the other",
        module="remend.nets.autoencoder",
        body="Autoencoder",
    ),
    "gan-cifar": Net(
        summary="four convolutions and a tanh, against a critic: where courses on GANs begin; 64², worn",
        reference="no paper: the shape of tutorials",
        doi=None,
        differs="–",
        module="remend.nets.plain_conv",
        body="PlainConv",
    ),
}
"""Every net, by its name on the command line."""
_BODIES: dict[str, type[nn.Module]] = {}  # of nets that were registered
Body = TypeVar("Body", bound="type[nn.Module]")


def register_net(
    name: str, *, summary: str, reference: str, doi: str | None = None, differs: str = "–"
) -> Callable[[Body], Body]:
    """Let a net be called by its name: a decorator for its body's class (`remend.nets.inpainter` says what
    that is). A name holds in the process that registered it; the nets of the package have rows in ``NETS``.

    Args:
        name: the word on the command line, lower case with underscores.
        summary, reference, doi, differs: as of `Net`.

    Raises:
        UsageError: the name is taken.
    """
    if name in NETS:
        raise UsageError(f"no net can be registered as {name!r}: the name is taken, choose another")

    def entered(body: Body) -> Body:
        NETS[name] = Net(summary, reference, body.__module__, body.__qualname__, doi, differs)
        _BODIES[name] = body
        return body

    return entered


@dataclass(frozen=True, slots=True)
class Figures:
    """What a net costs.

    Attributes:
        parameters: how many numbers are served; nets that fold learn more.
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
        options: the body's keyword arguments, and ``from_base`` and ``sees_hole`` of ``Inpainter``.

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
    body = _BODIES.get(name) or getattr(import_module(NETS[name].module), NETS[name].body)
    try:
        own = dict(options or {})
        outside = {key: bool(own.pop(key, False)) for key in ("from_base", "sees_hole")}
        return Inpainter(body(**own), **outside)
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        raise UsageError(f"the net {name} does not take these options: {error}") from error


def figures(net: Inpainter) -> Figures:
    """Count parameters and multiply-adds; nothing is computed, sizes alone are followed.

    All is of the net as it is served (``Inpainter.folded``). Convolutions and matrix products count; pooling,
    resizing and activations do not.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    shadow = net.folded().to("meta")

    def gmac(side: int) -> float:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            shadow(torch.empty(1, 3, side, side, device="meta"), torch.empty(1, 1, side, side, device="meta"))
        return int(counter.get_total_flops()) / 2e9

    return Figures(sum(p.numel() for p in shadow.parameters()), gmac(256), gmac(512))
