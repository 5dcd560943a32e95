"""Dust and scratches by infrared: dyes let it through, what lies on the film does not.

A scanner's infrared channel still shows a shadow of the picture, of the cyan dye above all, a little aside of
the colours and softer than they. That is fitted from the logarithms of the colours and taken off, first over
the whole picture, then tile by tile; what is left and dark beyond its own noise is on the film. Silver and
Kodachrome's dyes stop infrared as dust does: there nothing can be told, and that is said.

Reference: the principle is Edgar, "Method and apparatus for defect correction", US 5266805 (1993); biweights
are Beaton and Tukey, Technometrics 1974; two thresholds are Canny, PAMI 1986.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.regions import gathered
from remend.picture import Bool, Box, Float, Region

__all__ = ["InfraredError", "find_by_infrared", "regions_of"]

Array = NDArray[Any]

TILE_PX, MARGIN_PX = 768, 64
LEAST_SIDE_PX = 24
PATCH_PX, PATCHES = 320, 4  # looked at first: so many across and down
LARGEST_SHIFT_PX = 6
CERTAIN = 2.5  # how much higher than all others a shift must stand out
DARK = 0.03  # of full scale, added before the logarithm: noise of the darkest must not count
SOFT_PX = (0.8, 1.8)  # two copies of the colours, of which the fit mixes infrared's softness
SMOOTH_PX = 0.7  # of what is left, before it is judged
AROUND_PX = 20.0  # in which light and noise are its own
TUKEY = 4.0  # deviations from which a pixel says nothing of the dyes
SURE, FAINT = 4.5, 2.5  # deviations: where a mark begins, and how far it reaches
NEARLY, TOGETHER = 3.2, 20.0  # deviations at its darkest, and summed up, from which a faint mark is one
LEAST_DEPTH = 0.03  # as a logarithm: 3 % of the infrared
EDGE_SHARE = 0.25  # of a mark's own depth: its soft edge in infrared is wider than it is
LEAST_PX = 2
FLAT = 0.05  # contrast of a picture by which nothing can be told
MOST_LEAK, MOST_FINE = (
    0.3,
    0.21,
)  # contrast of infrared to the picture's, of all and of detail: dyes 0.02 to 0.18
GREY, MOST_LEAK_GREY = 0.02, 0.12  # of a picture without colours, which may well be silver
MOST_LEFT = 0.6  # correlation with the picture after all that
MOST_SPREAD = 0.1  # as a logarithm, of half of the pixels: film's is its noise, 0.003 to 0.03
MOST_MARKED = 0.15  # of the picture: so much is no dust
LEAST_MARKED_PX = 60  # fewer cannot be asked whether the picture shows them
NEAR_PX, SEEN_MORE = (
    12.0,
    1.25,
)  # in what is near, and how much more the picture must show at the marks than beside them
LONG_PX, THIN = 40, 0.15  # of a scratch: its length, and its area to the square of that
CONFIDENCE, CELL_PX = 0.99, 16  # of regions; what lies nearer is one
PULL = 200.0  # pixels' worth of the whole picture's fit in each tile's


class InfraredError(Exception):
    """The infrared cannot tell what is damage; its text says why."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """What is known of the whole: where infrared lies beside the colours, whether these are a negative's and
    turned round, and how the dyes leak.
    """

    shift_xy: tuple[float, float]
    turned: bool
    weights: Array


def find_by_infrared(
    colours: Array, infrared: Array, *, sensitivity: float = 0.5, same_scan: bool = False
) -> Bool:
    """What lies on a film, by its infrared channel.

    Args:
        colours: (H, W, C) unsigned integers of the visible channels, C 1 or 3: of a positive, or of a
            negative as it is or turned round.
        infrared: (H, W) unsigned integers, bright where film is clear; misplaced by up to 6 px.
        sensitivity: 0 to 1; higher marks fainter things.
        same_scan: it is certain that both are of one picture; else the picture must show what is marked.

    Returns:
        (H, W) bool, True = dust, hair, scratch, in the place of the colours; False where infrared shows none.

    Raises:
        InfraredError: silver or Kodachrome, another picture's infrared, or no infrared at all.

    Cost: .8 s for the fit over the whole, .3 µs a pixel; memory for one tile.
    """
    fit = _fitted(colours, infrared)
    height, width = infrared.shape
    marks = np.zeros((height, width), bool)
    strict = 2.0 ** (1 - 2 * sensitivity)
    for box in _tiles(height, width):
        wide = box.grown(MARGIN_PX, (height, width))
        rest = _left(colours, infrared, wide, fit)
        inner = box.inside(wide)
        marks[box.slices] = _marked(rest, strict)[inner.slices]
    share = float(marks.mean())
    if share > MOST_MARKED:
        raise InfraredError(f"it marks {share:.0%} of the picture, and dust is less")
    if not same_scan and marks.sum() >= LEAST_MARKED_PX and not _shown(colours, marks):
        raise InfraredError("where it is dark the picture shows nothing: it may be another picture's")
    return marks


def regions_of(marks: Bool) -> tuple[Region, ...]:
    """What infrared marked, as regions: what is long and thin is a scratch, all other dust.

    Args:
        marks: (H, W) bool, from `find_by_infrared`.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8), connectivity=8)
    found = []
    for number in range(1, count):
        left, top, wide, high, area = (int(one) for one in stats[number])
        box, length = Box(top, left, top + high, left + wide), max(wide, high)
        kind = "scratch" if length >= LONG_PX and area < THIN * length * length else "dust"
        found.append(Region(box, labels[box.slices] == number, kind, CONFIDENCE))
    height, width = marks.shape
    return tuple(gathered(found, cell_px=CELL_PX, size=(height, width)))


