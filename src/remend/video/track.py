"""One frame's mask followed through its shot: carried along the flow, its border found again by colours.

What is certainly inside moves with the flow wherever the way there and back agrees; in a band around it a
graph cut decides, by the colours that the given frame and the frame before show inside and outside. A mask
is mostly drawn with a margin: the object in it is found first, followed, and grown by that margin again.

References: C. Rother, V. Kolmogorov, A. Blake, "GrabCut": interactive foreground extraction using iterated
graph cuts, SIGGRAPH 2004 (OpenCV's); X. Bai et al., Video SnapCut, SIGGRAPH 2009 (a band moved by the flow).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.picture import Bool, Box, Float
from remend.video.flow import Frame, look, motion_between

__all__ = ["Followed", "Tracker", "follow_mask"]

WORK_PX = 250_000  # frames beyond are tracked smaller
BACK_MOST = 300  # frames that are followed backwards at most: they are held in memory, small
BAND_PX, SURE_PX = 8, 2  # that the border may move by beside the flow; what is deeper inside is sure
MISS_PX = 3.0  # there and back: what misses more is not sure
MOVES, STRAYS = 0.4, 0.3  # share that moves on its own, of an object that does; of a piece that is none of it
STILL_FRAMES, REACHED_PX = 2, 3  # what has moved as the scene for so long is it; a flow reaches out so far
AROUND_PX = 12  # of what is outside, for its colours
SEARCH_PX, LIKE = 14, 5.0  # what is so like something outside, so near, is margin; in units of CIELAB
LIGHT = 0.7  # what lightness counts for beside colour: shadows change it
MOST_MARGIN_PX, SETTLED_STEPS = 12, 3  # by how many steps it is known
LEAST_PX = 12  # of an object: less is lost


@dataclass(slots=True)
class Followed:
    """How far a mask was followed.

    Attributes:
        first, last: frames, from 0, that have a mask.
        ended: why the way forward ended there: ``end`` of the clip, ``cut``, or ``lost`` from sight.
    """

    first: int
    last: int
    ended: str = "end"

    def told(self, frames: int) -> str:
        """A line for the user, of a clip of so many frames."""
        line = f"the mask was followed from frame {self.first + 1} to {self.last + 1} of {frames}"
        if self.ended == "end":
            return line
        why = "the scene is cut" if self.ended == "cut" else "it is lost from sight"
        return f"{line}: there {why}, give what comes after a mask of its own"


class Tracker:
    """Follows one mask from frame to frame.

    Args:
        pixels: (H, W, 3) uint8 or uint16, the frame that the mask was drawn on.
        mask: (H, W) bool, True = the object, with any margin.

    Cost of a step: two flows of OpenCV's DIS and a graph cut around the object; 90 ms at 432×240.
    """

    def __init__(self, pixels: NDArray[Any], mask: Bool) -> None:
        self.size = mask.shape
        height, width = self.size
        scale = min(1.0, (WORK_PX / mask.size) ** 0.5)
        self.work = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(mask.view(np.uint8), self.work, interpolation=cv2.INTER_AREA))
        self.given, given = self._look(pixels), small.view(np.bool_)
        self.object = self.given_object = _object_in(self.given.pixels, given)
        self.margin_px, self.drawn, self.steps = _margin(self.object, given), given, 0
        self.still = np.zeros(given.shape, np.float32)  # frames that each pixel has moved as the scene
        self.before = self.given

    def step(self, pixels: NDArray[Any]) -> Bool | None:
        """The mask of the next frame; all False where the object is lost, None where the scene is cut.

        Args:
            pixels: (H, W, 3), of the next frame, or of the one before when going backwards.
        """
        frame = self._look(pixels)
        motion, _ = motion_between(frame, self.before)
        if motion.cut:
            return None
        flow = np.where(motion.own[..., None], motion.flow, motion.scene)
        error = np.where(motion.own, motion.error, motion.scene_error)
        prior = _moved(self.object, flow)
        sure = _moved(_eroded(self.object, SURE_PX), flow) & (error < MISS_PX)
        alone = np.count_nonzero(motion.own & prior) > MOVES * np.count_nonzero(prior)
        self.still = np.where(
            _dilated(motion.own, REACHED_PX), 0, _shifted(self.still, flow) + np.float32(alone)
        ).astype(np.float32)
        old = self.still > STILL_FRAMES
        found = self._cut_out(frame, prior & ~old, sure & ~old) & ~old
        self.still[~found & ~old] = 0
        if self.steps < SETTLED_STEPS:
            # What is so colourful that its margin looked like nothing outside shows it when it moves.
            self.drawn = _moved(self.drawn, flow)
            self.margin_px = max(self.margin_px, _margin(found, self.drawn))
            self.steps += 1
        self.object = _without_strays(found, prior, motion.own)
        self.before = frame
        if np.count_nonzero(self.object) < LEAST_PX:
            return np.zeros(self.size, np.bool_)
        grown = _dilated(self.object, self.margin_px).astype(np.float32)
        large = cv2.resize(grown, self.size[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(large >= 0.5, np.bool_)

    def _look(self, pixels: NDArray[Any]) -> Frame:
        eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
        small = np.asarray(cv2.resize(eight, self.work, interpolation=cv2.INTER_AREA), np.uint8)
        return look(small, np.zeros(small.shape[:2], np.bool_))

    def _cut_out(self, frame: Frame, prior: Bool, sure: Bool) -> Bool:
        """Where the object is: in what the flow says and a band around it, by colours."""
        if not prior.any():
            return prior
        labels = np.full(prior.shape, cv2.GC_BGD, np.uint8)
        labels[_dilated(prior, BAND_PX)] = cv2.GC_PR_BGD
        labels[prior] = cv2.GC_PR_FGD
        labels[sure] = cv2.GC_FGD
        boxes, pictures, all_labels = [], [], []
        # Side by side the three are one picture, and the cut learns the colours of the known two, too.
        shown = [(frame, labels)]
        for other, mask in ((self.before, self.object), (self.given, self.given_object)):
            shown.append((other, np.where(mask, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)))
        for other, each in shown:
            box = Box.around(each != cv2.GC_BGD)
            assert box is not None
            box = box.grown(AROUND_PX, prior.shape)
            boxes.append(box)
            pictures.append(other.pixels[box.slices])
            all_labels.append(each[box.slices])
        height = max(box.height for box in boxes)
        picture = np.hstack([_padded(one, height) for one in pictures])
        joined = np.hstack([_padded(one, height) for one in all_labels])
        cv2.setRNGSeed(0)
        cv2.grabCut(
            picture,
            joined,
            None,
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            1,
            cv2.GC_INIT_WITH_MASK,  # type: ignore[call-overload]
        )
        here = joined[: boxes[0].height, : boxes[0].width]
        found = np.zeros(prior.shape, np.bool_)
        found[boxes[0].slices] = (here == cv2.GC_FGD) | (here == cv2.GC_PR_FGD)
        opened = cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        return np.asarray(opened, np.uint8).view(np.bool_)


def follow_mask(
    frames: Iterable[NDArray[Any]], at: int, mask_of: Callable[[NDArray[Any]], Bool]
) -> Iterator[tuple[Bool, Followed]]:
    """The masks of a clip, from that of one frame.

    Args:
        frames: (H, W, 3) each.
        at: the number of the frame, from 0, that the mask is of.
        mask_of: called once with that frame, gives its mask.

    Yields:
        A mask for each frame, empty before the shot and after it, or where the object is lost; and how far
        it was followed until now.

    Raises:
        UsageError: the clip has no such frame.

    Cost: as `Tracker`; memory up to 300 frames of a quarter of a megapixel for what lies before.
    """
    each = iter(frames)
    before: deque[NDArray[Any]] = deque(maxlen=BACK_MOST)
    count = -1
    for count, pixels in enumerate(each):
        if count == at:
            break
        before.append(_small(pixels))
    else:
        raise UsageError(f"--track {at + 1}: the clip has {count + 1} frames: count them from 1")
    given = mask_of(pixels)
    if not given.any():
        raise UsageError(f"--track {at + 1}: the mask is empty: mark what is to be followed")
    earlier: list[NDArray[np.uint8]] = []  # packed, nearest first
    tracker = Tracker(pixels, given)
    while before:
        found = tracker.step(before.pop())
        if found is None or not found.any():
            break
        earlier.append(np.packbits(found))
    followed = Followed(at - len(earlier), at)
    none = np.zeros(given.shape, np.bool_)
    for _ in range(followed.first):
        yield none, followed
    while earlier:
        packed = np.unpackbits(earlier.pop(), count=given.size)
        yield packed.reshape(given.shape).view(np.bool_), followed
    yield given, followed
    tracker = Tracker(pixels, given)
    for pixels in each:
        found = None if followed.ended != "end" else tracker.step(pixels)
        if found is not None and found.any():
            followed.last += 1
        elif followed.ended == "end":
            followed.ended = "cut" if found is None else "lost"
        yield (none if found is None else found), followed


def _small(pixels: NDArray[Any]) -> NDArray[Any]:
    """A frame as it is held: 8 bits, no larger than it is tracked at."""
    scale = (WORK_PX / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    if scale >= 1:
        return eight
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(eight, size, interpolation=cv2.INTER_AREA))


def _object_in(pixels: NDArray[Any], mask: Bool) -> Bool:
    """The mask without what looks like something just outside and reaches its border."""
    box = Box.around(mask)
    if box is None:
        return mask
    box = box.grown(SEARCH_PX + 2, mask.shape)
    inside = np.ascontiguousarray(mask[box.slices])
    part = pixels[box.slices].astype(np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2Lab), np.float32)
    lab[..., 0] *= np.float32(LIGHT)
    lab = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.6), np.float32)
    outside = (~inside).view(np.uint8)
    cost = np.full(inside.shape, 1e3, np.float32)
    for dy in range(-SEARCH_PX, SEARCH_PX + 1, 2):
        for dx in range(-SEARCH_PX, SEARCH_PX + 1, 2):
            if dx * dx + dy * dy <= SEARCH_PX**2:
                np.minimum(cost, _unlike(lab, outside, dx, dy), out=cost)
    free = ((cost < LIKE**2) | ~inside).view(np.uint8)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    reached = np.isin(labels, np.unique(labels[~inside])) & free.view(np.bool_)
    core = (inside & ~reached).view(np.uint8)
    core = np.asarray(cv2.morphologyEx(core, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), np.uint8)
    if np.count_nonzero(core) < max(LEAST_PX, 0.1 * np.count_nonzero(inside)):
        return mask  # it looks like its surroundings: its motion alone must tell
    found = np.zeros(mask.shape, np.bool_)
    found[box.slices] = core.view(np.bool_)
    return found


def _unlike(lab: Float, outside: NDArray[np.uint8], dx: int, dy: int) -> Float:
    """How far each pixel differs from the one at an offset, over 3×3; much where that is not outside."""
    way = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    size = lab.shape[1::-1]
    other = cv2.warpAffine(lab, way, size, borderMode=cv2.BORDER_REPLICATE)
    apart = np.square(lab - other).sum(axis=2)
    apart = np.asarray(cv2.boxFilter(apart, -1, (3, 3)), np.float32)
    apart[cv2.warpAffine(outside, way, size, flags=cv2.INTER_NEAREST) == 0] = 1e3
    return apart


def _margin(core: Bool, mask: Bool) -> int:
    """How far inside the mask the object's border lies, in pixels."""
    border = core & ~_eroded(core, 1)
    if not border.any():
        return 0
    distance = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    return int(min(MOST_MARGIN_PX, round(float(np.percentile(distance[border], 75)) - 1)))


