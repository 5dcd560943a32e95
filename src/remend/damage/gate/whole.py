"""Signs of the whole picture, reduced: its colours, and the pieces of ink on their ground."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.gate.copies import LONG_PX, Grey

__all__ = ["WHOLE_SIGNS", "whole_signs"]

WHOLE_SIGNS = (
    "colours",
    "colour_modes_8",
    "colourful",
    *(f"clusters_{k}" for k in (1, 3, 6, 10)),
    *(f"even_clusters_{k}" for k in (1, 3, 6, 10)),
    "pieces",
    "piece_height",
    "piece_spread",
    "small_pieces",
    "ink",
    "long_side",
)


def whole_signs(large: NDArray[np.uint8], grey: Grey, long_px: int) -> list[float]:
    """``WHOLE_SIGNS`` of the reduced copy, its grey, and the longest side of the picture itself in px."""
    signs = _colour_signs(large)
    # Pieces of ink on their ground: letters, notes, symbols are many, small and of like height.
    soft = cv2.blur(grey, (31, 31)).astype(np.int16)
    away = grey.astype(np.int16) - soft
    limit = max(12.0, float(np.percentile(grey[::3, ::3], 99) - np.percentile(grey[::3, ::3], 1)) * 0.14)
    lean = np.count_nonzero(away < -limit) >= np.count_nonzero(away > limit)
    ink = (away < -limit) if lean else (away > limit)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    heights, areas = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_AREA]
    kept = heights[areas >= 6].astype(np.float64)
    signs.append(float(np.log1p(1e4 * len(kept) / grey.size)))
    if len(kept) >= 5:
        quarter, middle, three = np.percentile(kept, (25, 50, 75))
        signs += [float(np.log(middle)), float(np.log((three + 1) / (quarter + 1)))]
    else:
        signs += [3.0, 1.0]
    signs += [float((count - 1 - len(kept)) / max(count, 8)), float(ink.mean())]
    signs.append(float(np.log(long_px / LONG_PX)))
    return signs


def _colour_signs(large: NDArray[np.uint8]) -> list[float]:
    """How many colours it takes, what the eight commonest cover, and how colourful it is."""
    if large.ndim == 2:
        large = np.repeat(large[:, :, None], 3, axis=2)
    small = large[::2, ::2].reshape(-1, 3)
    code = (small[:, 0] >> 3).astype(np.int32) << 10 | (small[:, 1] >> 3).astype(np.int32) << 5
    counts = np.bincount(code | (small[:, 2] >> 3), minlength=1 << 15)
    shares = np.sort(counts[counts > 0])[::-1] / len(small)
    enough = int(np.searchsorted(np.cumsum(shares), 0.95)) + 1
    chroma = small.max(axis=1) - small.min(axis=1)
    signs = [float(np.log(enough)), float(shares[:8].sum()), float(np.log1p(chroma.mean()))]
    soft = cv2.resize(cv2.blur(large, (3, 3)), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    signs += _clusters(soft.reshape(-1, 3))
    box = np.ones((5, 5), np.uint8)
    reach = cv2.subtract(cv2.dilate(soft, box), cv2.erode(soft, box)).max(axis=2)
    return signs + _clusters(soft[reach <= max(6.0, float(np.percentile(reach[::2, ::2], 30)))])


def _clusters(colours: NDArray[Any]) -> list[float]:
    """Share of ``colours`` (n, 3) near the commonest one, the 3, the 6 and the 10 commonest."""
    if len(colours) < 16:
        return [0.0] * 4
    low = np.percentile(colours[::4], 1)
    span = max(float(np.percentile(colours[::4], 99) - low), 24.0)
    cell = np.clip((colours.astype(np.float32) - low) * (20 / span), 0, 19).astype(np.int32)
    counts = np.bincount(cell @ np.array([400, 20, 1], np.int32), minlength=8000).reshape(20, 20, 20)
    cube = np.pad(counts, 1).astype(np.float32)
    shares = []
    for _ in range(10):
        near = cube[:-2] + cube[1:-1] + cube[2:]
        near = near[:, :-2] + near[:, 1:-1] + near[:, 2:]
        near = near[:, :, :-2] + near[:, :, 1:-1] + near[:, :, 2:]
        at = np.unravel_index(int(np.argmax(near)), near.shape)
        shares.append(float(near[at]) / len(colours))
        cube[at[0] : at[0] + 3, at[1] : at[1] + 3, at[2] : at[2] + 3] = 0
    total = np.cumsum(shares)
    return [float(total[k - 1]) for k in (1, 3, 6, 10)]
