"""A picture from top to bottom in bands, without ever holding it: the mask of a huge picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from remend.budget import Budget
from remend.io.codec import LazyCodec
from remend.io.lazily import LEAST_PIXELS
from remend.io.limits import own_limits
from remend.io.png.rows import png_bands
from remend.io.read import read_picture, recognised
from remend.picture import Picture

__all__ = ["bands_of"]

ROWS = 256


def bands_of(
    path: str | os.PathLike[str], *, budget: Budget
) -> tuple[tuple[int, int], Iterator[tuple[int, Picture]]]:
    """The size of a picture, and its bands with the row that each begins at.

    TIFF and PNG are read piece by piece; other formats, turned and small pictures are one band.

    Args:
        path: of the file.
        budget: what it may cost.

    Raises:
        As `remend.io.read_picture`; faults of a part when its band is asked for.
    """
    opened, codec = recognised(path, budget)
    with own_limits():
        header = codec.header(opened)
        size = header.height, header.width
        if size[0] * size[1] >= LEAST_PIXELS and header.orientation == 1:
            budget.check_pixels(opened.name, header.width, header.height, lazily=True)
            if codec.format == "png" and (bands := png_bands(opened)) is not None:
                return size, bands
            if isinstance(codec, LazyCodec):
                picture = codec.open_lazily(opened, rewritten=False)
                if picture is not None:
                    return size, _strips(picture)
    whole = read_picture(path, budget=budget)
    return whole.size, iter([(0, whole)])


def _strips(picture: Picture) -> Iterator[tuple[int, Picture]]:
    height, width = picture.size
    for top in range(0, height, ROWS):
        part = picture.samples[top : min(top + ROWS, height), 0:width]
        yield top, replace(picture, samples=part, container=None)
