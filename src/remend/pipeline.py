"""The pipeline: plan the mask of one picture, fill window by window, finish, put back.

The only module that joins the stages. It knows pictures and masks; files are `remend.job`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.fill.catalogue import filler_named
from remend.fill.filler import Filler
from remend.fill.push_pull import push_pull
from remend.finish.grain import add_grain, measure_grain
from remend.finish.polish import denoise, sharpen
from remend.finish.seam import heal_seam
from remend.picture import Bool, Box, Filled, Float, Picture, check_mask
from remend.plan.plan import Plan, Step, make_plan
from remend.plan.policy import policy_for
from remend.samples import (
    collapse_palette,
    colour_groups,
    expand_palette,
    put_back,
    readable,
    take_out,
    value_range,
)
from remend.scale import enlarge, shrink

__all__ = ["Observer", "Restored", "Settings", "plan_repair", "restore"]

POLISH_TILE_PX = 1024
POLISH_MARGIN_PX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to repair. Fields are the command line's flags.

    Attributes:
        method: ``auto``, a name of the catalogue, or the path of an ``.onnx`` file.
        quality: ``fast``, ``balanced`` or ``best``; what ``auto`` may spend, and whether texture
            may cost likeness.
        seed: of everything that is drawn at random.
        grain: 0 = none, 1 = as strong as around the hole.
        denoise: 0 to 1, strength of denoising.
        sharpen: 0 to 3, amount of sharpening.
        whole_picture: denoise and sharpen everything, not only what was filled.
        repair_alpha: fill the alpha channel too; otherwise transparency stays as it was.
    """

    method: str = "auto"
    quality: str = "balanced"
    seed: int = 0
    grain: float = 1.0
    denoise: float = 0.0
    sharpen: float = 0.0
    whole_picture: bool = False
    repair_alpha: bool = False


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


def plan_repair(picture: Picture, mask: Bool, settings: Settings) -> Plan:
    """What ``restore`` would do, without doing it.

    Raises:
        MaskError: the mask does not fit.
        UsageError, ModelError: a method that does not exist or a model that cannot run; also when
            the mask is empty, so that a wrong name never passes unseen.
    """
    check_mask(mask, picture.size)
    policy = policy_for(settings.method, settings.quality)
    capabilities = {rung.filler: filler_named(rung.filler).capabilities for rung in policy.rungs}
    if not mask.any():
        return Plan(())
    return make_plan(expand_palette(picture), mask, policy=policy, capabilities=capabilities)


def restore(
    picture: Picture,
    mask: Bool,
    settings: Settings | None = None,
    *,
    observer: Observer | None = None,
) -> Restored:
    """Repair what ``mask`` marks, and nothing else.

    Args:
        picture: **repaired in place** (a palette picture is rebuilt); hand in a copy to keep it.
        mask: (H, W) bool, True = repair.
        settings: how.
        observer: hears of each step.

    Raises:
        MaskError: the mask does not fit, or leaves nothing to repair from.
        UsageError, ModelError: see ``plan_repair``.
    """
    settings = settings or Settings()
    plan = plan_repair(picture, mask, settings)
    work = expand_palette(picture)
    pending = mask.copy()
    for number, step in enumerate(plan.steps):
        filled = _do(work, pending, step, settings, seed=settings.seed * 1_000_003 + number)
        if observer is not None:
            observer(number + 1, len(plan.steps), step, filled)
    changed = mask
    if settings.denoise or settings.sharpen:
        changed = np.ones_like(mask) if settings.whole_picture else mask
        _polish(work, changed, settings)
    if picture.palette is not None:
        work = collapse_palette(picture, work, changed)
    return Restored(work, changed, plan)


