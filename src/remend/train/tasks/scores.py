"""Measuring further tasks on the fixed samples of validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from remend.nets.inpainter import Inpainter
from remend.picture import Float
from remend.train.data.heatmap import CELL_PX, box_iou, peaks
from remend.train.data.labels import UNKNOWN, Label
from remend.train.data.loader import collate
from remend.train.data.samples import Sample
from remend.train.tasks.heads import Heads, Together

__all__ = ["accuracy", "average_precision", "mean_iou", "task_scores"]

_BATCH = 10
_OVERLAP = 0.5


def task_scores(
    net: Inpainter, heads: Heads, samples: Sequence[Sample], device: torch.device
) -> dict[str, float]:
    """``accuracy``, ``miou`` and ``ap50`` of the tasks that are learned, over the samples that have a label.

    Args:
        net, heads: averaged, in evaluation mode.
        samples: of one size, damaged as they are for restoration: that is what the heads are shown.
        device: where to compute.
    """
    together = Together(net, heads).eval()
    labelled = [sample for sample in samples if sample.label is not None and sample.label.said]
    answers: dict[str, list[np.ndarray]] = {}
    for first in range(0, len(labelled), _BATCH):
        batch = collate(labelled[first : first + _BATCH]).to(device).shown()
        with torch.inference_mode():
            _, outputs = together(batch.image, batch.hole)
        for name in outputs.keys() - {"log_variances"}:
            answers.setdefault(name, []).extend(outputs[name].float().cpu().numpy())
    labels = [sample.label for sample in labelled if sample.label is not None]
    scores: dict[str, float] = {}
    if "classes" in answers:
        scores |= _if_any("accuracy", accuracy(answers["classes"], labels))
    if "segments" in answers:
        scores |= _if_any("miou", mean_iou(answers["segments"], labels))
    if "heat" in answers:
        heat = [1 / (1 + np.exp(-each)) for each in answers["heat"]]
        found = [peaks(h, s) for h, s in zip(heat, answers["box"], strict=True)]
        scores |= _if_any("ap50", average_precision(found, labels))
    return scores


def accuracy(answers: Sequence[Float], labels: Sequence[Label]) -> float:
    """Share of labelled pictures whose surest class is one that they show; NaN where none is labelled."""
    right = [
        bool(label.classes[int(answer.argmax())] > 0)
        for answer, label in zip(answers, labels, strict=True)
        if label.classes is not None and label.classes.any()
    ]
    return float(np.mean(right)) if right else float("nan")


def mean_iou(answers: Sequence[Float], labels: Sequence[Label]) -> float:
    """Intersection over union, over all pictures at once, mean over what occurs in the truth.

    No thing at all, 0, is one of the kinds. NaN where nothing is labelled.
    """
    shared: dict[int, int] = {}
    united: dict[int, int] = {}
    occurs: set[int] = set()
    for answer, label in zip(answers, labels, strict=True):
        if label.segments is None:
            continue
        known = label.segments != UNKNOWN
        got, wanted = answer.argmax(axis=0)[known], label.segments[known]
        occurs |= set(np.unique(wanted).tolist())
        for kind in set(np.unique(wanted).tolist()) | set(np.unique(got).tolist()):
            shared[kind] = shared.get(kind, 0) + int(((got == kind) & (wanted == kind)).sum())
            united[kind] = united.get(kind, 0) + int(((got == kind) | (wanted == kind)).sum())
    return float(np.mean([shared[kind] / united[kind] for kind in occurs])) if occurs else float("nan")


def average_precision(found: Sequence[tuple[Float, Float]], labels: Sequence[Label]) -> float:
    """Average precision at an overlap of 0.5, the area under the whole curve, mean over what occurs.

    A find whose centre lies where boxes are not known counts neither way. NaN where there is no box.

    Args:
        found: boxes and scores of each picture, as ``peaks`` answers them.
        labels: of the same pictures.
    """
    kinds = {int(kind) for label in labels if label.boxes is not None for kind in label.boxes[:, 0]}
    return float(np.mean([_precision(kind, found, labels) for kind in kinds])) if kinds else float("nan")


def _precision(kind: int, found: Sequence[tuple[Float, Float]], labels: Sequence[Label]) -> float:
    finds: list[tuple[float, int]] = []  # score, and 1 = right
    wanted = 0
    for (boxes, scores), label in zip(found, labels, strict=True):
        if label.boxes is None or label.asked is None or not label.asked.any():
            continue
        truths = label.boxes[label.boxes[:, 0] == kind, 1:]
        wanted += len(truths)
        taken = np.zeros(len(truths), np.bool_)
        for box, score in zip(boxes, scores, strict=True):
            if int(box[0]) != kind:
                continue
            overlaps = np.where(taken, -1, box_iou(box[1:], truths)) if len(truths) else np.zeros(0)
            best = int(overlaps.argmax()) if len(truths) else -1
            right = best >= 0 and overlaps[best] >= _OVERLAP
            if right:
                taken[best] = True
            elif not _asked(box, label):
                continue
            finds.append((float(score), int(right)))
    finds.sort(key=lambda find: -find[0])
    right = np.cumsum([find[1] for find in finds])
    precision = right / np.arange(1, len(finds) + 1)
    # The best precision at this recall or more, as everywhere.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    hits = [find[1] for find in finds]
    return float((envelope * hits).sum() / wanted) if finds else 0.0


def _asked(box: Float, label: Label) -> bool:
    assert label.asked is not None
    height, width = label.asked.shape
    x = min(max(int((box[1] + box[3]) / 2 / CELL_PX), 0), width - 1)
    y = min(max(int((box[2] + box[4]) / 2 / CELL_PX), 0), height - 1)
    return bool(label.asked[y, x])


def _if_any(name: str, value: float) -> dict[str, float]:
    return {} if np.isnan(value) else {name: value}
