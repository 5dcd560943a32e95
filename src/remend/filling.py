"""The steps of a plan, one after the other: a window cut, filled, finished and put back.

With `remend.pipeline`, which makes the plan, it joins the stages; no other module does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

import cv2
import numpy as np

from remend.errors import MaskError, UsageError
from remend.fill.filler import Filler, Following, Neighbour, Propagating
from remend.fill.registry import filler_named, filler_of
from remend.finish.colours import keep_colours
from remend.finish.grain import add_grain, measure_grain
from remend.finish.seam import heal_seam
from remend.finish.tone import keep_tone
from remend.options import Settings
from remend.picture import Bool, Box, Filled, Float, Picture, keep_part, part
from remend.plan.plan import Step
from remend.samples import colour_groups, readable
from remend.windows.mosaic import Mosaic, cut
from remend.windows.scale import enlarged, shrunk
from remend.windows.window import Window

__all__ = ["Beside", "Fillers", "Filling"]

PRIOR = "smooth"  # what fillers that refine a coarse fill start from: the most accurate one
MOSAICS_AT_ONCE = 16  # cut before any is pasted: bounds the memory, and fixes what each may read


@dataclass(frozen=True, slots=True)
class Beside:
    """Another page of the same document.

    Attributes:
        picture: a palette's colours in place of its indices.
        pending: (H, W) bool, what is damaged there and may not be read.
    """

    picture: Picture
    pending: Bool

    def fits(self, page: Picture) -> bool:
        """Whether it is of the size and kind of ``page``."""
        return (self.picture.samples.shape, self.picture.samples.dtype, self.picture.mode) == (
            page.samples.shape,
            page.samples.dtype,
            page.mode,
        )


class Fillers(dict[str, Filler]):
    """The fillers of one job by name, made when first asked for: a model that no hole needs stays closed.

    Attributes:
        method: what was asked for: ``auto``, or the name of what is here already.
    """

    def __init__(self, method: str | Filler) -> None:
        super().__init__()
        self.method = method if isinstance(method, str) else filler_of(method).name
        if method != "auto":
            self[self.method] = filler_of(method)

    def __missing__(self, name: str) -> Filler:
        self[name] = filler_named(name)
        return self[name]


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps in order; tiled ones in groups that are cut at once and filled side by side."""
    for tiled, run in groupby(steps, key=lambda step: step.tiles is not None):
        same = list(run)
        size = MOSAICS_AT_ONCE if tiled else 1
        for start in range(0, len(same), size):
            yield same[start : start + size]


