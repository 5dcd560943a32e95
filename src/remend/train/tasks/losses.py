"""What further tasks lose, and how their losses are weighed against each other."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from remend.train.data.labels import UNKNOWN
from remend.train.data.targets import Truth
from remend.train.tasks.heads import RESTORATION

__all__ = ["task_losses", "weighed"]


def task_losses(
    answers: Mapping[str, Tensor], truth: Truth | None, counts: Mapping[str, float]
) -> dict[str, Tensor]:
    """The loss of each task that is answered: a mean over the samples that have a label for it.

    - ``classification``: cross-entropy.
    - ``segmentation``: cross-entropy, a mean over a sample's known cells.
    - ``detection``: a focal loss on the heat map (Law & Deng, "CornerNet", ECCV 2018) and L1 of places and
      logarithms of sizes at the centres, both divided by the number of a sample's things.

    Args:
        answers: of ``Heads``.
        truth: of the batch; None = nothing is labelled.
        counts: labelled samples by task, a mean over devices: so that the devices' mean is that over all
            labelled samples. A task that counts none loses 0.

    Returns:
        Scalars by task; their graph reaches each head even where nothing is labelled, as DDP wants it.
    """
    known = truth.tensors if truth is not None else {}
    losses: dict[str, Tensor] = {}

    def mean(task: str, *, each: Tensor) -> Tensor:
        return each.sum() / max(counts.get(task, 0.0), 1e-6) if counts.get(task) else 0 * each.sum()

    if "classes" in answers:
        logits = answers["classes"].float()
        wanted = known.get("classes", torch.zeros_like(logits))
        losses["classification"] = mean(
            "classification", each=-(wanted * F.log_softmax(logits, dim=1)).sum(dim=1)
        )
    if "segments" in answers:
        logits = answers["segments"].float()
        blank = torch.full_like(logits[:, 0], UNKNOWN, dtype=torch.int64)
        wanted = known.get("segments", blank)
        pixels = F.cross_entropy(logits, wanted, ignore_index=UNKNOWN, reduction="none")
        cells = (wanted != UNKNOWN).sum(dim=(1, 2)).clamp_min(1)
        losses["segmentation"] = mean("segmentation", each=pixels.sum(dim=(1, 2)) / cells)
    if "heat" in answers:
        heat, box = answers["heat"].float(), answers["box"].float()
        if "heat" in known:
            each = _detection(heat, box, known)
        else:
            each = heat.sum(dim=(1, 2, 3)) + box.sum(dim=(1, 2, 3))
        losses["detection"] = mean("detection", each=each)
    return losses


def weighed(
    objective: Tensor,
    restoration: Tensor,
    losses: Mapping[str, Tensor],
    *,
    weights: Mapping[str, float],
    log_variances: Tensor | None,
    counts: Mapping[str, float],
) -> tuple[Tensor, dict[str, Tensor]]:
    """One objective of restoration and all tasks.

    With learned weights a task's loss L counts as ``exp(-s) · L + s / 2``, where s is the logarithm of its
    variance; the second term keeps weights from falling to 0. Left alone s goes to where the weight is
    1 / (2 L): tasks that are hard, or whose losses are large by nature, count less.

    Args:
        objective: whose gradient moves the net towards restoration; against a critic not the loss itself.
        restoration: the loss that its variance is judged by.
        losses: of ``task_losses``.
        weights: the tasks with their first weights, in the order of ``log_variances``.
        log_variances: (tasks,); None = ``weights`` as they are.
        counts: labelled samples by task; a task without any leaves its variance alone.

    Returns:
        ``(objective, weights by task)``.

    Reference: Kendall, Gal, Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
    Geometry and Semantics", CVPR 2018. There a regression counts as half of this; here all tasks alike.
    """
    if log_variances is None:
        for task, loss in losses.items():
            objective = objective + weights[task] * loss
        return objective, {}
    total = torch.zeros_like(restoration)
    logs: dict[str, Tensor] = {}
    for index, task in enumerate(weights):
        variance = log_variances[index]
        weight = torch.exp(-variance)
        logs[task] = weight.detach()
        if task == RESTORATION:
            total = total + weight.detach() * objective + weight * restoration.detach() + variance / 2
        elif counts.get(task):
            total = total + weight * losses[task] + variance / 2
        else:
            total = total + losses[task] + 0 * variance
    if RESTORATION not in weights:
        total = total + objective  # 0, but its graph reaches all of the net
    return total, logs


def _detection(heat: Tensor, box: Tensor, known: Mapping[str, Tensor]) -> Tensor:
    """(N,); a sample that without a label loses 0."""
    wanted, centre = known["heat"], known["centre"]
    asked = torch.maximum(known["asked"], centre)
    things = centre.sum(dim=(1, 2, 3)).clamp_min(1)
    here = (wanted >= 1).float()
    sure, empty = F.logsigmoid(heat), F.logsigmoid(-heat)
    found = torch.sigmoid(heat)
    focal = here * (1 - found).square() * sure
    focal = focal + (1 - here) * (1 - wanted) ** 4 * found.square() * empty
    distance = (box - known["box"]).abs() * centre
    return (distance.sum(dim=(1, 2, 3)) - (focal * asked).sum(dim=(1, 2, 3))) / things
