"""Image quilting into a hole: pieces of the surroundings laid whole, cut where they agree.

1. *Order.* Pieces are laid from the rim inwards, next to what is known already: where pieces meet in the
   middle a cut can still be moved, at the rim it cannot.
2. *Choice.* Of every place in the surroundings the squared difference to what is known under the piece, by
   Fourier transform; one of the nearly best is drawn. A place that has been copied from already costs more:
   what is seen twice is what the eye finds first.
3. *Cut.* Where a piece lies over filled pixels a minimum cut parts them along the least difference.
4. *Blend.* The jumps that are left at cuts and at the rim are spread over a few pixels: what is solved for is
   the correction whose gradient takes the jumps away, held near zero (a screened Poisson equation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.fill.filler import Capabilities, register
from remend.fill.piece_search import Sources
from remend.fill.push_pull import push_pull
from remend.picture import Bool, Box, Filled, Float

__all__ = ["Quilt"]

Index = NDArray[np.int32]

OVERLAP = 0.375  # of a piece's side lies over what is known
BEYOND_PX = 8  # how far a piece may be cut back into what is filled already, beyond its own new pixels


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
    al., Graphcut textures, SIGGRAPH 2003. Bhat et al., Fourier analysis of the 2D screened Poisson equation,
    ECCV 2008.
    """

    piece_px: int = 48
    tolerance: float = 0.1
    screen_px: float = 6.0

    def __post_init__(self) -> None:
        if self.piece_px < 8 or self.tolerance < 0 or not self.screen_px > 0:
            raise UsageError(
                "a quilt wants pieces of 8 px and more, a tolerance of 0 and more, and a reach above 0, got "
                f"{self.piece_px}, {self.tolerance} and {self.screen_px}"
            )

    @property
    def name(self) -> str:
        """The word on the command line."""
        return "quilt"

    @property
    def capabilities(self) -> Capabilities:
        """Any width, with texture; the more it sees, the less it repeats."""
        return Capabilities(context_px=96, context_radii=3.0, makes_texture=True, takes_prior=True)

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Fill ``hole``; see `Filler.fill`. ``seed`` draws among the nearly best places.

        Where no whole piece of even 8 px is known the answer is the prior, or a smooth fill, without sources.
        """
        smooth = push_pull(window, usable) if prior is None else prior
        side = self.piece_px
        image = np.where(usable[..., None], window, np.float32(0))
        sources = Sources.of(image, usable, side)
        while not sources.places.any():
            side //= 2
            if side < 8:
                return Filled(smooth)
            sources = Sources.of(image, usable, side)
        field = _laid(sources, image, hole, usable, tolerance=self.tolerance, seed=seed)
        return _blended(image, hole, usable, field, self.screen_px)


def _laid(sources: Sources, image: Float, hole: Bool, usable: Bool, *, tolerance: float, seed: int) -> Index:
    """(h, w) flat index of the pixel that each pixel shows: its own where it was known."""
    rng = np.random.default_rng(seed)
    height, width = hole.shape
    side = sources.side_px
    field = np.where(usable, np.arange(height * width).reshape(height, width), -1).astype(np.int32)
    canvas = image.copy()
    used = np.zeros(hole.shape, np.float32)
    while True:
        corner = _next_corner(field >= 0, hole & (field < 0), side)
        if corner is None:
            return field
        here = Box(corner[0], corner[1], corner[0] + side, corner[1] + side)
        known = field[here.slices] >= 0
        place = sources.nearest(canvas[here.slices], known, used, tolerance=tolerance, rng=rng)
        there = Box(place[0], place[1], place[0] + side, place[1] + side)
        piece = image[there.slices]
        fresh = _cut(canvas[here.slices], piece, known, hole[here.slices])
        index = np.arange(height * width, dtype=np.int32).reshape(height, width)[there.slices]
        field[here.slices][fresh] = index[fresh]
        canvas[here.slices][fresh] = piece[fresh]
        used[there.slices][fresh] += 1


def _next_corner(known: Bool, left: Bool, side: int) -> tuple[int, int] | None:
    """Top left corner of the next piece: beside the rim of what is left, where most is known under it."""
    if not left.any():
        return None
    depth = cv2.distanceTransform((~known).view(np.uint8), cv2.DIST_L2, 5)
    depth = np.where(left, depth, np.float32(0))
    goal = max(1.0, side * (0.5 - OVERLAP))
    height, width = left.shape
    near = left & (depth <= goal + 0.7) & (depth > min(goal, float(depth.max())) - 0.7)
    share = cv2.boxFilter(known.astype(np.float32), -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    y, x = divmod(int(np.where(near, share, np.float32(-1)).argmax()), width)
    return min(max(0, y - side // 2), height - side), min(max(0, x - side // 2), width - side)


def _cut(canvas: Float, piece: Float, known: Bool, hole: Bool) -> Bool:
    """Where the piece is taken: wherever nothing is known, and as much of what was filled as the cut says."""
    fresh = ~known & hole
    filled = known & hole
    if not filled.any():
        return fresh
    # Known pixels stay, whatever the cut would like; so do those far from what is new.
    reach = cv2.dilate(fresh.view(np.uint8), np.ones((2 * BEYOND_PX + 1,) * 2, np.uint8)).view(np.bool_)
    open_to_both = filled & reach
    ours = (fresh | open_to_both).view(np.uint8) * np.uint8(255)
    theirs = (known).view(np.uint8) * np.uint8(255)
    finder: Any = cv2.detail.GraphCutSeamFinder("COST_COLOR")  # its stub knows no arrays
    layers = [layer * np.float32(255) for layer in (canvas, piece)]
    taken = finder.find(layers, [(0, 0), (0, 0)], [theirs, ours])[1].get() > 0
    return np.asarray(fresh | (taken & open_to_both))


def _blended(image: Float, hole: Bool, usable: Bool, field: Index, screen_px: float) -> Filled:
    """Pixels of the field, with the jumps between its pieces spread out; and where they come from."""
    height, width = hole.shape
    flat = image.reshape(-1, 3)
    reach = Box.around(hole)
    assert reach is not None
    box = reach.grown(2, hole.shape)
    part = np.where(field[box.slices] >= 0, field[box.slices], 0)
    known = (usable | hole)[box.slices]
    copied = flat[part]
    correction = _correction(flat, usable.ravel(), part, known, hole[box.slices], width, screen_px)
    pixels = image.copy()
    pixels[box.slices] = np.where(hole[box.slices][..., None], copied + correction, pixels[box.slices])
    source_xy = np.full((height, width, 2), -1, np.int32)
    source_xy[hole] = np.stack([field[hole] % width, field[hole] // width], axis=1)
    return Filled(np.clip(pixels, 0, 1), source_xy)


def _correction(
    flat: Float, usable: Bool, part: Index, known: Bool, hole: Bool, width: int, screen_px: float
) -> Float:
    """Solve for what is to be added: its gradient is the jump at each seam, 0 elsewhere; 0 outside the hole.

    Conjugate gradients, on all channels at once; the screen keeps them few.
    """
    total = len(flat)
    divergence = np.zeros((*part.shape, 3), np.float32)
    degree = np.zeros(part.shape, np.float32)
    links = []
    for axis, step in ((0, width), (1, 1)):
        here = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        next_to = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        one, other = part[here], part[next_to]
        linked = (known[here] & known[next_to] & (hole[here] | hole[next_to])).astype(np.float32)
        # What the one's piece shows beside it, and the other's: the mean of both gradients is wanted.
        after = np.clip(one + step, 0, total - 1)
        before = np.clip(other - step, 0, total - 1)
        jump = flat[other] - flat[one]
        wanted_one = np.where(usable[after][..., None], flat[after] - flat[one], jump)
        wanted_other = np.where(usable[before][..., None], flat[other] - flat[before], jump)
        gap = linked[..., None] * (0.5 * (wanted_one + wanted_other) - jump)
        gap[one + step == other] = 0
        divergence[here] -= gap
        divergence[next_to] += gap
        degree[here] += linked
        degree[next_to] += linked
        links.append((here, next_to, linked[..., None]))
    inside = hole[..., None].astype(np.float32)
    diagonal = degree[..., None] + np.float32(1 / screen_px**2)

    def applied(x: Float) -> Float:
        result = diagonal * x
        for here, next_to, linked in links:
            result[here] -= linked * x[next_to]
            result[next_to] -= linked * x[here]
        return np.asarray(result * inside)

    return _solved(applied, divergence * inside, steps=int(4 * screen_px))


def _solved(applied: object, right: Float, *, steps: int) -> Float:
    """Conjugate gradients from 0, each channel by itself."""
    assert callable(applied)
    x, residual = np.zeros_like(right), right.copy()
    direction = residual.copy()
    energy = np.square(residual).sum(axis=(0, 1))
    for _ in range(steps):
        turned = applied(direction)
        along = np.maximum((direction * turned).sum(axis=(0, 1)), np.float32(1e-20))
        pace = energy / along
        x += pace * direction
        residual -= pace * turned
        after = np.square(residual).sum(axis=(0, 1))
        if not (after > 1e-8).any():
            break
        direction = residual + after / np.maximum(energy, np.float32(1e-20)) * direction
        energy = after
    return x
