"""The net for thin damage, tuned to an album; and how well a file fills what was set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.metrics import psnr, sharp
from remend.runtime import open_plain_session
from remend.train.config import Recipe, as_dict, digest, load, override
from remend.train.data.loader import collate
from remend.train.data.masks import MaskBank
from remend.train.data.samples import Sample, Sampler
from remend.train.personal.album import PATCH_PX, Album
from remend.train.run.local import learn, learner_of
from remend.train.run.transfer import start_from

__all__ = ["Verdict", "compared", "fills", "recipe_of", "tune", "verdict_of"]

_LEAST_DB = 0.1  # gain below which a file of its own is not worth having
_SURE = 1.64  # standard errors that the gain must lie above nothing
_MOST_LOST_DB = -0.05
_BATCH = 16
_MASKS = 32  # of each source: more take longer to draw than the net takes to learn


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a tuned file compares on what was set aside.

    Attributes:
        before, after: mean hole PSNR, dB, over patches.
        sharp_before, sharp_after: sharpness of the fills against the truth, 1 = as sharp; medians.
        error: standard error of the gain, dB; of pictures where there are four and more, else of patches.
        pictures, patches: how many were judged by.
        worst: gain where it is least, of the kinds of damage that were tried apart, dB.
    """

    before: float
    after: float
    sharp_before: float
    sharp_after: float
    error: float
    pictures: int
    patches: int
    worst: float = 0.0

    @property
    def gain(self) -> float:
        """In dB."""
        return self.after - self.before

    @property
    def kept(self) -> bool:
        """Whether the gain is worth a file, no accident, and nothing is paid for it elsewhere."""
        return self.gain >= _LEAST_DB and self.gain - _SURE * self.error > 0 and self.worst >= _MOST_LOST_DB


def recipe_of(samples: int, *, seed: int = 0, settings: Sequence[str] = ()) -> Recipe:
    """The recipe of tuning: by decibels, native scale, no colours changed.

    Raises:
        UsageError: settings that a recipe does not have.
    """
    own = [
        f"data.crop_px={PATCH_PX}",
        "data.scale_from=0.8",
        "data.grey=0.0",
        "data.jpeg=0.0",
        "data.grain=0.0",
        "train.batch=8",
        "train.optimizer=muon",
        "train.lr=5e-4",
        "train.warmup=160",
        "train.hold=0.2",
        "train.ema_half_life=800",
        f"train.samples={samples}",
        f"train.seed={seed}",
    ]
    return override(load("remend-thin"), [*own, *settings])


def tune(
    album: Album, start: Path, recipe: Recipe, *, minutes: float = math.inf
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tune the net of ``start`` to an album: its averaged weights, and their state as a checkpoint has it.

    Args:
        album: what is not set aside is learned from.
        start: a file that a run can begin from (`remend.train.run.transfer.start_from`).
        recipe: of tuning.
        minutes: at most so long.

    Raises:
        ModelError: ``start`` is of another net.
        DivergedError: a loss is not finite.

    Cost: 25 ms of a core for a crop of 128².
    """
    torch.manual_seed(recipe.train.seed)
    learner = learner_of(recipe)
    start_from(learner.net, str(start), _silent)
    learner.ema.net.load_state_dict(learner.net.state_dict())
    sampler = replace(
        Sampler.of(album.pictures, recipe.data, recipe.train.seed),
        masks=MaskBank(recipe.train.seed, size=_MASKS),
        damage=album.damage,
    )
    seen = learn(learner, sampler, first=0, samples=recipe.train.samples, minutes=minutes)
    state = {
        "net": recipe.net,
        "recipe": as_dict(recipe),
        "recipe_sha256": digest(recipe),
        "samples_seen": seen,
        "scores": {},
        "data": dict(album.pictures.groups),
    }
    return dict(learner.ema.net.state_dict()), state


def fills(content: bytes, samples: Sequence[Sample]) -> list[np.ndarray]:
    """How a model file fills samples of one size: (H, W, 3) uint8 each."""
    session = open_plain_session(content)
    outputs: list[np.ndarray] = []
    for first in range(0, len(samples), _BATCH):
        batch = collate(list(samples[first : first + _BATCH])).shown()
        feed = {"image": np.ascontiguousarray(batch.image.numpy()), "hole": batch.hole.numpy()}
        (filled,) = session.run(["filled"], feed)
        outputs += list((filled.clip(0, 1) * 255).round().astype(np.uint8).transpose(0, 2, 3, 1))
    return outputs


def compared(before: bytes, after: bytes, patches: Sequence[tuple[str, Sample]]) -> Verdict:
    """Two model files on the same patches.

    Args:
        before: what there was.
        after: the tuned one.
        patches: of ``Album.patches``.

    Cost: .1 s a patch and file.
    """
    samples = [sample for _, sample in patches]
    scores = np.array(
        [
            [measure(out, s.target, s.hole) for out, s in zip(fills(content, samples), samples, strict=True)]
            for content in (before, after)
            for measure in (psnr, sharp)
        ]
    )
    return verdict_of(scores, [name for name, _ in patches])


def verdict_of(scores: NDArray[np.float64], names: Sequence[str], *, worst: float = math.inf) -> Verdict:
    """What scores of patches say of two files.

    Args:
        scores: (4, N): decibels and sharpness before, decibels and sharpness after.
        names: of the N patches' pictures.
        worst: the gain of the kind of damage that gains least, where there are several.
    """
    gains = scores[2] - scores[0]
    by_picture = [float(gains[[n == name for n in names]].mean()) for name in dict.fromkeys(names)]
    spread = by_picture if len(by_picture) >= 4 else gains
    return Verdict(
        float(scores[0].mean()),
        float(scores[2].mean()),
        float(np.nanmedian(scores[1])),
        float(np.nanmedian(scores[3])),
        float(np.std(spread, ddof=1) / math.sqrt(len(spread))) if len(spread) > 1 else math.inf,
        len(by_picture),
        len(names),
        min(worst, float(gains.mean())),
    )


def _silent(_: str) -> None:
    """Nothing is said of what is always the same."""