def _without_strays(found: Bool, prior: Bool, own: Bool) -> Bool:
    """Without pieces far from the rest that move as the scene does, where the object moves on its own."""
    if np.count_nonzero(own & prior) <= MOVES * np.count_nonzero(prior):
        return found
    near = _dilated(found, BAND_PX)  # a leg may be cut off at its knee
    count, labels = cv2.connectedComponents(near.view(np.uint8), connectivity=8)
    area = np.maximum(1, np.bincount(labels[found], minlength=count))
    kept = np.bincount(labels[found & own], minlength=count) >= STRAYS * area
    kept[int(np.argmax(area))] = True
    return np.asarray(found & kept[labels], np.bool_)


def _moved(mask: Bool, flow: Float) -> Bool:
    """A mask of the frame before at where it is now; nothing comes in from outside."""
    return np.asarray(_shifted(mask.astype(np.float32), flow) > 0.5, np.bool_)


def _shifted(plane: Float, flow: Float) -> Float:
    height, width = plane.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(plane, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def _dilated(mask: Bool, radius_px: int) -> Bool:
    return np.asarray(cv2.dilate(mask.view(np.uint8), _disc(radius_px)), np.uint8).view(np.bool_)


def _eroded(mask: Bool, radius_px: int) -> Bool:
    return np.asarray(cv2.erode(mask.view(np.uint8), _disc(radius_px)), np.uint8).view(np.bool_)


def _disc(radius_px: int) -> NDArray[np.uint8]:
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _padded(plane: NDArray[Any], height: int) -> NDArray[Any]:
    """Made as high as others, a strip between it and the next."""
    rest = ((0, height - plane.shape[0]), (0, 2)) + ((0, 0),) * (plane.ndim - 2)
    return np.pad(plane, rest, mode="edge")
