"""What must be computed in fp32 whatever autocast says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

__all__ = ["in_fp32", "norms_in_fp32"]


def in_fp32(x: Tensor) -> AbstractContextManager[object]:
    """Inside, autocast is off on the device of ``x``; what is computed with must be float32 already."""
    kind = x.device.type
    # On "meta", where sizes alone are followed, there is no autocast to turn off.
    return nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False)


@contextmanager
def norms_in_fp32(module: nn.Module, x: Tensor) -> Iterator[None]:
    """Inside, the weights of ``module`` are normalised once, and in fp32.

    Under autocast the power iteration would run in bf16, with three digits. In training mode each entry moves
    the iteration on by one step: its vectors are buffers, saved with the weights, so that a resumed run goes
    on bit for bit. Do not average them over time.

    Args:
        module: whose parametrised weights are meant.
        x: anything on its device.
    """
    with parametrize.cached():
        with in_fp32(x):
            for part in module.modules():
                if parametrize.is_parametrized(part):
                    _ = part.weight
        yield
