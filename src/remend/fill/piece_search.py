"""Where in the surroundings a piece looks most like what is known under it: every place, by Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass

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
        spread: mean squared difference of two pieces of the surroundings at random.
        size: (height, width) that the transforms are made at.
    """

    side_px: int
    places: Bool
    colours: tuple[Float, ...]
    squares: Float
    spread: float
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
        whole = cv2.erode(usable.view(np.uint8), np.ones((side_px, side_px), np.uint8), anchor=(0, 0), borderValue=0)
        places = whole[: height - side_px + 1, : width - side_px + 1].view(np.bool_)
        size = cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width)

        def spectrum(plane: Float) -> Float:
            padded = cv2.copyMakeBorder(
                plane, 0, size[0] - height, 0, size[1] - width, cv2.BORDER_CONSTANT, value=0
            )
            return np.asarray(cv2.dft(padded), np.float32)

        colours = tuple(spectrum(np.ascontiguousarray(image[..., c])) for c in range(3))
        squares = spectrum(np.square(image).sum(axis=2))
        known = image[usable]
        spread = 2 * float(known.var(axis=0).sum()) if len(known) else 0.0
        return cls(side_px, places, colours, squares, spread, size)

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
        for plane, colour in zip(cv2.split(np.where(known[..., None], piece, np.float32(0))), self.colours, strict=True):
            total -= 2 * cv2.mulSpectrums(colour, self._small(plane), 0, conjB=True)
        total += cv2.mulSpectrums(self.squares, self._small(known.astype(np.float32)), 0, conjB=True)
        found = cv2.dft(total, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)[:down, :across]
        constant = float(np.square(piece[known]).sum())
        distance = np.maximum((found + np.float32(constant)) / np.float32(count), np.float32(FLOOR))
        again = cv2.boxFilter(np.minimum(used, 1), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        cost = distance * (1 + np.float32(REPEAT) * again[:down, :across])
        cost[~self.places] = np.inf
        least = float(cost.min())
        good = np.flatnonzero(cost.ravel() <= least * (1 + tolerance))
        return divmod(int(good[rng.integers(len(good))]), across)

    def _small(self, plane: Float) -> Float:
        down, across = self.size[0] - plane.shape[0], self.size[1] - plane.shape[1]
        padded = cv2.copyMakeBorder(plane, 0, down, 0, across, cv2.BORDER_CONSTANT, value=0)
        return np.asarray(cv2.dft(padded), np.float32)
