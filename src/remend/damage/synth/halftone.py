"""Pictures as a press prints them, and a scanner sees them: dots of one to four inks on screens at angles."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["ANGLES", "screened"]

ANGLES = (15.0, 75.0, 0.0, 45.0)  # degrees, as usual for cyan, magenta, yellow and black
FINER = 4  # dots are drawn at this many times the scanner's resolution
BLACK_SHARE = 0.6  # of what cyan, magenta and yellow have in common


def screened(
    image: NDArray[np.uint8],
    period_px: float,
    *,
    inks: int = 4,
    angles: Sequence[float] = ANGLES,
    soft_px: float = 0.5,
) -> NDArray[np.uint8]:
    """A picture in round dots that grow with the ink.

    Args:
        image: (H, W, 3) uint8 RGB.
        period_px: between rows of dots, in pixels of the scan: dots an inch over lines an inch.
        inks: 1 = black alone; 2 = cyan and black; 3 = cyan, magenta, yellow; 4 = and black.
        angles: of the screens, in degrees, for cyan, magenta, yellow, black.
        soft_px: the scanner's blur.

    Cost: about 3 µs a pixel and ink.
    """
    height, width = image.shape[:2]
    wanted = _inks(np.asarray(image / 255, np.float32), inks)
    paper = np.ones((height, width, 3), np.float32)
    for plate, share in wanted.items():
        large = cv2.resize(share, (width * FINER, height * FINER), interpolation=cv2.INTER_LINEAR)
        covered = (large > _threshold(large.shape, period_px * FINER, angles[plate])).astype(np.float32)
        dots = np.asarray(cv2.resize(covered, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        # An ink takes its own third of the light, and black takes all.
        taken = (np.ones(3) if plate == 3 else np.eye(3)[plate]).astype(np.float32)
        paper *= 1 - dots[..., None] * taken
    if soft_px:
        paper = np.asarray(cv2.GaussianBlur(paper, (0, 0), soft_px), np.float32)
    return np.clip(np.rint(paper * 255), 0, 255).astype(np.uint8)


def _inks(light: NDArray[np.float32], inks: int) -> dict[int, NDArray[np.float32]]:
    """How much of its place each ink covers, by the number of its plate."""
    if inks == 1:
        return {3: 1 - light.mean(axis=2)}
    cover = 1 - light
    if inks == 3:
        return {plate: cover[..., plate] for plate in range(3)}
    black = BLACK_SHARE * cover.min(axis=2)
    left = (cover - black[..., None]) / np.maximum(1 - black[..., None], 1e-3)
    plates = range(3) if inks == 4 else range(1)
    return {**{plate: np.ascontiguousarray(left[..., plate]) for plate in plates}, 3: black}


def _threshold(size: tuple[int, ...], period: float, angle: float) -> NDArray[np.float32]:
    """The share of ink from which on each place is covered: (H, W) float32, spread evenly over 0 to 1."""
    turned = np.deg2rad(angle)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) * np.float32(2 * np.pi / period)
    along, across = np.cos(turned) * x + np.sin(turned) * y, np.cos(turned) * y - np.sin(turned) * x
    height = (2 - np.cos(along) - np.cos(across)) / 4
    # The share of a cell that lies lower: so an ink of 30 % covers 30 %.
    cell = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    lower = np.sort((2 - np.cos(cell)[:, None] - np.cos(cell)).ravel() / 4)
    return np.asarray(np.interp(height, lower, np.linspace(0, 1, lower.size)), np.float32)
