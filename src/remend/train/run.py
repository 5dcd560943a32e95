"""What a run is asked to do, where it stands, and how it ended."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from remend.train.config import Recipe

__all__ = ["Counters", "Outcome", "Run"]


@dataclass(frozen=True)
class Run:
    """What to do.

    Attributes:
        recipe: net, data, losses, schedule.
        sources: folders and shards of pictures.
        out: the run's folder.
        resume: go on from the newest checkpoint in ``out``, if there is one.
        devices: how many.
        precision: Fabric's: ``bf16-mixed``, ``32-true`` …
        accelerator: Fabric's: ``auto``, ``cpu``, ``cuda`` …
        say: told what happens, a line at a time.
        live: the status line rewrites itself.
    """

    recipe: Recipe
    sources: tuple[Path, ...]
    out: Path
    resume: bool = False
    devices: int = 1
    precision: str = "bf16-mixed"
    accelerator: str = "auto"
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
    best: float = float("-inf")
    scores: dict[str, float] = field(default_factory=dict)
