"""Holes filled from the frames where they are none: frames and masks in, frames out, in one pass.

A window of frames moves along the clip. The pixels of a hole are followed along the flow to both sides, to
the frames that show them, as parts of the scene and, near to something that moves on its own, as parts of
that. Their colours are matched to the rim of the hole; looks that agree are believed. What is not sure leans
on what is around it and on the frame before, so that it stays what it was. What no frame shows is taken from
the frame before; only what has never been there is filled as a still picture would be.

References: J.-B. Huang et al., Temporally coherent completion of dynamic video, SIGGRAPH Asia 2016;
R. Xu et al., Deep flow-guided video inpainting, CVPR 2019 (propagation along completed flow); the seam by
smooth differences: P. Pérez, M. Gangnet, A. Blake, Poisson image editing, SIGGRAPH 2003.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.fill.push_pull import push_pull
from remend.options import Settings
from remend.picture import Bool, Box, Float, Picture
from remend.pipeline import repair_picture
from remend.video.agreement import agreed, squares
from remend.video.carried import Carried
from remend.video.flow import Frame, Motion, look, motion_between, sample
from remend.video.rim import Rim
from remend.video.trail import Sight, Step, follow

__all__ = ["Mended", "Options", "propagate"]

Samples = NDArray[np.uint8] | NDArray[np.uint16]
OWN_REACH_PX = 24.0  # by which what moves on its own may reach into a hole
MADE = 0.2  # deviation of what a still fill made up
WEAK = 0.07  # deviation from which what is around in the same frame is asked, too
STILL, STILL_DEEP = 0.12, 0.006  # deviation of its answer at the rim, and for each pixel further inside
THIN_PX = 4.0  # where nothing is deeper a still fill is asked; else it would make things up, frame by frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to propagate.

    Attributes:
        reach: how many frames to each side are looked at.
        sights: how many frames to each side are averaged, where so many show a pixel.
        settings: of the still fill, for what no frame shows.
    """

    reach: int = 20
    sights: int = 3
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
    with ThreadPoolExecutor(1, "motion") as ahead:
        window = _Window(options, carried or Carried(), start, ahead)
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
    """The frames around one, and their motions.

    A motion is measured beside the filling of the frames before, in a thread of its own, where a hole is near
    that may ask for it; where none is, when it is first asked for.
    """

    def __init__(self, options: Options, carried: Carried, start: int, ahead: Executor) -> None:
        self.options, self.carried = options, carried
        self.frames: deque[Frame] = deque(maxlen=2 * options.reach + 1)
        self.motions: dict[int, Future[tuple[Motion, Motion]]] = {}
        self.ahead = ahead
        self.last = start - 1

    def add(self, frame: Frame) -> None:
        """Move on by one frame."""
        self.frames.append(frame)
        self.last += 1
        self.motions.pop(self.last - len(self.frames), None)
        if len(self.frames) > 1 and any(near.hole.any() for near in self.frames):
            self._measure(self.last - 1, self.frames[-2], frame)

    def _measure(self, first: int, earlier: Frame, later: Frame) -> None:
        self.motions[first] = self.ahead.submit(motion_between, earlier, later)

    def frame(self, number: int) -> Frame | None:
        """A frame by its number in the clip; None where there is none, or it has left."""
        place = number - self.last + len(self.frames) - 1
        return self.frames[place] if 0 <= place < len(self.frames) else None

    def step(self, number: int, way: int) -> Step | None:
        """To the frame after (``way`` 1) or before (-1) one."""
        here, there = self.frame(number), self.frame(number + way)
        if here is None or there is None:
            return None
        first = min(number, number + way)
        if first not in self.motions:
            earlier, later = (here, there) if way > 0 else (there, here)
            self._measure(first, earlier, later)
        ahead, back = self.motions[first].result()
        return Step(there, ahead, back) if way > 0 else Step(there, back, ahead)

    def mend(self, number: int) -> Mended:
        """Fill one frame."""
        frame = self.frame(number)
        assert frame is not None
        back = self.step(number, -1) if frame.hole.any() or self.carried.busy else None
        cut = back is not None and back.motion.cut
        if back is None or cut:
            self.carried.forget()
        else:
            self.carried.move(self.motions[number - 1].result()[0])
        if not frame.hole.any():
            self.carried.rest(frame.pixels, frame.hole)
            known = np.ones(frame.hole.shape, np.float32)
            return Mended(frame.pixels, frame.hole, known, 0, 0, 0, cut)
        rim = Rim(frame)
        values, variance = self._seen(number, rim)
        moving = self._moving(number, rim)
        if len(moving):
            own = self._seen(number, rim, moving)
            values, variance = np.concatenate([values, own[0]]), np.concatenate([variance, own[1]])
        values, variance = agreed(values, variance)
        shown = np.isfinite(variance)
        wanting = np.flatnonzero(~shown)
        held = 0
        if len(wanting) and back is not None and not cut:
            kept = self.carried.sights(rim.xy[: rim.inner][wanting], back.motion, frame)
            side = rim.side([_of(sight, wanting) for sight in kept], 1, match=False)
            got = np.isfinite(side[1][0]) & ~shown
            values[got], variance[got] = side[0][0][got], side[1][0][got] + np.float32(0.1**2)
            held = int(np.count_nonzero(got))
        steady = None
        if back is not None and not cut:
            steady = self._before(rim, moving, back.motion, values)
        return self._put(frame, rim, (values, variance), steady, shown, held, cut)

    def _seen(self, number: int, rim: Rim, of: NDArray[np.intp] | None = None) -> tuple[Float, Float]:
        """(s, n, 3) colours and (s, n) variance of a frame's hole, from both sides of time.

        Args:
            number: of the frame.
            rim: its.
            of: pixels that may belong to what moves on its own; None = all, as parts of the scene.
        """
        xy, sides = rim.xy[: rim.inner], []
        for way in (-1, 1):

            def steps(k: int, way: int = way) -> Step | None:
                return self.step(number + way * (k - 1), way)

            reach, sights = self.options.reach, self.options.sights
            if of is None:
                seen = follow(xy, steps, reach=reach, sights=sights)
            else:
                some = follow(xy[of], steps, reach=reach, sights=sights, own=True)
                seen = [_of(sight, of) for sight in some]
            sides.append(rim.side(seen, sights, around=of is not None))
        return np.concatenate([side[0] for side in sides]), np.concatenate([side[1] for side in sides])

    def _before(
        self, rim: Rim, moving: NDArray[np.intp], motion: Motion, values: Float
    ) -> tuple[Float, Float]:
        """What the frame before was filled with: of both layers that which is more like what is seen now."""
        xy = rim.xy[: rim.inner]
        kept, variance = self.carried.before(xy, motion.scene, rim.frame)
        variance += squares(kept - values) / 4
        if len(moving):
            own, unsure = self.carried.before(xy[moving], motion.flow, rim.frame)
            unsure += squares(own - values[moving]) / 4
            better = unsure < variance[moving]
            kept[moving[better]], variance[moving[better]] = own[better], unsure[better]
        return kept, variance

    def _still(
        self, pixels: Samples, hole: Bool, ys: NDArray[np.intp], xs: NDArray[np.intp], deep: Float
    ) -> Float:
        """(n, 3) what one frame alone says of some pixels of a hole, in [0, 1]."""
        if deep.max() <= THIN_PX:
            filled = pixels.copy()
            repair_picture(Picture(filled, "RGB"), hole, self.options.settings)
            return filled[ys, xs].astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
        box = Box(int(ys.min()), int(xs.min()), int(ys.max()) + 1, int(xs.max()) + 1).grown(8, hole.shape)
        smooth = push_pull(pixels[box.slices].astype(np.float32), ~hole[box.slices])
        return smooth[ys - box.top, xs - box.left] / np.float32(np.iinfo(pixels.dtype).max)

    def _moving(self, number: int, rim: Rim) -> NDArray[np.intp]:
        """Which pixels of a frame's hole are near to something that moves on its own."""
        frame, own = rim.frame, None
        for way in (-1, 1):
            step = self.step(number, way)
            if step is not None and not step.motion.cut:
                own = step.motion.own if own is None else own | step.motion.own
        if own is None or not own.any():
            return np.zeros(0, np.intp)
        distance = cv2.distanceTransform((~own).view(np.uint8), cv2.DIST_L2, 3)
        xy = rim.xy[: rim.inner]
        places = xy if frame.scale == 1 else (xy - np.float32(0.5)) / np.float32(2)
        return np.flatnonzero(sample(distance, places) * frame.scale < OWN_REACH_PX)

    def _put(
        self,
        frame: Frame,
        rim: Rim,
        seen: tuple[Float, Float],
        before: tuple[Float, Float] | None,
        shown: Bool,
        held: int,
        cut: bool,
    ) -> Mended:
        """Compose, fill what is left as a still picture, and remember."""
        ys, xs = rim.ys[: rim.inner], rim.xs[: rim.inner]
        values, variance = seen
        done = np.isfinite(variance)
        confidence = np.ones(frame.hole.shape, np.float32)
        confidence[ys, xs] = np.exp(-np.sqrt(variance) / np.float32(0.1))
        pixels = frame.pixels.copy()

        def put(which: Bool) -> None:
            coded = np.clip(np.rint(values[which] * np.float32(frame.top)), 0, frame.top)
            pixels[ys[which], xs[which]] = coded.astype(pixels.dtype)

        put(done)
        rest = np.zeros(frame.hole.shape, np.bool_)
        rest[ys[~done], xs[~done]] = True
        made = int(rest.sum())
        if made:
            repair_picture(Picture(pixels, "RGB"), rest, self.options.settings)
        # What is near to something known is known from there, too; where the flow is lost that is better.
        weak = shown & (variance > WEAK**2)
        if weak.any():
            rest[ys[weak], xs[weak]] = True
            deep = np.asarray(cv2.distanceTransform(rest.view(np.uint8), cv2.DIST_L2, 3))[ys[weak], xs[weak]]
            still = self._still(pixels, rest, ys[weak], xs[weak], deep)
            unsure = np.square(np.float32(STILL) + np.float32(STILL_DEEP) * deep)
            values[weak], variance[weak] = _both(values[weak], variance[weak], still, unsure)
        if before is not None:
            # What is not sure stays what it was, so that it does not flicker.
            values[done], variance[done] = _both(
                values[done], variance[done], before[0][done], before[1][done]
            )
        put(done)
        left = np.full(frame.hole.shape, np.inf, np.float32)
        left[ys, xs] = np.where(done, variance, np.float32(MADE**2))
        self.carried.rest(pixels, frame.hole, left)
        return Mended(pixels, frame.hole, confidence, int(np.count_nonzero(shown)), held, made, cut)


def _both(one: Float, one_variance: Float, other: Float, other_variance: Float) -> tuple[Float, Float]:
    """The mean of two, each as far as it is believed, and its variance."""
    share = (one_variance / (one_variance + other_variance))[:, None]
    return one + (other - one) * share, one_variance * (1 - share[:, 0])


def _of(sight: Sight, which: NDArray[np.intp]) -> Sight:
    """A sight of some pixels as one of all."""
    return Sight(sight.frame, which[sight.which], sight.xy, sight.doubt, sight.gain, sight.offset)
