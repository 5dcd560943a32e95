"""Where in the surroundings a piece is most like what is known under it: all places, by Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from remend.picture import Bool, Float

__all__ = ["Sources"]

REPEAT = 1.0  # a place wholly copied from already counts so much worse, in mean squared differences
RARE, RARE_SHARE = 8.0, 0.02  # departures from the median, in median departures; and how many may be rare
RARE_PX, BESIDE_PX = 3.0, 6  # deviation of the colours that are compared; what lies so near is rare too
FLOOR = 1e-5  # squared difference that cannot be told from none


@dataclass(frozen=True, slots=True)
class Sources:
    """All places that a piece may be copied from.

    Attributes:
        usable: (h, w) bool, what may be copied.
        colours: of each channel the transform, and of the sum of squares.
        size: (height, width) that the transforms are made at.
    """

    usable: Bool
    colours: tuple[Float, ...]
    squares: Float
    size: tuple[int, int]

    @classmethod
    def of(cls, image: Float, usable: Bool) -> Sources:
        """Prepare a window.

        Args:
            image: (h, w, 3) float32, 0 where not usable.
            usable: (h, w) bool.
        """
        height, width = usable.shape
        size = cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width)

        colours = tuple(_spectrum(plane, size) for plane in cv2.split(image))
        return cls(
            usable & ~_rare(image, usable), colours, _spectrum(np.square(image).sum(axis=2), size), size
        )

    def places(self, side: int) -> Bool:
        """(h - side + 1, w - side + 1) bool: the top left corners of pieces that are known all over."""
        kernel = np.ones((side, side), np.uint8)
        whole = cv2.erode(self.usable.view(np.uint8), kernel, anchor=(0, 0), borderValue=0)
        height, width = self.usable.shape
        return np.asarray(whole[: max(0, height - side + 1), : max(0, width - side + 1)].view(np.bool_))

    def nearest(
        self, piece: Float, weight: Float, used: Float, *, tolerance: float, rng: np.random.Generator
    ) -> tuple[int, int]:
        """Top left corner of a place that agrees with what is known of a piece.

        Args:
            piece: (side, side, 3) float32.
            weight: (side, side) float32, how much each pixel counts; 0 where it is not known.
            used: (h, w) float32, how often each pixel has been copied from.
            tolerance: places at most so much worse than the best, as a share, may be drawn.
            rng: draws.
        """
        places = self.places(side := len(piece))
        down, across = places.shape
        total = np.zeros(self.size, np.float32)
        for plane, colour in zip(cv2.split(piece * weight[..., None]), self.colours, strict=True):
            total -= 2 * cv2.mulSpectrums(colour, _spectrum(plane, self.size), 0, conjB=True)
        total += cv2.mulSpectrums(self.squares, _spectrum(weight, self.size), 0, conjB=True)
        found = cv2.dft(total, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)[:down, :across]
        constant = float((np.square(piece) * weight[..., None]).sum())
        distance = np.maximum(
            (found + np.float32(constant)) / np.float32(max(float(weight.sum()), 1e-6)), np.float32(FLOOR)
        )
        again = cv2.boxFilter(
            np.minimum(used, 1), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
        )
        cost = distance * (1 + np.float32(REPEAT) * again[:down, :across])
        cost[~places] = np.inf
        least = float(cost.min())
        good = np.flatnonzero(cost.ravel() <= least * (1 + tolerance))
        place = int(good[int(rng.integers(len(good)))])
        return place // across, place % across


def _rare(image: Float, usable: Bool) -> Bool:
    """(h, w) bool: things that stand out, such as a flower in the grass; a second one would be seen at once.

    Where much stands out it is what the texture is made of, and nothing is rare.
    """
    known = usable.astype(np.float32)
    weight = np.maximum(cv2.GaussianBlur(known, (0, 0), RARE_PX), np.float32(1e-3))
    colours = cv2.GaussianBlur(image, (0, 0), RARE_PX) / weight[..., None]
    if not usable.any():
        return np.zeros_like(usable)
    departure = np.linalg.norm(colours - np.median(colours[usable], axis=0), axis=2)
    rare = usable & (departure > RARE * max(float(np.median(departure[usable])), 1e-3))
    if np.count_nonzero(rare) > RARE_SHARE * np.count_nonzero(usable):
        return np.zeros_like(usable)
    beside = np.ones((2 * BESIDE_PX + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(rare.view(np.uint8), beside).view(np.bool_))


def _spectrum(plane: Any, size: tuple[int, int]) -> Float:
    """The transform of a plane with zeros beside it and below."""
    down, across = size[0] - plane.shape[0], size[1] - plane.shape[1]
    return np.asarray(
        cv2.dft(cv2.copyMakeBorder(plane, 0, down, 0, across, cv2.BORDER_CONSTANT, value=0)), np.float32
    )
