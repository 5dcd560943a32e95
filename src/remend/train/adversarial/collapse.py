"""How critic and net stand against each other, and an alarm when their training collapses."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from remend.nets.critics import CriticOutput
from remend.train.adversarial.losses import Cells

__all__ = ["CollapseAlarm", "readings", "spread"]


@torch.no_grad()
def readings(
    real: CriticOutput, filled: CriticOutput, hole: Tensor, *, mask_as_target: bool = True
) -> dict[str, Tensor]:
    """What a step says of the adversary: ``critic_real``, ``critic_filled``, ``critic_right``.

    Mean scores of real pictures and filled ones where the latter were filled, and how often the real one
    of a pair scores higher: 0.5 is a draw, 1 a critic that is never fooled. Scalars, means over scales.
    Being a comparison, it holds for any kind of loss and any share of holes.
    """
    cells = Cells.of(filled.scores, hole, mask_as_target=mask_as_target)
    genuine, made = cells.flat(real.scores), cells.flat(filled.scores)
    right = (1 + torch.sign(genuine - made)) / 2
    sizes = cells.sums(cells.share.sum(dim=0)).clamp_min(1e-6)
    read = cells.sums((torch.stack([genuine, made, right]) * cells.share).sum(dim=1)) / sizes
    names = ("critic_real", "critic_filled", "critic_right")
    return dict(zip(names, read.mean(dim=1).unbind(), strict=True))


@torch.no_grad()
def spread(filled: Tensor, target: Tensor, hole: Tensor) -> Tensor:
    """Contrast of the fills as a share of the wanted: the ratio of standard deviations in the holes.

    Over all holes of a batch together, so that fills that are all alike and fills that are all flat both
    show. Below 1 for any net that hedges; near 0 for one that has collapsed.

    Args:
        filled, target: (N, 3, H, W).
        hole: (N, 1, H, W), 1 = fill.
    """
    count = hole.sum().clamp_min(1)
    both = torch.stack([filled.float(), target.float()])
    mean = (both * hole).sum(dim=(1, 3, 4), keepdim=True) / count
    own, wanted = (((both - mean) * hole).square().sum(dim=(1, 2, 3, 4)) / (3 * count)).sqrt().unbind()
    return own / wanted.clamp_min(1e-6)


@dataclass
class CollapseAlarm:
    """Running means of the adversary, and how long it has been one-sided; plain numbers throughout.

    Told of each step, it answers a line for the log when the critic has won or the fills have gone flat for
    ``patience`` steps on end, and again after as many more. It changes nothing: what to do is said in the
    line. ``as_dict`` goes into the checkpoint, ``CollapseAlarm(**saved)`` brings it back.

    Attributes:
        patience: steps on end before it speaks.
        memory: what is kept of a running mean at each step.
        won: above this share of right comparisons the critic has won.
        flat: below this share of the wanted contrast the fills are flat.
        right, contrast: the running means.
        steps: told of so far.
        winning, flattening: steps on end that the mean has been beyond its limit.
    """

    patience: int = 500
    memory: float = 0.99
    won: float = 0.98
    flat: float = 0.25
    right: float = 0.0
    contrast: float = 0.0
    steps: int = 0
    winning: int = 0
    flattening: int = 0

    def update(self, *, right: float, contrast: float) -> str | None:
        """Take a step's readings in; a line where something is wrong.

        Args:
            right: ``critic_right`` of ``readings``.
            contrast: ``spread`` of the batch.

        >>> alarm = CollapseAlarm(patience=2)
        >>> alarm.update(right=1.0, contrast=0.9)
        >>> alarm.update(right=1.0, contrast=0.9)
        'the critic is right in 100 % of cases, 2 steps on end: lower critic.lr, or set critic.augment'
        """
        self.steps += 1
        # The first steps weigh alike, so that the mean does not start from an invented value.
        new = max(1 - self.memory, 1 / self.steps)
        self.right += new * (right - self.right)
        self.contrast += new * (contrast - self.contrast)
        self.winning = self.winning + 1 if self.right > self.won else 0
        self.flattening = self.flattening + 1 if self.contrast < self.flat else 0
        if self.flattening and self.flattening % self.patience == 0:
            return (
                f"fills have {self.contrast:.0%} of the wanted contrast, {self.flattening} steps on end: "
                "lower critic.weight or critic.balance"
            ).replace("%", " %")
        if self.winning and self.winning % self.patience == 0:
            return (
                f"the critic is right in {self.right:.0%} of cases, {self.winning} steps on end: "
                "lower critic.lr, or set critic.augment"
            ).replace("%", " %")
        return None

    def as_dict(self) -> dict[str, float]:
        """Everything it knows, ready for JSON."""
        return asdict(self)
