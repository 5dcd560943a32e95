"""Interlaced video: a frame holds two moments, in its even and its odd lines, each repaired by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool
from remend.video.propagate import Mended

__all__ = ["split", "woven"]


def split(
    frames: Iterable[tuple[NDArray[Any], Bool]], top_first: bool
) -> Iterator[tuple[NDArray[Any], Bool]]:
    """Both fields of each frame in the order of their times, half as high.

    Args:
        frames: pixels (H, W, 3) and hole (H, W), H even.
        top_first: whether the even lines come first.
    """
    order = (0, 1) if top_first else (1, 0)
    for pixels, hole in frames:
        for line in order:
            yield np.ascontiguousarray(pixels[line::2]), np.ascontiguousarray(hole[line::2])


def woven(fields: Iterable[Mended], top_first: bool) -> Iterator[Mended]:
    """Repaired fields as frames again."""
    each = iter(fields)
    for first in each:
        second = next(each)
        even, odd = (first, second) if top_first else (second, first)
        yield Mended(
            _lines(even.pixels, odd.pixels),
            _lines(even.hole, odd.hole),
            _lines(even.confidence, odd.confidence),
            first.shown + second.shown,
            first.carried + second.carried,
            first.made + second.made,
            first.cut or second.cut,
        )


def _lines(even: NDArray[Any], odd: NDArray[Any]) -> NDArray[Any]:
    return np.stack([even, odd], axis=1).reshape(2 * len(even), *even.shape[1:])
