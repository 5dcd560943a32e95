"""One picture from file to file: read, find damage, plan, fill, finish, write."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from remend.adapt import as_picture
from remend.budget import Budget
from remend.errors import WriteError
from remend.faults import own_errors
from remend.finding import Finding, find_mask, read_beside, read_guide, with_missing
from remend.io import encode_picture, write_picture
from remend.io.read import printable
from remend.options import Bounds, MaskOptions, Settings
from remend.patch import lay_patch, patch_of
from remend.picture import Filled
from remend.pipeline import Observer, Restored, method_notes, plan_repair, restore
from remend.plan.plan import Plan, Step

__all__ = ["Report", "default_target", "repair_file"]


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to one picture; ``as_json`` is a line of ``--json``.

    Attributes:
        source: the input's name.
        target: where the result was written; None for a dry run.
        size: (height, width).
        hole_ratio: share of the picture that the effective mask marks.
        found: how many regions of each kind were found.
        plan: what was done, or would be done.
        notes: lines that the user should see.
        seconds: by stage.
        left: how many regions of each kind were seen and left alone.
        nature: what the picture is, as far as it was asked: ``photograph``, ``document`` …
    """

    source: str
    target: str | None
    size: tuple[int, int]
    hole_ratio: float
    found: dict[str, int]
    plan: Plan
    notes: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    nature: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data, without the arrays."""
        return {
            "input": self.source,
            "output": self.target,
            "width": self.size[1],
            "height": self.size[0],
            "hole_ratio": round(self.hole_ratio, 6),
            "nature": self.nature,
            "found": self.found,
            "left": self.left,
            "methods": dict(Counter(step.filler for step in self.plan.steps)),
            "notes": list(self.notes),
            "seconds": {stage: round(spent, 4) for stage, spent in self.seconds.items()},
        }


def repair_file(
    source: str | PathLike[str] | bytes | BinaryIO,
    target: str | PathLike[str] | BinaryIO | None,
    *,
    mask: object | None = None,
    guide: object | None = None,
    settings: Settings | None = None,
    options: MaskOptions | None = None,
    format: str | None = None,
    overwrite: bool = False,
    bounds: Bounds | None = None,
    observer: Observer | None = None,
    stages: Callable[[str, int], None] | None = None,
    kept: object | None = None,
    as_patch: bool = False,
    inspect: Callable[[Restored, Finding], None] | None = None,
) -> Report:
    """Read, find damage, plan, fill, finish, write.

    Args:
        source: a path, the file's bytes, or a binary file.
        target: a path, a binary file, or None to plan only and write nothing.
        mask: a mask as ``repair`` takes it; None = find the damage.
        guide: lines to follow as ``repair`` takes them, or None.
        settings: how to repair.
        options: how to read or find the mask.
        format: of the output; None = the target's suffix, or the source's format.
        overwrite: replace an existing target.
        bounds: what the job may cost.
        observer: hears of each step.
        stages: hears of each stage as it begins (``read``, ``find``, ``plan``, ``fill``, ``write``), and
            how many steps it has: those of the plan for ``fill``, 0 for the others.
        kept: what earlier steps filled, as a patch (`remend.patch`), laid over the picture before anything
            else; it counts as changed. With an empty mask only it is written into the file.
        as_patch: write a patch (PNG) of all that was filled, ``kept`` included, instead of the picture.
        inspect: gets the repaired picture and the finding before the picture is encoded
            (``--explain`` looks at it).

    Raises:
        RemendError: one of its kinds, one line each; what a library raised is its cause. What ``observer``,
            ``stages`` and ``inspect`` raise is not touched, nor is the BrokenPipeError of ``target``.
    """
    settings, options, name = settings or Settings(), options or MaskOptions(), _name_of(source)
    with own_errors(printable(name)) as given:
        if isinstance(target, (str, PathLike)) and not overwrite and os.path.lexists(target):
            # Said again by the writer; said here before any work is done.
            raise WriteError(f"{target} exists: give another -o, or --overwrite")
        laps, budget = _Laps(), Budget(bounds)
        observer, stages, inspect = given(observer), given(stages), given(inspect)

        def begin(stage: str, steps: int) -> None:
            budget.check_time(name)
            if stages is not None:
                stages(stage, steps)

        def watch(number: int, count: int, step: Step, filled: Filled) -> None:
            budget.check_time(name)
            if observer is not None:
                observer(number, count, step, filled)

        begin("read", 0)
        picture = as_picture(source, budget=budget, tolerate=options.tolerate)
        notes = picture.container.notes if picture.container is not None else ()
        laid = None
        if kept is not None:
            picture, laid = lay_patch(picture, read_beside(picture, kept, budget))
        lines = read_guide(picture, guide, options=options, budget=budget)
        laps.end("read")
        begin("find", 0)
        called = str(getattr(source, "filename", None) or name)
        finding = find_mask(
            picture, mask, options=options, budget=budget, name=called, guided=guide is not None
        )
        finding = with_missing(finding, picture, laid)
        if lines is not None and not (lines & finding.mask).any():
            notes += ("no line of the guide lies in what is repaired: there is nothing to follow",)
        laps.end("find")
        begin("plan", 0)
        size, where = picture.size, None
        if target is None:
            plan = plan_repair(picture, finding.mask, settings, guide=lines)
            laps.end("plan")
            if inspect is not None:
                inspect(Restored(picture, finding.mask, plan), finding)
        else:
            restored = restore(
                picture,
                finding.mask,
                settings,
                guide=lines,
                observer=watch,
                planned=lambda plan: begin("fill", len(plan.steps)),
            )
            plan = restored.plan
            if laid is not None:
                restored = replace(restored, changed=restored.changed | laid)
            del picture  # the encoder of a large JPEG needs the room
            laps.end("fill")
            if inspect is not None:
                inspect(restored, finding)
                laps.end("explain")
            begin("write", 0)
            if as_patch:
                restored = replace(restored, picture=patch_of(restored.picture, restored.changed))
                format = "png"
            where, said = _write(restored, target, format, overwrite)
            notes += said
            laps.end("write")
        notes += method_notes(settings.method)
        return Report(
            source=name,
            target=where,
            size=size,
            hole_ratio=float(np.count_nonzero(finding.mask)) / finding.mask.size,
            found=dict(Counter(region.kind for region in finding.regions)),
            plan=plan,
            notes=notes + finding.notes,
            seconds=laps.seconds,
            left=dict(Counter(region.kind for region in finding.left)),
            nature=finding.nature,
        )


def default_target(source: Path) -> Path:
    """``photo.jpg`` → ``photo.repaired.jpg``, in the same folder."""
    return source.with_name(f"{source.stem}.repaired{source.suffix}")


def _write(
    restored: Restored, target: str | PathLike[str] | BinaryIO, format: str | None, overwrite: bool
) -> tuple[str, tuple[str, ...]]:
    """Write to a path or into an open file; where it went and what there is to say."""
    if isinstance(target, (str, PathLike)):
        written = write_picture(
            restored.picture,
            target,
            changed=restored.changed,
            format=format,
            overwrite=overwrite,
            consume=True,
        )
        return str(written.path), written.notes
    encoded = encode_picture(restored.picture, changed=restored.changed, format=format, consume=True)
    try:
        target.write(encoded.data)
        target.flush()
    except BrokenPipeError:
        raise  # the reader has left: no fault of ours, and nobody to tell
    except OSError as error:
        raise WriteError(f"{_name_of(target)} cannot be written ({error.strerror}): make room") from error
    return _name_of(target), encoded.notes


def _name_of(source: object) -> str:
    """What messages call it."""
    if isinstance(source, (str, PathLike)):
        return str(source)
    return str(getattr(source, "name", "-"))


class _Laps:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def end(self, stage: str) -> None:
        """The time since the last call belongs to ``stage``."""
        now = time.perf_counter()
        self.seconds[stage] = now - self._since
        self._since = now
