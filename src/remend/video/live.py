"""Holes filled while the picture is being taken: only frames that have been are looked at, each once.

Each pixel of a hole knows in which frame it was last seen, and where; the next frame takes that over along
its motion, so a pixel is resampled once however long it stays hidden. What no frame has shown is made up by
the net for thin damage, once, and carried like anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.fill.neural import Neural, thin
from remend.fill.push_pull import push_pull
from remend.picture import Bool, Float
from remend.video.agreement import squares
from remend.video.flow import Frame, Motion, look, motion_between, sample
from remend.video.past import Past
from remend.video.rim import Rim
from remend.video.trail import at, inside

__all__ = ["Live", "Shown"]

Samples = NDArray[np.uint8] | NDArray[np.uint16]
MOTION_PX = 40_000  # that motion is measured on; larger frames are made smaller for it
MATCH_MOST = 0.10  # of the range: what differs more is no exposure, it is something else
DRIFT_PX = 0.08  # that a frame adds to what is not known of a position
CONFUSED_PX = 2.0  # doubt of a look that shows something before the scene where the scene is sought
LOST_PX = 4.0  # doubt from which a position says nothing
NOISE, DOUBT_COSTS = 0.012, 0.05  # deviation of one look, and more of it for a pixel of doubt
MADE = 0.15  # deviation of what was made up
AGED = 0.08  # deviation that a frame adds to what was filled in the one before
STILL, STILL_DEEP = 0.12, 0.006  # deviation of what is around, at the rim and for each pixel further inside
SLIVER_PX = 2.5  # what is no deeper is continued from beside it: too thin for a net to matter
NET_AROUND_PX = 24  # that the net sees around what it fills


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame, done.

    Attributes:
        pixels: (H, W, 3) as they came; only samples under the hole may differ.
        hole: (H, W) bool.
        seen, made: how many pixels of the hole an earlier frame had shown, and how many were made up, now or
            before.
        cut: the frame begins a scene.
    """

    pixels: Samples
    hole: Bool
    seen: int
    made: int
    cut: bool


@dataclass(slots=True)
class _Sources:
    """Where each of n pixels was last seen: which frame of the past, where in it, how far that may be off."""

    frame: NDArray[np.int32]  # -1 = nowhere
    xy: Float
    doubt: Float
    made: Bool  # it was made up there
    then: Float  # where it was in the frame before
    variance: Float  # of what it was filled with there, infinite = nothing; when it is filled, of that

    @staticmethod
    def none(xy: Float) -> _Sources:
        """Of pixels that were seen nowhere."""
        n, zero = len(xy), np.zeros(len(xy), np.float32)
        never = np.full(n, np.inf, np.float32)
        return _Sources(np.full(n, -1, np.int32), xy.copy(), zero, np.zeros(n, np.bool_), xy.copy(), never)

    def put(self, which: NDArray[np.intp], frame: Any, xy: Float, doubt: Float, made: Any) -> None:
        """Say it of some pixels."""
        self.frame[which], self.xy[which], self.doubt[which], self.made[which] = frame, xy, doubt, made

    def of(self, which: NDArray[np.intp]) -> _Sources:
        """Those of some pixels."""
        return _Sources(
            *(getattr(self, name)[which] for name in ("frame", "xy", "doubt", "made", "then", "variance"))
        )


