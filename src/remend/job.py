"""One picture from file to file: read, find damage, plan, fill, finish, write."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from remend.adapt import as_picture
from remend.budget import Bounds, Budget
from remend.damage.given import Polarity, dilated, drawn_lines, effective_mask
from remend.damage.kinds import parse_kinds
from remend.damage.outlines import looks_like_json, mask_of_outlines
from remend.errors import MaskError, WriteError
from remend.io import encode_picture, write_picture
from remend.patch import lay_patch, patch_of
from remend.picture import DTYPES, Bool, DamageKind, Filled, Picture, Region
from remend.pipeline import Observer, Restored, Settings, method_notes, plan_repair, restore
from remend.plan.plan import Plan, Step
from remend.samples import eight_bit

if TYPE_CHECKING:
    from remend.damage.find import Analysis

__all__ = [
    "Finding",
    "MaskOptions",
    "Report",
    "analyse_picture",
    "default_target",
    "find_mask",
    "read_guide",
    "repair_file",
    "with_missing",
]

FOUND_DILATION_PX = 2  # found damage has soft edges; a mask that the user drew is taken at its word
MOST_SHARE = 0.8  # of a picture that a mask marks; beyond it is more often the wrong way round than meant
HARDER = 0.8  # the sensitivity that is proposed where nothing was found, if it would show something


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskOptions:
    """How the mask is read or found. Fields are the command line's flags.

    Attributes:
        mask_polarity: what marks the hole in a given mask: ``white``, ``black``, ``alpha`` (transparent) or
            ``opaque``.
        dilate_px: grow the hole by this radius; None = 2 for found damage, 0 for a given mask.
        resize_mask: accept a mask, or a guide, of another size.
        yes: a given mask that marks more than four fifths of the picture is meant.
        sensitivity: of finding: 0 (only what is sure) to 1 (all that might be damage).
        find: the kinds to look for, as `remend.damage.kinds.parse_kinds` reads them; empty = the default
            ones, which lettering is not among.
        skip: kinds to leave out of them.
        force: search what is no photograph, too.
        tolerate: open a truncated JPEG or PNG; what is missing is repaired with the rest.

    Raises:
        UsageError: an unknown kind, or none left.
    """

    mask_polarity: Polarity = "white"
    dilate_px: int | None = None
    resize_mask: bool = False
    yes: bool = False
    sensitivity: float = 0.5
    find: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    force: bool = False
    tolerate: bool = False

    def __post_init__(self) -> None:
        _ = self.kinds  # a misspelt one is told before any picture is read

    @property
    def kinds(self) -> tuple[DamageKind, ...]:
        """The kinds that are looked for."""
        return parse_kinds(self.find, self.skip)


@dataclass(frozen=True, slots=True)
class Finding:
    """The effective mask and where it came from.

    Attributes:
        mask: (H, W) bool, True = repair.
        regions: what was found; empty for a given mask.
        notes: what was done on the way.
        left: what was seen and left alone, because its kind was not asked for.
        nature: what the picture is: ``photograph``, ``document`` …; None for a given mask.
    """

    mask: Bool
    regions: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()
    left: tuple[Region, ...] = ()
    nature: str | None = None


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
        RemendError: one of its kinds, one line each.
    """
    settings, options = settings or Settings(), options or MaskOptions()
    if isinstance(target, (str, PathLike)) and not overwrite and os.path.lexists(target):
        # Said again by the writer; said here before any work is done.
        raise WriteError(f"{target} exists: give another -o, or --overwrite")
    laps, budget, name = _Laps(), Budget(bounds), _name_of(source)

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
        part = budget.for_mask(picture.width * picture.height)
        picture, laid = lay_patch(picture, as_picture(kept, budget=part))
    lines = read_guide(picture, guide, options=options, budget=budget)
    laps.end("read")
    begin("find", 0)
    called = str(getattr(source, "filename", None) or name)
    finding = find_mask(picture, mask, options=options, budget=budget, name=called)
    finding = with_missing(finding, picture)
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
        source=_name_of(source),
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


