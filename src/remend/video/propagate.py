"""Holes filled from the frames where they are none: frames and masks in, frames out, in one pass.

A window of frames moves along the clip. The pixels of a hole are followed along the flow to both sides, to
the nearest frames that show them; their colours are matched to the rim of the hole, and both sides are mixed
as far as each is believed. What no frame shows is taken from the frame before, so that it stays what it was;
only what has never been there is filled as a still picture would be.

References: J.-B. Huang et al., Temporally coherent completion of dynamic video, SIGGRAPH Asia 2016;
R. Xu et al., Deep flow-guided video inpainting, CVPR 2019 (propagation along completed flow); the seam by
smooth differences: P. Pérez, M. Gangnet, A. Blake, Poisson image editing, SIGGRAPH 2003.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.fill.push_pull import push_pull
from remend.options import Settings
from remend.picture import Bool, Box, Float, Picture
from remend.pipeline import repair_picture
from remend.video.carried import Carried
from remend.video.flow import Frame, Motion, look, motion_between
from remend.video.trail import Sight, at, colours, follow, inside

__all__ = ["Mended", "Options", "propagate"]

Samples = NDArray[np.uint8] | NDArray[np.uint16]
RIM_PX = 3  # of known pixels around a hole, by which what comes from elsewhere is matched
MATCH_MOST = 0.10  # of the range: what differs more is no exposure
NOISE = 0.012  # that two looks at one thing differ by
WEAK, STILL = 0.05, 0.04  # deviation from which a still fill is asked, and that of its answer
SHALLOW_PX = 4.0  # deeper inside a hole a still fill knows nothing
DOUBT_COSTS = 0.03  # of the range, for a pixel's width of doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to propagate.

    Attributes:
        reach: how many frames to each side are looked at.
        sights: how many frames to each side are averaged, where so many show a pixel.
        settings: of the still fill, for what no frame shows.
    """

    reach: int = 20
    sights: int = 2
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Mended:
    """One frame, done.

    Attributes:
        pixels: (H, W, 3) as they came; only samples under ``hole`` may differ.
        hole: (H, W) bool.
        confidence: (H, W) float32, 0 (made up) to 1 (known); how far each pixel is to be believed.
        shown, carried, made: how many pixels of the hole came from other frames, from the frame before,
            and from the still fill.
        cut: the frame begins a scene.
    """

    pixels: Samples
    hole: Bool
    confidence: Float
    shown: int
    carried: int
    made: int
    cut: bool


def propagate(
    frames: Iterable[tuple[Samples, Bool]],
    options: Options | None = None,
    *,
    carried: Carried | None = None,
    start: int = 0,
    first: int = 0,
) -> Iterator[Mended]:
    """Fill the holes of a clip, frame by frame.

    Args:
        frames: pixels (H, W, 3) RGB uint8 or uint16 and hole (H, W) bool, True = repair; all of one size.
        options: how.
        carried: what the frame before ``first`` left behind, for a clip that is taken up again.
        start: the number of the first of ``frames``.
        first: the first frame that is answered; those before are only looked at. To be the same as in one
            run, ``frames`` must begin ``options.reach`` before it.

    Yields:
        A `Mended` for each frame, ``options.reach`` frames behind what is read.

    Raises:
        MaskError: a mask of another size than its frame.

    Cost: at 432×240 some 60 ms a frame; in memory 2 · reach + 1 frames with 24 bytes a pixel each, at
    half the size beyond half a megapixel.
    """
    options = options or Options()
    window = _Window(options, carried or Carried(), start)
    here = start
    for pixels, hole in frames:
        if hole.shape != pixels.shape[:2]:
            raise MaskError(
                f"a mask of {hole.shape} for a frame of {pixels.shape[:2]}: both must be of one size"
            )
        window.add(look(pixels, hole))
        if window.last - here >= options.reach:
            if here >= first:
                yield window.mend(here)
            here += 1
    while here <= window.last:
        if here >= first:
            yield window.mend(here)
        here += 1


