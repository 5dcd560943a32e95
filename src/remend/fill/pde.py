"""The two classical PDE fillers, by OpenCV: Telea's fast marching and Navier–Stokes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from remend.errors import UsageError
from remend.fill.filler import Capabilities, register
from remend.picture import Bool, Box, Filled, Float

__all__ = ["NavierStokes", "Telea"]

# OpenCV rounds inside, in units of one grey level: counted in 16-bit levels that does no harm.
LEVELS = np.float32(65535)


def _inpaint(window: Float, hole: Bool, usable: Bool, radius_px: int, flags: int) -> Float:
    """Run ``cv2.inpaint`` channel by channel on the box around the hole, in 16-bit grey levels."""
    filled = np.zeros_like(window)
    box = Box.around(hole)
    if box is None:
        return filled
    # The march also reads gradients one pixel beyond its radius.
    slices = box.grown(radius_px + 2, hole.shape).slices
    usable = usable[slices]
    if not usable.any():
        filled[slices] = 0.5
        return filled
    unknown = np.ascontiguousarray(~usable).view(np.uint8)
    # OpenCV answers NaN for strips of one or two pixels: give them neighbours.
    pad = 2 if min(unknown.shape) < 3 else 0
    unknown = np.pad(unknown, pad, mode="edge")
    inner = slice(pad, unknown.shape[0] - pad), slice(pad, unknown.shape[1] - pad)
    for channel in range(window.shape[2]):
        plane = np.where(usable, window[(*slices, channel)], np.float32(0)) * LEVELS
        plane = np.pad(plane, pad, mode="edge")
        filled[(*slices, channel)] = cv2.inpaint(plane, unknown, radius_px, flags)[inner] / LEVELS
    return filled


@dataclass(frozen=True, slots=True)
class _OpenCV:
    """What both of OpenCV's fillers share.

    Args:
        radius_px: how far a pixel looks for known ones, 1–100.

    Raises:
        UsageError: a radius out of range.
    """

    radius_px: int = 3

    flag: ClassVar[int]
    word: ClassVar[str]

    def __post_init__(self) -> None:
        if not 1 <= self.radius_px <= 100:
            raise UsageError(f"radius_px must be 1 to 100 (OpenCV cuts it there), got {self.radius_px}")

    @property
    def name(self) -> str:
        """The word on the command line."""
        return self.word

    @property
    def capabilities(self) -> Capabilities:
        """For thin holes: it needs no more than the rim."""
        return Capabilities(context_px=self.radius_px + 2, local=True)

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Fill ``hole``; see ``remend.fill.filler.Filler``. ``prior`` and ``seed`` are not used."""
        return Filled(_inpaint(window, hole, usable, self.radius_px, self.flag))


@register(
    "telea",
    summary="fast marching; quick, for thin damage",
    reference="Telea, An image inpainting technique based on the fast marching method, JGT 2004",
)
class Telea(_OpenCV):
    """Fast marching inwards, each pixel a weighted mean of known ones near it, by OpenCV.

    Choose it to compare with; ``smooth`` is more accurate on every kind of hole measured, at about the
    same cost. On wide holes it leaves streaks.

    Args:
        radius_px: how far a pixel looks for known ones, 1–100.

    Cost: about 0.5 µs a hole pixel and the hole's box six times over in memory.

    Raises:
        UsageError: a radius out of range.

    Reference: Telea, An image inpainting technique based on the fast marching method, Journal of
    Graphics Tools, 2004.
    """

    __slots__ = ()
    flag = cv2.INPAINT_TELEA
    word = "telea"


@register(
    "navier-stokes",
    summary="continues isophotes; quick, for thin damage",
    reference="Bertalmio, Bertozzi, Sapiro, Navier-Stokes, fluid dynamics and inpainting, CVPR 2001",
)
class NavierStokes(_OpenCV):
    """Continues lines of equal brightness into the hole as a fluid would flow, by OpenCV.

    Choose it to compare with; see ``Telea`` for the rest, which holds here too.

    Reference: Bertalmio, Bertozzi, Sapiro, Navier-Stokes, fluid dynamics, and image and video
    inpainting, CVPR 2001.
    """

    __slots__ = ()
    flag = cv2.INPAINT_NS
    word = "navier-stokes"
