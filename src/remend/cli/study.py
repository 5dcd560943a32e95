"""`remend study`: a page on which people judge methods' pictures blind, and the count of their votes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from remend.errors import UsageError, WriteError

__all__ = ["study"]


class _Verbs(click.Group):
    """`remend study PAIRS …` makes one: a first word that is no verb is a folder."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb in where it was left out."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Verbs, short_help="Let people judge: a page for voters, and the count.")
def study() -> None:
    """Let people judge methods' pictures blind.

    \b
    remend study PAIRS --methods A,B,C -o study/       writes study/index.html, to be handed to voters
    remend study count study/ votes-*.json             counts what they saved
    """


@study.command(short_help="Write the page.")
@click.argument("folder", metavar="PAIRS", type=click.Path(path_type=Path))
@click.option(
    "--methods", metavar="A,B,C", help="Methods by name, ONNX files, runs and checkpoints of training."
)
@click.option(
    "--outputs",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="What another tool made, named after the pair, the picture or the mask. Repeatable.",
)
@click.option(
    "-o",
    "--out",
    "target",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder for index.html and study.json.",
)
@click.option(
    "--ask",
    type=click.Choice(["choose", "rate"]),
    default="choose",
    show_default=True,
    help="Choose between two pictures, or rate each from 1 (bad) to 5 (excellent).",
)
@click.option(
    "--most",
    type=click.IntRange(1),
    metavar="N",
    help="Trials that one voter sees, drawn from all, beside the catch trials.  [default: all]",
)
@click.option(
    "--masks", metavar="DIR", type=click.Path(path_type=Path), help="Masks in a folder of their own."
)
@click.option(
    "--mask-polarity",
    type=click.Choice(["white", "black", "alpha", "opaque"]),
    default="white",
    show_default=True,
    help="What marks the hole.",
)
@click.option(
    "--quality", type=click.Choice(["fast", "balanced", "best"]), default="balanced", show_default=True
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace a study that exists.")
def make(
    folder: Path,
    methods: str | None,
    outputs: tuple[Path, ...],
    target: Path,
    ask: str,
    most: int | None,
    masks: Path | None,
    mask_polarity: str,
    quality: str,
    seed: int,
    overwrite: bool,
) -> None:
    """Fill the holes of PAIRS, as `remend evaluate` does, and write a page on which people judge the fills.

    study/index.html is one file that asks for nothing from anywhere and sends nothing: mail it, or lay it on
    any web server. It shows no names, draws order and sides for each voter, mixes in trials whose answer
    nobody who looks can miss, and saves votes-….json. study/study.json names the methods: keep it to
    yourself.
    """
    from remend.cli.evaluate import Progress
    from remend.evaluation.pairs import PairSet, find_pairs
    from remend.evaluation.run import evaluate as measure
    from remend.evaluation.scores import Seen
    from remend.evaluation.study import Sheet, Study
    from remend.io.atomic import write_whole

    names = [name.strip() for name in (methods or "").split(",") if name.strip()]
    fewest = 1 if ask == "rate" else 2
    if len(names) + len(outputs) < fewest:
        raise UsageError("too few methods to judge: give --methods telea,auto or --outputs DIR")
    page, key = target / "index.html", target / "study.json"
    for path in (page, key):
        if path.exists() and not overwrite:
            raise WriteError(f"{path}: exists already: choose another -o, or give --overwrite")
    found = find_pairs(folder, masks=masks)
    for line in found.unpaired:
        click.echo(f"remend: left out {line}", err=True)
    sheet = Sheet(ask=ask, most=most)  # type: ignore[arg-type]  # click.Choice holds it to the two
    with Progress(len(found.pairs)) as progress:

        def see(seen: Seen) -> None:
            sheet.see(seen)
            for score in seen.scores:
                if score.error is not None:
                    progress.log(f"remend: {score.pair}: {score.method}: {score.error}")
            progress.advance()

        done = measure(
            PairSet(found.pairs, found.unpaired),
            names,
            outputs=outputs,
            polarity=mask_polarity,  # type: ignore[arg-type]  # click.Choice holds it to the four
            quality=quality,
            seed=seed,
            observer=see,
        )
    content = sheet.page(done.protocol.sha256).encode()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{target}: cannot be made: {error.strerror or error}") from error
    write_whole(page, content, overwrite=overwrite)
    study_ = Study(done.protocol.sha256, sheet.ask, done.methods)
    write_whole(key, study_.as_json().encode(), overwrite=overwrite)
    click.echo(f"wrote {page} ({len(content) / 2**20:.1f} MiB), for voters", err=True)
    click.echo(f"wrote {key}, which names the methods: keep it, for `remend study count {target}`", err=True)


@study.command(short_help="Count votes.")
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
@click.argument("votes", metavar="VOTES.json…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def count(folder: Path, votes: tuple[Path, ...], as_json: bool) -> None:
    """Count the VOTES that people saved from the page of STUDY.

    Of every two methods: how often the later was chosen over the earlier, "no difference" counted half to
    each, with a 95 % interval over pictures and voters. Of three and more also Bradley–Terry's strengths;
    of ratings their means and differences. Who fails more than a quarter of the catch trials is left out,
    and told.
    """
    from remend.evaluation.preference import count as counted
    from remend.evaluation.study import read_study
    from remend.evaluation.votes import read_ballots

    asked = read_study(folder)
    ballots = read_ballots(votes, protocol=asked.protocol, ask=asked.ask)
    found = counted(ballots, asked.methods, protocol=asked.protocol, ask=asked.ask)
    if as_json:
        click.echo(json.dumps({**found.as_json(), "protocol": asked.protocol}, ensure_ascii=False))
        return
    for line in found.lines():
        click.echo(line)
