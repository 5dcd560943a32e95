"""Pairs by number: the same number gives the same pair, whoever draws it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from remend.train.data.workers import Crew
from remend.train.restorer.wear import MARGIN_PX, Wear, clean_crop, worn

__all__ = ["Sampler"]

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws pairs.

    Attributes:
        pictures: (H, W, 3) uint8 each; not written to.
        size: side of a crop.
        seed: of everything.
        wear: what happens how often.
    """

    pictures: Sequence[NDArray[np.uint8]]
    size: int
    seed: int
    wear: Wear = field(default_factory=Wear)

    def sample(self, number: int) -> Pair:
        """Pair ``number``: (S, S, 3) uint8 RGB as it was, and worn."""
        rng = np.random.default_rng([self.seed, number])
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        clean = clean_crop(picture, self.size + MARGIN_PX, rng, self.wear)
        shown = worn(clean, rng, self.wear)
        top, left = (int(n) for n in rng.integers(0, MARGIN_PX + 1, 2))
        part = np.s_[top : top + self.size, left : left + self.size]
        return clean[part], shown[part]

    def batches(self, first: int, size: int, *, workers: int) -> Generator[Pair, None, None]:
        """Endless batches (N, S, S, 3), clean and worn, from pair ``first`` on, drawn by processes.

        A batch is overwritten when a later one is asked for: see ``Crew.batches``.
        """

        def draw(number: int, rows: dict[str, NDArray[np.uint8]]) -> None:
            rows["clean"][:], rows["shown"][:] = self.sample(number)

        row = ((self.size, self.size, 3), np.uint8)
        source = Crew(draw, {"clean": row, "shown": row}, size=size, workers=workers).batches(first)
        try:
            for rows in source:
                yield rows["clean"], rows["shown"]
        finally:
            source.close()
