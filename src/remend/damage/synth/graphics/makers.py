"""All kinds of graphics by name, and the one that draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from remend.damage.synth.graphics import charts, documents, drawings, patterns, posters, prints, screens
from remend.damage.synth.graphics.finishes import FINISHES, Finish, compressed, scanned
from remend.damage.synth.graphics.pen import Picture8, Rng, Size
from remend.damage.synth.noise import Seed, as_generator
from remend.errors import UsageError

__all__ = ["GRAPHIC_KINDS", "graphic"]

# Every maker takes the size, the generator, paths of fonts, and a photograph to draw after or to show; most
# need only some of them.
Maker = Callable[[Size, Rng, Sequence[str], Picture8 | None], Picture8]
_MAKERS: dict[str, tuple[str, Maker]] = {
    "page": ("document", documents.page),
    "table": ("document", documents.table),
    "form": ("document", documents.form),
    "receipt": ("document", documents.receipt),
    "handwriting": ("document", documents.handwriting),
    "music": ("document", documents.music),
    "screenshot": ("graphic", screens.screenshot),
    "chart": ("graphic", charts.chart),
    "drawing": ("graphic", drawings.drawing),
    "schematic": ("graphic", drawings.schematic),
    "map": ("graphic", drawings.land_map),
    "code": ("graphic", patterns.code),
    "pixel-art": ("graphic", posters.pixel_art),
    "poster": ("graphic", posters.poster),
    "checker": ("graphic", patterns.checker),
    "gradient": ("graphic", patterns.gradient),
    "sketch": ("graphic", prints.sketch),
    "halftone": ("halftone", prints.halftone),
    "engraving": ("engraving", prints.engraving),
}

GRAPHIC_KINDS: dict[str, str] = {kind: nature for kind, (nature, _) in _MAKERS.items()}
"""Every kind, and what ``remend.damage.gate`` should call it."""


def graphic(
    size: Size,
    *,
    seed: Seed,
    kind: str | None = None,
    fonts: Sequence[str] = (),
    photo: Picture8 | None = None,
    finish: Finish | None = None,
) -> Picture8:
    """Draw a document, a graphic or a print, on which nothing is damaged.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from; the same arguments give the same picture.
        kind: one of ``GRAPHIC_KINDS``; None draws one.
        fonts: paths of TrueType fonts to set in beside the ones that Pillow and OpenCV bring.
        photo: (H, W, 3) uint8 RGB that halftones, engravings, sketches and some drawings, posters and pixel
            art are made after, and that some pages show small; None makes soft shaded bodies up.
        finish: ``digital`` as drawn, ``jpeg``, ``scan`` (printed and scanned: paper, noise, blur, a slight
            turn) or ``enlarged`` (drawn smaller or larger, then resized smoothly); None draws one.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UsageError: an unknown kind or finish, or a size under 16 px.

    Cost: 1–30 ms at 320².

    >>> graphic((64, 96), seed=1, kind="map").shape
    (64, 96, 3)
    """
    rng = as_generator(seed, "graphic")
    if min(size) < 16:
        raise UsageError(f"a graphic needs at least 16 px a side, got {size[1]}×{size[0]}")
    if kind is not None and kind not in _MAKERS:
        raise UsageError(f"no graphic is called {kind!r}: choose one of {', '.join(_MAKERS)}")
    if finish is not None and finish not in FINISHES:
        raise UsageError(f"no finish is called {finish!r}: choose one of {', '.join(FINISHES)}")
    chosen = kind or list(_MAKERS)[int(rng.integers(len(_MAKERS)))]
    how: Finish = finish or FINISHES[int(rng.choice(4, p=[0.4, 0.15, 0.3, 0.15]))]
    make = _MAKERS[chosen][1]
    if how == "enlarged":
        zoom = float(rng.choice([0.5, 0.7, 1.5, 2.0, 3.0]))
        drawn = make((max(16, round(size[0] / zoom)), max(16, round(size[1] / zoom))), rng, fonts, photo)
        way = cv2.INTER_AREA if zoom < 1 else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
        picture = np.asarray(cv2.resize(drawn, (size[1], size[0]), interpolation=way), np.uint8)
    else:
        picture = make(size, rng, fonts, photo)
    if how == "scan":
        return scanned(picture, seed=rng)
    if how == "jpeg" or (how == "enlarged" and rng.random() < 0.4):
        return compressed(picture, int(rng.integers(40, 97)))
    return picture
