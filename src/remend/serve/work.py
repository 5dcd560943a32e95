"""What a worker process does with one task: read, repair or detect, write the result."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from remend.adapt import as_picture
from remend.budget import Budget
from remend.cropping import look_at, numbered
from remend.errors import RemendError
from remend.finding import Finding, find_mask, with_missing
from remend.io import encode_picture
from remend.io.registry import FORMATS, codec_of_bytes
from remend.io.write import output_format
from remend.picture import Filled, Picture
from remend.plan.plan import Plan, Step
from remend.repairing import repair_file
from remend.restoring import restore_file
from remend.samples import eight_bit
from remend.saying.listening import heard
from remend.serve.pace import Pace
from remend.serve.problems import Problem, problem_of, problem_of_system
from remend.serve.task import Cancelled, Done, Failed, Progress, Task, mask_beside
from remend.serve.telling import (
    answer_name,
    notes_of,
    picture_of_mask,
    plain_report,
    ratio_of,
    rounded,
    told_fillers,
    told_regions,
    told_steps,
)

__all__ = ["MEDIA_TYPES", "Hear", "Stopped", "perform"]

MEDIA_TYPES = {name: f"image/{name}" for name in FORMATS} | {
    "dicom": "application/dicom",
    "nifti": "application/octet-stream",
}
PACE = Pace()  # of this worker
Hear = Callable[[Progress], None]
"""Told where the work is; raises Stopped when nobody wants it any more."""


class Stopped(Exception):  # noqa: N818 - not an error
    """The task was cancelled."""


class NamedFile(io.BytesIO):
    """A file's bytes under the name of the form's field, which is what messages call it."""

    def __init__(self, path: Path, name: str, filename: str | None = None) -> None:
        super().__init__(path.read_bytes())
        self.name, self.filename = name, filename


def perform(task: Task, hear: Hear) -> Done | Failed | Cancelled:
    """Do it; every expected fault becomes an answer.

    Args:
        task: what to do.
        hear: told of each stage and step.
    """
    stage = "read"

    def listen(progress: Progress) -> None:
        nonlocal stage
        stage = progress.stage
        hear(progress)

    try:
        return Done(WORK[task.options.kind](task, listen))
    except Stopped:
        return Cancelled()
    except RemendError as error:
        cause = error.__cause__
        problem = problem_of_system(cause) if isinstance(cause, OSError) else None
        return Failed(problem or problem_of(error, stage=stage))
    except OSError as error:
        problem = problem_of_system(error)
        if problem is None:
            raise
        return Failed(problem)
    except MemoryError:
        return Failed(Problem("out-of-memory", "the picture needs more memory than there is", retry_after=10))


def _repair(task: Task, hear: Hear) -> dict[str, Any]:
    """The very call of the command line, on the same bytes."""
    encoded = io.BytesIO()
    encoded.name = "the answer"
    left_s: float | None = None

    def planned(plan: Plan) -> None:
        nonlocal left_s
        left_s = PACE.begin(plan)

    def staged(stage: str, steps: int) -> None:
        hear(Progress(stage, 0, steps, left_s if stage == "fill" else None))

    def observe(number: int, count: int, step: Step, filled: Filled) -> None:
        hear(Progress("fill", number, count, PACE.done(step)))

    report = repair_file(
        NamedFile(task.image, "image", task.filename),
        encoded,
        mask=None if task.mask is None else NamedFile(task.mask, "mask"),
        kept=None if task.kept is None else NamedFile(task.kept, "kept"),
        references=[NamedFile(path, f"reference {number}") for number, path in enumerate(task.references, 1)],
        as_patch=task.options.as_patch,
        settings=task.options.settings,
        options=task.options.mask_options,
        format=task.options.format,
        bounds=task.bounds,
        observer=observe,
        stages=staged,
        planned=planned,
    )
    content = encoded.getbuffer()
    task.result.write_bytes(content)
    codec = codec_of_bytes(bytes(content[:64]))
    format = codec.format if codec is not None else "png"
    return {
        "filename": answer_name(task.filename, format),
        "media_type": MEDIA_TYPES[format],
        "bytes": len(content),
        "width": report.size[1],
        "height": report.size[0],
        "hole_ratio": round(report.hole_ratio, 6),
        "nature": report.nature,
        "found": report.found,
        "left": report.left,
        "plan": told_fillers(report.plan),
        "steps": told_steps(report.plan),
        "notes": list(report.notes),
        "seconds": rounded(report.seconds),
    }


def _detect(task: Task, hear: Hear) -> dict[str, Any]:
    """Regions as JSON, and beside them the mask that `remend detect` would write."""
    laps = [time.perf_counter()]
    options = task.options.mask_options
    picture = _read(task, hear)
    laps.append(time.perf_counter())
    hear(Progress("find"))
    finding = with_missing(find_mask(picture, None, options=options), picture)
    regions = told_regions(finding.regions, options.dilate_px or 0, picture.size)
    left = told_regions(finding.left, options.dilate_px or 0, picture.size)
    for region in left:
        region["id"] += len(regions)
    laps.append(time.perf_counter())
    hear(Progress("write"))
    mask = picture_of_mask(finding.mask)
    png = encode_picture(mask, changed=finding.mask, format="png").data
    seconds = rounded({"read": laps[1] - laps[0], "find": laps[2] - laps[1]})
    ratio = ratio_of(finding.mask)
    answer = {
        "width": picture.width,
        "height": picture.height,
        "dilate_px": options.dilate_px,
        "hole_ratio": ratio,
        "nature": finding.nature,
        "regions": regions,
        "left": left,
        "notes": notes_of(picture, finding),
        "seconds": seconds,
    }
    content = json.dumps(answer, separators=(",", ":")).encode()
    task.result.write_bytes(content)
    mask_beside(task.result).write_bytes(png)
    return {
        "filename": Path(task.filename).stem + ".damage.json",
        "media_type": "application/json",
        "bytes": len(content) + len(png),
        "width": picture.width,
        "height": picture.height,
        "hole_ratio": ratio,
        "nature": finding.nature,
        "found": dict(Counter(region.kind for region in finding.regions)),
        "left": dict(Counter(region.kind for region in finding.left)),
        "plan": [],
        "steps": [],
        "notes": notes_of(picture, finding),
        "seconds": seconds,
    }


def _restore(task: Task, hear: Hear) -> dict[str, Any]:
    """The very call of the command line, on the same bytes; ``inspect`` measures and decides alone."""
    encoded = io.BytesIO()
    encoded.name = "the answer"
    measures = task.options.kind == "inspect"
    report = restore_file(
        NamedFile(task.image, "image", task.filename),
        None if measures else encoded,
        options=task.options.restoration,
        format=task.options.format,
        bounds=task.bounds,
        kept=None if task.kept is None else NamedFile(task.kept, "kept"),
        stages=lambda stage: hear(Progress(stage)),
    )
    told = report.as_json()
    content = encoded.getvalue() or json.dumps(told, separators=(",", ":")).encode()
    task.result.write_bytes(content)
    codec = None if measures else codec_of_bytes(content[:64])
    format = codec.format if codec is not None else "png"
    stem = Path(task.filename).stem
    return {
        "filename": f"{stem}.measured.json" if measures else answer_name(task.filename, format, "restored"),
        "media_type": "application/json" if measures else MEDIA_TYPES[format],
        "bytes": len(content),
        "width": told["width"],
        "height": told["height"],
        "hole_ratio": told["changed_ratio"],
        "nature": told["nature"],
        "found": {},
        "left": {},
        "plan": [],
        "steps": told["steps"],
        "measured": told["measured"],
        "notes": told["notes"],
        "seconds": {"restore": told["seconds"]},
    }


def _crop(task: Task, hear: Hear) -> dict[str, Any]:
    """What `remend crop` writes: the one picture, or a ZIP of the prints, stored one after the other."""
    began = time.perf_counter()
    hear(Progress("read"))
    budget, tolerate = Budget(task.bounds), task.options.mask_options.tolerate
    image = NamedFile(task.image, "image")
    scan = look_at(image, without_rim=task.options.without_rim, tolerate=tolerate, budget=budget)
    format = output_format(scan.picture, None, task.options.format)
    name = answer_name(task.filename, format, "cropped")
    is_cut, notes = bool(scan.cuts), list(scan.notes)

    def encoded() -> Iterator[bytes]:
        for made in scan.pictures():
            hear(Progress("write"))  # or is it not wanted any more?
            budget.check_time("image")
            changed = np.full(made.size, is_cut)
            one = encode_picture(made, changed=changed, format=task.options.format, resized=is_cut)
            notes.extend(note for note in one.notes if note not in notes)
            yield one.data

    media_type, count = MEDIA_TYPES[format], len(scan.cuts)
    if count > 1:
        media_type = "application/zip"
        with zipfile.ZipFile(task.result, "w") as pack:  # stored: pictures do not get smaller
            for path, data in zip(numbered(Path(name), count), encoded(), strict=True):
                pack.writestr(zipfile.ZipInfo(path.name), data)  # of 1980: the same bytes every time
        name = f"{Path(name).stem}.zip"
    else:
        task.result.write_bytes(next(encoded()))
    report = plain_report(name, media_type, task.result.stat().st_size, scan.picture.size)
    seconds = {"crop": round(time.perf_counter() - began, 4)}
    prints = [cut.as_json() for cut in scan.cuts]
    return report | {"prints": prints, "notes": notes, "seconds": seconds}


def _mask(task: Task, hear: Hear) -> dict[str, Any]:
    """The mask that `_repair` would use, if one is sent; and what the picture lacks."""
    picture = _read(task, hear)
    finding, options = Finding(np.zeros(picture.size, bool)), task.options.mask_options
    if task.mask is not None:
        hear(Progress("find"))
        sent, budget = NamedFile(task.mask, "mask"), Budget(task.bounds)
        finding = find_mask(picture, sent, options=options, budget=budget, name=task.filename)
    finding = with_missing(finding, picture)
    return _as_png(task, picture, picture_of_mask(finding.mask), "mask", finding)


def _view(task: Task, hear: Hear) -> dict[str, Any]:
    """The picture as a new PNG, in colours that one can hold."""
    picture = shown = _read(task, hear)
    if picture.mode == "CMYK" or picture.samples.dtype == np.float32 or not picture.plain:
        shown = Picture(eight_bit(picture), "RGB")
    elif picture.container is not None:
        shown = replace(picture, container=replace(picture.container, format=""))  # not rewritten: made anew
    return _as_png(task, picture, shown, "view", Finding(np.zeros(picture.size, bool)))


def _read(task: Task, hear: Hear) -> Picture:
    hear(Progress("read"))
    tolerate = task.options.mask_options.tolerate
    return as_picture(NamedFile(task.image, "image"), budget=Budget(task.bounds), tolerate=tolerate)


def _as_png(task: Task, source: Picture, shown: Picture, what: str, finding: Finding) -> dict[str, Any]:
    """Write a picture as the answer, and report it."""
    encoded = encode_picture(shown, changed=np.ones(shown.size, bool), format="png")
    task.result.write_bytes(encoded.data)
    report = plain_report(
        f"{Path(task.filename).stem}.{what}.png", "image/png", len(encoded.data), source.size
    )
    return report | {"hole_ratio": ratio_of(finding.mask), "notes": notes_of(source, finding)}


def _listen(task: Task, hear: Hear) -> dict[str, Any]:
    """What is said in a sound."""
    hear(Progress("read"))
    text = heard(task.image.read_bytes())
    content = json.dumps({"text": text}).encode()
    task.result.write_bytes(content)
    return plain_report("words.json", "application/json", len(content), (0, 0))


WORK: dict[str, Callable[[Task, Hear], dict[str, Any]]] = {
    "repair": _repair,
    "detect": _detect,
    "restore": _restore,
    "inspect": _restore,
    "crop": _crop,
    "mask": _mask,
    "view": _view,
    "listen": _listen,
}
