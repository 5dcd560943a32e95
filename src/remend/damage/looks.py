"""A picture looked at twice: at the scale of what it shows, and from closer by."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.chances import WEIGHTS, chances_of
from remend.damage.softness import reduced, softened

__all__ = ["MOST_PIXELS", "closer_of", "looked_at"]


MOST_PIXELS = 4_500_000  # in both looks: what is seen in a larger picture is larger than a pixel
CLOSER = 1.5  # the second look shows everything so much larger,
LEAST_CLOSER = 1.2  # or less where that were too many pixels; at less than this it shows nothing new


def closer_of(pixels: int) -> float:
    """How much larger the second look shows a picture of so many pixels; 1 = there is none."""
    closer = min(CLOSER, max(0.0, MOST_PIXELS / pixels - 1) ** 0.5)
    return closer if closer >= LEAST_CLOSER else 1.0


def looked_at(
    image: NDArray[np.uint8], reduction: float, *, closer: float | None = None, weights: Path = WEIGHTS
) -> list[NDArray[np.uint8]]:
    """The chance of damage by pixel and kind: as one look gives it, and the mean of two.

    At the same number of false finds the mean has more of thin scratches, specks and cracks, and half as much
    of the soft dust of old prints; so each is judged by itself.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8.
        reduction: at least 1; the scale of what it shows (``reduction_of``).
        closer: how much larger the second look shows it; None = ``closer_of``.
        weights: as for ``chances_of``.

    Returns:
        One or two of (6, ceil(H / reduction), ceil(W / reduction)) uint8, in 255ths; one where the picture is
        too large for a second look.

    Raises:
        ModelError: the embedded net is missing or damaged.

    Cost: of ``chances_of``, a little over three times; never more than for ``MOST_PIXELS``.
    """
    small = reduced(image, reduction)
    planes = chances_of(softened(small, reduction), weights=weights)
    size = small.shape[1], small.shape[0]
    closer = closer_of(size[0] * size[1]) if closer is None else closer
    if closer == 1:
        return [planes]
    larger = (round(size[0] * closer), round(size[1] * closer))
    way = cv2.INTER_AREA if reduction >= closer else cv2.INTER_CUBIC
    shown = np.asarray(cv2.resize(softened(image, reduction), larger, interpolation=way), np.uint8)
    near = chances_of(shown, weights=weights)
    mean = [
        cv2.addWeighted(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), 0.5, once, 0.5, 0)
        for plane, once in zip(near, planes, strict=True)
    ]
    return [planes, np.stack(mean).astype(np.uint8, copy=False)]
