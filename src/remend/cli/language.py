"""The language of ``--help``: English where it stands, Chinese from one table by what is said in English.

Which one, `remend.language` tells; errors are said in it, too.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from copy import copy
from functools import cache
from importlib.resources import files

import click

from remend.language import in_chinese, is_chinese

__all__ = ["ChineseContext", "help_of", "show_misuse", "table", "translated", "wrapped"]

CLOSING = "，。；：、！？）”》…%"  # never begin a line
WORDS = {
    "Usage: ": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Show this message and exit.": "显示此帮助并退出。",
    "[default: ": "[默认：",
    "[required]": "[必需]",
    "required]": "必需]",
}
"""What click itself says."""


@cache
def table() -> dict[str, str]:
    """Chinese by the English that stands in the code, its blanks set straight."""
    content = files(__name__.rpartition(".")[0]).joinpath("chinese.json").read_text("utf-8")
    found: dict[str, str] = json.loads(content)
    return found


def help_of(command: click.Command) -> Iterator[str]:
    """All that a command's help says, its options' included, blanks set straight."""
    texts = [command.help, command.short_help, command.epilog]
    texts += [getattr(option, "help", None) for option in command.params]
    yield from (" ".join(text.split()) for text in texts if text)


def translated(command: click.Command) -> click.Command:
    """A command whose help is in Chinese, its options' included, and those of the commands in it."""
    chinese = copy(command)
    chinese.params = [copy(option) for option in command.params]
    for owner in (chinese, *chinese.params):
        for name in ("help", "short_help", "epilog"):
            text = getattr(owner, name, None)
            if text:
                setattr(owner, name, table().get(" ".join(text.split()), text))
    chinese.context_class = ChineseContext
    if isinstance(chinese, click.Group):
        chinese.commands = {name: translated(inner) for name, inner in chinese.commands.items()}
    return chinese


def wrapped(text: str, columns: int) -> list[str]:
    """Lines no wider than so many columns; a Chinese letter takes two of them, and a line may end after it.

    >>> wrapped("修复受损的图片 photo.jpg", 10)
    ['修复受损的', '图片', 'photo.jpg']
    """
    lines, line = [""], 0
    for part in re.findall(r"[\u2e80-\uffef“”…]|[^\s\u2e80-\uffef“”…]+|\s+", text):
        wide = sum(_columns(letter) for letter in part)
        if line + wide > columns and part not in CLOSING and not part.isspace():
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            line = 0
        if line or not part.isspace():
            lines[-1] += " " if part.isspace() else part
            line += 1 if part.isspace() else wide
    return [one.rstrip() for one in lines]


def _columns(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def show_misuse(error: click.ClickException) -> None:
    """What click found wrong with a command line, on stderr, in the user's language."""
    if not is_chinese():
        error.show()
        return
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(context.get_usage(), err=True)
        click.echo(f"用 {context.command_path} --help 查看帮助。\n", err=True)
    click.echo(f"错误：{in_chinese(error.format_message())}", err=True)


class _Formatter(click.HelpFormatter):
    """Says click's own words in Chinese, and wraps lines by the columns that letters take."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or WORDS["Usage: "])

    def write_heading(self, heading: str) -> None:
        super().write_heading(WORDS.get(heading, heading))

    def write_text(self, text: str) -> None:
        margin = " " * self.current_indent
        paragraphs = []
        for paragraph in text.split("\n\n"):
            if paragraph.startswith("\b"):
                lines = paragraph.split("\n")[1:]  # as it is
            else:
                lines = wrapped(paragraph, self.width - self.current_indent)
            paragraphs.append("".join(f"{margin}{line}\n" for line in lines))
        self.write("\n".join(paragraphs))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        first = min(max((len(name) for name, _ in rows), default=0), col_max) + col_spacing
        margin = " " * (self.current_indent + first)
        for name, text in rows:
            for english, chinese in WORDS.items():
                text = text.replace(english, chinese)
            lines = wrapped(text, max(20, self.width - len(margin)))
            begin = f"{'':{self.current_indent}}{name}"
            if len(name) > first - col_spacing:
                self.write(f"{begin}\n{margin}{lines[0]}\n")
            else:
                self.write(f"{begin:{len(margin)}}{lines[0]}\n")
            self.write("".join(f"{margin}{line}\n" for line in lines[1:]))


class ChineseContext(click.Context):
    """Formats help in Chinese."""

    formatter_class = _Formatter
