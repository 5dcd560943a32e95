"""A recipe: read from TOML, overridden by ``--set section.key=value``, checked, and written down again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from remend.errors import UsageError
from remend.train.config.critic import Critic
from remend.train.config.data import Data
from remend.train.config.learning import Tasks, Train, Transfer
from remend.train.config.loss import Loss
from remend.train.preset import small
from remend.train.ranges import check_range
from remend.train.wear.names import ranges_of

__all__ = [
    "Recipe",
    "as_dict",
    "digest",
    "first_run",
    "from_dict",
    "load",
    "override",
    "without_folders",
]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run.

    Attributes:
        net: name in ``remend.nets.registry``.
        options: keyword arguments of the net's body.
        data, loss, critic, tasks, transfer, train: the sections.
    """

    net: str
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    loss: Loss = field(default_factory=Loss)
    critic: Critic = field(default_factory=Critic)
    tasks: Tasks = field(default_factory=Tasks)
    transfer: Transfer = field(default_factory=Transfer)
    train: Train = field(default_factory=Train)


_SECTIONS = {
    "data": Data,
    "loss": Loss,
    "critic": Critic,
    "tasks": Tasks,
    "transfer": Transfer,
    "train": Train,
}
_FILES = (
    ("data", "masks"),
    ("data", "damage"),
    ("data", "against"),
    ("data", "exclude"),
    ("loss", "backbone"),
    ("loss", "teacher"),
    ("transfer", "weights"),
)


def load(name: str, *, preset: str = "") -> Recipe:
    """Read a recipe: the package's own by name, or a TOML file by path.

    Args:
        name: or path.
        preset: ``small`` cuts it down to one CPU, as ``remend.train.preset`` says; "" = as it is.

    Raises:
        UsageError: no such recipe, no TOML, or keys and values that a recipe does not have; another preset.
    """
    if preset not in ("", "small"):
        raise UsageError(f"no preset is called {preset!r}: give small, or none")
    content = _content(name)
    content.pop("first_run", None)
    own = content.pop("small", {})
    recipe = from_dict(content)
    if not isinstance(own, Mapping):
        raise UsageError(f"[small] of a recipe is a table, got {own!r}")
    cut_down = from_dict(small(as_dict(recipe), own))  # what it says is checked, asked for or not
    return cut_down if preset else recipe


def first_run(name: str) -> str:
    """The recipe of the run whose weights this one goes on from, where it cannot do without; "" = none.

    Raises:
        UsageError: no such recipe, or no TOML.

    >>> first_run("edge_connect"), first_run("unet")
    ('edge_connect_edges', '')
    """
    return str(_content(name).get("first_run", ""))


def from_dict(content: Mapping[str, Any]) -> Recipe:
    """Make a recipe of what a TOML or JSON file holds.

    Raises:
        UsageError: unknown keys, or values of the wrong kind or out of their range.

    >>> from_dict({"net": "remend", "train": {"batch": 8}}).train.batch
    8
    """
    unknown = set(content) - {"net", "options", *_SECTIONS}
    if unknown:
        raise UsageError(f"a recipe has no {_named(unknown)}: it has net, options, {', '.join(_SECTIONS)}")
    if not isinstance(content.get("net"), str):
        raise UsageError('a recipe names its net: net = "remend"')
    sections = {name: _section(name, kind, content.get(name, {})) for name, kind in _SECTIONS.items()}
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in content.get("options", {}).items()}
    options.pop("sees_hole", None)
    if ranges_of(sections["data"].damage):  # the one place that says so: a net is built from its options
        options["sees_hole"] = True
    return Recipe(content["net"], options, **sections)


def override(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Apply ``section.key=value`` settings, values written as in TOML (strings need no quotes).

    Raises:
        UsageError: a setting without ``=``, an unknown key, or a value of the wrong kind.

    >>> override(Recipe("remend"), ["train.batch=8", "loss.backbone=a/b.h5"]).loss.backbone
    'a/b.h5'
    """
    content = as_dict(recipe)
    for setting in settings:
        path, separator, text = setting.partition("=")
        section, _, key = path.strip().partition(".")
        if not separator or not key:
            raise UsageError(f"--set takes section.key=value, got {setting!r}: write --set train.batch=8")
        if section not in (*_SECTIONS, "options"):
            raise UsageError(
                f"a recipe has no section {section!r} (--set {setting}): "
                f"choose {', '.join(_SECTIONS)} or options"
            )
        content.setdefault(section, {})[key] = _parse(text.strip())
    return from_dict(content)


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values, ready for JSON."""
    plain: dict[str, Any] = json.loads(
        json.dumps({**dataclasses.asdict(recipe), "options": dict(recipe.options)})
    )
    return plain


def digest(recipe: Recipe) -> str:
    """SHA-256 over the whole recipe; where files lie on this machine does not count."""
    content = without_folders(as_dict(recipe))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def without_folders(content: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's plain values with files by name: where they lie on this machine is nobody's business."""
    named = {section: dict(v) if isinstance(v, Mapping) else v for section, v in content.items()}
    for section, key in _FILES:
        if key in named.get(section, {}) and not ranges_of(named[section][key]):
            named[section][key] = Path(named[section][key]).name
    return named


def _content(name: str) -> dict[str, Any]:
    """What a recipe's file holds: the package's own by name, or a TOML file by path."""
    shipped = resources.files("remend.train") / "recipes"
    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"the recipe {name} cannot be read ({error.strerror})") from error
    else:
        known = sorted(p.name.removesuffix(".toml") for p in shipped.iterdir() if p.name.endswith(".toml"))
        if name not in known:
            raise UsageError(
                f"no recipe is called {name!r}: choose one of {', '.join(known)}, or a .toml file"
            )
        text = (shipped / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the recipe {name} is no TOML: {error}") from error


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _section(name: str, kind: type, content: Any) -> Any:
    if not isinstance(content, Mapping):
        raise UsageError(f"[{name}] of a recipe is a table, got {content!r}")
    hints = get_type_hints(kind)
    unknown = set(content) - set(hints)
    if unknown:
        raise UsageError(f"[{name}] has no {_named(unknown)}: it has {', '.join(hints)}")
    values = {key: _typed(f"{name}.{key}", hints[key], value) for key, value in content.items()}
    for key, value in values.items():
        check_range(f"{name}.{key}", value)
    return kind(**values)


def _typed(where: str, wanted: Any, value: Any) -> Any:
    """``value`` as ``wanted``; an int passes for a float, a list for a tuple."""
    if get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if isinstance(value, (list, tuple)) and len(value) == len(kinds):
            return tuple(_typed(where, kind, item) for kind, item in zip(kinds, value, strict=True))
    elif get_origin(wanted) is Mapping:
        if isinstance(value, Mapping):
            return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    elif wanted is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif type(value) is wanted:
        return value
    raise UsageError(f"{where} is {getattr(wanted, '__name__', wanted)}, got {value!r}")


def _named(keys: set[str]) -> str:
    return ", ".join(repr(key) for key in sorted(keys))
