"""What a run must keep to go on: a net, its average and the optimiser's moments, as tensors by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn, optim

from remend.train.optim.ema import Ema

__all__ = ["take_back", "tensors_of"]


def tensors_of(net: nn.Module, ema: Ema, optimizer: optim.Optimizer) -> dict[str, Tensor]:
    """All of it, under ``net/``, ``ema/`` and ``optimizer/``."""
    tensors = {f"net/{name}": value for name, value in net.state_dict().items()}
    tensors |= {f"ema/{name}": value for name, value in ema.net.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{name}": torch.as_tensor(v) for name, v in state.items()}
    return tensors


def take_back(tensors: Mapping[str, Tensor], net: nn.Module, ema: Ema, optimizer: optim.Optimizer) -> None:
    """Go on from what ``tensors_of`` gave.

    Raises:
        RuntimeError: they are of another net.
    """

    def under(head: str) -> dict[str, Tensor]:
        return {name[len(head) :]: value for name, value in tensors.items() if name.startswith(head)}

    net.load_state_dict(under("net/"))
    ema.net.load_state_dict(under("ema/"))
    whole: dict[str, Any] = optimizer.state_dict()
    whole["state"] = {}
    for name, value in under("optimizer/").items():
        number, key = name.split("/")
        whole["state"].setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(whole)