@dataclass(frozen=True, slots=True)
class Filling:
    """A picture on its way, or a mosaic of its tiles.

    Attributes:
        picture: repaired in place.
        pending: (H, W) bool, what is still to be filled and may not be read; cleared hole by hole.
        guide: (H, W) bool, lines to follow; None = there are none.
        settings: how.
        fillers: who can be asked.
        beside: the pages around, for those that look at them.
    """

    picture: Picture
    pending: Bool
    guide: Bool | None
    settings: Settings
    fillers: Fillers
    beside: Mapping[int, Beside]

    def run(self, steps: Sequence[Step], seed: int) -> Iterator[tuple[Step, Filled]]:
        """Do the steps in order, the first with ``seed``, each other one with the next."""
        for group in _groups(steps):
            yield from zip(group, self.fill_group(group, [seed + k for k in range(len(group))]), strict=True)
            seed += len(group)

    def fill_group(self, group: list[Step], seeds: list[int]) -> list[Filled]:
        """Fill a group's holes and write them into the picture."""
        if group[0].tiles is None:
            return [self.fill_step(step, seed) for step, seed in zip(group, seeds, strict=True)]
        mosaics = [cut(self.picture, self.pending, step.tiles) for step in group if step.tiles is not None]
        # OpenCV divides the work of one of these threads at a time and leaves the others alone. Its number of
        # threads is the process's: to set it to one here would be felt by every other repair.
        with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
            answers = list(pool.map(self._fill_mosaic, group, mosaics, seeds))
        filled = []
        for step, mosaic, answer, seed in zip(group, mosaics, answers, seeds, strict=True):
            if answer is not None:
                mosaic.paste(self.picture, self.pending)
            else:
                answer = self._fill_afar(step, seed)
            filled.append(answer)
        return filled

    def _fill_mosaic(self, step: Step, mosaic: Mosaic, seed: int) -> Filled | None:
        """Fill a mosaic's holes in the mosaic; None where it holds nothing to read."""
        whole = Box(0, 0, *mosaic.picture.size)
        if not (readable(mosaic.picture, whole) & ~mosaic.pending).any():
            return None
        lines = None if self.guide is None else mosaic.lay(self.guide)
        beside: dict[int, Beside] = {}
        if self.fillers[step.filler].capabilities.neighbours and step.tiles is not None:
            laid = {far: cut(page.picture, page.pending, step.tiles) for far, page in self.beside.items()}
            beside = {far: Beside(tiles.picture, tiles.pending) for far, tiles in laid.items()}
        inside = replace(self, picture=mosaic.picture, pending=mosaic.pending, guide=lines, beside=beside)
        return inside.fill_step(replace(step, window=whole, hole=mosaic.hole, tiles=None), seed)

    def _fill_afar(self, step: Step, seed: int) -> Filled:
        """Fill a mosaic's holes amid transparency: their windows grow until they find something to read.

        Holes that nobody sees stay unreadable when they are filled, so they learn nothing from each other:
        one that lies in another's grown window is filled along with it, or each would cost a large picture.
        """
        answer, unseen = None, []
        for box, hole in step.pieces():
            piece = replace(step, window=box, hole=hole, tiles=None)
            if self._seen(box, hole):
                answer = self.fill_step(piece, seed)
            else:
                unseen.append((self._place(piece, self.fillers[step.filler])[0], box, hole))
        together: dict[Box, Bool] = {}
        for window, box, hole in sorted(unseen, key=lambda one: -one[0].height * one[0].width):
            wide = next((other for other in together if other.union(box) == other), window)
            inside = together.setdefault(wide, np.zeros((wide.height, wide.width), bool))
            inside[box.inside(wide).slices] |= hole
        for wide, inside in together.items():
            answer = self.fill_step(replace(step, window=wide, hole=inside, tiles=None), seed)
        assert answer is not None
        return answer

    def _seen(self, box: Box, hole: Bool) -> bool:
        """Whether something of a hole is visible, or will be."""
        alpha = self.picture.alpha_channel
        if alpha is None or self.settings.repair_alpha:
            return True
        return bool(part(self.picture.samples, box)[..., alpha][hole].any())

    def fill_step(self, step: Step, seed: int) -> Filled:
        """Fill one window's holes and write them into the picture."""
        picture, filler = self.picture, self.fillers[step.filler]
        box, hole, usable = self._place(step, filler)
        lines = None if self.guide is None else part(self.guide, box)
        leading: Filled | None = None
        for channels in colour_groups(picture, alpha=self.settings.repair_alpha):
            window = self._cut(box, channels, hole, usable, lines)
            if leading is not None and leading.source_xy is not None and (leading.source_xy[hole] >= 0).all():
                filled = window.copied(leading.source_xy)  # ink K follows CMY, alpha follows RGB
            else:
                near = _neighbours(self.beside, window, step.scale, filler.capabilities.neighbours)
                filled = enlarged(_asked(filler, shrunk(window, step.scale), near, seed), window)
            window.put(picture, _finished(filler, window, filled, self.settings.grain, seed))
            leading = leading or filled
        waiting = part(self.pending, box)
        waiting &= ~hole
        keep_part(self.pending, box, waiting)
        assert leading is not None
        return leading

    def _cut(
        self, box: Box, channels: tuple[int, ...], hole: Bool, usable: Bool, lines: Bool | None
    ) -> Window:
        """The window of one group of channels; where it shows nothing, in the range of the nearest page."""
        if not usable.any():
            page = self._shown(None, box)
            if page is not None:
                there = readable(page.picture, box) & ~part(page.pending, box)
                span = Window.cut(page.picture, box, channels, hole=hole, usable=there)
                return replace(span, usable=usable, lines=lines)
        return Window.cut(self.picture, box, channels, hole=hole, usable=usable, lines=lines)

    def _shown(self, filler: Filler | None, box: Box) -> Beside | None:
        """The nearest page around that shows something there; None = there is none in the filler's reach."""
        reach = None if filler is None else filler.capabilities.neighbours
        for far in sorted(self.beside, key=abs):
            page = self.beside[far]
            if (reach is None or abs(far) <= reach) and not part(page.pending, box).all():
                return page
        return None

    def _place(self, step: Step, filler: Filler) -> tuple[Box, Bool, Bool]:
        """The step's window, grown until it holds pixels that can be read; its hole, and those pixels.

        Raises:
            MaskError: there are none in the whole picture.
        """
        assert step.hole is not None
        box, size, wraps_x = step.window, self.picture.size, self.picture.wraps_x
        if filler.capabilities.sees_hole:
            usable = readable(self.picture, box)
            usable &= ~part(self.pending, box) | step.hole
            return box, step.hole, usable
        while not (usable := readable(self.picture, box) & ~part(self.pending, box)).any():
            if (box.height, box.width) == size:
                if self._shown(filler, box) is not None:
                    break
                raise MaskError(
                    "the mask leaves no pixel to repair from: mark less, "
                    "or turn it round with --mask-polarity"
                )
            box = box.grown(max(box.height, box.width), size, wraps_x=wraps_x)
        hole = np.zeros((box.height, box.width), bool)
        hole[step.window.inside(box).slices] = step.hole
        return box, hole, usable


