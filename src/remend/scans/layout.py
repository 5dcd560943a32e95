"""Tilt and border of a picture, as `remend inspect` tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from remend.picture import Picture
from remend.samples import eight_bit
from remend.scans.content import content_tilt
from remend.scans.prints import Print, find_prints
from remend.scans.rim import rim_of

__all__ = ["Layout", "lay_out"]

SMALL_PX = 400  # in which the bed's share is counted


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture lies in its frame.

    Attributes:
        prints: on a scanner's bed; empty = it fills its frame.
        bed_share: of the picture, 0 to 1.
        rim: px of a white rim at the top, right, bottom and left, where there is no bed; None = none.
        content_deg: by how much what it shows is turned clockwise, where there is no bed and it is certain.
    """

    prints: tuple[Print, ...]
    bed_share: float
    rim: tuple[float, float, float, float] | None
    content_deg: float | None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        tilts = [round(one.tilt_deg, 3) for one in self.prints]
        return {
            "prints": len(self.prints),
            "tilts_deg": tilts,
            "bed_share": round(self.bed_share, 4),
            "rim_px": None if self.rim is None else [round(one, 1) for one in self.rim],
            "content_tilt_deg": None if self.content_deg is None else round(self.content_deg, 3),
        }


def lay_out(picture: Picture) -> Layout:
    """Measure tilt and border; the picture is not changed. Cost: up to 1 s, whatever the size."""
    image = np.ascontiguousarray(eight_bit(picture))
    prints = find_prints(image).prints
    if prints:
        return Layout(prints, _bed_share(prints, picture.size), None, None)
    rim = rim_of(image)
    widths = None if rim is None else (rim.top, rim.right, rim.bottom, rim.left)
    return Layout((), 0.0, widths, content_tilt(image))


def _bed_share(prints: tuple[Print, ...], size: tuple[int, int]) -> float:
    scale = SMALL_PX / max(size)
    covered = np.zeros([max(1, round(side * scale)) for side in size], np.uint8)
    for one in prints:
        cv2.fillPoly(covered, [np.rint(one.corners * scale).astype(np.int32)], 1)
    return float(1 - covered.mean())
