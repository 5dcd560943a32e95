"""One clip from file to file, or from folder to folder; a run that was killed is taken up again.

Finished segments lie in a work folder beside the target, each with what the next one needs of it. They hold
for the same source, masks and options only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from remend.errors import UsageError, WriteError
from remend.io.atomic import existing
from remend.io.read import printable
from remend.options.video import FILM, STEADY, VideoOptions
from remend.picture import Bool
from remend.video.backend import backend
from remend.video.carried import Carried
from remend.video.fields import split, woven
from remend.video.film import around_of, with_damage
from remend.video.flow import LARGE_PX
from remend.video.folder import pictures_in, read_frames, write_frame
from remend.video.grain import with_grain
from remend.video.masks import Masks
from remend.video.propagate import Mended, Options, propagate
from remend.video.stabilisation import FRAME_AROUND, stabilised
from remend.video.steady import LIGHT_AROUND, steadied
from remend.video.writing import encoding_for

__all__ = ["Report", "repair_video"]

SEGMENT = 48  # frames that a kill costs at most
FIELD = 1 << 26  # seeds of grain that a frame has for its places
WINDOW_BYTES = 700 << 20  # that the frames around one may take


@dataclass(slots=True)
class Report:
    """What happened to a clip; ``as_json`` is the line of ``--json``.

    Attributes:
        source, target: names.
        frames: how many there are.
        resumed: how many of them an earlier run had done.
        hole: pixels of holes, of the frames that this run did; so are the others:
        shown, carried, made: of them, those seen in other frames, held from the frame before, made up.
        scenes: cuts that were respected.
        notes: lines that the user should see.
        seconds: that it took.
    """

    source: str
    target: str
    frames: int = 0
    resumed: int = 0
    hole: int = 0
    shown: int = 0
    carried: int = 0
    made: int = 0
    scenes: int = 1
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def add(self, mended: Mended) -> None:
        """Count a frame."""
        self.hole += int(np.count_nonzero(mended.hole))
        self.shown += mended.shown
        self.carried += mended.carried
        self.made += mended.made
        self.scenes += mended.cut

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


Observer = Callable[[int, int, Mended], None]
"""Called after each frame with its number from 1, how many there are, and what was done."""


def repair_video(
    source: Path,
    target: Path,
    *,
    mask: Path | None = None,
    options: VideoOptions | None = None,
    overwrite: bool = False,
    observer: Observer | None = None,
) -> Report:
    """Repair a video file, or a folder of frames.

    Args:
        source: a video, or a folder of pictures in the order of their names.
        target: a video (``.mp4 .m4v .mov .mkv .webm``), or a folder for a folder.
        mask: a picture for all frames, or a folder or video with one for each; None = only what is found.
        options: how.
        overwrite: replace an existing target.
        observer: hears of each frame.

    Raises:
        RemendError: one of its kinds, one line each.

    Cost: see `remend.video.propagate.propagate`; memory is bounded by the window, not by the clip.
    """
    options = options or VideoOptions()
    begun = time.monotonic()
    if mask is None and not options.find and not options.steady:
        raise UsageError(
            f"say what to repair: -m MASK, or --find {','.join(FILM)} or --steady {','.join(STEADY)} for film"
        )
    if not source.exists():
        raise UsageError(f"{printable(source)}: there is no such file or folder: check the path")
    if os.path.lexists(target) and not overwrite and not _work_of(target).is_dir():
        raise existing(target)
    if not target.absolute().parent.is_dir():
        raise WriteError(f"{printable(target)}: its folder does not exist: make it, or choose another -o")
    report = Report(str(source), str(target))
    masks = Masks(mask, options.masks, options.track, backend(options.ffmpeg))
    if source.is_dir():
        _run_folder(source, target, masks, options, report, observer)
    else:
        segments = _run_file(source, target, masks, options, report, observer)
        report.notes += masks.by.join(segments.files, source, target, overwrite=overwrite)
        segments.clear()
    report.seconds = round(time.monotonic() - begun, 2)
    return report


def _run_file(
    source: Path, target: Path, masks: Masks, options: VideoOptions, report: Report, observer: Observer | None
) -> _Work:
    """Write all segments that are not there yet."""
    by = masks.by
    facts = by.facts_of(source)
    encoding = encoding_for(
        target, facts.size, facts.codec, crf=options.crf, lossless=options.lossless, fields=facts.fields
    )
    if facts.frames == 0:
        raise UsageError(f"{printable(source)}: holds no frames")
    if facts.fields and "frame" in options.steady:
        raise UsageError(
            "interlaced frames show two moments each and are not made steady: deinterlace the video first"
        )
    masks.check(facts.frames)
    work = _Work(target, source, masks, options)
    first = work.done * SEGMENT
    report.frames, report.notes = facts.frames, facts.notes
    if options.track:
        masks, note = masks.followed((by.rgb_of(frame) for frame in by.frames_of(source, facts)), work.folder)
        report.notes += (note,)
    report.resumed = min(first, facts.frames)
    waiting: dict[int, Any] = {}

    def pixels(start: int) -> Iterator[Any]:
        for number, frame in enumerate(by.frames_of(source, facts)):
            if number >= start:
                waiting[number] = frame
                yield by.rgb_of(frame)

    def finished() -> Iterator[Any]:
        clip = _Clip(pixels, masks, facts.size, facts.fields)
        for number, one in _mended(clip, options, first, work.carried, report, observer):
            yield by.put_back(waiting.pop(number), one.pixels, _changed(one, options))
            for old in [k for k in waiting if k <= number]:
                del waiting[old]

    frames = finished()
    while (head := next(frames, None)) is not None:
        path = work.segment(work.done)
        by.write_segment(path, _chain(head, islice(frames, SEGMENT - 1)), source, encoding)
        work.finish()
    return work


def _chain(head: Any, rest: Iterable[Any]) -> Iterator[Any]:
    yield head
    yield from rest


def _run_folder(
    source: Path, target: Path, masks: Masks, options: VideoOptions, report: Report, observer: Observer | None
) -> None:
    paths = pictures_in(source)
    masks.check(len(paths))
    if target.resolve() == source.resolve():
        raise UsageError("the frames would be written over: choose another -o")
    work = _Work(target, source, masks, options)
    first = work.done * SEGMENT
    report.frames, report.resumed = len(paths), min(first, len(paths))
    if options.track:
        masks, note = masks.followed((samples for _, samples in read_frames(paths)), work.folder)
        report.notes += (note,)
    target.mkdir(exist_ok=True)
    waiting: dict[int, Any] = {}
    size = next(read_frames(paths[:1]))[0].size

    def pixels(start: int) -> Iterator[Any]:
        for number, (picture, samples) in enumerate(read_frames(paths[start:]), start):
            waiting[number] = picture
            yield samples

    clip = _Clip(pixels, masks, size)
    for number, one in _mended(clip, options, first, work.carried, report, observer):
        picture = waiting.pop(number)
        for old in [k for k in waiting if k <= number]:
            del waiting[old]
        write_frame(picture, one.pixels, _changed(one, options), target / paths[number].name, overwrite=True)
        if (number + 1) % SEGMENT == 0:
            work.finish()
    work.clear()


@dataclass(frozen=True, slots=True)
class _Clip:
    """What is repaired: frames from a number on, their masks, size, and which field comes first, if any."""

    pixels: Callable[[int], Iterator[Any]]
    masks: Masks
    size: tuple[int, int]
    fields: str = ""


def _mended(
    clip: _Clip,
    options: VideoOptions,
    first: int,
    carried: Carried,
    report: Report,
    observer: Observer | None,
) -> Iterator[tuple[int, Mended]]:
    """The frames from ``first`` on, each with its number."""
    looks = 2 if clip.fields else 1  # at how many moments a frame was taken
    reach = min(options.reach, _most_reach((clip.size[0] // looks, clip.size[1])))
    around = reach + around_of(options.find)
    around += LIGHT_AROUND if "light" in options.steady else 0
    around += FRAME_AROUND if "frame" in options.steady else 0
    start = max(0, first - -(-around // looks))
    frames: Iterator[Any] = clip.masks.of(clip.pixels(start), start)
    if clip.fields:
        frames = split(frames, clip.fields == "top")
    if "light" in options.steady:
        frames = steadied(frames)
    if options.find:
        frames = with_damage(frames, options.find)
    if "frame" in options.steady:  # last: what the gate does to film stays at its place until then
        frames = stabilised(frames)
    how = Options(reach=reach, settings=options.settings)
    done = propagate(frames, how, carried=carried, start=start * looks, first=first * looks)
    if clip.fields:
        done = woven(done, clip.fields == "top")
    for number, one in enumerate(done, first):
        seed = (options.seed * 1_000_003 + number) * FIELD
        grained = with_grain(one.pixels, one.hole, amount=options.grain, seed=seed)
        one = replace(one, pixels=grained)
        report.add(one)
        if observer is not None:
            observer(number + 1, report.frames, one)
        yield number, one


def _changed(one: Mended, options: VideoOptions) -> Bool:
    """Which pixels of a frame may differ from the source's."""
    return np.ones_like(one.hole) if options.steady else one.hole


