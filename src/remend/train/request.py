"""What a run is asked to do, where it stands, and how it ended."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from remend.train.config import Recipe

__all__ = ["Counters", "Outcome", "Run", "fast_dev"]


@dataclass(frozen=True)
class Run:
    """What to do.

    Attributes:
        recipe: net, data, losses, critic, schedule.
        sources: folders and shards of pictures.
        out: the run's folder.
        resume: go on from the newest checkpoint in ``out``, if there is one; or from this checkpoint's
            or run's folder.
        devices: how many.
        precision: Fabric's: ``bf16-mixed``, ``32-true`` …
        accelerator: Fabric's: ``auto``, ``cpu``, ``cuda`` …
        strategy: ``auto`` or ``ddp``: one process a device, gradients averaged.
        profile: write a trace of a few steps.
        say: told what happens, a line at a time.
        live: the status line rewrites itself.
    """

    recipe: Recipe
    sources: tuple[Path, ...]
    out: Path
    resume: bool | Path = False
    devices: int = 1
    precision: str = "bf16-mixed"
    accelerator: str = "auto"
    strategy: str = "auto"
    profile: bool = False
    say: Callable[[str], None] = print
    live: bool = False


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        samples_seen: in all.
        checkpoint: the last one.
        scores: of the last validation.
        stopped_by: the signal that ended it early.
        first: this is the first of the processes that trained, the one that speaks.
    """

    samples_seen: int
    checkpoint: Path
    scores: dict[str, float]
    stopped_by: signal.Signals | None = None
    first: bool = True


@dataclass
class Counters:
    """Where a run stands; stored in each checkpoint."""

    samples_seen: int = 0
    # The next sample to draw. It runs ahead of samples_seen once a batch was passed over.
    position: int = 0
    # The best validation so far, by what ``train.best`` names, and where it was; -1 = nowhere.
    best: float = float("-inf")
    best_at: int = -1
    # With ``train.schedule=plateau``: how often the rate fell, the best score since, validations without one.
    drops: int = 0
    peak: float = float("-inf")
    waited: int = 0
    # When the scores were measured; -1 = never.
    measured: int = -1
    scores: dict[str, float] = field(default_factory=dict)


def fast_dev(recipe: Recipe) -> Recipe:
    """The same recipe cut down to four steps, a validation and a checkpoint: does everything run?"""
    batch = recipe.train.batch
    short = replace(
        recipe.train, samples=4 * batch, validate_every=2 * batch, log_every=batch, warmup=batch, loaders=1
    )
    return replace(
        recipe,
        train=short,
        data=replace(recipe.data, validation=min(6, recipe.data.validation)),
        critic=replace(recipe.critic, from_samples=min(batch, recipe.critic.from_samples)),
        transfer=replace(recipe.transfer, freeze_until=min(batch, recipe.transfer.freeze_until)),
    )
