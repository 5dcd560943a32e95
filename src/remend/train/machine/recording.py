"""A computation recorded once on a GPU, and replayed as one command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

__all__ = ["Recorded"]

_WARM_UPS = 4  # before the recording: libraries choose their kernels and take their memory in these

Result = TypeVar("Result")


class Recorded:
    """``compute`` on inputs of fixed shapes; on CUDA a graph with fixed places for what goes in.

    A batch of small crops keeps a GPU busy for a few milliseconds, and giving it the thousand commands of a
    step takes longer than that. Recorded, a step is one command. Elsewhere it is computed as it is.

    Args:
        compute: called with tensors; leaves gradients in parameters, if it likes, and returns tensors. It
            must not wait for the device, and do the same whatever the tensors hold.
        before: called before the recording, after it was tried some times: to forget gradients.

    What it returns on CUDA is overwritten by the next call.
    """

    def __init__(self, compute: Callable[..., Result], *, before: Callable[[], None]) -> None:
        self.compute, self.before = compute, before
        self.graph: Any = None

    def __call__(self, *given: Tensor) -> Any:
        """What ``compute`` answers."""
        if given[0].device.type != "cuda":
            return self.compute(*given)
        if self.graph is None:
            self._record(given)
        for place, tensor in zip(self.places, given, strict=True):
            place.copy_(tensor)
        self.graph.replay()
        return self.result

    def _record(self, given: tuple[Tensor, ...]) -> None:
        self.places = [tensor.clone() for tensor in given]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                self.compute(*self.places)
            self.before()
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.result = self.compute(*self.places)
