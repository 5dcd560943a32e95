"""The restorer's training loop, from top to bottom: draw, step, validate, save."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn

from remend.errors import DivergedError
from remend.nets.enlarger import Enlarger
from remend.nets.restorer import Restorer
from remend.nets.weights.portable import load_portable, save_portable
from remend.train.data.pictures import read_pictures
from remend.train.machine.recording import Recorded
from remend.train.machine.signals import Stop, stop_on_signal
from remend.train.optim.ema import Ema
from remend.train.optim.kept import take_back, tensors_of
from remend.train.optim.muon import Muon, with_kernels_apart
from remend.train.restorer.recipe import RestorerRecipe, Stage
from remend.train.restorer.sampler import Sampler
from remend.train.restorer.validation import Pairs, as_input, fixed_pairs, halved_pairs, restored_by, validate

__all__ = ["train_restorer"]

LOG_EVERY_S = 60.0
SOFTNESS = 1e-3  # of Charbonnier's loss: a quarter of a level
LEAST_ERROR = (1 / 255) ** 2  # a level, root mean square: what is nearly clean does not count for ever more
LOOK_EVERY = 20  # steps between two looks at the clock that wait for a GPU


def train_restorer(
    recipe: RestorerRecipe,
    sources: list[Path],
    out: Path,
    *,
    resume: bool = False,
    threads: int | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = print,
) -> Path:
    """Train, and return the file of the averaged weights.

    Args:
        recipe: how.
        sources: pictures, as ``remend.train.pictures.read_pictures`` takes them.
        out: folder of the run: log.csv, validation.csv, state.safetensors, best.safetensors.
        resume: go on from out/state.safetensors where there is one.
        threads: of a step; None = as PyTorch takes them, by OMP_NUM_THREADS.
        device: ``cpu`` or ``cuda``; pictures lie there, decoded, and pairs are made there.
        say: told what happens.

    Cost: what the net costs, three times, and 2 thousand multiplications a pixel for the pairs.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)  # before any process forks: a child of a parent with OpenCV's threads hangs
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    both = read_pictures(sources, least_px=96, say=say).split(recipe.aside)
    learn, aside = (
        [part[k] for k in range(len(part)) if not any(word in part.names[k] for word in recipe.exclude)]
        for part in both
    )
    net: nn.Module = {"restorer": Restorer, "enlarger": Enlarger}[recipe.net]()
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    kernels = {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": recipe.weight_decay}
    others = {"params": [p for p in net.parameters() if p.ndim <= 1]}
    optimizer = Muon(with_kernels_apart([kernels, others]), lr=recipe.lr)
    if recipe.weights:
        net.load_state_dict(load_portable(Path(recipe.weights))[0])
    run = _Run(recipe, out, net, Ema(net, recipe.ema_half_life), optimizer, say)
    if resume and run.state.exists():
        run.restore()
        say(f"goes on at {run.seen:,} samples")
    run.resumed_s, run.begun = run.spent_s, time.monotonic()
    say(f"{len(learn):,} pictures, {sum(p.numel() for p in net.parameters()):,} parameters")
    pairs = halved_pairs(aside) if recipe.net == "enlarger" else fixed_pairs(aside)
    sampler = Sampler(learn, recipe.seed, recipe.wear, halved=recipe.net == "enlarger", device=device)
    del both, learn, aside  # the sampler has a copy
    whole, until = sum(stage.share for stage in recipe.stage), 0.0
    with stop_on_signal() as stop:
        for stage in recipe.stage:
            until += stage.share / whole
            if run.progress() < until - 1e-9 and not stop:
                run.stage(stage, until - 1e-9, sampler, pairs, stop)
    return out / "best.safetensors"


@dataclass(eq=False)
class _Run:
    """What a run carries from step to step."""

    recipe: RestorerRecipe
    out: Path
    net: nn.Module
    ema: Ema
    optimizer: torch.optim.Optimizer
    say: Callable[[str], None]
    seen: int = 0
    spent_s: float = 0.0
    resumed_s: float = 0.0
    begun: float = 0.0

    @property
    def state(self) -> Path:
        """All that a run needs to go on."""
        return self.out / "state.safetensors"

    def stage(self, stage: Stage, until: float, sampler: Sampler, pairs: Pairs, stop: Stop) -> None:
        """Train until this share of the run is done."""
        step = Recorded(self._gradients, before=lambda: self.net.zero_grad(set_to_none=True))
        mean, logged, saved, validated = torch.zeros((), device=sampler.device), *3 * [self.spent_s]
        begun, first, steps, ends = self.spent_s, self.seen, 0, False
        while not ends:
            rate = _rate(self.recipe, self.seen, self.progress())
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            # Batches are numbered by what was seen, so that a run goes on as it would have.
            loss = step(*sampler.batch(self.seen, stage.batch, stage.crop_px))
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self.optimizer.step()
            steps += 1
            mean.lerp_(loss, max(0.01, 1 / steps))
            self.seen += stage.batch
            self.ema.update(self.net, batch=stage.batch, samples_seen=self.seen)
            if steps % LOOK_EVERY == 0 and sampler.device.type == "cuda":
                torch.cuda.synchronize()  # or the clock would run ahead of what is computed
            now = self.spent_s = self.resumed_s + time.monotonic() - self.begun
            ends = self.progress() >= until or bool(stop)
            if ends or now - logged >= LOG_EVERY_S:
                logged = now
                self._log(rate, float(mean), (self.seen - first) / max(1e-9, now - begun))
            if ends or now - saved >= self.recipe.save_every_s:
                saved = now
                self.save()
            if ends or now - validated >= self.recipe.validate_every_s:
                validated = now
                self._validate(pairs)

    def progress(self) -> float:
        """The share of the run that is done, by samples, or by the clock where the recipe gives minutes."""
        if self.recipe.minutes:
            return self.spent_s / (60 * self.recipe.minutes)
        return self.seen / self.recipe.samples

    def _gradients(self, clean: Tensor, shown: Tensor) -> Tensor:
        """Leave the gradients of a batch in the net; return the loss."""
        self.net.train()
        self.net.zero_grad(set_to_none=True)
        # Weights that are cast once and kept would be those of a recording for ever.
        on_gpu = clean.device.type == "cuda"
        with torch.autocast(clean.device.type, torch.bfloat16, cache_enabled=not on_gpu):
            answer = restored_by(self.net, as_input(shown))
        squares = (answer - as_input(clean)).square()
        if self.recipe.loss == "decibels":
            loss = 10 * torch.log10(squares.mean(dim=(1, 2, 3)) + LEAST_ERROR).mean()
        else:
            loss = (squares + SOFTNESS**2).sqrt().mean()
        loss.backward()
        return loss.detach()

    def _log(self, rate: float, loss: float, speed: float) -> None:
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} after {self.seen:,} samples: lower lr")
        row = {
            "samples": self.seen,
            "minutes": self.spent_s / 60,
            "lr": rate,
            **({"loss_db": loss} if self.recipe.loss == "decibels" else {"loss_levels": 255 * loss}),
            "crops_per_s": speed,
        }
        _append(self.out / "log.csv", row)
        self.say(" ".join(f"{name} {value:.4g}" for name, value in row.items()))

    def _validate(self, pairs: Pairs) -> None:
        row = {"samples": self.seen, "minutes": self.spent_s / 60, **validate(self.ema.net, pairs)}
        _append(self.out / "validation.csv", row)
        self.say("validation " + " ".join(f"{name} {value:.4g}" for name, value in row.items()))
        told = {"net": self.recipe.net, "samples_seen": self.seen, "recipe": asdict(self.recipe)}
        told["scores"] = row
        save_portable(self.out / "best.safetensors", self.ema.net.state_dict(), told)

    def save(self) -> None:
        """Write all that the run needs to go on, whole or not at all."""
        tensors = tensors_of(self.net, self.ema, self.optimizer)
        told = {"samples_seen": self.seen, "spent_s": self.spent_s, "recipe": asdict(self.recipe)}
        save_portable(self.state, tensors, told)

    def restore(self) -> None:
        """Go on from what ``save`` wrote."""
        tensors, state = load_portable(self.state)
        take_back(tensors, self.net, self.ema, self.optimizer)
        self.seen, self.spent_s = int(state["samples_seen"]), float(state["spent_s"])


def _rate(recipe: RestorerRecipe, seen: int, progress: float) -> float:
    """Up, then along a cosine to nothing."""
    up = min(1.0, (seen + 1) / max(1, recipe.warm_up))
    return recipe.lr * up * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _append(path: Path, row: dict[str, float]) -> None:
    """A line of a table, with its head where the file is new."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(row)
        writer.writerow([f"{value:.6g}" for value in row.values()])
