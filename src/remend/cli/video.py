"""`remend video`: a clip in, the repaired clip out, its sound as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags, options_from
from remend.options.video import VideoOptions

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from remend.video.propagate import Mended

__all__ = ["video"]


@click.command(short_help="Repair a video, an old film, or a folder of frames.")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="A video (.mp4 .m4v .mov .mkv .webm), or a folder for a folder of frames.",
)
@click.option(
    "-m",
    "--mask",
    metavar="MASK",
    type=click.Path(path_type=Path),
    help="What to repair: a picture for all frames (or one, see --track), or a folder or video of masks.",
)
@flags(VideoOptions)
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option(
    "--explain", metavar="DIR", type=click.Path(path_type=Path), help="Write each frame's confidence there."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line on stdout instead of the path.")
def video(source: Path, output: Path, mask: Path | None, **given: Any) -> None:
    """Repair INPUT: a video file (needs PyAV, extra [video], or --ffmpeg) or a folder of frames.

    Holes are filled from the frames where they are none; what no frame shows is made up once and carried
    on. Sound, subtitles and chapters are copied as they are. A run that was stopped goes on when it is given
    again.
    """
    from remend.video.job import repair_video

    options = options_from(VideoOptions, given)
    with _Progress(given["explain"]) as progress:
        report = repair_video(
            source, output, mask=mask, options=options, overwrite=given["overwrite"], observer=progress.hear
        )
    share = {name: getattr(report, name) / max(1, report.hole) for name in ("shown", "carried", "made")}
    resumed = f", {report.resumed} of them done before" if report.resumed else ""
    click.echo(
        f"{report.frames} frames{resumed} · of what was marked {share['shown']:.1%} seen in other frames, "
        f"{share['carried']:.1%} held, {share['made']:.1%} made up · {report.seconds:.1f} s",
        err=True,
    )
    for note in report.notes:
        click.echo(f"  note: {note}", err=True)
    click.echo(json.dumps(report.as_json()) if given["as_json"] else str(output))


class _Progress:
    """A bar on a terminal, with the time that is left; and what ``--explain`` writes."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.bar: Progress | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> _Progress:
        if self.folder is not None:
            from remend.batch import make_folder

            make_folder(self.folder, "--explain")
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("frames"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=600)
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def hear(self, number: int, total: int, mended: Mended) -> None:
        """A frame is done."""
        if self.folder is not None and mended.hole.any():
            import cv2

            grey = (mended.confidence * 255).round().astype("uint8")
            cv2.imwrite(str(self.folder / f"{number:06d}.confidence.png"), grey)
        if self.bar is not None:
            if self.task is None:
                self.task = self.bar.add_task("frames", total=total, completed=number - 1)
            self.bar.advance(self.task)
