"""A picture in one tone, grey, sepia or cyanotype, stays in it.

A net that learned from colours answers with a little of them even where there are none: white paper gets a
rosy stain. In a picture of one tone colour follows from brightness, so the fill's is taken from there.
"""

from __future__ import annotations

import numpy as np

from remend.picture import Bool, Float
from remend.tone import LEVELS, THIRDS, cells, tone_of

__all__ = ["keep_tone"]


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
    tone = tone_of(cells(filled, usable))
    if tone is None:
        return filled
    wanted = filled[hole] @ THIRDS
    level = np.clip(wanted * (LEVELS - 1) + 0.5, 0, LEVELS - 1).astype(np.intp)
    toned = filled.copy()
    toned[hole] = wanted[:, None] + tone[level]
    return toned
