"""The rim of a hole: by what is known there, what comes from other frames is matched and judged."""

from __future__ import annotations

import cv2
import numpy as np

from remend.fill.push_pull import push_pull
from remend.picture import Bool, Box, Float
from remend.video.agreement import agreed, squares
from remend.video.flow import Frame
from remend.video.trail import Sight, at, colours, inside

__all__ = ["Rim"]

RIM_PX = 3  # of known pixels around a hole, by which what comes from elsewhere is matched
MATCH_MOST = 0.10  # of the range: what differs more is no exposure, it is something else
NOISE = 0.012  # that two looks at one thing differ by
DOUBT_COSTS = 0.03  # of the range, for a pixel's width of doubt


class Rim:
    """The pixels of a hole, then those of its rim, each with the pixel of the hole that is nearest to it."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        box = Box.around(frame.hole)
        assert box is not None
        self.box = box.grown(RIM_PX + 1, frame.hole.shape)
        hole = np.ascontiguousarray(frame.hole[self.box.slices])
        distance, labels = cv2.distanceTransformWithLabels(
            (~hole).view(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
        )
        ys, xs = np.nonzero(hole)
        self.inner = len(ys)
        order = np.zeros(int(labels.max()) + 1, np.intp)
        order[labels[ys, xs]] = np.arange(self.inner)
        rim_y, rim_x = np.nonzero((distance > 0) & (distance <= RIM_PX))
        self.ys = np.concatenate([ys, rim_y]) + self.box.top
        self.xs = np.concatenate([xs, rim_x]) + self.box.left
        self.xy = np.stack([self.xs, self.ys], axis=1).astype(np.float32)
        self.leads = np.concatenate([np.arange(self.inner), order[labels[rim_y, rim_x]]])
        self.beside = self.xy - self.xy[self.leads]
        self.actual = frame.pixels[rim_y + self.box.top, rim_x + self.box.left].astype(np.float32) / frame.top

    def side(
        self, seen: list[Sight], slots: int, *, match: bool = True, around: bool = False
    ) -> tuple[Float, Float]:
        """What one side of time shows in the hole: (s, n, 3) colours, (s, n) variance, infinite = nothing.

        Args:
            seen: by whom, nearest first.
            slots: how often a pixel is seen at most.
            match: whether to match it to the rim.
            around: whether what is not sure of its place is read around it, too.
        """
        values = np.zeros((slots, len(self.xy), 3), np.float32)
        variance = np.full((slots, len(self.xy)), np.inf, np.float32)
        taken = np.zeros(len(self.xy), np.intp)
        for sight in seen:
            place = np.full(self.inner, -1, np.intp)
            place[sight.which] = np.arange(len(sight.which))
            source = place[self.leads]
            shown = np.flatnonzero(source >= 0)
            xy = sight.xy[source[shown]] + self.beside[shown]
            fine = inside(xy, sight.frame.hole.shape)
            fine[fine] = ~at(sight.frame.near, xy[fine])
            shown, xy = shown[fine], xy[fine]
            if not len(shown):
                continue
            slot = taken[shown]
            unsure = sight.doubt[source[shown]]
            values[slot, shown] = colours(sight, xy, unsure if around else None)
            variance[slot, shown] = NOISE**2 + np.square(unsure * np.float32(DOUBT_COSTS))
            taken[shown] += 1
        inner, rim = taken[: self.inner] > 0, taken[self.inner :] > 0
        if match and rim.any() and inner.any():
            shown_rim, _ = agreed(values[:, self.inner :], variance[:, self.inner :])
            off = np.where(rim[:, None], self.actual - shown_rim, 0)
            wrong = squares(off)
            good = rim & (np.abs(off).max(axis=1) < MATCH_MOST)
            if good.any():
                spread = self._spread(np.concatenate([off, wrong[:, None]], axis=1), good)
                values[:, : self.inner] += spread[:, :3]
                variance[:, : self.inner] += np.maximum(spread[:, 3] - squares(spread[:, :3]), 0)
            # Where the rim shows something else, what is inside may belong to that.
            variance[:, : self.inner] += self._spread(np.where(good, 0, wrong)[:, None], rim)[:, 0]
        return values[:, : self.inner], variance[:, : self.inner]

    def _spread(self, rim_values: Float, known: Bool) -> Float:
        """(n, c) values of the rim continued smoothly into the hole."""
        size = (self.box.height, self.box.width)
        plane = np.zeros((*size, rim_values.shape[1]), np.float32)
        where = np.zeros(size, np.bool_)
        ys, xs = self.ys[self.inner :][known] - self.box.top, self.xs[self.inner :][known] - self.box.left
        plane[ys, xs] = rim_values[known]
        where[ys, xs] = True
        ys, xs = self.ys[: self.inner] - self.box.top, self.xs[: self.inner] - self.box.left
        return np.asarray(push_pull(plane, where)[ys, xs], np.float32)
