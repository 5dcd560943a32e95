"""The decision before the finder: what is this picture?

A photograph, or a scan of one, may be searched for damage. A document, a graphic, a halftone print or an
engraving is nothing but thin lines, dots and letters: a finder would take it apart, so it is left alone.

Signs are measured on twelve probes at the picture's own resolution (dots of a screen, engraved lines, type,
exact flatness) and on reduced copies (paper, few tones, outlines). A small network weighs them; it was fitted
by ``benchmarks/fit_gate.py`` to made graphics and to photographs in every state of wear; its numbers stand in
``gate.json``. In doubt the answer is ``photograph``: the finder is careful too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.picture import Float

__all__ = ["NATURES", "SIGNS", "Nature", "NatureKind", "nature_of", "signs_of"]

NatureKind = Literal["photograph", "document", "graphic", "halftone", "engraving"]
NATURES: tuple[NatureKind, ...] = get_args(NatureKind)

PLACE = Path(__file__).with_name("gate.json")
CLIP = 4.0  # deviations: beyond, a sign says no more

LONG_PX = 512  # longest side of the largest reduced copy
PROBE_PX, PROBE_ROWS, PROBE_COLUMNS = 128, 3, 4
LEAST_PX = 48  # smaller pictures are continued by their mirror image
BLOCK_PX = 16
EDGE_PX = 4  # pixels at a probe's rim that see its neighbour

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Nature:
    """What a picture is.

    Attributes:
        kind: ``photograph``; ``document`` (type, handwriting, music, tables); ``graphic`` (screens, charts,
            drawings, maps, posters, codes, pixel art); ``halftone`` (a print in dots); ``engraving``.
        confidence: 0–1, of the kind being right.
        reason: one plain line, to be shown.
    """

    kind: NatureKind
    confidence: float
    reason: str

    @property
    def searchable(self) -> bool:
        """Whether damage may be looked for without being told to."""
        return self.kind == "photograph"


# What is measured on every plane.
_PLANE_SIGNS = (
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
_PROBE_SIGNS = (
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
_WHOLE_SIGNS = (
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
SIGNS: tuple[str, ...] = (
    *(f"{plane}.{sign}" for plane in ("native", "large", "middle", "small") for sign in _PLANE_SIGNS),
    *_PROBE_SIGNS,
    *_WHOLE_SIGNS,
)
"""The names of what ``signs_of`` measures, in order."""


def nature_of(image: NDArray[np.uint8]) -> Nature:
    """Say what a picture is: a photograph, a document, a graphic, a halftone print or an engraving.

    Ask before damage is looked for without a mask. Do not ask where the user gave a mask: they know.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8, display orientation.

    Returns:
        The kind, how sure it is, and why. A picture of fewer than 32 px a side is called a photograph with
        confidence 0.5: nothing can be told.

    Raises:
        UsageError: another array.

    Cost: 25–60 ms up to 12 MP; 20 MB beside the picture.

    >>> page = np.full((400, 400), 255, np.uint8)
    >>> page[40:360:20, 30:370] = np.where(np.arange(340) % 9 < 4, 0, 255)
    >>> nature_of(page).searchable
    False
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise UsageError(f"a picture must be uint8 (H, W) or (H, W, 3), got {image.dtype} {image.shape}")
    if min(image.shape[:2]) < 32:
        return Nature("photograph", 0.5, "too small to tell")
    chances = _judge()(signs_of(image)[None])[0]
    other = int(np.argmax(chances[1:])) + 1
    if 1 - chances[0] < _judge().least:
        return Nature("photograph", float(chances[0]), _REASONS["photograph"])
    kind = NATURES[other]
    return Nature(kind, float(1 - chances[0]), _REASONS[kind])


_REASONS: dict[NatureKind, str] = {
    "photograph": "shaded tones and soft detail, as a photograph has",
    "document": "writing or print on an even ground",
    "graphic": "even areas and drawn outlines, as in a drawing, a chart or a screen",
    "halftone": "the tones are a regular screen of dots",
    "engraving": "the tones are made of fine lines side by side",
}


def signs_of(image: NDArray[np.uint8]) -> Float:
    """What is measured on a picture: (len(SIGNS),) float32. See ``nature_of`` for ``image``."""
    return _signs(*_copies(image), max(image.shape[:2]))


