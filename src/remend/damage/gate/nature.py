"""What a picture is: its signs weighed by a small network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from remend.damage.gate.signs import signs_of
from remend.errors import UsageError
from remend.picture import Float

__all__ = ["CLIP", "NATURES", "PLACE", "Nature", "NatureKind", "nature_of"]

NatureKind = Literal["photograph", "document", "graphic", "halftone", "engraving"]
NATURES: tuple[NatureKind, ...] = get_args(NatureKind)

PLACE = Path(__file__).with_name("gate.json")
CLIP = 4.0  # deviations: beyond, a sign says no more


@dataclass(frozen=True, slots=True)
class Nature:
    """What a picture is.

    Attributes:
        kind: ``photograph``; ``document`` (type, handwriting, music, tables); ``graphic`` (screens, charts,
            drawings, maps, posters, codes, pixel art); ``halftone`` (a print in dots); ``engraving``.
        confidence: 0–1, of the kind being right.
        reason: one plain line, to be shown.
    """

    kind: NatureKind
    confidence: float
    reason: str

    @property
    def searchable(self) -> bool:
        """Whether damage may be looked for without being told to."""
        return self.kind == "photograph"


def nature_of(image: NDArray[np.uint8]) -> Nature:
    """Say what a picture is: a photograph, a document, a graphic, a halftone print or an engraving.

    Ask before damage is looked for without a mask. Do not ask where the user gave a mask: they know.

    Args:
        image: (H, W) grey or (H, W, 3) RGB uint8, display orientation.

    Returns:
        The kind, how sure it is, and why. A picture of fewer than 32 px a side is called a photograph with
        confidence 0.5: nothing can be told.

    Raises:
        UsageError: another array.

    Cost: 25–60 ms up to 12 MP; 20 MB beside the picture.

    >>> page = np.full((400, 400), 255, np.uint8)
    >>> page[40:360:20, 30:370] = np.where(np.arange(340) % 9 < 4, 0, 255)
    >>> nature_of(page).searchable
    False
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise UsageError(f"a picture must be uint8 (H, W) or (H, W, 3), got {image.dtype} {image.shape}")
    if min(image.shape[:2]) < 32:
        return Nature("photograph", 0.5, "too small to tell")
    chances = _judge()(signs_of(image)[None])[0]
    other = int(np.argmax(chances[1:])) + 1
    if 1 - chances[0] < _judge().least:
        return Nature("photograph", float(chances[0]), _REASONS["photograph"])
    kind = NATURES[other]
    return Nature(kind, float(1 - chances[0]), _REASONS[kind])


_REASONS: dict[NatureKind, str] = {
    "photograph": "shaded tones and soft detail, as a photograph has",
    "document": "writing or print on an even ground",
    "graphic": "even areas and drawn outlines, as in a drawing, a chart or a screen",
    "halftone": "the tones are a regular screen of dots",
    "engraving": "the tones are made of fine lines side by side",
}


@dataclass(frozen=True, slots=True)
class _Judge:
    """Networks over standardised signs, whose answers are averaged: softmax over ``NATURES``.

    Attributes:
        mean: (signs,) subtracted from them.
        deviation: (signs,) they are divided by.
        nets: layers (weight, bias) each; ReLU between.
        least: chance of not being a photograph from which the picture is left alone.
    """

    mean: Float
    deviation: Float
    nets: tuple[tuple[tuple[Float, Float], ...], ...]
    least: float

    def __call__(self, signs: Float) -> Float:
        """(n, len(NATURES)) chances for (n, len(SIGNS)) signs."""
        standard = np.clip((signs - self.mean) / self.deviation, -CLIP, CLIP)
        total = np.zeros((len(signs), len(NATURES)), np.float32)
        for layers in self.nets:
            values = standard
            for weight, bias in layers[:-1]:
                values = np.maximum(values @ weight + bias, 0)
            weight, bias = layers[-1]
            score = values @ weight + bias
            score = np.exp(score - score.max(axis=1, keepdims=True))
            total += score / score.sum(axis=1, keepdims=True)
        return np.asarray(total / len(self.nets), np.float32)


@cache
def _judge() -> _Judge:
    table = json.loads(PLACE.read_text(encoding="utf-8"))
    nets = tuple(
        tuple((np.asarray(part["weight"], np.float32), np.asarray(part["bias"], np.float32)) for part in net)
        for net in table["nets"]
    )
    mean, deviation = (np.asarray(table[name], np.float32) for name in ("mean", "deviation"))
    return _Judge(mean, deviation, nets, float(table["least"]))