def find_mask(
    picture: Picture,
    mask: object | None,
    *,
    options: MaskOptions,
    budget: Budget | None = None,
    name: str | None = None,
) -> Finding:
    """The effective mask of a picture: as given, or found by analysis.

    Args:
        picture: what the mask is for.
        mask: a path, bytes, a binary file, a PIL image or an array; None = find the damage. Files may be
            pictures or COCO's JSON.
        options: how.
        budget: what reading the mask may cost.
        name: of the picture's file, for a JSON that is about several.

    Raises:
        MaskError: a mask that does not fit, that marks nothing because nothing in it is white, that covers
            the whole picture, or more than four fifths of it unless ``options.yes``.
        UsageError: options that cannot be meant.
    """
    if mask is None:
        analysis = analyse_picture(picture, options)
        found = np.zeros(picture.size, bool)
        for region in analysis.regions:
            found[region.box.slices] |= region.mask
        by_px = FOUND_DILATION_PX if options.dilate_px is None else options.dilate_px
        return Finding(
            mask=dilated(found, by_px) if analysis.regions else found,
            regions=analysis.regions,
            notes=(*_on_nothing(analysis, options), *analysis.notes),
            left=analysis.left,
            nature=analysis.nature,
        )
    # A bool array has one meaning, whatever marks the hole in mask pictures.
    is_bool = isinstance(mask, np.ndarray) and mask.dtype == np.bool_
    given, drawn = _as_mask(
        mask, picture, name, (budget or Budget()).for_mask(picture.width * picture.height)
    )
    effective = effective_mask(
        given,
        picture.size,
        polarity="white" if is_bool or drawn else options.mask_polarity,
        resize=options.resize_mask,
        dilate_px=options.dilate_px or 0,
    )
    if effective.mask.all():
        raise MaskError(
            "the mask marks the whole picture, so nothing is left to repair from: "
            "mark less, or turn it round with --mask-polarity"
        )
    share = float(np.count_nonzero(effective.mask)) / effective.mask.size
    if share > MOST_SHARE and not (options.yes or is_bool):
        raise MaskError(
            f"the mask marks {100 * share:.0f} % of the picture: turn it round with --mask-polarity black, "
            "or give --yes if that is meant"
        )
    notes = effective.notes if effective.mask.any() else (*effective.notes, "the mask is empty")
    return Finding(effective.mask, (), notes)


def with_missing(finding: Finding, picture: Picture) -> Finding:
    """What was given or found, and what the file does not hold."""
    missing = picture.container.missing if picture.container is not None else None
    return finding if missing is None else replace(finding, mask=finding.mask | missing)


def _as_mask(mask: object, picture: Picture, name: str | None, budget: Budget) -> tuple[Picture, bool]:
    """Whatever the user has as a picture to threshold, and whether it was drawn as outlines."""
    if isinstance(mask, np.ndarray) and mask.dtype not in DTYPES and mask.dtype.kind in "iuf":
        # Label maps come in every width; a picture would be refused.
        if mask.dtype.kind == "f":
            mask = mask.astype(np.float32)
        elif mask.size and (mask.min() < 0 or mask.max() > 65535):
            raise MaskError(
                f"the mask's values lie between {mask.min()} and {mask.max()}: "
                "give 255 where to repair and 0 elsewhere"
            )
        else:
            mask = mask.astype(np.uint8 if not mask.size or mask.max() <= 255 else np.uint16)
    content = _json_in(mask)
    if content is None:
        return as_picture(mask, budget=budget), False
    drawn = mask_of_outlines(content, picture.size, name)
    return Picture(drawn[..., None].astype(np.uint8) * np.uint8(255), "L"), True


def _json_in(mask: object) -> bytes | None:
    """The bytes of a mask that is JSON, None for any other; a file is left where it was."""
    if isinstance(mask, (bytes, bytearray)):
        return bytes(mask) if looks_like_json(bytes(mask[:64])) else None
    if isinstance(mask, (str, PathLike)):
        path = Path(mask)
        if path.suffix.lower() != ".json":
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            raise MaskError(f"the mask {path} cannot be read ({error.strerror}): check the path") from error
    if hasattr(mask, "read") and hasattr(mask, "seek"):
        start = mask.tell()  # type: ignore[attr-defined]
        head = mask.read(64)
        mask.seek(start)
        if isinstance(head, bytes) and looks_like_json(head):
            return bytes(mask.read())
    return None


def analyse_picture(picture: Picture, options: MaskOptions) -> Analysis:
    """What is seen in a picture: its damage, and what was left.

    Args:
        picture: to be searched.
        options: what to look for, and how hard.
    """
    from remend.damage.find import analyse  # only who needs it pays for its import

    return analyse(
        eight_bit(picture),
        sensitivity=options.sensitivity,
        kinds=options.kinds,
        force=options.force,
    )


def _on_nothing(analysis: Analysis, options: MaskOptions) -> tuple[str, ...]:
    """What to say where no damage was found, though it was searched for."""
    if analysis.regions or (analysis.nature != "photograph" and not options.force):
        return ()
    # The least twentieth that would show it.
    harder = max(HARDER, math.ceil(20 * (1 - analysis.fainter) - 1e-6) / 20)
    if analysis.fainter > 0 and harder > options.sensitivity:
        return (f"no damage found that is sure: look harder with --sensitivity {harder:g}",)
    return ("no damage found",)


def read_guide(
    picture: Picture, guide: object | None, *, options: MaskOptions, budget: Budget | None = None
) -> Bool | None:
    """The lines that the fills of a picture are to follow.

    Args:
        picture: what the lines are for.
        guide: a path, bytes, a binary file, a PIL image or an array: white, or True, = line; None = no lines.
        options: whether another size will do.
        budget: what reading them may cost.

    Returns:
        (H, W) bool, True = line; or None.

    Raises:
        UsageError: lines of another size.
    """
    if guide is None:
        return None
    drawn = as_picture(guide, budget=(budget or Budget()).for_mask(picture.width * picture.height))
    return drawn_lines(drawn, picture.size, resize=options.resize_mask)


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


def _unheard(stage: str, steps: int) -> None:
    """Nobody listens."""


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
