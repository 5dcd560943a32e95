"""Made scans: pictures as prints on a scanner's bed, with where each of them truly lies.

Everything is drawn at twice the size and halved, so that edges are as soft as an optic's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Laid", "MadeBed", "make_bed"]

Rgb = NDArray[np.uint8]
Float = NDArray[np.float32]
Points = NDArray[np.float64]
LIDS = {"white": (232, 252), "grey": (110, 205), "black": (4, 32)}
GAP_PX = 14  # between two prints


@dataclass(frozen=True, slots=True)
class Laid:
    """One print as it lies.

    Attributes:
        corners: (4, 2) x, y of the scan: top left, top right, bottom right, bottom left of the print.
        angle_deg: by which it is turned, clockwise as seen.
        rim_px: width of its white rim, 0 = none.
        cut: whether the bed's side cuts a part off.
        contrast: levels between the print's rim and the bed where that is all that tells them apart, or inf.
    """

    corners: Points
    angle_deg: float
    rim_px: float
    cut: bool
    contrast: float


@dataclass(frozen=True, slots=True)
class MadeBed:
    """A made scan and its truth."""

    image: Rgb
    prints: tuple[Laid, ...]
    lid: str
    marks: dict[str, float] = field(default_factory=dict)


def _smooth(rng: np.random.Generator, size: tuple[int, int]) -> Float:
    """A plane of -1 to 1 that varies slowly."""
    coarse = rng.normal(0, 1, (4, 4)).astype(np.float32)
    return np.clip(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) / 2, -1, 1)


def _with_rim(
    rng: np.random.Generator, picture: Rgb, bed: Float, lid: str
) -> tuple[Float, Float, float, float]:
    """A picture as a print: pixels, coverage (deckled or not), width of its rim, contrast of rim and bed."""
    image = picture.astype(np.float32)
    kind = rng.choice(["none", "white", "near", "deckled"], p=[0.4, 0.3, 0.15, 0.15])
    if lid == "black" and kind == "near":
        kind = "white"
    if kind == "none":
        return image, np.ones(image.shape[:2], np.float32), 0.0, math.inf
    rim = round(float(rng.uniform(0.025, 0.06)) * min(image.shape[:2]))
    paper = np.float32(rng.uniform(225, 250)) + rng.uniform(-6, 6, 3).astype(np.float32) * [1, 0.4, -1]
    contrast = math.inf
    if kind == "near":  # nearly as bright as the bed
        contrast = float((-1 if lid == "white" else rng.choice([-1, 1])) * rng.uniform(5, 12))
        paper = bed + np.float32(contrast)
    elif lid == "white":
        contrast = float(np.abs(paper - bed).max())
        if contrast < 5:
            paper = paper - 8
            contrast = float(np.abs(paper - bed).max())
    image = cv2.copyMakeBorder(image, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=paper.tolist())
    cover = np.ones(image.shape[:2], np.float32)
    if kind == "deckled":
        depth, period = 0.25 * rim, float(rng.uniform(0.5, 1.2)) * rim
        high, wide = cover.shape
        for turn in range(4):
            cover = np.rot90(cover).copy()
            length = cover.shape[1]
            wave = depth * (0.5 + 0.5 * np.sin(np.arange(length) * (2 * np.pi / period) + turn))
            wave += rng.normal(0, 0.1 * depth, length)
            cover[np.arange(cover.shape[0])[:, None] < wave[None]] = 0
        assert cover.shape == (high, wide)
    return image, cover, float(rim), abs(contrast)


def _corners(size: tuple[int, int], centre: tuple[float, float], angle_deg: float) -> Points:
    """Where a print of ``size`` (height, width) lies."""
    turn = math.radians(angle_deg)
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (np.array(size[::-1]) / 2)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return np.asarray(half @ rotation.T + np.array(centre))


def make_bed(
    pictures: Sequence[Rgb],
    seed: int,
    *,
    size: tuple[int, int] = (1100, 1500),
    lid: str | None = None,
    grey: bool = False,
    jpeg: bool = True,
) -> MadeBed:
    """Lay pictures on a bed as prints, at most as many as find room.

    Args:
        pictures: 1 to 6, uint8 RGB of any size: they are cut and enlarged or reduced.
        seed: same seed, same scan.
        size: (height, width) of the scan.
        lid: ``white``, ``grey`` or ``black``; None = drawn.
        grey: a scan in grey.
        jpeg: whether it may go through a JPEG.
    """
    rng = np.random.default_rng([71, seed])
    lid = lid or str(rng.choice(list(LIDS)))
    high, wide = (2 * side for side in size)
    low, top = LIDS[lid]
    colour = np.float32(rng.uniform(low, top)) + rng.uniform(-3, 3, 3).astype(np.float32)
    bed = np.broadcast_to(colour, (high, wide, 3)).astype(np.float32)
    bed = bed * (1 + np.float32(rng.uniform(0, 0.03)) * _smooth(rng, (high, wide))[..., None])
    count = len(pictures)
    room = {1: 0.75, 2: 0.5, 3: 0.42, 4: 0.4, 5: 0.33, 6: 0.33}[count]
    taken = np.zeros((high // 4, wide // 4), np.uint8)
    layers, laid = [], []
    touching = rng.random() < 0.35
    for number, picture in enumerate(pictures):
        image = picture
        if rng.random() < 0.2:  # high-key
            image = (255 - (255 - image.astype(np.float32)) * rng.uniform(0.35, 0.6)).astype(np.uint8)
        for _ in range(60):
            long_side = float(rng.uniform(0.7, 1.0)) * room * wide
            ratio = float(rng.uniform(1.2, 1.55))
            shape = (long_side / ratio, long_side) if rng.random() < 0.7 else (long_side, long_side / ratio)
            tall, broad = (min(side, 0.9 * most) for side, most in zip(shape, (high, wide), strict=True))
            scale = max(tall / image.shape[0], broad / image.shape[1])
            full = cv2.resize(
                image,
                None,
                fx=scale,
                fy=scale,
                interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
            )
            cut = full[: int(tall), : int(broad)]
            if grey:
                cut = cv2.cvtColor(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
            angle = float(rng.normal(0, 0.7) if rng.random() < 0.35 else rng.uniform(-12, 12))
            state = rng.bit_generator.state
            pixels, cover, rim, contrast = _with_rim(rng, cut, colour, lid)
            turn = abs(math.radians(angle))
            rows, columns = cover.shape
            half_x = (columns * math.cos(turn) + rows * math.sin(turn)) / 2 + 2 * GAP_PX
            half_y = (rows * math.cos(turn) + columns * math.sin(turn)) / 2 + 2 * GAP_PX
            if 2 * half_x > wide or 2 * half_y > high:
                rng.bit_generator.state = state
                room *= 0.93
                continue
            centre = float(rng.uniform(half_x, wide - half_x)), float(rng.uniform(half_y, high - half_y))
            if touching and number == 0:  # a little over the bed's left side
                over = float(rng.uniform(0.03, 0.1)) * columns
                centre = columns * math.cos(turn) / 2 - over, centre[1]
            corners = _corners(cover.shape, centre, angle)
            wider = _corners((rows + 4 * GAP_PX, columns + 4 * GAP_PX), centre, angle)
            print_mask = np.zeros_like(taken)
            cv2.fillPoly(print_mask, [np.round(wider / 4).astype(np.int32)], 1)
            if not (taken & print_mask).any():
                taken |= print_mask
                layers.append((pixels, cover, corners))
                outside = (corners < 0).any() or (corners[:, 0] > wide).any() or (corners[:, 1] > high).any()
                laid.append(Laid(corners / 2, angle, rim / 2, bool(outside), contrast))
                break
            room *= 0.985
    shadow = np.zeros((high, wide), np.float32)
    flat = []
    for pixels, cover, corners in layers:
        rows, columns = cover.shape
        # From the middles of pixels to the middles of pixels.
        source = np.array([[-0.5, -0.5], [columns - 0.5, -0.5], [columns - 0.5, rows - 0.5]], np.float32)
        matrix = cv2.getAffineTransform(source, (corners[:3] - 0.5).astype(np.float32))
        flags = cv2.INTER_CUBIC
        moved = cv2.warpAffine(pixels, matrix, (wide, high), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(cover, matrix, (wide, high), flags=cv2.INTER_LINEAR)
        flat.append((moved, alpha))
        shadow = np.maximum(shadow, alpha)
    if (depth := float(rng.choice([0, rng.uniform(0.08, 0.4)], p=[0.25, 0.75]))) and lid != "black":
        reach = float(rng.uniform(3, 12))
        shift = np.array(
            [[1, 0, rng.uniform(-2, 2) * reach], [0, 1, rng.uniform(0.3, 2) * reach]], np.float32
        )
        shadow = cv2.GaussianBlur(cv2.warpAffine(shadow, shift, (wide, high)), (0, 0), reach)
        bed = bed * (1 - depth * shadow[..., None])
    bed = np.ascontiguousarray(bed, np.float32)
    for _ in range(int(rng.integers(0, 60))):  # dust and hairs on the glass
        at = (int(rng.integers(wide)), int(rng.integers(high)))
        tone = [float(np.clip(colour.mean() + rng.uniform(-90, 90), 0, 255))] * 3
        if rng.random() < 0.8:
            cv2.circle(bed, at, int(rng.integers(1, 5)), tone, -1, cv2.LINE_AA)
        else:
            steps = np.cumsum(rng.normal(0, 14, (8, 2)), axis=0) + at
            cv2.polylines(bed, [np.round(steps).astype(np.int32)], False, tone, 2, cv2.LINE_AA)
    for moved, alpha in flat:
        bed = bed + (moved - bed) * alpha[..., None]
    scan = cv2.resize(bed, size[::-1], interpolation=cv2.INTER_AREA)
    sigma = float(rng.uniform(0.4, 3))
    noise = rng.normal(0, sigma, (*size, 1 if grey else 3)).astype(np.float32)
    image8 = np.clip(np.rint(scan + noise), 0, 255).astype(np.uint8)
    if grey:
        image8 = np.repeat(image8[..., :1], 3, axis=2)
    quality = int(rng.integers(75, 97))
    if jpeg and rng.random() < 0.6:
        _, content = cv2.imencode(".jpg", image8[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        image8 = np.ascontiguousarray(cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1])
    return MadeBed(image8, tuple(laid), lid, {"sigma": sigma, "shadow": depth, "touching": float(touching)})
