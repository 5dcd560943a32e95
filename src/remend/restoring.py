"""`remend restore`: what helps a whole picture, in order: screens, noise and blocks, then damage, then tone,
which goes first where there is little noise and no coarse JPEG.

Joins the rooms `restoration`, `damage` and the repair of `pipeline`, for one picture and from file to file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from remend.adapt import as_picture
from remend.budget import Budget
from remend.damage.gate import nature_of
from remend.errors import WriteError
from remend.faults import own_errors
from remend.finding import find_mask, read_beside, with_missing
from remend.io import encode_picture, write_picture
from remend.io.jpeg.coefficients import coefficients_of
from remend.io.orientation import to_stored
from remend.io.read import printable
from remend.io.write import output_format
from remend.measured import restore_measured, values_asked
from remend.options import Bounds
from remend.options.restoration import RestoreOptions
from remend.patch import lay_patch
from remend.picture import Bool, Picture
from remend.pipeline import repair_picture
from remend.restoration.coefficients import within_bounds
from remend.restoration.enlarging import enlarged
from remend.restoration.grain import put_back_grain, seen_of_kept
from remend.restoration.inspection import Inspection, inspect_picture
from remend.restoration.net import WEIGHTS, chosen, clean, is_grey, noise_seen
from remend.restoration.screens import take_off_screen
from remend.restoration.steps import Step, contrast_raised, seen_of_noise, steps_for, tone_goes_first
from remend.restoration.tones import apply_curves, curves_of, estimate_tones
from remend.samples import eight_bit

__all__ = [
    "Restoration",
    "RestoreReport",
    "restore_file",
    "restore_picture",
    "restored_name",
    "take_off_blocks",
]

LEAST_PX = 8  # of a side: what was measured of less is worth nothing


@dataclass(frozen=True, slots=True)
class Restoration:
    """A restored picture and what was done.

    Attributes:
        picture: the same mode and type, and size unless it was to be enlarged.
        changed: (H, W) bool, where samples differ; everywhere in an enlarged one.
        anew: the whole picture was gone over, so a compressed file is made anew.
        steps: each kind's, with reason and strength; strength 0 = not taken.
        inspection: what was measured before.
        notes: lines that the user should see.
        nature: what the picture is.
    """

    picture: Picture
    changed: Bool
    anew: bool
    steps: tuple[Step, ...]
    inspection: Inspection
    notes: tuple[str, ...]
    nature: str | None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What happened to one file; ``as_json`` is a line of ``--json``."""

    source: str
    target: str | None
    size: tuple[int, int]
    steps: tuple[Step, ...]
    inspection: Inspection
    nature: str | None
    changed_ratio: float
    notes: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "input": self.source,
            "output": self.target,
            "width": self.size[1],
            "height": self.size[0],
            "nature": self.nature,
            "changed_ratio": round(self.changed_ratio, 6),
            "steps": [
                {"step": step.kind, "strength": step.strength, "reason": step.reason} for step in self.steps
            ],
            "measured": self.inspection.as_json(),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def restore_picture(
    picture: Picture,
    options: RestoreOptions | None = None,
    *,
    budget: Budget | None = None,
    dry_run: bool = False,
    stages: Callable[[str], None] | None = None,
    shown: Callable[[str, Picture], None] | None = None,
) -> Restoration:
    """Take off screens, noise and blocks, mend damage, bring faded tones back: what helps, and nothing else.

    A picture that nothing helps comes back as it was, bit for bit.

    Args:
        picture: **restored in place** (a palette picture is rebuilt); hand in a copy to keep it.
        options: which steps, and how strongly.
        budget: asked for time between tiles and steps.
        dry_run: measure and decide, change nothing; damage is not looked for.
        stages: hears of each step as it begins (``measure``, ``screen``, ``noise``, ``damage``,
            ``tone``, ``enlarge``), and again with each tile.
        shown: called with ``before`` and the picture, and with each step that was taken and what it left.

    Raises:
        ModelError: the embedded net is missing or damaged.
        LimitError: the time is over.

    Cost: .7 s to measure, and where the net is needed 150 thousand multiplications a pixel.
    """
    options, budget = options or RestoreOptions(), budget or Budget()
    weights = chosen(options.model)
    values_asked(picture, options)  # refuses what is of measured values alone
    if options.upscale > 1:  # told before any work is done
        budget.check_pixels("enlarged", options.upscale * picture.width, options.upscale * picture.height)
    shown = shown or (lambda step, picture: None)

    def begin(step: str) -> None:
        budget.check_time("the picture")
        if stages is not None:
            stages(step)

    begin("measure")
    inspection = looked_at = inspect_picture(picture)
    nature = nature_of(np.ascontiguousarray(eight_bit(picture))).kind
    page = nature != "photograph"
    steps = _allowed(steps_for(inspection, options, page=page), picture, nature, options)
    by_kind = {step.kind: step for step in steps}
    screen = inspection.screen if by_kind["screen"].strength else None
    changed, notes, anew = np.zeros(picture.size, bool), tuple[str, ...](), False
    given, raised = picture, contrast_raised(inspection, options, page=page)
    if dry_run:
        picture, shown = replace(picture, samples=picture.samples.copy()), lambda step, picture: None

    def bring_tones_back() -> Bool:
        begin("tone")
        # Measured again: dust may be gone, and it was the blackest and the whitest.
        curves = curves_of(estimate_tones(np.ascontiguousarray(eight_bit(picture))), page=page)
        if curves is None:
            return np.zeros(picture.size, bool)
        moved = apply_curves(picture, curves, strength=by_kind["tone"].strength)
        shown("tone", picture)
        return moved

    shown("before", picture)
    early = by_kind["tone"].strength > 0 and screen is None and tone_goes_first(inspection)
    if early:
        changed, raised, anew = bring_tones_back(), 1.0, True
        looked_at = inspect_picture(picture)
        again = steps_for(looked_at, options, page=page, faded=True)
        again = _allowed(again, picture, nature, options)
        by_kind |= {step.kind: step for step in again if step.kind in ("noise", "blocks")}
    if by_kind["noise"].strength and screen is None:
        seen, noise = noise_seen(picture, weights=weights) * raised, by_kind["noise"]
        least = max(seen_of_noise(looked_at), seen_of_kept(options.set_to("keep_grain")))
        why = f"{noise.reason}; what the net would take off everywhere is {seen:.1f}"
        if seen < least:
            noise = replace(noise, strength=0.0)
            why += f": below {least:g} it is texture, or grain that is kept"
        by_kind["noise"] = replace(noise, reason=why)
    if dry_run:
        steps = tuple(by_kind.values())
        return Restoration(given, np.zeros(given.size, bool), False, steps, inspection, notes, nature)

    if screen is not None:
        changed |= take_off_screen(
            picture, screen, strength=by_kind["screen"].strength, told=lambda: begin("screen")
        )
        anew = True
        shown("screen", picture)
    share = max(by_kind["noise"].strength, by_kind["blocks"].strength)
    if share:
        before, views = picture.samples.copy(), options.views(picture.size)
        if by_kind["noise"].strength or screen is not None:
            changed |= clean(
                picture, strength=share, views=views, weights=weights, told=lambda: begin("noise")
            )
        else:
            changed |= take_off_blocks(
                picture, strength=share, views=views, weights=weights, told=lambda: begin("noise")
            )
        if by_kind["noise"].strength:
            kept = options.set_to("keep_grain")
            changed |= put_back_grain(picture, before, kept, inspection.noise.mean)
        anew = True
        shown("noise" if by_kind["noise"].strength else "blocks", picture)
    if by_kind["damage"].strength:
        begin("damage")
        finding = with_missing(find_mask(picture, None, options=options.mask_options), picture)
        notes += finding.notes
        if finding.mask.any():
            mended = repair_picture(
                picture,
                finding.mask,
                options.settings,
                observer=lambda *step: begin("damage"),
            )
            picture = mended.picture
            changed |= mended.changed
            shown("damage", picture)
        marked = 100 * float(np.count_nonzero(finding.mask)) / finding.mask.size
        told = f"{len(finding.regions)} regions, {marked:.2f} % of the picture"
        by_kind["damage"] = Step("damage", float(bool(finding.mask.any())), told)
    if by_kind["tone"].strength and not early:
        moved = bring_tones_back()
        changed, anew = changed | moved, anew or bool(moved.any())
    if options.upscale > 1:
        begin("enlarge")
        picture = enlarged(picture, options.upscale, told=lambda: begin("enlarge"))
        changed, anew = np.ones(picture.size, bool), True
        shown("upscale", picture)
        notes += (f"{options.upscale} times as large: {picture.width} × {picture.height} pixels",)
    return Restoration(picture, changed, anew, tuple(by_kind.values()), inspection, notes, nature)


