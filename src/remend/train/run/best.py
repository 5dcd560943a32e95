"""Which checkpoint of a run is its best: the one that ``train.best`` says, after the critic has joined."""

from __future__ import annotations

import math
from collections.abc import Mapping

from remend.errors import UsageError
from remend.train.config import Recipe
from remend.train.data.samples import validation_kinds
from remend.train.request import Counters

__all__ = ["check_rule", "counts", "rule_of", "score_of", "stands_still"]

_SHARP_DB = 4.0  # what half the sharpness costs in "sharp-aware"
_TASKS = {"classification": "accuracy", "segmentation": "miou", "detection": "ap50"}


def rule_of(recipe: Recipe) -> str:
    """What the best checkpoint is chosen by: ``train.best``, or what stands for ``auto``.

    A critic makes fills sharper and costs PSNR, so that PSNR would choose a state from before it helped.

    >>> rule_of(Recipe("remend"))
    'psnr'
    """
    if recipe.train.best != "auto":
        return recipe.train.best
    if not recipe.critic.name:
        return "psnr"
    return "pd" if recipe.loss.backbone and (recipe.loss.perceptual or recipe.loss.style) else "sharp-aware"


def check_rule(recipe: Recipe) -> None:
    """Refuse a rule that no validation of this run will answer.

    Raises:
        UsageError: a score that is not logged.
    """
    kinds = validation_kinds(recipe.data)
    known = ["auto", "last", "psnr", "sharp-aware"]
    if recipe.loss.backbone and (recipe.loss.perceptual or recipe.loss.style):
        known += ["pd", *(f"pd_{kind}" for kind in kinds)]
    known += [f"{name}_{kind}" for name in ("psnr", "sharp") for kind in kinds]
    known += [_TASKS[task] for task in recipe.tasks.weights()]
    if recipe.train.best not in known:
        more = "" if "pd" in known else "; pd needs loss.backbone"
        raise UsageError(f"train.best is {', '.join(known)}, got {recipe.train.best!r}{more}")


def score_of(rule: str, scores: Mapping[str, float], samples_seen: int) -> float:
    """A validation as one number, higher is better; minus infinity where it has no such score.

    ``sharp-aware`` is the hole's PSNR in dB less 4 for each factor of 2 by which fills are less or more sharp
    than the truth, mean over kinds of holes.

    >>> score_of("sharp-aware", {"psnr": 24.0, "sharp_box": 0.5, "sharp_thin": 1.0}, 64)
    22.0
    >>> score_of("pd", {"psnr": 24.0, "pd": 0.5}, 64), score_of("last", {}, 64)
    (-0.5, 64.0)
    """
    if rule == "last":
        return float(samples_seen)
    if rule == "sharp-aware":
        off = [_octaves(value) for name, value in scores.items() if name.startswith("sharp_")]
        off = [value for value in off if math.isfinite(value)]
        value = scores.get("psnr", -math.inf) - (_SHARP_DB * sum(off) / len(off) if off else 0.0)
    else:
        value = scores.get(rule, -math.inf)
        if rule.startswith("sharp_"):
            value = -_octaves(value)
        elif rule.split("_")[0] == "pd" and rule in scores:
            value = -value
    return value if math.isfinite(value) else -math.inf


def counts(recipe: Recipe, samples_seen: int) -> bool:
    """Whether a checkpoint may be the best: with a critic, only once the critic has been learned against."""
    return not recipe.critic.name or samples_seen > recipe.critic.from_samples


def stands_still(recipe: Recipe, counters: Counters) -> bool:
    """Take in a validation for ``train.schedule=plateau``: whether the rate is to fall, which is counted."""
    rule = rule_of(recipe)
    score = score_of("psnr" if rule == "last" else rule, counters.scores, counters.samples_seen)
    if score > counters.peak:
        counters.peak, counters.waited = score, 0
        return False
    counters.waited += 1
    if counters.waited < recipe.train.patience:
        return False
    counters.drops, counters.waited = counters.drops + 1, 0
    return True


def _octaves(sharp: float) -> float:
    return abs(math.log2(sharp)) if sharp > 0 else math.inf
