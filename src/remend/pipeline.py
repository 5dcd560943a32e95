"""The pipeline: plan the mask of one picture, fill window by window, finish, put back.

With `remend.filling`, which does the steps of the plan, the only module that joins the stages. It knows
pictures and masks; files are `remend.repairing`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from remend.errors import UsageError
from remend.fill.filler import Filler
from remend.fill.registry import filler_of
from remend.filling import Beside, Fillers, Filling
from remend.finish.feather import SoftEdge
from remend.finish.polish import polish
from remend.options import Settings
from remend.picture import Bool, Filled, Picture, check_mask
from remend.plan.plan import Plan, Step, make_plan
from remend.plan.policy import policy_for
from remend.planes import LazyPlane, count_marked
from remend.samples import blank, collapse_palette, colour_groups, expand_palette, void_of
from remend.windows.pole import Pole, View, poles_of

__all__ = ["Observer", "Restored", "may_be_whole", "method_notes", "plan_repair", "repair_picture"]

HUGE_WINDOW_PX = 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """A repaired picture.

    Attributes:
        picture: the same size, mode and type; samples outside ``changed`` are bit-identical.
        changed: (H, W) bool, where samples may differ.
        plan: what was done.
    """

    picture: Picture
    changed: Bool
    plan: Plan = field(default_factory=lambda: Plan(()))


Observer = Callable[[int, int, Step, Filled], None]
"""Called after each step with its number from 1, how many there are, the step, and its fill."""


def plan_repair(picture: Picture, mask: Bool, settings: Settings, *, guide: Bool | None = None) -> Plan:
    """What ``repair_picture`` would do, without doing it.

    Raises:
        MaskError: the mask does not fit.
        UsageError, ModelError: a method that does not exist or a model that cannot run; a guide that does not
            fit, or for a method that follows none; also when the mask is empty, so that a wrong name never
            passes unseen.
    """
    settings = _suited(picture, settings)
    return _course(picture, mask, settings, guide, Fillers(settings.method)).plan


@dataclass(frozen=True, slots=True)
class _Around:
    """What is done around a pole of a panorama: the steps are the view's own."""

    pole: Pole
    view: View
    steps: tuple[Step, ...]

    def told(self, step: Step) -> Step:
        """A step as the panorama's: where the view's fills go."""
        reason = f"{step.reason}; in a view of the {self.pole.name} without distortion"
        hole = np.ascontiguousarray(self.pole.upright(self.pole.hole))
        return replace(step, reason=reason, window=self.pole.box, hole=hole, tiles=None)


@dataclass(frozen=True, slots=True)
class _Course:
    """What is done, in order: the poles of a panorama in views of their own, then ``steps`` for ``mask``."""

    around: tuple[_Around, ...]
    mask: Bool
    steps: tuple[Step, ...]

    @property
    def plan(self) -> Plan:
        """All of it, as told."""
        return Plan((*(one.told(step) for one in self.around for step in one.steps), *self.steps))


def _course(
    picture: Picture, mask: Bool, settings: Settings, guide: Bool | None, fillers: Fillers
) -> _Course:
    check_mask(mask, picture.size)
    if guide is not None:
        _check_guide(guide, picture.size, fillers)
    policy = policy_for(fillers.method, settings.quality)
    damaged_px = count_marked(mask)
    if not damaged_px or settings.deidentify:
        return _Course((), mask, ())
    policy, picture = policy.affordable(damaged_px), expand_palette(picture)
    around, rest = [], mask
    for pole in poles_of(picture, mask) if picture.projection == "equirect" else ():
        view = pole.look(picture, mask)
        inner = make_plan(
            view.picture,
            view.hole,
            policy=policy,
            fillers=fillers,
            side_px=min(picture.size),
            window_px=settings.window_px,
        )
        around.append(_Around(pole, view, inner.steps))
        rest = rest.copy()
        rest[pole.box.slices] &= ~pole.upright(pole.hole)
    # Wide holes of a huge picture: structure at a small scale, detail copied at full size, memory bounded.
    huge_px = HUGE_WINDOW_PX if isinstance(picture.samples, LazyPlane) else None
    steps = make_plan(
        picture, rest, policy=policy, fillers=fillers, damaged=mask, window_px=settings.window_px or huge_px
    ).steps
    return _Course(tuple(around), rest, steps)


