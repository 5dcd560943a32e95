"""One window: what a filler sees of a picture, and where that came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Filled, Float, Picture, part
from remend.samples import Range, put_back, readable, take_out, value_range

__all__ = ["Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture, ready to be filled. ``Window.cut`` takes one out; fillers make theirs of arrays.

    Attributes:
        pixels: (h, w, 3) float32, known ones in [0, 1]; what is not usable means nothing.
        hole: (h, w) bool, True = fill.
        usable: (h, w) bool, True = may be read; never inside the hole.
        lines: (h, w) bool, lines to follow; None = there are none.
        box: where it lies in the picture; None = nowhere.
        channels: the picture's channels that ``pixels`` are made of.
        span: the native values that are 0 and 1.
    """

    pixels: Float
    hole: Bool
    usable: Bool
    lines: Bool | None = None
    box: Box | None = None
    channels: tuple[int, ...] = ()
    span: Range | None = None

    @staticmethod
    def cut(
        picture: Picture,
        box: Box,
        channels: tuple[int, ...],
        *,
        hole: Bool,
        usable: Bool,
        lines: Bool | None = None,
    ) -> Window:
        """Take one group of channels of a part of a picture.

        Args:
            picture: where from.
            box: which part.
            channels: which group, see `remend.samples.colour_groups`.
            hole, usable, lines: of that part.
        """
        span = value_range(picture, box, usable, channels)
        return Window(take_out(picture, box, channels, span), hole, usable, lines, box, channels, span)

    def put(self, picture: Picture, pixels: Float) -> None:
        """Write (h, w, 3) ``pixels`` back to where the window was cut, under its hole and nowhere else."""
        assert self.box is not None and self.span is not None
        put_back(picture, self.box, self.hole, pixels, self.channels, self.span)

    def beside(self, picture: Picture, pending: Bool) -> Window:
        """What lies where this window lies on another page of the same size and kind, in the same range.

        Args:
            picture: that page.
            pending: (H, W) bool, what is damaged there and may not be read.
        """
        assert self.box is not None and self.span is not None
        usable = readable(picture, self.box) & ~part(pending, self.box)
        pixels = take_out(picture, self.box, self.channels, self.span)
        return Window(pixels, np.zeros_like(usable), usable)

    def part(self, tile: Box) -> Window:
        """The part within ``tile``, a box in the window's own coordinates; views. It cannot be put back."""
        here = tile.slices
        lines = None if self.lines is None else self.lines[here]
        return Window(self.pixels[here], self.hole[here], self.usable[here], lines)

    def composed(self, filled: Filled) -> Float:
        """(h, w, 3) float32: the fill in the hole, the window around it."""
        return np.where(self.hole[..., None], filled.pixels, self.pixels).astype(np.float32)

    def copied(self, source_xy: NDArray[np.int32]) -> Filled:
        """The fill whose every pixel is copied from the place that ``source_xy`` says; see `Filled`."""
        x, y = source_xy[self.hole].T
        pixels = self.pixels.copy()
        pixels[self.hole] = self.pixels[y, x]
        return Filled(pixels, source_xy)
