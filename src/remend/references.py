"""Other dates of a scene, brought onto its grid: what the filler ``dates`` looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from remend.adapt import as_picture
from remend.budget import Budget
from remend.errors import FormatError, UsageError
from remend.fill.registry import filler_of
from remend.filling import Beside
from remend.io.raster import on_grid_of
from remend.options import Settings
from remend.picture import Bool, Box, Float, Picture
from remend.planes import LazyPlane
from remend.samples import readable

__all__ = ["read_references", "settings_for_references"]

FARTHEST_PX = 16.0  # two dates on one grid lie apart, at most
LEAST_PX = 0.05  # below it resampling does more harm than good
SEEN_PX = 2048  # side of the part, in the middle, that is registered
BETTER = 0.005  # correlation of edges that moving must gain
MOST = 16


def settings_for_references(settings: Settings) -> Settings:
    """How to repair with other dates at hand: by the method that looks at them, unless another is named.

    Raises:
        UsageError: a method that looks at none.
    """
    if settings.method == "auto":
        return replace(settings, method="dates")
    filler = filler_of(settings.method)
    if not filler.capabilities.neighbours:
        raise UsageError(
            f"the method {filler.name} looks at no other dates: leave --method out, or the reference"
        )
    return settings


def read_references(
    picture: Picture, mask: Bool, given: Sequence[object], *, budget: Budget | None = None
) -> tuple[dict[int, Beside], tuple[str, ...]]:
    """Other dates of the same scene, each at the picture's size and moved onto it.

    A date on another grid or in another projection is resampled (``[geo]``); what is left between the two is
    found by correlation of their edges and taken off, where that makes them agree better.

    Args:
        picture: the scene; its type and number of bands must be theirs.
        mask: (H, W) bool, what is hidden in it.
        given: paths, bytes, binary files, PIL images or arrays; sixteen at most.
        budget: what reading each may cost.

    Returns:
        Them by number from 1, as `remend.pipeline.repair_picture` takes them, and what was done, in words.

    Raises:
        UsageError: too many, another type or number of bands; or another size, and no place on the map.
        FormatError: another grid, and the extra is not installed.

    Reference: Stone, Orchard, Chang, Martucci, A fast direct Fourier-based algorithm for subpixel
    registration of images, IEEE TGRS 2001. Evangelidis, Psarakis, Parametric image alignment using enhanced
    correlation coefficient maximization, TPAMI 2008.
    """
    if len(given) > MOST:
        raise UsageError(f"{len(given)} references: give {MOST} at most")
    if given and isinstance(picture.samples, LazyPlane):
        raise UsageError("a picture that is repaired window by window is filled from itself: cut it first")
    budget = budget or Budget()
    found, notes = {}, []
    for number, one in enumerate(given, 1):
        held = budget.held
        date = as_picture(one, budget=budget)
        budget.held = held
        name = f"reference {number}"
        kinds = [f"{p.channels.count} of {p.samples.dtype} ({p.mode})" for p in (date, picture)]
        if kinds[0] != kinds[1]:
            raise UsageError(
                f"{name} has channels {kinds[0]}, and the picture {kinds[1]}: they must be alike"
            )
        date, empty, done = _placed(picture, date, name)
        notes += done
        empty |= ~readable(date, Box(0, 0, *date.size))
        date, empty, done = _registered(picture, ~mask, date, empty, name)
        notes += done
        found[number] = Beside(date, empty)
    return found, tuple(notes)


def _placed(picture: Picture, date: Picture, name: str) -> tuple[Picture, Bool, list[str]]:
    """A date on the picture's grid; where it shows nothing; what was done."""
    here = date, np.zeros(date.size, bool)
    try:
        on_grid = on_grid_of(picture, date)
    except FormatError as error:
        if date.size != picture.size:
            raise
        return *here, [f"{name} is taken to lie where the picture lies: {error}"]
    if on_grid is None and date.size != picture.size:
        got, size = (f"{p.width}×{p.height}" for p in (date, picture))
        raise UsageError(
            f"{name} is {got} and the picture {size}, and no place on the map is told for both: "
            "give one of the picture's size"
        )
    if on_grid is None or on_grid[0] is date:
        return *here, []
    return *on_grid, [f"{name} was brought onto the picture's grid"]


