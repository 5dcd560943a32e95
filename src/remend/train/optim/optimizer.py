"""What moves a net's weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.train.config import Recipe, Train
from remend.train.optim.groups import parameter_groups
from remend.train.optim.muon import Muon, with_kernels_apart

__all__ = ["OPTIMIZERS", "optimizer_of"]

_Groups = list[dict[str, Any]]

# All parameters of a group at once: on a GPU dozens of commands a step, and not thousands.
OPTIMIZERS: Mapping[str, Callable[[_Groups, Train], torch.optim.Optimizer]] = {
    "adamw": lambda groups, plan: torch.optim.AdamW(groups, lr=plan.lr, betas=plan.betas, foreach=True),
    "adam": lambda groups, plan: torch.optim.Adam(groups, lr=plan.lr, betas=plan.betas, foreach=True),
    "sgd": lambda groups, plan: torch.optim.SGD(groups, lr=plan.lr, momentum=plan.momentum, foreach=True),
    "rmsprop": lambda groups, plan: torch.optim.RMSprop(
        groups, lr=plan.lr, momentum=plan.momentum, foreach=True
    ),
    "muon": lambda groups, plan: Muon(with_kernels_apart(groups), lr=plan.lr, betas=plan.betas),
}
"""Each optimiser by its name in a recipe."""


def optimizer_of(net: Inpainter, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser that a recipe asks for, over all of the net's parameters.

    Raises:
        UsageError: an optimiser that there is not, or rates by layer for a net without an encoder.
    """
    plan, groups = recipe.train, parameter_groups(net, recipe)
    if plan.optimizer not in OPTIMIZERS:
        raise UsageError(f"train.optimizer is {', '.join(OPTIMIZERS)}, got {plan.optimizer!r}")
    return OPTIMIZERS[plan.optimizer](groups, plan)
