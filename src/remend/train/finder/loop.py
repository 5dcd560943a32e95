"""The finder's training loop, from top to bottom: draw, step, look for hard negatives, validate, save."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.errors import DivergedError
from remend.nets.finder import DAMAGE, Finder
from remend.train.ema import Ema
from remend.train.finder.crops import IGNORED
from remend.train.finder.loss import loss_of
from remend.train.finder.maps import Outlines
from remend.train.finder.recipe import FinderRecipe, Stage
from remend.train.finder.sampler import Sampler, draw_bank
from remend.train.muon import Muon, with_kernels_apart
from remend.train.pictures import read_pictures
from remend.train.portable import load_portable, save_portable

__all__ = ["fonts_in", "pictures_of", "train_finder", "validate"]


VALIDATION = 192  # crops
WARM_UP = 3_000  # samples
HARD_MOST = 1_000
LOG_EVERY = 3_200


def train_finder(
    recipe: FinderRecipe,
    sources: list[Path],
    out: Path,
    *,
    resume: bool = False,
    workers: int = 2,
    threads: int = 2,
    device: str = "cpu",
    say: Callable[[str], None] = print,
) -> Path:
    """Train, and return the file of the averaged weights.

    Args:
        recipe: how.
        sources: pictures, as ``remend.train.pictures.read_pictures`` takes them.
        out: folder of the run: log.csv, validation.csv, state.safetensors, best.safetensors.
        resume: go on from out/state.safetensors where there is one.
        workers, threads: processes that draw, threads of a step.
        device: ``cpu`` or ``cuda``.
        say: told what happens.

    Cost: 42 thousand multiplications a pixel, three times, a sample: 25 crops of 256² a second on two cores.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)  # before any process forks: a child of a parent with OpenCV's threads hangs
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    learn, aside = pictures_of(recipe, sources, say)
    net = Finder().to(device, memory_format=torch.channels_last)
    groups = with_kernels_apart(_groups(net, recipe.weight_decay))
    optimizer = Muon(groups, lr=recipe.lr, betas=(0.9, 0.98))
    run = _Run(recipe, out, net, Ema(net, recipe.ema_half_life), optimizer, device, say)
    if resume and run.state.exists():
        run.restore()
        say(f"goes on at {run.seen:,} samples")
    say(f"{len(learn):,} pictures, {sum(p.numel() for p in net.parameters()):,} parameters")
    begin = 0
    for number, stage in enumerate(recipe.stage):
        if run.seen < begin + stage.samples:
            run.stage(stage, number, begin + stage.samples, learn, aside, workers)
        begin += stage.samples
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
    seen: int = 0
    hard: list[NDArray[np.uint8]] = field(default_factory=list)
    means: dict[str, float] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """All that a run needs to go on."""
        return self.out / "state.safetensors"

    def stage(
        self,
        stage: Stage,
        number: int,
        until: int,
        learn: list[NDArray[np.uint8]],
        aside: list[NDArray[np.uint8]],
        workers: int,
    ) -> None:
        """Train until so many samples were seen."""
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
        judged = _validation(Sampler(aside, bank[:aside_maps], seed=10_007, **common))
        self.hard = [crop for crop in self.hard if crop.shape[0] == size]
        rng = np.random.default_rng([seed, self.seen])
        from_hard = round(recipe.hard_share * stage.batch)
        drawn = sampler.batches(self.seen, stage.batch - from_hard, workers=workers)
        begun, first = time.perf_counter(), self.seen
        while self.seen < until:
            crops, labels = _with_hard(*next(drawn), self.hard, from_hard, rng)
            rate = _rate(recipe, self.seen)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            net.train()
            with torch.autocast(self.device, torch.bfloat16):
                logits = net(_tensor(crops).to(self.device))
            truth = torch.from_numpy(labels).long().to(self.device)
            loss, parts = loss_of(logits, truth, evenness=stage.evenness)
            if not math.isfinite(parts["loss"]):
                raise DivergedError(f"the loss is {parts['loss']} after {self.seen:,} samples: lower lr")
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            self.optimizer.step()
            before, self.seen = self.seen, self.seen + stage.batch
            self.ema.update(net, batch=stage.batch, samples_seen=self.seen)
            self.means = {k: 0.98 * self.means.get(k, v) + 0.02 * v for k, v in parts.items()}
            if _passed(before, self.seen, recipe.hard_every):
                self.hard.extend(_worst(self.ema.net, sampler, self.seen, recipe))
                del self.hard[:-HARD_MOST]
            if _passed(before, self.seen, LOG_EVERY):
                speed = (self.seen - first) / (time.perf_counter() - begun)
                row = {"samples": self.seen, "lr": rate, **self.means, "crops_per_s": speed}
                _append(self.out / "log.csv", row)
                self.say(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
            if _passed(before, self.seen, recipe.save_every) or self.seen >= until:
                self.save()
            if _passed(before, self.seen, recipe.validate_every) or self.seen >= until:
                row = {"samples": self.seen, **validate(self.ema.net, judged)}
                _append(self.out / "validation.csv", row)
                self.say("validation " + " ".join(f"{name} {value:.4g}" for name, value in row.items()))
                told = {"net": "finder", "samples_seen": self.seen, "recipe": asdict(recipe)}
                save_portable(self.out / "best.safetensors", self.ema.net.state_dict(), told)

    def save(self) -> None:
        """Write all that the run needs to go on, whole or not at all."""
        tensors = {f"net/{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"ema/{name}": value for name, value in self.ema.net.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{name}": value for name, value in state.items()}
        if self.hard:
            tensors["hard"] = torch.from_numpy(np.stack(self.hard))
        save_portable(self.state, tensors, {"samples_seen": self.seen, "recipe": asdict(self.recipe)})

    def restore(self) -> None:
        """Go on from what ``save`` wrote."""
        tensors, state = load_portable(self.state)

        def under(head: str) -> dict[str, Tensor]:
            return {name[len(head) :]: value for name, value in tensors.items() if name.startswith(head)}

        self.net.load_state_dict(under("net/"))
        self.ema.net.load_state_dict(under("ema/"))
        whole = self.optimizer.state_dict()
        whole["state"] = {}
        for name, value in under("optimizer/").items():
            number, key = name.split("/")
            whole["state"].setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict(whole)
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


def _rate(recipe: FinderRecipe, seen: int) -> float:
    """Warm up, hold, fall to nothing."""
    up = (seen + 1) / WARM_UP
    down = (recipe.samples - seen) / max(1.0, recipe.decay * recipe.samples)
    return recipe.lr * min(up, 1.0, max(down, 0.0))


def _tensor(crops: NDArray[np.uint8]) -> Tensor:
    """(N, S, S, 3) bytes as (N, 3, S, S) in [0, 1], channels last."""
    return (torch.from_numpy(crops).float() / 255).permute(0, 3, 1, 2)


def _with_hard(
    crops: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    hard: list[NDArray[np.uint8]],
    count: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The batch with ``count`` crops more, on which nothing is damaged though the net thought so."""
    if not count or not hard:
        return crops, labels
    chosen = np.stack([hard[int(k)] for k in rng.integers(len(hard), size=count)])
    return np.concatenate([crops, chosen]), np.concatenate(
        [labels, np.zeros((count, *labels.shape[1:]), np.uint8)]
    )


@torch.no_grad()
def _worst(net: Finder, sampler: Sampler, seen: int, recipe: FinderRecipe) -> list[NDArray[np.uint8]]:
    """Clean crops in which the most is taken for damage."""
    crops = [sampler.sample(-1 & 0x7FFFFFFF ^ (seen + k), clean=True)[0] for k in range(recipe.hard_tried)]
    blame = []
    for k in range(0, len(crops), 16):
        chance = _chances(net, np.stack(crops[k : k + 16]))[:, DAMAGE].sum(dim=1)
        blame += (chance.clamp(min=0.1) - 0.1).flatten(1).sum(dim=1).tolist()
    order = np.argsort(blame)[::-1][: recipe.hard_kept]
    return [crops[k] for k in order if blame[k] > 1.0]


@torch.no_grad()
def _chances(net: Finder, crops: NDArray[np.uint8]) -> Tensor:
    device = next(net.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        logits = net(_tensor(crops).to(device, memory_format=torch.channels_last))
    return logits.float().softmax(dim=1).cpu()


def _validation(sampler: Sampler) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    pairs = [sampler.sample(k) for k in range(VALIDATION)]
    return np.stack([crop for crop, _ in pairs]), np.stack([label for _, label in pairs])


def validate(net: Finder, judged: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> dict[str, float]:
    """F1 within 2 px at chances of .3, .5 and .9, recall of each class, share of sound pixels flagged."""
    crops, labels = judged
    net.eval()
    chances = torch.cat([_chances(net, crops[k : k + 16]) for k in range(0, len(crops), 16)]).numpy()
    damaged = chances[:, DAMAGE].sum(axis=1)
    truth = (labels >= DAMAGE.start) & (labels < DAMAGE.stop)
    ignored = labels == IGNORED
    disc = np.ones((5, 5), np.uint8)
    near_truth = np.stack([cv2.dilate(t.astype(np.uint8), disc) for t in truth]) > 0
    row: dict[str, float] = {}
    for least in (0.3, 0.5, 0.9):
        found = (damaged >= least) & ~ignored
        near_found = np.stack([cv2.dilate(f.astype(np.uint8), disc) for f in found]) > 0
        precision = (found & near_truth).sum() / max(1, found.sum())
        recall = (truth & near_found).sum() / max(1, truth.sum())
        row[f"f1_{least}"] = float(2 * precision * recall / max(1e-9, precision + recall))
        row[f"precision_{least}"], row[f"recall_{least}"] = float(precision), float(recall)
        clean = ~truth.any(axis=(1, 2)) & ~ignored.any(axis=(1, 2))
        row[f"clean_{least}"] = float(found[clean].mean())
        if least == 0.5:
            for k, name in enumerate(("scratch", "dust", "stain", "hole"), 1):
                of_class = labels == k
                row[f"recall_{name}"] = float((near_found & of_class).sum() / max(1, of_class.sum()))
    text = labels >= DAMAGE.stop
    read = chances[:, DAMAGE.stop :].sum(axis=1) >= 0.5
    row["text_recall"] = float((read & text).sum() / max(1, text.sum()))
    row["text_false"] = float((read & ~text).mean())
    return row


def _append(path: Path, row: dict[str, float]) -> None:
    """A line of a table, with its head where the file is new."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(row)
        writer.writerow([f"{value:.6g}" for value in row.values()])
