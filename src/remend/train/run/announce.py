"""What a run says before it starts: what it will do, and what that will take."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

from remend.nets.registry import figures
from remend.train.config import Recipe
from remend.train.data.labels import Labels
from remend.train.data.loader import Batch
from remend.train.data.pictures import Pictures
from remend.train.machine.devices import peak_memory_gib
from remend.train.run.journal import duration
from remend.train.run.step import Learner

__all__ = ["Estimate", "cost_line", "labels_line", "pictures_line", "plan_line", "rehearse"]

_LISTED = 8  # classes that a line names


@dataclass(frozen=True)
class Estimate:
    """What a step takes.

    Attributes:
        crops_s: crops a second, over all devices, if the loader keeps up.
        memory_gib: of the process, pictures included; of the device, where that is a GPU.
    """

    crops_s: float
    memory_gib: float


def rehearse(learner: Learner) -> Estimate:
    """Take two steps on made pictures, the second of them timed, and undo them.

    With the critic, if there will be one: that is what most of the run will cost.
    """
    fabric, recipe = learner.fabric, learner.recipe
    samples_seen = recipe.critic.from_samples if learner.adversary is not None else 0
    side, count = recipe.data.crop_px, recipe.train.batch // fabric.world_size
    made = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))
    made = made.contiguous(memory_format=torch.channels_last)
    hole = torch.zeros(count, 1, side, side)
    hole[:, :, side // 4 : -side // 4, side // 4 : -side // 4] = 1
    batch = Batch(made * (1 - hole), made, hole, samples_seen, samples_seen + recipe.train.batch)
    batch = batch.to(fabric.device)
    took = 0.0
    with learner.unchanged():
        for _ in range(2):
            since = time.perf_counter()
            values = learner.step(batch, samples_seen, rehearse=True)
            float(values["total"])  # waits for the device
            took = time.perf_counter() - since
    adam = 2 * 4 * sum(p.numel() for p in learner.net.parameters() if p.requires_grad)
    memory = peak_memory_gib(fabric.device) + adam / 2**30
    return Estimate(recipe.train.batch / took, memory)


def pictures_line(pictures: Pictures, seen: Pictures, aside: Pictures) -> str:
    """What was found, and what it is for."""
    groups = ", ".join(f"{name} {count:,}" for name, count in pictures.groups.items())
    text = f"{len(pictures):,} pictures ({groups}), {_room(pictures.nbytes)} in memory: "
    text += f"{len(seen):,} to learn from, {len(aside):,} set aside"
    return text + (
        f"; {len(pictures.skipped)} skipped, first {pictures.skipped[0]}" if pictures.skipped else ""
    )


def labels_line(labels: Labels, labelled: int) -> str:
    """What further tasks have to learn from."""
    groups = [f"{len(names)} {what}" for what, names in labels.as_dict().items() if names]
    names = list(labels.classes or labels.things)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return (
        f"tasks {', '.join(f'{name} {weight:g}' for name, weight in labels.tasks.weights().items())}: "
        f"{labelled:,} pictures to learn from with a label, {', '.join(groups)} "
        f"({', '.join(names[:_LISTED])}{more})"
    )


def plan_line(recipe: Recipe, out: object) -> str:
    """What will be done.

    >>> plan_line(Recipe("remend"), "runs/x")
    '1,500,000 crops of 128², 16 a step; losses hole 2, ring 0.1, perceptual 0.7; no critic; into runs/x'
    """
    plan, rules = recipe.train, recipe.critic
    losses = ", ".join(f"{name} {value:g}" for name, value in recipe.loss.weights().items())
    critic = f"{rules.name} critic ({rules.loss}) from {rules.from_samples:,}" if rules.name else "no critic"
    return (
        f"{plan.samples:,} crops of {recipe.data.crop_px}², {plan.batch} a step; losses {losses}; "
        f"{critic}; into {out}"
    )


def cost_line(learner: Learner, estimate: Estimate, samples_seen: int) -> str:
    """What it will take."""
    recipe, cost = learner.recipe, figures(learner.net)
    left = max(0, recipe.train.samples - samples_seen) / estimate.crops_s
    return (
        f"{recipe.net}: {cost.parameters / 1e6:.2f} M parameters, {cost.gmac_512:.1f} GMAC at 512²; about "
        f"{_room(estimate.memory_gib * 2**30)}, {estimate.crops_s:.3g} crops/s, {duration(left)}"
    )


def _room(nbytes: float) -> str:
    """Memory as people say it.

    >>> _room(5 * 2**30), _room(3_000_000)
    ('5.0 GiB', '3 MiB')
    """
    return f"{nbytes / 2**30:.1f} GiB" if nbytes >= 2**30 else f"{math.ceil(nbytes / 2**20)} MiB"
