"""What the net is shown: each sample a pure function of (seed, global index)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.irregular import centre
from remend.errors import UsageError
from remend.picture import Bool, Float
from remend.train.config import Data
from remend.train.data.damaged import Damage, blanked
from remend.train.data.labels import Label, Labels, Place
from remend.train.data.mask_files import MaskFiles, read_mask_files
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import Pictures
from remend.train.wear.names import ranges_of

if TYPE_CHECKING:
    from remend.train.wear.spec import WornAs

__all__ = ["USUAL_KINDS", "Sample", "Sampler", "validation_kinds", "validation_samples", "validation_side"]

# In this order for good: what is drawn depends on it.
_GROUPS = ("thin", "free_form", "box", "large", "centre")
_FILES = "files"
_WORN = "worn"
_LEAST_A_KIND = 4  # validation samples, where as many pictures are set aside
USUAL_KINDS = ("thin", "free_form", "centre")
"""Holes to look at where no recipe says which."""

_SHARES = ("mask_share", "flip", "grey", "jpeg", "grain")
_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)


@dataclass(frozen=True, slots=True)
class Sample:
    """One crop.

    Attributes:
        image: (H, W, 3) uint8: what is known; 0 under the hole.
        target: (H, W, 3) uint8: clean under the hole, equal to ``image`` elsewhere.
        hole: (H, W) bool, True = fill.
        group: of the mask.
        damage: (H, W) bool, True = nobody knows what was there, 0 in ``image`` and ``target``, and no part of
            ``hole``; None = pictures are whole.
        label: what is said of it; None = no task asks.
        seen: ``image`` holds the worn picture under the hole as well.
    """

    image: NDArray[np.uint8]
    target: NDArray[np.uint8]
    hole: Bool
    group: str
    damage: Bool | None = None
    label: Label | None = None
    seen: bool = False


@dataclass(frozen=True)
class Sampler:
    """Draws training samples.

    Attributes:
        pictures: to crop from.
        data: what to do with them.
        seed: of everything drawn.
        masks: where holes come from.
        mask_files: where they come from instead, or beside.
        damage: where pictures are damaged; None = they are whole.
        labels: what is said of pictures; None = no task asks.
        labelled: numbers of the pictures that have a label.
    """

    pictures: Pictures
    data: Data
    seed: int
    masks: MaskBank
    mask_files: MaskFiles | None = None
    damage: Damage | None = None
    labels: Labels | None = None
    labelled: tuple[int, ...] = ()

    @property
    def worn(self) -> bool:
        """Whether pictures are shown worn all over, and not with holes."""
        return bool(ranges_of(self.data.damage))

    @classmethod
    def of(cls, pictures: Pictures, data: Data, seed: int, labels: Labels | None = None) -> Sampler:
        """With a bank of masks of its own, and the mask files of ``data.masks`` read.

        Raises:
            UsageError: shares, weights or a folder of masks that cannot be meant.
        """
        for name in _SHARES:
            if not 0 <= getattr(data, name) <= 1:
                raise UsageError(f"data.{name} is a share from 0 to 1, got {getattr(data, name)}")
        weights = [getattr(data, name) for name in _GROUPS]
        if min(weights) < 0 or not sum(weights) > 0:
            raise UsageError(f"the weights data.{', data.'.join(_GROUPS)} are 0 or more, and one is more")
        if not 0 < data.scale_from <= 1:
            raise UsageError(f"data.scale_from is a factor up to 1, got {data.scale_from}")
        files = read_mask_files(Path(data.masks), polarity=data.mask_polarity) if data.masks else None
        damage = None if ranges_of(data.damage) else Damage.of(data.damage, pictures.names)
        labelled = (n for n, name in enumerate(pictures.names) if labels is not None and labels.says(name))
        return cls(pictures, data, seed, MaskBank(seed), files, damage, labels, tuple(labelled))

    def __call__(self, index: int) -> Sample:
        """Sample number ``index``, the same whenever and wherever it is asked for.

        Cost: about 0.7 ms at 128² and 1.6 ms at 256², once the masks of the bank are made; and decoding,
        3 ms for a WebP of 400 × 288, of a picture that is not in memory.
        """
        rng = np.random.default_rng([self.seed, index])
        target, damage, label = self._crop(rng)
        if rng.random() < self.data.grey:
            target = _toned(target, sepia=rng.random() < 0.4, rng=rng)
        if self.worn:  # laid on later, batch by batch where they are learned from
            hole = np.ones(target.shape[:2], np.bool_)
            sample = Sample(np.zeros_like(target), target, hole, _WORN)
            return sample if label is None else replace(sample, label=label)
        group, hole = self._hole(rng)
        image = target
        if rng.random() < self.data.grain:
            image = _grained(image, rng)
        if rng.random() < self.data.jpeg:
            image = _compressed(_damaged(image, hole, rng), int(rng.integers(40, 96)))
        sample = _sample(image, target, hole, group, damage)
        return sample if label is None else replace(sample, label=label)

    def prepare(self, workers: int) -> None:
        """Make the masks that take long, by so many processes; for a sampler that is about to be forked."""
        if not self.worn and (self.mask_files is None or self.data.mask_share < 1):
            groups = [name for name in _GROUPS if name != "centre" and getattr(self.data, name)]
            self.masks.prepare(groups, self.data.crop_px, workers)

    def _hole(self, rng: np.random.Generator) -> tuple[str, Bool]:
        """The group of a hole, and the hole."""
        if self.mask_files is not None and rng.random() < self.data.mask_share:
            return _FILES, self.mask_files.draw(self.data.crop_px, rng)
        weights = np.array([getattr(self.data, name) for name in _GROUPS])
        group = _GROUPS[int(rng.choice(len(_GROUPS), p=weights / weights.sum()))]
        if group == "centre":
            return group, centre((self.data.crop_px, self.data.crop_px))
        return group, self.masks.draw(group, self.data.crop_px, rng)

    def _crop(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Bool | None, Label | None]:
        """A square of a picture, shrunk, perhaps mirrored: (crop, crop, 3) uint8; its damage; its label."""
        side = self.data.crop_px
        name, picture = self.pictures.usable(self._number(rng))
        height, width = picture.shape[:2]
        wanted = round(side / rng.uniform(self.data.scale_from, 1.0))
        window = min(wanted, height, width)
        top, left = int(rng.integers(height - window + 1)), int(rng.integers(width - window + 1))
        place = (slice(top, top + window), slice(left, left + window))
        crop, damage = picture[place], None
        if self.damage is not None:
            damage = self.damage(name, picture)[place]
            crop = blanked(crop, damage)
        if window != side:
            crop = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            damage = None if damage is None else _shrunk(damage, side)
        mirrored = rng.random() < self.data.flip
        turn = slice(None, None, -1) if mirrored else slice(None)
        label = None
        if self.labels is not None:
            label = self.labels(Place(name, (height, width), top, left, window, bool(mirrored)), side)
        return np.ascontiguousarray(crop[:, turn]), None if damage is None else damage[:, turn].copy(), label

    def _number(self, rng: np.random.Generator) -> int:
        """Which picture."""
        number = int(rng.integers(len(self.pictures)))
        share = self.labels.tasks.share if self.labels is not None and self.labelled else 0.0
        if share and rng.random() < share:
            return self.labelled[int(rng.integers(len(self.labelled)))]
        return number


def validation_side(pictures: Pictures, wanted: int, crop_px: int, multiple: int) -> int:
    """The side of the validation samples: ``wanted``, or what most of the pictures allow.

    Args:
        pictures: those set aside.
        wanted: ``data.validation_px``.
        crop_px: of training; never less than this.
        multiple: of the net's sides.

    >>> validation_side(Pictures((), (), {}), 176, 64, 16)
    176
    """
    sides = sorted(min(pictures[index].shape[:2]) for index in range(len(pictures)))
    if not sides:
        return wanted
    middle = sides[len(sides) // 2]
    return wanted if middle >= wanted else max(crop_px, middle // multiple * multiple)


def validation_kinds(data: Data) -> tuple[str, ...]:
    """The kinds of holes that a recipe draws, which are the kinds that it is validated on.

    >>> validation_kinds(Data(thin=0.0, large=0.0))
    ('free_form', 'box')
    >>> validation_kinds(Data(damage="noise:5-50,jpeg:20-90"))
    ('noise', 'jpeg')
    """
    if worn := ranges_of(data.damage):
        return tuple(worn)
    drawn = not data.masks or data.mask_share < 1
    own = tuple(name for name in _GROUPS if drawn and getattr(data, name) > 0)
    return own + ((_FILES,) if data.masks and data.mask_share > 0 else ())


def validation_samples(
    pictures: Pictures,
    side: int,
    *,
    seed: int = 0,
    kinds: Sequence[str] = USUAL_KINDS,
    every_kind: bool = False,
    mask_files: MaskFiles | None = None,
    damage: Damage | None = None,
    labels: Labels | None = None,
    worn: WornAs | None = None,
) -> list[Sample]:
    """The fixed samples of validation: middles of pictures with holes of each kind in turn.

    Where pictures are damaged, holes are measured on what is known.

    Args:
        pictures: those set aside.
        side: of the samples, px.
        seed: of the holes.
        kinds: of holes: groups of ``masks.GROUPS``, ``centre``, or ``files``.
        every_kind: show each picture with every kind, where there are fewer than four pictures a kind.
        mask_files: needed for ``files``.
        damage: where pictures are damaged.
        labels: of further tasks.
        worn: what is laid on pictures instead of holes; ``kinds`` are then its own.
    """
    pictures = pictures.at_least(side)
    bank = MaskBank(seed=seed + 1)
    samples = []
    rounds = len(kinds) if every_kind and len(pictures) < _LEAST_A_KIND * len(kinds) else 1
    for number in range(rounds * len(pictures)):
        turn, index = divmod(number, len(pictures))
        group = kinds[(index + turn) % len(kinds)]
        name, picture = pictures.usable(index)
        top, left = ((length - side) // 2 for length in picture.shape[:2])
        place = (slice(top, top + side), slice(left, left + side))
        target, bad = np.ascontiguousarray(picture[place]), None
        if damage is not None:
            bad = np.ascontiguousarray(damage(name, picture)[place])
            target = blanked(target, bad)
        rng = np.random.default_rng([seed, number])
        if worn is not None:
            hole = np.ones((side, side), np.bool_)
        elif group == "centre":
            hole = centre((side, side))
        elif group == _FILES:
            assert mask_files is not None
            hole = mask_files.draw(side, rng)
        else:
            hole = bank.draw(group, side, rng)
        if worn is None:
            sample = _sample(target, target, hole, group, bad)
        else:
            sample = Sample(_worn(target, worn.alone(group), number), target, hole, group, seen=True)
        if labels is not None:
            place_of = Place(name, (picture.shape[0], picture.shape[1]), top, left, side)
            sample = replace(sample, label=labels(place_of, side))
        if sample.hole.any():
            samples.append(sample)
    return samples


def _sample(
    image: NDArray[np.uint8], target: NDArray[np.uint8], hole: Bool, group: str, damage: Bool | None = None
) -> Sample:
    # Known pixels stay as they are found, traces of compression and all: the net learns to fill, not to
    # restore what it will not be allowed to touch. What lay in the hole is wanted clean.
    # OpenCV's masked copies take a seventh of the time of numpy.where.
    missing = np.ascontiguousarray(hole).view(np.uint8)
    known, wanted = np.zeros_like(image), image.copy()
    cv2.copyTo(image, 1 - missing, known)
    cv2.copyTo(target, missing, wanted)
    if damage is None:
        return Sample(known, wanted, hole, group)
    known[damage] = 0
    wanted[damage] = 0
    return Sample(known, wanted, hole & ~damage, group, damage)


def _worn(target: NDArray[np.uint8], worn: WornAs, number: int) -> NDArray[np.uint8]:
    import torch  # samples with holes are drawn without it

    from remend.train.wear.spec import seeds_of

    planes = torch.from_numpy(target).permute(2, 0, 1)[None].float() / 255
    shown = worn(planes, seeds_of(0, [number]))[0] * 255
    return np.ascontiguousarray(shown.round().to(torch.uint8).permute(1, 2, 0).numpy())


def _shrunk(damage: Bool, side: int) -> Bool:
    """Any damaged pixel makes a damaged one."""
    share = cv2.resize(damage.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0)


def _toned(image: NDArray[np.uint8], *, sepia: bool, rng: np.random.Generator) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if not sepia:
        return np.asarray(cv2.merge([grey, grey, grey]), np.uint8)
    full = grey[..., None].astype(np.float32) * _SEPIA.sum(axis=1)
    strength = np.float32(rng.uniform(0.3, 1.0))
    toned = strength * full + (1 - strength) * grey[..., None]
    return np.asarray(np.clip(toned, 0, 255), np.uint8)


def _grained(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grain of one tone, stronger in the mid tones, fine or coarse."""
    noise = rng.standard_normal(image.shape[:2], np.float32)
    if rng.random() < 0.5:
        noise = np.asarray(cv2.GaussianBlur(noise, (3, 3), 0.7), np.float32) * np.float32(1.8)
    level = image.mean(axis=2, dtype=np.float32) / np.float32(255)
    strength = np.float32(rng.uniform(2, 12)) * (np.float32(0.4) + np.float32(2.4) * level * (1 - level))
    return np.asarray(np.clip(image + (noise * strength)[..., None], 0, 255), np.uint8)


def _damaged(image: NDArray[np.uint8], hole: Bool, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Something else where the hole is, as a scratch or a logo would be: it leaks into JPEG blocks around."""
    colour: Float = rng.choice([0.0, 255.0, float(rng.uniform(0, 255))]) + rng.normal(0, 12, 3).astype(
        np.float32
    )
    return np.where(hole[..., None], np.clip(colour, 0, 255).astype(np.uint8), image)


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Through JPEG and back."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
