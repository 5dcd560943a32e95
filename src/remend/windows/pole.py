"""The pole of a 360° panorama as a window without distortion: on the plane that touches the sphere there.

In the equirectangular picture the last rows are one place drawn out over the whole width, and no filler knows
what to make of that. Seen straight down, or up, it is a picture like any other. What was filled there is
carried back once, into the hole and nowhere else.

Reference: Snyder, "Map Projections: A Working Manual", USGS Professional Paper 1395, 1987 (gnomonic, p. 164).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, degrees, pi, radians, tan
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float, Picture
from remend.samples import LIMITS, readable
from remend.windows.rings import joined_round

__all__ = ["Pole", "View", "poles_of"]

Array = NDArray[Any]

TOUCHES_DEG = 42.0  # a hole that comes so near to the pole is drawn out by half and more there
REACH_DEG = 60.0  # beyond it the panorama is less distorted than the plane
SIGHT_DEG = 68.0  # of the widest view, to each side
CONTEXT_DEG, CONTEXT_SHARE = 15.0, 0.6  # seen around the hole: so much, or so much of its radius
PAD_PX = 4  # of rows beyond the pole and columns beyond the border, for interpolation
MOST_SIDE_PX = 32_000  # OpenCV's remap counts with 15 bits


@dataclass(frozen=True, slots=True)
class View:
    """A pole of a panorama on its tangent plane.

    Attributes:
        picture: (side, side) samples of the panorama's kind, flat.
        hole: (side, side) bool, all that is damaged there.
    """

    picture: Picture
    hole: Bool


@dataclass(frozen=True, slots=True)
class Pole:
    """What is to be filled around one pole, and how it is seen.

    Attributes:
        down: the nadir, not the zenith.
        hole: (rows, W) bool, what the view fills, from the pole's own row on: row 0 is the pole's.
        size: the panorama's height and width.
        sight_rad: from the pole to the middle of each side of the view.
        turn_px: the column of the panorama that is ahead: it follows what is shown, so that it does not
            matter where the file begins.
    """

    down: bool
    hole: Bool
    size: tuple[int, int]
    sight_rad: float
    turn_px: int

    @property
    def focal_px(self) -> float:
        """Pixels of a radian at the pole: as many as the panorama has."""
        return self.size[0] / pi

    @property
    def side_px(self) -> int:
        """Of the view, which is square."""
        return 2 * ceil(self.focal_px * tan(self.sight_rad))

    @property
    def box(self) -> Box:
        """Where ``hole`` lies in the panorama."""
        (height, width), rows = self.size, len(self.hole)
        return Box(height - rows, 0, height, width) if self.down else Box(0, 0, rows, width)

    @property
    def name(self) -> str:
        """In words."""
        return "nadir" if self.down else "zenith"

    def upright(self, rows: Bool) -> Bool:
        """Rows counted from the pole as rows of the panorama, and the other way round."""
        return rows[::-1] if self.down else rows

    def look(self, picture: Picture, pending: Bool) -> View:
        """The pole seen straight on.

        Args:
            picture: the panorama.
            pending: (H, W) bool, what is damaged in it.

        Cost: one interpolation of the view.
        """
        x, y = self._places()
        cap = self._cap(picture.samples, y)
        map_x, map_y = x.astype(np.float32) + PAD_PX, y.astype(np.float32) + PAD_PX
        # A pixel is interpolated from its neighbours: what touches damage is damaged.
        hole = self._touched(self._cap(pending, y), map_x, map_y)
        samples = _sampled(cap, map_x, map_y, picture.samples.dtype)
        whole = replace(picture, samples=cap)
        clear = readable(whole, Box(0, 0, *whole.size))
        if not clear.all():
            _blank(samples, self._touched(~clear, map_x, map_y), picture)
        return View(replace(picture, samples=samples, projection="flat"), hole)

    def lay(self, plane: Bool) -> Bool:
        """(side, side) bool: what else is known of the panorama's pixels, (H, W), as the view shows it."""
        x, y = self._places()
        cap = self._cap(plane, y).view(np.uint8)
        seen = cv2.remap(cap, x.astype(np.float32) + PAD_PX, y.astype(np.float32) + PAD_PX, cv2.INTER_NEAREST)
        return seen > 0

    def put(self, picture: Picture, filled: Picture, channels: Sequence[int]) -> None:
        """Carry a filled view back into the panorama, under the pole's hole.

        Rows far from the pole are finer on the plane than in the panorama: there several places of the view
        are averaged.

        Args:
            picture: the panorama, changed in place.
            filled: the view's picture.
            channels: which of them.
        """
        rows, columns = np.nonzero(self.hole)
        angle = (rows + 0.5) * (pi / self.size[0])
        often = np.maximum(1, np.rint(1 / np.cos(angle) ** 2)).astype(int)
        target = picture.samples[self.box.slices]
        target = target[::-1] if self.down else target
        for count in np.unique(often):
            mine = often == count
            y, x = rows[mine], columns[mine]
            total = np.zeros((len(y), target.shape[2]), np.float64)
            for step in range(count):
                within = (step + 0.5) / count
                u, v = self._seen((y + within) * (pi / self.size[0]), x)
                total += _sampled(filled.samples, u, v, None).reshape(len(y), -1)
            total /= count
            if picture.samples.dtype in LIMITS:
                total = np.clip(np.rint(total), *LIMITS[picture.samples.dtype])
            for channel in channels:
                target[y, x, channel] = total[:, channel].astype(target.dtype)

    def _places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(side, side) column and row, counted from the pole, of what each pixel of the view shows."""
        height, width = self.size
        at = np.arange(self.side_px) + 0.5 - self.side_px / 2
        right, up = at[None, :], -at[:, None] if self.down else at[:, None]
        angle = np.arctan(np.hypot(right, up) / self.focal_px)
        azimuth = np.arctan2(right, up)
        return (azimuth * (width / (2 * pi)) + self.turn_px) % width - 0.5, angle * (height / pi) - 0.5

    def _seen(self, angle: NDArray[np.float64], columns: NDArray[np.intp]) -> tuple[Float, Float]:
        """(1, n) column and row of the view that shows places of the panorama; the inverse of ``_places``."""
        azimuth = (columns + 0.5 - self.turn_px) * (2 * pi / self.size[1])
        radius = self.focal_px * np.tan(angle)
        middle = self.side_px / 2 - 0.5
        right, up = radius * np.sin(azimuth), radius * np.cos(azimuth)
        v = middle - up if self.down else middle + up
        return (middle + right).astype(np.float32)[None], v.astype(np.float32)[None]

    def _cap(self, plane: Array, y: NDArray[np.float64]) -> Array:
        """The rows that the view needs, from the pole on, with what is beyond the pole and the borders."""
        height, width = self.size
        rows = min(height, ceil(float(y.max())) + 1 + PAD_PX)
        cap = plane[height - rows :][::-1] if self.down else plane[:rows]
        beyond = np.roll(cap[:PAD_PX], width // 2, axis=1)[::-1]
        cap = np.concatenate([beyond, cap], axis=0)
        return np.ascontiguousarray(np.concatenate([cap[:, -PAD_PX:], cap, cap[:, :PAD_PX]], axis=1))

    def _touched(self, cap: Bool, map_x: Float, map_y: Float) -> Bool:
        """(side, side) bool: what is interpolated from a True pixel."""
        near = cv2.dilate(cap.view(np.uint8), np.ones((3, 3), np.uint8))
        return cv2.remap(near * np.uint8(255), map_x, map_y, cv2.INTER_LINEAR) > 0


def poles_of(picture: Picture, mask: Bool) -> list[Pole]:
    """The poles of a panorama around which something is to be filled.

    Args:
        picture: a panorama; looked at only for where it is turned to.
        mask: (H, W) bool, True = repair.

    Cost: one pass over the rows near the poles.
    """
    height, width = picture.size
    found: list[Pole] = []
    reach, near = ceil(height * REACH_DEG / 180), ceil(height * TOUCHES_DEG / 180)
    for down in (False, True):
        cap = mask[height - reach :][::-1] if down else mask[:reach]
        if not cap[:near].any():
            continue
        _, labels = cv2.connectedComponents(np.ascontiguousarray(cap).view(np.uint8), connectivity=8)
        for group in joined_round(labels):
            labels[np.isin(labels, group)] = group[0]
        wanted = np.unique(labels[:near])
        hole = np.isin(labels, wanted[wanted > 0])
        last = int(np.flatnonzero(hole.any(axis=1))[-1]) + 1
        far = degrees(last * pi / height)
        sight = radians(min(SIGHT_DEG, max(far + CONTEXT_DEG, far * (1 + CONTEXT_SHARE))))
        turn = _ahead(picture, mask, rows=ceil(sight * height / pi), down=down)
        pole = Pole(down, hole[:last].copy(), picture.size, sight, turn)
        if max(pole.side_px, width + 2 * PAD_PX) <= MOST_SIDE_PX:
            found.append(pole)
    return found


def _ahead(picture: Picture, mask: Bool, *, rows: int, down: bool) -> int:
    """The column towards which what is known in the ``rows`` nearest to a pole is brightest, on average."""
    rows = min(rows, picture.height)
    near = slice(picture.height - rows, None) if down else slice(rows)
    values = np.nan_to_num(picture.samples[near, :, 0].astype(np.float64), posinf=0, neginf=0)
    known = np.where(mask[near], 0, values).sum(axis=0)
    wave = np.exp(2j * pi * (np.arange(picture.width) + 0.5) / picture.width)
    return round(float(np.angle((known * wave).sum())) * picture.width / (2 * pi)) % picture.width


def _sampled(plane: Array, x: Float, y: Float, dtype: Any) -> Array:
    """Channels interpolated at places.

    Args:
        plane: (h, w, c).
        x, y: (rows, columns), where.
        dtype: rounded and clipped to it; None = floating point.
    """
    channels: list[Array] = []
    for channel in range(plane.shape[2]):
        exact = plane.dtype == np.float64
        work: NDArray[np.floating[Any]] = plane[..., channel].astype(np.float64 if exact else np.float32)
        runs = range(0, x.shape[1], MOST_SIDE_PX)
        parts = [
            cv2.remap(work, x[:, at : at + MOST_SIDE_PX], y[:, at : at + MOST_SIDE_PX], cv2.INTER_CUBIC)
            for at in runs
        ]
        value: Array = np.concatenate(parts, axis=1)
        if dtype is not None:
            if dtype in LIMITS:
                value = np.clip(np.rint(value), *LIMITS[dtype])
            value = value.astype(dtype)
        channels.append(value)
    return np.stack(channels, axis=2)


def _blank(samples: Array, where: Bool, picture: Picture) -> None:
    """Mark pixels that carry nothing as the picture marks its own."""
    if picture.alpha_channel is not None:
        samples[where, picture.alpha_channel] = 0
    elif samples.dtype.kind == "f":
        samples[where] = np.nan
    elif picture.container is not None:
        details = picture.container.details
        samples[where] = details.get("transparent", details.get("nodata"))
