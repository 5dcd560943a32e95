"""`remend models`: the models that lie in the package, what their cards say, and whether they work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from remend.added import HOLES, Hole, folder, names, path_of, prefer, preferred, remove
from remend.errors import ModelError

__all__ = ["models"]


@click.group(short_help="List, show, verify and add models.")
def models() -> None:
    """Models that the package carries, those that you have added, or any ONNX file with its card."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a model.")
def list_models(as_json: bool) -> None:
    """List the embedded models, and those that were added."""
    added = [folder() / f"{name}.onnx" for name in names()]
    found = [*_embedded(), *added]
    for path in found:
        card = _card(path)
        if as_json:
            click.echo(json.dumps({"file": path.name, "bytes": path.stat().st_size, **card}))
        else:
            size = f"{path.stat().st_size / 2**20:.1f} MiB"
            words = [card.get("summary", ""), f"licence: {card.get('licence', 'not stated')}"]
            if path in added:
                chosen = "".join(
                    f", preferred for {hole} holes" for hole in HOLES if path.stem == preferred(hole)
                )
                words.insert(0, f"added{chosen}: {card.get('origin', '')}")
            click.echo(f"{path.stem}  {size}  " + "; ".join(word for word in words if word))
    if not found:
        click.echo("this build carries no models; --method FILE.onnx takes one", err=True)


@models.command()
@click.argument("model", metavar="NAME|FILE.onnx")
def show(model: str) -> None:
    """Print the card of a model as JSON."""
    shown = json.dumps(_card(_path(model)), indent=2, ensure_ascii=False)
    click.echo("".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in shown))


@models.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "name", metavar="NAME", help="What to call it.  [default: the file's stem]")
@click.option("--overwrite", is_flag=True, help="Replace one of that name.")
def add(files: tuple[Path, ...], name: str | None, overwrite: bool) -> None:
    """Make a model a --method: an ONNX file, or a checkpoint of LaMa, AOT-GAN, MI-GAN or EdgeConnect.

    It is told by what is in it, checked on made pictures, and copied with a card into a folder of yours
    (REMEND_MODELS says another). Checkpoints are read without running what is in them, and converted, which
    needs PyTorch; EdgeConnect's two files are given together.
    """
    from remend.cli.added import add_model

    name, lines = add_model(files, name=name, overwrite=overwrite)
    for line in lines:
        click.echo(line, err=True)
    click.echo(f"now a method: --method {name}; remend models use {name} lets auto take it", err=True)
    click.echo(folder() / f"{name}.onnx")


@models.command()
@click.argument("name", metavar="NAME|auto")
def use(name: str) -> None:
    """Let `auto` take an added model; `remend models use auto` takes that back.

    For wide holes; one whose card has `margin_px`, as files of `remend adapt` do, for thin ones.
    """
    if name == "auto":
        prefer(None)
        click.echo("auto fills holes with its own nets", err=True)
        return
    path = path_of(name)
    hole: Hole = "thin" if path is not None and _card(path).get("margin_px") is not None else "wide"
    prefer(name, hole)
    where = "neural-thin" if hole == "thin" else "neural or neural-exemplar"
    click.echo(f"auto fills {hole} holes with {name}, where it took {where}", err=True)


@models.command("remove")
@click.argument("name", metavar="NAME")
def remove_model(name: str) -> None:
    """Take an added model away, with its card."""
    remove(name)


@models.command()
@click.argument("chosen", metavar="[NAME|FILE.onnx]…", nargs=-1)
def verify(chosen: tuple[str, ...]) -> None:
    """Check models by running them; without a name all that are embedded.

    The SHA-256 of the card, the inputs and outputs, finite answers, known pixels that come back bit for bit.
    Exit code 3 where one of these does not hold.
    """
    from remend.fill.model_check import verify_model

    own = set(_embedded())
    for path in [_path(name) for name in chosen] or sorted(own):
        if "judge" in _card(path):
            _verify_finder(path)
            continue
        if (check := _OTHERS.get(_card(path).get("architecture", ""))) is not None:
            check(path)
            continue
        done = verify_model(path, trusted=path in own)
        sum_ = "SHA-256 as its card says" if done.checksum else "no SHA-256 in its card"
        click.echo(f"{path.name}: {sum_}; {len(done.sizes)} windows filled, known pixels bit for bit")


def _verify_finder(path: Path) -> None:
    """The net that finds damage has a contract of its own: chances out, and a judge of them in its card."""
    import numpy as np

    from remend.damage.chances import card_of, chances_of
    from remend.damage.perceptron import perceptron_from

    perceptron_from(card_of(path)["judge"])
    grey = np.full((70, 100, 3), 128, np.uint8)
    planes = chances_of(grey, weights=path)  # holds the file against its card
    if planes.shape[1:] != grey.shape[:2]:
        raise ModelError(f"{path.name} answers {planes.shape} for a picture of {grey.shape[:2]}: get it anew")
    click.echo(f"{path.name}: SHA-256 as its card says; {len(planes)} kinds of damage, a judge of them")


def _verify_restorer(path: Path) -> None:
    """The net that restores answers what is to be added to a picture: next to nothing, to a flat one."""
    import numpy as np

    from remend.restoration.net import change_of

    for size in ((64, 64), (41, 90)):
        change = change_of(np.full((*size, 3), 0.5, np.float32), weights=path)  # holds the file to its card
        if not np.isfinite(change).all() or np.abs(change).max() > 0.1:
            raise ModelError(f"{path.name} changes a picture of one grey: get it anew")
    click.echo(f"{path.name}: SHA-256 as its card says; it leaves one grey as it is")


def _verify_enlarger(path: Path) -> None:
    """The net that enlarges answers one grey for one grey, twice as large."""
    import numpy as np

    from remend.picture import Picture
    from remend.restoration.enlarging import enlarged

    grey = np.full((41, 90, 3), 128, np.uint8)
    large = enlarged(Picture(grey, "RGB"), 2, weights=path).samples  # holds the file against its card
    if large.shape != (82, 180, 3) or np.abs(large.astype(int) - 128).max() > 3:
        raise ModelError(f"{path.name} changes a picture of one grey: get it anew")
    click.echo(f"{path.name}: SHA-256 as its card says; one grey twice as large")


_OTHERS = {"restorer": _verify_restorer, "enlarger": _verify_enlarger}


def _embedded() -> list[Path]:
    from remend.fill.neural import WEIGHTS

    return sorted(WEIGHTS.glob("*.onnx"))


def _path(model: str) -> Path:
    """An embedded model by its name, or a file."""
    if model.lower().endswith(".onnx"):
        return Path(model)
    found = {path.stem: path for path in _embedded()}
    if (added := path_of(model)) is not None:
        return added
    if model not in found:
        named = ", ".join(found) or "none are embedded"
        raise ModelError(f"no model is called {model!r} ({named}): give a name or an .onnx file")
    return found[model]


def _card(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no model {path}: check the path")
    from remend.fill.model_card import read_card

    return {"name": path.stem, **read_card(path)}
