"""`remend mask`: make masks by kind, seed and hole ratio."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click
import numpy as np

from remend.damage.synth.masks import KINDS, MASK_KINDS, make_mask
from remend.errors import UsageError, WriteError
from remend.io import encode_picture, write_picture
from remend.picture import Bool, Picture

__all__ = ["mask"]


def _size(_: click.Context, __: click.Parameter, value: str) -> tuple[int, int]:
    """``WxH`` as (height, width)."""
    width, cross, height = value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise click.BadParameter(f"{value!r} is not a size: write width and height in pixels, as in 640x480")
    return int(height), int(width)


def _ratio(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """``A-B`` as (least, largest)."""
    if value is None:
        return None
    try:
        low, high = (float(part) for part in value.split("-"))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a range: write the least and the largest share, as in 0.1-0.2"
        ) from None
    return low, high


_KIND_LINES = "\n".join(f"  {name:<14} {kind.about}" for name, kind in KINDS.items())


@click.command(
    epilog=f"\b\nKinds:\n{_KIND_LINES}",
    short_help="Make masks: LaMa, DeepFill, Co-Mod-GAN, scratches, dust, text …",
)
@click.argument("kind", type=click.Choice(MASK_KINDS), metavar="KIND")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="A .png file; with --count, a folder or a pattern such as m-%04d.png; - for standard output.",
)
@click.option(
    "--size",
    metavar="WxH",
    callback=_size,
    default="512x512",
    show_default=True,
    help="Width and height, pixels.",
)
@click.option(
    "--ratio",
    metavar="A-B",
    callback=_ratio,
    default=None,
    help="Share of the picture that the hole covers, 0–1.",
)
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many masks.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the first; then one more each."
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a mask instead of its path.")
def mask(
    kind: str,
    out: str,
    size: tuple[int, int],
    ratio: tuple[float, float] | None,
    count: int,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make masks of KIND as 8-bit PNG, white = repair.

    The same kind, size, ratio and seed give the same mask. Prints the path of each.
    """
    if out == "-":
        if count != 1 or as_json:
            raise UsageError("standard output takes one mask and nothing else: give -o a folder")
        drawn = make_mask(kind, size, seed=seed, ratio=ratio)
        sys.stdout.buffer.write(encode_picture(_picture(drawn), changed=drawn, format="png").data)
        return
    targets = _targets(out, kind, seed, count)
    if not overwrite:
        for target in targets:
            if target.exists():
                raise WriteError(f"{target}: exists already: choose another name, or give --overwrite")
    for index, target in enumerate(targets):
        drawn = make_mask(kind, size, seed=seed + index, ratio=ratio)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(
                f"{target.parent}: cannot be made: {error.strerror}: choose another -o"
            ) from error
        write_picture(_picture(drawn), target, changed=drawn, overwrite=overwrite)
        line = {
            "path": str(target),
            "kind": kind,
            "width": size[1],
            "height": size[0],
            "seed": seed + index,
            "hole_ratio": round(float(drawn.mean()), 6),
        }
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else str(target))


def _targets(out: str, kind: str, seed: int, count: int) -> list[Path]:
    """Where each mask goes: a file, a pattern with one ``%d``, or a folder."""
    path = Path(out)
    if "%" in path.name:
        try:
            names = [path.name % (seed + index) for index in range(count)]
        except (TypeError, ValueError):
            raise UsageError(f"{path.name!r} is not a pattern: write one number, as in m-%04d.png") from None
    elif path.is_dir() or out.endswith(("/", os.sep)) or not path.suffix:
        path = path / "_"
        names = [f"{kind}-{seed + index:04d}.png" for index in range(count)]
    elif count == 1:
        names = [path.name]
    else:
        raise UsageError(
            f"{count} masks do not fit into {out}: give -o a folder or a pattern such as m-%04d.png"
        )
    if wrong := next((name for name in names if Path(name).suffix.lower() != ".png"), None):
        raise UsageError(f"masks are written as PNG, got {wrong}: end the name in .png")
    return [path.with_name(name) for name in names]


def _picture(drawn: Bool) -> Picture:
    return Picture((drawn.astype(np.uint8) * np.uint8(255))[:, :, None], "L")
