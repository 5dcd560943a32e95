"""What learns, and one step of it: net, losses, critic, averaged weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.nets.precision import CastOnce
from remend.nets.registry import build
from remend.train.adversarial.step import Adversary, Generated
from remend.train.config import Recipe, Train
from remend.train.data.guide import as_drawn, drawn_lines
from remend.train.data.labels import Labels
from remend.train.data.loader import Batch
from remend.train.data.prior import coarse_prior
from remend.train.loss.distillation import Teacher
from remend.train.loss.ignored import mask_damaged
from remend.train.loss.reconstruction import JITTER_PX, Criterion
from remend.train.machine.devices import mean_over_devices
from remend.train.machine.profile import span
from remend.train.optim.ema import Ema
from remend.train.optim.groups import set_frozen
from remend.train.optim.optimizer import optimizer_of
from remend.train.optim.schedule import learning_rate, seed_of
from remend.train.tasks.heads import Heads, Together
from remend.train.tasks.losses import task_losses, weighed
from remend.train.wear.spec import WornAs, seeds_of

if TYPE_CHECKING:
    from lightning.fabric import Fabric

__all__ = ["Learner"]


class Learner:
    """Everything that a step changes.

    Args:
        recipe: net, losses, critic, rates.
        fabric: of the run.
        labels: what the pictures show; needed where the recipe has further tasks.

    Attributes:
        net: unwrapped: what is saved and averaged has the same names on any device.
        optimizer: of the net.
        ema: its averaged weights.
        adversary: critic and its optimiser; None without one.
        heads: of further tasks, learned by the net's optimiser; None without any.
        heads_ema: their averaged weights.
        meaning: classes and things, in the order of the heads' answers.
        teacher: whose fills are followed; None without ``loss.distill``.
        worn: what lies on the pictures that are shown; None = holes are made instead.

    Raises:
        UsageError: settings that do not go together.
    """

    def __init__(self, recipe: Recipe, fabric: Fabric, labels: Labels | None = None) -> None:
        self.recipe, self.plan, self.fabric, self.drops = recipe, recipe.train, fabric, 0
        if self.plan.batch % (fabric.world_size * self.plan.accumulate):
            raise UsageError(
                f"train.batch={self.plan.batch} cannot be split over {fabric.world_size} devices, "
                f"each in {self.plan.accumulate} parts (train.accumulate)"
            )
        if not recipe.critic.name and not recipe.loss.weights() and not recipe.tasks.weights():
            raise UsageError("nothing would be learned: all weights of [loss] are 0; set loss.hole=2 or so")
        self.net: Inpainter = build(recipe.net, recipe.options)
        self.worn = WornAs.of(recipe.data.damage)
        for key, side in (("crop_px", recipe.data.crop_px), ("validation_px", recipe.data.validation_px)):
            if side % self.net.size_multiple:
                raise UsageError(
                    f"data.{key} must be a multiple of {self.net.size_multiple} for {recipe.net}, got {side}"
                )
        if recipe.loss.distill and not recipe.loss.teacher:
            raise UsageError(
                f"loss.distill={recipe.loss.distill:g} needs a teacher: give --set loss.teacher=RUN or "
                "FILE.onnx, or leave it out with --set loss.distill=0"
            )
        self.teacher = Teacher(recipe.loss.teacher) if recipe.loss.distill else None
        if self.teacher is not None:
            self.teacher.require(recipe.data.crop_px)
        self.net.to(memory_format=torch.channels_last)
        optimizer = optimizer_of(self.net, recipe)
        self.heads = Heads.of(self.net, recipe, labels) if labels is not None else None
        learning: CastOnce | Together = CastOnce(self.net)
        if self.heads is not None:
            for group in self.heads.groups(recipe):
                optimizer.add_param_group(group)
            learning = Together(self.net, self.heads.to(memory_format=torch.channels_last))
        self.wrapped, self.optimizer = fabric.setup(learning, optimizer)
        self.ema = Ema(self.net, self.plan.ema_half_life)
        self.heads_ema = Ema(self.heads, self.plan.ema_half_life) if self.heads is not None else None
        self.meaning = labels.as_dict() if labels is not None else {}
        self.criterion = fabric.to_device(Criterion.of(recipe.loss)).to(memory_format=torch.channels_last)
        self.adversary = Adversary(recipe, fabric) if recipe.critic.name else None

    def step(self, batch: Batch, samples_seen: int, *, rehearse: bool = False) -> dict[str, Tensor]:
        """Learn from one batch.

        Nothing here waits for the device, and nothing looks at the numbers: whoever reads them finds out
        whether they are finite, and goes back to a checkpoint where they are not.

        Args:
            batch: on the device.
            samples_seen: before this step; all schedules follow from it.
            rehearse: compute everything, change no weight.

        Returns:
            Scalars to log: every loss, gradient norms, the critic's readings.
        """
        rate = self._schedule(samples_seen)
        begun = self.adversary is not None and self.adversary.has_begun(samples_seen)
        adversary = self.adversary if begun else None
        parts = batch.parts(self.plan.accumulate, self.fabric.world_size)
        self.optimizer.zero_grad(set_to_none=True)
        made: list[Generated] = []
        logged: list[dict[str, Tensor]] = []
        for number, part in enumerate(parts):
            with self._held_back(number + 1 < len(parts)):
                values, generated = self._learn(part, adversary, samples_seen, share=1 / len(parts))
            logged.append(values)
            made.append(generated)
        values = _means(logged)
        with span("backward"):
            values |= self._regularize()
            largest = self.plan.clip or float("inf")
            norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), largest, foreach=True)
            if self.heads is not None:
                torch.nn.utils.clip_grad_norm_(self.heads.parameters(), largest, foreach=True)
        if not rehearse:
            with span("optimizer"):
                self.optimizer.step()
        if adversary is not None:
            with span("critic"):
                values |= adversary.train_critic(made, rehearse=rehearse)
        values = {name: value.detach() for name, value in values.items()}
        return values | {"gradient": norm.detach(), "lr": torch.tensor(rate)}

    def _learn(
        self, batch: Batch, adversary: Adversary | None, samples_seen: int, *, share: float
    ) -> tuple[dict[str, Tensor], Generated]:
        """Add the gradients of a part of a step's batch, at its share; what to log, what the critic sees."""
        # Dropout too is a function of the sample's number: resume is exact without any state of a device.
        torch.manual_seed(seed_of(self.plan.seed, batch.first, self.fabric.global_rank))
        batch = self._as_worn(batch)
        given = batch.shown()
        with span("forward"):
            answers = self.wrapped(given.image, given.hole, self._prior(given), self._guide(given))
            (filled, raw, *earlier), of_heads = answers if self.heads is not None else (answers, {})
        batch = as_drawn(self.net, batch)
        if batch.damage is not None:
            batch, filled, raw, earlier = mask_damaged(batch, filled, raw, earlier)
        output = raw
        if adversary is not None:
            # Losses meet at the output: cut the graph there, to weigh their gradients against each other.
            output = raw.detach().requires_grad_()
            filled = torch.where(batch.hole > 0.5, output, batch.image)
        generated = Generated(batch, filled, output, samples_seen)
        with span("losses"), self.fabric.autocast():
            values = self.criterion(
                filled,
                output,
                batch.target,
                batch.hole,
                self._jitter(batch),
                earlier=earlier,
                teacher_fill=self.teacher.fill(given.image, given.hole) if self.teacher else None,
            )
        objective = values["total"]
        if adversary is not None:
            with span("critic"):
                gradient, logs = adversary.generator_gradient(objective, generated)
            objective = (raw * gradient).sum()
            if "stages" in values:  # not cut: the critic judges the answer alone
                objective = objective + self.recipe.loss.stages * values["stages"]
            penalty, measured = adversary.path_regularization(self.net, given, samples_seen)
            objective = objective + penalty
            values |= logs | measured
        if self.heads is not None:
            with span("tasks"):
                objective, logs = self._tasks(objective, values["total"], of_heads, batch)
            values |= logs
        with span("backward"):
            self.fabric.backward(objective if share == 1 else share * objective)
        return {name: value.detach() for name, value in values.items()}, generated

    def _held_back(self, held: bool) -> AbstractContextManager[None]:
        """Several devices exchange the gradients of a step once, with its last part."""
        if held and self.fabric.world_size > 1:
            return self.fabric.no_backward_sync(self.wrapped)
        return nullcontext()

    def _regularize(self) -> dict[str, Tensor]:
        """Add the gradient of the kernels' absolute values; what that costs."""
        if not self.plan.l1:
            return {}
        kernels = [p for p in self.net.parameters() if p.ndim > 1 and p.grad is not None]
        with torch.no_grad():
            torch._foreach_add_([p.grad for p in kernels], torch._foreach_sign(kernels), alpha=self.plan.l1)
            return {"l1": self.plan.l1 * torch.stack(torch._foreach_norm(kernels, 1)).sum()}

    def lower(self, drops: int) -> None:
        """Let all rates be those after so many falls of ``train.schedule=plateau``."""
        self.drops = drops
        if self.adversary is not None:
            self.adversary.drops = drops

    def follow(self, plan: Train) -> Train:
        """Take another plan for the schedules: rates fall to its end. Returns it."""
        self.plan = plan
        if self.adversary is not None:
            self.adversary.plan = plan
        return plan

    def average(self, samples_seen: int) -> None:
        """Let the averaged weights follow a step that was good."""
        with span("ema"):
            self.ema.update(self.net, batch=self.plan.batch, samples_seen=samples_seen)
            if self.heads is not None and self.heads_ema is not None:
                self.heads_ema.update(self.heads, batch=self.plan.batch, samples_seen=samples_seen)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever is rehearsed inside leaves no trace: buffers, gradients and random state are put back."""
        modules: list[torch.nn.Module] = [self.net]
        modules += [self.adversary.critic] if self.adversary else []
        modules += [self.heads] if self.heads else []
        kept = [(buffer, buffer.clone()) for module in modules for buffer in module.buffers()]
        random = torch.get_rng_state()
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, value in kept:
                    buffer.copy_(value)
            torch.set_rng_state(random)
            for module in modules:
                module.zero_grad(set_to_none=True)

    def _schedule(self, samples_seen: int) -> float:
        """Set what follows from the samples seen: rates, and what is frozen."""
        rate = learning_rate(self.plan, samples_seen, self.drops)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        if self.recipe.transfer.freeze_until:
            set_frozen(self.net, samples_seen < self.recipe.transfer.freeze_until)
        return rate

    def _tasks(
        self, objective: Tensor, restoration: Tensor, answers: dict[str, Tensor], batch: Batch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective with all tasks in it, and what to log of them."""
        assert self.heads is not None
        tasks = self.recipe.tasks.weights()
        counts = dict.fromkeys(tasks, 0.0)
        if batch.truth is not None:
            own = torch.tensor([float(batch.truth.counts[task]) for task in tasks], device=self.fabric.device)
            # Over all devices: the mean over labelled samples is then the same on one as on several.
            shared = mean_over_devices(self.fabric, own) if self.fabric.world_size > 1 else own
            counts = dict(zip(tasks, shared.tolist(), strict=True))
        losses = task_losses(answers, batch.truth, counts)
        objective, weights = weighed(
            objective,
            restoration,
            losses,
            weights=self.heads.weights,
            log_variances=answers.get("log_variances"),
            counts=counts,
        )
        logs = {task: loss for task, loss in losses.items() if counts[task]}
        return objective, logs | {f"weight_{task}": weight for task, weight in weights.items()}

    def _as_worn(self, batch: Batch) -> Batch:
        """The batch as it is shown where pictures are worn, and not holes made."""
        if self.worn is None:
            return batch
        with torch.no_grad():
            shown = self.worn(batch.target, seeds_of(self.plan.seed, self._indices(batch)))
        return replace(batch, image=shown, hole=torch.ones_like(batch.hole))

    def _indices(self, batch: Batch) -> range:
        """The numbers of the samples that this device was given."""
        return range(batch.first + self.fabric.global_rank, batch.end, self.fabric.world_size)

    def _prior(self, batch: Batch) -> Tensor | None:
        """The averaged net's own coarse fills, for some of the samples."""
        if self.net.sees_hole:
            return None
        with self.fabric.autocast():
            return coarse_prior(
                self.ema.net,
                batch.image,
                batch.hole,
                share=self.recipe.data.prior,
                ratios=batch.ratios,
                seed=self.plan.seed,
                indices=self._indices(batch),
            )

    def _guide(self, batch: Batch) -> Tensor | None:
        """The lines that some of the holes held, for nets that follow lines."""
        if not self.net.takes_guide:
            return None
        return drawn_lines(
            batch.target,
            batch.hole,
            share=self.recipe.data.guide,
            seed=self.plan.seed,
            indices=self._indices(batch),
        )

    def _jitter(self, batch: Batch) -> tuple[int, int]:
        down, right = np.random.default_rng([self.plan.seed, batch.first, 1]).integers(JITTER_PX, size=2)
        return int(down), int(right)


def _means(logged: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """What a step logs, of what its parts did."""
    if len(logged) == 1:
        return logged[0]
    names = dict.fromkeys(name for values in logged for name in values)
    return {name: torch.stack([v[name] for v in logged if name in v]).mean() for name in names}