def take_off_blocks(
    picture: Picture,
    *,
    strength: float = 1.0,
    views: int = 1,
    weights: Path = WEIGHTS,
    told: Callable[[], None] = lambda: None,
) -> Bool:
    """Take a JPEG's blocks off a picture without noise, in place; what its file says of it stays true.

    Args:
        picture: any mode but P. The file that it was read from says where each coefficient lay, if that is
            a JPEG in grey or YCbCr.
        strength, views, weights, told: see ``remend.restoration.net.clean``.

    Returns:
        (H, W) bool, where a sample differs from before.

    Cost: that of ``clean``, and .06 s of a core a megapixel.
    """
    known = coefficients_of(picture)
    if known is None or not strength:
        return clean(picture, strength=strength, views=views, weights=weights, told=told)
    assert picture.container is not None
    before = picture.samples.copy()
    clean(picture, views=views, weights=weights, told=told)
    turned = picture.container.orientation
    if is_grey(picture):  # and stays so to the level
        known = known[:1]
    within_bounds(to_stored(before, turned), to_stored(picture.samples, turned), known)
    for row, was in zip(picture.samples, before, strict=True):
        if strength < 1:
            row[...] = np.rint(was + strength * (row.astype(np.float32) - was))
    return np.asarray((picture.samples != before).any(axis=2))


