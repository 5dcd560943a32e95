"""Weights divided by their largest singular value, all those of a net at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from remend.nets.precision import in_fp32

__all__ = ["SpectralNorm", "norms_in_fp32", "spectral_norm"]

_TINY = 1e-12
_FIRST = 15  # steps of the power iteration that a new norm begins with


class SpectralNorm(nn.Module):
    """What ``spectral_norm`` makes of a weight.

    Its state has the names of PyTorch's own, ``_u`` and ``_v``: checkpoints fit either way.

    Args:
        weight: of a convolution.
        dim: of the output channels.
    """

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.ready: Tensor | None = None
        matrix = weight.movedim(dim, 0).flatten(1)
        for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
            self.register_buffer(name, F.normalize(matrix.new_empty(size).normal_(), dim=0, eps=_TINY))
        with torch.no_grad():
            for _ in range(_FIRST):
                self._iterate(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, normalised; while training the iteration moves on by one step."""
        if self.ready is not None:
            return self.ready
        matrix = weight.movedim(self.dim, 0).flatten(1)
        if self.training:
            with torch.no_grad():
                self._iterate(matrix)
        # Copies: another forward before the backward would write over what the gradient needs.
        u, v = self._u.clone(), self._v.clone()
        return weight / torch.dot(u, torch.mv(matrix, v))

    def _iterate(self, matrix: Tensor) -> None:
        self._u.copy_(F.normalize(torch.mv(matrix, self._v), dim=0, eps=_TINY))
        self._v.copy_(F.normalize(torch.mv(matrix.T, self._u), dim=0, eps=_TINY))


def spectral_norm(conv: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    """``conv`` with its weight divided by its largest singular value, found by power iteration.

    Reference: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
    doi:10.48550/arXiv.1802.05957.
    """
    dim = 1 if isinstance(conv, nn.ConvTranspose2d) else 0
    parametrize.register_parametrization(conv, "weight", SpectralNorm(conv.weight, dim))
    return conv


@contextmanager
def norms_in_fp32(module: nn.Module, x: Tensor) -> Iterator[None]:
    """Inside, the weights of ``module`` are normalised once, and in fp32.

    Under autocast the power iteration would run in bf16, with three digits. In training mode each entry moves
    the iteration on by one step: its vectors are buffers, saved with the weights, so that a resumed run goes
    on bit for bit. Do not average them over time.

    Weights of one shape are normalised together: a GPU is given a tenth of the commands.

    Args:
        module: whose parametrised weights are meant.
        x: anything on its device.
    """
    kind = x.device.type
    halved = kind != "meta" and torch.is_autocast_enabled(kind)
    dtype = torch.get_autocast_dtype(kind) if halved else None
    owners = [part.parametrizations for part in module.modules() if parametrize.is_parametrized(part)]
    found: list[tuple[SpectralNorm, Tensor]] = [(own.weight[0], own.weight.original) for own in owners]
    try:
        with in_fp32(x):
            if found and module.training and kind != "meta":
                _normalise(found, dtype)
            else:
                for norm, weight in found:
                    norm.ready = norm(weight)
        yield
    finally:
        for norm, _ in found:
            norm.ready = None


def _normalise(found: Sequence[tuple[SpectralNorm, Tensor]], dtype: torch.dtype | None) -> None:
    """Move each iteration on by a step, and lay the normalised weight ready, in ``dtype``."""
    groups: dict[tuple[int, torch.Size], list[tuple[SpectralNorm, Tensor]]] = {}
    for norm, weight in found:
        groups.setdefault((norm.dim, weight.shape), []).append((norm, weight))
    alike = list(groups.values())
    # (count, out, h, w, in): as a weight in channels-last lies in memory.
    stacks = [torch.stack([_last(norm, weight) for norm, weight in group]) for group in alike]
    with torch.no_grad():
        matrices = [stack.flatten(2) for stack in stacks]
        shapes = [(stack.shape[2], stack.shape[3], stack.shape[4]) for stack in stacks]
        before = [
            torch.stack([norm._v.view(i, h, w).permute(1, 2, 0) for norm, _ in group]).flatten(1)
            for group, (h, w, i) in zip(alike, shapes, strict=True)
        ]
        us, _ = _unit([torch.bmm(m, v.unsqueeze(2)) for m, v in zip(matrices, before, strict=True)])
        # The length of W'u is u'Wv, the singular value, v being W'u made a unit vector.
        vs, sizes = _unit([torch.bmm(m.mT, u) for m, u in zip(matrices, us, strict=True)])
        kept = [
            v.view(len(v), h, w, i).permute(0, 3, 1, 2).flatten(1)
            for v, (h, w, i) in zip(vs, shapes, strict=True)
        ]
        torch._foreach_copy_(
            [getattr(norm, name) for name in ("_u", "_v") for group in alike for norm, _ in group],
            [row for group in (*us, *kept) for row in group.flatten(1)],
        )
    for group, stack, u, v, size in zip(alike, stacks, us, vs, sizes, strict=True):
        divided: Tensor = _Divided.apply(stack, size.view(-1, 1, 1, 1, 1), u, v.mT)
        for (norm, _), weight in zip(group, divided if dtype is None else divided.to(dtype), strict=True):
            norm.ready = weight.permute(0, 3, 1, 2).movedim(0, norm.dim)


def _last(norm: SpectralNorm, weight: Tensor) -> Tensor:
    """(out, h, w, in) of a weight."""
    return weight.movedim(norm.dim, 0).permute(0, 2, 3, 1)


def _unit(vectors: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Groups of vectors (count, length, 1) made unit vectors, and the lengths (count,) that they had."""
    sizes = torch.stack(torch._foreach_norm([row for group in vectors for row in group])).clamp_min(_TINY)
    of_groups = list(sizes.split([len(group) for group in vectors]))
    return [g / s.view(-1, 1, 1) for g, s in zip(vectors, of_groups, strict=True)], of_groups


class _Divided(torch.autograd.Function):
    """W / s where s = u'Wv: u and v are constants, s is not. Once differentiable."""

    @staticmethod
    def forward(ctx: Any, stack: Tensor, size: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """``stack`` (N, out, h, w, in) over ``size`` (N, 1, 1, 1, 1); u (N, out, 1), v (N, 1, h · w · in)."""
        ctx.save_for_backward(stack, size, u, v)
        return stack / size

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """The gradient less what it has along u v', over the size."""
        stack, size, u, v = ctx.saved_tensors
        along = (gradient * stack).sum(dim=(1, 2, 3, 4)).view_as(size) / size
        outer = (u * along.view(-1, 1, 1)) * v
        return (gradient - outer.view_as(stack)).div_(size), None, None, None
