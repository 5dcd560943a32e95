"""What a training run is told: recipes in TOML, overridden by ``--set section.key=value``."""

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

__all__ = ["Data", "Loss", "Recipe", "Train", "as_dict", "digest", "from_dict", "load", "override"]


@dataclass(frozen=True, slots=True)
class Data:
    """What the net is shown.

    Attributes:
        crop_px: side of the training crops, a multiple of the net's ``size_multiple``.
        thin: weight of thin holes (scratches, dust, cracks, text, thin strokes).
        free_form: weight of brush strokes.
        box: weight of boxes and centres.
        large: weight of holes over half of the crop.
        scale_from: crops are shrunk by a factor drawn from this to 1.
        grey: share of pictures made grey or sepia.
        jpeg: share compressed after the damage, so that its traces lie around the hole.
        grain: share with film grain.
        validation: how many pictures are set aside, chosen by a hash of their names; at most a tenth.
        validation_px: side of the validation crops.
        memory_gib: pictures are kept decoded up to this, beyond it as the files they came in.
    """

    crop_px: int = 128
    thin: float = 0.4
    free_form: float = 0.3
    box: float = 0.15
    large: float = 0.15
    scale_from: float = 0.5
    grey: float = 0.15
    jpeg: float = 0.3
    grain: float = 0.15
    validation: int = 300
    validation_px: int = 176
    memory_gib: float = 6.0


@dataclass(frozen=True, slots=True)
class Loss:
    """Weights of the losses; 0 leaves one out.

    Attributes:
        hole: L1 in the hole.
        ring: L1 on the known pixels within ``ring_px`` of it, of the net's own prediction there.
        valid: L1 on the other known pixels.
        perceptual: distance of SqueezeNet features of the composed picture, in and near the hole.
        ring_px: width of the ring.
        trunk: the Keras file with SqueezeNet's weights.
    """

    hole: float = 2.0
    ring: float = 0.1
    valid: float = 0.0
    perceptual: float = 0.7
    ring_px: int = 16
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class Train:
    """How it is learned.

    Attributes:
        samples: crops to see in all; the schedule ends there.
        batch: crops a step, over all devices.
        lr: highest learning rate.
        lr_end: share of it that is left at the end of the cosine.
        warmup: crops over which it rises.
        weight_decay: of AdamW, on kernels alone.
        betas: of AdamW.
        clip: largest norm of the gradient; 0 = no limit.
        ema_half_life: crops after which half of the averaged weights is new.
        seed: of everything drawn.
        loaders: threads that make samples.
        log_every: crops between two lines of the log.
        validate_every: crops between two validations.
        save_minutes: minutes between two checkpoints.
        keep: checkpoints to keep besides the best.
    """

    samples: int = 1_500_000
    batch: int = 16
    lr: float = 4e-4
    lr_end: float = 0.02
    warmup: int = 4_000
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    ema_half_life: int = 15_000
    seed: int = 0
    loaders: int = 2
    log_every: int = 1_600
    validate_every: int = 32_000
    save_minutes: float = 5.0
    keep: int = 2


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run.

    Attributes:
        net: name in ``remend.nets.catalogue``.
        options: keyword arguments of the net's body.
        data, loss, train: the sections.
    """

    net: str
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data = Data()
    loss: Loss = Loss()
    train: Train = Train()


_SECTIONS = {"data": Data, "loss": Loss, "train": Train}


def load(name: str) -> Recipe:
    """Read a recipe: the package's own by name, or a TOML file by path.

    Raises:
        UsageError: no such recipe, no TOML, or keys and values that a recipe does not have.
    """
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
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the recipe {name} is no TOML: {error}") from error
    return from_dict(content)


def from_dict(content: Mapping[str, Any]) -> Recipe:
    """Make a recipe of what a TOML or JSON file holds.

    Raises:
        UsageError: unknown keys, or values of the wrong kind.

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
    return Recipe(content["net"], options, **sections)


def override(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Apply ``section.key=value`` settings, values written as in TOML (strings need no quotes).

    Raises:
        UsageError: a setting without ``=``, an unknown key, or a value of the wrong kind.

    >>> override(Recipe("remend"), ["train.batch=8", "loss.trunk=a/b.h5"]).loss.trunk
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
    """SHA-256 over the whole recipe; where weights lie on this machine does not count."""
    content = as_dict(recipe)
    content["loss"]["trunk"] = Path(content["loss"]["trunk"]).name
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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
    return kind(**{key: _typed(f"{name}.{key}", hints[key], value) for key, value in content.items()})


def _typed(where: str, wanted: Any, value: Any) -> Any:
    """``value`` as ``wanted``; an int passes for a float, a list for a tuple."""
    if get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if isinstance(value, (list, tuple)) and len(value) == len(kinds):
            return tuple(_typed(where, kind, item) for kind, item in zip(kinds, value, strict=True))
    elif wanted is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif type(value) is wanted:
        return value
    raise UsageError(f"{where} is {getattr(wanted, '__name__', wanted)}, got {value!r}")


def _named(keys: set[str]) -> str:
    return ", ".join(repr(key) for key in sorted(keys))
