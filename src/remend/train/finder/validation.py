"""What a finder in training says of crops: to measure it, and to find the clean ones that mislead it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.nets.finder import DAMAGE, Finder
from remend.train.finder.crops import IGNORED
from remend.train.finder.sampler import Sampler

__all__ = ["chances_in", "judged_crops", "validate", "worst_of"]

_AT_ONCE = 32

Judged = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@torch.no_grad()
def chances_in(net: Finder, crops: NDArray[np.uint8]) -> Iterator[Tensor]:
    """Chances (n, K, S, S) float32 on the net's device, for crops (N, S, S, 3) uint8 in parts of 32."""
    device = next(net.parameters()).device
    net.eval()
    for first in range(0, len(crops), _AT_ONCE):
        shown = torch.from_numpy(crops[first : first + _AT_ONCE]).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(shown.permute(0, 3, 1, 2).float() / 255)
        yield logits.float().softmax(dim=1)


def worst_of(
    net: Finder, crops: NDArray[np.uint8], keep: int, *, least: float = 1.0
) -> list[NDArray[np.uint8]]:
    """Of clean crops the ``keep`` worst: the most is taken for damage in them, ``least`` pixels or more."""
    blame = [
        blamed
        for chance in chances_in(net, crops)
        for blamed in (chance[:, DAMAGE].sum(dim=1).clamp(min=0.1) - 0.1).flatten(1).sum(dim=1).tolist()
    ]
    order = np.argsort(blame)[::-1][:keep]
    return [crops[k].copy() for k in order if blame[k] >= least]


def judged_crops(sampler: Sampler, count: int) -> Judged:
    """The fixed crops of validation, and what is true of them."""
    pairs = [sampler.sample(k) for k in range(count)]
    return np.stack([crop for crop, _ in pairs]), np.stack([label for _, label in pairs])


def validate(net: Finder, judged: Judged) -> dict[str, float]:
    """F1 within 2 px at chances of .3, .5 and .9, recall of each class, share of sound pixels flagged."""
    crops, labels = judged
    chances = np.concatenate([part.cpu().numpy() for part in chances_in(net, crops)])
    damaged = chances[:, DAMAGE].sum(axis=1)
    truth = (labels >= DAMAGE.start) & (labels < DAMAGE.stop)
    ignored = labels == IGNORED
    disc = np.ones((5, 5), np.uint8)
    near_truth = np.stack([cv2.dilate(t.astype(np.uint8), disc) for t in truth]) > 0
    row: dict[str, float] = {}
    for least in (0.3, 0.5, 0.9):
        found = (damaged >= least) & ~ignored
        near_found = np.stack([cv2.dilate(f.astype(np.uint8), disc) for f in found]) > 0
        precision = (found & near_truth).sum() / max(1, found.sum())
        recall = (truth & near_found).sum() / max(1, truth.sum())
        row[f"f1_{least}"] = float(2 * precision * recall / max(1e-9, precision + recall))
        row[f"precision_{least}"], row[f"recall_{least}"] = float(precision), float(recall)
        clean = ~truth.any(axis=(1, 2)) & ~ignored.any(axis=(1, 2))
        row[f"clean_{least}"] = float(found[clean].mean())
        if least == 0.5:
            for k, name in enumerate(("scratch", "dust", "stain", "hole"), 1):
                of_class = labels == k
                row[f"recall_{name}"] = float((near_found & of_class).sum() / max(1, of_class.sum()))
    text = labels >= DAMAGE.stop
    read = chances[:, DAMAGE.stop :].sum(axis=1) >= 0.5
    row["text_recall"] = float((read & text).sum() / max(1, text.sum()))
    row["text_false"] = float((read & ~text).mean())
    return row
