"""The labels of a batch as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from remend.train.data.heatmap import drawn
from remend.train.data.labels import UNKNOWN, Label

__all__ = ["Truth"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is asked of the heads; make it with ``Truth.of``.

    Attributes:
        tensors: by name, (N, …), those of tasks that are learned: ``classes`` (N, classes); ``segments``
            (N, h, w) int64; ``heat`` (N, things, h, w), ``box`` (N, 4, h, w), ``centre`` and ``asked``
            (N, 1, h, w).
        counts: samples that have a label, by task: known without asking the device.
    """

    tensors: dict[str, Tensor]
    counts: dict[str, int]

    @staticmethod
    def of(labels: Sequence[Label]) -> Truth:
        """Stack what is said of each sample; all of one size and of the same tasks."""
        tensors: dict[str, Tensor] = {}
        counts: dict[str, int] = {}
        classes = [label.classes for label in labels if label.classes is not None]
        if classes:
            tensors["classes"] = torch.from_numpy(np.stack(classes))
            counts["classification"] = sum(bool(each.any()) for each in classes)
        segments = [label.segments for label in labels if label.segments is not None]
        if segments:
            tensors["segments"] = torch.from_numpy(np.stack(segments).astype(np.int64))
            counts["segmentation"] = sum(bool((each != UNKNOWN).any()) for each in segments)
        found = [(each.boxes, each.asked) for each in labels if each.boxes is not None]
        if found:
            asked = [mask for _, mask in found if mask is not None]
            kinds = labels[0].things
            maps = [
                drawn(boxes, kinds, (mask.shape[0], mask.shape[1]))
                for (boxes, _), mask in zip(found, asked, strict=True)
            ]
            for name, stack in zip(("heat", "box", "centre"), zip(*maps, strict=True), strict=True):
                tensors[name] = torch.from_numpy(np.stack(stack))
            tensors["centre"] = tensors["centre"][:, None]
            tensors["asked"] = torch.from_numpy(np.stack(asked)[:, None].astype(np.float32))
            counts["detection"] = sum(bool(mask.any()) for mask in asked)
        return Truth(tensors, counts)

    def to(self, device: torch.device) -> Truth:
        """The same on ``device``."""
        return Truth({n: t.to(device, non_blocking=True) for n, t in self.tensors.items()}, self.counts)
