"""One member of a federation: its own pictures and damage, and a round of learning from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.nets.registry import build
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import Pictures
from remend.train.data.samples import Sampler
from remend.train.federated.private import learn_privately
from remend.train.federated.terms import Terms
from remend.train.run.local import learn, learner_of
from remend.train.run.transfer import start_from

__all__ = ["Arrays", "Member", "arrays_of", "beginning", "fresh", "put_into"]

Arrays = list[NDArray[Any]]
"""A net's weights, in the order of its state."""


@dataclass
class Member:
    """Who learns without showing pictures to anybody.

    Attributes:
        pictures: its own.
        masks: the damage that it knows; None = the recipe's own mix.
        seed: of what it draws.
    """

    pictures: Pictures
    masks: MaskBank | None = None
    seed: int = 0
    _sampler: Sampler | None = field(default=None, repr=False)

    def fit(self, arrays: Arrays, number: int, terms: Terms) -> tuple[Arrays, dict[str, float]]:
        """A round: the common weights in, this member's out.

        Args:
            arrays: the common weights.
            number: of the round, from 0.
            terms: of the federation.

        Returns:
            Its weights, and ``epsilon`` so far where there is noise.

        Raises:
            UsageError: weights of another net.
            DivergedError: a loss is not finite.
        """
        recipe = terms.recipe
        if self._sampler is None:
            sampler = Sampler.of(self.pictures, recipe.data, recipe.train.seed + self.seed)
            self._sampler = sampler if self.masks is None else replace(sampler, masks=self.masks)
        torch.manual_seed(recipe.train.seed + self.seed)
        first = number * terms.samples
        if terms.noise:
            net = build(recipe.net, recipe.options)
            put_into(net, arrays)
            epsilon = learn_privately(net, self._sampler, terms, number=number)
            return arrays_of(net), {"epsilon": epsilon}
        learner = learner_of(recipe)
        put_into(learner.net, arrays)
        learner.ema.net.load_state_dict(learner.net.state_dict())
        with _pulled(learner.net, terms.prox):
            learn(learner, self._sampler, first=first, samples=terms.samples)
        return arrays_of(learner.net), {}


def fresh(terms: Terms) -> Inpainter:
    """A net of the terms that has learned nothing, the same for all who have them."""
    torch.manual_seed(terms.recipe.train.seed)
    return build(terms.recipe.net, terms.recipe.options)


def beginning(terms: Terms) -> Inpainter:
    """The net that a leader hands out first: fresh, or with what fits of ``transfer.weights``.

    Raises:
        ModelError: that file is missing, or nothing in it fits.
    """
    net = fresh(terms)
    if terms.recipe.transfer.weights:
        start_from(net, terms.recipe.transfer.weights, lambda line: None)
    return net


def arrays_of(net: nn.Module) -> Arrays:
    """The weights of a net as arrays of their own."""
    return [tensor.detach().cpu().numpy().copy() for tensor in net.state_dict().values()]


def put_into(net: nn.Module, arrays: Sequence[NDArray[Any]]) -> None:
    """Give a net these weights.

    Raises:
        UsageError: they are of another net, or not finite.
    """
    state = net.state_dict()
    shapes = [tuple(tensor.shape) for tensor in state.values()]
    if [array.shape for array in arrays] != shapes or not all(np.isfinite(array).all() for array in arrays):
        raise UsageError("the weights that came are of another net, or not finite: compare the recipes")
    net.load_state_dict(
        {
            name: torch.from_numpy(np.array(array)).to(tensor.dtype)
            for (name, tensor), array in zip(state.items(), arrays, strict=True)
        }
    )


@contextmanager
def _pulled(net: nn.Module, strength: float) -> Iterator[None]:
    """Inside, gradients pull weights back to where they are now: the derivative of ½ · strength · ‖w − w₀‖².

    Reference: Li et al., "Federated Optimization in Heterogeneous Networks" (FedProx), MLSys 2020.
    """
    if not strength > 0 or not math.isfinite(strength):
        yield
        return

    def pull(parameter: nn.Parameter) -> Any:
        start = parameter.detach().clone()
        return parameter.register_hook(lambda gradient: gradient + strength * (parameter.detach() - start))

    hooks = [pull(parameter) for parameter in net.parameters() if parameter.requires_grad]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