class Live:
    """Repairs frames as they come: one call a frame, in order; some may be missing between two calls.

    Cost: at 432×240 25 to 37 ms of one core a frame; in memory up to 90 frames, 256 MiB at most.
    """

    def __init__(self) -> None:
        self.past = Past()
        self.before: Frame | None = None  # the frame before, as its motion is measured
        self.hole: Bool | None = None  # of it
        self.index: NDArray[np.int32] | None = None  # (H, W) number of a pixel in ``sources``, in holes
        self.sources: _Sources | None = None

    def mend(self, pixels: Samples, hole: Bool) -> Shown:
        """Fill one frame.

        Args:
            pixels: (H, W, 3) RGB uint8 or uint16; not written to.
            hole: (H, W) bool, True = repair.

        Raises:
            MaskError: of another size than the frame, or than the frames before.
        """
        if hole.shape != pixels.shape[:2] or (self.hole is not None and hole.shape != self.hole.shape):
            raise MaskError(
                f"a mask of {hole.shape} for a frame of {pixels.shape[:2]}: both stay of one size"
            )
        scale = _scale(hole.shape)
        small = _small(pixels, hole, scale)
        result = pixels.copy()
        rim = Rim(Frame(pixels, hole, hole, small.grey)) if hole.any() else None
        sources, cut, made = None, False, 0
        if rim is not None:
            sources, cut = self._sources(rim, small, scale)
            made = self._fill(result, hole, rim, sources)
        self.before, self.hole = small, hole
        if rim is None or sources is None:
            self.past.add(result)
            self.index, self.sources = None, None
            return Shown(result, hole, 0, 0, False)
        fresh = sources.frame < 0
        slot = self.past.add(result)
        sources.frame[fresh], sources.xy[fresh], sources.made[fresh] = slot, rim.xy[: rim.inner][fresh], True
        sources.doubt[fresh] = 0
        index = np.full(hole.shape, -1, np.int32)
        index[rim.ys[: rim.inner], rim.xs[: rim.inner]] = np.arange(rim.inner)
        self.index, self.sources = index, sources
        return Shown(result, hole, rim.inner - made, made, cut)

    def _sources(self, rim: Rim, small: Frame, scale: int) -> tuple[_Sources, bool]:
        """Where the pixels of a hole were seen; whether the frame begins a scene."""
        n = rim.inner
        xy = rim.xy[:n]
        found = _Sources.none(xy)
        if self.before is None or self.hole is None:
            return found, False
        back, ahead = motion_between(small, self.before)
        if back.cut:
            self.past.forget()
            return found, True
        self.past.expose(ahead.gain, ahead.offset)
        places = (xy - np.float32((scale - 1) / 2)) / np.float32(scale)
        own = at(back.own, places)
        # What is beside something that moves on its own may be of that, or of the scene.
        for strict in (True, False):
            for layer, of in ((True, own), (False, np.ones(n, np.bool_))):
                which = np.flatnonzero(of & (found.frame < 0))
                if len(which):
                    self._trace(found, which, xy, places, layer, strict, (back, ahead), scale)
        return found, False

    def _trace(
        self,
        found: _Sources,
        which: NDArray[np.intp],
        xy: Float,
        places: Float,
        own: bool,
        strict: bool,
        motions: tuple[Motion, Motion],
        scale: int,
    ) -> None:
        """Follow some pixels to the frame before, as parts of the scene or of what moves on its own."""
        assert self.hole is not None
        back, ahead = motions
        flow = sample(back.flow if own else back.scene, places[which]) * np.float32(scale)
        miss = sample(back.error if own else back.scene_error, places[which]) * np.float32(scale)
        then, step = xy[which] + flow, np.square(miss) + np.float32(DRIFT_PX**2)
        near = np.clip(np.rint(then), 0, (self.hole.shape[1] - 1, self.hole.shape[0] - 1)).astype(np.intp)
        hidden = self.hole[near[:, 1], near[:, 0]]
        fine = inside(then, self.hole.shape)
        alike = at(ahead.own, (then - np.float32((scale - 1) / 2)) / np.float32(scale)) == own
        last = self.past.last
        if not strict:
            step = step + np.where(alike, np.float32(0), np.float32(CONFUSED_PX**2))
            alike[:] = True
        shown = np.flatnonzero(fine & ~hidden & alike)
        found.put(which[shown], last, then[shown], np.sqrt(step[shown]), False)
        held = np.flatnonzero(fine & hidden)
        if len(held) and self.index is not None and self.sources is not None:
            earlier = self.sources.of(self.index[near[held, 1], near[held, 0]].astype(np.intp))
            doubt = np.sqrt(np.square(earlier.doubt) + step[held])
            kept = self.past.holds(earlier.frame) & (doubt < LOST_PX)
            # What has been too long ago, or is lost, goes on from how the frame before was filled.
            moved = earlier.xy + (then[held] - near[held])
            found.put(
                which[held],
                np.where(kept, earlier.frame, last),
                np.where(kept[:, None], moved, then[held]),
                np.where(kept, doubt, earlier.doubt),
                earlier.made,
            )
            found.then[which[held]], found.variance[which[held]] = (
                then[held],
                earlier.variance + np.float32(AGED**2),
            )

    def _fill(self, result: Samples, hole: Bool, rim: Rim, sources: _Sources) -> int:
        """Put what was seen, then what is made up of it; how many pixels were made up, now or before."""
        top = np.float32(np.iinfo(result.dtype).max)
        n, held = rim.inner, sources.frame >= 0
        values = np.zeros((n, 3), np.float32)
        variance = np.full(n, np.inf, np.float32)
        if held.any():
            led = held[rim.leads]
            leads = rim.leads[led]
            xy = sources.xy[leads] + rim.beside[led]
            colours = np.zeros((len(rim.leads), 3), np.float32)
            colours[led] = self.past.colours(sources.frame[leads], xy)
            off = np.where(led[n:, None], rim.actual - colours[n:], 0)
            good = led[n:] & (np.abs(off).max(axis=1) < MATCH_MOST)
            wrong = np.where(led[n:], squares(off), 0)
            values[held] = colours[:n][held]
            unsure = np.square(sources.doubt * np.float32(DOUBT_COSTS)) + np.float32(NOISE**2)
            variance[held] = unsure[held] + np.where(sources.made[held], np.float32(MADE**2), 0)
            if led[n:].any():
                told = np.concatenate([off * good[:, None], good[:, None], wrong[:, None]], axis=1)
                spread = _spread(rim, told.astype(np.float32), led[n:])[held]
                # Where the rim shows something else, what is inside may belong to that.
                values[held] += spread[:, :3] / np.maximum(spread[:, 3:4], np.float32(0.1))
                variance[held] += spread[:, 4]
        ys, xs = rim.ys[:n], rim.xs[:n]

        def put(which: Bool) -> None:
            coded = np.clip(np.rint(values[which] * top), 0, top)
            result[ys[which], xs[which]] = coded.astype(result.dtype)

        around, deep = _still(rim, result, hole)
        unsure = np.square(np.float32(STILL) + np.float32(STILL_DEEP) * deep)
        share = (variance[held] / (variance[held] + unsure[held]))[:, None]
        values[held] += (around[held] - values[held]) * share
        variance[held] *= 1 - share[:, 0]
        before = np.isfinite(sources.variance)
        if before.any():
            last = np.full(np.count_nonzero(before), self.past.last, np.int32)
            share = (variance[before] / (variance[before] + sources.variance[before]))[:, None]
            values[before] += (self.past.colours(last, sources.then[before]) - values[before]) * share
            variance[before] *= 1 - share[:, 0]
        sources.variance = np.where(held, variance, np.float32(0.04))
        values[~held] = around[~held]
        put(np.ones(n, np.bool_))
        fresh = ~held
        if fresh.any():
            rest = np.zeros(hole.shape, np.bool_)
            rest[ys[fresh], xs[fresh]] = True
            _make_up(result, rest)
        return int(np.count_nonzero(fresh | sources.made))


