"""Nearest-neighbour fields: which known patch looks most like each patch of the hole.

Two searches answer that, one for each end of the pyramid:

- `nearest_exact` compares *every* hole patch with *every* source patch. Written as one matrix product it
  runs at the speed of BLAS, so at coarse levels the field is not an approximation at all.
- `refine` improves a field that came from the level above with a handful of candidates each: what the
  neighbours found (propagation), and steps of a pixel. Patches are compared by their low DCT coefficients
  (`describe`), sixteen numbers that carry nearly all of a patch's energy.

Positions are flat indices into images padded by `RADIUS_PX` on each side, so that a shift is one addition.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Float

__all__ = ["RADIUS_PX", "Index", "describe", "nearest_exact", "patch_offsets", "refine", "regularise"]

RADIUS_PX = 3
"""Patches are (2 × 3 + 1)² = 7² pixels: the size used by Wexler, Barnes and Newson."""

Index = NDArray[np.int32]

SIDE = 2 * RADIUS_PX + 1
# Rows: luminance-like, red–blue, green–magenta; orthonormal, so squared distances stay what they were.
OPPONENT = np.array(
    [[3**-0.5] * 3, [2**-0.5, 0.0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]], dtype=np.float32
)
LUMA_ORDERS = [(u, v) for u in range(4) for v in range(4) if u + v <= 3]
CHROMA_ORDERS = [(0, 0), (0, 1), (1, 0)]
BLOCK_ELEMENTS = 1 << 19  # distances held at once: 4 MB, so that a block's minimum is found in the cache


def patch_offsets(stride: int, radius_px: int = RADIUS_PX) -> Index:
    """Flat offsets of a patch's pixels in an image of ``stride`` columns, row by row.

    >>> patch_offsets(10, radius_px=1).tolist()
    [-11, -10, -9, -1, 0, 1, 9, 10, 11]
    """
    steps = np.arange(-radius_px, radius_px + 1, dtype=np.int32)
    return np.asarray(steps[:, None] * stride + steps[None, :], dtype=np.int32).ravel()


def nearest_exact(
    image: Float, trust: Float, centres: Index, sources: Index, *, stride: int, radius_px: int
) -> tuple[Index, Float]:
    """The best source patch of every hole patch, over all of them.

    The distance is the squared difference weighted by how far each of the hole patch's pixels is to be
    trusted, divided by the sum of the weights. It expands into ``c·b² − 2 c·a·b`` plus a constant, which is
    one matrix product.

    Args:
        image: (n, channels) float32, the padded image's pixels.
        trust: (n,) float32, weight of each pixel on the hole patches' side.
        centres: (p,) flat positions of the hole patches.
        sources: (m,) flat positions of the source patches; not empty.
        stride: columns of the padded image.
        radius_px: patches are (2 × radius + 1)² pixels.

    Returns:
        (p,) positions of the best sources, and (p,) mean squared differences.

    Cost, for patches of k pixels: ``2 p m k (channels + 1)`` floating-point operations.
    """
    offsets = patch_offsets(stride, radius_px)
    there = image[sources[:, None] + offsets]  # (m, k, channels)
    keys = np.concatenate([np.square(there).sum(axis=2), there.reshape(len(sources), -1)], axis=1).T.copy()
    here = image[centres[:, None] + offsets]
    weights = trust[centres[:, None] + offsets]
    weights /= weights.sum(axis=1, keepdims=True)
    constants = np.einsum("pk,pkc,pkc->p", weights, here, here)
    here *= -2 * weights[:, :, None]
    queries = np.concatenate([weights, here.reshape(len(centres), -1)], axis=1)
    best = np.empty(len(centres), np.int64)
    distance = np.empty(len(centres), np.float32)
    rows = max(1, BLOCK_ELEMENTS // len(sources))
    block = np.empty((rows, len(sources)), np.float64)
    # A product of matrices is rounded otherwise by each number of threads. Computed in double and rounded
    # once, the scores are the same, and so is which of two sources that match alike is taken.
    queries, keys = queries.astype(np.float64), keys.astype(np.float64)
    for start in range(0, len(centres), rows):
        part = slice(start, min(start + rows, len(centres)))
        exact = np.matmul(queries[part], keys, out=block[: part.stop - part.start])
        scores = exact.astype(np.float32)
        nearest = scores.argmin(axis=1)
        best[part] = nearest
        distance[part] = scores[np.arange(len(nearest)), nearest]
    return sources[best], np.maximum(distance + constants, 0)


def describe(padded: Float) -> Float:
    """Every patch as sixteen numbers: ten low DCT coefficients of luminance, three of each chroma.

    The basis is orthonormal, so squared distances between descriptions are (a little less than) squared
    distances between patches, divided here by the patch's 49 pixels.

    Args:
        padded: (h, w, 4) float32, colour and texture.

    Returns:
        (h × w, 17) float32. Within `RADIUS_PX` of the frame the values mean nothing.
    """
    opponent = cv2.transform(padded[..., :3], OPPONENT)
    planes = cv2.split(opponent)
    position = np.arange(SIDE) + 0.5
    basis = [np.cos(np.pi * order * position / SIDE) for order in range(4)]
    basis = [wave / np.linalg.norm(wave) / SIDE**0.5 for wave in basis]
    responses = [
        cv2.sepFilter2D(plane, cv2.CV_32F, basis[u], basis[v])
        for plane, orders in zip(planes, (LUMA_ORDERS, CHROMA_ORDERS, CHROMA_ORDERS), strict=True)
        for u, v in orders
    ]
    responses.append(padded[..., 3])
    return np.asarray(cv2.merge(responses).reshape(-1, len(responses)), dtype=np.float32)


def _between(described: Float, own: Float, candidates: Index) -> Float:
    """Squared distances between patches: ``own`` (k, 16) against those at ``candidates`` (k,)."""
    difference = described[candidates]
    difference -= own
    return np.asarray(np.einsum("kc,kc->k", difference, difference), dtype=np.float32)


def refine(
    described: Float,
    source: Index,
    centres: Index,
    valid: Bool,
    *,
    stride: int,
    steps_px: tuple[int, ...],
    jitter: bool,
) -> Float:
    """Improve a field in place with its neighbours' shifts, then with steps of one pixel.

    Args:
        described: (n, 16) from `describe`, of the padded image as filled so far.
        source: (n,) flat position of each centre's source patch; where there is no centre, its own
            position or anything else that ``valid`` rejects after a shift. Written to.
        centres: (p,) flat positions of the hole patches.
        valid: (n,) bool, whether a patch may be copied from there.
        stride: columns of the padded image.
        steps_px: distances of the neighbours that are asked, in turn.
        jitter: whether to try the four pixels around each source at the end.

    Returns:
        (p,) squared distances of the improved field.
    """
    own = described[centres]
    current = source[centres]
    distance = _between(described, own, current)

    def improve(candidates: Index) -> None:
        chosen = np.flatnonzero(valid[candidates] & (candidates != current))
        if not chosen.size:
            return
        tried = candidates[chosen]
        found = _between(described, own[chosen], tried)
        better = found < distance[chosen]
        chosen = chosen[better]
        current[chosen] = tried[better]
        distance[chosen] = found[better]

    for step in steps_px:
        for delta in (-step, step, -step * stride, step * stride):
            improve(source[centres + delta] - delta)
            source[centres] = current
    if jitter:
        for delta in (-1, 1, -stride, stride):
            improve(current + delta)
        source[centres] = current
    return distance


def regularise(
    described: Float,
    source: Index,
    centres: Index,
    valid: Bool,
    *,
    stride: int,
    smoothness: float,
    sweeps: int,
) -> Float:
    """Make a field piecewise constant: fewer, larger pieces copied whole (iterated conditional modes).

    Each patch takes the shift, among its own and its four neighbours', with the least distance plus
    ``smoothness`` for each of the four neighbours that is shifted otherwise. Larger pieces mean fewer
    seams, and texture that is copied instead of averaged.

    Returns:
        (p,) squared distances of the field, which is written to.
    """
    own = described[centres]
    around = (-1, 1, -stride, stride)
    distance = _between(described, own, source[centres])
    for _ in range(sweeps):
        neighbours = [source[centres + delta] - delta for delta in around]
        current = source[centres]
        energy = distance + smoothness * sum((current != other).astype(np.float32) for other in neighbours)
        for candidates in neighbours:
            chosen = np.flatnonzero(valid[candidates] & (candidates != current))
            tried = candidates[chosen]
            found = _between(described, own[chosen], tried)
            cost = found + smoothness * sum(
                (tried != other[chosen]).astype(np.float32) for other in neighbours
            )
            better = cost < energy[chosen]
            chosen = chosen[better]
            current[chosen] = tried[better]
            energy[chosen] = cost[better]
            distance[chosen] = found[better]
        source[centres] = current
    return distance
