"""Damage of a 360° panorama: found across the border where its sides meet; the disc below the camera."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from math import floor

import numpy as np
from numpy.typing import NDArray

from remend.damage.find import Analysis, analyse
from remend.errors import UsageError
from remend.picture import Box, Picture, Region

__all__ = ["analyse_round", "nadir_disc"]

MARGIN_SHARE = 0.125  # of the width, searched once more beyond each border


def analyse_round(
    image: NDArray[np.uint8],
    *,
    sensitivity: float = 0.5,
    kinds: Collection[str] | None = None,
    force: bool = False,
) -> Analysis:
    """`remend.damage.find.analyse` of a picture whose left and right border meet.

    Args:
        image, sensitivity, kinds, force: as there.

    Returns:
        What is found; what lies over the border is two regions, one on each side.

    Cost: a quarter more than of a flat picture.
    """
    width = image.shape[1]
    margin = max(1, round(MARGIN_SHARE * width))
    wide = np.concatenate([image[:, width - margin :], image, image[:, :margin]], axis=1)
    found = analyse(wide, sensitivity=sensitivity, kinds=kinds, force=force)

    def inside(regions: tuple[Region, ...]) -> tuple[Region, ...]:
        # Beyond a border everything is seen twice: it belongs where its middle is.
        own = (one for one in regions if margin <= (one.box.left + one.box.right) / 2 < margin + width)
        return tuple(part for one in own for part in _unrolled(one, margin, width))

    return replace(found, regions=inside(found.regions), left=inside(found.left))


def _unrolled(region: Region, margin: int, width: int) -> Iterator[Region]:
    """A region of the widened picture in the picture's own coordinates, cut where that begins."""
    box = Box(region.box.top, region.box.left - margin, region.box.bottom, region.box.right - margin)
    plane = np.zeros((box.height, width), bool)
    for columns, here in box.runs(width):
        plane[:, columns] |= region.mask[:, here]
    held = np.flatnonzero(plane.any(axis=0))
    if not held.size:
        return
    inner = box.left >= 0 and box.right <= width
    # Over the border there are two parts, and the widest gap lies between them.
    steps = np.diff(held)
    cut = [] if inner or steps.max(initial=0) <= 1 else [int(steps.argmax()) + 1]
    for part in np.split(held, cut):
        left, right = int(part[0]), int(part[-1]) + 1
        where = Box(box.top, left, box.bottom, right)
        yield Region(where, plane[:, left:right].copy(), region.kind, region.confidence)


def nadir_disc(picture: Picture, radius_deg: float) -> Region:
    """What lies within ``radius_deg`` degrees of straight below the camera: a tripod, a hand, a logo.

    Raises:
        UsageError: the picture is no panorama.
    """
    if picture.projection != "equirect":
        raise UsageError(
            "a tripod is looked for below a 360° panorama, and this is none: add --projection equirect"
        )
    top = max(1, min(picture.height - 1, floor(picture.height * (1 - radius_deg / 180))))
    box = Box(top, 0, picture.height, picture.width)
    return Region(box, np.ones((box.height, box.width), bool), "tripod")