def _registered(
    picture: Picture, known: Bool, date: Picture, empty: Bool, name: str
) -> tuple[Picture, Bool, list[str]]:
    """A date moved onto the picture, where they agree better then."""
    known = known & readable(picture, Box(0, 0, *picture.size))
    middle = tuple(
        slice(max(0, (side - SEEN_PX) // 2), max(0, (side - SEEN_PX) // 2) + SEEN_PX) for side in picture.size
    )
    known, there = known[middle], ~empty[middle]
    ours, theirs = _edges(picture.samples[middle], known), _edges(date.samples[middle], there)
    if min(ours.shape) < 16 or not ours.any() or not theirs.any():
        return date, empty, []
    x, y = _shift(ours, theirs, known & there)
    if not LEAST_PX <= np.hypot(x, y) <= FARTHEST_PX:
        return date, empty, []
    if _agreement(ours, _moved(theirs, x, y)) < _agreement(ours, theirs) + BETTER:
        return date, empty, []
    samples = np.where(empty[..., None], 0, date.samples).astype(date.samples.dtype)
    planes = [_moved(np.ascontiguousarray(samples[..., k]), x, y) for k in range(samples.shape[2])]
    # A cubic kernel reads two pixels on each side.
    spread = cv2.dilate(empty.view(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    gone = cv2.warpAffine(
        spread, _by(x, y), spread.shape[::-1], borderMode=cv2.BORDER_CONSTANT, borderValue=1.0
    )
    return (
        replace(date, samples=np.stack(planes, axis=2)),
        gone > 0,
        [f"{name} was moved by ({x:+.2f}, {y:+.2f}) px"],
    )


def _shift(ours: Float, theirs: Float, both: Bool) -> tuple[float, float]:
    """By how much to move ``theirs``, (x, y): roughly by phases, then by correlation where both are known."""
    window = cv2.createHanningWindow(ours.shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(theirs, ours, window)
    if np.hypot(x, y) > FARTHEST_PX:
        return 0.0, 0.0
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-4)
    try:
        _, by = cv2.findTransformECC(
            ours, theirs, _by(-x, -y), cv2.MOTION_TRANSLATION, until, both.astype(np.uint8), 3
        )
    except cv2.error:  # it does not converge: what phases say has to do
        return float(x), float(y)
    return -float(by[0, 2]), -float(by[1, 2])


def _edges(samples: np.ndarray, known: Bool) -> Float:
    """(h, w) float32: how steep the mean of all bands is, each over its spread; 0 at what is unknown."""
    total = np.zeros(known.shape, np.float32)
    if not known.any():
        return total
    for band in range(samples.shape[2]):
        plane = np.where(known, samples[..., band], 0).astype(np.float64)
        low, high = np.percentile(plane[known], (2, 98))
        total += np.clip((plane - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)
    edges = cv2.magnitude(cv2.Sobel(total, cv2.CV_32F, 1, 0), cv2.Sobel(total, cv2.CV_32F, 0, 1))
    edges[cv2.erode(known.view(np.uint8), np.ones((3, 3), np.uint8)) == 0] = 0
    return np.asarray(edges, np.float32)


def _agreement(ours: Float, theirs: Float) -> float:
    """Correlation of edges, where both know any."""
    both = (ours > 0) & (theirs > 0)
    if np.count_nonzero(both) < 64:
        return 0.0
    return float(np.nan_to_num(np.corrcoef(ours[both], theirs[both])[0, 1]))


def _by(x: float, y: float) -> Float:
    return np.array([[1, 0, x], [0, 1, y]], np.float32)


def _moved(plane: np.ndarray, x: float, y: float) -> np.ndarray:
    moved = cv2.warpAffine(
        plane, _by(x, y), plane.shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, plane.dtype)
