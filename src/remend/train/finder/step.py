"""One step of the finder: crops in, gradients out. On a GPU it is recorded once and replayed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.nets.finder import Finder
from remend.train.finder.loss import loss_of
from remend.train.machine.recording import Recorded

__all__ = ["Step"]


class Step:
    """Computes the gradients of one batch.

    Args:
        net: to learn.
        evenness: see ``loss_of``.
        device: of the net.
    """

    def __init__(self, net: Finder, *, evenness: float, device: str) -> None:
        self.net, self.evenness, self.device = net, evenness, torch.device(device)
        self.recorded = Recorded(self._compute, before=lambda: net.zero_grad(set_to_none=True))
        if self.device.type == "cuda":
            self.beside = torch.cuda.Stream()

    def __call__(self, crops: NDArray[np.uint8], labels: NDArray[np.uint8]) -> dict[str, Tensor]:
        """Leave the gradients in the parameters; return the losses, on the net's device.

        Args:
            crops: (N, S, S, 3) RGB, N and S the same at every call; may be overwritten as soon as this
                returns.
            labels: (N, S, S).
        """
        given = torch.from_numpy(crops), torch.from_numpy(labels)
        if self.device.type == "cuda":
            with torch.cuda.stream(self.beside):  # the copy does not wait for steps that are still computed
                given = given[0].to(self.device), given[1].to(self.device)
            self.beside.synchronize()
            for there in given:
                there.record_stream(torch.cuda.current_stream())
        losses: dict[str, Tensor] = self.recorded(*given)
        return losses

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
