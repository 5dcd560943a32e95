"""A picture in one tone, grey, sepia or cyanotype, stays in it.

A net that learned from colours answers with a little of them even where there are none: white paper gets a
rosy stain. In a picture of one tone colour follows from brightness, so the fill's is taken from there.
"""

from __future__ import annotations

import cv2
import numpy as np

from remend.picture import Bool, Float

__all__ = ["keep_tone"]

# Root mean square of what brightness leaves of the colour: 0 to 2.1 levels in sixteen scans of old pictures,
# 3.2 to 27 in 194 photographs in colour but for three, whose fills lose no more of it than that.
LIMIT = 2.5 / 255
CELL_PX = 4  # means of cells are looked at: what JPEG and scanners add to colour is finer
STEPS = 32  # of brightness
LEAST_CELLS = 16
LEVELS = 256  # of the table from brightness to colour
THIRDS = np.full(3, 1 / 3, np.float32)


def keep_tone(filled: Float, hole: Bool, usable: Bool) -> Float:
    """Give the fill the colour that its brightness has around it, where the window has one tone.

    Args:
        filled: (h, w, 3) float32, the window with its fill.
        hole: (h, w) bool, what was filled.
        usable: (h, w) bool, what may be read.

    Returns:
        (h, w, 3) float32; ``filled`` itself where there are colours, or too little is known.

    Cost: 10 ns a pixel of the window, 100 a pixel of the hole.
    """
    known = _cells(filled, usable)
    if len(known) < LEAST_CELLS:
        return filled
    brightness = known @ THIRDS
    colour = known - brightness[:, None]
    step = np.clip(brightness * STEPS, 0, STEPS - 1).astype(np.intp)
    count = np.bincount(step, minlength=STEPS)
    seen = np.flatnonzero(count)
    means = np.stack([np.bincount(step, c, STEPS)[seen] / count[seen] for c in colour.T], axis=1)
    of_step = np.zeros(STEPS, np.intp)
    of_step[seen] = np.arange(len(seen))
    if np.sqrt(np.square(colour - means[of_step[step]]).mean()) > LIMIT:
        return filled
    table = np.stack([np.interp(np.linspace(0, 1, LEVELS), (seen + 0.5) / STEPS, c) for c in means.T], axis=1)
    wanted = filled[hole] @ THIRDS
    level = np.clip(wanted * (LEVELS - 1) + 0.5, 0, LEVELS - 1).astype(np.intp)
    toned = filled.copy()
    toned[hole] = wanted[:, None] + table.astype(np.float32)[level]
    return toned


def _cells(window: Float, usable: Bool) -> Float:
    """(n, 3) means over cells that are known in whole."""
    size = (usable.shape[1] // CELL_PX, usable.shape[0] // CELL_PX)
    if min(size) < 1:
        return np.empty((0, 3), np.float32)
    unknown = cv2.resize((~usable).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    means = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    return np.asarray(means[unknown == 0], np.float32)
