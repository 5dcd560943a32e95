"""What moves a net's weights."""

from __future__ import annotations

import torch

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.train.config import Recipe
from remend.train.optim.groups import parameter_groups
from remend.train.optim.muon import Muon, with_kernels_apart

__all__ = ["OPTIMIZERS", "optimizer_of"]

OPTIMIZERS = ("adamw", "muon")


def optimizer_of(net: Inpainter, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser that a recipe asks for, over all of the net's parameters.

    Raises:
        UsageError: an optimiser that there is not, or rates by layer for a net without an encoder.
    """
    plan, groups = recipe.train, parameter_groups(net, recipe)
    if plan.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=plan.lr, betas=plan.betas)
    if plan.optimizer == "muon":
        return Muon(with_kernels_apart(groups), lr=plan.lr, betas=plan.betas)
    raise UsageError(f"train.optimizer is {' or '.join(OPTIMIZERS)}, got {plan.optimizer!r}")