class _Window:
    """The frames around one, and their motions, measured when first asked for."""

    def __init__(self, options: Options, carried: Carried, start: int) -> None:
        self.options, self.carried = options, carried
        self.frames: deque[Frame] = deque(maxlen=2 * options.reach + 1)
        self.motions: dict[int, tuple[Motion, Motion]] = {}
        self.last = start - 1

    def add(self, frame: Frame) -> None:
        """Move on by one frame."""
        self.frames.append(frame)
        self.last += 1
        self.motions.pop(self.last - len(self.frames), None)

    def frame(self, number: int) -> Frame | None:
        """A frame by its number in the clip; None where there is none, or it has left."""
        place = number - self.last + len(self.frames) - 1
        return self.frames[place] if 0 <= place < len(self.frames) else None

    def step(self, number: int, way: int) -> tuple[Frame, Motion] | None:
        """The frame after (``way`` 1) or before (-1) one, and the motion to it."""
        here, there = self.frame(number), self.frame(number + way)
        if here is None or there is None:
            return None
        first = min(number, number + way)
        if first not in self.motions:
            earlier, later = (here, there) if way > 0 else (there, here)
            self.motions[first] = motion_between(earlier, later)
        return there, self.motions[first][0 if way > 0 else 1]

    def mend(self, number: int) -> Mended:
        """Fill one frame."""
        frame = self.frame(number)
        assert frame is not None
        back = self.step(number, -1) if frame.hole.any() or self.carried.busy else None
        cut = back is not None and back[1].cut
        if back is None or cut:
            self.carried.forget()
        else:
            self.carried.move(self.motions[number - 1][0])
        if not frame.hole.any():
            self.carried.rest(frame.pixels, frame.hole)
            known = np.ones(frame.hole.shape, np.float32)
            return Mended(frame.pixels, frame.hole, known, 0, 0, 0, cut)
        rim = _Rim(frame)
        sides = []
        for way in (-1, 1):

            def steps(k: int, way: int = way) -> tuple[Frame, Motion] | None:
                return self.step(number + way * (k - 1), way)

            reach, sights = self.options.reach, self.options.sights
            sides.append(rim.side(follow(rim.xy[: rim.inner], steps, reach=reach, sights=sights)))
        values, variance = _mixed(*sides)
        shown = np.isfinite(variance)
        wanting = np.flatnonzero(~shown)
        held = 0
        if len(wanting) and back is not None and not cut:
            kept = self.carried.sights(rim.xy[: rim.inner][wanting], back[1], frame)
            side = rim.side([_of(sight, wanting) for sight in kept], match=False)
            got = np.isfinite(side[1]) & ~shown
            values[got], variance[got] = side[0][got], side[1][got] + np.float32(0.1**2)
            held = int(np.count_nonzero(got))
        return self._put(frame, rim, values, variance, shown, held, cut)

    def _put(
        self, frame: Frame, rim: _Rim, values: Float, variance: Float, shown: Bool, held: int, cut: bool
    ) -> Mended:
        """Compose, fill what is left as a still picture, and remember."""
        ys, xs = rim.ys[: rim.inner], rim.xs[: rim.inner]
        done = np.isfinite(variance)
        pixels = frame.pixels.copy()
        coded = np.clip(np.rint(values[done] * np.float32(frame.top)), 0, frame.top)
        pixels[ys[done], xs[done]] = coded.astype(pixels.dtype)
        rest = np.zeros(frame.hole.shape, np.bool_)
        rest[ys[~done], xs[~done]] = True
        made = int(rest.sum())
        # What is near to something known is known from there, too; where the flow is lost that is better.
        weak = shown & (variance > WEAK**2)
        if weak.any():
            rest[ys[weak], xs[weak]] = True
            deep = np.asarray(cv2.distanceTransform(rest.view(np.uint8), cv2.DIST_L2, 3))[ys, xs]
            far = weak & (deep > SHALLOW_PX)
            rest[ys[far], xs[far]] = False
            weak &= ~far
        if rest.any():
            repair_picture(Picture(pixels, "RGB"), rest, self.options.settings)
        if weak.any():
            still = pixels[ys[weak], xs[weak]].astype(np.float32)
            share = (variance[weak] / (variance[weak] + np.float32(STILL**2)))[:, None]
            both = coded[weak[done]] * (1 - share) + still * share
            pixels[ys[weak], xs[weak]] = np.clip(np.rint(both), 0, frame.top).astype(pixels.dtype)
        confidence = np.ones(frame.hole.shape, np.float32)
        confidence[ys, xs] = np.where(
            done, np.exp(-np.sqrt(np.where(done, variance, 0)) / np.float32(0.1)), 0
        )
        self.carried.rest(pixels, frame.hole)
        return Mended(pixels, frame.hole, confidence, int(np.count_nonzero(shown)), held, made, cut)


