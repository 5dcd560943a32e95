"""Frames of an animation, composed on their canvas as a viewer shows them, and drawn anew where that changed.

A frame is a rectangle laid over what the frames before it left. So a repair of one frame would shine
through in those that follow; each of them is drawn anew wherever it would not look as before, and kept byte
for byte where it would.

Reference: CompuServe, "Graphics Interchange Format, Version 89a", 1990, §23; RFC 9649, "WebP Image Format",
2024, §2.7; W3C, "Portable Network Graphics (PNG) Specification, Third Edition", 2025, §11.3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from remend.document import Repaired
from remend.errors import FormatError
from remend.picture import Bool, Box

__all__ = ["Composer", "Disposal", "Drawing", "Frame", "redrawn"]

Canvas = NDArray[Any]
Disposal = Literal["keep", "clear", "restore"]
"""What becomes of a frame before the next: it stays, its rectangle becomes transparent, or what it covered is
there again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the file holds it.

    Attributes:
        box: where it is drawn.
        pixels: (h, w, C) of that box, the last channel alpha.
        over: whether it is blended over what is there; otherwise it replaces that, alpha too.
        disposal: what becomes of it.
    """

    box: Box
    pixels: Canvas
    over: bool
    disposal: Disposal


@dataclass(frozen=True, slots=True)
class Drawing:
    """A frame that has to be drawn anew.

    Attributes:
        number: of the frame, from 0.
        box: where.
        target: (h, w, C) of that box, what has to be seen there.
        needed: (h, w) bool, where something else is seen without it.
        changed: (h, w) bool, what was repaired in this frame; all else has to be exact.
    """

    number: int
    box: Box
    target: Canvas
    needed: Bool
    changed: Bool


class Composer:
    """The frames of an animation as seen, from wherever one asks: in order at the least cost.

    Args:
        size: (height, width) of the canvas.
        channels: of a pixel, the last of them alpha.
        dtype: of the samples.
        frames: starts reading the frames from the first.
    """

    def __init__(
        self, size: tuple[int, int], channels: int, dtype: type, frames: Callable[[], Iterator[Frame]]
    ) -> None:
        self.blank: Canvas = np.zeros((*size, channels), dtype)
        self.frames = frames
        self._next, self._left, self._coming = 0, self.blank, frames()

    def read(self, number: int) -> Canvas:
        """A frame as it is seen, (H, W, C)."""
        if number < self._next:
            self._next, self._left, self._coming = 0, self.blank, self.frames()
        while True:
            frame = next(self._coming)
            shown = drawn(self._left, frame)
            self._left = _disposed(self._left, shown, frame.box, frame.disposal)
            self._next += 1
            if self._next > number:
                return shown


def redrawn(
    composer: Composer,
    repaired: Iterable[Repaired],
    draw: Callable[[Drawing], tuple[bytes, Canvas]],
    *,
    step: int = 1,
    whole_first: bool = False,
) -> Iterator[bytes | None]:
    """Each frame of an animation with repairs: new bytes, or None where the old ones show what they should.

    Args:
        composer: of the file's own frames.
        repaired: in ascending order.
        draw: makes a frame that replaces all in its box; the bytes, and (h, w, C) what will be seen of it.
        step: left and top of a new frame are multiples of it.
        whole_first: the first frame has to cover the canvas.

    Raises:
        FormatError: what was not repaired cannot be drawn in the file's kind of colours.
    """
    coming = iter(repaired)
    awaited = next(coming, None)
    old = new = composer.blank
    for number, frame in enumerate(composer.frames()):
        shown = drawn(old, frame)
        target, changed = shown, np.zeros(shown.shape[:2], bool)
        if awaited is not None and awaited.number == number:
            target, changed = awaited.picture.samples, awaited.changed
            awaited = next(coming, None)
        seen, box = drawn(new, frame), frame.box
        made: bytes | None = None
        if _differ(seen, target).any():
            differ = _differ(new, target)
            box = Box.around(differ) or frame.box
            if frame.disposal == "clear" or not number:  # viewers differ in what lies beside a first frame
                box = box.union(_within(frame.box, shown.shape))
            box = Box(box.top // step * step, box.left // step * step, box.bottom, box.right)
            if whole_first and number == 0:
                box = Box(0, 0, *shown.shape[:2])
            drawing = Drawing(number, box, target[box.slices], differ[box.slices], changed[box.slices])
            made, part = draw(drawing)
            if (_differ(part, drawing.target) & ~drawing.changed).any():
                raise FormatError(
                    f"frame {number + 1} cannot be drawn anew in the colours that this file has: "
                    "save the animation with full colours and transparency first"
                )
            seen = new.copy()
            seen[box.slices] = part
        yield made
        old = _disposed(old, shown, frame.box, frame.disposal)
        new = _disposed(new, seen, box, frame.disposal)


def drawn(canvas: Canvas, frame: Frame) -> Canvas:
    """What is seen when a frame is drawn on a canvas; a copy."""
    shown = canvas.copy()
    box = _within(frame.box, canvas.shape)
    pixels, there = frame.pixels[: box.height, : box.width], shown[box.slices]
    there[...] = _over(pixels, there) if frame.over else pixels
    return shown


def _within(box: Box, shape: tuple[int, ...]) -> Box:
    bottom, right = min(box.bottom, shape[0]), min(box.right, shape[1])
    return Box(min(box.top, bottom), min(box.left, right), bottom, right)


def _disposed(before: Canvas, shown: Canvas, box: Box, disposal: Disposal) -> Canvas:
    """The canvas that the next frame is drawn on."""
    if disposal == "keep":
        return shown
    if disposal == "restore":
        return before
    cleared = shown.copy()
    cleared[_within(box, shown.shape).slices] = 0
    return cleared


def _differ(a: Canvas, b: Canvas) -> Bool:
    """(h, w) bool: where two canvases look different; under full transparency colours do not count."""
    different: Bool = (a != b).any(axis=2) & ((a[..., -1] != 0) | (b[..., -1] != 0))
    return different


def _over(above: Canvas, below: Canvas) -> Canvas:
    """``above`` blended over ``below``, neither multiplied by its alpha; rounded as libwebp does."""
    alpha = above[..., -1]
    full = np.iinfo(above.dtype).max
    blended = np.where((alpha == 0)[..., None], below, above)
    mixed = (alpha != 0) & (alpha != full) & (below[..., -1] != 0)
    if not mixed.any():
        return blended
    bits = 8 * above.dtype.itemsize
    upper, lower = above[mixed].astype(np.uint64), below[mixed].astype(np.uint64)
    weight = upper[:, -1:]
    under = (lower[:, -1:] * (full + 1 - weight)) >> bits
    total = weight + under
    scale = (1 << 3 * bits) // total
    colours = ((upper[:, :-1] * weight + lower[:, :-1] * under) * scale) >> 3 * bits
    blended[mixed] = np.concatenate((colours, total), axis=1).astype(above.dtype)
    return blended
