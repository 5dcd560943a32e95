"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric

from remend.errors import DivergedError, ModelError, UsageError, WriteError
from remend.nets.catalogue import build, figures
from remend.nets.inpainter import Inpainter
from remend.train import checkpoint, validation
from remend.train.allocator import keep_freed_memory
from remend.train.config import Recipe, as_dict, digest
from remend.train.ema import Ema
from remend.train.journal import Journal, Meter
from remend.train.loader import Batch, batches
from remend.train.losses import JITTER_PX, Criterion
from remend.train.masks import MaskBank
from remend.train.pictures import Pictures, read_pictures
from remend.train.run import Counters, Outcome, Run
from remend.train.samples import Sample, Sampler, validation_samples
from remend.train.schedule import learning_rate
from remend.train.signals import Stop, stop_on_signal

__all__ = ["fast_dev", "train"]

_ROLLBACKS = 3


def train(run: Run) -> Outcome:
    """Train a net until the recipe's samples are seen or a signal comes; always leaves a checkpoint.

    Raises:
        UsageError: pictures, recipe and checkpoint do not go together.
        ModelError: no checkpoint of the run is whole, or the trunk's weights are not.
        WriteError: a checkpoint cannot be written.
        DivergedError: losses are not finite, four times between two checkpoints.
    """
    if checkpoint.listing(run.out) and not run.resume:
        raise UsageError(f"{run.out} holds a run already: add --resume auto, or give another --out")
    fabric = Fabric(accelerator=run.accelerator, devices=run.devices, precision=run.precision)
    fabric.launch()
    if fabric.device.type == "cpu":
        keep_freed_memory()
    torch.manual_seed(run.recipe.train.seed)
    say = run.say if fabric.is_global_zero else _silent
    recipe = run.recipe
    least = max(recipe.data.crop_px, recipe.data.validation_px)
    pictures = read_pictures(run.sources, least_px=least, memory_gib=recipe.data.memory_gib)
    seen_pictures, aside = pictures.split(recipe.data.validation)
    say(_about(pictures, seen_pictures, aside))
    trainer = _Trainer(run, fabric, say, seen_pictures, validation_samples(aside, recipe.data.validation_px))
    with stop_on_signal() as stop:
        return trainer.run_until(stop)


