"""``data.damage=noise:5-50,jpeg:20-90,blur:0-2``: what lies on the pictures that a net learns to make clean.

What is shown is worn all over, and the clean picture is wanted. The kinds are laid on in the order in which a
camera does it: blur, noise, JPEG, each at a strength that is drawn evenly from its range, a sample at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from remend.errors import UsageError
from remend.train.wear.chance import ChanceOfEach
from remend.train.wear.jpeg import compressed
from remend.train.wear.names import KINDS, ranges_of
from remend.train.wear.noise import noisy
from remend.train.wear.resampling import apart, gaussian

__all__ = ["WornAs", "seeds_of"]

_BLOCKS_PX = 16


@dataclass(frozen=True)
class WornAs:
    """What is laid on pictures. Make it with ``WornAs.of``.

    Attributes:
        ranges: least and most of each kind: of noise the deviation in levels of 255, of JPEG the quality, of
            blur the Gaussian's sigma in px.
    """

    ranges: dict[str, tuple[float, float]]

    @staticmethod
    def of(damage: str) -> WornAs | None:
        """What ``data.damage`` says; None where it names no wear.

        Raises:
            UsageError: a kind, or a range, that cannot be meant.

        >>> WornAs.of("noise:5-50,blur:1").ranges
        {'blur': (1.0, 1.0), 'noise': (5.0, 50.0)}
        >>> WornAs.of("masks/") is None
        True
        """
        ranges = ranges_of(damage)
        return WornAs(ranges) if ranges else None

    def alone(self, kind: str) -> WornAs:
        """One of the kinds, at the middle of its range: what validation looks at."""
        middle = sum(self.ranges[kind]) / 2
        return WornAs({kind: (middle, middle)})

    def __call__(self, clean: Tensor, seeds: Sequence[int]) -> Tensor:
        """The same pictures with wear on them, rounded to levels as files hold them.

        Args:
            clean: (N, 3, S, S) in [0, 1]; with JPEG S is a multiple of 16.
            seeds: of the N samples: the same seed and picture give the same answer.

        Returns:
            (N, 3, S, S) in [0, 1], laid out as ``clean`` is.

        Raises:
            UsageError: sides that JPEG's blocks do not fit.

        Cost: 4 ms of a core a picture of 128².
        """
        count, size = len(clean), clean.shape[-1]
        if "jpeg" in self.ranges and size % _BLOCKS_PX:
            raise UsageError(f"with JPEG as damage data.crop_px is a multiple of {_BLOCKS_PX}, got {size}")
        chance = ChanceOfEach(seeds, clean.device)
        shown = (clean.float() * 255).round()
        for kind in KINDS:
            if kind not in self.ranges:
                continue
            strength = chance.even(count, *self.ranges[kind])
            if kind == "blur":
                shown = apart(shown, gaussian(strength, size)).round().clamp(0, 255)
            elif kind == "noise":
                shown = noisy(shown, strength, chance)
            else:
                shown = compressed(shown, strength.round(), chance.flip(count, 0.5))
        worn = torch.empty_like(clean)
        return worn.copy_(shown / 255)


def seeds_of(seed: int, indices: Sequence[int]) -> list[int]:
    """A seed for the wear of each sample, from that of the run and the sample's number."""
    return [int(np.random.SeedSequence([seed, n, 5]).generate_state(1, np.uint32)[0]) for n in indices]
