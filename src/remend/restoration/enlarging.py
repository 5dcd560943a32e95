"""A picture twice or four times as large: the embedded net over a cubic enlargement, tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from remend.picture import Bool, Box, Container, Float, Native, Picture
from remend.restoration.net import holds_more, is_grey, session_of, tiles
from remend.runtime import given_back
from remend.samples import colour_groups, expand_palette, put_back, readable, take_out, value_range

__all__ = ["ENLARGER", "enlarged"]

ENLARGER = Path(__file__).parents[1] / "weights" / "enlarge.onnx"
SIDE_PX, MARGIN_PX = 384, 14  # of a tile; the margin is as far as the net sees


def enlarged(
    picture: Picture, factor: int, *, weights: Path = ENLARGER, told: Callable[[], None] = lambda: None
) -> Picture:
    """The same picture at ``factor`` times the height and width; four times is twice, twice.

    What is transparent, missing or not finite stays so, without a seam of colours in between; alpha is
    enlarged by a cubic kernel. A grey picture stays grey, one with a palette becomes RGB. The resolution
    that its file states grows along, so that a print of it keeps its size.

    Args:
        picture: any mode; not changed.
        factor: 1, 2 or 4.
        weights: another file of the same contract, with its card.
        told: called after each tile.

    Raises:
        ModelError: the net is missing or damaged.

    Cost: 100 thousand multiplications a pixel of the result, .6 s of a core a megapixel;
    270 MB beside the pictures.
    """
    while factor > 1:
        picture, factor = _twice(expand_palette(picture), weights, told), factor // 2
    return picture


def _twice(picture: Picture, weights: Path, told: Callable[[], None]) -> Picture:
    height, width = picture.size
    whole = Box(0, 0, height, width)
    usable = readable(picture, whole)
    span, grey, exact = value_range(picture, whole, usable), is_grey(picture), holds_more(picture)
    # What no net sees is repeated: a colour that stands for nothing must stay that very colour.
    samples = picture.samples.repeat(2, axis=0).repeat(2, axis=1)
    target = Picture(samples, picture.mode, container=_grown(picture.container))
    if picture.alpha_channel is not None:
        samples[..., picture.alpha_channel] = _cubic(picture.samples[..., picture.alpha_channel])
    for outer, inner in tiles(height, width, side=SIDE_PX, margin=MARGIN_PX):
        part = inner.inside(outer)
        within = np.s_[2 * part.top : 2 * part.bottom, 2 * part.left : 2 * part.right]
        box = Box(2 * inner.top, 2 * inner.left, 2 * inner.bottom, 2 * inner.right)
        there = usable[inner.slices].repeat(2, axis=0).repeat(2, axis=1)
        for channels in colour_groups(picture):
            window = np.clip(take_out(picture, outer, channels, span), 0, 1)
            pixels = _run(_covered(window, usable[outer.slices]), weights, exact)[within]
            if grey:
                pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
            put_back(target, box, there, pixels.clip(0, 1), channels, span)
        told()
    return target


def _run(window: Float, weights: Path, exact: bool) -> Float:
    """(2 h, 2 w, 3) of a window (h, w, 3) in [0, 1]; not clipped."""
    image = np.ascontiguousarray(window.transpose(2, 0, 1))[None]
    session = session_of(weights, cv2.getNumThreads(), exact)
    (answer,) = session.run(["enlarged"], {"image": image}, given_back())
    return np.asarray(answer[0].transpose(1, 2, 0), np.float32)


def _covered(window: Float, usable: Bool) -> Float:
    """A window whose unusable pixels have a colour of those around, so that no edge of theirs rings."""
    if usable.all() or not usable.any():
        return window
    weight = usable.astype(np.float32)
    near = cv2.GaussianBlur(window * weight[..., None], (0, 0), 3)
    share = cv2.GaussianBlur(weight, (0, 0), 3)[..., None]
    mean = window[usable].mean(axis=0)
    spread = np.where(share > 1e-3, near / np.maximum(share, 1e-3), mean)
    return np.where(usable[..., None], window, spread).astype(np.float32)


def _cubic(plane: Native) -> Native:
    """A plane at twice the size, in its own type and within its own range."""
    size = 2 * plane.shape[1], 2 * plane.shape[0]
    large = cv2.resize(plane.astype(np.float64), size, interpolation=cv2.INTER_CUBIC)
    large = large.clip(plane.min(), plane.max())
    return (np.rint(large) if plane.dtype.kind in "iu" else large).astype(plane.dtype)


def _grown(container: Container | None) -> Container | None:
    """What travels into a new file; the old one's bytes do not fit any more."""
    if container is None:
        return None
    metadata = container.metadata
    if metadata.dpi is not None:
        metadata = replace(metadata, dpi=(2 * metadata.dpi[0], 2 * metadata.dpi[1]))
    return replace(container, format="", metadata=metadata, data=None, path=None, missing=None)
