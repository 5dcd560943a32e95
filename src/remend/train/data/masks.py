"""Where the holes of training come from: crops of seeded masks, in the mix that the recipe asks for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from remend.damage.synth import make_mask
from remend.picture import Bool
from remend.train.data.workers import calm, quiet_fork

__all__ = ["GROUPS", "Group", "MaskBank", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of mask, drawn on a canvas as large as its strokes were meant for.

    Attributes:
        kind: of ``remend.damage.synth``.
        canvas_px: side of the canvas; None = the crop's own.
        ratio: wanted on the canvas; None = as the kind comes.
    """

    kind: str
    canvas_px: int | None
    ratio: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Sources that are drawn from evenly, and the hole ratios that a crop of them may have."""

    sources: tuple[Source, ...]
    ratio: tuple[float, float]


GROUPS: dict[str, Group] = {
    "thin": Group(
        (
            Source("scratches", 384, (0.02, 0.1)),
            Source("scratches", 384, (0.02, 0.1)),
            Source("dust", 256, (0.01, 0.06)),
            Source("cracks", 512),
            Source("text", 384),
            Source("lama-thin", 512),
            Source("tears", 512),
            Source("free-form", 512),
        ),
        (0.005, 0.25),
    ),
    "free_form": Group(
        (
            Source("free-form", 256),
            Source("lama-medium", 512),
            Source("lama-train256", 256),
            Source("stains", 384, (0.1, 0.4)),
            Source("comodgan", 512, (0.2, 0.5)),
        ),
        (0.1, 0.5),
    ),
    "box": Group((Source("box", None), Source("box", None), Source("centre", None)), (0.03, 0.5)),
    "large": Group(
        (
            Source("lama-thick", None, (0.5, 0.75)),
            Source("free-form", None, (0.5, 0.75)),
            Source("comodgan", 256, (0.5, 0.75)),
        ),
        (0.5, 0.75),
    ),
}
"""The groups that ``Data`` weighs against each other."""

_TRIES = 12

Kept = dict[tuple[Source, int, int], NDArray[np.uint8]]
"""Masks by source, side of the canvas and number."""


@dataclass
class MaskBank:
    """Masks made once and cropped, turned and mirrored often; each a pure function of (seed, number).

    Drawing a full mask of scratches costs fifty times what a training sample may; so each source has a
    limited number of masks, made when first asked for and kept as bits.

    Attributes:
        seed: of all masks.
        size: masks of each source that is cropped from a canvas; the quick ones that are drawn at the
            crop's own size have forty times as many.
    """

    seed: int
    size: int = 160
    _kept: Kept = field(default_factory=dict, repr=False)

    def draw(self, group: str, side: int, rng: np.random.Generator) -> Bool:
        """A hole: (side, side) bool, True = hole, never empty, its ratio within the group's range.

        Where no crop of the drawn masks falls into the range, the one that came closest is taken.
        """
        chosen = GROUPS[group]
        low, high = chosen.ratio
        best: Bool | None = None
        miss = np.inf
        for _ in range(_TRIES):
            source = chosen.sources[int(rng.integers(len(chosen.sources)))]
            variety = self.size if source.canvas_px else 40 * self.size
            rows = self._mask(source, side, int(rng.integers(variety)))
            top, left = (int(rng.integers(len(rows) - side + 1)) for _ in range(2))
            crop = np.unpackbits(rows[top : top + side], axis=1)[:, left : left + side].view(np.bool_)
            crop = np.rot90(crop, int(rng.integers(4)))
            if rng.random() < 0.5:
                crop = crop[:, ::-1]
            ratio = np.count_nonzero(crop) / crop.size
            if ratio and low <= ratio <= high:
                return np.ascontiguousarray(crop)
            distance = max(low - ratio, ratio - high)
            if ratio and distance < miss:
                best, miss = crop, distance
        if best is None:
            return make_mask("box", (side, side), seed=int(rng.integers(2**31)))
        return np.ascontiguousarray(best)

    def prepare(self, groups: Sequence[str], side: int, workers: int) -> None:
        """Make the masks of these groups that are cropped from canvases, by ``workers`` forked processes.

        For a bank that is about to be shared by forking: each process would make its own.

        Cost: 20 s of one core for all groups at 256²; 160 KB of memory a hundred masks.
        """
        sources = dict.fromkeys(s for name in groups for s in GROUPS[name].sources if s.canvas_px)
        wanted = [(s, number) for s in sources for number in range(self.size)]
        wanted = [w for w in wanted if (w[0], max(side, w[0].canvas_px or side), w[1]) not in self._kept]
        # Neighbours are of one kind and take alike: dealt out evenly.
        shares = [share for n in range(4 * workers) if (share := wanted[n :: 4 * workers])]
        if not shares:
            return
        with ProcessPoolExecutor(workers, get_context("fork"), calm) as pool, quiet_fork():
            for made in pool.map(MaskBank(self.seed, self.size)._made, shares, [side] * len(shares)):
                self._kept |= made

    def _made(self, wanted: Sequence[tuple[Source, int]], side: int) -> Kept:
        for source, number in wanted:
            self._mask(source, side, number)
        return self._kept

    def _mask(self, source: Source, side: int, number: int) -> NDArray[np.uint8]:
        """A mask of a square canvas, eight pixels a byte along each row."""
        canvas = max(side, source.canvas_px or side)
        key = (source, canvas, number)
        rows = self._kept.get(key)
        if rows is None:
            mask = make_mask(
                source.kind, (canvas, canvas), seed=self.seed * 1_000_003 + number, ratio=source.ratio
            )
            # Two threads may make the same mask at once: it is the same, so the last one may win.
            self._kept[key] = rows = np.packbits(mask, axis=1)
        return rows
