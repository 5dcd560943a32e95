"""The critic's side of a step: the generator's adversarial gradient, and the critic's own update."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from remend.nets.backbones import load_backbone
from remend.nets.critics import CriticOutput, build_critic, needs_backbone
from remend.nets.inpainter import Inpainter
from remend.nets.precision import CastOnce
from remend.train.adversarial.augment import diff_augment, kinds_of
from remend.train.adversarial.collapse import CollapseAlarm, readings, spread
from remend.train.adversarial.losses import balance, critic_loss, feature_matching, generator_loss
from remend.train.adversarial.penalties import gradient_penalty, path_penalty, r1_penalty
from remend.train.config import Recipe
from remend.train.data.loader import Batch
from remend.train.machine.devices import mean_over_devices
from remend.train.machine.profile import span
from remend.train.optim.muon import adam
from remend.train.optim.schedule import learning_rate

if TYPE_CHECKING:
    from lightning.fabric import Fabric

__all__ = ["Adversary", "Generated", "critic_of"]

_AUGMENT_STREAM = 3  # of the random numbers of a sample


@dataclass(frozen=True)
class Generated:
    """What the net made of one batch, and what the critic compares it with.

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


class Adversary:
    """The critic of a run with its optimiser.

    Args:
        recipe: its ``[critic]`` has a name.
        fabric: of the run.

    Attributes:
        critic: unwrapped: what is saved has the same names on any device.
        optimizer: of the critic.
        alarm: notices when training collapses.
        drops: how often the rate has fallen with ``train.schedule=plateau``.
    """

    def __init__(self, recipe: Recipe, fabric: Fabric) -> None:
        self.fabric, self.plan, self.config = fabric, recipe.train, recipe.critic
        self.critic = critic_of(recipe).to(memory_format=torch.channels_last)
        self.augmentations = kinds_of(self.config.augment)
        self.has_reconstruction = bool(recipe.loss.weights() or self.config.feature_matching)
        optimizer = adam(self.critic.parameters(), lr=self.config.lr, betas=self.config.betas)
        self.judge = CastOnce(self.critic)
        self.scorer, self.optimizer = fabric.setup(_Scorer(self.judge), optimizer)
        self.alarm = CollapseAlarm()
        self.drops = 0

    def has_begun(self, samples_seen: int) -> bool:
        """Whether the critic has joined by now."""
        return samples_seen >= self.config.from_samples

    def generator_gradient(
        self, reconstruction: Tensor, generated: Generated
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The gradient of all losses, the adversarial one among them, at the net's output.

        Taking it there, where they meet, lets their sizes be balanced and logged without a second backward
        through the net.

        Args:
            reconstruction: sum of the other losses.
            generated: of this step.

        Returns:
            The gradient (N, 3, H, W), and what to log: losses and the balance of the two gradients as they
            are applied.
        """
        config = self.config
        self.critic.requires_grad_(False)
        matched = bool(config.feature_matching)
        shown, hole = self._augmented(generated, filled=generated.filled, with_real=matched)
        filled = shown[-len(hole) :]
        with self.fabric.autocast():
            on_filled = self.judge(filled, hole)
            adversarial = generator_loss(config.loss, on_filled, hole, mask_as_target=config.mask_as_target)
            logs = {"adversarial": adversarial.detach()}
            if matched:
                with torch.no_grad():
                    wanted = self.judge(shown[: len(hole)], hole)
                matching = feature_matching(on_filled, wanted)
                reconstruction = reconstruction + config.feature_matching * matching
                logs["feature_matching"] = matching.detach()
        self.critic.requires_grad_(True)
        (adversarial_gradient,) = torch.autograd.grad(adversarial, generated.output, retain_graph=True)
        if self.has_reconstruction:
            (reconstruction_gradient,) = torch.autograd.grad(reconstruction, generated.output)
        else:  # the net learns from the critic alone
            reconstruction_gradient = torch.zeros_like(generated.output)
        # Over all devices, so that they agree.
        weight, ratio = balance(
            reconstruction_gradient,
            adversarial_gradient,
            generated.batch.hole,
            config.balance,
            add_up=partial(mean_over_devices, self.fabric),
        )
        if not config.balance:
            weight = torch.full_like(weight, config.weight)
        logs["balance"] = weight * ratio if self.has_reconstruction else torch.zeros_like(weight)
        return reconstruction_gradient + weight * adversarial_gradient, logs

    def path_regularization(
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
        config = self.config
        if not config.path_length or self._step(samples_seen) % config.path_every:
            return 0.0, {}
        penalty, length = path_penalty(net, batch.image, batch.hole)
        mean = net.body.path_mean
        assert isinstance(mean, Tensor)
        mean.copy_(mean_over_devices(self.fabric, mean))
        return config.path_length * config.path_every * penalty, {
            "path_penalty": penalty.detach(),
            "path": length,
        }

    def train_critic(self, made: Sequence[Generated], *, rehearse: bool = False) -> dict[str, Tensor]:
        """The critic's own steps on the pictures of a step, if it is its turn.

        Args:
            made: of this step, in the parts that it was computed in.
            rehearse: compute everything, change nothing.

        Returns:
            What to log, of the last of the steps.
        """
        config, samples_seen = self.config, made[0].samples_seen
        step = self._step(samples_seen)
        if step % config.every:
            return {}
        logs: dict[str, Tensor] = {}
        rate = config.lr * learning_rate(self.plan, samples_seen, self.drops) / self.plan.lr
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for own in range(config.steps):
            penalize = bool(config.r1) and (step // config.every * config.steps + own) % config.r1_every == 0
            self.optimizer.zero_grad(set_to_none=True)
            for number, generated in enumerate(made):
                held = number + 1 < len(made) and self.fabric.world_size > 1
                with self.fabric.no_backward_sync(self.scorer) if held else nullcontext():
                    logs |= self._learn(generated, own, penalize=penalize, share=1 / len(made))
            parameters = list(self.critic.parameters())
            norm = torch.nn.utils.clip_grad_norm_(parameters, float("inf"), foreach=True)
            logs["critic_gradient"] = norm.detach()
            if not rehearse:
                with span("optimizer"):
                    self.optimizer.step()
        last = made[-1]
        logs["contrast"] = spread(last.filled.detach(), last.batch.target, last.batch.hole)
        return logs

    def _learn(self, generated: Generated, own: int, *, penalize: bool, share: float) -> dict[str, Tensor]:
        """Add the critic's gradients on one part of a step's pictures, at its share; what to log of it."""
        config = self.config
        shown, hole = self._augmented(generated, filled=generated.filled.detach(), again=own + 1)
        # Real and filled in one forward: with DDP a step has one forward and one backward.
        with self.fabric.autocast():
            scores = self.scorer(shown, torch.cat([hole, hole]))
            halves = [s.chunk(2) for s in scores]
            on_real, on_filled = (CriticOutput(list(half), []) for half in zip(*halves, strict=True))
            loss = critic_loss(
                config.loss,
                on_real,
                on_filled,
                hole,
                mask_as_target=config.mask_as_target,
                soft_px=config.soft_px,
            )
        logs = {"critic": loss.detach()}
        real, filled = shown.chunk(2)
        if penalize:
            penalty = r1_penalty(self.critic, real, hole)
            logs["r1"] = penalty.detach()
            loss = loss + config.r1 * config.r1_every * penalty
        if config.gp:
            slope = gradient_penalty(self.critic, real, filled, hole)
            logs["gp"] = slope.detach()
            loss = loss + config.gp * slope
        self.fabric.backward(loss if share == 1 else share * loss)
        return logs | readings(on_real, on_filled, hole, mask_as_target=config.mask_as_target)

    def _step(self, samples_seen: int) -> int:
        """Steps since the critic joined."""
        return (samples_seen - self.config.from_samples) // self.plan.batch

    def _augmented(
        self, generated: Generated, *, filled: Tensor, again: int = 0, with_real: bool = True
    ) -> tuple[Tensor, Tensor]:
        """What the critic is shown: real pictures and then filled ones, and the hole.

        Each sample's draw follows from its index.
        """
        batch = generated.batch
        shown = torch.cat([batch.target, filled]) if with_real else filled
        if not self.augmentations:
            return shown, batch.hole
        own = range(batch.first + self.fabric.global_rank, batch.end, self.fabric.world_size)
        draws = [np.random.default_rng([self.plan.seed, index, _AUGMENT_STREAM, again]) for index in own]
        return diff_augment(shown, batch.hole, kinds=self.augmentations, generator=draws)


def critic_of(recipe: Recipe) -> nn.Module:
    """The critic that a recipe names, fresh; if it looks through a backbone, through the losses'.

    Raises:
        UsageError: there is none of this name, with these options, or without a backbone.
        ModelError: the backbone's file cannot be used.
    """
    config, backbone = recipe.critic, None
    if needs_backbone(config.name) and recipe.loss.backbone:
        backbone = load_backbone(recipe.loss.backbone_name, recipe.loss.backbone)
    return build_critic(config.name, config.options, backbone=backbone)


class _Scorer(nn.Module):
    """The critic's scores alone, which Fabric can hand through."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, image: Tensor, hole: Tensor) -> list[Tensor]:
        scores: list[Tensor] = self.critic(image, hole).scores
        return scores
