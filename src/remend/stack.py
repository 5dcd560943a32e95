"""The pages of a document, repaired one after the other: what knows the pages beside a page.

A filler that says how many `neighbours` it wants gets them, those before it repaired already: `volume`, which
`auto` takes for the slices of a volume. For all others a page is a picture of its own, repaired exactly as it
would be alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from remend.document import Document
from remend.fill.registry import filler_of
from remend.filling import Beside
from remend.finding import Finding
from remend.options import Settings
from remend.picture import Bool, Picture
from remend.pipeline import Observer, Restored, plan_repair, repair_picture
from remend.plan.plan import Plan
from remend.samples import expand_palette

__all__ = ["Turn", "walk"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A page that was repaired, or planned.

    Attributes:
        number: of the page, from 0.
        picture: as it was read; repaired in place, so only its size and its container are what they were.
        finding: what was to be repaired.
        restored: what became of it; when it was planned only, the picture as it was.
    """

    number: int
    picture: Picture
    finding: Finding
    restored: Restored


@dataclass(slots=True)
class _Near:
    """A page in reach: as read, and with what is damaged in it; repaired once its turn is over."""

    picture: Picture
    finding: Finding | None

    def beside(self) -> Beside:
        flat = expand_palette(self.picture)
        damaged = np.zeros(flat.size, bool) if self.finding is None else self.finding.mask
        return Beside(flat, damaged)


def walk(
    document: Document,
    numbers: Sequence[int],
    find: Callable[[int, Picture], Finding],
    settings: Settings,
    *,
    guide: Callable[[Picture], Bool | None] = lambda picture: None,
    plan_only: bool = False,
    observer: Observer | None = None,
    planned: Callable[[Plan], None] | None = None,
) -> Iterator[Turn]:
    """Repair pages in ascending order, each when it is asked for.

    Args:
        document: from `remend.io.pages.open_document`.
        numbers: which pages, from 0.
        find: the finding of a page, asked for once.
        settings: how to repair; the seed is every page's own.
        guide: the lines of a page that its holes are to hold.
        plan_only: plan, and fill nothing.
        observer, planned: as `remend.pipeline.repair_picture` takes them.

    Cost: one page in memory, and as many on each side as the filler wants to see.
    """
    if document.axis == "slice" and settings.method == "auto" and not settings.deidentify:
        settings = replace(settings, method="volume", grain=0)
    volume = document.together or len(document.pages)
    reach = 0 if settings.method == "auto" else filler_of(settings.method).capabilities.neighbours
    chosen, near = set(numbers), dict[int, _Near]()

    def reached(number: int) -> _Near:
        if number not in near:
            picture = document.pages[number]
            near[number] = _Near(picture, find(number, picture) if number in chosen else None)
        return near[number]

    for number in sorted(chosen):
        for gone in [held for held in near if held < number - reach]:
            del near[gone]
        first = number // volume * volume
        within = range(
            max(first, number - reach), min(first + volume, len(document.pages), number + reach + 1)
        )
        beside = {other - number: reached(other).beside() for other in within if other != number}
        picture, finding = reached(number).picture, reached(number).finding
        assert finding is not None
        lines = guide(picture)
        if plan_only:
            plan = plan_repair(picture, finding.mask, settings, guide=lines)
            restored = Restored(picture, finding.mask, plan)
        else:
            restored = repair_picture(
                picture,
                finding.mask,
                settings,
                guide=lines,
                beside=beside,
                observer=observer,
                planned=planned,
            )
        if reach:  # a copy of its own: the writer may let go of the samples
            kept = replace(restored.picture, samples=restored.picture.samples.copy())
            near[number] = _Near(kept, None)
        else:
            del near[number]
        yield Turn(number, picture, finding, restored)
