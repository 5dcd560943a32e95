"""Models that somebody added: ONNX files and cards in a folder of the user, each a method by its name."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from remend.errors import ModelError, WriteError

__all__ = ["VARIABLE", "check_name", "folder", "names", "path_of", "prefer", "preferred", "remove"]

VARIABLE = "REMEND_MODELS"
"""The environment's word for where the folder is."""

_CHOICE = "choice.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def folder() -> Path:
    """Where added models lie: ``$REMEND_MODELS``, or ``remend/models`` in the system's folder for data."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "remend" / "models"


def check_name(name: str) -> str:
    """A name that may stand for a model.

    Raises:
        ModelError: it could be a path, or is longer than 64 characters.
    """
    if not _NAME.fullmatch(name) or name.endswith(".onnx") or name == "auto":
        raise ModelError(
            f"a model cannot be called {name!r}: give --as NAME of small letters, digits, '.', '-' and '_'"
        )
    return name


def names() -> tuple[str, ...]:
    """All that were added, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.onnx") if _NAME.fullmatch(path.stem)))


def path_of(name: str) -> Path | None:
    """The file of an added model; None = there is none of that name."""
    if not _NAME.fullmatch(name):
        return None
    path = folder() / f"{name}.onnx"
    return path if path.is_file() else None


def preferred() -> str | None:
    """The added model that ``auto`` takes for wide holes; None = its own, also where that file is gone."""
    try:
        name = json.loads((folder() / _CHOICE).read_text("utf-8"))["wide"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) and path_of(name) is not None else None


def prefer(name: str | None) -> None:
    """Let ``auto`` take an added model for wide holes, or its own again.

    Raises:
        ModelError: no such model.
        WriteError: the folder cannot be written.
    """
    if name is not None and path_of(name) is None:
        listed = ", ".join(names()) or "none was"
        raise ModelError(f"no model {name!r} was added ({listed}): remend models add FILE --as {name}")
    try:
        if name is None:
            (folder() / _CHOICE).unlink(missing_ok=True)
        else:
            (folder() / _CHOICE).write_text(json.dumps({"wide": name}) + "\n", "utf-8")
    except OSError as error:
        raise WriteError(f"{folder()} cannot be written ({error.strerror}): set {VARIABLE}") from error


def remove(name: str) -> None:
    """Take an added model away, with its card.

    Raises:
        ModelError: no such model.
        WriteError: it cannot be taken away.
    """
    path = path_of(name)
    if path is None:
        raise ModelError(f"no model {name!r} was added ({', '.join(names()) or 'none was'})")
    try:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{path} cannot be taken away ({error.strerror})") from error
