"""How soft a picture is: by how much it can be made smaller before anything in it is lost.

A scan at 600 dpi of a print that holds 150 is four times as large as what it shows, and so is its damage. The
net was taught at the scale of what is shown, so that is where it looks.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Float

__all__ = ["reduced", "reduction_of"]

PROBE_PX, PROBES = 512, 4  # squares, spread evenly, that are looked at
TOP = 99.9  # per cent: edges are few, and a crisp scratch on a soft picture is less
SOFT = 0.72  # what detail of one octave may have of the next before the finer one counts as empty
FAINT = 5.0  # levels: where edges are fainter nothing can be told
NOISE = 4.88  # of a Gaussian: its 99.9th percentile over its median, both of magnitudes
OCTAVES = 4


def reduction_of(image: NDArray[np.uint8]) -> int:
    """By how much a picture may be reduced without losing what it shows: 1, 2, 4 or 8.

    A sharp edge is as strong in one octave of a Laplacian pyramid as in the next, whatever the picture shows;
    one that was enlarged or is out of focus is weaker in the finest. Noise is as strong in the median as at
    the top, and is taken off first.

    Args:
        image: (H, W) or (H, W, 3) uint8.

    Returns:
        The reduction: an enlargement of 4 gives 2 or 4, one of 8 gives 4 or 8; what is left up to twice too
        soft is what the net was taught with.

    Cost: 60 ms at most, whatever the size.

    Reference: Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", IEEE Trans. Communications,
    1983.
    """
    strengths = _strengths(image)
    reduction = 1
    for finer, coarser in pairwise(strengths):
        if coarser < FAINT or finer > SOFT * coarser:
            break
        reduction *= 2
    return reduction


def reduced(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The picture made smaller by averaging; its last pixels may be of less than a whole square."""
    if factor == 1:
        return image
    height, width = image.shape[:2]
    size = (max(1, -(-width // factor)), max(1, -(-height // factor)))
    pad = (size[1] * factor - height, size[0] * factor - width)
    if any(pad):
        image = cv2.copyMakeBorder(image, 0, pad[0], 0, pad[1], cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _strengths(image: NDArray[np.uint8]) -> Float:
    """(octaves,) the strength of edges in each, finest first, without noise."""
    height, width = image.shape[:2]
    magnitudes: list[list[Float]] = [[] for _ in range(OCTAVES)]
    for top in _spread(height):
        for left in _spread(width):
            part = image[top : top + PROBE_PX, left : left + PROBE_PX]
            grey = part if part.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)
            plane = grey.astype(np.float32)
            for octave in range(OCTAVES):
                if min(plane.shape) < 16:
                    break
                low = np.asarray(cv2.pyrDown(plane), np.float32)
                detail = np.abs(plane - cv2.pyrUp(low, dstsize=(plane.shape[1], plane.shape[0])))
                magnitudes[octave].append(np.asarray(detail.ravel(), np.float32))
                plane = low
    strengths = []
    for details in magnitudes:
        if not details:
            break
        whole = np.concatenate(details)
        values = whole[:: max(1, whole.size // 400_000)]
        top_value, noise = float(np.percentile(values, TOP)), NOISE * float(np.median(values))
        strengths.append(max(top_value**2 - noise**2, 0.0) ** 0.5)
    return np.array(strengths, np.float32)


def _spread(length: int) -> list[int]:
    """Where probes begin along a side."""
    most = max(0, length - PROBE_PX)
    count = min(PROBES, 1 + most // PROBE_PX)
    return [int(n) for n in np.linspace(0, most, count)] if most else [0]