def _tiles(height: int, width: int) -> Iterator[Box]:
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            yield Box(top, left, min(top + TILE_PX, height), min(left + TILE_PX, width))


def _fitted(colours: Array, infrared: Array) -> _Fit:
    """Shift and leak over patches of the whole picture.

    Raises:
        InfraredError: the leak is silver's or Kodachrome's, or the plane shows nothing.
    """
    height, width = infrared.shape
    side = min(PATCH_PX, height, width)
    if side < LEAST_SIDE_PX:
        raise InfraredError("it is too small to tell")
    boxes = [
        Box(top, left, top + side, left + side)
        for top in np.unique(np.linspace(0, height - side, PATCHES).astype(int)).tolist()
        for left in np.unique(np.linspace(0, width - side, PATCHES).astype(int)).tolist()
    ]
    if int(infrared.max()) <= int(infrared.min()):
        raise InfraredError("it shows nothing: all of it is of one value")
    shift = _shift(colours, infrared, boxes)
    inner = (slice(4, -4), slice(4, -4))
    seen = [_aligned(infrared, box, shift)[inner] for box in boxes]
    fits = [_explained(colours, boxes, seen, inner, turned=turned) for turned in (False, True)]
    spread, weights, terms, turned = min(fits, key=lambda fit: fit[0])
    if spread > MOST_SPREAD:
        raise InfraredError("it is not even without the picture, as film is")
    _refuse_silver(terms, seen, weights, grey=colours.shape[2] == 1)
    return _Fit(shift, turned, weights)


def _explained(
    colours: Array, boxes: list[Box], seen: list[Float], inner: tuple[slice, slice], *, turned: bool
) -> tuple[float, Array, list[Float], bool]:
    """What is left of infrared beside the colours, the fit, and what it is made of."""
    terms = [_terms(colours, box, turned=turned)[inner] for box in boxes]
    flat = np.concatenate([each.reshape(-1, each.shape[2]) for each in terms])[::5]
    values = np.concatenate([each.ravel() for each in seen])[::5]
    weights = _regressed(flat, values)
    return float(np.median(np.abs(values - flat @ weights))), weights, terms, turned


def _refuse_silver(terms: list[Float], seen: list[Float], weights: Array, *, grey: bool) -> None:
    """See that infrared is not the picture itself.

    Raises:
        InfraredError: the leak is silver's or Kodachrome's.
    """
    logs = slice(1, 2 if grey else 4)
    light = [each[..., logs].mean(axis=2) for each in terms]
    predicted = [each @ weights for each in terms]
    contrast = float(np.std(np.concatenate([each.ravel() for each in light])))
    if contrast < FLAT:
        return
    leak = float(np.std(np.concatenate([each.ravel() for each in predicted]))) / contrast
    fine = sum(float(np.abs(_fine(each)).sum()) for each in predicted)
    fine /= sum(float(np.abs(_fine(each)).sum()) for each in light) + 1e-9
    colourful = max(float(np.median(each[..., logs].std(axis=2))) for each in terms)
    limits = (MOST_LEAK, MOST_FINE) if grey or colourful > GREY else (MOST_LEAK_GREY,) * 2
    if leak > limits[0] or fine > limits[1]:
        silver = grey or colourful <= GREY
        kind = "black-and-white film (silver)" if silver else "Kodachrome, or toned silver,"
        share = f"{max(leak, fine):.0%} of its contrast"
        raise InfraredError(f"it shows the picture itself with {share}: {kind} stops infrared as dust does")
    alike = [_alike(each - leaked, shown) for each, leaked, shown in zip(seen, predicted, light, strict=True)]
    if (worst := float(np.median(alike))) > MOST_LEFT:
        raise InfraredError(
            f"without the dyes it is still like the picture (correlation {worst:.2f}): it is no colour film"
        )


