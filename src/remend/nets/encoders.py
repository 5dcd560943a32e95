"""Encoders whose weights were learned elsewhere: any backbone of ``timm``, and our own SqueezeNet.

Each takes an RGB picture through the normalisation that its weights expect, and answers features at falling
scale. The stem takes the hole besides: a convolution that lies outside of the encoder, starts at zero and is
added to the stem's own, so that what was learned elsewhere is at first undisturbed, and the hole reaches the
encoder while that is frozen.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from remend.errors import ModelError, RemendError, UsageError
from remend.nets.blocks import start_at_zero
from remend.nets.squeezenet import TAPS, SqueezeNet
from remend.nets.torchvision_schema import mend_torchvision

__all__ = ["PRETRAINED", "SqueezeEncoder", "TimmEncoder", "build_encoder", "widen_stem"]

PRETRAINED = "pretrained"
"""Instead of a file: timm's own weights, downloaded by timm."""

_PATIENCE_S = 5.0

_SPREAD = 58.0  # standard deviation of ImageNet's pixels, of 255


class SqueezeEncoder(SqueezeNet):
    """SqueezeNet v1.1 as an encoder: features at 1/2, 1/4, 1/8 and 1/16.

    The stem and the poolings are padded here, so that sizes are exact halves. The net is computed on pixels
    divided by their spread, biases divided alike: since ReLU and pooling commute with a factor, the answers
    are those of the original divided by it, and weights learned from scratch start in the usual range.
    """

    channels = (64, 128, 256, 512)
    reductions = (2, 4, 8, 16)

    def __init__(self) -> None:
        super().__init__()
        self.conv1.padding = (1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def normalise(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 1] to what the weights were learned on, at unit spread."""
        return (image.flip(1) * 255 - self.means) / _SPREAD

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of a normalised picture, fine to coarse."""
        features = self.features(x, padding=1)
        return [features[TAPS.index(tap)] for tap in ("conv1", "fire3", "fire5", "fire9")]

    def load_weights(self, source: str) -> None:
        """Take the Keras weights (``…_tf_kernels_notop.h5``).

        Raises:
            ModelError: not that file.
            UsageError: a download is asked for.
        """
        if source == PRETRAINED:
            raise UsageError(
                "the squeezenet encoder takes its weights from a file: --set transfer.weights=FILE.h5"
            )
        tensors = SqueezeNet.load(Path(source).expanduser()).state_dict()
        for name in tensors:
            if name.endswith("bias"):
                tensors[name] = tensors[name] / _SPREAD
        _copy(tensors, self)

    def layer_groups(self) -> list[list[nn.Parameter]]:
        """Parameters, stem first: up to each scale's last layer."""
        stages = (("conv1",), ("fire2", "fire3"), ("fire4", "fire5"), ("fire6", "fire7"), ("fire8", "fire9"))
        return [[p for name in stage for p in getattr(self, name).parameters()] for stage in stages]


class TimmEncoder(nn.Module):
    """A convolutional backbone of ``timm`` as an encoder.

    Args:
        name: timm's name of it.
        stride: coarsest scale of the features; further layers are dilated. 0 = as the backbone comes.

    Raises:
        UsageError: timm is not installed, or has no such backbone with features at falling scale.

    Reference: Wightman, "PyTorch Image Models", 2019.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, stride: int = 0) -> None:
        super().__init__()
        self.name = name
        self.options = {"output_stride": stride} if stride else {}
        self.net = _create(name, **self.options)
        info = self.net.feature_info
        self.channels = tuple(info.channels())
        self.reductions = tuple(info.reduction())
        if (not stride and len(set(self.reductions)) < len(self.reductions)) or len(self.reductions) < 2:
            raise UsageError(
                f"timm's {name} has features at 1/{', 1/'.join(map(str, self.reductions))}: a U-Net needs an "
                "encoder of falling scale (resnet18, vgg16, mobilenetv3_large_100, convnext_tiny …)"
            )
        config = getattr(self.net, "pretrained_cfg", None) or self.net.default_cfg
        for key in ("mean", "std"):
            self.register_buffer(key, torch.tensor(config[key]).view(1, 3, 1, 1), persistent=False)

    def normalise(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 1] to what the weights were learned on."""
        return (image - self.mean) / self.std

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of a normalised picture, fine to coarse."""
        features: list[Tensor] = self.net(x)
        return features

    def load_weights(self, source: str) -> None:
        """Take weights from a safetensors file as timm's models on the Hugging Face hub have it, or download.

        Args:
            source: the file; or ``pretrained``: timm downloads its own.

        Raises:
            UsageError: a file that is no safetensors.
            ModelError: it cannot be read, is of another backbone, or the download fails.
        """
        if source == PRETRAINED:
            overlay = None
        elif source.endswith(".safetensors"):
            overlay = {"file": str(Path(source).expanduser())}
        else:
            raise UsageError(
                f"weights of a timm encoder come as .safetensors, got {Path(source).name}: take "
                f"model.safetensors from huggingface.co/timm, or give {PRETRAINED!r} and timm downloads it"
            )
        try:
            if overlay is not None:
                _require_all(self.name, overlay["file"])
            with _no_retries_offline() if overlay is None else nullcontext():
                loaded = _create(self.name, pretrained=True, pretrained_cfg_overlay=overlay, **self.options)
        except RemendError:
            raise
        except Exception as error:  # timm, safetensors, the hub's client: each has its own
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise ModelError(
                f"the weights of {self.name} cannot be had from {source} ({reason}): "
                "give the file of this very backbone"
            ) from error
        _copy(loaded.state_dict(), self.net)

    def layer_groups(self) -> list[list[nn.Parameter]]:
        """Parameters, stem first, a group for each block with kernels; norms go with what they follow."""
        blocks: list[nn.Module] = []
        for child in self.net.children():
            inner = list(child.children()) if isinstance(child, nn.Sequential | nn.ModuleList) else []
            blocks += inner if len(inner) > 1 else [child]
        groups: list[list[nn.Parameter]] = []
        for block in blocks:
            parameters = list(block.parameters())
            if groups and not any(p.ndim > 1 for p in parameters):
                groups[-1] += parameters
            else:
                groups.append(parameters)
        return groups


class _WideStem(nn.Module):
    """A stem's convolution, and beside it another for further planes."""

    def __init__(self, own: nn.Conv2d, further: nn.Conv2d) -> None:
        super().__init__()
        self.own = own
        # In a tuple, so that it stays no part of the encoder: what freezes that leaves it alone.
        self._further = (further,)

    def forward(self, x: Tensor) -> Tensor:
        own: Tensor = self.own(x[:, :3])
        return own + self._further[0](x[:, 3:])


def build_encoder(name: str) -> SqueezeEncoder | TimmEncoder:
    """An encoder with fresh weights: ``squeezenet``, or a name of timm's.

    Raises:
        UsageError: no such encoder.
    """
    return SqueezeEncoder() if name == "squeezenet" else TimmEncoder(name)


def widen_stem(encoder: nn.Module, planes: int) -> nn.Conv2d:
    """Let the encoder's first convolution take ``planes`` more after its three; returns what they go through.

    The returned convolution starts at zero and must be kept by the caller.
    """
    convolutions = ((path, m) for path, m in encoder.named_modules() if isinstance(m, nn.Conv2d))
    path, module = next(convolutions)
    # type(): timm has convolutions of its own with another rule of padding.
    further = type(module)(
        planes, module.out_channels, module.kernel_size, module.stride, module.padding, bias=False
    )
    start_at_zero(further)
    parent, _, leaf = path.rpartition(".")
    setattr(encoder.get_submodule(parent), leaf, _WideStem(module, further))
    return further


@contextmanager
def _no_retries_offline() -> Iterator[None]:
    """Where the hub cannot be reached, what was downloaded before is taken or nothing, at once: its client
    would try for a minute. Through a proxy it is not asked beforehand."""
    try:
        from huggingface_hub import constants
    except ModuleNotFoundError:  # timm says what it misses
        yield
        return
    before, hub = constants.HF_HUB_OFFLINE, urlsplit(constants.ENDPOINT)
    constants.HF_HUB_OFFLINE = before or not (getproxies() or _reachable(hub.hostname or "", hub.port or 443))
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _reachable(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_PATIENCE_S).close()
    except OSError:
        return False
    return True


def _create(name: str, **options: Any) -> Any:
    mend_torchvision()
    try:
        import timm
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the encoder {name!r} comes from timm, which is not installed: pip install timm, "
            "or take encoder = squeezenet"
        ) from error
    if not timm.is_model(name.partition(".")[0]):
        raise UsageError(f"timm has no backbone {name!r}: see timm.list_models(), or take squeezenet")
    if options.get("pretrained"):
        return timm.create_model(name, features_only=True, **options)
    try:
        return timm.create_model(name, features_only=True, pretrained=False, **options)
    except (RuntimeError, AttributeError, TypeError, AssertionError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UsageError(f"timm's {name} gives no features by scale ({reason}): choose another") from error


def _require_all(name: str, file: str) -> None:
    """Refuse a file without some of the backbone's tensors: timm would leave those at random."""
    import timm
    from safetensors import safe_open

    model = timm.create_model(name, pretrained=False)
    classifier = model.pretrained_cfg.get("classifier") or ()
    heads = tuple(f"{head}." for head in ((classifier,) if isinstance(classifier, str) else classifier))
    with safe_open(file, framework="pt") as tensors:
        held = set(tensors.keys())
    missing = [
        key
        for key in model.state_dict()
        if key not in held and not key.startswith(heads) and not key.endswith("num_batches_tracked")
    ]
    if missing:
        raise ModelError(
            f"{Path(file).name} lacks {len(missing)} tensors of {name}, first {missing[0]}: "
            "give the file of this very backbone"
        )


def _copy(tensors: dict[str, Tensor], module: nn.Module) -> None:
    # By now the stem may be wide.
    own = module.state_dict()
    with torch.no_grad():
        for name, target in own.items():
            target.copy_(tensors[name.replace(".own.", ".")])
