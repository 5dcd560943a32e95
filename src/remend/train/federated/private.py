"""A round with differential privacy: what one picture can change is bounded, and drowned in noise."""

from __future__ import annotations

import math
import secrets
import warnings
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from remend.errors import DivergedError, UsageError
from remend.nets.inpainter import Inpainter
from remend.train.data.loader import collate
from remend.train.data.samples import Sampler
from remend.train.federated.terms import Terms
from remend.train.loss.pixels import decibels
from remend.train.optim.schedule import learning_rate

__all__ = ["learn_privately", "spent"]


def learn_privately(net: Inpainter, sampler: Sampler, terms: Terms, *, number: int) -> float:
    """Learn for a round by DP-SGD, each picture's gradient clipped and noise added to their sum.

    At each step every picture is drawn by itself with the same chance (Poisson), one crop of each. What is
    protected is one picture of the member, from whoever sees its weights after any round.

    Args:
        net: changed in place; without layers that mix the pictures of a batch.
        sampler: pictures, holes.
        terms: noise, clip, delta, rates.
        number: of the round, from 0.

    Returns:
        ε for ``terms.delta`` after all rounds so far.

    Raises:
        UsageError: Opacus is missing, or cannot clip this net's gradients.
        DivergedError: a loss is not finite.

    Cost: twice a step without privacy, and memory for a gradient a picture.

    Reference: Abadi et al., "Deep Learning with Differential Privacy", CCS 2016; ε by Rényi accounting
    (Mironov, Talwar and Zhang, 2019), the work is Opacus'.
    """
    try:
        from opacus.grad_sample import GradSampleModule
        from opacus.optimizers import DPOptimizer
    except ModuleNotFoundError as error:
        raise UsageError("noise needs opacus: pip install 'remend[federated]'") from error
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules()):
        raise UsageError(
            f"{terms.recipe.net} has BatchNorm, which mixes pictures: with noise take remend or unet"
        )
    plan, count = terms.recipe.train, len(sampler.pictures)
    rate, steps = _rate_and_steps(terms, count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hooks on modules without weights
        try:
            wrapped = GradSampleModule(net, loss_reduction="mean", strict=True)
        except (NotImplementedError, ValueError) as error:
            reason = str(error).splitlines()[0][:200]
            raise UsageError(f"with noise this net cannot learn ({reason}): take remend") from error
        inner = torch.optim.AdamW(net.parameters(), lr=plan.lr, betas=plan.betas, weight_decay=0.0)
        optimizer = DPOptimizer(
            inner,
            noise_multiplier=terms.noise,
            max_grad_norm=terms.clip,
            expected_batch_size=max(1, round(rate * count)),
            generator=torch.Generator().manual_seed(secrets.randbits(60)),
        )
        for step in range(steps):
            seen = (number * steps + step) * plan.batch
            rng = np.random.default_rng()  # noise and choice that somebody can repeat protect nobody
            chosen = np.flatnonzero(rng.random(count) < rate)
            for group in inner.param_groups:
                group["lr"] = learning_rate(plan, seen)
            optimizer.zero_grad(set_to_none=True)
            _backward(wrapped, sampler, [int(one) for one in chosen], int(rng.integers(2**31)))
            optimizer.step()
    wrapped.remove_hooks()
    return spent(terms, count, rounds=number + 1)


def spent(terms: Terms, pictures: int, *, rounds: int) -> float:
    """ε for ``terms.delta`` after so many rounds of a member with so many pictures.

    Raises:
        UsageError: Opacus is missing.
    """
    try:
        from opacus.accountants import RDPAccountant
    except ModuleNotFoundError as error:
        raise UsageError("noise needs opacus: pip install 'remend[federated]'") from error
    rate, steps = _rate_and_steps(terms, pictures)
    accountant = RDPAccountant()
    accountant.history = [(terms.noise, rate, steps * rounds)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the best order is the largest tried: ε is then a bit too large
        return float(accountant.get_epsilon(terms.delta))


def _rate_and_steps(terms: Terms, pictures: int) -> tuple[float, int]:
    """The chance of a picture to be in a step, and the steps of a round."""
    return min(1.0, terms.recipe.train.batch / pictures), terms.samples // terms.recipe.train.batch


def _backward(wrapped: nn.Module, sampler: Sampler, chosen: list[int], index: int) -> None:
    """Gradients of the chosen pictures, one crop of each; of none where nothing was chosen."""
    if not chosen:
        for parameter in wrapped.parameters():
            parameter.grad_sample = torch.zeros(0, *parameter.shape)  # type: ignore[attr-defined]
        return
    samples = [replace(sampler, pictures=sampler.pictures.only([one]))(index + one) for one in chosen]
    batch = collate(samples)
    _, raw, *_ = wrapped(batch.image, batch.hole)
    loss = decibels(raw, batch.target, batch.hole)
    if not math.isfinite(float(loss)):
        raise DivergedError("a loss is not finite: lower train.lr, or the noise")
    loss.backward()
