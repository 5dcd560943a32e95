"""Copied texture for a fill whose structure is right but soft.

A net knows what goes where, and answers a little soft; copies of the surroundings are sharp, and know
nothing. So the copies are searched for with the net's answer in view, and taken where they agree with it;
where nothing in the surroundings looks like what the net has drawn, an eye or a horizon, its answer stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from remend.fill.exemplar import Exemplar
from remend.fill.filler import Capabilities, register
from remend.fill.neural import Neural, wide
from remend.fill.views import Views
from remend.picture import Bool, Filled, Float

__all__ = ["GuidedCopies", "copy_detail", "within_lightness"]

# Copies bring back what a net at a coarser scale has lost, so it may begin where it sees across the hole: at
# 512² a horizon goes on behind what was taken away, and is fog at the card's reach.
BEGIN_PX = 40
LEAST_RADIUS_PX = 3.0  # thinner holes are filled sharply as they are
# With a prior the search may begin finer than without one: what goes where is known.
SEARCH = Exemplar(coarsest_radius_px=15.0, base_limit=0.3, prior_trust=0.02)
TONE_PX = 3.0  # copies and fill are compared by what is coarser than this
AGREEMENT = 0.07  # distance of two colours, in window units, at which a copy counts half
EDGE_PX = 2.0  # deviation of the blend between copies and fill
LIGHT_PX, LIGHT_SLACK = 3.0, 0.02  # deviation at which lightness is compared; how far it may go beyond
STEP_PX = 4  # from one place to the next at which it is looked up
NEAR_PX = 16  # farther than the hole's radius: so far around a place its lightness is looked for


@dataclass(frozen=True)
class GuidedCopies:
    """Copies of the surroundings that follow what a net has drawn; see ``copy_detail``.

    Choose it for wide holes among texture, where the net alone is soft and copies alone know nothing; where
    all around is one texture take `Quilt`: a soft answer is matched by the flattest stones of the gravel.

    Args:
        net: what says what goes where.
        name: the word on the command line.

    Cost: that of both.
    """

    net: Neural | Views
    name: str = "neural-exemplar"

    @property
    def files(self) -> tuple[Path, ...]:
        """The model files that it runs."""
        return self.net.files

    @property
    def capabilities(self) -> Capabilities:
        """The net's, with as much around the hole as copies want."""
        return replace(self.net.capabilities, context_radii=Exemplar().capabilities.context_radii)

    def fill(
        self,
        window: Float,
        hole: Bool,
        *,
        usable: Bool,
        prior: Float | None = None,
        guide: Bool | None = None,
        seed: int = 0,
    ) -> Filled:
        """Fill ``hole``; see `Following.fill`."""
        soft = self.net.fill(window, hole, usable=usable, prior=prior, guide=guide, seed=seed)
        return copy_detail(within_lightness(soft.pixels, window, hole, usable), window, hole, usable=usable)


@register(
    "neural-exemplar",
    summary="the embedded net says what goes where, copies of the surroundings how it looks; for wide holes",
    reference="Hertzmann et al., Image analogies, SIGGRAPH 2001",
)
def guided() -> GuidedCopies:
    """The embedded net for wide holes, begun coarsely, and copies that follow it."""
    return GuidedCopies(replace(wide(), begin_px=BEGIN_PX))


@register(
    "neural-exemplar-views",
    summary="as neural-exemplar, the net asked from both sides and once more from its own mean",
    reference="Hertzmann et al., Image analogies, SIGGRAPH 2001",
)
def guided_views() -> GuidedCopies:
    """As ``guided``, the net asked three times."""
    return GuidedCopies(Views(replace(wide(), begin_px=BEGIN_PX)), "neural-exemplar-views")


def within_lightness(filled: Float, window: Float, hole: Bool, usable: Bool) -> Float:
    """A fill that is nowhere lighter or darker than all that is known within reach of the place.

    A net that carries a kerb through a hole may light it up: a streak brighter than any kerb.

    Args:
        filled: (h, w, 3) float32, the fill.
        window, hole, usable: as `Filler.fill` takes them.

    Returns:
        ``filled``, its slow part drawn back in the hole to what is known around; texture stays.

    Cost: 60 ns a pixel of the window.
    """
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 5)
    reach = int(min(float(depth.max()), max(hole.shape))) + NEAR_PX
    composed = np.where(hole[..., None], filled, window).mean(axis=2, dtype=np.float32)
    known, here = _slow(composed, usable & ~hole), _slow(composed, usable | hole)
    # A slow part is the same a few pixels on.
    every = slice(None, None, STEP_PX)
    known, unknown = known[every, every], (~usable | hole)[every, every]
    row = np.ones((1, 2 * (reach // STEP_PX) + 1), np.uint8)
    highest = cv2.dilate(np.where(unknown, np.float32(-np.inf), known), row)
    lowest = cv2.erode(np.where(unknown, np.float32(np.inf), known), row)
    size = hole.shape[::-1]
    highest = cv2.resize(cv2.dilate(highest, row.T), size, interpolation=cv2.INTER_NEAREST)
    lowest = cv2.resize(cv2.erode(lowest, row.T), size, interpolation=cv2.INTER_NEAREST)
    seen = hole & (lowest <= highest)
    beyond = np.maximum(here - highest - LIGHT_SLACK, 0) - np.maximum(lowest - LIGHT_SLACK - here, 0)
    return np.where(seen[..., None], filled - beyond[..., None], filled).astype(np.float32)


def _slow(values: Float, where: Bool) -> Float:
    """The Gaussian mean of ``values`` over the pixels ``where``."""
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(values * weight, (0, 0), LIGHT_PX)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), LIGHT_PX), 1e-3), np.float32)


def copy_detail(filled: Float, window: Float, hole: Bool, *, usable: Bool) -> Filled:
    """Put copied texture into a fill, where it agrees with it.

    Args:
        filled: (h, w, 3) float32, the soft answer.
        window, hole, usable: as `Filler.fill` takes them.

    Returns:
        ``filled`` with texture in the hole, and from where it is copied by more than half.

    Cost: that of the exemplar fill, 5 to 15 µs a pixel of the hole.

    Reference: the search is the exemplar fill's; that a synthesised texture follows a given picture goes back
    to Hertzmann et al., "Image Analogies", SIGGRAPH 2001.
    """
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 5)
    if float(depth.max()) < LEAST_RADIUS_PX or not usable.any():
        return Filled(filled)
    answer = np.where(hole[..., None], filled, window).astype(np.float32)
    # What may not be read must not be blurred into the hole either.
    answer[~(usable | hole)] = 0
    copied = SEARCH.fill(window, hole, usable=usable, prior=answer)
    if copied.source_xy is None:  # no whole patch is known
        return Filled(filled)
    departure = np.where(hole[..., None], copied.pixels - answer, np.float32(0))
    apart = np.linalg.norm(cv2.GaussianBlur(departure, (0, 0), TONE_PX), axis=2)
    agreed = 1 / (1 + np.power(apart / np.float32(AGREEMENT), 4))
    weight = cv2.GaussianBlur(agreed, (0, 0), EDGE_PX)
    mixed = answer + weight[..., None] * departure
    source_xy = np.where((weight > 0.5)[..., None], copied.source_xy, np.int32(-1))
    return Filled(np.clip(mixed, 0, 1).astype(np.float32), source_xy)
