"""Small pictures of what an evaluation sees, for its page."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.evaluation.scores import Seen
from remend.picture import Bool, Box

__all__ = ["Gallery"]


class Gallery:
    """Keeps small pictures of what an evaluation sees, for the HTML page: ``observer=gallery.see``.

    Args:
        side_px: the longer side of each; larger pictures are scaled down.
        quality: of WebP, 1–100.
    """

    def __init__(self, *, side_px: int = 320, quality: int = 78) -> None:
        self.side_px, self.quality = side_px, quality
        self.pictures: dict[str, dict[str, str]] = {}

    def see(self, seen: Seen) -> None:
        """Keep input, mask, outputs and truth of a pair; around the hole, if that is much smaller."""
        view = _view(seen.hole)
        erased = seen.truth.copy()
        erased[seen.hole] = (236, 64, 122)  # a colour that pictures seldom have
        white = np.repeat(seen.hole[:, :, None] * np.uint8(255), 3, axis=2)
        kept = {
            name: self._uri(image[view])
            for name, image in (("input", erased), ("mask", white), ("truth", seen.truth))
        }
        kept |= {f"output:{method}": self._uri(output[view]) for method, output in seen.outputs.items()}
        self.pictures[seen.pair.name] = kept

    def _uri(self, image: NDArray[np.uint8]) -> str:
        height, width = image.shape[:2]
        factor = self.side_px / max(height, width)
        if factor < 1:
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        done, data = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, self.quality])
        assert done, "OpenCV writes WebP of any small picture"
        return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()


def _view(hole: Bool) -> tuple[slice, slice]:
    """The part of a picture that is worth seeing: the hole with as much again around it, or all."""
    box = Box.around(hole)
    if box is None:
        return slice(None), slice(None)
    size = (hole.shape[0], hole.shape[1])
    grown = box.grown(max(48, box.height // 2, box.width // 2), size)
    return grown.slices if grown.area < hole.size / 2 else (slice(None), slice(None))
