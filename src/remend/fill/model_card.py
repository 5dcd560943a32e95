"""The card beside a model file: what the runner needs to know of it, held against one schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remend.errors import ModelError

__all__ = ["Card", "read_card"]

LARGEST_BYTES = 1 << 20
WINDOW_PX = 512


@dataclass(frozen=True, slots=True)
class Card:
    """What the runner needs of a model card.

    Attributes:
        name: shown to people.
        size_multiple: window sides must be multiples of this.
        window_px: the window side that the net was made for.
        reach_px: largest inscribed radius that it fills well at one go; None = not measured.
        margin_px: thin holes may be cut into pieces, each filled with so much around it; None = they may not.
        sees_hole: it reads what lies under the hole: a picture that is to be made clean there.
        sha256: of the ONNX file; None = not checked.
        licence: of the weights.
    """

    name: str
    size_multiple: int = 32
    window_px: int = WINDOW_PX
    reach_px: int | None = None
    margin_px: int | None = None
    sees_hole: bool = False
    sha256: str | None = None
    licence: str = "not stated"

    @staticmethod
    def beside(model: Path) -> Card:
        """Read the card that lies beside ``model``, or make the default one.

        Raises:
            ModelError: a card that does not keep to the schema.
        """
        content = read_card(model)
        known = {name: content[name] for name in SCHEMA if content.get(name) is not None}
        return Card(**{"name": model.stem, **known})


def read_card(model: Path) -> dict[str, Any]:
    """All of the card that lies beside ``model``; empty if there is none.

    Raises:
        ModelError: it cannot be read, is no JSON object, or a field that is read is not as it must be.
    """
    path = model.with_suffix(".json")
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
        if len(text) > LARGEST_BYTES:
            raise ValueError(f"it is larger than {LARGEST_BYTES >> 20} MiB")
        content = json.loads(text.decode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"expected a JSON object, got a {type(content).__name__}")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"the model card {path.name} cannot be read ({error}): mend it or take it away"
        ) from error
    for name, (expected, holds) in SCHEMA.items():
        value = content.get(name)
        if value is not None and not holds(value):
            shown = repr(value) if isinstance(value, int | float | str) else f"a {type(value).__name__}"
            shown = shown if len(shown) <= 60 else shown[:60] + "…"
            raise ModelError(
                f"the model card {path.name} says {name}: {shown}, "
                f"expected {expected}: mend it or take it away"
            )
    window_px = content.get("window_px") or WINDOW_PX
    for name, most in (("size_multiple", window_px), ("margin_px", window_px // 4)):
        if (content.get(name) or 0) > most:
            raise ModelError(
                f"the model card {path.name} says {name}: {content[name]} with windows of {window_px} px, "
                f"expected {most} at most: mend it or take it away"
            )
    return content


def _whole(low: int, high: int) -> tuple[str, Callable[[Any], bool]]:
    return f"a whole number from {low} to {high}", lambda value: type(value) is int and low <= value <= high


def _line(longest: int) -> tuple[str, Callable[[Any], bool]]:
    def holds(value: Any) -> bool:
        return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()

    return f"one line of at most {longest} characters", holds


def _digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value) is not None


# What each field must be; fields that are not listed are for people. `null` is the same as left out.
SCHEMA: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": _line(200),
    "size_multiple": _whole(1, 512),
    "window_px": _whole(16, 4096),
    "reach_px": _whole(1, 4096),
    "margin_px": _whole(0, 1024),
    "sees_hole": ("true or false", lambda value: type(value) is bool),
    "sha256": ("64 hexadecimal digits", _digest),
    "licence": _line(2000),
}
