"""`repair_file`: one picture, or the pages of one file, read, repaired and written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import BinaryIO

from remend.adapt import as_picture
from remend.budget import Budget
from remend.document import Document, Repaired
from remend.errors import UsageError, WriteError
from remend.faults import own_errors
from remend.finding import (
    BLANKED,
    Finding,
    find_mask,
    masks_by_page,
    read_beside,
    read_guide,
    to_blank,
    with_missing,
)
from remend.infrared import AUTO, NO
from remend.io import encode_picture, write_picture
from remend.io.codec import Encoded
from remend.io.lazily import open_lazily, write_lazily
from remend.io.pages import encode_document, open_document, write_document
from remend.io.read import printable
from remend.io.registry import ending_of
from remend.io.write import output_format
from remend.options import SCENE_POLARITIES, Bounds, MaskOptions, Settings
from remend.pages import chosen_pages
from remend.patch import lay_patch, patch_of
from remend.picture import Filled, Picture
from remend.pipeline import Observer, Restored, may_be_whole, method_notes, plan_repair, repair_picture
from remend.plan.plan import Plan, Step
from remend.planes import LazyPlane
from remend.projection import projection_of
from remend.provenance.record import Record
from remend.recording import Recording
from remend.references import read_references, settings_for_references
from remend.report import RepairReport, Tally, report_of
from remend.stack import Turn, walk

__all__ = ["default_target", "repair_file"]


def repair_file(
    source: str | PathLike[str] | bytes | BinaryIO,
    target: str | PathLike[str] | BinaryIO | None,
    *,
    mask: object | None = None,
    guide: object | None = None,
    references: Sequence[object] = (),
    settings: Settings | None = None,
    options: MaskOptions | None = None,
    format: str | None = None,
    overwrite: bool = False,
    bounds: Bounds | None = None,
    observer: Observer | None = None,
    stages: Callable[[str, int], None] | None = None,
    planned: Callable[[Plan], None] | None = None,
    kept: object | None = None,
    as_patch: bool = False,
    inspect: Callable[[Restored, Finding], None] | None = None,
    record: str | Record | None = None,
) -> RepairReport:
    """Read, find damage, plan, fill, finish, write.

    Args:
        source: a path, the file's bytes, or a binary file.
        target: a path, a binary file, or None to plan only and write nothing.
        mask: a mask as ``repair`` takes it; None = find the damage.
        guide: lines to follow as ``repair`` takes them, or None.
        references: other dates of the scene as ``repair`` takes them.
        settings: how to repair.
        options: how to read or find the mask.
        format: of the output; None = the target's suffix, or the source's format.
        overwrite: replace an existing target.
        bounds: what the job may cost.
        observer: hears of each step.
        stages: hears of each stage as it begins (``read``, ``find``, ``plan``, ``fill``, ``write``), and
            how many steps it has: those of the plan for ``fill``, 0 for the others.
        planned: hears each page's plan, just before ``fill`` begins.
        kept: what earlier steps filled, as a patch (`remend.patch`), laid over the picture before anything
            else; it counts as changed. With an empty mask only it is written into the file.
        as_patch: write a patch (PNG) of all that was filled, ``kept`` included, instead of the picture.
        inspect: gets the repaired picture and the finding before the picture is encoded
            (``--explain`` looks at it).
        record: when this is, ISO 8601, or the record of a repair that is repeated: what was done is written
            into the result's XMP and, beside a path, into a sidecar (`remend.provenance`); None = it is not.

    Raises:
        RemendError: one of its kinds, one line each; what a library raised is its cause. What ``observer``,
            ``stages``, ``planned`` and ``inspect`` raise is not touched, nor is the BrokenPipeError of
            ``target``.
    """
    settings, options, name = settings or Settings(), options or MaskOptions(), _name_of(source)
    called = str(getattr(source, "filename", None) or name)
    with own_errors(printable(name)) as given:
        if references:
            settings = settings_for_references(settings)
        if settings.deidentify and mask is None:
            options = to_blank(options)
        series = isinstance(source, (str, PathLike)) and Path(source).is_dir()
        if isinstance(target, (str, PathLike)) and not overwrite and not series and os.path.lexists(target):
            # Said again by the writer; said here before any work is done.
            raise WriteError(f"{target} exists: give another -o, or --overwrite")
        laps, budget = _Laps(), Budget(bounds)
        observer, stages, inspect, planned = given(observer), given(stages), given(inspect), given(planned)

        def begin(stage: str, steps: int) -> None:
            budget.check_time(name)
            if stages is not None:
                stages(stage, steps)

        def begin_filling(plan: Plan) -> None:
            if planned is not None:
                planned(plan)
            begin("fill", len(plan.steps))

        def watch(number: int, count: int, step: Step, filled: Filled) -> None:
            budget.check_time(name)
            if observer is not None:
                observer(number, count, step, filled)

        begin("read", 0)
        if options.pages:
            document = open_document(source, budget=budget, tolerate=options.tolerate)
            numbers = chosen_pages(options.pages, len(document.pages), document.axis)
            if len(document.pages) > 1:
                if references:
                    raise UsageError("references are of one picture: leave --pages out, or the references")
                if record is not None:
                    raise UsageError("a record is of one picture: leave --record out, or --pages")
                if kept is not None or as_patch:
                    raise UsageError("a patch is of one picture: leave --pages out, or the patch")
                if inspect is not None and len(numbers) > 1:
                    raise UsageError("--explain draws one picture: name a single page, or leave it out")
                masks = masks_by_page(document, mask, budget=budget)
                drawn = None if guide is None else as_picture(guide, budget=budget)
                laps.end("read")

                def found(number: int, page: Picture) -> Finding:
                    begin("find", 0)
                    return find_mask(
                        page,
                        masks(number),
                        options=options,
                        budget=budget,
                        name=called,
                        guided=guide is not None,
                        whole=document.axis == "slice" or may_be_whole(settings.method),
                        boxes=settings.deidentify,
                    )

                turns = walk(
                    document,
                    numbers,
                    found,
                    settings,
                    guide=lambda page: read_guide(page, drawn, options=options, budget=budget),
                    plan_only=target is None,
                    observer=watch,
                    planned=begin_filling,
                )
                general = (BLANKED,) if settings.deidentify else method_notes(settings.method)
                tally = Tally(document.axis, general)
                where, said = _write_pages(document, tally.counted(turns, inspect), target, format, overwrite)
                laps.end("pages")
                return tally.report(name, where, said, laps.seconds)
            source = document.pages[0]  # type: ignore[assignment]  # a picture stays itself
        whole = guide is not None or kept is not None or as_patch or inspect is not None
        whole |= bool(references)
        whole |= mask is None and options.infrared not in (AUTO, NO)
        picture = None if whole else _opened_lazily(source, target, settings, options, budget, format)
        if picture is None:
            picture = as_picture(source, budget=budget, tolerate=options.tolerate)
        notes = picture.container.notes if picture.container is not None else ()
        laid = None
        if kept is not None:
            picture, laid = lay_patch(picture, read_beside(picture, kept, budget))
        lines = read_guide(picture, guide, options=options, budget=budget)
        laps.end("read")
        begin("find", 0)
        finding = find_mask(
            picture,
            mask,
            options=options,
            budget=budget,
            name=called,
            guided=guide is not None,
            whole=may_be_whole(settings.method),
            boxes=settings.deidentify,
        )
        finding = with_missing(finding, picture, laid)
        if lines is not None and not (lines & finding.mask).any():
            notes += ("no line of the guide lies in what is repaired: there is nothing to follow",)
        laps.end("find")
        begin("plan", 0)
        where = None
        if target is None:
            plan = plan_repair(picture, finding.mask, settings, guide=lines)
            laps.end("plan")
            if inspect is not None:
                inspect(Restored(picture, finding.mask, plan), finding)
        else:
            dates, said = read_references(picture, finding.mask, references, budget=budget)
            notes += said
            restored = repair_picture(
                picture,
                finding.mask,
                settings,
                guide=lines,
                beside=dates,
                observer=watch,
                planned=begin_filling,
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
            noted, huge = None, isinstance(restored.picture.samples, LazyPlane)
            if record is not None and huge:
                notes += ("no record was made: the picture is repaired window by window, without one",)
            if record is not None and laid is None and not as_patch and not huge:
                noted = Recording.of(
                    restored,
                    finding,
                    when=record,
                    guide=lines,
                    settings=settings,
                    tolerate=options.tolerate,
                    target=target,
                    format=format,
                )
            where, said = _write(restored, target, format, overwrite, noted)
            notes += said
            laps.end("write")
        notes += (BLANKED,) if settings.deidentify else method_notes(settings.method)
        return report_of(name, where, finding, plan, notes + finding.notes, laps.seconds)


def _opened_lazily(
    source: object,
    target: object,
    settings: Settings,
    options: MaskOptions,
    budget: Budget,
    format: str | None,
) -> Picture | None:
    """A huge picture that is repaired window by window in its file; None for all others.

    It goes from file to file in its own format, flat, and nothing is done to it beside filling.
    """
    if not isinstance(source, (str, PathLike)) or not isinstance(target, (str, PathLike, NoneType)):
        return None
    if settings.denoise or settings.sharpen or settings.feather_px or options.resize_mask or options.tolerate:
        return None
    if settings.deidentify or options.mask_polarity in SCENE_POLARITIES:
        return None
    picture = open_lazily(source, budget=budget)
    if picture is None or projection_of(picture, options.projection) != "flat":
        return None
    assert picture.container is not None
    chosen = output_format(picture, None if target is None else Path(target), format)
    return picture if chosen == picture.container.format else None


def default_target(source: Path) -> Path:
    """``photo.jpg`` → ``photo.repaired.jpg``, in the same folder."""
    ending = ending_of(source)
    return source.with_name(f"{source.name.removesuffix(ending)}.repaired{ending}")


def _write(
    restored: Restored,
    target: str | PathLike[str] | BinaryIO,
    format: str | None,
    overwrite: bool,
    noted: Recording | None,
) -> tuple[str, tuple[str, ...]]:
    """Write to a path or into an open file; where it went and what there is to say."""
    described = None if noted is None else noted.packet
    if isinstance(restored.picture.samples, LazyPlane):
        assert isinstance(target, (str, PathLike))
        written = write_lazily(restored.picture, restored.changed, target, format=format, overwrite=overwrite)
        return str(written.path), written.notes
    if isinstance(target, (str, PathLike)):
        written = write_picture(
            restored.picture,
            target,
            changed=restored.changed,
            format=format,
            overwrite=overwrite,
            consume=True,
            described=described,
        )
        if noted is not None:
            noted.beside(written.path, written.sha256)
        return str(written.path), written.notes
    encoded = encode_picture(
        restored.picture, changed=restored.changed, format=format, consume=True, described=described
    )
    return _sent(encoded, target)


def _sent(encoded: Encoded, target: BinaryIO) -> tuple[str, tuple[str, ...]]:
    """Write to an open file."""
    try:
        target.write(encoded.data)
        target.flush()
    except BrokenPipeError:
        raise  # the reader has left: no fault of ours, and nobody to tell
    except OSError as error:
        raise WriteError(f"{_name_of(target)} cannot be written ({error.strerror}): make room") from error
    return _name_of(target), encoded.notes


def _write_pages(
    document: Document,
    turns: Iterator[Turn],
    target: str | PathLike[str] | BinaryIO | None,
    format: str | None,
    overwrite: bool,
) -> tuple[str | None, tuple[str, ...]]:
    """As `_write`, page by page as they are repaired; without a target they are planned only."""
    repaired = (
        Repaired(turn.number, turn.restored.picture, turn.restored.changed)
        for turn in turns
        if turn.restored.changed.any()
    )
    if target is None:
        for _ in repaired:
            pass
        return None, ()
    if isinstance(target, (str, PathLike)):
        written = write_document(document, target, repaired, format=format, overwrite=overwrite)
        return str(written.path), written.notes
    return _sent(encode_document(document, repaired, format=format), target)


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