def _suited(picture: Picture, settings: Settings) -> Settings:
    """Without what draws, copies or adds grain, where the file says that its samples are measured values."""
    measured = picture.container is not None and picture.container.details.get("measured", False)
    if measured and settings.method == "auto" and not settings.deidentify:
        return replace(settings, method="smooth", grain=0)
    return settings


def method_notes(method: str | Filler) -> tuple[str, ...]:
    """Lines that the user of a method should see: of a model file that nobody vouches for.

    Raises:
        UsageError, ModelError: as ``plan_repair``.
    """
    notes: tuple[str, ...] = getattr(filler_of(method), "notes", ()) if method != "auto" else ()
    return notes


def may_be_whole(method: str | Filler) -> bool:
    """Whether a mask may cover all of a picture: by a method that sees what lies under it.

    Raises:
        UsageError, ModelError: as ``plan_repair``.
    """
    return method != "auto" and filler_of(method).capabilities.sees_hole


def _check_guide(guide: Bool, size: tuple[int, int], fillers: Fillers) -> None:
    """Lines need a picture of their size and somebody who follows them.

    Raises:
        UsageError: there is none.
    """
    if guide.dtype != np.bool_ or guide.shape != size:
        raise UsageError(
            f"a guide is bool of the picture's shape {size}, True = line, got {guide.dtype} {guide.shape}"
        )
    if fillers.method == "auto" or not fillers[fillers.method].capabilities.takes_guide:
        raise UsageError(
            f"the method {fillers.method} follows no lines: give a model with an input guide as "
            "--method FILE.onnx, or leave the guide out"
        )


def repair_picture(
    picture: Picture,
    mask: Bool,
    settings: Settings | None = None,
    *,
    guide: Bool | None = None,
    beside: Mapping[int, Beside] | None = None,
    observer: Observer | None = None,
    planned: Callable[[Plan], None] | None = None,
) -> Restored:
    """Repair what ``mask`` marks, and nothing else.

    Args:
        picture: **repaired in place** (a palette picture is rebuilt); hand in a copy to keep it.
        mask: (H, W) bool, True = repair.
        settings: how.
        guide: (H, W) bool, True = a line that the holes are to hold, for methods that follow lines.
        beside: the pages around by their distance (-1 before, 1 after), for methods that look at them;
            those of another size or kind are left out.
        observer: hears of each step.
        planned: hears the plan, before anything is filled.

    Raises:
        MaskError: the mask does not fit, or leaves nothing to repair from.
        UsageError, ModelError: see ``plan_repair``.
    """
    settings = _suited(picture, settings or Settings())
    fillers = Fillers(settings.method)
    course = _course(picture, mask, settings, guide, fillers)
    plan = course.plan
    if planned is not None:
        planned(plan)
    work = expand_palette(picture)
    if settings.deidentify:
        work = blank(work, mask)
        return Restored(
            work if picture.palette is None else collapse_palette(picture, work, mask), mask, plan
        )
    edge = SoftEdge(work, mask, width_px=settings.feather_px)
    around = {distance: page for distance, page in (beside or {}).items() if page.fits(work)}
    number = 0

    def heard(step: Step, filled: Filled) -> None:
        nonlocal number
        number += 1
        if observer is not None:
            observer(number, len(plan.steps), step, filled)

    first = settings.seed * 1_000_003
    for one in course.around:
        lines = None if guide is None else one.pole.lay(guide)
        repair = Filling(one.view.picture, one.view.hole.copy(), lines, settings, fillers, {})
        for step, filled in repair.run(one.steps, first + number):
            heard(one.told(step), Filled(filled.pixels))
        channels = [c for group in colour_groups(work, alpha=settings.repair_alpha) for c in group]
        one.pole.put(work, repair.picture, channels)
    pending, void = course.mask.copy(), void_of(picture)
    if void is not None:  # is not read, and not filled unless it is marked
        pending |= void
    repair = Filling(work, pending, guide, settings, fillers, around)
    for step, filled in repair.run(course.steps, first + number):
        heard(step, filled)
    changed = mask
    if settings.denoise or settings.sharpen:
        changed = np.ones_like(mask) if settings.whole_picture else mask
        polish(work, changed, denoise_by=settings.denoise, sharpen_by=settings.sharpen)
    edge.lay_over(work)
    if picture.palette is not None:
        work = collapse_palette(picture, work, changed)
    return Restored(work, changed, plan)
