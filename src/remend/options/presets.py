"""Presets of `restore`: what each sets, by name or from a file of the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remend.errors import UsageError

__all__ = ["PRESETS", "SET_BY_PRESETS", "TOLD", "preset_named"]

SET_BY_PRESETS = ("only", "skip", "noise", "blocks", "screen", "tone", "keep_grain", "sensitivity", "force")
"""The options that a preset may set; what is given beside it wins."""

# Shares of the steps; what is left out is as in photo.
PRESETS: dict[str, dict[str, Any]] = {
    "photo": {
        "skip": ("screen",),
        "noise": 1.0,
        "blocks": 1.0,
        "screen": 1.0,
        "tone": 1.0,
        "keep_grain": 0.1,
        "sensitivity": 0.5,
        "force": False,
    },
    "print": {"skip": (), "keep_grain": 0.0, "force": True},
    "scan": {"sensitivity": 0.6, "keep_grain": 0.25},
    "film": {"blocks": 0.5, "sensitivity": 0.6, "keep_grain": 0.6},
    "document": {"only": ("tone",), "force": True},
}
TOLD = {
    "photo": "from a camera, or nothing said",
    "print": "printed in a book or newspaper: its screen goes, too",
    "scan": "an old print from a scanner: damage is looked for harder, more grain stays",
    "film": "a scanned negative or slide: most of the grain stays",
    "document": "paper to white, nothing else",
}


def preset_named(name: str) -> Mapping[str, Any]:
    """What a preset sets, all of ``SET_BY_PRESETS`` but those that photo leaves open.

    Args:
        name: one of ``PRESETS``, or the path of a TOML file whose keys are options: ``noise = 0.6``,
            ``skip = ["damage"]``.

    Raises:
        UsageError: no such preset, or a file that cannot be read or sets something else.
    """
    if name in PRESETS:
        return PRESETS["photo"] | PRESETS[name]
    if not name.lower().endswith(".toml"):
        raise UsageError(
            f"there is no preset {name[:40]!r}: choose {', '.join(PRESETS)}, or name a .toml file"
        )
    try:
        table = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the preset {name} cannot be read: {error}") from error
    for key in table:
        if key not in SET_BY_PRESETS:
            raise UsageError(f"the preset {name} sets {key!r}: only {', '.join(SET_BY_PRESETS)} can be set")
    return PRESETS["photo"] | table
