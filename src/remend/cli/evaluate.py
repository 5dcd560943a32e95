"""`remend evaluate`: measure methods, and what other tools made, on pairs of pictures and masks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags
from remend.errors import UsageError
from remend.options import MaskOptions, Settings

if TYPE_CHECKING:
    from remend.evaluation.scores import Evaluation, Seen
    from remend.options import Polarity

__all__ = ["evaluate"]


@click.command(short_help="Measure methods on pairs of pictures and masks.")
@click.argument("folder", metavar="PAIRS", type=click.Path(path_type=Path))
@click.option(
    "--method",
    "methods",
    metavar="A,B,FILE",
    help="Methods by name, ONNX files, runs and checkpoints of training, separated by commas.",
)
@click.option(
    "--outputs",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="What another tool made, named after the pair, the picture or the mask; of a clip, a repaired clip. "
    "Repeatable.",
)
@click.option(
    "--masks",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Masks in a folder of their own, same stems; of a clip, one picture, a folder or a video.",
)
@click.option(
    "--over-time",
    is_flag=True,
    help="PAIRS is a folder of a clip's frames, in the order of their names; a video file is one anyway.",
)
@click.option(
    "-o",
    "--out",
    "target",
    required=True,
    metavar="REPORT",
    type=click.Path(path_type=Path),
    help="A folder for report.html, report.json and scores.csv; or one file of such a kind.",
)
@flags(MaskOptions, "mask_polarity", "projection")
@flags(Settings, "quality", "seed")
@click.option(
    "--features",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="SqueezeNet's .h5 adds PD; it, an .onnx feature net or a folder of .npy adds FID, KID, P-IDS "
    "and U-IDS. Repeatable.",
)
@click.option(
    "--lpips",
    nargs=2,
    metavar="BACKBONE LINEAR",
    type=click.Path(path_type=Path),
    help="Adds LPIPS: a backbone's and the linear weights as safetensors.",
)
@click.option(
    "--protocol",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Measure on what this file froze; refuse where anything differs.",
)
@click.option(
    "--freeze",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write such a file of what is measured on.",
)
@click.option(
    "--sheet",
    metavar="FILE.html",
    type=click.Path(path_type=Path),
    help="Write a page on which people choose blind between the methods' pictures.",
)
@click.option("--overwrite", is_flag=True, help="Replace a report that exists.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON line a picture and method instead of the table."
)
@click.pass_context
def evaluate(ctx: click.Context, /, **options: Any) -> None:
    """Measure methods on PAIRS: a folder of pictures and their masks.

    \b
    Layouts: x.png beside x_mask.png, or beside x_mask001.png, x_mask002.png …
             images/ and masks/ with equal names; or PAIRS and --masks DIR

    The picture is the truth; its hole is erased before a method sees it. Metrics are PSNR, SSIM and L1 of the
    whole picture and of the hole, and SHARP (gradient against the truth) of the hole; learned ones with
    --features and --lpips; WS-PSNR with --projection equirect (pictures are read as they are, so panoramas
    must be named such). Every figure carries a protocol hash over all pictures, masks and rules: compare
    only what has the same, with `remend compare`.

    A video, or a folder of frames with --over-time, is the truth of the clips that --outputs names: PSNR and
    SSIM of each frame, warping error and flicker, with --masks in the holes.
    """
    from remend.evaluation.gallery import Gallery
    from remend.evaluation.report import write_report
    from remend.evaluation.study import Sheet
    from remend.io.atomic import write_whole

    asked = Asked(**options)
    if asked.of_clip:
        _evaluate_clips(asked)
        return
    _refuse(asked)
    gallery = Gallery()
    ballot = Sheet() if asked.sheet is not None else None
    evaluation = _measured(asked, [gallery.see] + ([ballot.see] if ballot is not None else []))
    for name, reason in evaluation.skipped.items():
        click.echo(f"remend: {name}: not measured: {reason}", err=True)
    title = f"Evaluation of {asked.folder.name}"
    written = write_report(evaluation, gallery, asked.target, title=title, overwrite=asked.overwrite)
    if ballot is not None and asked.sheet is not None:
        page = ballot.page(evaluation.protocol.sha256)
        write_whole(asked.sheet, page.encode(), overwrite=asked.overwrite)
        written = (*written, asked.sheet)
    _show(evaluation, as_json=asked.as_json)
    for path in written:
        click.echo(f"wrote {path}", err=True)
    if evaluation.skipped or evaluation.failures:
        ctx.exit(1)


@dataclass(frozen=True)
class Asked:
    """The options of one call, as the command line has them."""

    folder: Path
    methods: str | None
    outputs: tuple[Path, ...]
    masks: Path | None
    over_time: bool
    target: Path
    mask_polarity: Polarity
    projection: str
    quality: str
    seed: int
    features: tuple[Path, ...]
    lpips: tuple[Path, Path] | None
    protocol: Path | None
    freeze: Path | None
    sheet: Path | None
    overwrite: bool
    as_json: bool

    @property
    def names(self) -> list[str]:
        """The methods, one by one."""
        return [name.strip() for name in (self.methods or "").split(",") if name.strip()]

    @property
    def of_clip(self) -> bool:
        """Whether it is a clip that is measured."""
        from remend.evaluation.clips import is_video

        return self.over_time or is_video(self.folder)


def _evaluate_clips(asked: Asked) -> None:
    """Repaired clips against the truth, over time."""
    from remend.evaluation.clip_report import clip_json, clip_table, write_clip_report
    from remend.evaluation.clips import evaluate_clips
    from remend.evaluation.report import check_free

    other = ("methods", "features", "lpips", "protocol", "freeze", "sheet")
    if any(getattr(asked, name) for name in other):
        raise UsageError(
            "clips are measured as they are, by --outputs and --masks: repair them by `remend video` first; "
            "methods, learned metrics, protocols and sheets are for pairs of pictures"
        )
    check_free(asked.target, overwrite=asked.overwrite)
    found = evaluate_clips(
        asked.folder,
        asked.outputs,
        masks=asked.masks,
        polarity=asked.mask_polarity,
        equirect=asked.projection == "equirect",
    )
    title = f"Evaluation of {asked.folder.name}"
    written = write_clip_report(found, asked.target, title=title, overwrite=asked.overwrite)
    if asked.as_json:
        for label, one in clip_json(found)["clips"].items():
            click.echo(json.dumps({"clip": label, **one["means"]}, ensure_ascii=False))
    else:
        from rich.console import Console

        Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200).print(clip_table(found))
    for path in written:
        click.echo(f"wrote {path}", err=True)


def _refuse(asked: Asked) -> None:
    """What cannot be meant, or would overwrite something, before anything is measured."""
    from remend.evaluation.report import check_free

    if not asked.names and not asked.outputs:
        raise UsageError("nothing to measure: give --method telea,biharmonic,auto or --outputs DIR")
    check_free(asked.target, overwrite=asked.overwrite)
    if (sheet := asked.sheet) is not None:
        if sheet.suffix.lower() != ".html" or len(asked.names) + len(asked.outputs) < 2:
            raise UsageError(
                f"--sheet {sheet} is a .html page and needs two methods or more to choose between"
            )
        check_free(sheet, overwrite=asked.overwrite)
    if (freeze := asked.freeze) is not None and freeze.exists():
        raise UsageError(
            f"{freeze} exists: numbers may hang on it; choose another name, or --protocol {freeze}"
        )


def _measured(asked: Asked, observers: Sequence[Callable[[Seen], None]]) -> Evaluation:
    """All methods on all pairs, with a bar; whoever observes sees each pair as it is done."""
    from remend.evaluation.frozen import freeze as frozen_of
    from remend.evaluation.frozen import read_frozen, verify, write_frozen
    from remend.evaluation.learned import judges
    from remend.evaluation.pairs import PairSet, find_pairs
    from remend.evaluation.run import evaluate as measure
    from remend.evaluation.sphere import SphereMetric

    found = find_pairs(asked.folder, masks=asked.masks)
    for line in found.unpaired:
        click.echo(f"remend: left out {line}", err=True)
    learned, nets = judges(features=asked.features, lpips=asked.lpips)
    if asked.projection == "equirect":
        learned = (SphereMetric(), *learned)
    rules = {name: rule for judge in (*learned, *nets) for name, rule in judge.rules.items()}
    settings: dict[str, Any] = {"polarity": asked.mask_polarity, "learned": rules, "seed": asked.seed}
    pairs = found.pairs
    if asked.protocol is not None:
        pairs = verify(read_frozen(asked.protocol), pairs, **settings)
    # Read before hours of work, written after them: a list of pairs that were never measured on helps nobody.
    frozen = frozen_of(pairs, **settings) if asked.freeze is not None else None
    with Progress(len(pairs)) as progress:

        def see(seen: Seen) -> None:
            for observer in observers:
                observer(seen)
            for score in seen.scores:
                if score.error is not None:
                    progress.log(f"remend: {score.pair}: {score.method}: {score.error}")
            progress.advance()

        evaluation = measure(
            PairSet(pairs, found.unpaired),
            asked.names,
            outputs=asked.outputs,
            polarity=asked.mask_polarity,
            quality=asked.quality,
            seed=asked.seed,
            projection=asked.projection if asked.projection == "equirect" else "flat",
            observer=see,
            learned=learned,
            features=nets,
        )
    if asked.freeze is not None and frozen is not None:
        write_frozen(asked.freeze, frozen)
    return evaluation


def _show(evaluation: Evaluation, *, as_json: bool) -> None:
    """The table, or a JSON line a picture and method, to stdout; what to bear in mind to stderr."""
    from remend.evaluation.tables import caveats, score_json, sets_table, table

    if as_json:  # at the end, since the protocol's hash on every line is of all pairs
        for score in evaluation.scores:
            click.echo(json.dumps(score_json(score, evaluation.protocol.short), ensure_ascii=False))
    else:
        from rich.console import Console

        # Off a terminal the table is as wide as it needs to be, for files and other programs.
        console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200)
        console.print(table(evaluation))
        if (of_sets := sets_table(evaluation)) is not None:
            console.print(of_sets)
    for line in caveats(evaluation):
        click.echo(f"remend: {line}", err=True)


class Progress:
    """A bar on stderr where that is a terminal; otherwise only the lines."""

    def __init__(self, total: int) -> None:
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True)
        self._bar = progress.Progress(
            progress.TextColumn("measuring"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("pairs", total=total)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self) -> None:
        """One pair is done."""
        self._bar.advance(self._task)

    def log(self, line: str) -> None:
        """A line above the bar."""
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
