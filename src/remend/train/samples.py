"""What the net is shown: each sample a pure function of (seed, global index)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float
from remend.train.config import Data
from remend.train.masks import MaskBank
from remend.train.pictures import Pictures

__all__ = ["Sample", "Sampler", "validation_samples"]

_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)


@dataclass(frozen=True, slots=True)
class Sample:
    """One crop.

    Attributes:
        image: (H, W, 3) uint8: what is known; 0 under the hole.
        target: (H, W, 3) uint8: clean under the hole, equal to ``image`` elsewhere.
        hole: (H, W) bool, True = fill.
        group: of the mask.
    """

    image: NDArray[np.uint8]
    target: NDArray[np.uint8]
    hole: Bool
    group: str


@dataclass(frozen=True)
class Sampler:
    """Draws training samples.

    Attributes:
        pictures: to crop from.
        data: what to do with them.
        seed: of everything drawn.
        masks: where holes come from.
    """

    pictures: Pictures
    data: Data
    seed: int
    masks: MaskBank

    def __call__(self, index: int) -> Sample:
        """Sample number ``index``, the same whenever and wherever it is asked for.

        Cost: about 1.5 ms at 128², once the masks of the bank are made.
        """
        rng = np.random.default_rng([self.seed, index])
        target = self._crop(rng)
        if rng.random() < self.data.grey:
            target = _toned(target, sepia=rng.random() < 0.4, rng=rng)
        names = ("thin", "free_form", "box", "large")
        weights = np.array([getattr(self.data, name) for name in names])
        group = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        hole = self.masks.draw(group, self.data.crop_px, rng)
        image = target
        if rng.random() < self.data.grain:
            image = _grained(image, rng)
        if rng.random() < self.data.jpeg:
            image = _compressed(_damaged(image, hole, rng), int(rng.integers(40, 96)))
        return _sample(image, target, hole, group)

    def _crop(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A square of the picture, shrunk, perhaps mirrored: (crop, crop, 3) uint8."""
        side = self.data.crop_px
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        height, width = picture.shape[:2]
        wanted = round(side / rng.uniform(self.data.scale_from, 1.0))
        window = min(wanted, height, width)
        top, left = int(rng.integers(height - window + 1)), int(rng.integers(width - window + 1))
        crop = picture[top : top + window, left : left + window]
        if window != side:
            crop = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)


def validation_samples(pictures: Pictures, side: int, *, seed: int = 0) -> list[Sample]:
    """The fixed samples of validation: middles of pictures with thin, free-form and centre holes in turn."""
    bank = MaskBank(seed=seed + 1)
    samples = []
    for index in range(len(pictures)):
        group = ("thin", "free_form", "centre")[index % 3]
        picture = pictures[index]
        top, left = ((length - side) // 2 for length in picture.shape[:2])
        target = np.ascontiguousarray(picture[top : top + side, left : left + side])
        if group == "centre":
            hole = np.zeros((side, side), np.bool_)
            hole[side // 4 : side - side // 4, side // 4 : side - side // 4] = True
        else:
            hole = bank.draw(group, side, np.random.default_rng([seed, index]))
        samples.append(_sample(target, target, hole, group))
    return samples


def _sample(image: NDArray[np.uint8], target: NDArray[np.uint8], hole: Bool, group: str) -> Sample:
    # Known pixels stay as they are found, traces of compression and all: the net learns to fill, not to
    # restore what it will not be allowed to touch. What lay in the hole is wanted clean.
    missing = hole[..., None]
    return Sample(np.where(missing, np.uint8(0), image), np.where(missing, target, image), hole, group)


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
