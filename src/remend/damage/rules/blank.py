"""Areas without any picture: lost blocks, missing strips, the empty corners of a turned scan.

They are of one colour to the level, which photographs never are but where they are burnt out or black,
and they end abruptly, which burnt-out skies and black clothes seldom do. A strip along a whole side is a
frame and no damage; what is quite white or black must be cut straight, as little in a scene is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.finder import register_finder
from remend.picture import Bool, Box, Region

__all__ = ["blank_areas"]

FLAT = 1  # most difference among neighbours inside, in levels: what JPEG leaves of one colour
LEAST_PX = 96
MOST_SHARE = 0.2  # of the picture in one area; a larger one is a background
GRAPHIC_SHARE = 0.35  # of the picture that is flat: a drawing or a screen, where flat means nothing
STEP = 14  # least difference across the edge, in levels
ABRUPT_SHARE = 0.9  # of the edge that must be such a step
FRAME_SHARE = 0.5  # of a side along which a frame runs, at least
THIN_PX, STRIP_SHARE = 12, 0.1  # a strip narrower and, of its side, longer is what is left of a frame
CLIPPED = 4  # levels from white or black that count as burnt out or black
RECTANGLE, TRIANGLE = (0.9, 1.0), (0.42, 0.58)  # share of its box that such a shape fills
NEAR_PX = 3  # where the other side of the edge is looked for


@register_finder("hole")
def blank_areas(image: NDArray[np.uint8]) -> list[Region]:
    """Find areas that carry no picture.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        Regions of kind ``hole``, in reading order; the confidence is the share of the edge that is abrupt.

    Cost: some 60 ns a pixel; 12 bytes of memory a pixel.
    """
    square = np.ones((3, 3), np.uint8)
    red, green, blue = cv2.split(cv2.subtract(cv2.dilate(image, square), cv2.erode(image, square)))
    spread = cv2.max(cv2.max(red, green), blue)
    flat: Bool = spread <= FLAT
    if flat.mean() > GRAPHIC_SHARE:
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flat.view(np.uint8), connectivity=4)
    found = []
    for label in range(1, count):
        left, top, width, height, area = (int(n) for n in stats[label])
        if LEAST_PX <= area <= MOST_SHARE * flat.size:
            box = Box(top, left, top + height, left + width).grown(NEAR_PX + 2, flat.shape)
            region = _judged(image[box.slices], labels[box.slices] == label, box)
            if region is not None and not _belongs(region, image):
                found.append(region)
    return sorted(found, key=lambda region: region.box)


def _belongs(region: Region, image: NDArray[np.uint8]) -> bool:
    """Whether an area belongs to the picture: a frame, or what may well be burnt out or simply black."""
    height, width = image.shape[:2]
    box = region.box
    aside = box.left == 0 or box.right == width
    above = box.top == 0 or box.bottom == height
    for touches, along, across in (
        (aside, box.height / height, box.width),
        (above, box.width / width, box.height),
    ):
        if touches and along > (STRIP_SHARE if across < THIN_PX else FRAME_SHARE):
            return True
    colour = np.median(image[box.slices][region.mask], axis=0)
    clipped = colour.min() >= 255 - CLIPPED or colour.max() <= CLIPPED
    share = np.count_nonzero(region.mask) / box.area
    # A turned scan leaves triangles in the corners, and only there.
    shapes = (RECTANGLE, TRIANGLE) if aside and above else (RECTANGLE,)
    return bool(clipped and not any(low <= share <= high for low, high in shapes))


def _judged(image: NDArray[np.uint8], core: Bool, box: Box) -> Region | None:
    """The area as a region, if it ends abruptly."""
    colour = np.median(image[core], axis=0)
    away = np.abs(image.astype(np.int16) - colour.astype(np.int16)).max(axis=2)
    # The flatness test eats a pixel of the rim: what is of the colour and touches the core belongs to it.
    grown = cv2.dilate(core.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    area = core | (grown & (away <= 2 * FLAT))
    plane = area.view(np.uint8)
    edge = (cv2.dilate(plane, np.ones((3, 3), np.uint8)) > 0) & ~area
    if not edge.any():
        return None
    # JPEG softens a step over a pixel or two: the largest difference nearby counts.
    beyond = cv2.dilate(np.where(area, 0, away).astype(np.float32), np.ones((NEAR_PX, NEAR_PX), np.uint8))
    abrupt = float((beyond[edge] >= STEP).mean())
    if abrupt < ABRUPT_SHARE:
        return None
    extent = Box.around(area)
    assert extent is not None
    where = Box(
        box.top + extent.top, box.left + extent.left, box.top + extent.bottom, box.left + extent.right
    )
    return Region(where, area[extent.slices], "hole", abrupt)
