"""Find damage: what is this picture, how soft is it, where is it damaged, how sure is that.

The gate decides whether a picture may be searched (``gate``), its softness at which scale (``softness``);
the embedded net gives each pixel a chance (``chances``); what hangs together is a piece (``pieces``) and is
weighed together with all others (``signs``, ``perceptron``); what is left are regions (``regions``). Areas
without any picture, and whatever else is registered (``finder``), follow from rules (``rules``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.chances import PLANES, card_of
from remend.damage.finder import finders
from remend.damage.gate import nature_of
from remend.damage.lettering import BETTER_READER, lettering_of, plain_rows, reads_well
from remend.damage.looks import MOST_PIXELS, looked_at
from remend.damage.perceptron import perceptron_from
from remend.damage.pieces import Pieces, pieces_of
from remend.damage.regions import enlarged, gathered, hugs_border, is_network, surest
from remend.damage.signs import signs_of
from remend.damage.softness import reduced, reduction_of, without_tone
from remend.damage.transport import transport_scratches
from remend.errors import UsageError
from remend.kinds import KINDS, default_kinds, seen_kinds
from remend.picture import Float, Region

__all__ = ["Analysis", "analyse", "find_damage"]

DAMAGE = slice(0, 4)  # of the planes; the others are lettering
WATERMARK = slice(5, 6)
CELL_PX = 16  # what lies nearer becomes one region
SECONDED = (0.08, 0.25)  # chance, on average along a line: where the net objects to it, and where it agrees
FLAT = 1  # levels: of an empty picture, in which there is nothing to find
TEXTURE, TEXTURE_CONFIDENCE = (
    0.35,
    0.3,
)  # share of a picture that, all believed, is its own texture: then so sure
LEAST = 0.02  # less sure than that nothing is told of, at any sensitivity


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
    >>> find_damage(picture)
    []
    """
    return list(analyse(image, sensitivity=sensitivity, kinds=kinds, force=force).regions)


def analyse(
    image: NDArray[np.uint8],
    *,
    sensitivity: float = 0.5,
    kinds: Collection[str] | None = None,
    force: bool = False,
) -> Analysis:
    """Find damage by the embedded net, and judge the picture as a whole.

    Choose it for photographs and scans of them: scratches, cracks, folds, dust, hair, stains, torn borders,
    blank areas; lettering that was burnt in, when asked for. What is no photograph is left alone. It rather
    misses damage than eats the picture: a lonely find in a clean picture is worth less than one more find in
    a worn print.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8, display orientation.
        sensitivity: 0 (only the surest) to 1 (anything that might be): regions whose confidence is at
            least 1 - sensitivity are returned, so that more of it never finds less.
        kinds: which of ``seen_kinds()`` are wanted; None = ``default_kinds()``, all but lettering.
        force: search what is no photograph, too.

    Returns:
        Regions, one a scratch, crack network or row of text; dust is grouped with its neighbours. Masks
        reach to the soft edges and are not dilated. The confidence is a chance: docs/quality.md says how well
        it holds.

    Raises:
        UsageError: another array, a sensitivity outside 0–1, an unknown kind.
        ModelError: the embedded net is missing or damaged.

    Cost: half a second a megapixel on two cores that multiply bytes, an eighth of it where the picture is
    soft; 630 MB at 12 megapixels.
    """
    _check(image, sensitivity, kinds)
    wanted = set(default_kinds() if kinds is None else kinds)
    if int(np.ptp(image)) <= FLAT:
        return Analysis(())
    nature = nature_of(image)
    if not nature.searchable and not force:
        note = (
            f"this looks like {_a(nature.kind)}, not a photograph: left as it is; "
            "--force searches it all the same"
        )
        return Analysis((), nature=nature.kind, notes=(note,))
    seen = _seen(image, read="text" in wanted)
    least = max(1 - sensitivity, LEAST) - 1e-9  # 1 - 0.98 is a little more than 0.02
    left = tuple(region for region in seen if region.kind not in wanted and region.confidence >= least)
    notes = []
    for kind, what in (("text", "a date or caption"), ("watermark", "a watermark")):
        if any(region.kind == kind for region in left):
            notes.append(f"{what} was seen and left: --find {kind} removes it")
    asked = [region for region in seen if region.kind in wanted]
    # Who asks for everything asks for nothing in particular: the page does so each time.
    meant = "text" in wanted and wanted != set(seen_kinds())
    if meant and not any(region.kind == "text" and region.confidence >= least for region in asked):
        notes += [] if reads_well() else [BETTER_READER]
    return Analysis(
        tuple(region for region in asked if region.confidence >= least),
        left,
        nature=nature.kind,
        notes=tuple(notes),
        fainter=max((region.confidence for region in asked if region.confidence < least), default=0.0),
    )


def _a(kind: str) -> str:
    return {"halftone": "a halftone print", "engraving": "an engraving"}.get(kind, f"a {kind}")


