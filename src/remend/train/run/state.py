"""What a checkpoint holds of a run, when it is written, and how a run goes on from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from remend.errors import DivergedError, ModelError, RemendError, UsageError, WriteError
from remend.nets.weights import checkpoint
from remend.train.config import Recipe, Train, as_dict, digest, from_dict
from remend.train.request import Counters, Run
from remend.train.run.best import counts, rule_of, score_of
from remend.train.run.step import Learner
from remend.train.run.transfer import start_from

__all__ = ["Store", "put_back", "same_recipe", "state_of", "tensors_of"]

_ROLLBACKS = 3


class Store:
    """A run's checkpoints: where it starts, what it saves, where it goes back to.

    Every process has one, since each must know where to go back to; the first alone writes.

    Args:
        run: what to do.
        learner: what is saved and put back.
        data: pictures by group, for the record.
        say: told what happens.

    Attributes:
        counters: where the run stands.
        last: the newest checkpoint.
    """

    def __init__(self, run: Run, learner: Learner, data: dict[str, int], say: Callable[[str], None]) -> None:
        self.run, self.learner, self.data, self.say = run, learner, data, say
        self.first = learner.fabric.is_global_zero
        self.counters = Counters()
        self.last = run.out
        self._rollbacks = 0

    def start(self) -> None:
        """Go on from a checkpoint, or write the first."""
        found = self._found()
        self.learner.fabric.barrier()  # all have looked before the first process writes
        if self.first:
            checkpoint.sweep(self.run.out)
            _make(self.run.out)
        if found is None:
            if source := self.run.recipe.transfer.weights:
                start_from(self.learner.net, source, self.say)
                self.learner.ema.net.load_state_dict(self.learner.net.state_dict())
            self.save()
            return
        put_back(self.learner, self.counters, found, self.say)
        self.counters.position = int(found.state["position"])
        self.last = found.path
        self.say(f"going on from {found.path} at {self.counters.samples_seen:,} samples")
        if not same_recipe(self.run.recipe, found.state):
            self.say("note: the recipe differs from the checkpoint's; this one counts from here on")
        if found.path.parent != self.run.out / "checkpoints":
            self.counters.best, self.counters.best_at = float("-inf"), -1  # that run's best stays there
            self.save()
        elif (
            self.first
            and self.counters.best_at == self.counters.samples_seen
            and checkpoint.best(self.run.out) != found.path
        ):
            # The end came between writing its checkpoint and marking it.
            checkpoint.keep_best(self.run.out, found.path, found.tensors["ema"], found.state)

    def save(self) -> None:
        """Write a checkpoint; if it is the best, also as a file of its own.

        Raises:
            WriteError: it cannot be written; earlier ones are whole.
        """
        out, counters, learner = self.run.out, self.counters, self.learner
        if self.first:
            better = self._mark()
            state = state_of(learner, counters, self.data)
            saved = checkpoint.save(out, counters.samples_seen, tensors_of(learner), state)
            if better:
                checkpoint.keep_best(out, saved, learner.ema.net.state_dict(), state)
            checkpoint.prune(out, learner.plan.keep)
        learner.fabric.barrier()
        # On every device: each goes back there when numbers are not finite.
        self.last = checkpoint.folder_of(out, counters.samples_seen)
        self._rollbacks = 0

    def _mark(self) -> bool:
        """Whether what is about to be saved is the best so far, which the counters then say."""
        counters, recipe = self.counters, self.run.recipe
        rule, seen = rule_of(recipe), counters.samples_seen
        if rule != "last" and counters.measured != seen:
            return False  # the scores are of an earlier state
        score = score_of(rule, counters.scores, seen)
        # The first after the critic has joined is better than all before, whatever their scores.
        joined, before = counts(recipe, seen), counts(recipe, counters.best_at)
        better = score > float("-inf") and (joined, score) > (before, counters.best)
        if better:
            counters.best, counters.best_at = score, seen
        return better

    def finish(self) -> None:
        """Save what is not saved; without any validation the last weights count as the best."""
        out, counters, learner = self.run.out, self.counters, self.learner
        if self.last != checkpoint.folder_of(out, counters.samples_seen):
            self.save()
        if self.first and checkpoint.best(out) is None:
            state = state_of(learner, counters, self.data)
            checkpoint.keep_best(out, self.last, learner.ema.net.state_dict(), state)

    def roll_back(self, sample: int) -> None:
        """Back to the last checkpoint after a batch that was not finite; the data goes on past it.

        Args:
            sample: the first of that batch.

        Raises:
            DivergedError: the fourth time since that checkpoint.
        """
        self._rollbacks += 1
        if self._rollbacks > _ROLLBACKS:
            raise DivergedError(
                f"losses are not finite, {self._rollbacks} times since the last checkpoint: "
                f"{self.last} is the last good state; lower train.lr or look at the data"
            )
        self.say(f"losses are not finite at sample {sample:,}: back to {self.last.name}, past it")
        put_back(self.learner, self.counters, checkpoint.read(self.last), self.say)

    def _found(self) -> checkpoint.Checkpoint | None:
        """The checkpoint to go on from."""
        out, resume = self.run.out, self.run.resume
        if isinstance(resume, bool):
            return checkpoint.newest(out, self.say) if resume else None
        if (resume / "checkpoints").is_dir():
            found = checkpoint.newest(resume, self.say)
            if found is None:
                raise ModelError(f"the run {resume} has no checkpoint to go on from: give another --resume")
        else:
            found = checkpoint.read(resume)
        newer = [path for path in checkpoint.listing(out) if path.name > found.path.name]
        if newer:
            raise UsageError(
                f"{out} holds {newer[-1].name}, which is newer than {resume}: give another --out, "
                "or go on with --resume auto"
            )
        return found


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"the run's folder {folder} cannot be made ({error.strerror})") from error


def tensors_of(learner: Learner) -> dict[str, dict[str, Tensor]]:
    """Every tensor that a step changes, by part and name."""
    parts = {
        "weights": learner.net.state_dict(),
        "ema": learner.ema.net.state_dict(),
        "optimizer": checkpoint.optimizer_tensors(learner.net, learner.optimizer),
        "rng": {"torch": torch.get_rng_state()},
    }
    if learner.adversary is not None:
        # With the vectors of its spectral norms, so that the adversary goes on bit for bit.
        parts["critic"] = learner.adversary.critic.state_dict()
        parts["critic_optimizer"] = checkpoint.optimizer_tensors(
            learner.adversary.critic, learner.adversary.optimizer
        )
    if learner.heads is not None and learner.heads_ema is not None:
        parts["heads"] = learner.heads.state_dict()
        parts["heads_ema"] = learner.heads_ema.net.state_dict()
        parts["heads_optimizer"] = checkpoint.optimizer_tensors(learner.heads, learner.optimizer)
    return parts


def state_of(learner: Learner, counters: Counters, data: dict[str, int]) -> dict[str, Any]:
    """Everything else, ready for JSON."""
    recipe = learner.recipe
    return {
        "net": recipe.net,
        "recipe": as_dict(recipe),
        "recipe_sha256": digest(recipe),
        "samples_seen": counters.samples_seen,
        "position": counters.position,
        "best": counters.best if np.isfinite(counters.best) else None,
        "best_at": counters.best_at,
        "best_by": rule_of(recipe),
        "plateau": {
            "drops": counters.drops,
            "peak": counters.peak if np.isfinite(counters.peak) else None,
            "waited": counters.waited,
        },
        "measured": counters.measured,
        "scores": counters.scores,
        "data": data,
        "alarm": learner.adversary.alarm.as_dict() if learner.adversary is not None else None,
        "tasks": learner.meaning,
    }


def put_back(
    learner: Learner, counters: Counters, found: checkpoint.Checkpoint, say: Callable[[str], None]
) -> None:
    """Put weights, averages, optimisers, random state and counters back, but not the position in the data.

    A checkpoint without a critic leaves the critic as it is: one may join an older run. So may further tasks.

    Raises:
        ModelError: the checkpoint is of another net, width or critic, or of tasks with other classes.
    """
    tensors, adversary, state = found.tensors, learner.adversary, found.state
    then, now = _optimizer(state), learner.plan.optimizer
    kept = then == now  # what AdamW remembers is of no use to Muon, nor the other way round
    heads, average = learner.heads, learner.heads_ema
    if heads is not None and "heads" in tensors and state.get("tasks") != learner.meaning:
        raise ModelError(
            f"the checkpoint {found.path} tells other classes apart than the data name now: give that run's "
            "data and tasks.classes, or another --out"
        )
    what = "net"
    try:
        learner.net.load_state_dict(tensors["weights"])
        learner.ema.net.load_state_dict(tensors["ema"])
        checkpoint.restore_optimizer(learner.net, learner.optimizer, tensors["optimizer"] if kept else {})
        torch.set_rng_state(tensors["rng"]["torch"])
        if adversary is not None and "critic" in tensors:
            what = "critic"
            adversary.critic.load_state_dict(tensors["critic"])
            checkpoint.restore_optimizer(adversary.critic, adversary.optimizer, tensors["critic_optimizer"])
        if heads is not None and average is not None and "heads" in tensors:
            what = "set of tasks"
            heads.load_state_dict(tensors["heads"])
            average.net.load_state_dict(tensors["heads_ema"])
            checkpoint.restore_optimizer(heads, learner.optimizer, tensors["heads_optimizer"] if kept else {})
    except (RuntimeError, KeyError) as error:
        # Torch names every tensor, below a line that says nothing: the first few are enough.
        lines = str(error).splitlines()
        reason = " ".join(" ".join(lines[1:] or lines).split())[:120]
        raise ModelError(
            f"the checkpoint {found.path} is of another {what} or width than the recipe asks for "
            f"({reason} …): give that run's net and options, or another --out"
        ) from error
    if not kept:
        say(f"note: the optimiser is fresh: {now}, the checkpoint's is {then}")
    if (adversary is None) != ("critic" not in tensors):
        say(
            "note: " + ("the checkpoint's critic is left out" if adversary is None else "the critic is fresh")
        )
    if (heads is None) != ("heads" not in tensors):
        say("note: " + ("the checkpoint's tasks are left out" if heads is None else "the tasks are fresh"))
    if adversary is not None and state.get("alarm"):
        adversary.alarm = type(adversary.alarm)(**state["alarm"])
    counters.samples_seen = int(state["samples_seen"])
    same_rule = state.get("best_by", "psnr") == rule_of(learner.recipe)
    counters.best = float(state["best"]) if same_rule and state["best"] is not None else float("-inf")
    counters.best_at = int(state.get("best_at", -1)) if same_rule else -1
    stood = state.get("plateau") or {}
    counters.drops, counters.waited = int(stood.get("drops", 0)), int(stood.get("waited", 0))
    counters.peak = float(stood["peak"]) if stood.get("peak") is not None else float("-inf")
    learner.lower(counters.drops)
    counters.measured = int(state.get("measured", -1))
    counters.scores = dict(state["scores"])


def _optimizer(state: Mapping[str, Any]) -> str:
    """What the net of a checkpoint was learned by; older checkpoints do not say, they are of AdamW."""
    train = state.get("recipe", {}).get("train", {})
    return str(train.get("optimizer", Train().optimizer))


def same_recipe(recipe: Recipe, state: dict[str, Any]) -> bool:
    """Whether a checkpoint's recipe is this one; keys that came later count with their defaults."""
    try:
        return digest(from_dict(state["recipe"])) == digest(recipe)
    except (RemendError, KeyError):
        return False
