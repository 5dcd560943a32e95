"""Recipes of nets with a loop of their own: TOML with ``--set`` on top, made into checked dataclasses."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from remend.errors import UsageError

__all__ = ["checked", "settings_in"]


def settings_in(text: str, settings: Sequence[str], *, name: str) -> dict[str, Any]:
    """A recipe's TOML with ``key=value`` or ``section.key=value`` on top, values written as in TOML.

    Raises:
        UsageError: no TOML, or a setting of another shape.
    """
    try:
        content = tomllib.loads(text)
        for setting in settings:
            path, separator, value = setting.partition("=")
            *sections, key = path.strip().split(".")
            if not separator or len(sections) > 1:
                raise UsageError(f"--set takes key=value or section.key=value, got {setting!r}")
            target = content.setdefault(sections[0], {}) if sections else content
            try:
                target[key] = tomllib.loads(f"x = {value.strip()}")["x"]
            except tomllib.TOMLDecodeError:
                target[key] = value.strip()
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the recipe {name} is no TOML: {error}") from error
    return content


def checked(kind: type[Any], values: Mapping[str, Any], where: str, *, of: str) -> Any:
    """A dataclass of values that are checked by name and type.

    Args:
        kind: the dataclass.
        values: by field.
        where: what stands before a field's name in messages.
        of: whose recipe it is.

    Raises:
        UsageError: no such field, or a value of another type than its default.
    """
    known = {entry.name: entry for entry in dataclasses.fields(kind)}
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"a recipe of {of} has no {where}{key}: choose {', '.join(known)}")
        default = known[key].default
        wanted: dict[type, tuple[type, ...]] = {float: (int, float), int: (int,), str: (str,)}
        kinds = wanted.get(type(default))
        if kinds is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise UsageError(f"{where}{key} is a {type(default).__name__}, got {value!r}")
    return kind(**values)
