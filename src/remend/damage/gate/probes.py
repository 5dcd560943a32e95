"""Signs at the picture's own resolution: equal neighbours, enlarged pixels, a screen's peaks, grain."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.gate.copies import Grey
from remend.picture import Float

__all__ = ["PROBE_SIGNS", "probe_signs"]

PROBE_SIGNS = (
    "same",
    "same_as_mode",
    "zoomed",
    "peak",
    "peak_where",
    "peak_median",
    "peak_count",
    "peak_fourth",
    "grain",
)


def probe_signs(probes: NDArray[np.uint8], grey: Grey, tile: int) -> list[float]:
    """``PROBE_SIGNS`` of the probes, (H, W) or (H, W, 3) uint8, their grey, and the side of one in px."""
    same = grey[:, 1:] == grey[:, :-1]
    if probes.ndim == 3:
        same = (probes[:, 1:] == probes[:, :-1]).all(axis=2)
    counts = np.bincount(grey.ravel(), minlength=256)
    signs = [float(same.mean()), float(counts.max() / counts.sum()), _zoomed(same)]
    # Halftone: the same peaks in the spectra of all probes that hold something.
    side = 1 << (tile.bit_length() - 1)
    window = np.hanning(side).astype(np.float32)
    window = window[:, None] * window[None]
    total: Float = np.zeros((side, side // 2 + 1), np.float32)
    single: list[float] = []
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    ring = np.minimum((frequency * side).astype(int), side // 2)
    fine = (frequency > 0.055) & (frequency < 0.48)
    for top in range(0, grey.shape[0], tile):
        for left in range(0, grey.shape[1], tile):
            part = grey[top : top + side, left : left + side].astype(np.float32)
            if part.std() < 4:
                continue
            # Tones apart, so that the shadows' dots count as much as the lights'.
            part = part - cv2.GaussianBlur(part, (0, 0), 6)
            part = part / (cv2.blur(np.abs(part), (17, 17)) + 3)
            power = np.log(np.abs(np.fft.rfft2(part * window)).astype(np.float32) ** 2 + 1e-2)
            total += power
            single.append(float(_above(power, ring)[fine].max()))
    if not single:
        return [*signs, 0.0, 0.0, 0.0, 0.0, 0.0, _grain(grey)]
    lift = np.where(fine, _above(total / len(single), ring), -9)
    at = int(np.argmax(lift))
    best = float(lift.flat[at])
    tops = cv2.dilate(lift.astype(np.float32), np.ones((5, 5), np.uint8)) == lift
    heights = np.sort(lift[tops & fine])[::-1]
    fourth = float(heights[min(3, len(heights) - 1)])
    signs += [best, float(frequency.flat[at]), float(np.median(single))]
    return [*signs, float(np.log1p((heights > 2.0).sum())), fourth, _grain(grey)]


def _above(power: NDArray[Any], ring: NDArray[np.intp]) -> Float:
    """A log spectrum less the mean of each ring of frequencies."""
    count = np.bincount(ring.ravel())
    mean = np.bincount(ring.ravel(), power.ravel()) / np.maximum(count, 1)
    return np.asarray(power - mean[ring], np.float32)


def _zoomed(same: NDArray[np.bool_]) -> float:
    """How strictly changes between neighbours keep to every second, third … column: enlarged pixels."""
    changes = np.count_nonzero(~same, axis=0).astype(np.float64)
    total = changes.sum()
    if total < 32:
        return 0.0
    best = 0.0
    for zoom in range(2, 11):
        length = len(changes) // zoom * zoom
        phases = changes[:length].reshape(-1, zoom).sum(axis=0)
        best = max(best, (float(phases.max() / total) - 1 / zoom) / (1 - 1 / zoom))
    return best


def _grain(grey: Grey) -> float:
    """Deviation of the noise in the quieter half of the probes, in levels, as a logarithm."""
    plane = grey.astype(np.float32)
    rough = plane[1:, 1:] - plane[1:, :-1] - plane[:-1, 1:] + plane[:-1, :-1]
    return float(np.log(np.percentile(np.abs(rough).ravel()[::9], 30) + 0.3))
