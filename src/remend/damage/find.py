"""Find damage by looking at the picture: scratches, cracks, dust, text laid over it, areas that are blank.

Candidates come from filters (``ridges``, ``specks``, ``overlay``), are measured (``lines``, ``specks``)
and weighed (``judge``), and end as regions (``regions``). Nothing is known of the scene, so what looks
exactly like damage is taken for it: star trails for scratches, confetti for dust. The user sees the
regions and decides.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.blank import blank_areas
from remend.damage.evidence import Thresholds, line_evidence, speck_evidence
from remend.damage.kinds import DEFAULT_KINDS, FOUND_KINDS
from remend.damage.members import Scale
from remend.damage.overlay import text_rows
from remend.damage.regions import hugs_border, is_network, regions_of
from remend.errors import UsageError
from remend.picture import Box, DamageKind, Region

__all__ = ["Analysis", "analyse", "find_damage"]

TILE_PX, MARGIN_PX = 1536, 96  # the margin holds the widest window that a piece is judged by
LINE_CELL_PX, DUST_CELL_PX = 4, 16
WORKERS = 2
PROBE_PX, PROBES = 192, 4  # grain is read on 4 × 4 squares spread over the picture

# Least chance of being damage at sensitivity 0, ½ and 1.
LINE_CHANCE = (0.985, 0.9, 0.3)
DUST_CHANCE = (0.985, 0.93, 0.4)
TEXT_CHANCE = (0.92, 0.82, 0.3)
JOIN = 0.6  # beside a piece that counts, this much of it is enough


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was seen in a picture.

    Attributes:
        regions: damage of the wanted kinds, at least as sure as 1 - sensitivity; kind by kind, in reading
            order.
        left: as sure, and left alone because its kind was not asked for: a date that was burnt in.
        nature: what the picture is: ``photograph``, ``document``, ``graphic``, ``halftone``, ``engraving``.
        notes: lines that the user should see.
        fainter: the highest confidence among what was seen of the wanted kinds and is less sure than
            that; 0 where there is none.
    """

    regions: tuple[Region, ...]
    left: tuple[Region, ...] = ()
    nature: str = "photograph"
    notes: tuple[str, ...] = ()
    fainter: float = 0.0


def find_damage(
    image: NDArray[np.uint8],
    *,
    sensitivity: float = 0.5,
    kinds: Collection[str] | None = None,
    force: bool = False,
) -> list[Region]:
    """The damaged regions alone: see ``analyse``.

    >>> picture = np.full((96, 96), 70, np.uint8)
    >>> picture[20:76, 40:42] = 250
    >>> [(region.kind, region.box.left) for region in find_damage(picture, sensitivity=0.9)]
    [('scratch', 40)]
    """
    return list(analyse(image, sensitivity=sensitivity, kinds=kinds, force=force).regions)


def analyse(
    image: NDArray[np.uint8],
    *,
    sensitivity: float = 0.5,
    kinds: Collection[str] | None = None,
    force: bool = False,
    dpi: float | None = None,
) -> Analysis:
    """Find damage by classical analysis, without a trained detector.

    Choose it for thin, hard-edged wear: scratches, cracks, dust, captions and dates; and for areas that
    carry no picture at all. It does not find stains, tears or faded areas. At the default it rather
    misses damage than eats the picture.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8, display orientation.
        sensitivity: 0 (only the surest) to 1 (anything that might be): regions whose confidence is at
            least 1 - sensitivity are returned, so that more of it never finds less.
        kinds: which of ``FOUND_KINDS`` are wanted; None = ``DEFAULT_KINDS``, all but lettering.
        force: search what is no photograph, too.
        dpi: resolution of the scan in dots an inch, where it is known.

    Returns:
        Regions, one a scratch, crack network or row of text; dust is grouped with its neighbours. Masks
        reach to the soft edges and are not dilated.

    Raises:
        UsageError: another array, a sensitivity outside 0–1, an unknown kind.

    Cost: 0.6 s of processor time a megapixel; tiles keep memory to some 300 MB and two bytes a pixel.
    """
    _check(image, sensitivity, kinds)
    wanted = set(DEFAULT_KINDS if kinds is None else kinds)
    seen = _seen(image, wanted)
    least = 1 - sensitivity - 1e-9  # 1 - 0.98 is a little more than 0.02
    left = tuple(region for region in seen if region.kind not in wanted and region.confidence >= least)
    notes = []
    if any(region.kind == "text" for region in left):
        notes.append("a date or caption was seen and left: --find text removes it")
    asked = [region for region in seen if region.kind in wanted]
    return Analysis(
        tuple(region for region in asked if region.confidence >= least),
        left,
        notes=tuple(notes),
        fainter=max((region.confidence for region in asked if region.confidence < least), default=0.0),
    )


