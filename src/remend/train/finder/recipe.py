"""The configuration of a run of the finder: a TOML file, overridden by ``--set``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from remend.errors import UsageError
from remend.train.checked import checked, settings_in
from remend.train.finder.crops import Ageing
from remend.train.finder.sampler import Mix

__all__ = ["FinderRecipe", "Stage", "fast_dev", "load_finder", "recipe_of"]

NAME = "damage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of the run.

    Attributes:
        samples: crops that it takes.
        crop_px: their side, a multiple of 32.
        batch: crops a step.
        evenness: 0 = every damaged pixel counts alike; 1 = every damaged place does, however little of it is
            damaged. Early on much of it makes specks learnable beside wide marks; later little of it makes
            the chances true.
    """

    samples: int
    crop_px: int = 256
    batch: int = 8
    evenness: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class FinderRecipe:
    """The configuration of a run of the finder.

    Attributes:
        stage: the parts, one after the other.
        minutes: the whole run's time, where a machine is lent for so long; then samples are the stages'
            shares of it. 0 = as many samples as the stages say.
        weights: averaged weights to begin from (best.safetensors of another run); "" = from nothing.
        decay: the last share of the run, over which the rate falls linearly to nothing.
        lr, weight_decay: of Muon, and of AdamW for what is no kernel.
        ema_half_life: of the averaged weights, in samples.
        seed: of everything.
        maps: how many maps of damage are drawn before each stage.
        shapes: a list of outlines of real marks; "" = none.
        fonts: a folder of TrueType fonts for lettering; "" = those that come with the libraries.
        exclude: pictures whose name holds one of these words are left out: real old prints carry real damage.
        aside: how many pictures are set aside, to validate and to weigh with.
        hard_every, hard_tried, hard_kept: every so many samples so many clean crops are tried, and the worst
            are kept.
        hard_share: this share of every batch comes from the last thousand kept.
        save_every, validate_every: in samples.
        loaders: processes that draw crops; a core draws 200 to 500 a second.
        mix, ageing: see ``Mix`` and ``Ageing``.
    """

    stage: tuple[Stage, ...] = (
        Stage(samples=100_000, crop_px=128, batch=32, evenness=0.9),
        Stage(samples=70_000),
    )
    minutes: float = 0.0
    weights: str = ""
    decay: float = 0.2
    lr: float = 2e-3
    weight_decay: float = 0.02
    ema_half_life: int = 8_000
    seed: int = 0
    maps: int = 4_000
    shapes: str = ""
    fonts: str = ""
    exclude: tuple[str, ...] = ("archive",)
    aside: int = 300
    hard_every: int = 6_400
    hard_tried: int = 320
    hard_kept: int = 40
    hard_share: float = 0.125
    save_every: int = 8_000
    validate_every: int = 16_000
    loaders: int = 2
    mix: Mix = field(default_factory=Mix)
    ageing: Ageing = field(default_factory=Ageing)

    @property
    def samples(self) -> int:
        """Crops of all stages."""
        return sum(stage.samples for stage in self.stage)


def fast_dev(recipe: FinderRecipe) -> FinderRecipe:
    """Two steps of each stage on a handful of maps: does it all run?"""
    stages = tuple(dataclasses.replace(stage, samples=2 * 4, batch=4, crop_px=64) for stage in recipe.stage)
    few = {"maps": 16, "aside": 4, "hard_every": 8, "hard_tried": 8, "hard_kept": 2, "validate_every": 8}
    return dataclasses.replace(recipe, stage=stages, **few)  # type: ignore[arg-type]


def load_finder(name: str, settings: Sequence[str] = ()) -> FinderRecipe:
    """Read a recipe and apply ``key=value`` or ``mix.key=value`` settings, values written as in TOML.

    Raises:
        UsageError: no TOML, or keys and values that such a recipe does not have.

    >>> load_finder("damage", ["lr=1e-3", "mix.scene=0.5"]).mix.scene
    0.5
    """
    if name == NAME:
        text = (resources.files("remend.train.finder") / "damage.toml").read_text(encoding="utf-8")
    else:
        text = Path(name).read_text(encoding="utf-8")
    return recipe_of(settings_in(text, settings, name=name))


def recipe_of(content: Mapping[str, Any]) -> FinderRecipe:
    """The recipe that a TOML or JSON file holds.

    Raises:
        UsageError: keys and values that such a recipe does not have.
    """
    content = dict(content)
    content.pop("task", None)
    stages = content.pop("stage", None)
    parts: dict[str, Any] = {
        "mix": checked(Mix, content.pop("mix", {}), "mix.", of="the finder"),
        "ageing": checked(Ageing, content.pop("ageing", {}), "ageing.", of="the finder"),
    }
    if stages is not None:
        parts["stage"] = tuple(checked(Stage, stage, "stage.", of="the finder") for stage in stages)
    if "exclude" in content:
        content["exclude"] = tuple(content["exclude"])
    recipe: FinderRecipe = checked(FinderRecipe, {**content, **parts}, "", of="the finder")
    for stage in recipe.stage:
        if stage.crop_px % 32 or stage.batch < 1 or stage.samples < 1:
            raise UsageError(
                f"a stage's crop_px is a multiple of 32, batch and samples 1 or more, got {stage}"
            )
    return recipe
