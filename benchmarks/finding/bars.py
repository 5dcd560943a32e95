"""What must be reached, what is hoped for, and the table that says which was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and what it should be.

    Attributes:
        name: what was measured.
        figure: what came out; NaN meets nothing.
        must: the bar.
        aim: what is hoped for; None = no more than the bar.
        at_most: smaller is better.
    """

    name: str
    figure: float
    must: float
    aim: float | None = None
    at_most: bool = False

    @property
    def met(self) -> str:
        """``aim``, ``must`` or ``no``."""
        if self.aim is not None and self._reaches(self.aim):
            return "aim"
        return "must" if self._reaches(self.must) else "no"

    def _reaches(self, limit: float) -> bool:
        return self.figure <= limit if self.at_most else self.figure >= limit

    def as_json(self) -> dict[str, Any]:
        """Plain data; None for a figure that is none."""
        figure = round(self.figure, 5) if self.figure == self.figure else None
        sign = "≤" if self.at_most else "≥"
        aim = None if self.aim is None else f"{sign} {self.aim:g}"
        return {"figure": figure, "must": f"{sign} {self.must:g}", "aim": aim, "met": self.met}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a part gives back.

    Attributes:
        figures: everything that was measured, for its JSON line.
        bars: those figures that have one.
    """

    figures: dict[str, Any]
    bars: list[Bar] = field(default_factory=list)


class MissingError(Exception):
    """A part cannot be measured here; says what it needs."""


def without_nan(value: Any) -> Any:
    """Plain data in which None stands for figures that are none, as JSON needs it."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and value != value else value


def table(bars: dict[str, dict[str, Any]]) -> list[str]:
    """Markdown lines of bars as ``as_json`` gives them, by name."""
    lines = ["| | figure | must | aim | met |\n", "|---|---|---|---|---|\n"]
    for name, bar in bars.items():
        figure = "–" if bar["figure"] is None else f"{bar['figure']:.4g}"
        lines.append(f"| {name} | {figure} | {bar['must']} | {bar['aim'] or ''} | {bar['met']} |\n")
    return lines
