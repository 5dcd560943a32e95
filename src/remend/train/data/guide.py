"""Lines: shown to nets that follow them, and wanted of nets that draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from remend.nets.edges import edges_of
from remend.nets.inpainter import Inpainter
from remend.train.data.loader import Batch

__all__ = ["as_drawn", "drawn_lines"]

_STREAM = 4  # of the random numbers of a sample


def drawn_lines(
    target: Tensor, hole: Tensor, *, share: float, seed: int, indices: Sequence[int]
) -> Tensor | None:
    """The lines of some of the wanted pictures, in the hole, as if somebody had drawn them.

    Args:
        target: (N, 3, H, W) in [0, 1].
        hole: (N, 1, H, W), 1 = fill.
        share: chance of each sample.
        seed: of the draw.
        indices: of the N samples.

    Returns:
        (N, 1, H, W), 1 = line; a sample without lines is 0. None where share is 0.

    Cost: that of ``edges_of``.
    """
    if not share:
        return None
    drawn = [np.random.default_rng([seed, index, _STREAM]).random() < share for index in indices]
    chosen = torch.tensor(drawn, device=target.device)[:, None, None, None]
    return ((edges_of(target) > 0.5) & chosen).to(target.dtype) * hole


def as_drawn(net: Inpainter, batch: Batch) -> Batch:
    """The batch as losses and critic are to see it, where a net draws something else than pictures."""
    if net.draws is None:
        return batch
    wanted = net.draws(batch.target)
    return replace(batch, image=wanted * (1 - batch.hole), target=wanted)
