"""Muon: momentum whose directions all count alike, for kernels; AdamW for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonal", "with_kernels_apart"]

_STEPS = 5
# Coefficients of Jordan's quintic: after five steps singular values from .001 to 1 lie between .25 and 1.25.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_SIZE = 0.2  # root mean square of an AdamW update, as a rule
_FEWEST = 16  # rows and columns: below, there are few directions to balance (heads, depthwise kernels)


class Muon(torch.optim.Optimizer):
    """Muon on kernels, AdamW on the parameters of groups with ``"adam": True``.

    A convolution's gradient is dominated by a few directions, and Adam, which scales single numbers, follows
    them. Muon makes all singular values of the momentum alike: rare directions are learned as well. The
    update of a kernel (out, in, h, w), read as a matrix of ``out`` rows, is scaled to the size that AdamW's
    has, so a learning rate means about the same for both.

    Choose it for nets of plain dense convolutions: ``remend`` learns eight pictures by heart in a sixth of
    AdamW's steps; from crops that are new it learns about as fast as by AdamW (docs/log.md).

    Args:
        groups: dictionaries with ``params``, and if wanted ``adam``, ``weight_decay``, ``lr``.
        lr: learning rate.
        betas: of AdamW; Muon's momentum is .95.
        eps: of AdamW.
        weight_decay: of both, decoupled.

    Cost: for a kernel of out × k numbers, out ≤ k, about 15 · out² · k multiplications a step beside the
    net's; memory for one momentum instead of AdamW's two.

    Reference: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the scale after
    Liu et al., "Muon is Scalable for LLM Training", arXiv:2502.16982, 2025.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum": 0.95}
        super().__init__(groups, {**defaults, "adam": False})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        if closure is not None:
            raise TypeError("Muon takes no closure")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if group["weight_decay"]:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                move = self._adam if group["adam"] else self._muon
                parameter.sub_(move(parameter, group), alpha=group["lr"])

    def _muon(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = torch.lerp(gradient, momentum, group["momentum"])  # Nesterov's
        matrix = ahead.flatten(1)
        return orthogonal(matrix).mul_(_SIZE * max(matrix.shape) ** 0.5).view_as(ahead)

    def _adam(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        first, second = group["betas"]
        state["step"] += 1
        count = float(state["step"])
        mean = state["exp_avg"].lerp_(gradient, 1 - first)
        square = state["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = square.sqrt().div_((1 - second**count) ** 0.5).add_(group["eps"])
        return mean / size.mul_(1 - first**count)


def with_kernels_apart(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups of parameters for ``Muon``: kernels of 16 rows and columns or more, and the rest for AdamW.

    >>> kernel, head, bias = torch.zeros(32, 8, 3, 3), torch.zeros(3, 32, 3, 3), torch.zeros(32)
    >>> [(len(g["params"]), g["adam"]) for g in with_kernels_apart([{"params": [kernel, head, bias]}])]
    [(1, False), (2, True)]
    """
    apart = []
    for group in groups:
        for adam in (False, True):
            chosen = [p for p in group["params"] if _is_kernel(p) != adam]
            if chosen:
                apart.append({**group, "params": chosen, "adam": adam})
    return apart


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix whose singular values are all about 1: .3 to 1.2, most of them above .7.

    Args:
        matrix: (rows, columns), any real type.

    Returns:
        (rows, columns) of the same type; computed in bfloat16.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = (wide / (torch.linalg.matrix_norm(wide) + 1e-12)).bfloat16()
    for _ in range(_STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    x = x.to(matrix.dtype)
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


def _is_kernel(parameter: Tensor) -> bool:
    return parameter.ndim > 1 and min(parameter.flatten(1).shape) >= _FEWEST
