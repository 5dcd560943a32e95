"""From a nearest-neighbour field back to pixels: what the overlapping patches say of each pixel."""

from __future__ import annotations

import numpy as np

from remend.fill.patch_search import Index, patch_offsets
from remend.picture import Float

__all__ = ["vote"]


def vote(
    image: Float,
    source: Index,
    weight: Float,
    pixels: Index,
    *,
    stride: int,
    radius_px: int,
    falloff_px: float | None = None,
) -> Float:
    """The weighted mean of what the patches around each pixel would put there.

    Args:
        image: (n, 4) float32, the padded image's pixels.
        source: (n,) flat position of each patch's source.
        weight: (n,) float32, weight of each patch's word, 0 where there is none.
        pixels: (p,) flat positions to be answered for; each needs a voter within ``radius_px``.
        stride: columns of the padded image.
        radius_px: patches whose centres are at most so far, on either axis, are heard.
        falloff_px: if given, voters also count by a Gaussian of this deviation in their distance.

    Returns:
        (p, 4) float32.
    """
    # A pixel of four floats is moved as one complex128: three times as fast as a row of three.
    packed = image.view(np.complex128)[:, 0]
    total = np.zeros((len(pixels), 4), np.float32)
    weights = np.zeros(len(pixels), np.float32)
    for delta in patch_offsets(stride, radius_px):
        voters = pixels + delta
        votes = packed.take(source.take(voters) - delta).view(np.float32).reshape(-1, 4)
        voices = weight.take(voters)
        if falloff_px is not None:
            down = round(int(delta) / stride)
            across = int(delta) - down * stride
            voices *= np.float32(np.exp(-(down**2 + across**2) / (2 * falloff_px**2)))
        total += votes * voices[:, None]
        weights += voices
    total /= weights[:, None]
    return total