def _scale(size: tuple[int, ...]) -> int:
    """By how much a frame is made smaller for its motion."""
    return max(1, int(np.ceil(np.sqrt(size[0] * size[1] / MOTION_PX))))


def _small(pixels: Samples, hole: Bool, scale: int) -> Frame:
    if scale == 1:
        return look(pixels, hole)
    height, width = -(-hole.shape[0] // scale), -(-hole.shape[1] // scale)
    down, right = height * scale - hole.shape[0], width * scale - hole.shape[1]
    grown = cv2.dilate(hole.view(np.uint8), np.ones((scale, scale), np.uint8), anchor=(0, 0))
    wide: Any = pixels
    if down or right:
        wide = cv2.copyMakeBorder(pixels, 0, down, 0, right, cv2.BORDER_REPLICATE)
    shrunk: Any = cv2.resize(wide, (width, height), interpolation=cv2.INTER_AREA)
    return look(shrunk, np.ascontiguousarray(np.asarray(grown)[::scale, ::scale]).view(np.bool_))


def _spread(rim: Rim, values: Float, known: Bool) -> Float:
    """(n, c) values of the rim continued smoothly into the hole, reckoned at half size."""
    size = ((rim.box.height + 1) // 2, (rim.box.width + 1) // 2)
    plane = np.zeros((*size, values.shape[1]), np.float32)
    where = np.zeros(size, np.bool_)
    ys, xs = (rim.ys - rim.box.top) // 2, (rim.xs - rim.box.left) // 2
    outer = np.flatnonzero(known) + rim.inner
    plane[ys[outer], xs[outer]] = values[known]
    where[ys[outer], xs[outer]] = True
    return np.asarray(push_pull(plane, where)[ys[: rim.inner], xs[: rim.inner]], np.float32)


def _still(rim: Rim, pixels: Samples, hole: Bool) -> tuple[Float, Float]:
    """(n, 3) what is around, continued smoothly into the hole, in [0, 1]; (n,) how deep each pixel lies."""
    part, n = rim.box.slices, rim.inner
    ys, xs = rim.ys[:n] - rim.box.top, rim.xs[:n] - rim.box.left
    smooth = push_pull(pixels[part].astype(np.float32), ~hole[part])[ys, xs]
    deep = np.asarray(cv2.distanceTransform(hole[part].view(np.uint8), cv2.DIST_L2, 3))[ys, xs]
    deep = np.minimum(deep, np.float32(max(hole.shape)))  # where there is nothing but hole OpenCV says 1e38
    return smooth / np.float32(np.iinfo(pixels.dtype).max), deep


@lru_cache(maxsize=1)
def _net() -> Neural:
    return thin()


def _make_up(pixels: Samples, hole: Bool) -> None:
    """What no frame has shown, filled in place: by the net where it is more than a sliver."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        cv2.dilate(hole.view(np.uint8), np.ones((2 * NET_AROUND_PX + 1,) * 2, np.uint8))
    )
    deep = np.asarray(cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3))
    top = np.float32(np.iinfo(pixels.dtype).max)
    for number in range(1, count):
        left, upper, width, height = boxes[number, :4]
        part = np.s_[upper : upper + height, left : left + width]
        inner = hole[part] & (labels[part] == number)
        if deep[part][inner].max() <= SLIVER_PX:
            continue
        window = pixels[part].astype(np.float32) / top
        filled = _net().fill(window, inner, usable=~hole[part]).pixels
        coded = np.clip(np.rint(filled[inner] * top), 0, top)
        pixels[part][inner] = coded.astype(pixels.dtype)