def _most_reach(size: tuple[int, int]) -> int:
    """How many frames to each side fit into the window's memory."""
    area = size[0] * size[1]
    moving = area if area <= LARGE_PX else area // 4
    return max(2, int(WINDOW_BYTES / (9 * area + 51 * moving) - 1) // 2)


def _work_of(target: Path) -> Path:
    return target.absolute().with_name(f".{target.name}.remend-work")


class _Work:
    """The folder of finished segments.

    Attributes:
        done: how many there are.
        carried: what the last of them leaves to the next.
    """

    def __init__(self, target: Path, source: Path, masks: Masks, options: VideoOptions) -> None:
        self.folder = _work_of(target)
        self.done, self.carried = 0, Carried()
        mark = _fingerprint(source, masks, options)
        told = self.folder / "job.json"
        try:
            known = json.loads(told.read_text()) if told.exists() else None
            if known != mark:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir()
                told.write_text(json.dumps(mark))
        except (OSError, ValueError) as error:
            raise WriteError(f"{printable(self.folder)}: cannot be written: {error}: remove it") from error
        while self._state(self.done).exists():
            self.done += 1
        if self.done:
            with np.load(self._state(self.done - 1), allow_pickle=False) as kept:
                self.carried = Carried.of({name: kept[name] for name in kept.files})

    def segment(self, number: int) -> Path:
        """Where a segment lies."""
        return self.folder / f"{number:06d}.nut"

    @property
    def files(self) -> list[Path]:
        """All finished segments."""
        return [self.segment(number) for number in range(self.done)]

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"

    def finish(self) -> None:
        """A segment is written: keep what the next one needs. Its coming under its name is what counts."""
        draft = self.folder / "state.draft"
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **self.carried.arrays())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._state(self.done))
        if self.done:
            # Only the last state is read again; of the others the name is enough.
            self._state(self.done - 1).write_bytes(b"")
        self.done += 1

    def clear(self) -> None:
        """All is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _fingerprint(source: Path, masks: Masks, options: VideoOptions) -> dict[str, str]:
    """What must be the same for finished segments to hold."""
    found = {"options": hashlib.sha256(repr(options).encode()).hexdigest(), "segment": str(SEGMENT)}
    for name, path in (("source", source), ("mask", masks.source)):
        if path is not None:
            parts = sorted(path.iterdir()) if path.is_dir() else [path]
            told = [(str(part), part.stat().st_size, part.stat().st_mtime_ns) for part in parts]
            found[name] = hashlib.sha256(repr(told).encode()).hexdigest()
    return found
