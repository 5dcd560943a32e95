"""Whether a picture has one tone, grey, sepia or cyanotype: colour then follows from brightness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["cells", "in_one_tone", "tone_of"]

# Root mean square of what brightness leaves of the colour: 0 to 2.1 levels in sixteen scans of old pictures,
# 3.2 to 27 in 194 photographs in colour but for three, whose fills lose no more of it than that.
LIMIT = 2.5 / 255
CELL_PX = 4  # means of cells are looked at: what JPEG and scanners add to colour is finer
STEPS = 32  # of brightness
LEAST_CELLS = 16
LEVELS = 256  # of the table from brightness to colour
THIRDS = np.full(3, 1 / 3, np.float32)


def cells(window: Float, usable: Bool) -> Float:
    """(n, 3) means over cells of ``CELL_PX`` that are known in whole.

    Args:
        window: (h, w, 3) float32, 0 to 1.
        usable: (h, w) bool, what may be read.
    """
    size = (usable.shape[1] // CELL_PX, usable.shape[0] // CELL_PX)
    if min(size) < 1:
        return np.empty((0, 3), np.float32)
    unknown = cv2.resize((~usable).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    means = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    return np.asarray(means[unknown == 0], np.float32)


def tone_of(known: Float) -> Float | None:
    """(LEVELS, 3) float32: what each brightness adds to become the colour; None where there are colours.

    Args:
        known: (n, 3) float32, 0 to 1, as ``cells`` gives them; too few have no tone.
    """
    if len(known) < LEAST_CELLS:
        return None
    brightness = known @ THIRDS
    colour = known - brightness[:, None]
    step = np.clip(brightness * STEPS, 0, STEPS - 1).astype(np.intp)
    count = np.bincount(step, minlength=STEPS)
    seen = np.flatnonzero(count)
    means = np.stack([np.bincount(step, c, STEPS)[seen] / count[seen] for c in colour.T], axis=1)
    of_step = np.zeros(STEPS, np.intp)
    of_step[seen] = np.arange(len(seen))
    if np.sqrt(np.square(colour - means[of_step[step]]).mean()) > LIMIT:
        return None
    table = np.stack([np.interp(np.linspace(0, 1, LEVELS), (seen + 0.5) / STEPS, c) for c in means.T], axis=1)
    return np.asarray(table, np.float32)


def in_one_tone(image: NDArray[np.uint8]) -> bool:
    """Whether (H, W, 3) uint8 RGB has one tone. Cost: 4 ns a pixel, 1 byte a pixel.

    >>> in_one_tone(np.full((32, 32, 3), (120, 100, 80), np.uint8))
    True
    """
    size = (image.shape[1] // CELL_PX, image.shape[0] // CELL_PX)
    if min(size) < 1:
        return False
    means = cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    some = means[:: max(1, len(means) // 100_000)].astype(np.float32)
    return tone_of(np.asarray(some / 255, np.float32)) is not None
