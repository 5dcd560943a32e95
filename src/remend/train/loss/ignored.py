"""Damaged pixels kept from losses and critics; see ``remend.train.data.damaged``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from remend.train.data.loader import Batch

__all__ = ["mask_damaged"]


def mask_damaged(
    batch: Batch, filled: Tensor, raw: Tensor, earlier: Sequence[Tensor]
) -> tuple[Batch, Tensor, Tensor, list[Tensor]]:
    """The batch and the net's answers with the same pixels, and no gradient, wherever a sample is damaged.

    What is put there is the net's own prediction: nothing is different there, so that no loss, backbone or
    critic has anything to tell, and no hard edge arises that they would look at instead.

    Args:
        batch: its ``damage`` is not None.
        filled, raw, earlier: (N, 3, H, W) of the net.
    """
    assert batch.damage is not None
    bad = batch.damage > 0.5
    own = raw.detach().to(batch.target.dtype)
    same = replace(
        batch,
        image=torch.where(bad, own, batch.image),
        target=torch.where(bad, own, batch.target),
        damage=None,
    )
    return (
        same,
        torch.where(bad, own, filled),
        torch.where(bad, own, raw),
        [torch.where(bad, own, stage) for stage in earlier],
    )
