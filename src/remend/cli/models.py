"""`remend models`: the models that lie in the package, what their cards say, and whether they work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from remend.errors import ModelError

__all__ = ["models"]


@click.group(short_help="List, show and verify models.")
def models() -> None:
    """Models that the package carries, or any ONNX file with its card."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a model.")
def list_models(as_json: bool) -> None:
    """List the embedded models."""
    found = _embedded()
    for path in found:
        card = _card(path)
        if as_json:
            click.echo(json.dumps({"file": path.name, "bytes": path.stat().st_size, **card}))
        else:
            size = f"{path.stat().st_size / 2**20:.1f} MiB"
            words = [card.get("summary", ""), f"licence: {card.get('licence', 'not stated')}"]
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


def _embedded() -> list[Path]:
    from remend.fill.neural import WEIGHTS

    return sorted(WEIGHTS.glob("*.onnx"))


def _path(model: str) -> Path:
    """An embedded model by its name, or a file."""
    if model.lower().endswith(".onnx"):
        return Path(model)
    found = {path.stem: path for path in _embedded()}
    if model not in found:
        named = ", ".join(found) or "none are embedded"
        raise ModelError(f"no model is called {model!r} ({named}): give a name or an .onnx file")
    return found[model]


def _card(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no model {path}: check the path")
    from remend.fill.model_card import read_card

    return {"name": path.stem, **read_card(path)}
