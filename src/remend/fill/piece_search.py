"""Where in the surroundings a piece is most like what is known under it: every place, by Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from remend.picture import Bool, Float

__all__ = ["Sources"]

REPEAT = 1.0  # a place wholly copied from already counts so much worse, in mean squared differences
FLOOR = 1e-5  # squared difference that cannot be told from none


@dataclass(frozen=True, slots=True)
class Sources:
    """All places that a piece may be copied from.

    Attributes:
        side_px: side of a piece.
        places: (h - side + 1, w - side + 1) bool, corners of pieces that are known all over.
        colours: of each channel the transform, and of the sum of squares.
        size: (height, width) that the transforms are made at.
    """

    side_px: int
    places: Bool
    colours: tuple[Float, ...]
    squares: Float
    size: tuple[int, int]

    @classmethod
    def of(cls, image: Float, usable: Bool, side_px: int) -> Sources:
        """Prepare a window.

        Args:
            image: (h, w, 3) float32, 0 where not usable.
            usable: (h, w) bool.
            side_px: side of a piece.
        """
        height, width = usable.shape
        side_px = min(side_px, height, width)
        whole = cv2.erode(
            usable.view(np.uint8), np.ones((side_px, side_px), np.uint8), anchor=(0, 0), borderValue=0
        )
        places = whole[: height - side_px + 1, : width - side_px + 1].view(np.bool_)
        size = cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width)

        colours = tuple(_spectrum(plane, size) for plane in cv2.split(image))
        return cls(side_px, places, colours, _spectrum(np.square(image).sum(axis=2), size), size)

    def nearest(
        self, piece: Float, known: Bool, used: Float, *, tolerance: float, rng: np.random.Generator
    ) -> tuple[int, int]:
        """Top left corner of a place that agrees with what is known of a piece.

        Args:
            piece: (side, side, 3) float32.
            known: (side, side) bool.
            used: (h, w) float32, how often each pixel has been copied from.
            tolerance: places at most so much worse than the best, as a share, may be drawn.
            rng: draws.
        """
        side = self.side_px
        down, across = self.places.shape
        count = max(1, int(known.sum()))
        total = np.zeros(self.size, np.float32)
        for plane, colour in zip(
            cv2.split(np.where(known[..., None], piece, np.float32(0))), self.colours, strict=True
        ):
            total -= 2 * cv2.mulSpectrums(colour, _spectrum(plane, self.size), 0, conjB=True)
        total += cv2.mulSpectrums(self.squares, _spectrum(known.astype(np.float32), self.size), 0, conjB=True)
        found = cv2.dft(total, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)[:down, :across]
        constant = float(np.square(piece[known]).sum())
        distance = np.maximum((found + np.float32(constant)) / np.float32(count), np.float32(FLOOR))
        again = cv2.boxFilter(
            np.minimum(used, 1), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
        )
        cost = distance * (1 + np.float32(REPEAT) * again[:down, :across])
        cost[~self.places] = np.inf
        least = float(cost.min())
        good = np.flatnonzero(cost.ravel() <= least * (1 + tolerance))
        place = int(good[int(rng.integers(len(good)))])
        return place // across, place % across


def _spectrum(plane: Any, size: tuple[int, int]) -> Float:
    """The transform of a plane with zeros beside it and below."""
    down, across = size[0] - plane.shape[0], size[1] - plane.shape[1]
    return np.asarray(
        cv2.dft(cv2.copyMakeBorder(plane, 0, down, 0, across, cv2.BORDER_CONSTANT, value=0)), np.float32
    )
