"""What other dates of a scene show in a hole, brought to this one's values band by band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from remend.errors import UsageError
from remend.fill.biharmonic import smooth
from remend.fill.filler import Capabilities, Neighbour, register
from remend.fill.push_pull import push_pull
from remend.picture import Bool, Filled, Float

__all__ = ["Dates"]

MOST_DATES = 16
WIDER, WIDE_SHARE = 4, 0.02  # a window so much wider counts so much less: felt where the near one sees little
NEAR_SCALE, WIDE_SCALE = 2, 8  # pixels in one, along each axis, where these windows are summed
SEEN = 1e-4  # share of the wide window that must be known to both dates
LEAST_SPREAD = 1e-7  # variance of a date, in squares of the range, below which it tells no slope


@register(
    "dates",
    summary="other dates of the same scene (--reference), brought to this one's values band by band",
    reference="Zeng, Shen, Zhang, Recovering missing pixels for Landsat ETM+ SLC-off imagery using "
    "multi-temporal regression analysis, RSE 2013",
)
@dataclass(frozen=True, slots=True)
class Dates:
    """Copy from other dates what a hole hides: each band through a line that is fitted to what is around.

    Choose it for clouds, shadows and scan gaps in scenes of which other dates are at hand. Around each pixel
    a line is fitted from that date's values to this one's, with near pixels counting most; several dates are
    weighted by how well their lines fit. What the lines leave over beside a hole's rim fades out inwards, so
    that no seam shows. Where no date shows anything, the hole is filled smoothly. It cannot know what changed
    on the ground within a hole.

    Args:
        reach_px: standard deviation of the window that lines are fitted in.
        fade_px: standard deviation of the window in which what they leave over fades out.

    Cost: 0.15 µs a pixel of the window, channel and date; 100 bytes a pixel.

    Reference: Zeng, Shen, Zhang, Recovering missing pixels for Landsat ETM+ SLC-off imagery using
    multi-temporal regression analysis and a regularization method, RSE 2013. He, Sun, Tang, Guided image
    filtering, TPAMI 2013 (lines fitted in windows).
    """

    reach_px: float = 8.0
    fade_px: float = 2.0

    @property
    def name(self) -> str:
        """The word on the command line."""
        return "dates"

    @property
    def capabilities(self) -> Capabilities:
        """It sees all other dates at once, and wants surroundings to fit its lines to."""
        return Capabilities(
            context_px=24, context_radii=0.5, local=True, mosaic_px=2048, neighbours=MOST_DATES
        )

    def fill(
        self,
        window: Float,
        hole: Bool,
        *,
        usable: Bool,
        prior: Float | None = None,
        neighbours: Mapping[int, Neighbour] = MappingProxyType({}),
        seed: int = 0,
    ) -> Filled:
        """Fill ``hole``; see `remend.fill.filler.Propagating`. ``prior`` and ``seed`` are not used.

        Raises:
            UsageError: there is no other date.
        """
        if not neighbours:
            raise UsageError("the method dates needs another date of the scene: give one with --reference")
        window = np.where(usable[..., None], window, np.float32(0))
        alike = all(_grey(pixels) for pixels in (window, *(date.pixels for date in neighbours.values())))
        planes, shown = [], np.ones_like(hole)
        for channel in range(1 if alike else window.shape[2]):
            plane, seen = self._plane(window[..., channel], usable, list(neighbours.values()), channel)
            planes.append(plane)
            shown &= seen
        pixels = np.repeat(planes[0][..., None], 3, axis=2) if alike else np.stack(planes, axis=2)
        dark = hole & ~shown
        if dark.any():
            readable = usable | (hole & shown)
            pixels[dark] = smooth().fill(pixels, dark, usable=readable).pixels[dark]
        return Filled(pixels)

    def _plane(
        self, target: Float, usable: Bool, dates: Sequence[Neighbour], channel: int
    ) -> tuple[Float, Bool]:
        """One channel, what the dates say where it is not usable; and where any of them says something."""
        total, weights = np.zeros_like(target), np.zeros_like(target)
        for date in dates:
            predicted, weight = self._told(target, usable, date, channel)
            total += weight * predicted
            weights += weight
        shown = weights > 0
        predicted = np.where(shown, total / np.maximum(weights, 1e-30), 0)
        left = np.where(usable & shown, target - predicted, 0)
        plane = np.where(usable, target, predicted + self._faded(left, usable & shown))
        return plane.astype(np.float32), shown

    def _told(self, target: Float, usable: Bool, date: Neighbour, channel: int) -> tuple[Float, Float]:
        """What a date says of each pixel in this one's values, and the weight of its word; 0 = nothing."""
        both = (usable & date.usable).astype(np.float32)
        # Differences from their means: sums of squares of values that hardly differ would be all rounding.
        source = np.where(date.usable, date.pixels[..., channel], 0)
        source_mean, target_mean = _mean(source, both), _mean(target, both)
        s, t = (source - source_mean) * both, np.where(both > 0, target - target_mean, 0)
        count, s1, t1, ss, st, tt = (self._around(plane) for plane in (both, s, t, s * s, s * t, t * t))
        seen = count > SEEN
        n = np.maximum(count, SEEN)
        s_mean, t_mean = s1 / n, t1 / n
        spread, common = ss / n - s_mean * s_mean, st / n - s_mean * t_mean
        whole = float((s * t).sum()) / max(float((s * s).sum()), 1e-12)
        # Where a date is flat around, the slope is that of the whole window.
        least = max(LEAST_SPREAD, 0.01 * float((s * s).sum()) / max(float(both.sum()), 1.0))
        slope = (common + least * whole) / (np.maximum(spread, 0) + least)
        predicted = target_mean + t_mean + slope * (source - source_mean - s_mean)
        error = np.maximum(tt / n - t_mean * t_mean - 2 * slope * common + slope * slope * spread, 0)
        weight = np.where(seen & date.usable, 1 / (error + 1e-6) ** 2, 0)
        return predicted.astype(np.float32), weight.astype(np.float32)

    def _around(self, plane: Float) -> Float:
        """Sums in a near window and, counting little, a wide one; at lower scales, as they are smooth."""
        near = _blurred(plane, self.reach_px, NEAR_SCALE)
        wide = _blurred(plane, WIDER * self.reach_px, WIDE_SCALE)
        return np.asarray(near + np.float32(WIDE_SHARE) * wide)

    def _faded(self, left: Float, known: Bool) -> Float:
        """What is left over at the known pixels, carried into the hole and fading there."""
        weight = _blurred(known.astype(np.float32), self.reach_px, NEAR_SCALE)
        mean = _blurred(left.astype(np.float32), self.reach_px, NEAR_SCALE) / np.maximum(weight, 1e-3)
        slow = push_pull(np.asarray(mean, np.float32), known)
        quick = np.where(known, left - slow, 0).astype(np.float32)
        near = cv2.GaussianBlur(known.astype(np.float32), (0, 0), self.fade_px)
        return np.asarray(slow + cv2.GaussianBlur(quick, (0, 0), self.fade_px) / (near + 0.05))


def _blurred(plane: Float, sigma_px: float, scale: int) -> Float:
    """(h, w): a Gaussian blur, made at a lower scale."""
    size = max(1, plane.shape[1] // scale), max(1, plane.shape[0] // scale)
    small = cv2.GaussianBlur(
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA),
        (0, 0),
        sigma_px / scale,
        borderType=cv2.BORDER_REFLECT,
    )
    return np.asarray(cv2.resize(small, plane.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _grey(pixels: Float) -> bool:
    """Whether the channels say the same, as for a band by itself: then one is work enough."""
    return np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 0], pixels[..., 2])


def _mean(plane: Float, weight: Float) -> np.float32:
    return np.float32((plane * weight).sum(dtype=np.float64) / max(float(weight.sum()), 1.0))
