"""A stretch of learning on pictures in memory: no checkpoints, no logs; who asks for it keeps the weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from remend.errors import DivergedError
from remend.train.config import Recipe
from remend.train.data.loader import batches
from remend.train.data.samples import Sample
from remend.train.machine.devices import start
from remend.train.request import Run
from remend.train.run.step import Learner

__all__ = ["learn", "learner_of"]


def learner_of(recipe: Recipe, *, precision: str = "bf16-mixed", accelerator: str = "cpu") -> Learner:
    """A learner on one device of this machine, its net fresh.

    Args:
        recipe: net, losses, rates.
        precision: Fabric's.
        accelerator: Fabric's.

    Raises:
        UsageError: settings that do not go together, or a device that is not there.
    """
    run = Run(recipe, (), Path(), precision=precision, accelerator=accelerator)
    return Learner(recipe, start(run))


def learn(
    learner: Learner,
    sample: Callable[[int], Sample],
    *,
    first: int,
    samples: int,
    minutes: float = math.inf,
) -> int:
    """Let a net learn from samples ``first`` to ``first + samples``, its average following.

    Rates fall to their end at ``learner.plan.samples``; where ``minutes`` come first, to theirs.

    Args:
        learner: what changes.
        sample: makes sample number ``index``; called from a thread beside this one.
        first: samples that it has seen.
        samples: how many more.
        minutes: at most so long.

    Returns:
        The samples that it has seen in all.

    Raises:
        DivergedError: a loss is not finite.
    """
    plan, begun, seen, end = learner.plan, time.monotonic(), first, first + samples
    source = batches(sample, start=first, size=plan.batch, threads=1)
    try:
        while seen < end:
            batch = next(source).to(learner.fabric.device)
            total = float(learner.step(batch, seen)["total"])
            if not math.isfinite(total):
                raise DivergedError(f"a loss is not finite after {seen:,} crops: lower train.lr")
            seen += plan.batch
            learner.average(seen)
            if (share := (time.monotonic() - begun) / (60 * minutes)) > 0:
                fit = first + max(plan.batch, round((seen - first) / share))
                end = min(first + samples, fit if share < 1 else seen)
                if end < first + samples:
                    learner.follow(replace(plan, samples=min(plan.samples, end)))
    finally:
        source.close()
    return seen
