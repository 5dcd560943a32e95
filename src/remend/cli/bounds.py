"""Flags for what a job may cost: the same for every verb that reads pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from remend.budget import DEFAULT_MAX_MEMORY, DEFAULT_MAX_PIXELS, MAX_RATIO

if TYPE_CHECKING:
    from remend.budget import Bounds

__all__ = ["bounds_from", "bounds_options", "shared_options"]

Command = TypeVar("Command", bound=Callable[..., Any])
MIB = 1 << 20


def shared_options(command: Command) -> Command:
    """``--max-pixels``, ``--max-memory`` and ``--accept``."""
    for option in (
        click.option(
            "--accept",
            metavar="FORMATS",
            default="",
            help="Formats to read, with commas between. Default: all.",
        ),
        click.option(
            "--max-memory",
            default=DEFAULT_MAX_MEMORY // MIB,
            show_default=True,
            metavar="MIB",
            type=click.IntRange(1),
            help="Refuse pictures whose samples need more.",
        ),
        click.option(
            "--max-pixels",
            default=DEFAULT_MAX_PIXELS,
            show_default=True,
            type=click.IntRange(1),
            help="Refuse larger pictures.",
        ),
    ):
        command = option(command)
    return command


def bounds_options(command: Command) -> Command:
    """The shared ones, ``--max-ratio`` and ``--time-limit``."""
    for option in (
        click.option(
            "--time-limit",
            metavar="SECONDS",
            type=click.FloatRange(0, min_open=True),
            help="For each picture; looked at between steps.",
        ),
        click.option(
            "--max-ratio",
            default=MAX_RATIO,
            show_default=True,
            type=click.FloatRange(0),
            help="Refuse files that grow more often than this when decoded, and are large then; 0: any.",
        ),
    ):
        command = option(command)
    return shared_options(command)


def accepted(words: str) -> tuple[str, ...]:
    """The formats of ``--accept``.

    Raises:
        UsageError: there is none of that name.
    """
    from remend.io.registry import codec_named

    return tuple(codec_named(word.strip()).format for word in words.split(",") if word.strip())


def bounds_from(flags: dict[str, Any]) -> Bounds:
    """What was asked for."""
    from remend.budget import Bounds

    return Bounds(
        max_pixels=flags["max_pixels"],
        max_memory=flags["max_memory"] * MIB,
        max_ratio=flags["max_ratio"],
        time_limit_s=flags["time_limit"],
        accept=accepted(flags["accept"]),
    )
