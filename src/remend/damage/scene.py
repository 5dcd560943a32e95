"""What hides the ground in a picture from orbit: clouds, their shadows, gaps; read from what comes with it.

A scene comes with a band that says what each pixel is (Landsat's QA_PIXEL, Sentinel-2's SCL), with a value
that stands for no data, or with nothing but its colours. Each of these can be given as a mask, and is told
apart by the polarity that the user names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.picture import Bool, Box, Picture
from remend.samples import readable, void_of

__all__ = ["IN_SCENES"]

# QA_PIXEL, Landsat Collection 2 (USGS LSDS-1618 and LSDS-1619, bit assignments).
FILL, DILATED_CLOUD, CIRRUS, CLOUD, SHADOW = (1 << bit for bit in range(5))
# SCL, Sentinel-2 level 2A (ESA, products specification S2-PDGS-TAS-DI-PSD): saturated or defective, cloud
# shadow, cloud of medium and of high probability, thin cirrus.
HIDDEN_CLASSES = (1, 3, 8, 9, 10)
MOST_CLASS = 11

# Reflectances and shares of the spectral tests; the first four after Zhu and Woodcock, RSE 2012, tightened
# where there is no thermal band to overrule them.
BRIGHT, DIM = 0.45, 0.3  # mean of the visible bands: surely a cloud, and still its rim
WHITE, WHITISH = 0.15, 0.25  # mean distance of the visible bands from their mean, over that mean
DARK = 0.55  # of what is around: a shadow
LEAST_PX = 9  # pixels in one cloud: a roof is smaller
THIN_PX = 5  # that a rim is wide, at most
SOFT_PX = 1  # that edges of clouds and shadows reach further still
FARTHEST_PX = 96  # between a cloud and its shadow
DIRECTIONS, STEP_PX = 24, 3
SHADED = 0.35  # share of the moved clouds that must lie on dark ground for it to be their shadow
FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 10_000.0, np.dtype(np.int16): 10_000.0}


def from_landsat(given: Picture) -> Bool:
    """Clouds, cirrus, shadows, and gaps within the scene, by the bits of QA_PIXEL."""
    bits = _one_band(given, "QA_PIXEL")
    empty = (bits & FILL) > 0
    return ((bits & (DILATED_CLOUD | CIRRUS | CLOUD | SHADOW)) > 0) & ~empty | _amid(empty)


def from_sentinel(given: Picture) -> Bool:
    """Clouds, cirrus, shadows and defective pixels, by the classes of SCL."""
    classes = _one_band(given, "SCL")
    if classes.max(initial=0) > MOST_CLASS:
        raise MaskError(
            f"an SCL band holds classes from 0 to {MOST_CLASS}, and this one {classes.max()}: "
            "give the SCL file"
        )
    return np.isin(classes, HIDDEN_CLASSES)


def without_data(given: Picture) -> Bool:
    """Gaps: pixels without data in any band, or by the file's own mask, amid the scene; not around it."""
    empty, void = ~readable(given, Box(0, 0, *given.size)), void_of(given)
    return _amid(empty if void is None else empty | void)


def by_colours(given: Picture) -> Bool:
    """Clouds and their shadows: bright and white, and dark where clouds would throw their shadow.

    Values are taken as reflectance: of 255 in 8 bits, of 10,000 in 16, as they are in floating point. The
    first three bands are the visible ones. Snow, sand and roofs larger than a few pixels pass as clouds.

    Reference: Zhu, Woodcock, Object-based cloud and cloud shadow detection in Landsat imagery, RSE 2012.
    """
    if given.palette is not None or given.channels.count - (given.alpha_channel is not None) < 3:
        raise MaskError("clouds are told by their colours: give a scene of three bands and more")
    there = readable(given, Box(0, 0, *given.size))
    bands = np.nan_to_num(given.samples[..., : given.channels.count].astype(np.float32))
    bands /= FULL_SCALE.get(given.samples.dtype, 1.0)
    visible = bands[..., :3].mean(axis=2)
    whiteness = np.abs(bands[..., :3] - visible[..., None]).mean(axis=2) / np.maximum(visible, 1e-6)
    sure = there & (visible > BRIGHT) & (whiteness < WHITE)
    rim = there & (visible > DIM) & (whiteness < WHITISH)
    seeds = _large(sure)
    clouds: Bool = np.asarray(seeds | rim & _wider(seeds, THIN_PX))
    if not clouds.any():
        return clouds
    found = clouds | _shadows(clouds, bands, there)
    return np.asarray(_wider(found, SOFT_PX) & there)


def _one_band(given: Picture, name: str) -> NDArray[Any]:
    if given.palette is not None or given.channels.count != 1 or given.samples.dtype.kind not in "ui":
        what = f"{given.channels.count} of {given.samples.dtype}"
        raise MaskError(
            f"a {name} is one band of whole numbers, and this mask has {what}: give the {name} file"
        )
    return given.samples[..., 0]


def _amid(empty: Bool) -> Bool:
    """What is empty within the convex hull of what is not: a scene is a quadrangle, turned or not."""
    if not empty.any() or empty.all():
        return np.zeros_like(empty)
    rows = np.flatnonzero(~empty.all(axis=1))
    there = ~empty[rows]
    first, last = there.argmax(axis=1), empty.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    ends = np.concatenate([np.stack([first, rows], axis=1), np.stack([last, rows], axis=1)])
    inside = np.zeros(empty.shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(ends.astype(np.int32)), 1)
    # A border that is not straight is a staircase; the steps between it and the hull are no gaps.
    within: Bool = cv2.erode(inside, np.ones((3, 3), np.uint8)).view(np.bool_)
    return empty & within


def _large(mask: Bool) -> Bool:
    """Without pieces of fewer than ``LEAST_PX`` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= LEAST_PX
    keep[0] = False
    return np.asarray(keep[labels])


def _wider(mask: Bool, by_px: int) -> Bool:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1,) * 2)
    wider: Bool = cv2.dilate(mask.view(np.uint8), disc).view(np.bool_)
    return wider


def _shadows(clouds: Bool, bands: NDArray[np.float32], there: Bool) -> Bool:
    """Dark ground where the clouds, all moved by one step, would lie: the sun stands in one place."""
    light = bands.mean(axis=2)
    ground = (there & ~clouds).astype(np.float32)
    size = (2 * FARTHEST_PX + 1,) * 2
    around = cv2.blur(light * ground, size) / np.maximum(cv2.blur(ground, size), 1e-3)
    dark = there & ~clouds & (light < DARK * around)
    best, shaded = np.zeros_like(clouds), max(SHADED, 1.5 * float(dark[there & ~clouds].mean()))
    height, width = clouds.shape
    for angle in np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS:
        for far in range(STEP_PX, FARTHEST_PX, STEP_PX):
            by = np.array([[1, 0, far * np.cos(angle)], [0, 1, far * np.sin(angle)]], np.float32)
            moved = cv2.warpAffine(clouds.view(np.uint8), by, (width, height), flags=cv2.INTER_NEAREST)
            place = moved.view(np.bool_) & there & ~clouds
            count = int(np.count_nonzero(place))
            share = float(np.count_nonzero(dark & place)) / count if count >= LEAST_PX else 0.0
            if share > shaded:
                best, shaded = place, share
    return _large(dark & _wider(best, STEP_PX))


IN_SCENES: dict[str, Callable[[Picture], Bool]] = {
    "landsat-qa": from_landsat,
    "sentinel-scl": from_sentinel,
    "nodata": without_data,
    "clouds": by_colours,
}
"""What reads a mask from a scene or from what comes with it, by polarity; (H, W) bool, True = repair."""
