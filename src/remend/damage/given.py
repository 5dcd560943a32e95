"""Masks and lines that the user gives: files, arrays and images, turned into the *effective mask*.

Nothing is guessed: white is the hole unless the user says otherwise, whatever the areas are (a
third of real masks are mostly white). What was done on the way is told in words. A mask that would
mark nothing though something is drawn in it is refused: what it means cannot be told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.scene import IN_SCENES
from remend.errors import MaskError, UsageError
from remend.options import POLARITIES, Polarity
from remend.picture import Bool, Picture

__all__ = ["EffectiveMask", "dilated", "drawn_lines", "effective_mask", "marked_levels"]

Levels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]

# Encoders that lose something leave faint rings around what is white: those are no soft edge.
LOSSY = frozenset({"jpeg", "avif", "heif", "webp"})
RING_SHARE = 0.125


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
    soft: bool = True,
) -> EffectiveMask:
    """Threshold, resize and dilate a mask picture, as told and no further.

    Args:
        given: the mask as a picture; half of its range and more (≥ 128 of 255) is white. One of two levels,
            black and something darker than that (0 and 1, say), is read as black and white.
        size: (height, width) of the picture to repair.
        polarity: what marks the hole: ``white``, ``black``, ``alpha`` (transparent = hole) or ``opaque``; or
            how a scene's is read (`remend.damage.scene`).
        resize: bring a mask of another size to the picture's; refused otherwise.
        dilate_px: radius of the disc that the hole is grown by.
        soft: the soft edges of what is marked, however faint, are part of it: what lies under them shows
            the damage too.

    Raises:
        MaskError: another size without ``resize``, ``alpha`` or ``opaque`` without an alpha channel,
            several levels of which none is white, or something drawn in its transparency alone.
        UsageError: an unknown polarity or a negative dilation.
    """
    if polarity not in POLARITIES:
        raise UsageError(f"mask polarity must be one of {', '.join(POLARITIES)}, got {polarity!r}")
    if polarity in IN_SCENES:
        return _at_size(IN_SCENES[polarity](given), [], size, resize, dilate_px)
    levels, full, notes = _levels(given, polarity)
    if polarity == "white" and not levels.any() and _see_through_in_parts(given):
        raise MaskError(
            "nothing in the mask is white, but parts of it are transparent: say which marks what to repair "
            "with --mask-polarity alpha (transparent) or opaque"
        )
    mask = _half(levels, full)
    if soft:
        mask, more = _with_soft_edges(mask, levels, full, given)
        notes += more
    return _at_size(mask, notes, size, resize, dilate_px)


def _at_size(
    mask: Bool, notes: list[str], size: tuple[int, int], resize: bool, dilate_px: int
) -> EffectiveMask:
    """A mask brought to the picture's size and grown, as far as that was asked for."""
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


def marked_levels(given: Picture, polarity: Polarity) -> NDArray[np.uint8]:
    """(H, W) uint8: how much each pixel of a part of a mask is marked, 128 and more = wholly.

    What is marked at all is 1 at least. What the levels of the whole mask mean, `effective_mask` says.

    Raises:
        MaskError: no transparency where it was asked for.
    """
    levels, full = _stored(given, by_alpha=polarity in ("alpha", "opaque"))
    if polarity in ("black", "alpha"):
        most = levels.dtype.type(full)
        levels = cast(Levels, most - np.minimum(levels, most))
    if levels.dtype == np.uint8:
        return cast(NDArray[np.uint8], levels)
    scaled = np.clip(levels * np.float32(256 / (full + 1 if full > 1 else full)), 0, 255)
    return np.where(levels > 0, np.maximum(scaled, 1), 0).astype(np.uint8)


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
    lines = _white(given, "white")
    if given.palette is not None or given.alpha_channel is not None:
        lines = lines & ~_white(given, "alpha")
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


def _white(given: Picture, polarity: Polarity) -> Bool:
    """Where the picture is marked, at half of the range and more."""
    levels, full, _ = _levels(given, polarity)
    return _half(levels, full)


def _half(levels: Levels, full: float) -> Bool:
    least = full / 2 if levels.dtype.kind == "f" else math.ceil(full / 2)
    return np.asarray(levels >= levels.dtype.type(least))


def _levels(given: Picture, polarity: Polarity) -> tuple[Levels, float, list[str]]:
    """How much each pixel is marked, the level that stands for wholly, and what to say.

    Raises:
        MaskError: no transparency where it was asked for; or several levels, none of them white.
    """
    levels, full = _stored(given, by_alpha=polarity in ("alpha", "opaque"))
    notes = []
    if polarity in ("white", "black"):
        top = levels.max(initial=0)
        if 0 < 2 * float(top) < full:
            shown = f"{top:g} of {full:g}"
            if not np.isin(levels, (0, top)).all():
                raise MaskError(
                    f"the mask's largest value is {shown}, so nothing in it is white: "
                    f"give it with {full:g} where to repair and 0 elsewhere"
                )
            notes.append(f"the mask's largest value is {shown}: read as white")
            full = float(top)
    if polarity in ("black", "alpha"):
        most = levels.dtype.type(full)
        levels = cast(Levels, most - np.minimum(levels, most))
    return levels, full, notes


def _see_through_in_parts(given: Picture) -> bool:
    """Whether its transparency shows something."""
    if given.palette is None and given.alpha_channel is None:
        return False
    alpha, _ = _stored(given, by_alpha=True)
    return bool(alpha.size and (alpha != alpha.flat[0]).any())


def _stored(given: Picture, *, by_alpha: bool) -> tuple[Levels, float]:
    """(H, W) of alpha or of the brightest channel, and the largest level of its kind."""
    samples, alpha = given.samples, given.alpha_channel
    if given.palette is not None:
        table = np.zeros(256, np.uint8)
        table[: len(given.palette)] = given.palette[:, 3] if by_alpha else given.palette[:, :3].max(axis=1)
        return table[samples[..., 0]], 255.0
    full = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    if by_alpha:
        if alpha is None:
            raise MaskError(
                f"polarity alpha or opaque needs a mask with transparency, and this one is {given.mode}: "
                "use --mask-polarity white or black"
            )
        return np.ascontiguousarray(samples[..., alpha]), full
    if given.mode == "CMYK":
        raise MaskError("a CMYK picture cannot be a mask or a guide: save it as grey, RGB or RGBA")
    colour = samples[..., : given.channels.colours]
    brightest = np.nan_to_num(colour.max(axis=2)) if colour.dtype.kind == "f" else colour.max(axis=2)
    return np.ascontiguousarray(brightest), full


def _with_soft_edges(mask: Bool, levels: Levels, full: float, given: Picture) -> tuple[Bool, list[str]]:
    """The mask with the fainter pixels that hang together with it; and what was done, or left."""
    lossy = given.container is not None and given.container.format in LOSSY
    faint = np.asarray(levels > (RING_SHARE * full if lossy else 0))
    edges = int(np.count_nonzero(faint)) - int(np.count_nonzero(mask))
    if not edges or not mask.any():
        return mask, []
    _, label = cv2.connectedComponents(faint.view(np.uint8), connectivity=8)
    reached = np.zeros(int(label.max()) + 1, np.bool_)
    reached[label[mask]] = True
    whole = np.asarray(reached[label])
    rim = int(np.count_nonzero(whole)) - int(np.count_nonzero(mask))
    notes = [f"{rim} pixels of the mask's soft edges are repaired too"] if rim else []
    if edges > rim and not lossy:
        notes.append(f"{edges - rim} pixels of the mask are darker than half and not repaired")
    return whole, notes
