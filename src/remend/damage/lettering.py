"""Lettering that the user asks to have found: dates, captions, signs, down to the pixels of the strokes.

With PP-OCR's models at hand (``ocr``) every line is found that reads as text; without them rules find level
rows of like glyphs in the colours of captions (``overlay``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, degrees, exp, hypot, log, log10

import numpy as np
from numpy.typing import NDArray

from remend.damage.ocr import Line, reader
from remend.damage.overlay import text_rows
from remend.damage.plates import plate_around
from remend.damage.strokes import strokes_of
from remend.picture import Bool, Box, Region

__all__ = ["BETTER_READER", "lettering_of", "plain_rows", "protects", "reads_well"]

BETTER_READER = (
    "text was looked for by plain rules, which miss much of it: after `pip install --no-deps rapidocr` "
    "Remend reads with PP-OCR's models"
)
"""What to tell who asks for text and has no models."""

# A logistic regression on 557 lines found in 322 clean training pictures and 137 lettered ones, labelled by
# eye and by construction. A fifth left out at a time: of lines that said .97 or more all were text, of .9 to
# .97 .99, of .7 to .9 .87, of .5 to .7 .44, of .3 to .5 .21, below .1 .04.
CONSTANT, CERTAINTY, SCORE, LETTERS, WIDTH = -5.9, 0.7, 4.34, 1.63, -3.17
LARGE_SHARE = 0.03  # of the picture: beyond it each tenfold counts against
MOST_LETTERS = 6
LEAST_CHANCE = 0.05
LONE, SURE = 0.6, 0.7  # a single letter without a sure line near by is often none
LEVEL_DEGREES, TURNED = 1.5, 0.8  # what stands aslant is rather part of the scene: of 14 signs in Kodak 12 do
PROTECTED_PX = 3  # around a row that is kept from repair
ROW_SCORES, ROW_CONFIDENCES = (0.3, 0.82, 0.92), (0.02, 0.5, 0.95)  # of the plain rules
NEAR = 1.8  # lines so many heights apart are one caption


@dataclass(frozen=True, slots=True)
class _Found:
    box: Box
    mask: Bool
    tall: float
    confidence: float


def reads_well() -> bool:
    """Whether the better models are there: see ``BETTER_READER``."""
    return reader() is not None


def lettering_of(image: NDArray[np.uint8]) -> list[Region]:
    """All that reads as text, a region each line, a plate behind lines as one.

    Choose it where the user asks for text: signs of the scene are found like what was written over it, only
    with a little less confidence where they stand aslant.

    Args:
        image: (H, W, 3) uint8.

    Returns:
        Regions of kind ``text`` in reading order. Masks cover the strokes with outline, shadow and glow; the
        confidence is the chance that it is text, lower aslant. Doubtful ones are among them.

    Raises:
        ModelError: models are installed and cannot be loaded.

    Cost: with the models, on one core, 0.2 s for a megapixel, 1 s for 12, 40 ms a line, and 350 MB; without
    them 0.03 s for a megapixel.
    """
    reading = reader()
    if reading is None:
        return plain_rows(image)
    size = (image.shape[0], image.shape[1])
    lines = reading.lines(image)
    chances = [_chance(line, size) for line in lines]
    sure = [line for line, chance in zip(lines, chances, strict=True) if chance >= SURE]
    found = []
    for line, chance in zip(lines, chances, strict=True):
        alone = _letters(line) < 2 and not any(
            _near(line.box, other.box, _height(line)) for other in sure if other is not line
        )
        confidence = chance * (LONE if alone else 1.0) * (TURNED if _aslant(line) else 1.0)
        if confidence < LEAST_CHANCE:
            continue
        strokes = strokes_of(image, line.box, line.shape)
        if strokes is not None:
            found.append(_Found(strokes.box, strokes.mask, _height(line), confidence))
    plates: list[Box] = []
    regions = [region for caption in _captions(found) for region in _regions(image, caption, plates)]
    return sorted(regions, key=lambda region: region.box)


def plain_rows(image: NDArray[np.uint8]) -> list[Region]:
    """Rows of text by the plain rules alone, their confidence on the same scale.

    Args:
        image: (H, W, 3) uint8.

    Cost: 35 ms for a megapixel on one core, and never more than 0.1 s.
    """
    rows = [row for row in text_rows(image) if row.confidence >= ROW_SCORES[0]]
    return [
        Region(row.box, row.mask, "text", float(np.interp(row.confidence, ROW_SCORES, ROW_CONFIDENCES)))
        for row in rows
    ]


def protects(image: NDArray[np.uint8]) -> Bool:
    """(H, W) where a row of text certainly lies, by the plain rules: what repair unasked must not touch.

    It keeps to what is sure: of dates and captions over photographs half and nine tenths are in it; of real
    marks on film, of made scratches, cracks and dust, of old photographs nothing was.

    Args:
        image: (H, W, 3) uint8.

    Cost: 35 ms for a megapixel on one core, and never more than 0.1 s.
    """
    kept = np.zeros(image.shape[:2], np.bool_)
    for row in plain_rows(image):
        kept[row.box.grown(PROTECTED_PX, (image.shape[0], image.shape[1])).slices] = True
    return kept


def _chance(line: Line, size: tuple[int, int]) -> float:
    """That a line is text at all."""
    letters = _letters(line)
    if not letters:
        return 0.0
    certainty = min(max(line.certainty, 0.02), 0.995)
    share = np.count_nonzero(line.shape) / (size[0] * size[1])
    odds = CONSTANT + CERTAINTY * log(certainty / (1 - certainty)) + SCORE * line.score
    odds += LETTERS * log(min(letters, MOST_LETTERS) + 0.5) + WIDTH * max(0.0, log10(share / LARGE_SHARE))
    return 1 / (1 + exp(-odds))


def _letters(line: Line) -> int:
    return sum(letter.isalnum() for letter in line.text)


def _near(one: Box, other: Box, reach_px: float) -> bool:
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    across = max(one.left, other.left) - min(one.right, other.right)
    return max(down, across) < reach_px


def _aslant(line: Line) -> bool:
    """Whether a line is neither level nor upright, as far as its length can tell."""
    x, y = (abs(float(step)) for step in line.corners[1] - line.corners[0])
    if min(hypot(x, y), _height(line)) < 1:
        return False
    off = degrees(atan(min(x, y) / max(x, y)))
    return off > LEVEL_DEGREES + degrees(atan(2 / max(x, y)))


def _height(line: Line) -> float:
    across, down = (float(np.linalg.norm(line.corners[k] - line.corners[0])) for k in (1, 3))
    return min(across, down)


def _captions(found: Sequence[_Found]) -> list[list[_Found]]:
    """Lines of like height, one below the other, together."""
    left = sorted(found, key=lambda line: line.box)
    captions = []
    while left:
        caption = [left.pop(0)]
        for line in caption:
            near = [other for other in left if _belong(line, other)]
            caption += near
            left = [other for other in left if not any(other is one for one in near)]
        captions.append(caption)
    return captions


def _belong(one: _Found, other: _Found) -> bool:
    tall = min(one.tall, other.tall)
    return _near(one.box, other.box, NEAR * tall) and max(one.tall, other.tall) < 1.8 * tall


def _regions(image: NDArray[np.uint8], caption: list[_Found], plates: list[Box]) -> list[Region]:
    """The plate of a caption, or its lines one by one, on a plate each or on none; new plates are noted."""
    box = caption[0].box
    for line in caption[1:]:
        box = box.union(line.box)
    plate = plate_around(image, box, float(np.median([line.tall for line in caption])))
    if plate is not None and not any(plate.overlaps(other) for other in plates):
        plates.append(plate)
        return [_plate(plate, max(line.confidence for line in caption))]
    regions: list[Region] = []
    for line in sorted(caption, key=lambda line: -line.confidence):
        if any(plate.union(line.box) == plate for plate in plates):
            continue
        own = plate_around(image, line.box, line.tall) if len(caption) > 1 else None
        if own is None or any(own.overlaps(plate) for plate in plates):
            regions.append(Region(line.box, line.mask, "text", line.confidence))
        else:
            plates.append(own)
            regions.append(_plate(own, line.confidence))
    return regions


def _plate(box: Box, confidence: float) -> Region:
    return Region(box, np.ones((box.height, box.width), np.bool_), "text", confidence)
