"""Grain that belongs to a picture: some of what was taken off is put back, without its colour."""

from __future__ import annotations

import numpy as np

from remend.picture import Bool, Box, Native, Picture
from remend.samples import put_back, readable, take_out, value_range

__all__ = ["put_back_grain", "seen_of_kept"]

STRONG_LEVELS = 10.0  # noise from which on taking it off leaves surfaces of wax
MOST_LEVELS = 2.0  # that a small share may put back: more would be taken off again
SMALL_SHARE, MORE_LEVELS = 0.3, 10.0  # beyond, and for each whole share more
SEEN_SHARE = 0.75  # of strong grain that the net sees, at most
ROWS = 256


def seen_of_kept(share: float) -> float:
    """What the net may see where a share of the grain was put back, in levels: no more is left alone.

    A picture that was restored is then left as it is, and so is one whose grain is no stronger than that.
    """
    return SEEN_SHARE * _most_kept(share) if share > SMALL_SHARE else 0.0


def _most_kept(share: float) -> float:
    return MOST_LEVELS + MORE_LEVELS * max(0.0, share - SMALL_SHARE)


def put_back_grain(picture: Picture, before: Native, share: float, noise: float) -> Bool:
    """Put a share of the grain that was taken off back, in place: alike in all channels, as silver has it.

    It is the grain that was there, with its spectrum and with the texture that went with it, and not one that
    was made; what differed between the channels is noise of a sensor or a scanner, and stays away.

    Args:
        picture: as it is without grain.
        before: its samples as they were.
        share: 0 = nothing; 1 = all of it, up to 9 levels; .3 and less up to 2. More would be taken off again.
        noise: its deviation before, in levels of 255; weak noise is taken off whole.

    Returns:
        (H, W) bool, where a sample differs from those without grain.
    """
    changed = np.zeros(picture.size, bool)
    if not share or noise < STRONG_LEVELS:
        return changed
    source = Picture(before, picture.mode, container=picture.container)
    whole = Box(0, 0, *picture.size)
    span = value_range(source, whole, readable(source, whole))
    channels = tuple(range(picture.channels.colours))[:3]
    share = min(share, _most_kept(share) / noise)
    for top in range(0, picture.height, ROWS):
        box = Box(top, 0, min(top + ROWS, picture.height), picture.width)
        now, then = take_out(picture, box, channels, span), take_out(source, box, channels, span)
        grain = (then - now).mean(axis=2, keepdims=True)
        clean = picture.samples[box.slices].copy()
        put_back(picture, box, readable(source, box), now + np.float32(share) * grain, channels, span)
        changed[box.slices] = (picture.samples[box.slices] != clean).any(axis=2)
    return changed
