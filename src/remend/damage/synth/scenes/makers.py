"""All kinds of scenes by name, and the one that draws them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from remend.damage.synth.noise import Seed, as_generator
from remend.damage.synth.scenes import fences, signs, specks, strands, wires
from remend.damage.synth.scenes.view import Picture8, View
from remend.errors import UsageError

__all__ = ["SCENE_KINDS", "scene"]

_MAKERS: dict[str, Callable[[View], None]] = {
    "wires": wires.wires,
    "fence": fences.fence,
    "chain-link": fences.chain_link,
    "bars": fences.bars,
    "masonry": fences.masonry,
    "rain": specks.rain,
    "snow": specks.snow,
    "stars": specks.stars,
    "hair": strands.hair,
    "whiskers": strands.whiskers,
    "web": strands.web,
    "confetti": specks.confetti,
    "rigging": wires.rigging,
    "grass": strands.grass,
    "ropes": wires.ropes,
    "twigs": strands.twigs,
    "glints": specks.glints,
    "rims": wires.rims,
    "sign": signs.sign,
}

SCENE_KINDS: tuple[str, ...] = tuple(_MAKERS)
"""What ``scene`` can draw."""


def scene(photo: Picture8, *, seed: Seed, kind: str | None = None) -> Picture8:
    """Draw something thin, dotted or lettered into a photograph, so that it belongs to the scene.

    Nothing that it draws is damage. Draw it before ``damage_picture``, so that wear lies on top.

    Args:
        photo: (H, W, 3) uint8 RGB; not written to.
        seed: an int, or a generator to draw from; the same arguments give the same picture.
        kind: one of ``SCENE_KINDS``; None draws one.

    Returns:
        (H, W, 3) uint8 RGB, a new array. Pixels that nothing covers may differ by a level.

    Raises:
        UsageError: an unknown kind, or a picture that is not (H, W, 3) uint8 of at least 32 px a side.

    Cost: 5–30 ms at 320²; a sheet of 4 × 4 bytes a pixel.

    >>> scene(np.full((64, 64, 3), 140, np.uint8), seed=2, kind="wires").shape
    (64, 64, 3)
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or min(photo.shape[:2]) < 32:
        raise UsageError(f"a scene must be uint8 (H, W, 3), 32 px or more, got {photo.dtype} {photo.shape}")
    if kind is not None and kind not in _MAKERS:
        raise UsageError(f"no scene is called {kind!r}: choose one of {', '.join(_MAKERS)}")
    rng = as_generator(seed, "scene")
    chosen = kind or SCENE_KINDS[int(rng.integers(len(SCENE_KINDS)))]
    view = View(photo, rng)
    _MAKERS[chosen](view)
    return view.picture()
