"""Seams between copied pieces, measured and spread out: a screened Poisson equation.

A pixel that shows another brings its neighbours' expectations along: beside it should lie what lies beside
its source. Where the neighbour shows something else there is a gap. What is solved for is the correction
whose gradient takes the gaps away and which is held near zero, so that tone is evened out near seams and
texture keeps its contrast further away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Filled, Float

__all__ = ["Index", "blended", "seams"]

Index = NDArray[np.int32]
Part = tuple[slice, slice]

ENOUGH = 1e-4  # share of the first residual's energy at which the solver stops
NEXT = (
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
)


def seams(
    image: Float, usable: Bool, field: Index, known: Bool, hole: Bool
) -> Iterator[tuple[Part, Part, Float]]:
    """The gaps between neighbours, downwards and then to the right.

    Args:
        image: (H, W, 3) float32, what is copied from.
        usable: (H, W) bool, what of it may be read.
        field: (h, w) flat index into ``image`` of the pixel that each pixel shows.
        known: (h, w) bool, where there is something to show.
        hole: (h, w) bool; only pairs that touch it have gaps.

    Yields:
        The slices of the one and of the other of each pair, and what the step from one to the other should be
        more than it is, float32 with 3 channels.
    """
    flat, readable, width = image.reshape(-1, 3), usable.ravel(), image.shape[1]
    for (here, there), step in zip(NEXT, (width, 1), strict=True):
        gap = np.zeros((*field[here].shape, 3), np.float32)
        one, other = field[here], field[there]
        torn = known[here] & known[there] & (hole[here] | hole[there]) & (one + step != other)
        one, other = one[torn], other[torn]
        jump = flat[other] - flat[one]
        after, before = np.minimum(one + step, len(flat) - 1), np.maximum(other - step, 0)
        inside = (one % width < width - 1, other % width > 0) if step == 1 else (after > one, before < other)
        # The mean of what both pieces would have here; of one alone where the other's ends.
        ours, theirs = (
            (readable[next_to] & there_is)[:, None].astype(np.float32)
            for next_to, there_is in zip((after, before), inside, strict=True)
        )
        wanted = ours * (flat[after] - flat[one]) + theirs * (flat[other] - flat[before])
        gap[torn] = np.where(ours + theirs > 0, wanted / np.maximum(ours + theirs, 1) - jump, 0)
        yield here, there, gap


def blended(image: Float, hole: Bool, usable: Bool, field: Index, *, screen_px: float) -> Filled:
    """The pixels that a field shows, with the gaps at its seams spread out.

    Args:
        image: (h, w, 3) float32, what is copied from.
        hole: (h, w) bool, what is filled.
        usable: (h, w) bool, what may be read.
        field: (h, w) flat index of the pixel that each pixel shows; not negative in the hole.
        screen_px: how far a correction reaches from a seam.

    Returns:
        Pixels, and where each of them comes from.

    Cost: four times ``screen_px`` iterations over the hole's box at most.

    Reference: Pérez, Gangnet, Blake, Poisson image editing, SIGGRAPH 2003. Bhat et al., Fourier analysis of
    the 2D screened Poisson equation, ECCV 2008.
    """
    height, width = hole.shape
    around = Box.around(hole)
    assert around is not None
    part = around.grown(2, hole.shape).slices
    inside = hole[part][..., None].astype(np.float32)
    known = (usable | hole)[part]
    right = np.zeros((*known.shape, 3), np.float32)
    degree = np.full(known.shape, 1 / screen_px**2, np.float32)
    links: list[tuple[Part, Part, Float]] = []
    for here, there, gap in seams(image, usable, field[part], known, hole[part]):
        right[here] -= gap
        right[there] += gap
        linked = (known[here] & known[there]).astype(np.float32)
        degree[here] += linked
        degree[there] += linked
        links.append((here, there, linked[..., None]))

    def applied(x: Float) -> Float:
        result = degree[..., None] * x
        for here, there, linked in links:
            result[here] -= linked * x[there]
            result[there] -= linked * x[here]
        result *= inside
        return result

    correction = _solved(applied, right * inside, most=int(4 * screen_px))
    pixels = image.copy()
    shown = image.reshape(-1, 3)[np.maximum(field[part], 0)] + correction
    pixels[part] = np.where(hole[part][..., None], np.clip(shown, 0, 1), image[part])
    source_xy = np.full((height, width, 2), -1, np.int32)
    source_xy[hole] = np.stack([field[hole] % width, field[hole] // width], axis=1)
    return Filled(pixels, source_xy)


def _solved(applied: Callable[[Float], Float], right: Float, *, most: int) -> Float:
    """Conjugate gradients from 0, each channel by itself, for a matrix that is symmetric and positive."""
    x, residual = np.zeros_like(right), right.copy()
    direction = residual.copy()
    energy = np.square(residual).sum(axis=(0, 1))
    enough = np.maximum(energy * np.float32(ENOUGH), np.float32(1e-12))
    for _ in range(most):
        if (energy <= enough).all():
            break
        turned = applied(direction)
        pace = energy / np.maximum((direction * turned).sum(axis=(0, 1)), np.float32(1e-20))
        x += pace * direction
        residual -= pace * turned
        after = np.square(residual).sum(axis=(0, 1))
        direction = residual + after / np.maximum(energy, np.float32(1e-20)) * direction
        energy = after
    return x
