"""Statistics over the pixels of many connected pieces at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.picture import Float

__all__ = ["Members", "Pieces", "Scale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """What belongs to the whole picture and not to one tile of it.

    Attributes:
        white: (3,) float32 RGB, the brightest colour that still covers some area.
        black: (3,) float32 RGB, the darkest.
        noise: grain: its deviation in grey levels.
    """

    white: Float
    black: Float
    noise: float


@dataclass(frozen=True)
class Members:
    """Which pixel belongs to which piece; pieces are numbered from 0 to ``count - 1``.

    Attributes:
        labels: (N,) int32, the piece of each pixel.
        pixels: (N,) int64, flat indices into the frame.
        count: number of pieces; each has at least one pixel.
        size: (height, width) of the frame.
    """

    labels: NDArray[np.int32]
    pixels: NDArray[np.int64]
    count: int
    size: tuple[int, int]

    @cached_property
    def n(self) -> Float:
        """(count,) pixels of each piece."""
        return np.bincount(self.labels, minlength=self.count).astype(np.float32)

    @cached_property
    def xy(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Column and row of every pixel."""
        y, x = np.divmod(self.pixels, self.size[1])
        return x, y

    def mean(self, values: NDArray[Any]) -> Float:
        """(count,) mean over each piece of ``values`` (N,)."""
        sums = np.bincount(self.labels, values, minlength=self.count)
        return np.asarray(sums / self.n, np.float32)

    def deviation(self, values: NDArray[Any]) -> Float:
        """(count,) standard deviation over each piece of ``values`` (N,)."""
        centred = values - self.mean(values)[self.labels]
        return np.asarray(np.sqrt(self.mean(centred * centred)), np.float32)

    def read(self, frame: NDArray[Any]) -> NDArray[Any]:
        """The frame's values at every pixel: (N,), or (N, C) of an (H, W, C) frame."""
        return frame.reshape((-1, *frame.shape[2:]))[self.pixels]

    def axes(self) -> tuple[Float, Float]:
        """(count,) length and thickness in pixels of the bar that has each piece's second moments."""
        x, y = self.xy
        dx, dy = x - self.mean(x)[self.labels], y - self.mean(y)[self.labels]
        xx, yy, xy = self.mean(dx * dx), self.mean(dy * dy), self.mean(dx * dy)
        half, root = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
        return np.sqrt(12 * (half + root)) + 1, np.sqrt(12 * np.maximum(half - root, 0)) + 1


@dataclass(frozen=True, slots=True)
class Pieces:
    """Candidates of one polarity at one level of the pyramid.

    Attributes:
        members: which pixel belongs to which piece, in the level's frame.
        signs: (pieces, signs) float32.
        angle: (N,) float32 direction at each pixel in radians, anticlockwise on screen; lines only.
        contrast: (pieces,) float32 grey levels against the surroundings.
        dark: whether they are darker than their surroundings.
        level: 0 = full resolution, 1 = half, …
    """

    members: Members
    signs: Float
    angle: Float
    contrast: Float
    dark: bool
    level: int
