"""The training loop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from remend.errors import ResourceError, UsageError
from remend.nets.weights import checkpoint
from remend.train.config import Train, as_dict
from remend.train.data.labels import read_labels
from remend.train.data.loader import Batch, batches
from remend.train.data.pictures import read_pictures
from remend.train.data.process_loader import drawn_by_processes, suits
from remend.train.data.samples import Sampler, validation_kinds, validation_samples, validation_side
from remend.train.machine.devices import mean_over_devices, peak_memory_gib, start
from remend.train.machine.profile import Profile, span
from remend.train.machine.signals import Stop, stop_on_signal
from remend.train.request import Outcome, Run
from remend.train.run import validation
from remend.train.run.announce import cost_line, labels_line, pictures_line, plan_line, rehearse
from remend.train.run.best import stands_still
from remend.train.run.board import Board
from remend.train.run.fallbacks import without_files
from remend.train.run.journal import Journal, Meter
from remend.train.run.preflight import preflight
from remend.train.run.state import Store
from remend.train.run.step import Learner
from remend.train.tasks.scores import task_scores
from remend.train.wear.spec import WornAs

if TYPE_CHECKING:
    from lightning.fabric import Fabric

__all__ = ["train"]

_MUCH = 0.1  # share of the time that validation may take without a word
_EVERY_ON = {"cuda": 10}  # steps between two looks at the numbers of a kind of device; 1 on others


def train(run: Run) -> Outcome:
    """Train a net until the recipe's samples are seen or a signal comes; always leaves a checkpoint.

    Raises:
        UsageError: pictures, recipe, devices and checkpoint do not go together.
        ModelError: no checkpoint of the run is whole, or the backbone's weights are not.
        WriteError: a checkpoint cannot be written.
        DivergedError: losses are not finite, four times between two checkpoints.
        ResourceError: the process of another device has ended.
    """
    if run.resume is False and checkpoint.listing(run.out):
        raise UsageError(f"{run.out} holds a run already: add --resume auto, or give another --out")
    if isinstance(run.resume, Path) and not run.resume.is_dir():
        raise UsageError(
            f"--resume {run.resume} is no folder: give auto, never, or the folder of a run or a checkpoint"
        )
    recipe, notes = without_files(run.recipe)
    run = replace(run, recipe=recipe)
    preflight(run)
    fabric = start(run)
    for note in notes if fabric.is_global_zero else ():
        run.say(note)
    try:
        with stop_on_signal() as stop:
            return _Trainer(run, fabric).run_until(stop)
    except Exception as error:
        if fabric.is_global_zero:
            if fabric.world_size > 1 and "peer" in str(error):  # gloo's and NCCL's word for it
                raise ResourceError(
                    "the process of another device has ended, its line says why: go on with --resume auto"
                ) from error
            raise
        # The first process met the same and says so in full, or its end is what this one met.
        sys.stderr.write(f"device {fabric.global_rank} ends: {str(error).splitlines()[0]}\n")
        raise SystemExit(1) from None


@dataclass(frozen=True)
class _Unread:
    """A step whose numbers may still lie on the device.

    Attributes:
        first: its first sample.
        samples_seen: after it.
        values: what it logs.
        waited: seconds until its batch was there.
    """

    first: int
    samples_seen: int
    values: dict[str, Tensor]
    waited: float


class _Trainer:
    """The parts of a run, and what happens between the steps."""

    def __init__(self, run: Run, fabric: Fabric) -> None:
        self.run, self.fabric, self.recipe, self.plan = run, fabric, run.recipe, run.recipe.train
        self.begun = time.monotonic()
        if self.plan.minutes and fabric.world_size > 1:
            raise UsageError("train.minutes is for one device: say train.samples, or leave out --devices")
        self.first = fabric.is_global_zero
        self.say: Callable[[str], None] = run.say if self.first else _silent
        torch.manual_seed(self.plan.seed)
        # Before pictures are read: a backbone that is none, an encoder that the net does not have.
        labels = read_labels(run.sources, self.recipe.tasks)
        self.learner = Learner(self.recipe, fabric, labels)
        data = self.recipe.data
        pictures = read_pictures(
            run.sources,
            least_px=data.crop_px,
            enlarge=data.enlarge,
            memory_gib=data.memory_gib,
            deduplicate=data.deduplicate,
            exclude=Path(data.exclude) if data.exclude else None,
            say=self.say,
        )
        for note in pictures.notes:
            self.say(f"note: {note}")
        self.pictures, aside = pictures.split(data.validation)
        if data.few:
            self.pictures = self.pictures.few(data.few)
        labels = labels.few(self.pictures.names) if labels is not None else None
        self.sampler = Sampler.of(self.pictures, data, self.plan.seed, labels)
        self.say(pictures_line(pictures, self.pictures, aside))
        if labels is not None:
            if not self.sampler.labelled:
                raise UsageError(
                    "no picture to learn from has a label, those that have one are too small or set aside: "
                    "lower data.crop_px, or give more of them"
                )
            self.say(labels_line(labels, len(self.sampler.labelled)))
        self.say(plan_line(self.recipe, run.out))
        multiple = self.learner.net.size_multiple
        side = validation_side(aside, data.validation_px, data.crop_px, multiple) if self.first else 0
        if self.first and side != data.validation_px:
            self.say(f"note: validation is on crops of {side}², since most pictures are no larger")
        self.fixed = (
            validation_samples(
                aside,
                side,
                kinds=validation_kinds(data),
                every_kind=True,
                mask_files=self.sampler.mask_files,
                damage=self.sampler.damage,
                labels=labels,
                worn=WornAs.of(data.damage),
            )
            if self.first
            else []
        )
        # Before anything is written: what cannot be computed is found here.
        estimate = rehearse(self.learner)
        self.store = Store(run, self.learner, self.pictures.groups, self.say)
        self.counters = self.store.counters
        self.store.start()
        if self.fixed and not self.counters.samples_seen:
            self.say(
                ("base fill   " if self.learner.worn is None else "as shown    ")
                + _listed(validation.base_scores(self.fixed))
            )
        self.say(cost_line(self.learner, estimate, self.counters.samples_seen))

    def run_until(self, stop: Stop) -> Outcome:
        """The loop itself."""
        plan, counters, learner = self.plan, self.counters, self.learner
        self._open_logs()
        source = self._batches()
        profile = Profile(self.run.out / "trace.json" if self.run.profile and self.first else None, self.say)
        saved_at, stopped, alone = time.monotonic(), False, self.fabric.world_size == 1
        unread: list[_Unread] = []
        every = _EVERY_ON.get(self.fabric.device.type, 1) if alone else 1
        while counters.samples_seen < plan.samples and not (stop if alone else stopped):
            since = time.perf_counter()
            with span("data"):
                batch = next(source)
            waited = time.perf_counter() - since
            values = learner.step(batch.to(self.fabric.device), counters.samples_seen)
            timed = time.monotonic() - saved_at >= 60 * plan.save_minutes
            counters.position = batch.end
            counters.samples_seen += plan.batch
            learner.average(counters.samples_seen)
            plan = self._by_the_clock()
            unread.append(_Unread(batch.first, counters.samples_seen, values, waited))
            measure, log = self._due(plan.validate_every), self._due(plan.log_every)
            last = bool(stop) or counters.samples_seen >= plan.samples
            if len(unread) < every and not (measure or log or timed or last):
                profile.step()
                continue
            if not alone:
                stopped, timed = self._agree(stopped=bool(stop), timed=timed)
            bad = self._read(unread)
            unread.clear()
            if bad is not None:
                self.store.roll_back(bad)
                self.board.close()
                self._open_logs()
                continue
            if log:
                self._log()
            if measure or timed:
                pause = time.monotonic()
                if measure:
                    self._validate()
                    self._plateau()
                self.store.save()
                saved_at = time.monotonic()
                self.meter.leave_out(saved_at - pause)
            profile.step()
        if unread and (bad := self._read(unread)) is not None:  # a signal came between two looks
            self.store.roll_back(bad)
        source.close()
        profile.close()
        if counters.samples_seen >= plan.samples and self.meter.pending:
            self._log()  # a run's last steps, or all of a short one's
        if counters.samples_seen >= plan.samples and counters.measured != counters.samples_seen:
            self._validate()
            self.store.save()
        self.store.finish()
        self.board.close()
        self.fabric.barrier()
        return Outcome(counters.samples_seen, self.store.last, counters.scores, stop.signal, self.first)

    def _by_the_clock(self) -> Train:
        """The plan; with ``minutes`` so many samples in all as would fit at the speed so far."""
        if self.recipe.train.minutes:
            share = (time.monotonic() - self.begun) / (60 * self.recipe.train.minutes)
            seen = self.counters.samples_seen
            fit = seen if share >= 1 else max(seen + self.plan.batch, round(seen / share))
            self.plan = self.learner.follow(replace(self.plan, samples=fit))
        return self.plan

    def _due(self, every: int) -> bool:
        """Whether the last step reached a multiple of ``every`` samples: the same ones after a resume."""
        seen = self.counters.samples_seen
        return seen // every > (seen - self.plan.batch) // every

    def _read(self, unread: list[_Unread]) -> int | None:
        """Take in the numbers of these steps, averaged over devices; the first sample of one that went wrong.

        The one place where the loop waits for the device: everything is read at once. A CUDA device is so
        given its next steps while it still computes; what is not finite is noticed that much later, but
        before anything is written.
        """
        device = self.fabric.device
        flat = [value.to(device, non_blocking=True) for step in unread for value in step.values.values()]
        numbers = iter(mean_over_devices(self.fabric, torch.stack(flat).double()).tolist())
        for step in unread:
            values = {name: next(numbers) for name in step.values}
            if not np.isfinite(list(values.values())).all():
                return step.first
            self.meter.add(self.plan.batch, values, step.waited)
            self._watch(values, step.samples_seen)
        return None

    def _agree(self, *, stopped: bool, timed: bool) -> tuple[bool, bool]:
        """Whether any of the devices wants to stop or to save."""
        requests = torch.tensor([stopped, timed], dtype=torch.float64, device=self.fabric.device)
        stopping, saving = mean_over_devices(self.fabric, requests).tolist()
        return stopping > 0, saving > 0

    def _open_logs(self) -> None:
        """Go on in the logs where the counters stand."""
        out, seen = self.run.out, self.counters.samples_seen
        self.meter = Meter(
            self.plan.samples,
            self.say,
            live=self.run.live and self.first,
            memory=lambda: peak_memory_gib(self.fabric.device),
        )
        if self.first:
            self.journal, self.scores = Journal(out / "log.csv", seen), Journal(out / "validation.csv", seen)
        self.board = Board(out / "tensorboard" if self.first else None, seen, self.say)
        self.board.settings(as_dict(self.recipe), [*self.counters.scores] or ["psnr"])
        self.measured_at = time.monotonic()

    def _log(self) -> None:
        row = self.meter.take(self.counters.samples_seen)
        if self.first:
            self.journal.write(self.counters.samples_seen, row)
            self.board.scalars(self.counters.samples_seen, row, "train")

    def _watch(self, numbers: dict[str, float], samples_seen: int) -> None:
        """Sound the alarm when adversarial training collapses."""
        adversary = self.learner.adversary
        if adversary is not None and "critic_right" in numbers:
            line = adversary.alarm.update(right=numbers["critic_right"], contrast=numbers["contrast"])
            if line is not None:
                self.say(f"alarm at {samples_seen:,}: {line}")

    def _validate(self) -> None:
        """Measure the averaged weights on the fixed samples."""
        counters, learner, since = self.counters, self.learner, time.monotonic()
        counters.measured = counters.samples_seen
        if not self.fixed or not self.first:
            return
        outputs = validation.fill_samples(learner.ema.net, self.fixed, self.fabric.device)
        wanted = validation.as_wanted(learner.net, self.fixed)
        counters.scores = validation.scores(wanted, outputs)
        if (backbone := learner.criterion.backbone) is not None:
            with torch.inference_mode():
                counters.scores |= validation.distances(backbone, wanted, outputs, self.fabric.device)
        if learner.heads_ema is not None:
            average = learner.ema.net, learner.heads_ema.net
            counters.scores |= task_scores(*average, self.fixed, self.fabric.device)
        sheet = validation.grid(wanted, outputs)
        self.scores.write(counters.samples_seen, counters.scores)
        validation.write_grid(self.run.out / "grids" / f"{counters.samples_seen:09d}.png", sheet)
        self.board.scalars(counters.samples_seen, counters.scores, "validation")
        self.board.grid(counters.samples_seen, sheet)
        self.say("validation  " + _listed(counters.scores))
        now = time.monotonic()
        share = (now - since) / (now - self.measured_at)
        if share > _MUCH and now - since > 1:
            self.say(f"note: validation takes {100 * share:.0f} % of the time: raise train.validate_every")
        self.measured_at = now

    def _plateau(self) -> None:
        """With ``train.schedule=plateau``: let the rate fall on all devices where validation stands still."""
        if self.plan.schedule != "plateau":
            return
        if self.fixed and self.first and stands_still(self.recipe, self.counters):
            self.say(f"validation stands still: the rate falls to {self.plan.lr_factor:g} of what it was")
        # The first process alone measures: the mean of its count and zeros tells the others.
        own = self.counters.drops if self.first else 0
        drops = torch.tensor([float(own)], device=self.fabric.device)
        self.counters.drops = round(float(mean_over_devices(self.fabric, drops)) * self.fabric.world_size)
        self.learner.lower(self.counters.drops)

    def _batches(self) -> Generator[Batch, None, None]:
        rank, world, device = self.fabric.global_rank, self.fabric.world_size, self.fabric.device
        start, size, number = self.counters.position, self.plan.batch, self.plan.loaders
        wanted = self.plan.drawn_by == "processes" or (self.plan.drawn_by == "auto" and device.type == "cuda")
        if wanted and suits(self.sampler):
            share = {"rank": rank, "world": world}
            return drawn_by_processes(
                self.sampler, start=start, size=size, workers=number, device=device, **share
            )
        if wanted:
            self.say("note: samples are drawn by threads: damage, labels or pictures beyond data.memory_gib")
        return batches(self.sampler, start=start, size=size, threads=number, rank=rank, world=world)


def _listed(scores: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in scores.items())


def _silent(_: str) -> None:
    """The other processes' voice."""
