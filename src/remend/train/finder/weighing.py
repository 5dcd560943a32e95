"""The judge of pieces: which of the things that the net saw are damage, in the light of the whole picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from remend.damage.chances import chances_of
from remend.damage.pieces import SIGNS, pieces_of, signs_of
from remend.damage.softness import reduced, reduction_of
from remend.damage.synth.scenes import scene
from remend.errors import ModelError
from remend.train.finder.crops import IGNORED, Ageing, aged, crop_of, lay, weathered
from remend.train.finder.maps import Outlines, draw_map

__all__ = ["Judged", "fit_judge", "judged_pictures", "weighed"]

HIDDEN = (24, 16)
EPOCHS = 90
LEAST_PIECES = 8
ALONE, CLEAN_TIMES = 3.5, 15.0  # logarithm of sure pieces a megapixel; how much more often they are clean
RIGHT = 0.5  # of a piece's pixels that lie within 2 px of damage: then it is one


@dataclass(frozen=True, slots=True)
class Judged:
    """A made picture and what is true of it.

    Attributes:
        image: (H, W, 3) uint8.
        truth: (H, W) bool, damaged; lettering is not.
        ignored: (H, W) bool, changed too little to count.
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def judged_pictures(
    pictures: Sequence[NDArray[np.uint8]],
    count: int,
    *,
    seed: int,
    outlines: Outlines | None,
    fonts: Sequence[Path] = (),
    clean: float = 0.5,
    ageing: Ageing = Ageing(noisy=0.25, jpeg=0.4, blurred=0.15, enlarged=0.5),  # noqa: B008 - frozen
) -> Iterator[Judged]:
    """Whole pictures, half of them clean, some in four sizes of the same.

    Args:
        pictures: to draw on; none that the net learned from, or it will be believed too much.
        count: how many.
        seed, outlines, fonts: as for the training.
        clean: share without any damage.
        ageing: of the pictures.
    """
    for number in range(count):
        rng = np.random.default_rng([seed, 11, number])
        picture = pictures[int(rng.integers(len(pictures)))]
        side = int(min(picture.shape[:2]) * rng.uniform(1.0, 2.2))
        image = crop_of(picture, side, rng, enlarged=ageing.enlarged)
        if rng.random() < 0.2:
            image = scene(image, seed=rng)
        image = aged(image, rng, ageing)
        label = np.zeros(image.shape[:2], np.uint8)
        if rng.random() >= clean:
            maps = [
                draw_map(side + 32, rng=rng, outlines=outlines, fonts=fonts)
                for _ in range(1 + int(rng.random() < 0.4))
            ]
            image = lay(image, label, maps, rng)
        if rng.random() < 0.15:
            factor = int(rng.choice([2, 4]))
            size = (image.shape[1] * factor, image.shape[0] * factor)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
            label = np.asarray(cv2.resize(label, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        image = weathered(np.asarray(image, np.uint8), rng, ageing)
        yield Judged(image, (label > 0) & (label < 5), (label == IGNORED) | (label >= 5) & (label < IGNORED))


def weighed(judged: Judged, weights: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, signs) of the pieces that the net sees in a picture, and (n,) whether each is damage.

    Pieces of what is ignored are left out.
    """
    factor = reduction_of(judged.image)
    planes = chances_of(reduced(judged.image, factor), weights=weights)
    pieces = pieces_of(planes[:4])
    signs = signs_of(pieces, reduction=factor)
    if not len(pieces):
        return signs, np.zeros(0, np.float32)
    size = pieces.labels.shape[::-1]
    truth = cv2.resize(judged.truth.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.25
    ignored = cv2.resize(judged.ignored.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.25
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    near = cv2.dilate(truth.astype(np.uint8), disc) > 0
    n = len(pieces) + 1
    area = np.maximum(np.bincount(pieces.labels.ravel(), minlength=n), 1)[1:]
    hit = np.bincount(pieces.labels.ravel(), near.ravel(), n)[1:] / area
    faint = np.bincount(pieces.labels.ravel(), (ignored & ~near).ravel(), n)[1:] / area
    counts = faint < RIGHT
    return signs[counts], (hit[counts] >= RIGHT).astype(np.float32)


def fit_judge(
    signs: NDArray[np.float32],
    right: NDArray[np.float32],
    *,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """A small network from signs to the chance of being damage, as ``remend.damage.judge`` reads it.

    Args:
        signs: (n, signs).
        right: (n,) 0 or 1.

    Raises:
        ModelError: next to nothing was seen.

    Cost: some ten seconds for a hundred thousand pieces.
    """
    if len(signs) < LEAST_PIECES:
        raise ModelError(f"the net sees {len(signs)} pieces in all, too few to judge: train it longer")
    torch.manual_seed(seed)
    mean, deviation = signs.mean(axis=0), signs.std(axis=0) + 1e-3
    inputs = torch.from_numpy(np.clip((signs - mean) / deviation, -5, 5))
    wanted = torch.from_numpy(right)
    # Half of the made pictures are clean, of those that people have nearly all: what is found alone and is
    # not damage counts as often as it would there.
    alone = signs[:, SIGNS.index("others_sure")] < ALONE
    harm = CLEAN_TIMES * np.sqrt(1 + np.exp(signs[:, SIGNS.index("area")]) / 200)  # a wide one does more
    counts = torch.from_numpy(np.where(alone & (right < RIGHT), harm, 1.0).astype(np.float32))
    sizes = [len(SIGNS), *HIDDEN, 1]
    layers: list[nn.Module] = []
    for inward, outward in pairwise(sizes):
        layers += [nn.Linear(inward, outward), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
    batch, steps = 1024, max(1, len(inputs) // 1024)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        order = torch.randperm(len(inputs), generator=generator)
        for k in range(steps):
            some = order[k * batch : (k + 1) * batch]
            score = net(inputs[some])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(score, wanted[some], counts[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    say(f"judge: {len(signs):,} pieces, {right.mean():.2f} of them damage, cross-entropy {loss.item():.3f}")
    linear = [layer for layer in net if isinstance(layer, nn.Linear)]
    return {
        "signs": list(SIGNS),
        "mean": [round(float(x), 5) for x in mean],
        "deviation": [round(float(x), 5) for x in deviation],
        "layers": [
            {
                "weight": [[round(float(x), 5) for x in row] for row in layer.weight.detach().T],
                "bias": [round(float(x), 5) for x in layer.bias.detach()],
            }
            for layer in linear
        ],
    }
