"""Muon: momentum whose directions all count alike, for kernels; AdamW for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Muon", "adam", "orthogonal", "with_kernels_apart"]

_STEPS = 5
# Coefficients of Jordan's quintic: after five steps singular values from .001 to 1 lie between .25 and 1.25.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_SIZE = 0.2  # root mean square of an AdamW update, as a rule
_SPARE = 0.1  # of all multiplications, that may be spent on zeros to have fewer batches
_FEWEST = 16  # rows and columns: below, there are few directions to balance (heads, depthwise kernels)


class Muon(torch.optim.Optimizer):
    """Muon on kernels, AdamW on the parameters of groups with ``"adam": True``.

    A convolution's gradient is dominated by a few directions, and Adam, which scales single numbers, follows
    them. Muon makes all singular values of the momentum alike: rare directions are learned as well. The
    update of a kernel (out, in, h, w), read as a matrix of ``out`` rows, is scaled to the size that AdamW's
    has, so a learning rate means about the same for both.

    Choose it for nets of plain dense convolutions: ``remend`` overfits eight pictures in a sixth of
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
        """Move every parameter that has a gradient.

        All parameters of a group move together, kernels of one shape as one batch of matrices: a GPU is then
        given dozens of commands a step and not thousands.
        """
        if closure is not None:
            raise TypeError("Muon takes no closure")
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if not parameters:
                continue
            if group["weight_decay"]:
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            move = self._adam if group["adam"] else self._muon
            torch._foreach_add_(parameters, move(parameters, group), alpha=-group["lr"])

    def _muon(self, parameters: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum"] for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = list(torch._foreach_lerp(gradients, momenta, group["momentum"]))  # Nesterov's
        alike: dict[torch.Size, list[int]] = {}
        for k, parameter in enumerate(parameters):
            alike.setdefault(parameter.shape, []).append(k)
        stacks = []
        for members in alike.values():
            # Columns in the order in which the kernel lies in memory: the answer does not depend on it.
            last = _is_channels_last(parameters[members[0]])
            stacks.append(
                torch.stack([(ahead[k].movedim(1, -1) if last else ahead[k]).flatten(1) for k in members])
            )
        for (shape, members), even in zip(alike.items(), _all_orthogonal(stacks), strict=True):
            sized = even * (_SIZE * max(even.shape[1:]) ** 0.5)
            last = _is_channels_last(parameters[members[0]])
            for k, matrix in zip(members, sized, strict=True):
                kept = (shape[0], *shape[2:], shape[1]) if last else shape
                ahead[k] = matrix.view(kept).movedim(-1, 1) if last else matrix.view(kept)
        return ahead

    def _adam(self, parameters: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["step"] = 0.0
                self.state[parameter]["exp_avg"] = torch.zeros_like(parameter)
                self.state[parameter]["exp_avg_sq"] = torch.zeros_like(parameter)
        states = [self.state[parameter] for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters]
        first, second = group["betas"]
        for state in states:  # a number of Python's: no operation, on no device
            state["step"] = float(state["step"]) + 1
        counts = [state["step"] for state in states]
        means = [state["exp_avg"] for state in states]
        squares = [state["exp_avg_sq"] for state in states]
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - second)
        sizes = torch._foreach_sqrt(squares)
        torch._foreach_div_(sizes, [(1 - second**count) ** 0.5 for count in counts])
        torch._foreach_add_(sizes, group["eps"])
        torch._foreach_mul_(sizes, [1 - first**count for count in counts])
        return list(torch._foreach_div(means, sizes))


def adam(parameters: Iterable[Tensor], *, lr: float, betas: tuple[float, float]) -> Muon:
    """Adam over all of ``parameters``, in a dozen operations however many they are."""
    return Muon([{"params": list(parameters), "adam": True}], lr=lr, betas=betas)


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


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest matrices whose singular values are all about 1: .3 to 1.2, most of them above .7.

    Args:
        matrices: (rows, columns) or (N, rows, columns), any real type.

    Returns:
        Matrices of the same shape and type; computed in bfloat16.
    """
    upright = matrices.shape[-2] > matrices.shape[-1]
    wide = matrices.mT if upright else matrices
    x = (wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-12)).bfloat16()
    alone = x.ndim == 2
    x = x[None] if alone else x
    for _ in range(_STEPS):
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    x = (x[0] if alone else x).to(matrices.dtype)
    return x.mT.contiguous() if upright else x


def _all_orthogonal(stacks: Sequence[Tensor]) -> list[Tensor]:
    """``orthogonal`` of each stack (N, rows, columns); small ones go along with larger ones.

    With zeros around it a matrix has the same nearest orthogonal one, with zeros around it. A tenth more
    is multiplied at most, and a GPU is given a third of the commands.
    """
    wide = [s.mT if s.shape[1] > s.shape[2] else s for s in stacks]
    left = _SPARE * sum(_cost(s.shape, len(s)) for s in wide)
    batches: list[list[int]] = []
    for k in sorted(range(len(wide)), key=lambda k: -_cost(wide[k].shape)):
        rows, columns = wide[k].shape[1:]
        for batch in batches:
            lead = wide[batch[0]].shape
            more = _cost(lead, len(wide[k])) - _cost(wide[k].shape, len(wide[k]))
            if rows <= lead[1] and columns <= lead[2] and more <= left:
                left -= more
                batch.append(k)
                break
        else:
            batches.append([k])
    made: dict[int, Tensor] = {}
    for batch in batches:
        _, rows, columns = wide[batch[0]].shape
        padded = [F.pad(wide[k], (0, columns - wide[k].shape[2], 0, rows - wide[k].shape[1])) for k in batch]
        even = orthogonal(torch.cat(padded))
        for k, part in zip(batch, even.split([len(wide[k]) for k in batch]), strict=True):
            own = part[:, : wide[k].shape[1], : wide[k].shape[2]]
            made[k] = own.mT if stacks[k].shape[1] > stacks[k].shape[2] else own
    return [made[k] for k in range(len(stacks))]


def _cost(shape: torch.Size, count: int = 1) -> int:
    """Multiplications of a step of Newton and Schulz on so many matrices, wider than high."""
    return int(count * shape[1] ** 2 * (2 * shape[2] + shape[1]))


def _is_kernel(parameter: Tensor) -> bool:
    return parameter.ndim > 1 and min(parameter.flatten(1).shape) >= _FEWEST


def _is_channels_last(parameter: Tensor) -> bool:
    return parameter.ndim == 4 and not parameter.is_contiguous()
