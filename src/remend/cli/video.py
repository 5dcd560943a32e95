"""`remend video`: a clip in, the repaired clip out, its sound as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
    help="What to repair: a picture for all frames, or a folder or video with a mask for each.",
)
@click.option(
    "--find",
    multiple=True,
    metavar="KINDS",
    help="What to look for in film, with commas between: dust (of one frame), scratches (of many).",
)
@click.option(
    "--reach", default=20, show_default=True, type=click.IntRange(1, 200), help="Frames to each side."
)
@click.option(
    "--quality",
    default="balanced",
    show_default=True,
    type=click.Choice(["fast", "balanced", "best"]),
    help="What the still fill may spend, where no frame shows what was there.",
)
@click.option(
    "--method", default="auto", show_default=True, metavar="auto|NAME|FILE.onnx", help="Of that fill."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Same seed, same frames.")
@click.option(
    "--mask-polarity",
    default="white",
    show_default=True,
    type=click.Choice(["white", "black", "alpha", "opaque"]),
    help="What marks the hole; alpha = transparent.",
)
@click.option("--dilate-px", type=click.IntRange(0, 500), help="Grow given masks.  [default: 0]")
@click.option("--resize-mask", is_flag=True, help="Accept masks of another size.")
@click.option(
    "--crf", type=click.IntRange(0, 63), help="Of the encoder, lower is better.  [default: 14; VP9: 16]"
)
@click.option("--lossless", is_flag=True, help="Every decoded sample outside holes comes back as it was.")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option(
    "--explain", metavar="DIR", type=click.Path(path_type=Path), help="Write each frame's confidence there."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line on stdout instead of the path.")
def video(source: Path, output: Path, mask: Path | None, **flags: Any) -> None:
    """Repair INPUT: a video file (needs PyAV, extra [video]) or a folder of frames.

    Holes are filled from the frames where they are none; what no frame shows is made up once and carried
    on. Sound, subtitles and chapters are copied as they are. A run that was stopped goes on when it is given
    again.
    """
    from remend.options import MaskOptions, Settings
    from remend.video.job import VideoOptions, repair_video

    options = VideoOptions(
        settings=Settings(method=flags["method"], quality=flags["quality"], seed=flags["seed"]),
        masks=MaskOptions(
            mask_polarity=flags["mask_polarity"],
            dilate_px=flags["dilate_px"],
            resize_mask=flags["resize_mask"],
        ),
        find=tuple(word.strip() for words in flags["find"] for word in words.split(",") if word.strip()),
        reach=flags["reach"],
        crf=flags["crf"],
        lossless=flags["lossless"],
        overwrite=flags["overwrite"],
    )
    with _Progress(flags["explain"]) as progress:
        report = repair_video(source, output, mask=mask, options=options, observer=progress.hear)
    share = {name: getattr(report, name) / max(1, report.hole) for name in ("shown", "carried", "made")}
    resumed = f", {report.resumed} of them done before" if report.resumed else ""
    click.echo(
        f"{report.frames} frames{resumed} · of what was marked {share['shown']:.1%} seen in other frames, "
        f"{share['carried']:.1%} held, {share['made']:.1%} made up · {report.seconds:.1f} s",
        err=True,
    )
    for note in report.notes:
        click.echo(f"  note: {note}", err=True)
    click.echo(json.dumps(report.as_json()) if flags["as_json"] else str(output))


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
