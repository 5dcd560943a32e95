"""What a JPEG was compressed with: by its tables, or by what it left in decoded pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Float, Picture

__all__ = ["Compression", "estimate_compression", "quality_of_file", "quality_of_tables"]

# ISO/IEC 10918-1, Annex K, table K.1: the luminance table that qualities are scaled from.
STANDARD = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float64,
)
# Coefficients that are looked at: low ones, which seldom are nought.
LOOKED_AT = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3), (2, 2))
QUALITIES = range(5, 96)
SPREAD = 0.75  # levels: decoding rounds pixels, and colours are computed to and fro
STRAY = 0.08  # share of coefficients that clipping pushed anywhere
MOST_PX = 2_000_000
SURE, SURE_IN_ALL = 0.04, 60.0  # nats a coefficient, and over all that are looked at
FEWEST = 40


@dataclass(frozen=True, slots=True)
class Compression:
    """What a picture was compressed with.

    Attributes:
        quality: 1 to 100, as libjpeg counts.
        offset: (y, x) of the first whole block.
        earlier: the quality of an earlier compression on another grid; None = none is seen.
        sure: how much better than unquantised the coefficients fit, in nats each.
    """

    quality: int
    offset: tuple[int, int] = (0, 0)
    earlier: int | None = None
    sure: float = 0.0


def quality_of_file(picture: Picture) -> int | None:
    """The quality of the JPEG that a picture was read from; None for another format."""
    container = picture.container
    if container is None or container.format != "jpeg":
        return None
    from PIL import Image

    with Image.open(io.BytesIO(container.read_bytes())) as source:
        tables = getattr(source, "quantization", None)
    return quality_of_tables(np.array(tables[0])) if tables else None


def quality_of_tables(luminance: NDArray[np.integer]) -> int:
    """The quality whose scaled standard table is nearest to a table of 64 in zigzag or row order.

    >>> quality_of_tables(np.clip(np.floor((STANDARD * 40 + 50) / 100), 1, 255).astype(int).ravel())
    80
    """
    # The sum does not depend on the order, and libraries disagree on it.
    total = float(luminance.sum())
    sums = {quality: _table(quality).sum() for quality in range(1, 101)}
    return min(sums, key=lambda quality: abs(sums[quality] - total))


def estimate_compression(image: NDArray[np.uint8]) -> Compression | None:
    """The compression that decoded pixels still show; None where they show none.

    After a JPEG of quality q, coefficients of its blocks lie at multiples of its table. Of the 64 places
    where blocks can begin, those are tried whose rows and columns differ most from their neighbours.

    Args:
        image: (H, W, 3) uint8 RGB, at the scale of the file.

    Reference: Fan and de Queiroz, "Identification of Bitmap Compression History: JPEG Detection and
    Quantizer Estimation", IEEE TIP 2003.

    Cost: about .2 s.
    """
    height, width = image.shape[:2]
    if min(height, width) < 48:
        return None
    if height * width > MOST_PX:
        side = int(np.sqrt(MOST_PX)) // 8 * 8
        top = max(0, (height - side) // 2) // 8 * 8
        left = max(0, (width - side) // 2) // 8 * 8
        image = image[top : top + side, left : left + side]
    luma = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    offsets = _likely_offsets(luma)
    coefficients = {offset: _coefficients(luma, offset) for offset in offsets}
    fits = {offset: _fitted(values, SPREAD) for offset, values in coefficients.items()}
    best = max(offsets, key=lambda offset: fits[offset][1])
    quality, gain = fits[best]
    if not gain:
        return None
    # What an earlier, coarser table left was blurred by the rounding of the later one.
    later = max(SPREAD, float(_table(quality)[:4, :4].mean()) / 3)
    others = [_fitted(coefficients[one], later) for one in offsets if one != best]
    earlier = max(others, key=lambda fit: fit[1], default=(0, 0.0))
    return Compression(quality, best, earlier[0] or None, gain)


def _table(quality: int) -> NDArray[np.float64]:
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((STANDARD * scale + 50) / 100), 1, 255)


def _likely_offsets(luma: Float) -> list[tuple[int, int]]:
    """Where blocks may begin: (0, 0), and the places where steps across block borders are largest."""
    places = []
    for axis in (0, 1):
        step = np.abs(np.diff(luma, axis=axis))
        # Against the steps before and behind: edges of the picture itself are wider than one pixel.
        middle = np.minimum(step, 12.0).mean(axis=1 - axis)
        of_phase = np.array([middle[(p - 1) % 8 :: 8].mean() for p in range(8)])
        around = (np.roll(of_phase, 1) + np.roll(of_phase, -1)) / 2
        order = np.argsort(around - of_phase)
        places.append([int(p) for p in order[:3]])
    rows, columns = places
    tried = [(0, 0), *((y, x) for y in rows for x in columns)]
    return list(dict.fromkeys(tried))


def _coefficients(luma: Float, offset: tuple[int, int]) -> Float:
    """(n, 8, 8) of the blocks that begin at ``offset``; clipped ones left out."""
    top, left = offset
    part = luma[top:, left:]
    rows, columns = part.shape[0] // 8, part.shape[1] // 8
    blocks = part[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    blocks = blocks[(blocks.min(axis=(1, 2)) > 1) & (blocks.max(axis=(1, 2)) < 254)]
    turn = cv2.dct(np.eye(8, dtype=np.float32), flags=cv2.DCT_ROWS).T
    return np.asarray(turn @ (blocks - 128) @ turn.T, np.float32)


def _fitted(coefficients: Float, spread: float) -> tuple[int, float]:
    """The quality at whose steps the coefficients lie best, and by how many nats each; (0, 0) for none."""
    if len(coefficients) < FEWEST:
        return 0, 0.0
    known = {}
    best = (0, 0.0)
    for quality in QUALITIES:
        table = _table(quality)
        total = count = 0.0
        for row, column in LOOKED_AT:
            step = table[row, column]
            if (row, column, step) not in known:
                known[row, column, step] = _gain(coefficients[:, row, column], step, spread)
            gain, members = known[row, column, step]
            total, count = total + gain, count + members
        if total > SURE_IN_ALL and total / count > max(SURE, best[1]):
            best = quality, total / count
    return best


def _gain(values: Float, step: float, spread: float) -> tuple[float, int]:
    """By how many nats values fit multiples of a step better than anything, and how many there are.

    Those that would be nought say nothing: they are small in any picture.
    """
    large = values[np.abs(values) > step / 2]
    if step < 2.5 * spread or not len(large):
        return 0.0, len(values)
    rest = large - step * np.rint(large / step)
    normal = np.exp(-0.5 * (rest / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
    return float(np.log((1 - STRAY) * normal * step + STRAY).sum()), len(values)