def _seen(image: NDArray[np.uint8], *, read: bool) -> list[Region]:
    """All that might be damage or lettering; ``read`` looks for text as well as can be, not only by rules."""
    size = image.shape[0], image.shape[1]
    rgb = _rgb(image)
    by_rules = [
        region for find in finders() for region in find(rgb)
    ]  # before the net: what each needs at a time need not be held at once
    rows = lettering_of(rgb) if read else plain_rows(rgb)
    reduction = max(reduction_of(image), (size[0] * size[1] / MOST_PIXELS) ** 0.5)
    picture = without_tone(image)
    small = reduced(picture, reduction)
    small_size = small.shape[0], small.shape[1]
    cell_px = max(1, round(CELL_PX * reduction))
    looks = looked_at(picture, reduction)
    found = []
    for planes in looks:
        _spare(planes, rows, size)
        found += _weighed(planes[DAMAGE], small, reduction)
    if len(looks) > 1:
        found = surest(found, small_size)
    found = gathered([enlarged(one, small_size, size) for one in found], cell_px=cell_px, size=size)
    once = looks[0]
    for line in transport_scratches(small):
        confidence = line.confidence * _seconded(line, once)
        found.append(enlarged(replace(line, kind="scratch", confidence=confidence), small_size, size))
    marks = pieces_of(once[WATERMARK])
    watermarks = [
        Region(marks.box(k), mask, "watermark", _believed(marks.mean[k]))
        for k, mask, _ in _masks(marks, WATERMARK)
    ]
    found += gathered([enlarged(one, small_size, size) for one in watermarks], cell_px=2 * cell_px, size=size)
    found += rows + by_rules
    order = list(KINDS)
    return sorted(found, key=lambda region: (order.index(region.kind), region.box))


def _weighed(planes: NDArray[np.uint8], small: NDArray[np.uint8], reduction: float) -> list[Region]:
    """What the judge makes of the pieces of one look, in the reduced picture."""
    pieces = pieces_of(planes)
    judge = perceptron_from(card_of()["judge"])
    confidence = _without_texture(judge.chance(signs_of(pieces, small, reduction=reduction)), pieces)
    return [
        Region(pieces.box(k), mask, kind, float(confidence[k]))
        for k, mask, kind in _masks(pieces, DAMAGE)
        if confidence[k] >= LEAST and not hugs_border(mask, pieces.box(k), small.shape)
    ]


def _without_texture(confidence: Float, pieces: Pieces) -> Float:
    """The judge's confidence, less of it where what it believes would be a third of the picture.

    Gravel looks like dust, and every stone speaks for the next; damage that covers so much would leave too
    little to repair from. Who looks harder is shown it all the same.
    """
    covered = float(pieces.area[confidence >= 0.5].sum()) / pieces.labels.size
    return np.minimum(confidence, np.float32(TEXTURE_CONFIDENCE)) if covered > TEXTURE else confidence


def _believed(chance: float) -> float:
    """Confidence of a watermark: no clean training picture of 83 has .6, a fifth of made ones."""
    return float(np.interp(chance, (0.32, 0.6, 0.8), (0.05, 0.5, 0.9)))


def _spare(planes: NDArray[np.uint8], rows: list[Region], size: tuple[int, int]) -> None:
    """Take what reads as text out of the chances of damage, in place: lettering is never a scratch."""
    if not rows:
        return
    height, width = planes.shape[1:]
    letters = np.zeros(size, np.uint8)
    for row in rows:
        letters[row.box.slices] |= row.mask
    side = 4 * round(size[0] / height) + 1
    spread = cv2.dilate(letters, np.ones((side, side), np.uint8))
    spared = cv2.resize(spread * np.uint8(255), (width, height), interpolation=cv2.INTER_AREA) > 0
    planes[DAMAGE, spared] = 0


def _seconded(line: Region, planes: NDArray[np.uint8]) -> float:
    """How far the net agrees that a straight line is none of the scene's: 0 to 1."""
    total = planes[DAMAGE, *line.box.slices].sum(axis=0, dtype=np.uint32)
    return float(np.interp(total[line.mask].mean() / 255, SECONDED, (0, 1)))


def _masks(pieces: Pieces, planes: slice) -> list[tuple[int, NDArray[np.bool_], str]]:
    """(number, mask within its box, kind) of every piece."""
    found = []
    for k in range(len(pieces)):
        mask = pieces.labels[pieces.box(k).slices] == k + 1
        kind = PLANES[planes][pieces.kind[k]]
        if kind == "scratch" and is_network(mask):
            kind = "crack"
        found.append((k, mask, kind))
    return found


def _check(image: NDArray[np.uint8], sensitivity: float, kinds: Collection[str] | None) -> None:
    grey_or_rgb = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not grey_or_rgb or not image.size:
        got = f"{image.dtype} {image.shape}"
        raise UsageError(f"a picture to search must be uint8 of shape (H, W) or (H, W, 3), got {got}")
    if not 0 <= sensitivity <= 1:
        raise UsageError(f"sensitivity must lie between 0 and 1, got {sensitivity}")
    unknown = sorted(set(kinds or ()) - set(seen_kinds()))
    if unknown:
        raise UsageError(f"{unknown[0]!r} cannot be found: choose from {', '.join(seen_kinds())}")


def _rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=2)
    return np.ascontiguousarray(image)