def _seen(image: NDArray[np.uint8], wanted: Collection[str]) -> list[Region]:
    """All that might be damage, of the wanted kinds and what is seen on the way."""
    height, width = image.shape[:2]
    scale = _scale_of(image)
    jobs = []
    maps: dict[str, NDArray[np.uint8]] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for name, find, chances, called_for in (
            ("lines", line_evidence, LINE_CHANCE, set(wanted) & {"scratch", "crack", "dust"}),
            ("specks", speck_evidence, DUST_CHANCE, set(wanted) & {"dust"}),
        ):
            if called_for:
                maps[name] = np.zeros((height, width), np.uint8)
                limits = Thresholds(chances[-1], JOIN * chances[-1])
                for outer, inner in _tiles(height, width):
                    job = pool.submit(find, _rgb(image, outer), scale, limits)
                    jobs.append((maps[name], outer, inner, job))
        # Lines of text are thin and of one colour too: rows are looked for even when not asked for.
        rows = text_rows(_rgb(image, Box(0, 0, height, width)))
        for target, outer, inner, job in jobs:
            target[inner.slices] = job.result()[inner.inside(outer).slices]
    blank = blank_areas(_rgb(image, Box(0, 0, height, width)))
    for area in blank:
        for evidence in maps.values():
            evidence[area.box.slices][area.mask] = 0
    for row in rows:
        letters = cv2.dilate(row.mask.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
        for evidence in maps.values():
            evidence[row.box.slices][letters] = 0
    found = []
    if "lines" in maps:
        for region in _tiers(maps["lines"], "scratch", LINE_CHANCE, LINE_CELL_PX):
            if not hugs_border(region, (height, width)):
                kind: DamageKind = "crack" if is_network(region) else "scratch"
                found.append(_weighed(region, kind, LINE_CHANCE))
    if "specks" in maps:
        maps["specks"][maps["lines"] > 0] = 0
        specks = _tiers(maps["specks"], "dust", DUST_CHANCE, DUST_CELL_PX)
        found += [_weighed(region, "dust", DUST_CHANCE) for region in specks]
    found += [_weighed(row, "text", TEXT_CHANCE) for row in rows if row.confidence >= TEXT_CHANCE[-1]]
    found += blank
    return sorted(found, key=lambda region: (FOUND_KINDS.index(region.kind), region.box))


def _check(image: NDArray[np.uint8], sensitivity: float, kinds: Collection[str] | None) -> None:
    grey_or_rgb = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not grey_or_rgb or not image.size:
        got = f"{image.dtype} {image.shape}"
        raise UsageError(f"a picture to search must be uint8 of shape (H, W) or (H, W, 3), got {got}")
    if not 0 <= sensitivity <= 1:
        raise UsageError(f"sensitivity must lie between 0 and 1, got {sensitivity}")
    unknown = sorted(set(kinds or ()) - set(FOUND_KINDS))
    if unknown:
        raise UsageError(f"{unknown[0]!r} cannot be found: choose from {', '.join(FOUND_KINDS)}")


def _tiers(
    evidence: NDArray[np.uint8], kind: DamageKind, chances: tuple[float, float, float], cell_px: int
) -> list[Region]:
    """Regions of what is sure and, apart from them, of what is not: one would thin the other."""
    bound = round(255 * JOIN * chances[1])
    sure, unsure = np.where(evidence >= bound, evidence, 0), np.where(evidence < bound, evidence, 0)
    return [*regions_of(sure, kind, cell_px=cell_px), *regions_of(unsure, kind, cell_px=cell_px)]


def _weighed(region: Region, kind: DamageKind, chances: tuple[float, float, float]) -> Region:
    """Its confidence on the scale of sensitivity: 1 - that at which its chance is just enough."""
    odds = [math.log(chance / (1 - chance)) for chance in chances[::-1]]
    chance = min(max(region.confidence, 1e-6), 1 - 1e-6)
    confidence = float(np.interp(math.log(chance / (1 - chance)), odds, (0, 0.5, 1)))
    return Region(region.box, region.mask, kind, confidence)


def _tiles(height: int, width: int) -> Iterator[tuple[Box, Box]]:
    """(tile with margin, the part of it that counts), covering the picture."""
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            inner = Box(top, left, min(top + TILE_PX, height), min(left + TILE_PX, width))
            yield inner.grown(MARGIN_PX, (height, width)), inner


def _rgb(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    part = image[box.slices]
    if part.ndim == 2:
        part = np.broadcast_to(part[:, :, None], (*part.shape, 3))
    return np.ascontiguousarray(part)


def _scale_of(image: NDArray[np.uint8]) -> Scale:
    """The picture's extremes and grain, from a sample of it."""
    height, width = image.shape[:2]
    step = max(1, int((height * width / 65536) ** 0.5))
    sample = _rgb(image[::step, ::step], Box(0, 0, height, width)).reshape(-1, 3).astype(np.float32)
    brightness = sample.mean(axis=1)
    white = sample[brightness >= np.quantile(brightness, 0.99)].mean(axis=0)
    black = sample[brightness <= np.quantile(brightness, 0.01)].mean(axis=0)
    # J. Immerkær, Fast Noise Variance Estimation, CVIU 64, 1996, with the median in place of the mean
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    tops = np.linspace(0, max(0, height - PROBE_PX), PROBES if height > PROBE_PX else 1)
    lefts = np.linspace(0, max(0, width - PROBE_PX), PROBES if width > PROBE_PX else 1)
    rough = []
    for top in tops.astype(int).tolist():
        for left in lefts.astype(int).tolist():
            probe = _rgb(image, Box(top, left, min(top + PROBE_PX, height), min(left + PROBE_PX, width)))
            grey = cv2.cvtColor(probe, cv2.COLOR_RGB2GRAY).astype(np.float32)
            rough.append(np.abs(cv2.filter2D(grey, -1, kernel)).ravel())
    noise = 1.48 * float(np.median(np.concatenate(rough)))
    return Scale(white, black, noise)