def _log(samples: Array) -> Float:
    full = float(np.iinfo(samples.dtype).max)
    return np.asarray(np.log(samples.astype(np.float32) / full + DARK), np.float32)


def _aligned(infrared: Array, box: Box, shift: tuple[float, float]) -> Float:
    """The logarithm of infrared at the places of the colours."""
    reach = LARGEST_SHIFT_PX + 2
    wide = box.grown(reach, infrared.shape)
    part = _log(infrared[wide.slices])
    matrix = np.array(
        [[1, 0, box.left - wide.left + shift[0]], [0, 1, box.top - wide.top + shift[1]]], np.float64
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(
        part, matrix, (box.width, box.height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def _terms(colours: Array, box: Box, *, turned: bool) -> Float:
    """What infrared may depend on: 1, the colours' logarithms sharp and soft, the colours, the place."""
    shine = colours[box.slices].astype(np.float32) / float(np.iinfo(colours.dtype).max)
    shine = shine.reshape(box.height, box.width, -1)
    logs = np.log((1 - shine if turned else shine) + DARK)
    sharp, soft = (cv2.GaussianBlur(logs, (0, 0), width).reshape(logs.shape) for width in SOFT_PX)
    plain = cv2.GaussianBlur(shine, (0, 0), SOFT_PX[0]).reshape(logs.shape)
    y, x = np.mgrid[-1 : 1 : box.height * 1j, -1 : 1 : box.width * 1j].astype(np.float32)
    one = np.ones((box.height, box.width, 1), np.float32)
    return np.concatenate([one, sharp, soft, plain, x[..., None], y[..., None]], axis=2)


def _regressed(terms: Array, values: Array, towards: Array | None = None) -> Array:
    """Robust least squares, pulled towards other weights; dust, which only darkens, has no say."""
    count = terms.shape[1]
    terms, values = terms.astype(np.float64), values.astype(np.float64)
    pull = np.eye(count) * (1e-4 * len(values) if towards is None else PULL)
    pull[0, 0] = 0.0
    goal = np.zeros(count) if towards is None else towards
    trust = np.ones(len(values))
    weights = goal
    for _ in range(6):
        weighed = terms * trust[:, None]
        weights = np.linalg.solve(weighed.T @ terms + pull, weighed.T @ values + pull @ goal)
        rest = values - terms @ weights
        spread = max(1e-4, 1.4826 * float(np.median(np.abs(rest - np.median(rest)))))
        trust = np.clip(1 - (rest / (TUKEY * spread)) ** 2, 0, None) ** 2
    return np.asarray(weights)


def _shift(colours: Array, infrared: Array, boxes: list[Box]) -> tuple[float, float]:
    """By how many px (x, y) infrared lies beside the colours; 0 where nothing tells.

    Dust is dark in both, and what leaks of the picture is the picture: both say the same.
    """
    reach = LARGEST_SHIFT_PX
    total = np.zeros((2 * reach + 1, 2 * reach + 1))
    for box in boxes:
        light = _fine(_log(colours[box.slices]).mean(axis=2))
        dark = _fine(_log(infrared[box.slices]))
        spectrum = np.fft.rfft2(dark) * np.conj(np.fft.rfft2(light))
        found = np.fft.irfft2(spectrum, s=light.shape)
        found = np.roll(found, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
        total += found / max(1e-9, float(np.linalg.norm(light) * np.linalg.norm(dark)))
    size = np.abs(total - np.median(total))
    y, x = np.unravel_index(int(size.argmax()), size.shape)
    others = size.copy()
    others[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4] = np.nan
    if size[y, x] < CERTAIN * np.nanpercentile(others, 90) or not (0 < y < 2 * reach and 0 < x < 2 * reach):
        return 0.0, 0.0
    return x - reach + _peak(size[y, x - 1 : x + 2]), y - reach + _peak(size[y - 1 : y + 2, x])


def _peak(three: Array) -> float:
    """Where between three places a parabola is highest, from the middle one."""
    bend = float(three[0] - 2 * three[1] + three[2])
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5))


def _fine(plane: Float) -> Float:
    """The fine detail of a plane, nothing of it much stronger than most."""
    detail = cv2.GaussianBlur(plane, (0, 0), 0.8) - cv2.GaussianBlur(plane, (0, 0), 2.5)
    limit = 12 * float(np.median(np.abs(detail))) + 0.1
    detail = np.clip(detail, -limit, limit)
    return np.asarray(detail - detail.mean(), np.float32)


def _alike(one: Float, other: Float) -> float:
    """Correlation of the fine detail of two planes, 0 to 1, where neither is marked by dust."""
    a, b = _fine(one), _fine(other)
    marked = one - np.median(one) < -TUKEY * 1.4826 * np.median(np.abs(one - np.median(one)))
    near = cv2.dilate(marked.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    a, b = a[~near], b[~near]
    return abs(float((a * b).sum())) / max(1e-9, float(np.linalg.norm(a) * np.linalg.norm(b)))


def _left(colours: Array, infrared: Array, box: Box, fit: _Fit) -> Float:
    """What of infrared the dyes do not explain in a tile: a logarithm, 0 = clear film."""
    terms = _terms(colours, box, turned=fit.turned)
    seen = _aligned(infrared, box, fit.shift_xy)
    flat = terms.reshape(-1, terms.shape[2])
    step = max(1, len(flat) // 60_000)
    weights = _regressed(flat[::step], seen.ravel()[::step], fit.weights)
    rest = seen - (terms @ weights.astype(np.float32))
    return np.asarray(cv2.GaussianBlur(rest, (0, 0), SMOOTH_PX), np.float32)


def _marked(rest: Float, strict: float) -> Bool:
    """What is dark beyond the noise: pieces that are sure somewhere, or faint and long."""
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) + 1e-5
    for _ in range(2):  # light that varies slowly, without what is marked
        rest = rest - cv2.GaussianBlur(np.clip(rest, -2 * spread, 2 * spread), (0, 0), AROUND_PX)
    limited = np.clip(rest, -2.5 * spread, 2.5 * spread)
    noise = np.maximum(np.sqrt(cv2.GaussianBlur(limited**2, (0, 0), AROUND_PX)), 0.7 * spread)
    depth, clear = -rest, -rest / noise / strict
    faint = ((clear > FAINT) & (depth > 0.5 * LEAST_DEPTH)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(faint, connectivity=8)
    together = np.bincount(labels.ravel(), np.clip(clear, 0, 6).ravel(), minlength=count)
    deepest = np.zeros(count, np.float32)
    deep = depth > LEAST_DEPTH
    np.maximum.at(deepest, labels[deep].astype(np.intp), clear[deep])
    fine = (deepest > SURE) & (stats[:, cv2.CC_STAT_AREA] >= LEAST_PX)
    fine |= (deepest > NEARLY) & (together > TOGETHER)
    fine[0] = False
    kept = fine[labels]
    # A scratch and a speck that touch have depths, and so edges, of their own.
    own = cv2.dilate(np.where(kept, depth, 0).astype(np.float32), np.ones((7, 7), np.uint8))
    return np.asarray(kept & (depth > EDGE_SHARE * own))


def _shown(colours: Array, marks: Bool) -> bool:
    """Whether the picture shows more at the marks than where they would lie if they were moved aside."""
    here = aside = 0.0
    for box in _tiles(*marks.shape):
        own = marks[box.slices]
        if own.any():
            detail = np.abs(_fine(_log(colours[box.slices]).reshape(*own.shape, -1).mean(axis=2)))
            detail /= cv2.GaussianBlur(detail, (0, 0), NEAR_PX) + 1e-3
            here += float(detail[own].sum())
            moves = ((41, 0), (-41, 0), (0, 41), (0, -41))
            aside += sum(float(detail[np.roll(own, by, (0, 1))].sum()) for by in moves) / len(moves)
    return here >= SEEN_MORE * aside
