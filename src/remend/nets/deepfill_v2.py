"""DeepFill v2: gated convolutions and contextual attention; it can be taught to follow drawn lines.

Yu, Lin, Yang, Shen, Lu, Huang, "Free-Form Image Inpainting with Gated Convolution", ICCV 2019,
doi:10.1109/ICCV.2019.00457.

What differs: see ``contextual_attention`` for the attention. Hole and frame are inputs of the second net too.
Lines to follow are in training those of ``remend.nets.edges``; the paper takes them from HED, a net that has
to be had first. The critic is ``sn_patch`` in ``remend.nets.critics``.
"""

from __future__ import annotations

import torch

from remend.nets.coarse_to_fine import CoarseToFine
from remend.nets.gated import GatedConv

__all__ = ["DeepFillV2"]


class DeepFillV2(CoarseToFine):
    """The body of ``deepfill_v2``; see ``CoarseToFine``.

    Args:
        width: features at full size. The released code's 48 counts gates too.
        guide: take lines to follow.
    """

    def __init__(self, *, width: int = 24, guide: bool = False) -> None:
        super().__init__(GatedConv, width=width, limit=torch.tanh, guide=guide)
