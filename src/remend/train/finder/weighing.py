"""The judge of pieces: which of the things that the net saw are damage, in the light of the whole picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from remend.damage.chances import chances_of
from remend.damage.pieces import pieces_of
from remend.damage.signs import SIGNS, signs_of
from remend.damage.softness import reduced, reduction_of, softened, without_tone
from remend.damage.synth.scenes import scene
from remend.errors import ModelError
from remend.train.finder.crops import IGNORED, Ageing, aged, crop_of, lay, weathered
from remend.train.finder.maps import Outlines, draw_map
from remend.train.finder.perceptron import fit_perceptron

__all__ = ["Judged", "fit_judge", "judged_pictures", "weighed"]

LEAST_PIECES = 8
GRIDS, GRID_SHARES = (1, 2, 3), (0.35, 0.4, 0.25)  # photographs of a made picture, along a side
SEAM_PX = 6
DRAWN = 0.2  # of the pictures have wires, stars, rain … drawn into them
# Other shares than the net learns from, which sees the rare more often than it is: marks of film are most.
SHARES = {"film": 10.0, "scatter": 6.0, "wide": 5.0, "transport": 5.0, "scratches": 4.0, "dust": 3.0}
SHARES |= {"cracks": 5.0, "folds": 5.0, "tears": 4.5, "foxing": 3.0}
CLEAN_TIMES = 2.0  # how much more often than made pictures those that people have are clean
DRAWN_TIMES = 0.3  # how much rarer what is drawn into pictures is in those: no eye tells its snow from dust
WIDE_PX = 200.0  # there a find counts twice from three times this area on: it does more harm
# More epochs overfit to pictures: all pieces of one are one example.
EPOCHS, DECAY, MEMBERS = 60, 0.1, 5
RIGHT = 0.5  # of a piece's pixels that lie within 2 px of damage: then it is one


@dataclass(frozen=True, slots=True)
class Judged:
    """A made picture and what is true of it.

    Attributes:
        image: (H, W, 3) uint8.
        truth: (H, W) bool, damaged; lettering is not.
        ignored: (H, W) bool, changed too little to count.
        tile_px: side of the photographs that it is put together of; its own where it is one.
        drawn: things that look like damage were drawn into it.
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    tile_px: int
    drawn: bool = False


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

    How much a picture holds that looks like damage grows with its size, and the pictures that nets learn from
    are small: so two of three are put together of four or nine, on which damage lies as on one.

    Args:
        pictures: to draw on; none that the net learned from, or it will be believed too much.
        count: how many.
        seed, outlines, fonts: as for the training.
        clean: share without any damage.
        ageing: of the pictures.
    """
    for number in range(count):
        rng = np.random.default_rng([seed, 11, number])
        grid = int(rng.choice(GRIDS, p=GRID_SHARES))
        chosen = [pictures[int(k)] for k in rng.integers(len(pictures), size=grid * grid)]
        tile_px = int(min(min(picture.shape[:2]) for picture in chosen))
        if grid == 1:
            tile_px = int(tile_px * rng.uniform(1.0, 2.2))
        parts = [crop_of(picture, tile_px, rng, enlarged=ageing.enlarged / grid) for picture in chosen]
        image = np.vstack([np.hstack(parts[k * grid : (k + 1) * grid]) for k in range(grid)])
        side = image.shape[0]
        drawn = rng.random() < DRAWN
        if drawn:
            image = scene(image, seed=rng)
        image = aged(image, rng, ageing)
        label = np.zeros(image.shape[:2], np.uint8)
        if rng.random() >= clean:
            maps = [
                draw_map(side + 32, rng=rng, outlines=outlines, fonts=fonts, shares=SHARES)
                for _ in range(1 + int(rng.random() < 0.4))
            ]
            image = lay(image, label, maps, rng)
        if grid == 1 and rng.random() < 0.4:
            factor = int(rng.choice([2, 4]))
            size = (image.shape[1] * factor, image.shape[0] * factor)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
            label = np.asarray(cv2.resize(label, size, interpolation=cv2.INTER_NEAREST), np.uint8)
            tile_px *= factor
        image = weathered(np.asarray(image, np.uint8), rng, ageing)
        ignored = (label == IGNORED) | (label >= 5) & (label < IGNORED)
        yield Judged(image, (label > 0) & (label < 5), ignored, tile_px, drawn)


def weighed(judged: Judged, weights: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, signs) of the pieces that the net sees in a picture, and (n,) whether each is damage.

    Pieces of what is ignored are left out.
    """
    small, planes, factor = _seen(judged, weights)
    pieces = pieces_of(planes)
    signs = signs_of(pieces, small, reduction=factor)
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


