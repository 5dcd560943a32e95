"""Fine detail for a fill that is right but foggy, copied from where the picture looks alike.

A net that was taught likeness answers the mean of what might be there, and a mean has no grain. The patches
of the surroundings that match its answer best have: their fine part is put in place of the answer's own,
as far as they match.
"""

from __future__ import annotations

import cv2
import numpy as np

from remend.fill.exemplar import Exemplar
from remend.picture import Bool, Filled, Float

__all__ = ["copy_detail"]

LEAST_RADIUS_PX = 3.0  # thinner holes are filled sharply as they are
SCALE_PX = 4.0  # what is finer than this counts as detail


def copy_detail(filled: Float, window: Float, hole: Bool, *, usable: Bool, amount: float) -> Filled:
    """Put copied detail into a fill.

    Args:
        filled: (h, w, 3) float32, the foggy answer.
        window, hole, usable: as `Filler.fill` takes them.
        amount: what share of the detail of a perfect match is taken; others count by the square root of
            their confidence.

    Returns:
        ``filled`` with detail in the hole, and how well each pixel's patch matched as ``confidence``.

    Cost: that of the exemplar fill, about 1 µs a pixel of the hole.

    Reference: the search is the exemplar fill's; adding matched residues follows Freeman, Jones, Pasztor,
    "Example-based super-resolution", IEEE CG&A 2002.
    """
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 5)
    if amount <= 0 or float(depth.max()) < LEAST_RADIUS_PX:
        return Filled(filled)
    answer = np.where(hole[..., None], filled, window).astype(np.float32)
    # What may not be read must not be blurred into the hole either.
    answer[~(usable | hole)] = 0
    copied = Exemplar().fill(window, hole, usable=usable, prior=answer)
    if copied.confidence is None:  # no whole patch is known
        return Filled(filled)
    match = np.where(hole, copied.confidence, np.float32(0))
    other = np.where(hole[..., None], copied.pixels, answer)
    departure = other - answer
    fine = departure - np.asarray(cv2.GaussianBlur(departure, (0, 0), SCALE_PX), np.float32)
    weight = np.float32(amount) * np.sqrt(match)[..., None]
    return Filled(np.clip(filled + weight * fine, 0, 1).astype(np.float32), None, match)
