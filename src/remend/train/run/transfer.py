"""Starting from what another net has learned: weights, a frozen encoder, rates by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from remend.errors import ModelError, UsageError
from remend.nets.inpainter import Inpainter
from remend.nets.weights.portable import load_exported, load_portable
from remend.train.config import Recipe
from remend.train.run import checkpoint

__all__ = ["parameter_groups", "read_weights", "set_frozen", "start_from"]

_NAMED = 3  # tensors that a line names before it only counts them


def parameter_groups(net: Inpainter, recipe: Recipe) -> list[dict[str, Any]]:
    """The net's parameters for the optimiser, each group with its ``factor`` on the learning rate.

    Kernels decay, biases and gains do not. A body with an encoder gives its parameters as
    ``layer_groups()``, stem first; the k-th of n groups learns at ``encoder_lr · layer_decay ** (n - k)``,
    all else at 1.

    Raises:
        UsageError: rates by layer, or a frozen encoder, for a body that has none.

    Reference: Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018
    (rates by layer, gradual thaw).
    """
    transfer = recipe.transfer
    factors: dict[nn.Parameter, float] = {}
    if transfer.encoder_lr != 1 or transfer.layer_decay != 1 or transfer.freeze_until:
        if not hasattr(net.body, "layer_groups"):
            raise UsageError(
                f"the net {recipe.net} has no encoder: transfer.encoder_lr, layer_decay and freeze_until "
                "are for nets like transfer_unet"
            )
        layers = net.body.layer_groups()
        for number, layer in enumerate(layers):
            factor = transfer.encoder_lr * transfer.layer_decay ** (len(layers) - number)
            factors |= dict.fromkeys(layer, factor)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for parameter in net.parameters():
        key = (factors.get(parameter, 1.0), parameter.ndim > 1)
        groups.setdefault(key, []).append(parameter)
    decay = recipe.train.weight_decay
    return [
        {"params": parameters, "factor": factor, "weight_decay": decay if kernel else 0.0}
        for (factor, kernel), parameters in groups.items()
    ]


def set_frozen(net: Inpainter, frozen: bool) -> None:
    """Freeze or thaw the encoder: its weights, and the statistics of its norms.

    Raises:
        UsageError: the net has no encoder.
    """
    encoder = getattr(net.body, "encoder", None)
    if encoder is None:
        raise UsageError("transfer.freeze_until is for nets with an encoder, like transfer_unet")
    if frozen != (not any(p.requires_grad for p in encoder.parameters())):
        encoder.requires_grad_(not frozen)
        net.train()
        if frozen:
            encoder.eval()
            for parameter in encoder.parameters():
                parameter.grad = None


def start_from(net: Inpainter, source: str, say: Callable[[str], None]) -> None:
    """Give a fresh net what fits of another's weights.

    Args:
        net: to be changed.
        source: a run's folder, a checkpoint's, ``best.safetensors`` or an exported ``.onnx``: what fits by
            name and shape is taken. For a body with ``load_encoder`` also what that takes.
        say: told what was taken.

    Raises:
        ModelError: nothing there, or nothing fits.
    """
    try:
        path = Path(source).expanduser()
        tensors, state = load_exported(path) if path.suffix == ".onnx" else read_weights(path)
    except ModelError:
        if not hasattr(net.body, "load_encoder"):
            raise
        net.body.load_encoder(source)
        say(f"the encoder starts from {Path(source).name}")
        return
    own = net.state_dict()
    fitting = {n: t for n, t in tensors.items() if n in own and own[n].shape == t.shape}
    if not fitting:
        raise ModelError(
            f"nothing in {source} fits this net: it is of {state.get('net', 'another net')} with other names "
            "or widths; give the same net and options"
        )
    with torch.no_grad():
        for name, tensor in fitting.items():
            own[name].copy_(tensor)
    say(
        f"starts from {source} ({state.get('net', 'a net')}, {int(state.get('samples_seen', 0)):,} samples): "
        f"{len(fitting)} of {len(own)} tensors"
        + _list("; fresh", [n for n in own if n not in fitting])
        + _list("; left over", [n for n in tensors if n not in own])
    )


def read_weights(source: Path) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
    """Averaged weights and state of a run's folder, a checkpoint's, or a portable file.

    Raises:
        ModelError: nothing whole there.
    """
    if not source.is_dir():
        return load_portable(source)
    if (source / "checkpoints").is_dir():
        paths = checkpoint.listing(source)
        if not paths:
            raise ModelError(f"the run {source} has no checkpoint yet: let it train a few minutes")
        source = checkpoint.best(source) or paths[-1]
    found = checkpoint.read(source, ("ema",))
    return found.tensors["ema"], found.state


def _list(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(names[:_NAMED])}{more}"
