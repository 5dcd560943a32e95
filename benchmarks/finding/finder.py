"""The finder as the parts call it: a mask without a word about how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.counts import mask_of
from remend.adapt import as_picture
from remend.damage.find import find_damage
from remend.finding import find_mask
from remend.options import MaskOptions
from remend.picture import Bool

TEXT = ("text",)


def found_in(
    picture: NDArray[np.uint8], *, sensitivity: float = 0.5, kinds: tuple[str, ...] | None = None
) -> Bool:
    """(H, W), what ``find_damage`` flags, not widened."""
    regions = find_damage(picture, sensitivity=sensitivity, kinds=kinds)
    return mask_of(regions, (picture.shape[0], picture.shape[1]))


def effective(picture: object) -> Bool:
    """(H, W), what the default command would repair: found, judged and widened."""
    return find_mask(as_picture(picture), None, options=MaskOptions()).mask
