"""`remend restore` of measured values: noise and metal's streaks taken off slices, when asked for by name.

What a scanner measured is no picture to be made nicer, so nothing is done unasked. Every slice or frame is
gone over by itself, at its own depth, in its own units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from remend.budget import Budget
from remend.document import Repaired
from remend.errors import UsageError
from remend.io.pages import encode_document, open_document, write_document
from remend.options.restoration import EVERY, RestoreOptions, StepKind, parse_steps
from remend.picture import Box, Picture
from remend.restoration.metal import METAL_HU, metal_in, without_streaks
from remend.restoration.steps import Step
from remend.restoration.values import Model, denoised, estimate_counts, estimate_rician
from remend.samples import readable

__all__ = ["MeasuredRestoration", "restore_measured", "restore_values", "values_asked"]

STAYS = "its values are measured: they are no levels of light, and stay"
ASKED = ("noise", "streaks")


@dataclass(frozen=True, slots=True)
class MeasuredRestoration:
    """What was done to a file of measured values.

    Attributes:
        where: what was written; None for a dry run.
        steps: of the slice in which most was done.
        changed_ratio: share of all values that changed.
        notes: lines that the user should see.
    """

    where: str | None
    steps: tuple[Step, ...]
    changed_ratio: float
    notes: tuple[str, ...]


def values_asked(picture: Picture, options: RestoreOptions) -> frozenset[StepKind]:
    """The steps that are asked for by name, for a picture of measured values; none for any other.

    Raises:
        UsageError: streaks of a picture that is none.
    """
    container = picture.container
    named = parse_steps(options.only, options.skip or ()) if options.only else frozenset[StepKind]()
    if container is not None and container.details.get("measured", False):
        return named & frozenset(ASKED)
    if "streaks" in named:
        raise UsageError(
            "streaks are metal's, in slices of computed tomography (DICOM, NIfTI), and this is none: leave "
            "them out"
        )
    return frozenset()


def restore_measured(
    source: str | PathLike[str] | bytes | BinaryIO,
    target: str | PathLike[str] | BinaryIO | None,
    options: RestoreOptions,
    *,
    budget: Budget,
    format: str | None = None,
    overwrite: bool = False,
    told: Callable[[str], None] = lambda step: None,
) -> MeasuredRestoration:
    """Every slice or frame of a file, as `restore_values` does it, written back into its own format.

    Args:
        source, target, format, overwrite: as for `remend.restoring.restore_file`.
        options: which steps, by name, and how strongly.
        budget: what each slice may cost.
        told: hears of each step of each slice.

    Cost: a slice at a time; of each 1 s of a core a megapixel, and for streaks 2 s for 512² pixels.
    """
    document = open_document(source, budget=budget)
    found: list[tuple[int, int, tuple[Step, ...]]] = []

    def repaired() -> Iterator[Repaired]:
        for number in range(len(document.pages)):
            page = document.pages[number]
            before = page.samples.copy()
            steps = restore_values(page, options, told=told)
            changed = (page.samples != before).any(axis=2)
            found.append((int(np.count_nonzero(changed)), changed.size, steps))
            if changed.any():
                yield Repaired(number, page, changed)

    where, notes = None, tuple[str, ...]()
    if target is None:
        for _ in repaired():
            pass
    elif isinstance(target, (str, PathLike)):
        written = write_document(document, Path(target), repaired(), format=format, overwrite=overwrite)
        where, notes = str(written.path), written.notes
    else:
        encoded = encode_document(document, repaired(), format=format)
        target.write(encoded.data)
        where, notes = str(getattr(target, "name", "-")), encoded.notes
    _, _, steps = max(found, key=lambda one: one[0])
    if len(found) > 1:
        count = sum(1 for one in found if one[0])
        notes += (f"{count} of {len(found)} {document.axis}s were gone over, each by itself",)
    changed_ratio = sum(one[0] for one in found) / sum(one[1] for one in found)
    return MeasuredRestoration(where, steps, changed_ratio, notes)


def restore_values(
    picture: Picture, options: RestoreOptions, *, told: Callable[[str], None] = lambda step: None
) -> tuple[Step, ...]:
    """Take streaks and noise off one slice, in place.

    What pads a picture, masked zeros of a magnitude, and metal stay as they are.

    Returns:
        A step for each kind, with why it was taken or not.
    """
    assert picture.container is not None
    details, asked = picture.container.details, values_asked(picture, options)
    slope, height = details.get("rescale", (1.0, 0.0))
    values = picture.samples[..., 0].astype(np.float64)
    usable = readable(picture, Box(0, 0, *picture.size)) & np.isfinite(values)
    by_kind: dict[StepKind, Step] = {kind: Step(kind, 0.0, STAYS) for kind in EVERY}
    done = []
    if "streaks" in asked:
        told("streaks")
        share, reason, kept = options.strength_of("streaks"), "no metal is seen", usable
        units = np.where(usable, values * slope + height, -1000.0)
        if details.get("modality", "CT") != "CT":
            share, reason = 0.0, f"a slice of {details['modality']}: only computed tomography has them"
        else:
            metal = metal_in(units)
            reason = f"{np.count_nonzero(metal)} pixels of metal (above {METAL_HU:,.0f} HU)"
            kept = usable & ~metal
            share = share if metal.any() else 0.0
        if share:
            clear = without_streaks(units, metal, strength=share)
            values = np.where(kept, (clear - height) / slope, values)
            done.append("metal's streaks lessened")
        by_kind["streaks"] = Step("streaks", share, reason)
    if "noise" in asked:
        told("noise")
        model, kept = _model(values, usable, details)
        share = options.strength_of("noise") if model is not None else 0.0
        if model is not None and share:
            values = denoised(values, model, strength=share, usable=kept)
            done.append("noise lessened")
        by_kind["noise"] = Step("noise", share, "no noise is seen" if model is None else model.told)
    if done:
        _put(picture, values, usable)
        picture.container = replace(picture.container, details={**details, "done": " and ".join(done)})
    return tuple(by_kind.values())


def _model(values: Any, usable: Any, details: Mapping[str, Any]) -> tuple[Model | None, Any]:
    """What noise a slice has, and where it is to be taken off."""
    modality = details.get("modality", "")
    magnitude = modality in ("MR", "") and bool((values[usable] >= 0).all()) if usable.any() else False
    if magnitude:
        usable = usable & (values != 0)  # zeros were masked out
        return estimate_rician(np.where(usable, values, 0)), usable
    return estimate_counts(np.where(usable, values, np.nan)), usable


def _put(picture: Picture, values: Any, usable: Any) -> None:
    """Values back into the picture's own type and bits."""
    assert picture.container is not None
    kind = picture.samples.dtype
    if kind.kind in "iu":
        info = np.iinfo(kind)
        low, high = picture.container.details.get("limits", (info.min, info.max))
        values = np.clip(np.rint(values), low, high)
    picture.samples[..., 0][usable] = values.astype(kind)[usable]
