"""The net that takes off noise and blocks, tuned to an album; how well files restore its other pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.errors import DivergedError, ModelError
from remend.metrics import psnr, sharp
from remend.nets.restorer import Restorer
from remend.nets.weights.portable import load_exported
from remend.picture import Bool
from remend.runtime import open_plain_session
from remend.train.optim.ema import Ema
from remend.train.optim.muon import Muon, with_kernels_apart
from remend.train.personal.album import PATCH_PX, Album
from remend.train.personal.tune import Verdict, verdict_of
from remend.train.restorer.recipe import RestorerRecipe, Stage
from remend.train.restorer.sampler import Sampler
from remend.train.restorer.validation import as_input, fixed_pairs, restored_by
from remend.train.restorer.wear import Wear

__all__ = ["compared_restorers", "intact", "restorer_recipe", "tune_restorer"]

_WEAR = Wear(shrunk=0.5, shrunk_by=(1.0, 1.6), blur=0.0)  # near the album's own scale: its texture counts
_CROP_PX, _BATCH = 96, 12
_WARM_UP, _HALF_LIFE = 240, 400
_SOFTNESS = 1e-3
_TILE_PX = 160  # of pictures that are damaged somewhere
_MOST_SPOILT = 0.1  # levels, mean, by which a picture with nothing on it may be changed more than before

Rgb = NDArray[np.uint8]


def intact(album: Album) -> list[Rgb]:
    """What is whole of the pictures to learn from: all of one, or its tiles without damage.

    Returns:
        (H, W, 3) uint8 each; none where every tile is damaged.
    """
    found: list[Rgb] = []
    for index in range(len(album.pictures)):
        name, picture = album.pictures.usable(index)
        bad = np.zeros(picture.shape[:2], bool) if album.damage is None else album.damage(name, picture)
        found += [picture] if not bad.any() else list(_tiles(picture, bad))
    return found


def _tiles(picture: Rgb, bad: Bool) -> Iterator[Rgb]:
    height, width = bad.shape
    for top in range(0, max(1, height - PATCH_PX + 1), _TILE_PX):
        for left in range(0, max(1, width - PATCH_PX + 1), _TILE_PX):
            tile = np.s_[top : top + _TILE_PX, left : left + _TILE_PX]
            if not bad[tile].any() and min(bad[tile].shape) >= PATCH_PX:
                yield np.ascontiguousarray(picture[tile])


def restorer_recipe(samples: int, *, seed: int = 0) -> RestorerRecipe:
    """The recipe of tuning: short, near the album's own scale."""
    stage = Stage(share=1.0, crop_px=_CROP_PX, batch=_BATCH)
    return RestorerRecipe(
        stage=(stage,),
        samples=samples,
        lr=1e-3,
        warm_up=_WARM_UP,
        ema_half_life=_HALF_LIFE,
        seed=seed,
        aside=0,
        wear=_WEAR,
    )


def tune_restorer(
    pictures: Sequence[Rgb], start: Path, recipe: RestorerRecipe, *, minutes: float = math.inf
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tune the restorer in ``start`` to pictures: its averaged weights, and their state as a run has it.

    Args:
        pictures: of ``intact``.
        start: an exported file of that net.
        recipe: of ``restorer_recipe``.
        minutes: at most so long; the rate falls to nothing by then.

    Raises:
        ModelError: ``start`` is of another net.
        DivergedError: a loss is not finite.

    Cost: 30 ms of a core a crop of 96².
    """
    torch.manual_seed(recipe.seed)
    net = Restorer()
    weights, _ = load_exported(start)
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(f"{start} is of another net than the restorer: give an exported restorer") from error
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = Ema(net, recipe.ema_half_life)
    kernels = {"params": [p for p in net.parameters() if p.ndim > 1]}
    others = {"params": [p for p in net.parameters() if p.ndim <= 1]}
    optimizer = Muon(with_kernels_apart([kernels, others]), lr=recipe.lr)
    sampler = Sampler(pictures, recipe.seed, recipe.wear)
    seen, begun = 0, time.monotonic()
    while seen < recipe.samples and (spent := (time.monotonic() - begun) / 60) < minutes:
        progress = max(seen / recipe.samples, spent / minutes)
        rate = recipe.lr * min(1.0, (seen + 1) / recipe.warm_up) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate
        clean, shown = sampler.batch(seen, _BATCH, _CROP_PX)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            answer = restored_by(net, as_input(shown))
        loss = ((answer - as_input(clean)).square() + _SOFTNESS**2).sqrt().mean()
        if not torch.isfinite(loss):
            raise DivergedError(f"the loss is {float(loss)} after {seen:,} crops: give other pictures")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        seen += _BATCH
        average.update(net, batch=_BATCH, samples_seen=seen)
    state = {"net": recipe.net, "samples_seen": seen, "recipe": asdict(recipe), "scores": {}}
    return dict(average.net.state_dict()), state


def compared_restorers(
    before: bytes, after: bytes, album: Album, *, count: int = 24
) -> tuple[Verdict, dict[str, float]]:
    """Two model files on patches of what was set aside, worn in fixed ways: noise, JPEG, JPEG twice, nothing.

    Args:
        before: what there was.
        after: the tuned one.
        album: of which patches are taken.
        count: of them, at most.

    Returns:
        The verdict over all ways in which something lies on a picture, and the gain by each, dB. What has
        nothing on it must stay as it is: where it is changed by more than before, nothing is worth that.

    Cost: .05 s of a core a patch of 128², way and file.
    """
    patches = album.patches(count=count)
    whole = [(name, sample.target) for name, sample in patches if not _damaged(sample.damage)] or [
        (name, sample.target) for name, sample in patches
    ]
    pairs = fixed_pairs([target for _, target in whole])
    rows, spoilt = {}, 0.0
    for way, (clean, shown) in pairs.items():
        answers = [_restored(content, shown) for content in (before, after)]
        if way == "clean":
            was, now = (np.abs(answer - clean.astype(np.float32)).mean() for answer in answers)
            spoilt = float(now - was)
            continue
        scores = [[(psnr(o, c), sharp(o, c)) for o, c in zip(a, clean, strict=True)] for a in answers]
        rows[way] = np.array(scores)  # (2 files, N patches, 2)
    gains = {way: float((row[1, :, 0] - row[0, :, 0]).mean()) for way, row in rows.items()}
    both = np.mean([*rows.values()], axis=0).transpose(0, 2, 1).reshape(4, -1)
    worst = min(gains.values()) if spoilt <= _MOST_SPOILT else -math.inf
    return verdict_of(both, [name for name, _ in whole], worst=worst), gains | {"spoilt_levels": spoilt}


def _damaged(damage: Any) -> bool:
    return damage is not None and bool(np.asarray(damage).any())


def _restored(content: bytes, shown: Rgb) -> list[Rgb]:
    """What a file makes of pictures, each by itself."""
    session, found = open_plain_session(content), []
    for image in shown:
        planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        (change,) = session.run(["change"], {"image": planes})
        restored = ((planes + change)[0].clip(0, 1) * 255).round().astype(np.uint8)
        found.append(np.ascontiguousarray(restored.transpose(1, 2, 0)))
    return found
