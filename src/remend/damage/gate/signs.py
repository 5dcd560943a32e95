"""What is measured on a picture, by name."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.gate.copies import PROBE_ROWS, grey_of, looked_at
from remend.damage.gate.plane import PLANE_SIGNS, plane_signs
from remend.damage.gate.probes import PROBE_SIGNS, probe_signs
from remend.damage.gate.whole import WHOLE_SIGNS, whole_signs
from remend.picture import Float

__all__ = ["SIGNS", "signs_of"]

SIGNS: tuple[str, ...] = (
    *(f"{plane}.{sign}" for plane in ("native", "large", "middle", "small") for sign in PLANE_SIGNS),
    *PROBE_SIGNS,
    *WHOLE_SIGNS,
)
"""The names of what ``signs_of`` measures, in order."""


def signs_of(image: NDArray[np.uint8]) -> Float:
    """What is measured on a picture: (len(SIGNS),) float32. See ``nature_of`` for ``image``."""
    probes, large = looked_at(image)
    greys = [grey_of(probes), grey_of(large)]
    for _ in range(2):
        last = greys[-1]
        half = (max(24, last.shape[1] // 2), max(24, last.shape[0] // 2))
        greys.append(np.asarray(cv2.resize(last, half, interpolation=cv2.INTER_AREA), np.uint8))
    tile = probes.shape[0] // PROBE_ROWS
    values: list[float] = []
    for index, grey in enumerate(greys):
        values += plane_signs(grey, tile if index == 0 else 0)
    values += probe_signs(probes, greys[0], tile)
    values += whole_signs(large, greys[1], max(image.shape[:2]))
    return np.nan_to_num(np.asarray(values, np.float32), posinf=0, neginf=0)
