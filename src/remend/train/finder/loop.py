"""The finder's training loop, from top to bottom: draw, step, look for hard negatives, validate, save."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.errors import DivergedError
from remend.nets.finder import Finder
from remend.nets.weights.portable import load_portable, save_portable
from remend.train.data.pictures import read_pictures
from remend.train.finder.maps import Outlines
from remend.train.finder.recipe import FinderRecipe, Stage
from remend.train.finder.sampler import Sample, Sampler, draw_bank
from remend.train.finder.step import Step
from remend.train.finder.validation import judged_crops, validate, worst_of
from remend.train.optim.ema import Ema
from remend.train.optim.kept import take_back, tensors_of
from remend.train.optim.muon import Muon, with_kernels_apart

__all__ = ["fonts_in", "pictures_of", "train_finder"]


VALIDATION = 192  # crops
WARM_UP = 3_000  # samples
HARD_MOST = 1_000
LOG_EVERY = 3_200
_CLEAN = 1 << 40  # numbers of clean crops begin here: those of damaged ones never get so far
_MINED = 32


def train_finder(
    recipe: FinderRecipe,
    sources: list[Path],
    out: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = print,
) -> Path:
    """Train, and return the file of the averaged weights.

    Args:
        recipe: how.
        sources: pictures, as ``remend.train.data.pictures.read_pictures`` takes them.
        out: folder of the run: log.csv, validation.csv, state.safetensors, best.safetensors.
        resume: go on from out/state.safetensors where there is one.
        workers: processes that draw, instead of the recipe's ``loaders``; 0 = this one.
        threads: of a step; None = as PyTorch takes them, by OMP_NUM_THREADS.
        device: ``cpu`` or ``cuda``.
        say: told what happens.

    Cost: 42 thousand multiplications a pixel, three times, a sample: 25 crops of 256² a second on two cores.
    """
    begun = time.monotonic()
    if threads is not None:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)  # before any process forks: a child of a parent with OpenCV's threads hangs
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    learn, aside = pictures_of(recipe, sources, say)
    net = Finder().to(device, memory_format=torch.channels_last)
    groups = with_kernels_apart(_groups(net, recipe.weight_decay))
    optimizer = Muon(groups, lr=recipe.lr, betas=(0.9, 0.98))
    if recipe.weights:
        net.load_state_dict(load_portable(Path(recipe.weights))[0])
    run = _Run(recipe, out, net, Ema(net, recipe.ema_half_life), optimizer, device, say, begun)
    if resume and run.state.exists():
        run.restore()
        say(f"goes on at {run.seen:,} samples")
    say(f"{len(learn):,} pictures, {sum(p.numel() for p in net.parameters()):,} parameters")
    until = 0.0
    for number, stage in enumerate(recipe.stage):
        until += stage.samples / recipe.samples
        if run.progress() < until - 1e-9:
            run.stage(
                stage, number, until - 1e-9, learn, aside, recipe.loaders if workers is None else workers
            )
    return out / "best.safetensors"


@dataclass(eq=False)
class _Run:
    """What a run carries from step to step."""

    recipe: FinderRecipe
    out: Path
    net: Finder
    ema: Ema
    optimizer: torch.optim.Optimizer
    device: str
    say: Callable[[str], None]
    begun: float
    seen: int = 0
    hard: list[NDArray[np.uint8]] = field(default_factory=list)
    means: dict[str, Tensor] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """All that a run needs to go on."""
        return self.out / "state.safetensors"

    def stage(
        self,
        stage: Stage,
        number: int,
        until: float,
        learn: list[NDArray[np.uint8]],
        aside: list[NDArray[np.uint8]],
        workers: int,
    ) -> None:
        """Train until this share of the run is done."""
        recipe, net = self.recipe, self.net
        size, seed = stage.crop_px, recipe.seed + number
        outlines = Outlines(Path(recipe.shapes)) if recipe.shapes else None
        fonts = fonts_in(recipe.fonts)
        bank = draw_bank(
            recipe.maps, size, seed=seed, outlines=outlines, fonts=fonts, workers=workers, say=self.say
        )
        aside_maps = min(VALIDATION, recipe.maps // 4)
        common: dict[str, Any] = {"size": size, "mix": recipe.mix, "ageing": recipe.ageing, "fonts": fonts}
        sampler = Sampler(learn, bank[aside_maps:], seed=seed, **common)
        judged = judged_crops(Sampler(aside, bank[:aside_maps], seed=10_007, **common), VALIDATION)
        self.hard = [crop for crop in self.hard if crop.shape[0] == size]
        rng = np.random.default_rng([seed, self.seen])
        drawn = sampler.batches(self.seen, stage.batch, workers=workers)
        clean = sampler.batches(_CLEAN + self.seen, _MINED, workers=min(workers, 2), clean=True)
        step = Step(net, evenness=stage.evenness, device=self.device)
        if not self.hard:
            self._mine(clean)
        begun, first = time.perf_counter(), self.seen
        ends = False
        while not ends:
            crops, labels = _with_hard(*next(drawn), self.hard, recipe.hard_share, rng)
            rate = _rate(recipe, self.seen, self.progress())
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            parts = step(crops, labels)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            self.optimizer.step()
            before, self.seen = self.seen, self.seen + stage.batch
            self.ema.update(net, batch=stage.batch, samples_seen=self.seen)
            self._follow(parts)
            ends = self.progress() >= until
            if _passed(before, self.seen, recipe.hard_every):
                self._mine(clean)
            if _passed(before, self.seen, LOG_EVERY) or ends:
                self._log(rate, (self.seen - first) / (time.perf_counter() - begun))
            if _passed(before, self.seen, recipe.save_every) or ends:
                self.save()
            if _passed(before, self.seen, recipe.validate_every) or ends:
                self._validate(judged)
        drawn.close()
        clean.close()

    def progress(self) -> float:
        """The share of the run that is done, by samples, or by the clock where the recipe gives minutes."""
        if self.recipe.minutes:
            return (time.monotonic() - self.begun) / (60 * self.recipe.minutes)
        return self.seen / self.recipe.samples

    def _follow(self, parts: dict[str, Tensor]) -> None:
        """Keep running means of the losses, on their device: reading them would wait for it."""
        for name, value in parts.items():
            self.means[name] = (
                torch.lerp(self.means[name], value, 0.02) if name in self.means else value.clone()
            )

    def _mine(self, clean: Iterator[Sample]) -> None:
        """Keep the clean crops that mislead the net."""
        tried = [next(clean)[0].copy() for _ in range(max(1, self.recipe.hard_tried // _MINED))]
        self.hard.extend(worst_of(self.ema.net, np.concatenate(tried), self.recipe.hard_kept))
        del self.hard[:-HARD_MOST]

    def _log(self, rate: float, speed: float) -> None:
        means = {name: float(value) for name, value in self.means.items()}
        if not all(math.isfinite(value) for value in means.values()):
            raise DivergedError(f"the loss is {means['loss']} after {self.seen:,} samples: lower lr")
        row = {"samples": self.seen, "lr": rate, **means, "crops_per_s": speed}
        _append(self.out / "log.csv", row)
        self.say(" ".join(f"{name} {value:.4g}" for name, value in row.items()))

    def _validate(self, judged: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
        row = {"samples": self.seen, **validate(self.ema.net, judged)}
        _append(self.out / "validation.csv", row)
        self.say("validation " + " ".join(f"{name} {value:.4g}" for name, value in row.items()))
        about = {"net": "finder", "samples_seen": self.seen, "recipe": asdict(self.recipe)}
        save_portable(self.out / "best.safetensors", self.ema.net.state_dict(), about)

    def save(self) -> None:
        """Write all that the run needs to go on, whole or not at all."""
        tensors = tensors_of(self.net, self.ema, self.optimizer)
        if self.hard:
            tensors["hard"] = torch.from_numpy(np.stack(self.hard))
        save_portable(self.state, tensors, {"samples_seen": self.seen, "recipe": asdict(self.recipe)})

    def restore(self) -> None:
        """Go on from what ``save`` wrote."""
        tensors, state = load_portable(self.state)
        take_back(tensors, self.net, self.ema, self.optimizer)
        self.hard = list(tensors["hard"].numpy()) if "hard" in tensors else []
        self.seen = int(state["samples_seen"])


def _passed(before: int, now: int, every: int) -> bool:
    """Whether a multiple of ``every`` was passed."""
    return now // every > before // every


def fonts_in(folder: str) -> tuple[Path, ...]:
    """The TrueType fonts below a folder; none where none is named."""
    return tuple(sorted(Path(folder).rglob("*.ttf"))) if folder else ()


def pictures_of(
    recipe: FinderRecipe, sources: list[Path], say: Callable[[str], None]
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """Pictures to learn from, and those set aside."""
    both = read_pictures(sources, least_px=128, say=say).split(recipe.aside)
    learn, aside = (
        [part[k] for k in range(len(part)) if not any(word in part.names[k] for word in recipe.exclude)]
        for part in both
    )
    return learn, aside


def _groups(net: Finder, weight_decay: float) -> list[dict[str, Any]]:
    """Kernels decay, norms and biases do not."""
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _rate(recipe: FinderRecipe, seen: int, progress: float) -> float:
    """Warm up, hold, fall to nothing."""
    up = (seen + 1) / WARM_UP
    down = (1 - progress) / max(1e-9, recipe.decay)
    return recipe.lr * min(up, 1.0, max(down, 0.0))


def _with_hard(
    crops: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    hard: list[NDArray[np.uint8]],
    share: float,
    rng: np.random.Generator,
) -> Sample:
    """The batch, a share of it crops on which nothing is damaged though the net thought so."""
    for place in range(round(share * len(crops)) if hard else 0):
        crops[place], labels[place] = hard[int(rng.integers(len(hard)))], 0
    return crops, labels


def _append(path: Path, row: dict[str, float]) -> None:
    """A line of a table, with its head where the file is new."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(row)
        writer.writerow([f"{value:.6g}" for value in row.values()])