def _copies(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The probes and the reduced copy."""
    if min(image.shape[:2]) < LEAST_PX:
        pad = [(0, max(0, LEAST_PX - side)) for side in image.shape[:2]]
        image = np.pad(image, [*pad, *[(0, 0)] * (image.ndim - 2)], mode="symmetric")
    return _probes(image), _reduced(image, LONG_PX)


def _signs(probes: NDArray[np.uint8], large: NDArray[np.uint8], long_px: int) -> Float:
    greys = [_grey(probes), _grey(large)]
    for _ in range(2):
        last = greys[-1]
        half = (max(24, last.shape[1] // 2), max(24, last.shape[0] // 2))
        greys.append(np.asarray(cv2.resize(last, half, interpolation=cv2.INTER_AREA), np.uint8))
    tile = probes.shape[0] // PROBE_ROWS
    values: list[float] = []
    for index, grey in enumerate(greys):
        values += _plane_signs(grey, tile if index == 0 else 0)
    values += _probe_signs(probes, greys[0], tile)
    values += _whole_signs(large, greys[1], long_px)
    return np.nan_to_num(np.asarray(values, np.float32), posinf=0, neginf=0)


# The copies that are looked at.


def _grey(image: NDArray[np.uint8]) -> Grey:
    if image.ndim == 2:
        return np.ascontiguousarray(image)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)


def _reduced(image: NDArray[np.uint8], long_px: int) -> NDArray[np.uint8]:
    """A copy whose long side is at most ``long_px``; halvings first, which are quick."""
    while max(image.shape[:2]) >= 4 * long_px:
        half = (max(1, image.shape[1] // 2), max(1, image.shape[0] // 2))
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    factor = long_px / max(image.shape[:2])
    if factor < 1:
        size = [max(24, round(side * factor)) for side in image.shape[:2]]
        image = np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
    return image


def _probes(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Squares of the picture at its own resolution, spread evenly, laid side by side in rows."""
    height, width = image.shape[:2]
    tile = min(PROBE_PX, height, width) // BLOCK_PX * BLOCK_PX
    rows = np.linspace(0, height - tile, PROBE_ROWS + 2).astype(int)[1:-1]
    columns = np.linspace(0, width - tile, PROBE_COLUMNS + 2).astype(int)[1:-1]
    parts = [[image[y : y + tile, x : x + tile] for x in columns] for y in rows]
    return np.concatenate([np.concatenate(row, axis=1) for row in parts])


def _inner(plane: NDArray[Any], tile: int) -> NDArray[Any]:
    """Values of ``plane`` away from the rims of its tiles (or of itself, with ``tile`` 0), flat."""
    if not tile:
        return plane[1:-1, 1:-1].ravel()
    rows, columns = plane.shape[0] // tile, plane.shape[1] // tile
    tiles = plane[: rows * tile, : columns * tile].reshape(rows, tile, columns, tile)
    return tiles[:, EDGE_PX:-EDGE_PX, :, EDGE_PX:-EDGE_PX].ravel()


def _blocks(plane: NDArray[Any]) -> Float:
    """(n, pixels) blocks of ``BLOCK_PX``; probes are whole numbers of them."""
    rows, columns = plane.shape[0] // BLOCK_PX, plane.shape[1] // BLOCK_PX
    cut = plane[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, -1)


# Signs of one plane.


def _plane_signs(grey: Grey, tile: int) -> list[float]:
    values = _inner(grey, tile)
    counts = np.bincount(values.astype(np.uint8), minlength=256).astype(np.float64)
    total = counts.sum()
    low, high = np.searchsorted(np.cumsum(counts) / total, (0.005, 0.995))
    span = max(float(high - low), 10.0)
    plane = grey.astype(np.float32)
    # Slopes.
    dx = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3) / 8
    dy = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3) / 8
    slope = cv2.magnitude(dx, dy)
    steep = _inner(slope, tile)
    levels = np.percentile(steep[:: 1 + steep.size // 16384], (10, 25, 50, 75, 90, 97, 99.5))
    top = max(float(levels[6]), 0.25)
    signs = [float(np.log((level + 0.05) / (levels[2] + 0.05))) for level in levels[:2]]
    signs += [float(np.log((level + 0.05) / (top + 0.05))) for level in levels[2:6]]
    signs.append(float(np.log(top / span)))
    # Flatness.
    box = np.ones((3, 3), np.uint8)
    reaches = np.asarray(cv2.subtract(cv2.dilate(grey, box), cv2.erode(grey, box)), np.uint8)
    reach = _inner(reaches, tile)
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
    # Energy by octave.
    energies = []
    last: NDArray[Any] = plane
    for _ in range(4):
        soft: NDArray[Any] = cv2.GaussianBlur(last, (5, 5), 1.1)
        energies.append(
            float(np.square(_inner(last - soft, tile if last.shape == plane.shape else 0)).mean())
        )
        if min(soft.shape) >= 12:
            soft = soft[::2, ::2]
        last = soft
    whole = float(np.var(values)) + 1.0
    signs += [float(np.log((energy + 0.05) / whole)) for energy in energies]
    # Blocks: two tones only? strokes of one direction?
    blocks = _blocks(plane)
    mean = blocks.mean(axis=1, keepdims=True)
    spread = blocks.std(axis=1)
    busy = spread > max(3.0, 0.06 * span)
    signs += _quantiles(np.abs(blocks - mean).mean(axis=1)[busy] / spread[busy], 0.8)
    signs.append(float(busy.mean()))
    xx, yy, xy = (_blocks(product).mean(axis=1) for product in (dx * dx, dy * dy, dx * dy))
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 0.5)
    signs += _quantiles(coherence[busy], 0.4)
    # Steep places: along the axes? sharper than a blurred copy?
    strong = slope > max(0.35 * top, 1.0)
    across, down = np.abs(dx[strong]), np.abs(dy[strong])
    upright = np.minimum(across, down) < 0.05 * np.maximum(across, down)
    signs.append(float(upright.mean()) if upright.size > 8 else 0.2)
    soft = cv2.GaussianBlur(plane, (0, 0), 1.2)
    blunt = cv2.magnitude(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8
    signs.append(float(blunt[strong].mean() / slope[strong].mean()) if strong.any() else 0.6)
    # Drawn outlines part areas that are even but for noise; a photograph's edges lie in shading and texture.
    noise = min(2.2 * float(np.percentile(reach[::9], 15)), 0.1 * span)
    even = (reaches <= max(3.0, 0.03 * span, noise)).astype(np.float32)
    signs += _quantiles(np.asarray(cv2.blur(even, (11, 11)), np.float32)[strong], 0.5)
    signs.append(float(even.mean()))
    return signs


def _quantiles(values: Float, default: float) -> list[float]:
    if values.size < 3:
        return [default] * 3
    values = values[:: 1 + values.size // 4096]
    return [float(v) for v in np.percentile(values, (25, 50, 75))]


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
    away = _inner(small.astype(np.float32) - ground, tile // 2) / np.float32(span)
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


# Signs at the picture's own resolution.


def _probe_signs(probes: NDArray[np.uint8], grey: Grey, tile: int) -> list[float]:
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


def _whole_signs(large: NDArray[np.uint8], grey: Grey, long_px: int) -> list[float]:
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


# Weighing.


@dataclass(frozen=True, slots=True)
class _Judge:
    """Networks over standardised signs, whose answers are averaged: softmax over ``NATURES``.

    Attributes:
        mean: (signs,) subtracted from them.
        deviation: (signs,) they are divided by.
        nets: layers (weight, bias) each; ReLU between.
        least: chance of not being a photograph from which the picture is left alone.
    """

    mean: Float
    deviation: Float
    nets: tuple[tuple[tuple[Float, Float], ...], ...]
    least: float

    def __call__(self, signs: Float) -> Float:
        """(n, len(NATURES)) chances for (n, len(SIGNS)) signs."""
        standard = np.clip((signs - self.mean) / self.deviation, -CLIP, CLIP)
        total = np.zeros((len(signs), len(NATURES)), np.float32)
        for layers in self.nets:
            values = standard
            for weight, bias in layers[:-1]:
                values = np.maximum(values @ weight + bias, 0)
            weight, bias = layers[-1]
            score = values @ weight + bias
            score = np.exp(score - score.max(axis=1, keepdims=True))
            total += score / score.sum(axis=1, keepdims=True)
        return np.asarray(total / len(self.nets), np.float32)


@cache
def _judge() -> _Judge:
    table = json.loads(PLACE.read_text(encoding="utf-8"))
    nets = tuple(
        tuple((np.asarray(part["weight"], np.float32), np.asarray(part["bias"], np.float32)) for part in net)
        for net in table["nets"]
    )
    mean, deviation = (np.asarray(table[name], np.float32) for name in ("mean", "deviation"))
    return _Judge(mean, deviation, nets, float(table["least"]))
