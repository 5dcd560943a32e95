"""Masks and lines that the user gives: files, arrays and images, turned into the *effective mask*.

Nothing is guessed: white is the hole unless the user says otherwise, whatever the areas are (a
third of real masks are mostly white). What was done on the way is told in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from remend.errors import MaskError, UsageError
from remend.picture import Bool, Picture

__all__ = ["POLARITIES", "EffectiveMask", "Polarity", "dilated", "drawn_lines", "effective_mask"]

Polarity = Literal["white", "black", "alpha"]
POLARITIES: tuple[str, ...] = get_args(Polarity)


@dataclass(frozen=True, slots=True)
class EffectiveMask:
    """The mask that will be repaired, and how it came about.

    Attributes:
        mask: (H, W) bool, True = repair.
        notes: one line for each thing that was done to what was given.
    """

    mask: Bool
    notes: tuple[str, ...] = ()


def effective_mask(
    given: Picture,
    size: tuple[int, int],
    *,
    polarity: Polarity = "white",
    resize: bool = False,
    dilate_px: int = 0,
) -> EffectiveMask:
    """Threshold, resize and dilate a mask picture, as told and no further.

    Args:
        given: the mask as a picture; half of its range and more (≥ 128 of 255) is white.
        size: (height, width) of the picture to repair.
        polarity: what marks the hole: ``white``, ``black``, or ``alpha`` (transparent = hole).
        resize: bring a mask of another size to the picture's; refused otherwise.
        dilate_px: radius of the disc that the hole is grown by.

    Raises:
        MaskError: another size without ``resize``, or ``alpha`` without an alpha channel.
        UsageError: an unknown polarity or a negative dilation.
    """
    if polarity not in POLARITIES:
        raise UsageError(f"mask polarity must be one of {', '.join(POLARITIES)}, got {polarity!r}")
    mask = _threshold(given, polarity)
    notes = []
    if mask.shape != size:
        if not resize:
            raise MaskError(
                f"the mask is {mask.shape[1]}×{mask.shape[0]} and the picture {size[1]}×{size[0]}: "
                "give a mask of the picture's size, or add --resize-mask"
            )
        notes.append(f"mask resized from {mask.shape[1]}×{mask.shape[0]}")
        mask = _resized(mask, size)
    if dilate_px:
        mask = dilated(mask, dilate_px)
        notes.append(f"mask dilated by {dilate_px} px")
    return EffectiveMask(mask, tuple(notes))


def drawn_lines(given: Picture, size: tuple[int, int], *, resize: bool = False) -> Bool:
    """The lines of a drawing, white on black.

    Args:
        given: the drawing; half of its range and more (≥ 128 of 255) is a line, unless it is see-through.
        size: (height, width) of the picture to repair.
        resize: bring a drawing of another size to the picture's; refused otherwise.

    Returns:
        (H, W) bool, True = line.

    Raises:
        UsageError: another size without ``resize``, or a CMYK picture.
    """
    lines = _threshold(given, "white")
    if given.palette is not None or given.alpha_channel is not None:
        lines = lines & ~_threshold(given, "alpha")
    if lines.shape == size:
        return lines
    if not resize:
        raise UsageError(
            f"the guide is {lines.shape[1]}×{lines.shape[0]} and the picture {size[1]}×{size[0]}: "
            "give lines of the picture's size, or add --resize-mask"
        )
    return _resized(lines, size)


def dilated(mask: Bool, radius_px: int) -> Bool:
    """``mask`` grown by a disc of ``radius_px``.

    Raises:
        UsageError: when the radius is negative.
    """
    if radius_px < 0:
        raise UsageError(f"dilation must be 0 px or more, got {radius_px}")
    if radius_px == 0:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    grown = cv2.dilate(mask.view(np.uint8), disc)
    return grown.view(np.bool_)


def _resized(marked: Bool, size: tuple[int, int]) -> Bool:
    """At another size. Area-averaged, then anything touched counts: what is thin must survive shrinking."""
    shrunk = cv2.resize(marked.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return shrunk > (0.5 if size[0] >= marked.shape[0] else 0.0)


def _threshold(given: Picture, polarity: Polarity) -> Bool:
    """Where the given picture says "hole"."""
    samples, alpha = given.samples, given.alpha_channel
    if given.palette is not None:
        table = given.palette
        if polarity == "alpha":
            hole_entry = table[:, 3] < 128
        else:
            hole_entry = (table[:, :3].max(axis=1) >= 128) == (polarity == "white")
        lookup = np.zeros(256, bool)
        lookup[: len(hole_entry)] = hole_entry
        return lookup[samples[..., 0]]
    half = {np.dtype(np.uint8): 128, np.dtype(np.uint16): 32768}.get(samples.dtype, 0.5)
    if polarity == "alpha":
        if alpha is None:
            raise MaskError(
                f"polarity alpha needs a mask with transparency, and this one is {given.mode}: "
                "use --mask-polarity white or black"
            )
        return np.ascontiguousarray(samples[..., alpha] < half)
    if given.mode == "CMYK":
        raise MaskError("a CMYK picture cannot be a mask or a guide: save it as grey, RGB or RGBA")
    colour = samples[..., :alpha] if alpha is not None else samples
    white: Bool = colour[..., 0] >= half
    for channel in range(1, colour.shape[2]):
        white = white | (colour[..., channel] >= half)
    return np.ascontiguousarray(white if polarity == "white" else ~white)
