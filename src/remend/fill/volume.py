"""Slices of a volume: a plate in three dimensions through what the slices around show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from remend.fill.between import between
from remend.fill.filler import Capabilities, Neighbour, register
from remend.fill.push_pull import push_pull
from remend.picture import Bool, Box, Filled, Float

__all__ = ["Volume"]

MARGIN_PX = 6  # around the hole: the stencil reads two
MOST_ROUNDS, ENOUGH = 400, 1e-4  # of conjugate gradients; what is left of the first residual's length
STIFFEST = 20.0  # how many times more stiff one direction may be than another
Voxels = NDArray[np.float32]


@register(
    "volume",
    summary="slices of a volume: a plate in three dimensions, also through slices that are missing",
    reference="Damelin, Hoang, On surface completion and image inpainting by biharmonic functions, "
    "IJMMS 2018",
)
@dataclass(frozen=True, slots=True)
class Volume:
    """Span the hole with the smoothest function of space that meets what is known around: Δ²u = 0 in 3-D.

    Choose it for voids, dead pixels and missing slices, where slices follow one another in space. The three
    directions are weighted by how much the volume varies along each, so that thick slices count less.
    Slices before are taken as repaired; in those after, what is damaged is solved for along with the hole. In
    a slice that is missing, shapes that move from the one before to the one after are led along their way
    (`remend.fill.between`). A single picture is filled as by ``biharmonic``. It makes no texture.

    Args:
        reach: slices that are looked at on each side.
        tension: how much it hangs like a membrane rather than bends like a plate.

    Cost: 0.1 µs a voxel of the hole's box and round, mostly 30 to 100 rounds; 40 bytes a voxel.

    Reference: Damelin, Hoang, On surface completion and image inpainting by biharmonic functions: numerical
    aspects, IJMMS 2018.
    """

    reach: int = 6
    tension: float = 0.05

    @property
    def name(self) -> str:
        """The word on the command line."""
        return "volume"

    @property
    def capabilities(self) -> Capabilities:
        """It looks at the slices around."""
        return Capabilities(context_px=12, neighbours=self.reach)

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

        The result is clipped, channel by channel, to the range of what is known around.
        """
        box = Box.around(hole)
        assert box is not None
        near = box.grown(MARGIN_PX, hole.shape).slices
        order = sorted({0, *neighbours})
        order = [far for far in order if set(range(min(far, 0), max(far, 0))) <= set(order)]  # without a gap
        known = np.stack([usable[near] if not far else neighbours[far].usable[near] for far in order])
        pixels = np.zeros(window.shape, np.float32)
        if not known.any():
            pixels[:] = 0.5
            return Filled(pixels)
        seen = [window[near] if not far else neighbours[far].pixels[near] for far in order]
        alike = all(
            np.array_equal(s[..., :1].repeat(3, axis=2)[k], s[k]) for s, k in zip(seen, known, strict=True)
        )
        for channel in range(1 if alike else window.shape[2]):
            stack = np.stack([np.where(k, s[..., channel], 0) for s, k in zip(seen, known, strict=True)])
            stack = stack.astype(np.float32)
            solved = _solved(stack, known, self.tension)[order.index(0)]
            if not usable.any():
                solved = _led(solved, stack, known, order.index(0))
            low, high = stack[known].min(), stack[known].max()
            pixels[(*near, slice(None) if alike else channel)] = (
                np.clip(solved, low, high)[..., None] if alike else np.clip(solved, low, high)
            )
        return Filled(pixels)


def _led(solved: Voxels, stack: Voxels, known: NDArray[np.bool_], here: int) -> Voxels:
    """A missing slice: the plate, and the nearest slices led into it, as far as they agree."""
    whole = np.flatnonzero(known.all(axis=(1, 2)))
    below, above = whole[whole < here], whole[whole > here]
    if not below.size or not above.size:
        return solved
    one, other = stack[below[-1]], stack[above[0]]
    share = float(here - below[-1]) / float(above[0] - below[-1])
    led = between(one, other, share)
    if led is None:
        return solved
    mixed, weight = led
    return np.asarray(weight * mixed + (1 - weight) * solved, np.float32)


def _solved(stack: Voxels, known: NDArray[np.bool_], tension: float) -> Voxels:
    """(slices, h, w): the plate, by conjugate gradients over what is not known."""
    stiff = _stiffness(stack, known)
    solution = _begun(stack, known)

    def bent(values: Voxels) -> Voxels:
        curved = _laplacian(values, stiff)
        return _laplacian(curved, stiff) - np.float32(tension) * curved

    left = -bent(solution)
    left[known] = 0
    step, size = left.copy(), float(np.vdot(left, left))
    enough = ENOUGH**2 * size
    for _ in range(MOST_ROUNDS):
        if size <= max(enough, 1e-20):
            break
        turned = bent(step)
        turned[known] = 0
        pace = size / max(float(np.vdot(step, turned)), 1e-30)
        solution += np.float32(pace) * step
        left -= np.float32(pace) * turned
        before, size = size, float(np.vdot(left, left))
        step = left + np.float32(size / before) * step
    return solution


def _laplacian(values: Voxels, stiff: tuple[float, ...]) -> Voxels:
    """The sum of second differences, each direction with its weight; no slope at the borders."""
    total = np.zeros_like(values)
    for axis, weight in enumerate(stiff):
        if values.shape[axis] < 2:
            continue
        steps = np.float32(weight) * np.diff(values, axis=axis)
        ahead, behind = ([slice(None)] * 3 for _ in range(2))
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        total[tuple(behind)] += steps
        total[tuple(ahead)] -= steps
    return total


def _stiffness(stack: Voxels, known: NDArray[np.bool_]) -> tuple[float, ...]:
    """A weight for each direction, 1 for the one along which the volume varies least."""
    spread = []
    for axis in range(3):
        steps = np.diff(stack, axis=axis)
        both = np.take(known, range(1, known.shape[axis]), axis) & np.take(
            known, range(known.shape[axis] - 1), axis
        )
        # Where no two known neighbours lie along a direction, nothing is known of it.
        spread.append(float(np.sqrt(np.mean(steps[both] ** 2, dtype=np.float64))) if both.any() else np.nan)
    if not np.nanmax([*spread, 0.0]) > 0:
        return 1.0, 1.0, 1.0
    least = max(float(np.nanmin(spread)), float(np.nanmax(spread)) / STIFFEST)
    return tuple(1.0 if np.isnan(s) else min(1.0, least / max(s, least)) for s in spread)


def _begun(stack: Voxels, known: NDArray[np.bool_]) -> Voxels:
    """A start: what slices show by themselves, and those that show nothing, what lies nearest to them."""
    shown = np.flatnonzero(known.any(axis=(1, 2)))
    begun = np.empty_like(stack)
    for k in shown.tolist():
        begun[k] = push_pull(stack[k], known[k])
    for k in sorted(set(range(len(stack))) - set(shown.tolist())):
        below, above = shown[shown < k], shown[shown > k]
        if below.size and above.size:
            a, b = below[-1], above[0]
            begun[k] = begun[a] + np.float32((k - a) / (b - a)) * (begun[b] - begun[a])
        else:
            begun[k] = begun[below[-1] if below.size else above[0]]
    return begun
