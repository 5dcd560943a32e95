"""Fit a small network to signs, and write it as the table that ``remend.damage.perceptron`` reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from remend.damage.perceptron import CLIP

__all__ = ["fit_perceptron"]

BATCH, RATE = 1024, 3e-3


def fit_perceptron(
    names: Sequence[str],
    signs: NDArray[np.float32],
    wanted: NDArray[np.float32],
    loss_of: Callable[[Tensor, Tensor, Tensor], Tensor],
    *,
    counts: NDArray[np.float32] | None = None,
    hidden: tuple[int, ...] = (24, 16),
    epochs: int = 90,
    batch: int = BATCH,
    decay: float = 1e-2,
    members: int = 1,
    seed: int = 0,
) -> tuple[dict[str, Any], float]:
    """A table of numbers, and the last loss.

    Args:
        names: of the signs.
        signs: (n, signs).
        wanted: (n,).
        loss_of: (scores, wanted, counts), (b,) each, to a number.
        counts: (n,) how much each counts; None = alike.
        hidden: units of each hidden layer.
        epochs, batch, decay, seed: of AdamW with a cosine rate.
        members: networks that are fitted from other beginnings, and averaged: what one makes up is not
            what another does. The table is of one network that holds them side by side.

    Cost: some ten seconds for a hundred thousand and each member.
    """
    mean, deviation = signs.mean(axis=0), signs.std(axis=0) + 1e-3
    inputs = torch.from_numpy(np.clip((signs - mean) / deviation, -CLIP, CLIP))
    targets = torch.from_numpy(wanted)
    weights = torch.from_numpy(np.ones(len(signs), np.float32) if counts is None else counts)
    fitted, losses = [], []
    for member in range(members):
        torch.manual_seed(seed + member)
        layers: list[nn.Module] = []
        for inward, outward in pairwise([len(names), *hidden, 1]):
            layers += [nn.Linear(inward, outward), nn.ReLU()]
        net = nn.Sequential(*layers[:-1])
        optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=decay)
        steps = max(1, len(inputs) // batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
        generator = torch.Generator().manual_seed(seed + member)
        for _ in range(epochs):
            order = torch.randperm(len(inputs), generator=generator)
            for k in range(steps):
                some = order[k * batch : (k + 1) * batch]
                loss = loss_of(net(inputs[some])[:, 0], targets[some], weights[some])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        fitted.append([layer for layer in net if isinstance(layer, nn.Linear)])
        losses.append(loss.item())
    table = {
        "signs": list(names),
        "mean": [round(float(x), 5) for x in mean],
        "deviation": [round(float(x), 5) for x in deviation],
        "layers": [
            {
                "weight": [[round(float(x), 5) for x in row] for row in weight.T],
                "bias": [round(float(x), 5) for x in bias],
            }
            for weight, bias in _side_by_side(fitted)
        ],
    }
    return table, sum(losses) / members


def _side_by_side(members: Sequence[Sequence[nn.Linear]]) -> list[tuple[Tensor, Tensor]]:
    """(weight (n_out, n_in), bias) of one network whose answer is the mean of all."""
    layers = []
    for depth, alike in enumerate(zip(*members, strict=True)):
        weights = [layer.weight.detach() for layer in alike]
        bias = torch.cat([layer.bias.detach() for layer in alike])
        if depth == len(members[0]) - 1:
            layers.append((torch.cat(weights, dim=1) / len(members), bias.mean()[None]))
        else:
            layers.append((torch.cat(weights) if depth == 0 else torch.block_diag(*weights), bias))
    return layers
