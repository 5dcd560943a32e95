"""What cannot be meant or is not there, found in a second, before pictures are read or processes begin."""

from __future__ import annotations

from pathlib import Path

import torch

from remend.errors import UsageError
from remend.nets.critics import needs_backbone
from remend.nets.inpainter import Inpainter
from remend.nets.registry import build
from remend.train.adversarial.augment import kinds_of
from remend.train.adversarial.losses import KINDS
from remend.train.adversarial.step import critic_of
from remend.train.config import Recipe
from remend.train.data.process_loader import DRAWERS
from remend.train.optim.optimizer import optimizer_of
from remend.train.optim.schedule import learning_rate
from remend.train.request import Run
from remend.train.run.best import check_rule
from remend.train.tasks.heads import WEIGHINGS
from remend.train.wear.spec import WornAs

__all__ = ["preflight"]

_DOWNLOADED = "pretrained"  # transfer.weights that timm fetches itself


def preflight(run: Run) -> None:
    """Refuse what would otherwise come to light minutes later.

    Cost: that of making the net once; its sizes alone are followed, nothing is computed.

    Raises:
        UsageError: files that are not there, names that nobody has, options that do not go together.
    """
    recipe = run.recipe
    for source in run.sources:
        if not source.exists():
            raise UsageError(f"--data {source} is not there: check the path")
    _files(recipe)
    _critic(recipe)
    _widths(recipe)
    net = build(recipe.net, recipe.options)
    worn = WornAs.of(recipe.data.damage)
    if recipe.data.damage and worn is None and net.draws is not None:
        raise UsageError(
            f"data.damage is not for {recipe.net} with these options: the lines that it learns to draw begin "
            "where damage ends"
        )
    if (before := getattr(net.body, "needs_weights", "")) and not recipe.transfer.weights:
        raise UsageError(
            f"{recipe.net} goes on from a run of {before}: learn that first, then give "
            "--set transfer.weights=RUN"
        )
    for key in ("crop_px", "validation_px"):
        side = getattr(recipe.data, key)
        if side % net.size_multiple:
            raise UsageError(
                f"data.{key} must be a multiple of {net.size_multiple} for {recipe.net}, got {side}"
            )
    if worn is not None:
        worn(torch.zeros(1, 3, recipe.data.crop_px, recipe.data.crop_px), [0])
        if recipe.loss.distill:
            raise UsageError(
                "a teacher fills holes, and with noise, JPEG or blur as damage there are none: leave "
                "loss.distill or data.damage out"
            )
    if recipe.train.drawn_by not in DRAWERS:
        raise UsageError(f"train.drawn_by is {', '.join(DRAWERS)}, got {recipe.train.drawn_by!r}")
    placed = {"segmentation", "detection"} & set(recipe.tasks.weights())
    if recipe.data.enlarge and ((recipe.data.damage and worn is None) or placed):
        raise UsageError(
            "data.enlarge is not for pictures with masks of their damage, outlines or boxes, which lie in "
            "the pixels of the small picture: enlarge both yourself"
        )
    check_rule(recipe)
    _plan(recipe)
    optimizer_of(net, recipe)
    _tasks(net, recipe)
    _sizes(net, recipe)


def _plan(recipe: Recipe) -> None:
    """Rates and parts of a batch that can be meant."""
    plan = recipe.train
    learning_rate(plan, plan.warmup)
    if plan.batch % plan.accumulate:
        raise UsageError(
            f"train.batch={plan.batch} cannot be computed in {plan.accumulate} equal parts: "
            "let train.accumulate divide it"
        )
    if plan.accumulate > 1 and recipe.tasks.weights():
        raise UsageError(
            "train.accumulate is not for further tasks, whose labels are counted a batch: leave it out"
        )


def _tasks(net: Inpainter, recipe: Recipe) -> None:
    """Further tasks need features; whether the data have labels is found when they are read."""
    tasks = recipe.tasks
    if tasks.weigh not in WEIGHINGS:
        raise UsageError(f"tasks.weigh is {' or '.join(WEIGHINGS)}, got {tasks.weigh!r}")
    if tasks.weights() and not net.taps:
        raise UsageError(
            f"{recipe.net} offers no features to further tasks ({', '.join(tasks.weights())}): take remend, "
            "unet or transfer_unet, or leave [tasks] out"
        )


def _files(recipe: Recipe) -> None:
    """Each file or folder that the recipe names is there."""
    data, loss, weights = recipe.data, recipe.loss, recipe.transfer.weights
    wanted = {"data.masks": data.masks, "data.exclude": data.exclude}
    if data.damage != "find" and WornAs.of(data.damage) is None:
        wanted["data.damage"] = data.damage
    if loss.perceptual or loss.style or needs_backbone(recipe.critic.name):
        wanted["loss.backbone"] = loss.backbone
    if loss.distill:
        wanted["loss.teacher"] = loss.teacher
    if weights != _DOWNLOADED:
        wanted["transfer.weights"] = weights
    for key, path in wanted.items():
        if path and not Path(path).expanduser().exists():
            raise UsageError(f"{key}={path} is not there: check the path")


def _critic(recipe: Recipe) -> None:
    rules = recipe.critic
    if not rules.name:
        return
    if rules.loss not in KINDS:
        raise UsageError(f"no adversarial loss is called {rules.loss!r}: choose one of {', '.join(KINDS)}")
    kinds_of(rules.augment)
    critic_of(recipe)


def _widths(recipe: Recipe) -> None:
    """Channels are counted from one; what a net can do with how many of them, it says itself."""
    widths = recipe.options.get("widths", (1,))
    if not isinstance(widths, tuple) or not all(type(width) is int and width > 0 for width in widths):
        given = list(widths) if isinstance(widths, tuple) else widths
        raise UsageError(
            f"options.widths of {recipe.net} is a list of channels, each a whole number from 1, got {given!r}"
        )


def _sizes(net: Inpainter, recipe: Recipe) -> None:
    """Follow the sizes of a step through the net: options that do not fit each other fail here."""
    side = recipe.data.crop_px
    shadow = net.to("meta")
    image, hole = (torch.empty(2, channels, side, side, device="meta") for channels in (3, 1))
    try:
        with torch.no_grad():
            shadow(image, hole)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UsageError(
            f"the net {recipe.net} cannot compute crops of {side}² with these options ({reason}): "
            "look at [options] of its recipe"
        ) from error
