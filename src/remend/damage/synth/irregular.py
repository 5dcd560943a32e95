"""Hole masks as the inpainting papers draw them: wide strokes, boxes, and mixes of both.

Lengths and widths are pixels, as in the papers, whose pictures are 256 or 512 px: on larger pictures
the same strokes cover less. Ask for a hole ratio (``make_mask(..., ratio=...)``) to be independent of
size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.noise import Seed, as_generator
from remend.picture import Bool

__all__ = ["LAMA", "Lama", "box", "centre", "comodgan", "free_form", "lama"]


@dataclass(frozen=True, slots=True)
class Lama:
    """Parameters of LaMa's masks. Ranges include both ends.

    Attributes:
        strokes: how many strokes.
        length_px: largest length of a segment, over the 10 px that each has at least.
        width_px: largest width, over the 5 px that each has at least.
        boxes: weight of box masks against the 1 of stroke masks; a mask is one or the other.
        box_count: how many boxes.
        box_side_px: their sides.
        margin_px: how far boxes stay from the border.
    """

    strokes: tuple[int, int]
    length_px: int
    width_px: int
    boxes: float = 0.0
    box_count: tuple[int, int] = (1, 4)
    box_side_px: tuple[int, int] = (30, 150)
    margin_px: int = 10


LAMA: dict[str, Lama] = {
    "thin": Lama((4, 70), 100, 20),
    "medium": Lama((4, 10), 200, 100, boxes=0.3, box_count=(1, 5), margin_px=0),
    "thick": Lama((1, 5), 450, 250, boxes=0.3, box_side_px=(30, 300)),
    "train256": Lama((1, 5), 200, 100, boxes=1.0),
}
"""The published settings: test masks for 512 px pictures, and training masks for 256 px."""


def lama(
    size: tuple[int, int],
    style: Literal["thin", "medium", "thick", "train256"] | Lama = "medium",
    *,
    seed: Seed,
    count: int | None = None,
) -> Bool:
    """LaMa's irregular masks: strokes of 1–5 straight segments, or boxes.

    The paper drops masks that cover more than half of the picture; so does ``make_mask``.

    Args:
        size: (height, width) in pixels.
        style: a published setting, or one's own.
        seed: an int, or a generator to draw from.
        count: number of strokes; None draws it (and perhaps boxes instead) as published.

    Reference: Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions",
    WACV 2022, supplement; ranges from the authors' configuration.
    """
    rng = as_generator(seed, "lama")
    p = LAMA[style] if isinstance(style, str) else style
    if count is None and rng.random() < p.boxes / (1 + p.boxes):
        return _boxes(size, p, rng)
    canvas = np.zeros(size, np.uint8)
    height, width = size
    for stroke in range(count if count is not None else int(rng.integers(p.strokes[0], p.strokes[1] + 1))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        for _ in range(int(rng.integers(1, 6))):
            # The published headings: 0, 1, 2 or 3 radians (and a bit), mirrored every other stroke.
            heading = (0.01 + int(rng.integers(4))) * (1 if stroke % 2 else -1)
            length = 10 + int(rng.integers(p.length_px))
            end = (
                int(np.clip(x + length * np.sin(heading), 0, width)),
                int(np.clip(y + length * np.cos(heading), 0, height)),
            )
            cv2.line(canvas, (x, y), end, 255, 5 + int(rng.integers(p.width_px)))
            x, y = end
    return canvas > 0


def _boxes(size: tuple[int, int], p: Lama, rng: np.random.Generator) -> Bool:
    mask = np.zeros(size, np.bool_)
    margin = p.margin_px if min(size) > 2 * p.margin_px + 1 else 0
    largest = min(p.box_side_px[1], *(side - 2 * margin for side in size))
    least = min(p.box_side_px[0], largest)
    for _ in range(int(rng.integers(p.box_count[0], p.box_count[1] + 1))):
        h, w = (int(rng.integers(least, largest + 1)) for _ in range(2))
        top = int(rng.integers(margin, size[0] - margin - h + 1))
        left = int(rng.integers(margin, size[1] - margin - w + 1))
        mask[top : top + h, left : left + w] = True
    return mask


def _brush(
    canvas: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    vertices: tuple[int, int],
    width_px: tuple[int, int],
) -> None:
    """One winding stroke: turns of 2π/5 ± 2π/15 to alternating sides, round joints, then maybe mirrored."""
    height, width = canvas.shape
    radius = float(np.hypot(height, width)) / 8
    low = 2 * np.pi / 5 - rng.uniform(0, 2 * np.pi / 15)
    high = 2 * np.pi / 5 + rng.uniform(0, 2 * np.pi / 15)
    x, y = int(rng.integers(width)), int(rng.integers(height))
    points = [(x, y)]
    for turn in range(int(rng.integers(vertices[0], vertices[1] + 1))):
        angle = rng.uniform(low, high)
        if turn % 2 == 0:
            angle = 2 * np.pi - angle
        step = float(np.clip(rng.normal(radius, radius / 2), 0, 2 * radius))
        x = int(np.clip(x + step * np.cos(angle), 0, width))
        y = int(np.clip(y + step * np.sin(angle), 0, height))
        points.append((x, y))
    if rng.random() < 0.5:
        points = [(width - 1 - x, y) for x, y in points]
    if rng.random() < 0.5:
        points = [(x, height - 1 - y) for x, y in points]
    thickness = int(rng.integers(width_px[0], width_px[1] + 1))
    cv2.polylines(canvas, [np.array(points, np.int32)], False, 255, thickness)
    for point in points:
        cv2.circle(canvas, point, thickness // 2, 255, -1)


def free_form(size: tuple[int, int], *, seed: Seed, count: int | None = None, box_px: int = 0) -> Bool:
    """DeepFill v2's free-form masks: 1–3 winding strokes of 4–11 turns, 12–40 px wide.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: number of strokes; None draws 1–3.
        box_px: adds a square box of this side, as the training of the paper does with 128; 0 = none.

    Reference: Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019, Algorithm 1.
    """
    rng = as_generator(seed, "free-form")
    canvas = np.zeros(size, np.uint8)
    for _ in range(count if count is not None else int(rng.integers(1, 4))):
        _brush(canvas, rng, vertices=(4, 11), width_px=(12, 40))
    mask = canvas > 0
    if box_px:
        h, w = min(box_px, size[0]), min(box_px, size[1])
        top, left = int(rng.integers(size[0] - h + 1)), int(rng.integers(size[1] - w + 1))
        mask[top : top + h, left : left + w] = True
    return mask


def comodgan(size: tuple[int, int], *, seed: Seed, aim: float = 1.0) -> Bool:
    """Co-Mod-GAN's masks: up to 9 boxes of half the picture, 4 of the whole and 19 brush strokes.

    From nearly nothing to nearly everything; the paper redraws until the ratio falls into the bin
    that is wanted, and ``make_mask(..., ratio=...)`` does.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        aim: scales the three limits, 0–1; the paper uses the sum of the wanted bin's ends.

    Reference: Zhao et al., "Large Scale Image Completion via Co-Modulated Generative Adversarial
    Networks", ICLR 2021; numbers from the authors' code.
    """
    rng = as_generator(seed, "comodgan")
    canvas = np.zeros(size, np.uint8)
    side = min(size)
    for limit, largest in ((10, side // 2), (5, side)):
        for _ in range(int(rng.integers(max(1, int(limit * aim))))):
            h, w = int(rng.integers(max(1, largest))), int(rng.integers(max(1, largest)))
            # Boxes may lie half outside.
            top = int(rng.integers(-(h // 2), size[0] - h + h // 2 + 1))
            left = int(rng.integers(-(w // 2), size[1] - w + w // 2 + 1))
            canvas[max(0, top) : max(0, top + h), max(0, left) : max(0, left + w)] = 255
    for _ in range(int(rng.integers(max(1, int(20 * aim))))):
        _brush(canvas, rng, vertices=(4, 17), width_px=(12, 47))
    return canvas > 0


def centre(size: tuple[int, int], *, share: float = 0.25) -> Bool:
    """One box in the middle, of the picture's proportions: half of each side unless told otherwise.

    The oldest protocol of the field (Pathak et al., "Context Encoders", CVPR 2016).

    Args:
        size: (height, width) in pixels.
        share: how much of the picture it covers, 0–1.

    >>> int(centre((8, 8)).sum())
    16
    """
    mask = np.zeros(size, np.bool_)
    h, w = (max(1, min(side, round(side * float(np.sqrt(share))))) for side in size)
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    mask[top : top + h, left : left + w] = True
    return mask


def box(size: tuple[int, int], *, seed: Seed, share: tuple[float, float] = (0.02, 0.3)) -> Bool:
    """One box anywhere, sides in proportion 1:2 to 2:1.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        share: least and largest part of the picture that it covers, 0–1.
    """
    rng = as_generator(seed, "box")
    area = rng.uniform(*share) * size[0] * size[1]
    aspect = float(np.exp(rng.uniform(-np.log(2), np.log(2))))
    h = int(np.clip(round(float(np.sqrt(area * aspect))), 1, size[0]))
    w = int(np.clip(round(area / h), 1, size[1]))
    h = int(np.clip(round(area / w), 1, size[0]))  # again: the width may have hit the border
    top, left = int(rng.integers(size[0] - h + 1)), int(rng.integers(size[1] - w + 1))
    mask = np.zeros(size, np.bool_)
    mask[top : top + h, left : left + w] = True
    return mask
