"""Image quilting into a hole: pieces of the surroundings laid whole, cut where they agree.

1. *Order.* Pieces are laid from the rim inwards, next to what is known already: where pieces meet in the
   middle a cut can still be moved, at the rim it cannot.
2. *Choice.* Of every place in the surroundings the squared difference to what is known under the piece, by
   Fourier transform; one of the nearly best is drawn. A place that has been copied from already costs more:
   what is seen twice is what the eye finds first.
3. *Cut.* Where a piece lies over filled pixels a minimum cut parts them along the least difference.
4. *Mending.* Where the seams are worst, most often at the rim, smaller pieces are tried, and kept where they
   make them better.
5. *Blending*, by ``seam_blending``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from remend.errors import UsageError
from remend.fill.filler import Capabilities, register
from remend.fill.piece_search import Sources
from remend.fill.push_pull import push_pull
from remend.fill.seam_blending import Index, blended, seams
from remend.picture import Bool, Box, Filled, Float

__all__ = ["Quilt"]

LEAST_PX = 8  # pieces of fewer pixels a side hold no texture
OVERLAP = 0.25  # of a piece's side lies over what is known
NEAR_PX, FAR = 3.0, 0.1  # at which depth a known pixel counts half, and what it counts far away
BEYOND_PX = 8  # how far a piece may be cut back into what is filled already, beyond its own new pixels
MEND_PX, CORE_PX = 24, 5  # side of a mending piece, and the half side of what it replaces in any case
MENDS_PX = 160  # pixels of the hole for each trial of a mending piece
FILLED = 0.3  # what a filled pixel counts beside a known one when a mending piece is chosen


@register(
    "quilt",
    summary="whole pieces of the surroundings along best cuts; for wide holes in one texture",
    reference="Efros, Freeman, Image quilting for texture synthesis and transfer, SIGGRAPH 2001",
)
@dataclass(frozen=True, slots=True)
class Quilt:
    """Lay large pieces of the surroundings into the hole, cut and blended where they meet.

    Choose it where a hole lies in one texture: gravel, grass, brick, cloth, leaves. Stones keep their size
    and edges, which `Exemplar` mixes. It knows nothing of scenes: whatever it copies, it copies whole.

    Args:
        piece_px: side of a piece; larger ones keep more of the texture's order, and repeat sooner.
        tolerance: places at most so much worse than the best, as a share, may be drawn.
        screen_px: how far a correction reaches from a seam.

    Raises:
        UsageError: a piece of less than 8 px, a negative tolerance, or a reach that is not positive.

    Cost: 15 ms a piece in a window of 450²; about 100 bytes a pixel of it.

    Reference: Efros, Freeman, Image quilting for texture synthesis and transfer, SIGGRAPH 2001. Kwatra et
    al., Graphcut textures, SIGGRAPH 2003.
    """

    piece_px: int = 48
    tolerance: float = 0.1
    screen_px: float = 6.0

    def __post_init__(self) -> None:
        if self.piece_px < LEAST_PX or self.tolerance < 0 or not self.screen_px > 0:
            raise UsageError(
                f"a quilt wants pieces of {LEAST_PX} px and more, a tolerance of 0 and more, and a reach "
                f"above 0, got {self.piece_px}, {self.tolerance} and {self.screen_px}"
            )

    @property
    def name(self) -> str:
        """The word on the command line."""
        return "quilt"

    @property
    def capabilities(self) -> Capabilities:
        """Any width, with texture; the more it sees, the less it repeats."""
        return Capabilities(context_px=96, context_radii=3.0, window_px=1024, makes_texture=True)

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Fill ``hole``; see `Filler.fill`. ``seed`` draws among the nearly best places.

        Where no whole piece of even 8 px is known the answer is the prior, or a smooth fill, without sources.
        """
        image = np.where(usable[..., None], window, np.float32(0))
        sources = Sources.of(image, usable)
        side = self.piece_px
        while not sources.places(side).any():
            if side == LEAST_PX:
                return Filled(push_pull(window, usable) if prior is None else prior)
            side = max(side // 2, LEAST_PX)
        quilt = _Quilt.begun(image, hole, usable, sources, self.tolerance, seed)
        while (corner := quilt.next_corner(side)) is not None:
            quilt.lay(corner, side)
        quilt.mend(min(MEND_PX, side))
        return blended(image, hole, usable, quilt.field, screen_px=self.screen_px)


@dataclass(slots=True)
class _Quilt:
    """A window as filled so far.

    Attributes:
        image: (h, w, 3) float32, as known; 0 elsewhere.
        hole, usable: (h, w) bool.
        sources: where pieces come from.
        canvas: (h, w, 3) float32, as filled so far.
        field: (h, w) flat index of the pixel that each pixel shows: its own where known, -1 where nothing.
        used: (h, w) float32, how often each pixel has been copied.
        tolerance, rng: as `Sources.nearest` takes them.
    """

    image: Float
    hole: Bool
    usable: Bool
    sources: Sources
    canvas: Float
    field: Index
    used: Float
    tolerance: float
    rng: np.random.Generator

    @classmethod
    def begun(
        cls, image: Float, hole: Bool, usable: Bool, sources: Sources, tolerance: float, seed: int
    ) -> _Quilt:
        field = np.where(usable, np.arange(hole.size).reshape(hole.shape), -1).astype(np.int32)
        used = np.zeros(hole.shape, np.float32)
        rng = np.random.default_rng(seed)
        return cls(image, hole, usable, sources, image.copy(), field, used, tolerance, rng)

    def next_corner(self, side: int) -> tuple[int, int] | None:
        """Top left corner of the next piece: beside the rim of what is left, where most is known under it."""
        known = self.field >= 0
        left = self.hole & ~known
        if not left.any():
            return None
        depth = cv2.distanceTransform((~known).view(np.uint8), cv2.DIST_L2, 5)
        depth = np.where(left, depth, np.float32(0))
        goal = max(1.0, side * (0.5 - OVERLAP))
        near = left & (depth <= goal + 0.7) & (depth > min(goal, float(depth.max())) - 0.7)
        share = cv2.boxFilter(known.astype(np.float32), -1, (side, side), borderType=cv2.BORDER_CONSTANT)
        return self._corner(int(np.where(near, share, np.float32(-1)).argmax()), side)

    def _corner(self, centre: int, side: int) -> tuple[int, int]:
        height, width = self.hole.shape
        y, x = divmod(centre, width)
        return min(max(0, y - side // 2), height - side), min(max(0, x - side // 2), width - side)

    def lay(self, corner: tuple[int, int], side: int) -> None:
        """Fill what is not known yet under a piece, and as much of what is filled as the cut says."""
        here = Box(corner[0], corner[1], corner[0] + side, corner[1] + side).slices
        known, hole = self.field[here] >= 0, self.hole[here]
        there = self._nearest(here, _near(known), side)
        fresh = hole & ~known
        reach = cv2.dilate(fresh.view(np.uint8), np.ones((2 * BEYOND_PX + 1,) * 2, np.uint8)).view(np.bool_)
        self._put(here, there, _cut(self.canvas[here], self.image[there], known, fresh, known & hole & reach))

    def mend(self, side: int) -> None:
        """Try smaller pieces where the seams are worst, and keep those that make them better."""
        around = Box.around(self.hole)
        assert around is not None
        frame = around.slices
        pain = np.zeros(self.hole.shape, np.float32)
        pain[frame] = self._pain(around)
        rested = self.hole.copy()
        for _ in range(int(np.count_nonzero(self.hole)) // MENDS_PX):
            felt = cv2.boxFilter(pain[frame], -1, (2 * CORE_PX + 1,) * 2, borderType=cv2.BORDER_CONSTANT)
            felt *= rested[frame]
            y, x = divmod(int(felt.argmax()), felt.shape[1])
            if felt[y, x] <= 0:
                return
            y, x = y + around.top, x + around.left
            core = np.s_[max(0, y - CORE_PX) : y + CORE_PX + 1, max(0, x - CORE_PX) : x + CORE_PX + 1]
            rested[core] = False
            top, left = self._corner(y * self.hole.shape[1] + x, side)
            here = Box(top, left, top + side, left + side)
            fresh = np.zeros(self.hole.shape, np.bool_)
            fresh[core] = self.hole[core]
            self._try(here, fresh[here.slices], side)
            pain[here.slices] = self._pain(here)

    def _try(self, box: Box, core: Bool, side: int) -> None:
        """Lay a piece over ``core``, and take it back if the seams got worse."""
        here = box.slices
        known, hole = (self.field[here] >= 0) & ~core, self.hole[here]
        there = self._nearest(here, _near(known) * np.where(hole, np.float32(FILLED), np.float32(1)), side)
        inner = np.zeros(hole.shape, np.bool_)
        inner[1:-1, 1:-1] = True
        fresh = _cut(self.canvas[here], self.image[there], known, core, known & hole & inner)
        before = float(self._pain(box).sum())
        kept = self.field[here].copy(), self.canvas[here].copy()
        self._put(here, there, fresh)
        if float(self._pain(box).sum()) >= before:
            self.field[here], self.canvas[here] = kept

    def _nearest(self, here: tuple[slice, slice], weight: Float, side: int) -> tuple[slice, slice]:
        """Where the piece comes from that is to lie at ``here``."""
        y, x = self.sources.nearest(
            self.canvas[here], weight, self.used, tolerance=self.tolerance, rng=self.rng
        )
        return slice(y, y + side), slice(x, x + side)

    def _put(self, here: tuple[slice, slice], there: tuple[slice, slice], fresh: Bool) -> None:
        height, width = self.hole.shape
        index = np.arange(height * width, dtype=np.int32).reshape(height, width)[there]
        self.field[here][fresh] = index[fresh]
        self.canvas[here][fresh] = self.image[there][fresh]
        self.used[there][fresh] += 1

    def _pain(self, box: Box) -> Float:
        """How much each pixel's seams hurt: the gaps to its neighbours, summed over colours."""
        wider = box.grown(1, self.hole.shape)
        part = wider.slices
        found = np.zeros(self.hole[part].shape, np.float32)
        known = self.field[part] >= 0
        for here, there, gap in seams(self.image, self.usable, self.field[part], known, self.hole[part]):
            size = np.abs(gap).sum(axis=2)
            found[here] += size
            found[there] += size
        return found[box.inside(wider).slices]


def _near(known: Bool) -> Float:
    """How much each known pixel counts when pieces are compared: most beside what is new."""
    depth = cv2.distanceTransform(known.view(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(known * (FAR + 1 / (1 + np.square(depth / np.float32(NEAR_PX)))), np.float32)


def _cut(canvas: Float, piece: Float, known: Bool, fresh: Bool, open_to_both: Bool) -> Bool:
    """Where the piece is taken: all that is fresh, and as much of what is open as a minimum cut says."""
    if not open_to_both.any():
        return fresh
    ours, theirs = (part.view(np.uint8) * np.uint8(255) for part in (fresh | open_to_both, known))
    finder: Any = cv2.detail.GraphCutSeamFinder("COST_COLOR")  # its stub knows no arrays
    layers = [layer * np.float32(255) for layer in (canvas, piece)]
    taken = finder.find(layers, [(0, 0), (0, 0)], [theirs, ours])[1].get() > 0
    return np.asarray(fresh | (taken & open_to_both))
