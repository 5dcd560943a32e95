"""Random numbers of a batch: of the batch as a whole, or of each of its samples by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["Chance", "ChanceOfEach"]


class Chance:
    """Random numbers of a batch on a device; the same seed and number give the same ones."""

    def __init__(self, seed: int, number: int, device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed * 1_000_003 + number)

    def even(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(count,) numbers from ``low`` to ``high``."""
        return low + (high - low) * torch.rand(count, generator=self.generator, device=self.device)

    def whole(self, count: int, below: int) -> Tensor:
        """(count,) int64 from 0 on."""
        return torch.randint(below, (count,), generator=self.generator, device=self.device)

    def flip(self, count: int, chance: float) -> Tensor:
        """(count,) bool."""
        return self.even(count) < chance

    def normal(self, *shape: int) -> Tensor:
        """Of deviation 1."""
        return torch.randn(shape, generator=self.generator, device=self.device)


class ChanceOfEach(Chance):
    """The same, but that each sample has a generator of its own.

    What a sample gets is then a function of its seed alone, whatever batch or device it is on. Drawn on the
    processor, so that every device gets the same.

    Args:
        seeds: of the samples, in the batch's order; ``count`` must be their number wherever one is asked for.
        device: where the numbers are wanted.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.device = device
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def even(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(count,) numbers from ``low`` to ``high``."""
        return low + (high - low) * self._drawn(torch.rand, count, ()).to(self.device)

    def whole(self, count: int, below: int) -> Tensor:
        """(count,) int64 from 0 on."""
        return (self._drawn(torch.rand, count, ()).double() * below).long().to(self.device)

    def normal(self, *shape: int) -> Tensor:
        """Of deviation 1."""
        return self._drawn(torch.randn, shape[0], shape[1:]).to(self.device)

    def _drawn(self, draw: Callable[..., Tensor], count: int, shape: tuple[int, ...]) -> Tensor:
        assert count == len(self.generators)
        return torch.stack([draw(shape, generator=generator) for generator in self.generators])
