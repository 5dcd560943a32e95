"""One step of the finder: crops in, gradients out. On a GPU it is recorded once and replayed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.nets.finder import Finder
from remend.train.finder.loss import loss_of

__all__ = ["Step"]

_WARM_UPS = 4  # steps before the recording: libraries choose their kernels and take their memory in these


class Step:
    """Computes the gradients of one batch.

    A batch of small crops keeps a GPU busy for a few milliseconds, and giving it the thousand commands of a
    step takes longer than that. So on CUDA the forward pass, the loss and the backward pass are recorded in a
    graph, with fixed places for what goes in; a step is then one command.

    Args:
        net: to learn.
        size: side of a crop.
        batch: crops.
        evenness: see ``loss_of``.
        device: of the net.
    """

    def __init__(self, net: Finder, *, size: int, batch: int, evenness: float, device: str) -> None:
        self.net, self.evenness, self.device = net, evenness, torch.device(device)
        self.graph: Any = None
        if self.device.type == "cuda":
            self.beside = torch.cuda.Stream()
            self.crops = torch.zeros((batch, size, size, 3), dtype=torch.uint8, device=self.device)
            self.labels = torch.zeros((batch, size, size), dtype=torch.uint8, device=self.device)

    def __call__(self, crops: NDArray[np.uint8], labels: NDArray[np.uint8]) -> dict[str, Tensor]:
        """Leave the gradients in the parameters; return the losses, on the net's device.

        Args:
            crops: (N, S, S, 3) RGB; may be overwritten as soon as this returns.
            labels: (N, S, S).
        """
        if self.device.type != "cuda":
            return self._compute(torch.from_numpy(crops), torch.from_numpy(labels))
        with torch.cuda.stream(self.beside):  # the copy does not wait for steps that are still computed
            crops_there = torch.from_numpy(crops).to(self.device)
            labels_there = torch.from_numpy(labels).to(self.device)
        self.beside.synchronize()
        if self.graph is None:
            self.crops.copy_(crops_there)
            self.labels.copy_(labels_there)
            self._record()
        current = torch.cuda.current_stream()
        for there in (crops_there, labels_there):
            there.record_stream(current)
        self.crops.copy_(crops_there)
        self.labels.copy_(labels_there)
        self.graph.replay()
        return self.losses

    def _compute(self, crops: Tensor, labels: Tensor) -> dict[str, Tensor]:
        self.net.train()
        self.net.zero_grad(set_to_none=True)
        image = crops.permute(0, 3, 1, 2).float() / 255
        # Weights that are cast once and kept would be those of the recording for ever.
        with torch.autocast(self.device.type, torch.bfloat16, cache_enabled=self.device.type != "cuda"):
            logits = self.net(image)
        loss, parts = loss_of(logits, labels.long(), evenness=self.evenness)
        loss.backward()
        return parts

    def _record(self) -> None:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                self._compute(self.crops, self.labels)
            self.net.zero_grad(set_to_none=True)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.losses = self._compute(self.crops, self.labels)