def _do(picture: Picture, pending: Bool, step: Step, settings: Settings, *, seed: int) -> Filled:
    """Fill one step's holes and write them into the picture."""
    filler = filler_named(step.filler)
    window, hole, usable = _with_something_to_read(picture, pending, step)
    groups = colour_groups(picture, alpha=settings.repair_alpha)
    # What is written: this step's core, less what an earlier tile has already done.
    write = np.zeros_like(hole)
    write[step.core.inside(window).slices] = True
    write &= hole & pending[window.slices]
    leading: Filled | None = None
    for channels in groups:
        span = value_range(picture, window, usable)
        before = take_out(picture, window, channels, span)
        if leading is not None and leading.source_xy is not None and (leading.source_xy[write] >= 0).all():
            filled = _copied(before, write, leading.source_xy)
        else:
            filled = _filled(filler, before, hole, usable, step.scale, seed)
        after = np.where(hole[..., None], filled.pixels, before).astype(np.float32)
        after = _finished(filler, after, before, hole, usable, settings.grain, seed)
        put_back(picture, window, write, after, channels, span)
        leading = leading or filled
    pending[window.slices] &= ~write
    assert leading is not None
    return leading


def _with_something_to_read(picture: Picture, pending: Bool, step: Step) -> tuple[Box, Bool, Bool]:
    """The step's window, grown until it holds pixels that can be read.

    Raises:
        MaskError: there are none in the whole picture.
    """
    window = step.window
    while True:
        usable = readable(picture, window) & ~pending[window.slices]
        whole = Box(0, 0, *picture.size)
        if usable.any():
            break
        if window == whole:
            raise MaskError(
                "the mask leaves no pixel to repair from: mark less, or turn it round with --mask-polarity"
            )
        window = window.grown(max(window.height, window.width), picture.size)
    hole = np.zeros((window.height, window.width), bool)
    hole[step.window.inside(window).slices] = step.hole
    # Holes that an earlier tile finished are known now.
    hole &= pending[window.slices]
    return window, hole, usable


def _filled(filler: Filler, before: Float, hole: Bool, usable: Bool, scale: float, seed: int) -> Filled:
    """Ask the filler, at the scale that the plan chose."""
    if not hole.any():
        return Filled(before)
    if scale < 1:
        small, small_hole, small_usable = shrink(before, hole, usable, scale)
        answer = _asked(filler, small, small_hole, small_usable, seed)
        return enlarge(answer, before, hole, usable)
    return _asked(filler, before, hole, usable, seed)


def _asked(filler: Filler, window: Float, hole: Bool, usable: Bool, seed: int) -> Filled:
    """One call of the filler, with a prior where it wants one."""
    prior = push_pull(window, usable) if filler.capabilities.takes_prior else None
    return filler.fill(window, hole, usable=usable, prior=prior, seed=seed)


def _copied(before: Float, write: Bool, source_xy: NDArray[np.int32]) -> Filled:
    """The same pixels copied in another group of channels: ink K follows CMY, alpha follows RGB."""
    x, y = source_xy[write].T
    pixels = before.copy()
    pixels[write] = before[y, x]
    return Filled(pixels, source_xy)


def _finished(
    filler: Filler, after: Float, before: Float, hole: Bool, usable: Bool, grain: float, seed: int
) -> Float:
    """Seams where the filler copies or invents, grain where it is smooth."""
    if not hole.any():
        return after
    if filler.capabilities.makes_texture:
        return heal_seam(after, hole, usable)
    found = measure_grain(before, usable) if grain > 0 else None
    return after if found is None else add_grain(after, hole, found, seed=seed, amount=grain)


def _polish(picture: Picture, where: Bool, settings: Settings) -> None:
    """Denoise and sharpen ``where``, tile by tile."""
    height, width = picture.size
    whole = Box.around(where)
    if whole is None:
        return
    source = Picture(picture.samples.copy(), picture.mode, container=picture.container)
    for top in range(whole.top, whole.bottom, POLISH_TILE_PX):
        for left in range(whole.left, whole.right, POLISH_TILE_PX):
            tile = Box(
                top, left, min(top + POLISH_TILE_PX, whole.bottom), min(left + POLISH_TILE_PX, whole.right)
            )
            if not where[tile.slices].any():
                continue
            window = tile.grown(POLISH_MARGIN_PX, (height, width))
            hole = np.zeros((window.height, window.width), bool)
            hole[tile.inside(window).slices] = where[tile.slices]
            hole &= readable(source, window)
            for channels in colour_groups(picture):
                span = value_range(source, window, readable(source, window))
                pixels = take_out(source, window, channels, span)
                pixels = sharpen(denoise(pixels, amount=settings.denoise), amount=settings.sharpen)
                put_back(picture, window, hole, pixels, channels, span)
