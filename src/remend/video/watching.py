"""`remend live`: a camera or a file repaired as it comes, onto a page or into a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError, WriteError
from remend.io.atomic import existing
from remend.io.read import printable
from remend.options.video import VideoOptions
from remend.video.backend import backend
from remend.video.capture import Camera, Capture, camera_number, open_camera
from remend.video.live import Live, Shown
from remend.video.masks import Masks
from remend.video.page import Page
from remend.video.reading import library
from remend.video.writing import Encoding, encoding_for

__all__ = ["LiveReport", "watch"]

HASTE = {
    "libx264": ("preset", "veryfast"),
    "libx265": ("preset", "ultrafast"),
    "libvpx-vp9": ("cpu-used", "8"),
}
SEGMENT = 48  # frames that are written at a time
PARTS = 90_000  # of a second, in which the times of a camera's frames are written


@dataclass(slots=True)
class LiveReport:
    """What has happened so far; ``as_json`` is the line of ``--json``.

    Attributes:
        source, target: names; no target = only shown.
        frames: that were repaired.
        dropped: of a camera, that came too fast.
        hole: pixels of holes; of them
        seen, made: those that earlier frames had shown, and those made up.
        scenes: cuts that were seen, and one.
        seconds: since the first frame came.
        cpu_seconds: of this process, for all that was done.
        notes: lines that the user should see.
    """

    source: str
    target: str | None
    frames: int = 0
    dropped: int = 0
    hole: int = 0
    seen: int = 0
    made: int = 0
    scenes: int = 1
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    _begun: tuple[float, float] | None = field(default=None, repr=False)

    @property
    def frames_per_s(self) -> float:
        """Of the whole run."""
        return self.frames / self.seconds if self.seconds else 0.0

    def begin(self) -> None:
        """The first frame is there."""
        if self._begun is None:
            self._begun = time.monotonic(), time.process_time()

    def add(self, shown: Shown, dropped: int) -> None:
        """Count a frame."""
        assert self._begun is not None
        self.frames, self.dropped = self.frames + 1, dropped
        self.hole += int(np.count_nonzero(shown.hole))
        self.seen, self.made = self.seen + shown.seen, self.made + shown.made
        self.scenes += shown.cut
        self.seconds = round(time.monotonic() - self._begun[0], 4)
        self.cpu_seconds = round(time.process_time() - self._begun[1], 4)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        plain = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        return plain | {"notes": list(self.notes), "frames_per_s": round(self.frames_per_s, 2)}


Observer = Callable[[LiveReport], None]
"""Called after each frame."""


def watch(
    source: str,
    *,
    mask: Path,
    target: Path | None = None,
    options: VideoOptions | None = None,
    page: Page | None = None,
    overwrite: bool = False,
    seconds: float | None = None,
    stop: Event | None = None,
    observer: Observer | None = None,
    capture: Callable[[int], Capture] = open_camera,
) -> LiveReport:
    """Repair a camera's frames, or a video's, as they come.

    Args:
        source: the number of a camera, or a video file.
        mask: a picture for all frames; of a file also a folder or video with one for each.
        target: a video to write; a file's sound is copied into it.
        options: how masks are read, and how it is coded.
        page: where frames are shown.
        overwrite: replace an existing target.
        seconds: stop a camera after so long; None = when ``stop`` is set.
        stop: ends a run between two frames; what was written so far is a whole video.
        observer: hears of each frame.
        capture: opens a camera.

    Raises:
        RemendError: one of its kinds, one line each.

    Cost: see `remend.video.live.Live`. A camera's frames are dropped where that is too slow, a file's never.
    """
    options, stop = options or VideoOptions(), stop or Event()
    if target is not None and target.exists() and not overwrite:
        raise existing(target)
    report = LiveReport(source, None if target is None else str(target))
    masks = Masks(mask, options.masks, by=backend(options.ffmpeg))
    number = camera_number(source)
    run = _Run(masks, report, page, stop, observer or (lambda report: None))
    if number is not None:
        if options.ffmpeg and target is not None:
            raise UsageError("a camera is recorded by PyAV: leave --ffmpeg out")
        if mask.is_dir():
            raise UsageError("a camera takes one mask for all frames: give one picture by -m")
        _of_camera(capture(number), run, target, options, seconds)
    else:
        _of_file(Path(source), run, target, options, overwrite)
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    """What frames go through."""

    masks: Masks
    report: LiveReport
    page: Page | None
    stop: Event
    observer: Observer

    def mended(
        self, frames: Iterator[NDArray[Any]], dropped: Callable[[], int] = lambda: 0
    ) -> Iterator[Shown]:
        """Frames repaired, shown and counted."""
        live = Live()
        for pixels, hole in self.masks.of(frames, 0):
            shown = live.mend(pixels, hole)
            if self.page is not None:
                self.page.show(shown.pixels)
            self.report.add(shown, dropped())
            self.observer(self.report)
            yield shown


def _of_camera(
    capture: Capture, run: _Run, target: Path | None, options: VideoOptions, seconds: float | None
) -> None:
    times: list[float] = []
    with Camera(capture) as camera:

        def pixels() -> Iterator[NDArray[Any]]:
            for frame, when in camera.frames():
                if run.stop.is_set() or (times and seconds is not None and when - times[0] >= seconds):
                    return
                run.report.begin()
                times.append(when)
                yield frame

        frames = ((one.pixels, times[-1] - times[0]) for one in run.mended(pixels(), lambda: camera.dropped))
        if target is None:
            for _ in frames:
                pass
        else:
            _record(target, frames, options)


def _of_file(source: Path, run: _Run, target: Path | None, options: VideoOptions, overwrite: bool) -> None:
    by = run.masks.by
    facts = by.facts_of(source)
    run.masks.check(facts.frames)
    run.report.notes = facts.notes
    waiting: list[Any] = []

    def pixels() -> Iterator[NDArray[Any]]:
        for frame in by.frames_of(source, facts):
            if run.stop.is_set():
                return
            run.report.begin()
            if target is None and frame.time is not None:
                # What is only looked at goes no faster than it was taken.
                assert run.report._begun is not None
                time.sleep(max(0.0, run.report._begun[0] + frame.time - time.monotonic()))
            waiting.append(frame)
            yield by.rgb_of(frame)

    def finished() -> Iterator[Any]:
        for one in run.mended(pixels()):
            yield by.put_back(waiting.pop(), one.pixels, one.hole)

    if target is None:
        for _ in finished():
            pass
        return
    encoding = _hasty(
        encoding_for(target, facts.size, facts.codec, crf=options.crf, lossless=options.lossless)
    )
    frames, parts = finished(), list[Path]()
    with TemporaryDirectory(dir=target.absolute().parent, prefix=f".{target.name}.") as folder:
        while (head := next(frames, None)) is not None:
            parts.append(Path(folder) / f"{len(parts):06d}.nut")
            by.write_segment(parts[-1], chain([head], islice(frames, SEGMENT - 1)), source, encoding)
        if parts:
            run.report.notes += by.join(parts, source, target, overwrite=overwrite)


def _hasty(encoding: Encoding) -> Encoding:
    """The same, with less of a search: it shall not be what a frame waits for."""
    name, value = HASTE[encoding.codec]
    return replace(encoding, options=encoding.options | {name: value})


def _record(target: Path, frames: Iterable[tuple[NDArray[Any], float]], options: VideoOptions) -> None:
    """Write a camera's frames with the times at which they came."""
    av = library()
    draft = target.with_name(f".{target.name}.remend-draft{target.suffix}")
    stream: Any = None
    try:
        with ExitStack() as stack:
            container: Any = None
            for pixels, when in frames:
                if container is None:
                    size = (pixels.shape[0], pixels.shape[1])
                    how = _hasty(
                        encoding_for(target, size, "h264", crf=options.crf, lossless=options.lossless)
                    )
                    container = stack.enter_context(av.open(str(draft), "w"))
                    stream = container.add_stream(how.codec, rate=30, options=how.options)
                    stream.height, stream.width = size
                    stream.pix_fmt = "yuv420p"
                    stream.time_base = stream.codec_context.time_base = Fraction(1, PARTS)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = round(when * PARTS), Fraction(1, PARTS)
                container.mux(stream.encode(frame))
            if container is None:
                raise UsageError("the camera gave no frame: see that it works, or give a video file")
            container.mux(stream.encode(None))
        draft.replace(target)
    except (OSError, av.error.FFmpegError) as error:
        raise WriteError(f"{printable(target)}: cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
