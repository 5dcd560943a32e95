"""Damage on a picture: the damaged picture and the mask that says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.blemishes import foxing, mould, silvering
from remend.damage.synth.blots import blots
from remend.damage.synth.borders import borders
from remend.damage.synth.degrade import add_blur, add_noise
from remend.damage.synth.film import transport
from remend.damage.synth.flakes import chips
from remend.damage.synth.folds import folds
from remend.damage.synth.layers import Layer, compose, mask_of
from remend.damage.synth.lettering import text
from remend.damage.synth.noise import as_generator
from remend.damage.synth.residues import fingerprints, tape, water_rings
from remend.damage.synth.surface import blocks, cracks, stains, tears
from remend.damage.synth.watermark import watermark
from remend.damage.synth.wear import dust, scratches
from remend.errors import UsageError
from remend.picture import Bool

__all__ = ["DAMAGES", "damage_picture"]

_LAYERED: dict[str, Callable[..., list[Layer]]] = {
    "scratches": scratches,
    "transport": transport,
    "dust": dust,
    "cracks": cracks,
    "folds": folds,
    "chips": chips,
    "stains": stains,
    "foxing": foxing,
    "mould": mould,
    "water_rings": water_rings,
    "silvering": silvering,
    "tape": tape,
    "fingerprints": fingerprints,
    "blots": blots,
    "tears": tears,
    "borders": borders,
    "text": text,
    "watermark": watermark,
    "blocks": blocks,
}
_WHOLE: dict[str, Callable[..., NDArray[np.uint8]]] = {"noise": add_noise, "blur": add_blur}

DAMAGES: tuple[str, ...] = (*_LAYERED, *_WHOLE)


def damage_picture(
    image: NDArray[np.uint8], kind: str, *, seed: int = 0, **options: Any
) -> tuple[NDArray[np.uint8], Bool]:
    """Damage a picture as time does.

    Args:
        image: (H, W, 3) uint8 RGB; not written to.
        kind: one of ``DAMAGES``.
        seed: 0 or more; the same seed gives the same damage.
        **options: of the kind's generator: ``count`` (how many) for all but noise and blur;
            ``polarity``, ``width_px`` (scratches, transport), ``polarity``, ``radius_px`` (dust),
            ``extent_px`` (chips, foxing, blots), ``style`` (cracks, text), ``fonts`` (text, watermark),
            ``opacity`` (watermark), ``block_px`` (blocks), ``sigma``, ``grain_px`` (noise),
            ``radius_px`` (blur).

    Returns:
        The damaged picture, and (H, W) bool, True where it was changed visibly. Every pixel outside
        the mask has its bytes unchanged. Noise and blur change everything, so their mask is all True.

    Raises:
        UsageError: an unknown kind, or a picture that is not (H, W, 3) uint8.

    Cost: 5–100 ms at 512².

    >>> damaged, mask = damage_picture(np.full((64, 64, 3), 90, np.uint8), "scratches", seed=3)
    >>> bool((damaged[~mask] == 90).all() and (damaged[mask] != 90).any())
    True
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise UsageError(f"a picture to damage must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
    if kind in _WHOLE:
        return _WHOLE[kind](image, seed=seed, **options), np.ones(image.shape[:2], np.bool_)
    if kind not in _LAYERED:
        raise UsageError(f"no damage is called {kind!r}: choose one of {', '.join(DAMAGES)}")
    layers = _LAYERED[kind](image.shape[:2], seed=seed, **options)
    return compose(image, layers, as_generator(seed, f"tones of {kind}")), mask_of(layers)
