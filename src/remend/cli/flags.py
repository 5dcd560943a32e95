"""Flags made from the table of options (`remend.options`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from remend.options import Bounds, MaskOptions, Option, Settings, options_of
from remend.options.restoration import RestoreOptions
from remend.options.video import VideoOptions

__all__ = ["flags", "options_from"]

Command = TypeVar("Command", bound=Callable[..., Any])
Table = TypeVar("Table", Settings, MaskOptions, RestoreOptions, VideoOptions, Bounds)


def flags(table: type | Mapping[str, Option], *names: str) -> Callable[[Command], Command]:
    """Give a command a flag for each option, called like the field, with dashes.

    Args:
        table: a class of `remend.options`, or options by name.
        names: which of them; none = all.
    """
    options = options_of(table) if isinstance(table, type) else table

    def add(command: Command) -> Command:
        for name in reversed(names or tuple(options)):
            command = _flag(options[name])(command)
        return command

    return add


def data_flag(more: str = "Repeatable.", *, multiple: bool = True) -> Callable[[Command], Command]:
    """``--data``: what there is to learn from, ``sources``, or ``data`` where it is given once.

    Args:
        more: behind what it takes.
        multiple: it may be given several times.
    """
    return click.option(
        "--data",
        "sources" if multiple else "data",
        multiple=multiple,
        required=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        help=f"A folder of pictures, a data set, a list (.flist, .txt) or a tar shard. {more}".strip(),
    )


def options_from(table: type[Table], given: Mapping[str, Any]) -> Table:
    """The options that the flags of a command say; those that it has no flag for stay as they are."""
    return table(**{name: given[name] for name in options_of(table) if name in given})


def _flag(option: Option) -> Callable[[Command], Command]:
    default = option.default
    text = re.sub(r"`(\w+)`", lambda other: _spelt(other[1]), option.help)
    more: dict[str, Any] = {"help": text, "metavar": option.metavar}
    if option.type == "boolean":
        more["is_flag"] = True
    elif option.type == "words":
        more["multiple"] = True
        if option.name == "accept":
            more["callback"] = _formats
    else:
        if option.name == "say":
            more["callback"] = _spoken
        more |= {"type": _type(option), "default": default, "show_default": default not in (None, "")}
        if option.unit > 1:
            more["default"] = default // option.unit
            more["callback"] = lambda context, parameter, value: value * option.unit
    return click.option(option.flag or _spelt(option.name), option.name, **more)


def _spelt(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _type(option: Option) -> Any:
    if option.choices:
        return click.Choice(list(option.choices))
    if option.type == "integer":
        low, high = (None if bound is None else int(bound) for bound in (option.low, option.high))
        return click.IntRange(low, high)
    if option.type == "number":
        return click.FloatRange(option.low, option.high, min_open=option.above)
    return None


def _spoken(context: click.Context, parameter: click.Parameter, words: str) -> str:
    """Words as they are; of a WAV file what is said in it, told.

    Raises:
        UsageError: it cannot be read, or nothing was understood.
    """
    if not words.lower().endswith(".wav"):
        return words
    from pathlib import Path

    from remend.errors import UsageError
    from remend.saying.listening import heard

    try:
        sound = Path(words).read_bytes()
    except OSError as error:
        raise UsageError(f"{words} cannot be read ({error.strerror}): check the path") from error
    text = heard(sound)
    click.echo(f"heard: {text}", err=True)
    return text


def _formats(context: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """The proper names of formats.

    Raises:
        UsageError: there is none of that name.
    """
    from remend.io.registry import formats_named

    return formats_named(Bounds(accept=words).accept) if words else ()
