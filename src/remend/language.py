"""The user's language: errors are told in English, or in Chinese by one table of what they say in English.

In the code a message is one English line with values in it; the table holds such lines with ``{0}``, ``{1}``
where the values stand. What no line of it fits stays English.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from importlib.resources import files

__all__ = ["VALUE", "error_table", "in_chinese", "is_chinese", "pattern_of", "told"]

VALUE = re.compile(r"\{(\d)\}")


def is_chinese() -> bool:
    """Whether the user reads Chinese: the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return said.lower().startswith("zh")


@cache
def error_table() -> dict[str, str]:
    """Chinese by the English that errors say; the longest first, for they say most."""
    found: dict[str, str] = json.loads(files("remend").joinpath("chinese.json").read_text("utf-8"))
    return dict(sorted(found.items(), key=lambda line: -len(VALUE.sub("", line[0]))))


def pattern_of(english: str) -> str:
    """The regular expression of a line with values in it."""
    literal = VALUE.split(english)  # text, number, text, number, text …
    return "".join(f"(?P<v{part}>.*?)" if n % 2 else re.escape(part) for n, part in enumerate(literal))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern_of(line), re.DOTALL), chinese) for line, chinese in error_table().items()]


def in_chinese(text: str) -> str:
    """An error's line in Chinese; the values in it, too, where they are such lines themselves.

    >>> in_chinese("photo.jpg: not enough memory to decode it")
    'photo.jpg：内存不足，无法解码'
    >>> in_chinese("something else")
    'something else'

    Cost: a millisecond or two; it is for who reads an error.
    """
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(text):
            return VALUE.sub(lambda place: in_chinese(found[f"v{place[1]}"]), chinese)
    return text


def told(error: object) -> str:
    """An error's line in the user's language."""
    return in_chinese(str(error)) if is_chinese() else str(error)
