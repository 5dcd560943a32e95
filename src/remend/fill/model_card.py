"""The card beside a model file: what the runner needs to know of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from remend.errors import ModelError

__all__ = ["Card"]


@dataclass(frozen=True, slots=True)
class Card:
    """What the runner needs of a model card.

    Attributes:
        name: shown to people.
        size_multiple: window sides must be multiples of this.
        window_px: the window side that the net was made for.
        reach_px: largest inscribed radius that it fills well at one go; None = not measured.
        margin_px: thin holes may be cut into pieces, each filled with so much around it; None = they may not.
        detail: how much copied texture counts in its fills, see ``remend.fill.detail``; 0 = none.
        sha256: of the ONNX file; None = not checked.
        licence: of the weights.
    """

    name: str
    size_multiple: int = 32
    window_px: int = 512
    reach_px: int | None = None
    margin_px: int | None = None
    detail: float = 0.0
    sha256: str | None = None
    licence: str = "not stated"

    @staticmethod
    def beside(model: Path) -> Card:
        """Read the card that lies beside ``model``, or make the default one.

        Raises:
            ModelError: a card that is no JSON object, or whose fields have the wrong types.
        """
        path = model.with_suffix(".json")
        if not path.is_file():
            return Card(model.stem)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return Card(
                name=str(content.get("name", model.stem)),
                size_multiple=int(content.get("size_multiple", 32)),
                window_px=int(content.get("window_px", 512)),
                reach_px=None if content.get("reach_px") is None else int(content["reach_px"]),
                margin_px=None if content.get("margin_px") is None else int(content["margin_px"]),
                detail=float(content.get("detail", 0.0)),
                sha256=content.get("sha256"),
                licence=str(content.get("licence", "not stated")),
            )
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ModelError(
                f"the model card {path.name} cannot be read ({error}): mend it or take it away"
            ) from error
