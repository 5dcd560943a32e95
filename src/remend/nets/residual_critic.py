"""StyleGAN2's critic: one score for the whole picture, from residual blocks."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from remend.nets.critic import Critic, CriticOutput
from remend.nets.modulated import EqualConv, EqualLinear, rectify

__all__ = ["ResidualCritic"]


class ResidualCritic(Critic):
    """One score for the whole picture; for ``comod_gan``, with R1, which takes the place of spectral norm.

    What differs: no layer that compares a picture with its neighbours in the batch (minibatch standard
    deviation). It would make a score depend on them, and so on how a batch is split over devices; with a
    hole's surroundings given, the answers of a batch differ anyway. The mean over the last grid instead of a
    dense layer over its 4 × 4 positions, so that any size from 2 ** ``layers`` on is taken.

    Reference: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
    doi:10.1109/CVPR42600.2020.00813; with the hole as an input: Zhao et al. (CoModGAN), ICLR 2021,
    doi:10.48550/arXiv.2103.10428.

    Args:
        width: channels at full size; they double to ``widest``.
        layers: halvings: 6 end at 4 × 4 for 256².
        widest: most channels.
    """

    def __init__(self, *, width: int = 64, layers: int = 5, widest: int = 512) -> None:
        super().__init__()
        widths = [min(width * 2**n, widest) for n in range(layers + 1)]
        self.stem = EqualConv(4, widths[0], 1)
        self.look = nn.ModuleList(EqualConv(a, a) for a in widths[:-1])
        self.down = nn.ModuleList(EqualConv(a, b, down=True) for a, b in pairwise(widths))
        self.past = nn.ModuleList(EqualConv(a, b, 1, down=True, bias=False) for a, b in pairwise(widths))
        self.last = EqualConv(widths[-1], widths[-1])
        self.hidden = EqualLinear(widths[-1], widths[-1])
        self.score = EqualLinear(widths[-1], 1)

    def judge(self, planes: Tensor) -> CriticOutput:
        """A score (N, 1, 1, 1), and the features of all blocks."""
        features: list[Tensor] = []
        x = rectify(self.stem(planes))
        for look, down, past in zip(self.look, self.down, self.past, strict=True):
            x = (rectify(down(rectify(look(x)))) + past(x)) / math.sqrt(2)
            features.append(x)
        x = rectify(self.last(x)).mean(dim=(2, 3))
        return CriticOutput([self.score(rectify(self.hidden(x)))[:, :, None, None]], [features])