def _neighbours(
    pages: Mapping[int, Beside], window: Window, scale: float, reach: int
) -> dict[int, Neighbour]:
    """What the pages up to ``reach`` away show where the window lies, at the scale that it is filled at."""
    seen = {
        far: shrunk(window.beside(page.picture, page.pending), scale)
        for far, page in pages.items()
        if abs(far) <= reach
    }
    return {far: Neighbour(small.pixels, small.usable) for far, small in seen.items()}


def _asked(filler: Filler, window: Window, near: Mapping[int, Neighbour], seed: int) -> Filled:
    """One call of the filler, with a prior where it wants one, and with the lines where there are any.

    Raises:
        UsageError: its answer is of another size, or not finite in the hole.
    """
    pixels, hole, usable, prior = window.pixels, window.hole, window.usable, None
    if filler.capabilities.takes_prior:
        prior = filler_named(PRIOR).fill(pixels, hole, usable=usable).pixels
    if window.lines is not None:  # then the plan has asked: the filler follows them
        following = cast(Following, filler)
        filled = following.fill(pixels, hole, usable=usable, prior=prior, guide=window.lines, seed=seed)
    elif near:  # then it has asked for them
        looking = cast(Propagating, filler)
        filled = looking.fill(pixels, hole, usable=usable, prior=prior, neighbours=near, seed=seed)
    else:
        filled = filler.fill(pixels, hole, usable=usable, prior=prior, seed=seed)
    if filled.pixels.shape != pixels.shape or not np.isfinite(filled.pixels[hole]).all():
        raise UsageError(
            f"the filler {filler.name} answered {filled.pixels.shape} for {pixels.shape}, or numbers that "
            "are not finite: it breaks its contract"
        )
    return filled


def _finished(filler: Filler, window: Window, filled: Filled, grain: float, seed: int) -> Float:
    """The picture's tone where the filler draws; seams where it copies or draws, grain where it is smooth."""
    after, hole, usable = window.composed(filled), window.hole, window.usable
    if filler.capabilities.sees_hole:  # what it answers was there: no tone, seam or grain to be matched
        return after
    if filler.capabilities.draws:
        after = keep_tone(after, hole, usable)
    if filler.capabilities.strays:
        after = keep_colours(after, hole, usable)
    if filler.capabilities.makes_texture:
        return heal_seam(after, hole, usable)
    found = measure_grain(window.pixels, usable) if grain > 0 else None
    return after if found is None else add_grain(after, hole, found, seed=seed, amount=grain)
