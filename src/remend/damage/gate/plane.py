"""Signs of one grey plane: slopes, flatness, tones, ground, octaves, strokes, edges."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.gate.copies import Grey, blocks_of, inner
from remend.picture import Float

__all__ = ["PLANE_SIGNS", "plane_signs"]

PLANE_SIGNS = (
    *(f"slope_{p}" for p in (10, 25, 50, 75, 90, 97)),
    "slope_top",
    "flat_0",
    "flat_3",
    "flat_share",
    "mode",
    "modes_2",
    "modes_4",
    "entropy",
    "quiet_mode",
    "quiet_modes_3",
    "quiet_entropy",
    "quiet_share",
    "ground",
    "ground_lean",
    "ground_tails",
    "two_tone",
    "two_tone_within",
    *(f"band_{k}" for k in range(4)),
    *(f"binary_{p}" for p in (25, 50, 75)),
    "busy",
    *(f"coherent_{p}" for p in (25, 50, 75)),
    "upright",
    "crisp",
    *(f"even_beside_edges_{p}" for p in (25, 50, 75)),
    "even",
)


def plane_signs(grey: Grey, tile: int) -> list[float]:
    """``PLANE_SIGNS`` of a grey plane; ``tile``: side in px of the probes it is laid of, 0 for one piece."""
    values = inner(grey, tile)
    counts = np.bincount(values.astype(np.uint8), minlength=256).astype(np.float64)
    low, high = np.searchsorted(np.cumsum(counts) / counts.sum(), (0.005, 0.995))
    span = max(float(high - low), 10.0)
    plane = grey.astype(np.float32)
    dx = np.asarray(cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3) / 8, np.float32)
    dy = np.asarray(cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3) / 8, np.float32)
    slope = np.asarray(cv2.magnitude(dx, dy), np.float32)
    signs, top = _slope_signs(inner(slope, tile), span)
    # Flatness.
    box = np.ones((3, 3), np.uint8)
    reaches = np.asarray(cv2.subtract(cv2.dilate(grey, box), cv2.erode(grey, box)), np.uint8)
    reach = inner(reaches, tile)
    quiet = reach <= max(3.0, 0.03 * span)
    signs += [float((reach == 0).mean()), float((reach <= 3).mean()), float((reach <= 0.04 * span).mean())]
    # Tones: of all pixels, and of those in quiet places.
    signs += _tone_signs(counts, span)
    quiet_counts = np.bincount(values[quiet].astype(np.uint8), minlength=256).astype(np.float64)
    mode, _, modes, entropy = _tone_signs(quiet_counts, span)
    signs += [mode, modes, entropy, float(quiet.mean())]
    # How the plane departs from its ground, the tone most of its surroundings have.
    signs += _ground_signs(grey, span, tile)
    signs += _two_tone(counts, span)
    signs += _octave_signs(plane, tile, float(np.var(values)))
    signs += _block_signs(plane, dx, dy, span)
    strong = slope > max(0.35 * top, 1.0)
    signs += _edge_signs(plane, dx, dy, slope, strong)
    # Drawn outlines part areas that are even but for noise; a photograph's edges lie in shading and texture.
    noise = min(2.2 * float(np.percentile(reach[::9], 15)), 0.1 * span)
    even = (reaches <= max(3.0, 0.03 * span, noise)).astype(np.float32)
    signs += _quantiles(np.asarray(cv2.blur(even, (11, 11)), np.float32)[strong], 0.5)
    signs.append(float(even.mean()))
    return signs


def _slope_signs(steep: Float, span: float) -> tuple[list[float], float]:
    """How slopes spread about their median and below the steepest, and the steepest, in levels a pixel."""
    levels = np.percentile(steep[:: 1 + steep.size // 16384], (10, 25, 50, 75, 90, 97, 99.5))
    top = max(float(levels[6]), 0.25)
    signs = [float(np.log((level + 0.05) / (levels[2] + 0.05))) for level in levels[:2]]
    signs += [float(np.log((level + 0.05) / (top + 0.05))) for level in levels[2:6]]
    return [*signs, float(np.log(top / span))], top


def _tone_signs(counts: NDArray[np.float64], span: float) -> list[float]:
    """Share of the commonest tone, of the two and the four commonest, and the entropy of all tones."""
    total = counts.sum()
    if total < 16:
        return [0.0, 0.0, 0.0, 0.5]
    reach = max(1, round(span / 40))
    sums = np.convolve(counts, np.ones(2 * reach + 1), mode="same") / total
    shares = []
    for _ in range(4):
        at = int(np.argmax(sums))
        shares.append(float(sums[at]))
        # What is within reach of a tone that was counted does not count again.
        sums[max(0, at - 2 * reach) : at + 2 * reach + 1] = 0
    step = max(1, round(span / 32))
    binned = np.add.reduceat(counts, np.arange(0, 256, step)) / total
    binned = binned[binned > 0]
    entropy = float(-(binned * np.log(binned)).sum() / np.log(32))
    return [shares[0], shares[0] + shares[1], sum(shares), entropy]


def _ground_signs(grey: Grey, span: float, tile: int) -> list[float]:
    """Share of pixels at their ground's tone; lean and tails of the departures from it."""
    small = grey[::2, ::2]
    size = min(31, (min(small.shape) - 1) // 2 * 2 - 1)
    ground = cv2.medianBlur(np.ascontiguousarray(small), max(3, size))
    away = inner(small.astype(np.float32) - ground, tile // 2) / np.float32(span)
    deviation = float(away.std()) + 0.01
    square = away * away
    lean = float((square * away).mean()) / deviation**3
    tails = float((square * square).mean()) / deviation**4
    return [float((np.abs(away) < 0.06).mean()), abs(lean), float(np.log(tails + 1))]


def _two_tone(counts: NDArray[np.float64], span: float) -> list[float]:
    """How well two tones explain all (0–1), and how wide each of the two is."""
    share = counts / counts.sum()
    tones = np.arange(256)
    weight, first = np.cumsum(share), np.cumsum(share * tones)
    mean = first[-1]
    between = (mean * weight - first) ** 2 / np.maximum(weight * (1 - weight), 1e-9)
    at = int(np.argmax(between[:-1]))
    variance = float((share * (tones - mean) ** 2).sum())
    within = []
    for part in (slice(0, at + 1), slice(at + 1, 256)):
        own = share[part]
        if own.sum() > 0:
            middle = float((own * tones[part]).sum() / own.sum())
            within.append(float((own * np.abs(tones[part] - middle)).sum() / own.sum()) / span)
    return [float(between[at]) / (variance + 1), min(within, default=0.0)]


def _octave_signs(plane: Float, tile: int, variance: float) -> list[float]:
    """Energy of four octaves, finest first, as a share of all."""
    energies = []
    last: NDArray[Any] = plane
    for _ in range(4):
        soft: NDArray[Any] = cv2.GaussianBlur(last, (5, 5), 1.1)
        energies.append(float(np.square(inner(last - soft, tile if last.shape == plane.shape else 0)).mean()))
        if min(soft.shape) >= 12:
            soft = soft[::2, ::2]
        last = soft
    return [float(np.log((energy + 0.05) / (variance + 1.0))) for energy in energies]


def _block_signs(plane: Float, dx: Float, dy: Float, span: float) -> list[float]:
    """Of the blocks that hold something: are they of two tones only, are their strokes of one direction?"""
    blocks = blocks_of(plane)
    mean = blocks.mean(axis=1, keepdims=True)
    spread = blocks.std(axis=1)
    busy = spread > max(3.0, 0.06 * span)
    signs = _quantiles(np.abs(blocks - mean).mean(axis=1)[busy] / spread[busy], 0.8)
    signs.append(float(busy.mean()))
    xx, yy, xy = (blocks_of(product).mean(axis=1) for product in (dx * dx, dy * dy, dx * dy))
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 0.5)
    return signs + _quantiles(coherence[busy], 0.4)


def _edge_signs(plane: Float, dx: Float, dy: Float, slope: Float, strong: NDArray[np.bool_]) -> list[float]:
    """Of the steep places: how many lie along the axes, and how much of their slope a blurred copy keeps."""
    across, down = np.abs(dx[strong]), np.abs(dy[strong])
    upright = np.minimum(across, down) < 0.05 * np.maximum(across, down)
    soft = cv2.GaussianBlur(plane, (0, 0), 1.2)
    blunt = cv2.magnitude(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8
    return [
        float(upright.mean()) if upright.size > 8 else 0.2,
        float(blunt[strong].mean() / slope[strong].mean()) if strong.any() else 0.6,
    ]


def _quantiles(values: Float, default: float) -> list[float]:
    """The three quartiles; ``default`` thrice where there are too few values."""
    if values.size < 3:
        return [default] * 3
    values = values[:: 1 + values.size // 4096]
    return [float(v) for v in np.percentile(values, (25, 50, 75))]
