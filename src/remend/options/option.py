"""What an option is: a field of a frozen dataclass that carries its help, range and choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, TypeVar

from remend.errors import UsageError

__all__ = ["Option", "lines_of", "option", "options_of", "shared", "verify", "with_help"]

Table = TypeVar("Table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One line of the table.

    Attributes:
        name: of the field, the keyword and the form's field.
        type: ``words`` are several, with commas between or as a sequence.
        default: None = nothing is given.
        help: one line for all faces.
        choices: all there are, with what each means; empty = free.
        low, high: bounds of a number, None = none; with ``above`` the lower one is itself too low.
        metavar: what stands for the value in ``--help``.
        flag: of the command line.
        unit: of the flag's number, where it is none of the field's: MiB for bytes.
        needs: what it applies to; without any of these it is refused. Empty = everything.
        check: for words and text: raises UsageError where one cannot be meant.
        told: the default as it is told, where the value does not tell it.
    """

    name: str = ""
    type: Literal["string", "integer", "number", "boolean", "words"] = "string"
    default: Any = None
    help: str
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    above: bool = False
    metavar: str | None = None
    flag: str = ""
    unit: int = 1
    needs: frozenset[Literal["search", "mask", "guide"]] = frozenset()
    check: Callable[[Any], object] | None = None
    told: str | None = None

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name.replace("_", " ").capitalize()

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.type == "boolean":
            return "true or false"
        kind = "a whole number" if self.type == "integer" else "a number"
        if self.high is not None:
            return f"{kind} from {self.low:g} to {self.high:.16g}"
        return f"{kind} above {self.low:g}" if self.above else f"{kind} of {self.low:g} or more"

    def verify(self, value: Any) -> None:
        """See that a value can be meant.

        Raises:
            UsageError: saying what was expected.
        """
        if value is None and self.default is None:
            return
        if self.check is not None:
            self.check(value)
        if not self._holds(value):
            raise self._refused(value)

    def parse(self, text: str) -> Any:
        """The value that a text means; the default where it is empty.

        Raises:
            UsageError: it cannot be meant.
        """
        text = text.strip()
        if not text:
            return self.default
        try:
            value = READ[self.type](text)
        except (KeyError, ValueError):
            raise self._refused(text) from None
        self.verify(value)
        return value

    def _refused(self, value: Any) -> UsageError:
        shown = value[:40] + "…" if isinstance(value, str) and len(value) > 40 else value
        return UsageError(f"{self.name} must be {self.expected}, got {shown!r}")

    def _holds(self, value: Any) -> bool:
        if self.choices:
            return value in tuple(self.choices)
        if self.type not in ("integer", "number"):
            return True
        try:
            low = self.low is None or (value > self.low if self.above else value >= self.low)
            return bool(low and (self.high is None or value <= self.high))
        except TypeError:  # no number
            return False


SWITCH = dict.fromkeys(("true", "1", "on", "yes"), True) | dict.fromkeys(("false", "0", "off", "no"), False)
READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": lambda text: SWITCH[text.lower()],
    "words": lambda text: (text,),
}
TYPES: dict[type, Any] = {bool: "boolean", int: "integer", float: "number", tuple: "words", str: "string"}


def option(default: Any, help: str, **more: Any) -> Any:
    """A field that is an option.

    Args:
        default: of the field; its type is the option's unless ``more`` says one.
        help: one line for all faces.
        more: further fields of `Option`.
    """
    kind = {"type": TYPES.get(type(default), "string")} | more
    return field(default=default, metadata={"option": Option(default=default, help=help, **kind)})


def shared(table: type, name: str, **more: Any) -> Any:
    """A field that is an option of another table, too.

    Args:
        table: which has it.
        name: of the field, in both.
        more: fields of `Option` that differ here. What it ``needs`` is left out: it does not hold here.
    """
    one = replace(_all(table)[name], needs=frozenset(), **more)
    return field(default=one.default, metadata={"option": one})


def options_of(table: type, *names: str) -> dict[str, Option]:
    """The options of a table by name, in its order.

    Args:
        table: a class whose fields are options.
        names: which of them; none = all.
    """
    found = _all(table)
    return {name: found[name] for name in names or found}


@cache
def _all(table: type) -> dict[str, Option]:
    return {each.name: replace(each.metadata["option"], name=each.name) for each in fields(table)}


def with_help(table: type[Table]) -> type[Table]:
    """A class decorator: its docstring tells the options, too."""
    told = "\n    ".join(lines_of(options_of(table)))
    table.__doc__ = f"{table.__doc__}\n\nAttributes:\n    {told}\n"
    return table


def lines_of(table: Mapping[str, Option]) -> list[str]:
    """A line of documentation for each option."""
    lines = []
    for name, one in table.items():
        words = one.help
        if one.choices:
            words += " " + "; ".join(f"``{choice}``: {text}" for choice, text in one.choices.items()) + "."
        elif one.type in ("integer", "number"):
            words += f" {one.expected.capitalize()}{', in bytes' if one.unit > 1 else ''}."
        lines.append(f"{name}: {words}")
    return lines


def verify(options: Any) -> None:
    """See that every option of a table's instance can be meant; words become tuples.

    Raises:
        UsageError: naming the one that cannot.
    """
    for name, one in options_of(type(options)).items():
        value = getattr(options, name)
        if one.type == "words":
            words = [value] if isinstance(value, str) else value
            value = tuple(word.strip() for some in words for word in some.split(",") if word.strip())
            object.__setattr__(options, name, value)
        one.verify(value)
