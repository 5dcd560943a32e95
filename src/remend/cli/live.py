"""`remend live`: a camera or a file repaired as it comes."""

from __future__ import annotations

import json
import signal
import sys
import time
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.options.video import VideoOptions

if TYPE_CHECKING:
    from remend.video.page import Page
    from remend.video.watching import LiveReport

__all__ = ["live"]


@click.command(short_help="Repair a camera's picture, or a video, in real time.")
@click.argument("source", metavar="INPUT")
@click.option(
    "-m",
    "--mask",
    required=True,
    metavar="MASK",
    type=click.Path(path_type=Path),
    help="What to repair: a picture for all frames; of a video also a folder or video of masks.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="A video to write (.mp4 .m4v .mov .mkv .webm); without it the picture is shown.",
)
@click.option("--show", is_flag=True, help="Show it beside writing it: on a page of this machine's browser.")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="Of that page, at 127.0.0.1. Default: a free one.",
)
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), metavar="S", help="Stop a camera after so long."
)
@flags(VideoOptions, "mask_polarity", "dilate_px", "resize_mask", "crf", "lossless", "ffmpeg")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line on stdout at the end.")
def live(source: str, mask: Path, output: Path | None, **given: Any) -> None:
    """Repair INPUT as it comes: the number of a camera (0 is the first), or a video file (extra [video]).

    Each frame is filled from those before it; what none has shown is made up once and carried on. A camera's
    frames are dropped where the machine is too slow, a file's never. Ctrl-C ends it.
    """
    from remend.video.page import Page
    from remend.video.watching import watch

    stop = Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        with ExitStack() as stack:
            page = None
            if output is None or given["show"]:
                page = stack.enter_context(Page(given["port"]))
            report = watch(
                source,
                mask=mask,
                target=output,
                options=options_from(VideoOptions, given),
                page=page,
                overwrite=given["overwrite"],
                seconds=given["seconds"],
                stop=stop,
                observer=_Hearer(page).hear,
            )
    finally:
        signal.signal(signal.SIGINT, before)
    share = {name: getattr(report, name) / max(1, report.hole) for name in ("seen", "made")}
    each = f"{1000 * report.cpu_seconds / max(1, report.frames):.0f} ms of processor time each"
    click.echo(
        f"{report.frames} frames, {report.dropped} dropped · {report.frames_per_s:.1f} frames/s, {each} · of "
        f"what was marked {share['seen']:.1%} seen before, {share['made']:.1%} made up",
        err=True,
    )
    for note in report.notes:
        click.echo(f"  note: {note}", err=True)
    if given["as_json"]:
        click.echo(json.dumps(report.as_json()))
    elif output is not None:
        click.echo(str(output))


class _Hearer:
    """Opens the page at the first frame; then tells frames a second, once a second, over itself."""

    def __init__(self, page: Page | None) -> None:
        self.page = page
        self.last: tuple[float, int] | None = None

    def hear(self, report: LiveReport) -> None:
        """A frame is done."""
        now = time.monotonic()
        if self.last is None:
            self.last = now, report.frames
            if self.page is not None:
                click.echo(f"shown at {self.page.address}", err=True)
                webbrowser.open(self.page.address)
        elif now - self.last[0] >= 1 and sys.stderr.isatty():
            rate = (report.frames - self.last[1]) / (now - self.last[0])
            click.echo(f"\r{rate:5.1f} frames/s · {report.dropped} dropped ", err=True, nl=False)
            self.last = now, report.frames
