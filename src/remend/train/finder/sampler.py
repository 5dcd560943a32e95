"""Samples by number: the same number gives the same crop, whoever draws it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.train.data.workers import Crew, calm
from remend.train.finder.crops import Ageing, aged, crop_of, lay, weathered
from remend.train.finder.maps import Map, Outlines, draw_map

__all__ = ["Mix", "Sampler", "draw_bank"]

Sample = tuple[NDArray[np.uint8], NDArray[np.uint8]]
MARGIN_PX = 96  # a map is that much larger than a crop, so that another part of it is laid each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of samples.

    Attributes:
        damaged: photographs with damage on them; one in three has two kinds.
        graphic: documents, charts, drawings: nothing on them is damage, whatever it looks like.
        scene: photographs in which wires, rain, stars … were drawn; half of them damaged too.
    """

    damaged: float = 0.7
    graphic: float = 0.05
    scene: float = 0.09


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws crops.

    Attributes:
        pictures: (H, W, 3) uint8 each; not written to.
        bank: maps of damage.
        size: side of a crop.
        seed: of everything.
        mix, ageing: what happens how often.
        fonts: for what is lettered.
    """

    pictures: Sequence[NDArray[np.uint8]]
    bank: Sequence[Map]
    size: int
    seed: int
    mix: Mix = field(default_factory=Mix)
    ageing: Ageing = field(default_factory=Ageing)
    fonts: tuple[Path, ...] = ()

    def sample(self, number: int, *, clean: bool = False) -> Sample:
        """Crop ``number``: (S, S, 3) uint8 RGB and its labels (S, S) uint8; ``clean``: without damage."""
        rng = np.random.default_rng([self.seed, number])
        label = np.zeros((self.size, self.size), np.uint8)
        roll = rng.random()
        if not clean and roll < self.mix.graphic:
            from remend.damage.synth.graphics import graphic

            drawn = graphic((self.size, self.size), seed=rng, fonts=[str(path) for path in self.fonts])
            return weathered(drawn, rng, self.ageing), label
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        crop = crop_of(picture, self.size, rng, enlarged=self.ageing.enlarged)
        is_scene = self.mix.graphic <= roll < self.mix.graphic + self.mix.scene
        if is_scene:
            from remend.damage.synth.scenes import scene

            crop = scene(crop, seed=rng)
        crop = aged(crop, rng, self.ageing)
        wanted = 0.5 if is_scene else self.mix.damaged / (1 - self.mix.graphic - self.mix.scene)
        if not clean and rng.random() < wanted:
            count = 1 + int(rng.random() < 0.35)
            chosen = [self.bank[int(k)] for k in rng.integers(len(self.bank), size=count)]
            crop = lay(crop, label, chosen, rng)
        return weathered(crop, rng, self.ageing), label

    def batches(
        self, first: int, size: int, *, workers: int, clean: bool = False
    ) -> Generator[Sample, None, None]:
        """Endless batches (N, S, S, 3) and (N, S, S) from sample ``first`` on, drawn by processes.

        A batch is overwritten when a later one is asked for: see ``Crew.batches``.
        """

        def draw(number: int, rows: dict[str, NDArray[np.uint8]]) -> None:
            rows["crop"][:], rows["label"][:] = self.sample(number, clean=clean)

        planes = {
            "crop": ((self.size, self.size, 3), np.uint8),
            "label": ((self.size, self.size), np.uint8),
        }
        source = Crew(draw, planes, size=size, workers=workers).batches(first)
        try:
            for rows in source:
                yield rows["crop"], rows["label"]
        finally:
            source.close()


def draw_bank(
    count: int,
    size: int,
    *,
    seed: int,
    outlines: Outlines | None,
    fonts: tuple[Path, ...] = (),
    workers: int = 2,
    say: Callable[[str], None] = print,
) -> list[Map]:
    """``count`` maps for crops of ``size``; a map is a function of the seed and its number."""
    global _DRAW
    _DRAW = lambda number: draw_map(  # noqa: E731 - forked processes see it
        size + MARGIN_PX, rng=np.random.default_rng([seed, 7, number]), outlines=outlines, fonts=fonts
    )
    say(f"draws {count:,} maps of damage")
    with ProcessPoolExecutor(max(1, workers), get_context("fork"), calm) as pool:
        return list(pool.map(_drawn, range(count), chunksize=32))


_DRAW: Callable[[int], Map] | None = None


def _drawn(number: int) -> Map:
    assert _DRAW is not None
    return _DRAW(number)
