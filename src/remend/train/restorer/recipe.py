"""What a run of the restorer is told: a TOML file, overridden by ``--set``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from remend.errors import UsageError
from remend.train.checked import checked, settings_in
from remend.train.restorer.wear import Wear

__all__ = ["RestorerRecipe", "Stage", "fast_dev", "load_restorer"]

NAME = "restorer"
NETS = ("restorer", "enlarger")
LOSSES = ("levels", "decibels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of the run.

    Attributes:
        share: of the run, against the other stages' shares.
        crop_px: side of its crops, a multiple of 16.
        batch: crops a step.
    """

    share: float
    crop_px: int = 64
    batch: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorerRecipe:
    """What a run of the restorer is told.

    Attributes:
        net: ``restorer``, or ``enlarger``, which makes pictures twice as large.
        stage: the parts, one after the other.
        samples: crops of the whole run, where ``minutes`` is 0.
        minutes: its time instead, where a machine is lent for so long; time before a break counts.
        weights: averaged weights to begin from (best.safetensors of another run); "" = from nothing.
        loss: ``levels``, Charbonnier's, by which strong noise counts most; or ``decibels``, the logarithm of
            each crop's error, by which every strength counts alike (Chen et al., "HINet", CVPRW 2021).
        lr, weight_decay: of Muon for kernels and AdamW for the rest. The rate falls to nothing along a
            cosine.
        warm_up: samples over which the rate rises.
        ema_half_life: of the averaged weights, in samples.
        seed: of everything.
        aside: pictures that are set aside to validate with.
        save_every_s, validate_every_s: in seconds of the run.
        exclude: pictures whose name holds one of these words are left out.
        wear: see ``Wear``.
    """

    net: Literal["restorer", "enlarger"] = "restorer"
    stage: tuple[Stage, ...] = (Stage(share=1.0),)
    samples: int = 400_000
    minutes: float = 0.0
    weights: str = ""
    loss: Literal["levels", "decibels"] = "levels"
    lr: float = 2e-3
    weight_decay: float = 0.0
    warm_up: int = 3_000
    ema_half_life: int = 8_000
    seed: int = 0
    aside: int = 60
    save_every_s: float = 120.0
    validate_every_s: float = 600.0
    exclude: tuple[str, ...] = ()
    wear: Wear = field(default_factory=Wear)


def fast_dev(recipe: RestorerRecipe) -> RestorerRecipe:
    """Two steps of each stage: does it all run?"""
    stages = tuple(dataclasses.replace(stage, share=1.0, crop_px=32, batch=4) for stage in recipe.stage)
    return dataclasses.replace(
        recipe, stage=stages, samples=8 * len(stages), minutes=0.0, aside=4, ema_half_life=8
    )


def load_restorer(name: str, settings: Sequence[str] = ()) -> RestorerRecipe:
    """Read a recipe and apply ``key=value`` or ``wear.key=value`` settings, values written as in TOML.

    Raises:
        UsageError: no TOML, or keys and values that such a recipe does not have.

    >>> load_restorer("restorer", ["lr=1e-3", "wear.noise=0.5"]).wear.noise
    0.5
    """
    if name in NETS:
        text = (resources.files("remend.train.restorer") / f"{name}.toml").read_text(encoding="utf-8")
    else:
        text = Path(name).read_text(encoding="utf-8")
    return recipe_of(settings_in(text, settings, name=name))


def recipe_of(content: Mapping[str, Any]) -> RestorerRecipe:
    """The recipe that a TOML or JSON file holds.

    Raises:
        UsageError: keys and values that such a recipe does not have.
    """
    content = dict(content)
    task = content.pop("task", content.get("net", NAME))
    if task != content.setdefault("net", task) or task not in NETS:
        raise UsageError(f"a recipe of the restorer has the task {' or '.join(NETS)}, got {task!r}")
    stages = content.pop("stage", None)
    content["wear"] = checked(Wear, content.pop("wear", {}), "wear.", of="the restorer")
    if stages is not None:
        content["stage"] = tuple(checked(Stage, stage, "stage.", of="the restorer") for stage in stages)
    if isinstance(content["wear"].shrunk_by, list):
        content["wear"] = dataclasses.replace(content["wear"], shrunk_by=tuple(content["wear"].shrunk_by))
    if "exclude" in content:
        content["exclude"] = tuple(content["exclude"])
    recipe: RestorerRecipe = checked(RestorerRecipe, content, "", of="the restorer")
    if recipe.loss not in LOSSES:
        raise UsageError(f"loss is one of {', '.join(LOSSES)}, got {recipe.loss!r}")
    for stage in recipe.stage:
        if stage.crop_px % 16 or stage.crop_px < 16 or stage.batch < 1 or stage.share <= 0:
            raise UsageError(
                f"a stage's crop_px is a multiple of 16, batch 1 or more, share above 0, got {stage}"
            )
    return recipe