def _seen(judged: Judged, weights: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
    """The picture as it is searched, its planes of damage, by how much it was reduced.

    Photographs of one picture are looked at one by one, for the net would see their seams.
    """
    step, image = judged.tile_px, without_tone(judged.image)
    factor = reduction_of(image[:step, :step])
    if image.shape[0] == step:
        small = reduced(image, factor)
        return small, chances_of(softened(small, factor), weights=weights)[:4], factor
    rows, planes = [], []
    for top in range(0, image.shape[0], step):
        parts = [
            reduced(np.ascontiguousarray(image[top : top + step, left : left + step]), factor)
            for left in range(0, image.shape[1], step)
        ]
        rows.append(np.hstack(parts))
        of_parts = [_inside(chances_of(softened(part, factor), weights=weights)[:4]) for part in parts]
        planes.append(np.concatenate(of_parts, axis=2))
    return np.vstack(rows), np.concatenate(planes, axis=1), factor


def _inside(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Chances with those at the sides taken from further in: there a photograph of several ends, and no
    picture does. A scratch that goes on in the next one stays one piece."""
    middle = planes[:, SEAM_PX:-SEAM_PX, SEAM_PX:-SEAM_PX]
    return np.pad(middle, ((0, 0), (SEAM_PX, SEAM_PX), (SEAM_PX, SEAM_PX)), mode="edge")


def fit_judge(
    signs: NDArray[np.float32],
    right: NDArray[np.float32],
    clean: NDArray[np.bool_],
    drawn: NDArray[np.bool_],
    picture: NDArray[np.integer],
    *,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """A small network from signs to the chance of being damage, as ``remend.damage.perceptron`` reads it.

    Half of the made pictures are clean, of those that people have nearly all: pieces of clean ones count
    more, those of pictures with things drawn into them less. Pieces of pictures with few count more, too: a
    scratch that lies alone is to be seen as well as a hundred.

    Args:
        signs: (n, signs).
        right: (n,) 0 or 1.
        clean: (n,) of a picture without any damage.
        drawn: (n,) of a picture with wires, stars, rain … drawn into it.
        picture: (n,) its number, from 0.

    Raises:
        ModelError: next to nothing was seen.

    Cost: some ten seconds for a hundred thousand pieces.
    """
    if len(signs) < LEAST_PIECES:
        raise ModelError(f"the net sees {len(signs)} pieces in all, too few to judge: train it longer")
    area = np.exp(signs[:, SIGNS.index("area")])
    pieces = np.bincount(picture)[picture]
    counts = np.where(clean, CLEAN_TIMES * np.sqrt(1 + area / WIDE_PX), 1) * np.where(drawn, DRAWN_TIMES, 1)
    counts = counts / np.sqrt(pieces / np.median(pieces))
    table, loss = fit_perceptron(
        SIGNS,
        signs,
        right,
        _cross_entropy,
        counts=counts.astype(np.float32),
        epochs=EPOCHS,
        decay=DECAY,
        members=MEMBERS,
        seed=seed,
    )
    say(f"judge: {len(signs):,} pieces, {right.mean():.2f} of them damage, cross-entropy {loss:.3f}")
    return table


def _cross_entropy(score: Tensor, right: Tensor, counts: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(score, right, counts)
