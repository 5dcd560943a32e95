"""What the finder is taught by: a focal cross-entropy by pixel, and overlap over the whole batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from remend.nets.finder import DAMAGE
from remend.train.finder.crops import IGNORED

__all__ = ["loss_of"]

FOCUS = 1.5


def loss_of(
    logits: Tensor, label: Tensor, *, evenness: float, overlap: float = 1.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of a batch.

    Args:
        logits: (N, K, H, W).
        label: (N, H, W) long; ``IGNORED`` counts nowhere.
        evenness: how far every damaged place counts alike, instead of every pixel: see ``Stage``.
        overlap: weight of the overlap.

    Returns:
        The loss, and its parts for the log: nothing here waits for a GPU.

    References: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017; Milletari et al., "V-Net",
    3DV 2016. The overlap is taken over the batch at once: a crop without damage has none to overlap.
    """
    logits = logits.float()
    counts = label != IGNORED
    truth = torch.where(counts, label, 0)
    weight = _weight(truth > 0, evenness) * counts
    log_chance = functional.log_softmax(logits, dim=1)
    of_truth = log_chance.gather(1, truth[:, None])[:, 0]
    focal = -((1 - of_truth.exp()) ** FOCUS) * of_truth * weight
    chance = log_chance.exp()
    damaged = chance[:, DAMAGE].sum(dim=1) * weight
    is_damaged = ((truth >= DAMAGE.start) & (truth < DAMAGE.stop)) * weight
    lettered = chance[:, DAMAGE.stop :].sum(dim=1) * weight
    is_lettered = (truth >= DAMAGE.stop) * weight
    by_pixel = focal.sum() / (is_damaged.sum() + is_lettered.sum() + 0.002 * weight.sum() + 1)
    missed = 1 - _overlap(damaged, is_damaged)
    unread = 1 - _overlap(lettered, is_lettered)
    total = by_pixel + overlap * (missed + 0.3 * unread)
    return total, {
        "loss": total.detach(),
        "focal": by_pixel.detach(),
        "missed": missed.detach(),
        "unread": unread.detach(),
    }


def _weight(marked: Tensor, evenness: float) -> Tensor:
    """(N, H, W): what a pixel counts; about 1 in wide marks and elsewhere, up to 20 in thin and lonely ones.

    So every place that is damaged counts about as much as the next. By pixels a few wide marks are nearly
    all of a batch's damage, and the net learns neither them nor specks for a thousand steps.
    """
    small = functional.avg_pool2d(marked[:, None].float(), 16)
    around = functional.avg_pool2d(small, 3, stride=1, padding=1)
    density = functional.interpolate(around, scale_factor=16.0, mode="nearest")[:, 0]
    return torch.where(marked, (density + 0.03) ** -evenness, 1.0)


def _overlap(chance: Tensor, truth: Tensor) -> Tensor:
    """Dice over a batch, 0 to 1; 1 where there is nothing."""
    both = torch.minimum(chance, truth).sum()
    return (2 * both + 64) / (chance.sum() + truth.sum() + 64)
