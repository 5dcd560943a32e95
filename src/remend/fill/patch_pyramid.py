"""A window at halving scales, as patch search wants it: four channels, known and unknown apart.

The fourth channel is texture: the mean gradient magnitude around a pixel. A patch that was averaged out of
disagreeing copies looks smooth, and so do its nearest neighbours; told how much texture belongs there, the
search finds textured ones (Newson et al. 2014). The channel goes through pyramid and voting like a colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.fill.patch_search import RADIUS_PX, Index
from remend.fill.push_pull import push_pull
from remend.picture import Bool, Float

__all__ = ["Level", "levels_of", "nearest_true"]

TEXTURE_WINDOW_PX = 7
LEAST_SOURCES = 64  # fewer patches than that at a level are no texture to copy from


@dataclass(slots=True)
class Level:
    """One scale.

    Attributes:
        image: (h, w, 4) float32: RGB and texture. Unknown pixels hold the present estimate.
        usable: (h, w) bool, pixels that are known.
        hole: (h, w) bool, pixels to fill.
    """

    image: Float
    usable: Bool
    hole: Bool

    @property
    def stride(self) -> int:
        """Columns of the padded image."""
        return int(self.image.shape[1]) + 2 * RADIUS_PX

    def begin_from(self, picture: Float) -> None:
        """Take the colours of ``picture``, (h, w, 3) at full size, for what is not known here."""
        while picture.shape[:2] != self.image.shape[:2]:
            picture = _halved(picture, cv2.BORDER_REPLICATE)
        self.image[~self.usable, :3] = picture[~self.usable]

    def sources(self, radius_px: int) -> Bool:
        """(h, w) bool, centres of patches that are known in whole; the frame is mirrored outwards."""
        kernel = np.ones((2 * radius_px + 1,) * 2, np.uint8)
        known = self.usable.view(np.uint8)
        return cv2.erode(known, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1).view(np.bool_)

    def centres(self) -> Bool:
        """(h, w) bool, centres of the hole patches: the hole, and a pixel around it to tie it to the rim."""
        return cv2.dilate(self.hole.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)

    def depth(self) -> Float:
        """(h, w) float32, distance to the nearest known pixel; 0 where known."""
        return np.asarray(cv2.distanceTransform((~self.usable).view(np.uint8), cv2.DIST_L2, 3), np.float32)

    def padded(self) -> Float:
        """The image mirrored outwards by `RADIUS_PX`, (rows × columns, 4)."""
        edge = RADIUS_PX
        wide = cv2.copyMakeBorder(self.image, edge, edge, edge, edge, cv2.BORDER_REFLECT_101)
        return np.asarray(wide.reshape(-1, 4), np.float32)

    def padded_plane(self, plane: Float) -> Float:
        """A plane of this level's size, mirrored outwards and flattened like the image."""
        edge = RADIUS_PX
        return np.asarray(
            cv2.copyMakeBorder(plane, edge, edge, edge, edge, cv2.BORDER_REFLECT_101).ravel(), np.float32
        )

    def flat(self, mask: Bool) -> Index:
        """Flat positions, in the padded image, of a mask's True pixels."""
        rows, columns = np.nonzero(mask)
        return ((rows + RADIUS_PX) * self.stride + columns + RADIUS_PX).astype(np.int32)

    def place(self, positions: Index) -> tuple[Index, Index]:
        """Rows and columns of flat positions."""
        rows, columns = np.divmod(positions, np.int32(self.stride))
        return rows - RADIUS_PX, columns - RADIUS_PX


def nearest_true(mask: Bool) -> NDArray[np.int64]:
    """(h, w) int64, for every pixel the flat index of the nearest True one; ``mask`` must have one.

    >>> nearest_true(np.array([[True, False, False, True]])).tolist()
    [[0, 0, 3, 3]]
    """
    away = (~mask).view(np.uint8)
    _, label = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    where = np.zeros(int(label.max()) + 1, np.int64)
    positions = np.flatnonzero(mask)
    where[label.ravel()[positions]] = positions
    return np.asarray(where[label], np.int64)


def _halved(plane: Float, beyond: int = cv2.BORDER_CONSTANT) -> Float:
    height, width = plane.shape[:2]
    even = cv2.copyMakeBorder(plane, 0, height % 2, 0, width % 2, beyond, value=0)
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.float32)


def _texture(image: Float, known: Bool) -> Float:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    # A gradient is known where all it is made of is; means are over those alone.
    inside = Level(image, known, known).sources(1).astype(np.float32)
    size = (TEXTURE_WINDOW_PX, TEXTURE_WINDOW_PX)
    total = cv2.blur(cv2.magnitude(across, down) * inside, size)
    return np.asarray(total / np.maximum(cv2.blur(inside, size), 1e-3), np.float32)


def levels_of(
    window: Float, hole: Bool, usable: Bool, *, coarsest_radius_px: float, texture_gain: float
) -> list[Level]:
    """The window's levels, finest first, down to where the hole's inscribed radius is small enough.

    Args:
        window: (h, w, 3) float32; read under ``usable`` only.
        hole: (h, w) bool, to be filled.
        usable: (h, w) bool, known.
        coarsest_radius_px: the last level is the first whose hole has no larger inscribed radius.
        texture_gain: the texture channel's weight beside a colour's.

    Returns:
        At least one level. Unknown pixels hold a smooth fill (push–pull).

    Cost: about 0.1 µs a pixel of the window.
    """
    colour = np.where(usable[..., None], window, np.float32(0))
    image = np.dstack([colour, _texture(colour, usable) * np.float32(texture_gain)])
    mass = usable.astype(np.float32)
    target = hole.astype(np.float32)
    levels: list[Level] = []
    while True:
        known = mass >= 0.5
        level = Level(push_pull(image, known), known, ~known & (target > 0))
        if levels and not (level.hole.any() and np.count_nonzero(level.sources(1)) >= LEAST_SOURCES):
            return levels
        levels.append(level)
        radius = cv2.distanceTransform(level.hole.view(np.uint8), cv2.DIST_L2, 3).max()
        if radius <= coarsest_radius_px or min(hole.shape) < 8:
            return levels
        below = _halved(mass)
        image = _halved(image * mass[..., None]) / np.maximum(below, np.float32(1e-6))[..., None]
        mass, target = below, _halved(target)
