"""`remend federate`: learn with others while every picture stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import data_flag
from remend.errors import UsageError

if TYPE_CHECKING:
    from remend.train.federated.terms import Terms

__all__ = ["federate"]


@click.group(short_help="Train with others; pictures stay where they are.")
def federate() -> None:
    """Members learn on their own pictures, a leader averages their weights, round by round (FedAvg, FedProx).

    Needs `pip install 'remend[federated,train]'`. What leaves a member are weights: with --secagg masked, so
    that the leader sees their sum alone; with --noise such that one picture changes them by next to nothing.
    """


def _terms(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags of what all members agree on."""
    flags = [
        click.argument("recipe", metavar="NET|RECIPE"),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override the recipe."),
        click.option("--rounds", type=click.IntRange(1), default=5, show_default=True),
        click.option(
            "--prox",
            type=click.FloatRange(0),
            default=0.0,
            show_default=True,
            help="FedProx: how strongly members are pulled back to the common weights. 0: FedAvg.",
        ),
        click.option("--secagg", is_flag=True, help="SecAgg+: the leader sees the sum of updates alone."),
        click.option(
            "--noise",
            type=click.FloatRange(0),
            default=0.0,
            show_default=True,
            help="Differential privacy by DP-SGD: noise in units of --clip. ε is told after each round.",
        ),
        click.option("--clip", type=float, default=1.0, show_default=True, help="Of a picture's gradient."),
        click.option("--delta", type=float, default=1e-5, show_default=True),
        click.option("--out", metavar="DIR", type=click.Path(path_type=Path), required=True),
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command


def _agreed(recipe: str, settings: tuple[str, ...], **terms: Any) -> Terms:
    from remend.train import config

    try:
        from remend.train.federated.terms import Terms
    except ModuleNotFoundError as error:
        raise UsageError(
            f"federating needs {error.name}, which is not installed: pip install 'remend[federated,train]'"
        ) from error
    return Terms(config.override(config.load(recipe), settings), **terms)


@federate.command(short_help="All members on this machine.")
@_terms
@data_flag("One for each member; given once, the pictures are dealt out to --members.")
@click.option("--members", type=click.IntRange(2), default=5, show_default=True, help="With one --data.")
@click.option(
    "--alpha",
    type=click.FloatRange(0, min_open=True),
    default=0.5,
    show_default=True,
    help="With one --data: of the Dirichlet distribution; small = each member has few kinds of pictures.",
)
@click.option("--one-kind", is_flag=True, help="Each member knows another kind of damage.")
def simulate(
    recipe: str,
    settings: tuple[str, ...],
    out: Path,
    sources: tuple[Path, ...],
    members: int,
    alpha: float,
    one_kind: bool,
    **terms: Any,
) -> None:
    """Train NET or RECIPE by members in this process, one after the other, through Flower's apps."""
    agreed = _agreed(recipe, settings, **terms)
    best = out / "best.safetensors"
    if best.exists():
        raise UsageError(f"{best} exists: give another --out")
    try:
        from remend.train.data.pictures import read_pictures
        from remend.train.federated.flower import keep
        from remend.train.federated.here import simulate as run
        from remend.train.federated.member import Member
        from remend.train.federated.shares import KINDS, OneKind, dealt
    except ModuleNotFoundError as error:
        raise UsageError(
            f"federating needs {error.name}, which is not installed: pip install 'remend[federated,train]'"
        ) from error
    least = agreed.recipe.data.crop_px
    read = [read_pictures([source], least_px=least) for source in sources]
    if len(read) == 1:
        labels = [name.split("/")[-1].split("_")[0].split("-")[0] for name in read[0].names]
        read = [read[0].only(share) for share in dealt(labels, members, alpha=alpha)]
    seed = agreed.recipe.train.seed
    people = [
        Member(pictures, OneKind.of(seed, KINDS[n % len(KINDS)]) if one_kind else None, seed=n)
        for n, pictures in enumerate(read)
    ]
    for number, pictures in enumerate(read):
        kind = f", {KINDS[number % len(KINDS)]}" if one_kind else ""
        click.echo(f"member {number + 1}: {len(pictures)} pictures{kind}", err=True)

    def told(number: int, arrays: Any, said: list[dict[str, float]]) -> None:
        keep(best, arrays, agreed, number)
        spent = [member["epsilon"] for member in said if "epsilon" in member]
        budget = f", ε at most {max(spent):.2f} at δ = {agreed.delta:g}" if spent else ""
        click.echo(f"round {number} of {agreed.rounds}{budget}", err=True)

    run(agreed, people, told=told)
    click.echo(best)


@federate.command(short_help="Wait for members and average what they learn.")
@_terms
@click.option("--members", type=click.IntRange(2), required=True, help="That each round waits for.")
@click.option("--address", default="127.0.0.1:9092", show_default=True, metavar="HOST:PORT")
@click.option(
    "--tls",
    nargs=3,
    type=click.Path(path_type=Path, exists=True),
    metavar="CA CERT KEY",
    help="PEM files. Without them nothing is encrypted: for one machine, or a tunnel.",
)
def lead(
    recipe: str,
    settings: tuple[str, ...],
    out: Path,
    members: int,
    address: str,
    tls: tuple[Path, ...] | None,
    **terms: Any,
) -> None:
    """Lead a federation that trains NET or RECIPE; the leader needs no pictures."""
    agreed = _agreed(recipe, settings, **terms)
    from remend.train.federated.elsewhere import lead as run

    say = lambda line: click.echo(line, err=True)  # noqa: E731
    click.echo(run(agreed, members, out, address=address, certificates=tls or (), say=say))


@federate.command(short_help="Take part with pictures of your own.")
@data_flag("It stays here.", multiple=False)
@click.option("--address", default="127.0.0.1:9092", show_default=True, metavar="HOST:PORT")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another for each member.")
@click.option("--ca", type=click.Path(path_type=Path, exists=True), metavar="CA", help="Whom to trust, PEM.")
@click.option(
    "--kind",
    metavar="KIND",
    default="",
    help="Learn from one kind of damage alone: scratches, dust, cracks, text or free-form.",
)
@click.option("--secagg", is_flag=True, help="Take part with SecAgg+ alone, whatever the leader says.")
@click.pass_context
def join(
    ctx: click.Context, data: Path, address: str, seed: int, ca: Path | None, kind: str, secagg: bool
) -> None:
    """Take part in the federation at --address; the pictures of --data stay here.

    Join leaders that you know: Flower lets a leader send the program that members run.
    """
    try:
        from remend.train.federated.elsewhere import join as run
    except ModuleNotFoundError as error:
        raise UsageError(
            f"federating needs {error.name}, which is not installed: pip install 'remend[federated,train]'"
        ) from error
    say = lambda line: click.echo(line, err=True)  # noqa: E731
    code = run(data, address=address, seed=seed, certificate=ca, kind=kind, secagg=secagg, say=say)
    ctx.exit(1 if code else 0)
