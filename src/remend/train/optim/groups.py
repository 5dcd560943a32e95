"""Rates by layer, and an encoder that stays frozen for a while."""

from __future__ import annotations

from typing import Any

from torch import nn

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.train.config import Recipe

__all__ = ["parameter_groups", "set_frozen"]


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
