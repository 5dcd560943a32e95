"""The critic's side of a step: what it tells the net, and what it learns itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from remend.nets.critics import Judgement, build_critic, looks_through_a_trunk
from remend.nets.inpainter import Inpainter
from remend.nets.trunks import load_trunk
from remend.train.adversarial.augment import diff_augment, kinds_of
from remend.train.adversarial.collapse import CollapseAlarm, readings, spread
from remend.train.adversarial.losses import balance, critic_loss, feature_matching, generator_loss
from remend.train.adversarial.penalties import gradient_penalty, path_penalty, r1_penalty
from remend.train.config import Recipe
from remend.train.data.loader import Batch
from remend.train.machine.devices import mean_over_devices
from remend.train.machine.profile import span
from remend.train.optim.schedule import learning_rate, seed_of

if TYPE_CHECKING:
    from lightning.fabric import Fabric

__all__ = ["Game", "Turn", "critic_of"]

_AUGMENT_STREAM = 3  # of the random numbers of a sample


@dataclass(frozen=True)
class Turn:
    """What one step of the game is about.

    Attributes:
        batch: what the net was shown.
        filled: (N, 3, H, W), its answer composed; with a gradient to ``output``.
        output: (N, 3, H, W), its answer, cut off from the net.
        samples_seen: before this step.
    """

    batch: Batch
    filled: Tensor
    output: Tensor
    samples_seen: int


class Game:
    """The critic of a run with its optimiser.

    Args:
        recipe: its ``[critic]`` has a name.
        fabric: of the run.

    Attributes:
        critic: unwrapped: what is saved has the same names on any device.
        optimizer: of the critic.
        alarm: notices when the game is lost.
    """

    def __init__(self, recipe: Recipe, fabric: Fabric) -> None:
        self.fabric, self.plan, self.rules = fabric, recipe.train, recipe.critic
        self.critic = critic_of(recipe).to(memory_format=torch.channels_last)
        self.kinds = kinds_of(self.rules.augment)
        self.others = bool(recipe.loss.weights() or self.rules.feature_matching)
        optimizer = torch.optim.Adam(
            self.critic.parameters(), lr=self.rules.lr, betas=self.rules.betas, foreach=True
        )
        self.scorer, self.optimizer = fabric.setup(_Scorer(self.critic), optimizer)
        self.alarm = CollapseAlarm()

    def begun(self, samples_seen: int) -> bool:
        """Whether the critic plays by now."""
        return samples_seen >= self.rules.from_samples

    def press(self, reconstruction: Tensor, turn: Turn) -> tuple[Tensor, dict[str, Tensor]]:
        """What the net is told: the gradient of all losses at its output.

        Taking it there, where they meet, lets their sizes be balanced and logged without a second backward
        through the net.

        Args:
            reconstruction: sum of the other losses.
            turn: the step.

        Returns:
            The gradient (N, 3, H, W), and what to log: losses and the balance of the two gradients as they
            are applied.
        """
        rules = self.rules
        self.critic.requires_grad_(False)
        real, filled, hole = self._altered(turn, filled=turn.filled)
        with self.fabric.autocast():
            judged = self.critic(filled, hole)
            adversarial = generator_loss(rules.loss, judged, hole, mask_as_target=rules.mask_as_target)
            told = {"adversarial": adversarial.detach()}
            if rules.feature_matching:
                with torch.no_grad():
                    wanted = self.critic(real, hole)
                matching = feature_matching(judged, wanted)
                reconstruction = reconstruction + rules.feature_matching * matching
                told["feature_matching"] = matching.detach()
        self.critic.requires_grad_(True)
        (against,) = torch.autograd.grad(adversarial, turn.output, retain_graph=True)
        if self.others:
            (towards,) = torch.autograd.grad(reconstruction, turn.output)
        else:  # the net learns from the critic alone
            towards = torch.zeros_like(turn.output)
        # Over all devices, so that they agree.
        weight, ratio = balance(
            towards, against, turn.batch.hole, rules.balance, add_up=partial(mean_over_devices, self.fabric)
        )
        if not rules.balance:
            weight = torch.full_like(weight, rules.weight)
        told["balance"] = weight * ratio if self.others else torch.zeros_like(weight)
        return towards + weight * against, told

    def smooth(
        self, net: Inpainter, batch: Batch, samples_seen: int
    ) -> tuple[Tensor | float, dict[str, Tensor]]:
        """The penalty on fills that move unevenly with the noise, at the steps that have one.

        Args:
            net: unwrapped.
            batch: on the device.
            samples_seen: before this step.

        Returns:
            What to add to the net's objective, and what to log.

        Raises:
            UsageError: the net takes no noise.
        """
        rules = self.rules
        if not rules.path_length or self._step(samples_seen) % rules.path_every:
            return 0.0, {}
        penalty, length = path_penalty(net, batch.image, batch.hole)
        mean = net.body.path_mean
        assert isinstance(mean, Tensor)
        mean.copy_(mean_over_devices(self.fabric, mean))
        return rules.path_length * rules.path_every * penalty, {
            "path_penalty": penalty.detach(),
            "path": length,
        }

    def learn(self, turn: Turn, *, rehearse: bool = False) -> dict[str, Tensor]:
        """The critic's own steps on the pictures of ``turn``, if it is its turn.

        Args:
            turn: the step.
            rehearse: compute everything, change nothing.

        Returns:
            What to log, of the last of the steps.
        """
        rules, step = self.rules, self._step(turn.samples_seen)
        if step % rules.every:
            return {}
        said: dict[str, Tensor] = {}
        rate = rules.lr * learning_rate(self.plan, turn.samples_seen) / self.plan.lr
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for own in range(rules.steps):
            real, filled, hole = self._altered(turn, filled=turn.filled.detach(), again=own + 1)
            # Real and filled in one forward: with DDP a step has one forward and one backward.
            with self.fabric.autocast():
                scores = self.scorer(torch.cat([real, filled]), torch.cat([hole, hole]))
                on_real = Judgement([s[: len(hole)] for s in scores], [])
                on_filled = Judgement([s[len(hole) :] for s in scores], [])
                loss = critic_loss(
                    rules.loss,
                    on_real,
                    on_filled,
                    hole,
                    mask_as_target=rules.mask_as_target,
                    soft_px=rules.soft_px,
                )
            said["critic"] = loss.detach()
            if rules.r1 and (step // rules.every * rules.steps + own) % rules.r1_every == 0:
                penalty = r1_penalty(self.critic, real, hole)
                said["r1"] = penalty.detach()
                loss = loss + rules.r1 * rules.r1_every * penalty
            if rules.gp:
                slope = gradient_penalty(self.critic, real, filled, hole)
                said["gp"] = slope.detach()
                loss = loss + rules.gp * slope
            self.optimizer.zero_grad(set_to_none=True)
            self.fabric.backward(loss)
            norm = torch.nn.utils.clip_grad_norm_(self.critic.parameters(), float("inf"))
            said["critic_gradient"] = norm.detach()
            if not rehearse:
                with span("optimizer"):
                    self.optimizer.step()
            said |= readings(on_real, on_filled, hole, mask_as_target=rules.mask_as_target)
        said["contrast"] = spread(turn.filled.detach(), turn.batch.target, turn.batch.hole)
        return said

    def _step(self, samples_seen: int) -> int:
        """Steps since the critic joined."""
        return (samples_seen - self.rules.from_samples) // self.plan.batch

    def _altered(self, turn: Turn, *, filled: Tensor, again: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """What the critic is shown: real, filled and hole; each sample's draw follows from its index."""
        batch = turn.batch
        if not self.kinds:
            return batch.target, filled, batch.hole
        own = range(batch.first + self.fabric.global_rank, batch.end, self.fabric.world_size)
        seeds = (seed_of(self.plan.seed, index, _AUGMENT_STREAM, again) for index in own)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return diff_augment(batch.target, filled, batch.hole, kinds=self.kinds, generator=generators)


def critic_of(recipe: Recipe) -> nn.Module:
    """The critic that a recipe names, fresh; if it looks through a trunk, through the losses'.

    Raises:
        UsageError: there is none of this name, with these options, or without a trunk.
        ModelError: the trunk's file cannot be used.
    """
    rules, trunk = recipe.critic, None
    if looks_through_a_trunk(rules.name) and recipe.loss.trunk:
        trunk = load_trunk(recipe.loss.trunk_name, recipe.loss.trunk)
    return build_critic(rules.name, rules.options, trunk=trunk)


class _Scorer(nn.Module):
    """The critic's scores alone, which Fabric can hand through."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, image: Tensor, hole: Tensor) -> list[Tensor]:
        scores: list[Tensor] = self.critic(image, hole).scores
        return scores