def _of(sight: Sight, which: NDArray[np.intp]) -> Sight:
    """A sight of some pixels as one of all."""
    return Sight(sight.frame, which[sight.which], sight.xy, sight.doubt, sight.gain, sight.offset)


class _Rim:
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
        self.apart = self.xy - self.xy[self.leads]
        self.actual = frame.pixels[rim_y + self.box.top, rim_x + self.box.left].astype(np.float32) / frame.top

    def side(self, seen: list[Sight], *, match: bool = True) -> tuple[Float, Float]:
        """What one side of time shows in the hole: (n, 3) colours, (n,) variance, infinite = nothing."""
        total = np.zeros((len(self.xy), 3), np.float32)
        weight = np.zeros(len(self.xy), np.float32)
        doubt = np.zeros(len(self.xy), np.float32)
        for sight in seen:
            place = np.full(self.inner, -1, np.intp)
            place[sight.which] = np.arange(len(sight.which))
            source = place[self.leads]
            shown = np.flatnonzero(source >= 0)
            xy = sight.xy[source[shown]] + self.apart[shown]
            fine = inside(xy, sight.frame.hole.shape)
            fine[fine] = ~at(sight.frame.near, xy[fine])
            shown, xy = shown[fine], xy[fine]
            if not len(shown):
                continue
            unsure = sight.doubt[source[shown]]
            share = 1 / (np.float32(NOISE**2) + np.square(unsure * np.float32(DOUBT_COSTS)))
            total[shown] += colours(sight, xy) * share[:, None]
            weight[shown] += share
            doubt[shown] += share * unsure
        found = weight > 0
        total[found] /= weight[found, None]
        doubt[found] /= weight[found]
        values = total[: self.inner]
        variance = np.full(self.inner, np.inf, np.float32)
        inner = found[: self.inner]
        variance[inner] = NOISE**2 + np.square(doubt[: self.inner][inner] * np.float32(DOUBT_COSTS))
        rim = found[self.inner :]
        if match and rim.any() and inner.any():
            off = np.clip(self.actual - total[self.inner :], -MATCH_MOST, MATCH_MOST)
            spread = self._spread(
                np.concatenate([off, np.square(off).sum(axis=1, keepdims=True)], axis=1), rim
            )
            values[inner] += spread[inner, :3]
            variance[inner] += np.maximum(spread[inner, 3] - np.square(spread[inner, :3]).sum(axis=1), 0)
        return values, variance

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


def _mixed(past: tuple[Float, Float], future: tuple[Float, Float]) -> tuple[Float, Float]:
    """Both sides of time, each as far as it is believed."""
    values_a, variance_a = past
    values_b, variance_b = future
    a, b = 1 / variance_a, 1 / variance_b
    # Where the two disagree one of them is wrong, and the mean would be wrong for sure.
    apart = np.square(values_a - values_b).sum(axis=1)
    both = (a > 0) & (b > 0)
    sharp = np.where(both, 1 + np.minimum(apart / np.float32((3 * NOISE) ** 2), 3), 1).astype(np.float32)
    most = np.maximum(np.maximum(a, b), 1e-12)
    a_share, b_share = np.power(a / most, sharp), np.power(b / most, sharp)
    total = np.maximum(a_share + b_share, 1e-12)
    values = (values_a * a_share[:, None] + values_b * b_share[:, None]) / total[:, None]
    with np.errstate(divide="ignore"):
        variance = np.where(both, np.minimum(variance_a, variance_b) + apart / 4, 1 / (a + b))
    return values.astype(np.float32), variance.astype(np.float32)
