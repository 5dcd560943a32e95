"""DeepFill: a coarse net, a refining net with contextual attention, and two critics of the Wasserstein kind.

Yu, Lin, Yang, Shen, Lu, Huang, "Generative Image Inpainting with Contextual Attention", CVPR 2018,
doi:10.1109/CVPR.2018.00577.

What differs: see ``contextual_attention`` for the attention; convolutions are padded with zeros, as in the
authors' released code (the paper says by mirroring); holes have any shape. The critics are ``global_local``
in ``remend.nets.critics``.
"""

from __future__ import annotations

from torch import Tensor

from remend.nets.coarse_to_fine import CoarseToFine
from remend.nets.gated import EluConv

__all__ = ["DeepFillV1"]


class DeepFillV1(CoarseToFine):
    """The body of ``deepfill_v1``; see ``CoarseToFine``.

    Args:
        width: channels at full size.
    """

    def __init__(self, *, width: int = 32) -> None:
        super().__init__(EluConv, width=width, limit=_clipped)


def _clipped(x: Tensor) -> Tensor:
    """To [-1, 1], as in the paper: no squashing by tanh."""
    return x.clamp(-1, 1)