def _allowed(
    steps: tuple[Step, ...], picture: Picture, nature: str, options: RestoreOptions
) -> tuple[Step, ...]:
    """Steps without those that a picture of this kind must not or cannot take."""
    why = None
    if picture.container is not None and picture.container.details.get("measured", False):
        why = "its values are measured: they are no levels of light, and stay"
    elif picture.palette is not None:
        why = "the picture has a palette: convert it to RGB first"
    elif picture.mode == "CMYK":
        why = "the picture is of inks (CMYK): convert it to RGB first"
    elif min(picture.size) < LEAST_PX:
        why = f"{picture.width} × {picture.height} pixels say too little of themselves"
    elif nature != "photograph" and not options.goes_over_all:
        why = f"the picture is a {nature}: only photographs are gone over; --force if it is meant"
    if why is None:
        return steps
    # A screen is looked for only when asked, and what it was printed with is seldom taken for a photograph.
    asked = {"damage", "screen"} if why.startswith("the picture is a ") else {"damage"}
    return tuple(step if step.kind in asked else replace(step, strength=0.0, reason=why) for step in steps)


def restore_file(
    source: str | PathLike[str] | bytes | BinaryIO,
    target: str | PathLike[str] | BinaryIO | None,
    *,
    options: RestoreOptions | None = None,
    format: str | None = None,
    overwrite: bool = False,
    bounds: Bounds | None = None,
    kept: object | None = None,
    stages: Callable[[str], None] | None = None,
    shown: Callable[[str, Picture], None] | None = None,
) -> RestoreReport:
    """Read, restore, write.

    In the file's own format its profile and what else it tells is kept. A file that nothing helps is copied
    byte for byte; a JPEG that was gone over is made anew at quality 95: its old tables would put the blocks
    back.

    Args:
        source: a path, the file's bytes, or a binary file.
        target: a path, a binary file, or None = measure and decide only.
        options: which steps, and how strongly.
        format: of the output; None = the target's suffix, or the source's format.
        overwrite: replace an existing target.
        bounds: what the job may cost.
        kept: what earlier repairs filled, as a patch (`remend.patch`), laid over the picture first.
        stages: as `restore_picture` takes them, with ``read`` before and ``write`` after.
        shown: as for ``restore_picture``.

    Raises:
        RemendError: one of its kinds, one line each. What ``stages`` raises is not touched.
    """
    name = str(source) if isinstance(source, (str, PathLike)) else getattr(source, "name", "-")
    options = options or RestoreOptions()
    begun = time.perf_counter()
    with own_errors(printable(name)) as given:
        stages = given(stages)
        if isinstance(target, (str, PathLike)) and not overwrite and os.path.lexists(target):
            raise WriteError(f"{target} exists: give another -o, or --overwrite")
        if stages is not None:
            stages("read")
        budget = Budget(bounds)
        picture = as_picture(source, budget=budget, tolerate=options.tolerate)
        if values_asked(picture, options) and kept is None and options.upscale == 1:
            begin = stages or (lambda step: None)
            values = restore_measured(
                _again(source, picture),
                target,
                options,
                budget=Budget(bounds),
                format=format,
                overwrite=overwrite,
                told=begin,
            )
            return RestoreReport(
                source=name,
                target=values.where,
                size=picture.size,
                steps=values.steps,
                inspection=inspect_picture(picture),
                nature=None,
                changed_ratio=values.changed_ratio,
                notes=values.notes,
                seconds=time.perf_counter() - begun,
            )
        notes = picture.container.notes if picture.container is not None else ()
        size = picture.size
        if target is not None:  # told by the source, which an enlarged picture has not any more
            place = Path(target) if isinstance(target, (str, PathLike)) else Path("answer")
            format = output_format(picture, place, format)
        laid = None
        if kept is not None:
            picture, laid = lay_patch(picture, read_beside(picture, kept, budget))
        done = restore_picture(
            picture, options, budget=budget, dry_run=target is None, stages=stages, shown=shown
        )
        changed = done.changed if laid is None or options.upscale > 1 else done.changed | laid
        where, ratio = None, float(np.count_nonzero(changed)) / changed.size
        if target is not None and stages is not None:
            stages("write")
        how: dict[str, Any] = {"changed": changed, "format": format, "anew": done.anew, "consume": True}
        if isinstance(target, (str, PathLike)):
            written = write_picture(done.picture, target, overwrite=overwrite, **how)
            where, notes = str(written.path), notes + written.notes
        elif target is not None:
            encoded = encode_picture(done.picture, **how)
            target.write(encoded.data)
            where, notes = str(getattr(target, "name", "-")), notes + encoded.notes
        return RestoreReport(
            source=name,
            target=where,
            size=size,
            steps=done.steps,
            inspection=done.inspection,
            nature=done.nature,
            changed_ratio=ratio,
            notes=notes + done.notes,
            seconds=time.perf_counter() - begun,
        )


def _again(source: str | PathLike[str] | bytes | BinaryIO, picture: Picture) -> Any:
    """A source that can be opened once more: a pipe has been read by now."""
    held = picture.container.data if picture.container is not None else None
    return source if held is None else held


def restored_name(source: Path) -> Path:
    """``photo.jpg`` → ``photo.restored.jpg``, in the same folder."""
    return source.with_name(f"{source.stem}.restored{source.suffix}")
