"""The flags that say what damage is looked for, as `repair` and `detect` share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["finding_options"]

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--find",
        multiple=True,
        metavar="KINDS",
        help="Exactly what to look for, with commas between: scratch, crack, dust, stain, hole, text (dates, "
        "captions), watermark; damage = all but the last two, the default; all.",
    ),
    click.option("--skip", multiple=True, metavar="KINDS", help="What not to look for; words as for --find."),
    click.option("--force", is_flag=True, help="Search documents, drawings and screenshots, too."),
    click.option(
        "--tolerate",
        is_flag=True,
        help="Open a truncated JPEG or PNG as far as it goes; what is missing is damage.",
    ),
)


def finding_options(command: Command) -> Command:
    """Give a command ``--find``, ``--skip``, ``--force`` and ``--tolerate``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