class _Trainer:
    """The parts of a run and the steps between them."""

    def __init__(
        self,
        run: Run,
        fabric: Fabric,
        say: Callable[[str], None],
        pictures: Pictures,
        fixed: list[Sample],
    ) -> None:
        self.run, self.fabric, self.say, self.pictures, self.fixed = run, fabric, say, pictures, fixed
        self.recipe, self.plan = run.recipe, run.recipe.train
        if self.plan.batch % fabric.world_size:
            raise UsageError(
                f"train.batch={self.plan.batch} cannot be split over {fabric.world_size} devices"
            )
        # Built and kept here, unwrapped: what is saved and averaged has the same names on any device.
        self.net: Inpainter = build(self.recipe.net, self.recipe.options)
        if (self.recipe.data.crop_px | self.recipe.data.validation_px) % self.net.size_multiple:
            raise UsageError(
                f"data.crop_px and data.validation_px must be multiples of {self.net.size_multiple} "
                f"for {self.recipe.net}"
            )
        cost = figures(self.net)
        say(f"{self.recipe.net}: {cost.parameters / 1e6:.2f} M parameters, {cost.gmac_512:.1f} GMAC at 512²")
        self.net.to(memory_format=torch.channels_last)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [{"params": decayed}, {"params": others, "weight_decay": 0.0}],
            lr=self.plan.lr,
            betas=self.plan.betas,
            weight_decay=self.plan.weight_decay,
        )
        self.wrapped, self.optimizer = fabric.setup(self.net, optimizer)
        self.ema = Ema(self.net, self.plan.ema_half_life)
        self.criterion = fabric.to_device(Criterion.of(self.recipe.loss)).to(
            memory_format=torch.channels_last
        )
        self.counters = Counters()
        self.last = self._start()

    def run_until(self, stop: Stop) -> Outcome:
        """The loop itself."""
        plan, counters = self.plan, self.counters
        journal = Journal(self.run.out / "log.csv", counters.samples_seen)
        meter = Meter(plan.samples, self.say, live=self.run.live)
        source = self._batches()
        saved_at, rollbacks = time.monotonic(), 0
        while counters.samples_seen < plan.samples and not stop:
            batch = next(source)
            values = self._step(batch)
            counters.position = batch.end
            if values is None:
                rollbacks += 1
                self._roll_back(batch, rollbacks)
                journal = Journal(self.run.out / "log.csv", counters.samples_seen)
                meter.restart()
                continue
            counters.samples_seen += plan.batch
            self.ema.update(self.net, batch=plan.batch, samples_seen=counters.samples_seen)
            meter.add(plan.batch, values)
            if self._due(plan.log_every):
                row = meter.take(counters.samples_seen)
                if self.fabric.is_global_zero:
                    journal.write(counters.samples_seen, row)
            measure = self._due(plan.validate_every)
            if measure or time.monotonic() - saved_at >= 60 * plan.save_minutes:
                since = time.monotonic()
                if measure:
                    self._validate()
                self._save()
                saved_at, rollbacks = time.monotonic(), 0
                meter.leave_out(saved_at - since)
        source.close()
        if not stop and not self._due(plan.validate_every):
            self._validate()
            self._save()
        elif self.last != checkpoint.folder_of(self.run.out, counters.samples_seen):
            self._save()
        return Outcome(
            counters.samples_seen, self.last, counters.scores, stop.signal, self.fabric.is_global_zero
        )

    def _due(self, every: int) -> bool:
        """Whether the last step reached a multiple of ``every`` samples: the same ones after a resume."""
        seen = self.counters.samples_seen
        return seen // every > (seen - self.plan.batch) // every

    def _step(self, batch: Batch) -> dict[str, float] | None:
        """Learn from one batch; None, and nothing learned, where a number is not finite."""
        batch = batch.to(self.fabric.device)
        rate = learning_rate(self.plan, self.counters.samples_seen)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        rng = np.random.default_rng([self.plan.seed, batch.first, 1])
        down, right = (int(n) for n in rng.integers(JITTER_PX, size=2))
        filled, raw = self.wrapped(batch.image, batch.hole)
        with self.fabric.autocast():
            losses = self.criterion(filled, raw, batch.target, batch.hole, (down, right))
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(losses["total"])
        largest = self.plan.clip or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), largest)
        values = {name: float(value.detach()) for name, value in losses.items()}
        values |= {"gradient": float(norm), "lr": rate}
        finite = torch.tensor(float(np.isfinite(list(values.values())).all()))
        if self.fabric.world_size > 1:
            finite = self.fabric.all_reduce(finite, reduce_op="min")
        if not bool(finite):
            return None
        self.optimizer.step()
        return values

    def _validate(self) -> None:
        """Measure the averaged weights on the fixed samples; keep the best."""
        if not self.fixed or not self.fabric.is_global_zero:
            return
        seen = self.counters.samples_seen
        outputs = validation.fill_samples(self.ema.net, self.fixed, self.fabric.device)
        scores = validation.scores(self.fixed, outputs)
        self.counters.scores = scores
        Journal(self.run.out / "validation.csv", seen - 1).write(seen, scores)
        sheet = validation.grid(self.fixed, outputs)
        validation.write_grid(self.run.out / "grids" / f"{seen:09d}.png", sheet)
        self.say("validation  " + "  ".join(f"{name} {value:.3f}" for name, value in scores.items()))

    def _save(self) -> None:
        """Write a checkpoint and mark it if it is the best."""
        counters = self.counters
        if self.fabric.is_global_zero:
            score = counters.scores.get("psnr", float("-inf"))
            better = score > counters.best
            counters.best = max(score, counters.best)
            state: dict[str, Any] = {
                "net": self.recipe.net,
                "recipe": as_dict(self.recipe),
                "recipe_sha256": digest(self.recipe),
                "samples_seen": counters.samples_seen,
                "position": counters.position,
                "best": counters.best if np.isfinite(counters.best) else None,
                "scores": counters.scores,
                "data": self.pictures.groups,
            }
            parts = {
                "weights": self.net.state_dict(),
                "ema": self.ema.net.state_dict(),
                "optimizer": checkpoint.optimizer_tensors(self.net, self.optimizer),
                "rng": {"torch": torch.get_rng_state()},
            }
            saved = checkpoint.save(self.run.out, counters.samples_seen, parts, state)
            if better:
                checkpoint.mark_best(self.run.out, saved, score)
            checkpoint.prune(self.run.out, self.plan.keep)
        self.fabric.barrier()
        # On every device: each goes back there when numbers are not finite.
        self.last = checkpoint.folder_of(self.run.out, counters.samples_seen)

    def _start(self) -> Path:
        """Go on from the newest checkpoint, or write the first."""
        found = checkpoint.newest(self.run.out, self.say) if self.run.resume else None
        if found is None:
            try:
                self.run.out.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise WriteError(
                    f"the run's folder {self.run.out} cannot be made ({error.strerror})"
                ) from error
            if self.fixed:
                scores = validation.base_scores(self.fixed)
                self.say("base fill   " + "  ".join(f"{name} {value:.3f}" for name, value in scores.items()))
            self._save()
            return checkpoint.folder_of(self.run.out, 0)
        self._restore(found)
        self.counters.position = int(found.state["position"])
        self.say(f"going on from {found.path} at {self.counters.samples_seen:,} samples")
        if found.state["recipe_sha256"] != digest(self.recipe):
            self.say("note: the recipe differs from the checkpoint's; this one counts from here on")
        return found.path

    def _restore(self, found: checkpoint.Checkpoint) -> None:
        """Put weights, averages, optimiser, random state and counters back, but not the position."""
        try:
            self.net.load_state_dict(found.tensors["weights"])
            self.ema.net.load_state_dict(found.tensors["ema"])
            checkpoint.restore_optimizer(self.net, self.optimizer, found.tensors["optimizer"])
        except (RuntimeError, KeyError) as error:
            raise ModelError(
                f"the checkpoint {found.path} is of another net or width than the recipe asks for "
                f"({str(error).splitlines()[0]}): give another --out"
            ) from error
        torch.set_rng_state(found.tensors["rng"]["torch"])
        state, counters = found.state, self.counters
        counters.samples_seen = int(state["samples_seen"])
        counters.best = float("-inf") if state["best"] is None else float(state["best"])
        counters.scores = dict(state["scores"])

    def _roll_back(self, batch: Batch, times: int) -> None:
        """Back to the last checkpoint after a batch that was not finite; the data goes on past it."""
        if times > _ROLLBACKS:
            raise DivergedError(
                f"losses are not finite, {times} times since the last checkpoint: "
                f"{self.last} is the last good state; lower train.lr or look at the data"
            )
        self.say(f"losses are not finite at sample {batch.first:,}: back to {self.last.name}, past it")
        self._restore(checkpoint.read(self.last))

    def _batches(self) -> Any:
        data = self.recipe.data
        sampler = Sampler(self.pictures, data, self.plan.seed, MaskBank(self.plan.seed))
        return batches(
            sampler,
            start=self.counters.position,
            size=self.plan.batch,
            threads=self.plan.loaders,
            rank=self.fabric.global_rank,
            world=self.fabric.world_size,
        )


def fast_dev(recipe: Recipe) -> Recipe:
    """The same recipe cut down to four steps, a validation and a checkpoint: does everything run?"""
    batch = recipe.train.batch
    short = replace(
        recipe.train, samples=4 * batch, validate_every=2 * batch, log_every=batch, warmup=batch, loaders=1
    )
    return replace(recipe, train=short, data=replace(recipe.data, validation=min(6, recipe.data.validation)))


def _about(pictures: Pictures, seen: Pictures, aside: Pictures) -> str:
    groups = ", ".join(f"{name} {count:,}" for name, count in pictures.groups.items())
    text = f"{len(pictures):,} pictures ({groups}), {pictures.nbytes / 2**30:.2f} GiB in memory: "
    text += f"{len(seen):,} to learn from, {len(aside):,} set aside"
    return text + (
        f"; {len(pictures.skipped)} skipped, first {pictures.skipped[0]}" if pictures.skipped else ""
    )


def _silent(_: str) -> None:
    """The other processes' voice."""
