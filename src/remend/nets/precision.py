"""What is computed in which precision: fp32 whatever autocast says, and weights cast for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

__all__ = ["CastOnce", "in_fp32"]


def in_fp32(x: Tensor) -> AbstractContextManager[object]:
    """Inside, autocast is off on the device of ``x``; what is computed with must be float32 already."""
    kind = x.device.type
    # On "meta", where sizes alone are followed, there is no autocast to turn off.
    return nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False)


class CastOnce(nn.Module):
    """A net whose convolutions' weights are cast for autocast all together, and not one by one.

    Answers and gradients are the same; a GPU is spared two commands a weight, one there and one back.

    Args:
        net: what is wrapped; it stays as it is.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        # Kinds that hand their weights to a convolution as they are: any other may reckon with them first.
        self._names = [
            f"{where}.{name}" if where else name
            for where, part in net.named_modules()
            if parametrize.type_before_parametrizations(part) in (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
            for name, _ in part.named_parameters(recurse=False)
        ]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the net answers."""
        kind = next((a.device.type for a in args if isinstance(a, Tensor)), "meta")
        if kind == "meta" or not torch.is_autocast_enabled(kind) or not self._names:
            return self.net(*args, **kwargs)
        weights = [self.net.get_parameter(name) for name in self._names]
        cast = _Cast.apply(torch.get_autocast_dtype(kind), *weights)
        return functional_call(self.net, dict(zip(self._names, cast, strict=True)), args, kwargs)


class _Cast(torch.autograd.Function):
    """Tensors cast as one, and so are their gradients."""

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.dtype = tensors[0].dtype
        return _cast(tensors, dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        cast = iter(_cast([g for g in gradients if g is not None], ctx.dtype))
        return None, *(None if g is None else next(cast) for g in gradients)


def _cast(tensors: Sequence[Tensor], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """``tensors`` in ``dtype``, laid out as they were, side by side in memory."""
    last = [t.ndim == 4 and not t.is_contiguous() for t in tensors]
    # The shortest come last, so that each begins where whole words do.
    order = sorted(range(len(tensors)), key=lambda k: -tensors[k].numel())
    seen = [t.permute(0, 2, 3, 1) if moved else t for t, moved in zip(tensors, last, strict=True)]
    flat = torch.cat([seen[k].reshape(-1) for k in order]).to(dtype)
    parts = dict(zip(order, flat.split([tensors[k].numel() for k in order]), strict=True))
    made = [parts[k].view(part.shape) for k, part in enumerate(seen)]
    return tuple(t.permute(0, 3, 1, 2) if moved else t for t, moved in zip(made, last, strict=True))
