"""ONNX files of others, told by the names, types and shapes of what they take, and run by our contract.

Two kinds circulate. LaMa, exported by several people: ``image`` and ``mask`` in float32, RGB in [0, 1] and
1 = fill, mostly of one fixed size, and an answer from 0 to 255 or to 1. MI-GAN's pipeline: ``image`` and
``mask`` in uint8, where white is what is *kept*, any size, and an answer in uint8. Neither need return known
pixels unchanged, so what is known is put back here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.fill.model_card import Card
from remend.picture import Bool, Float

__all__ = ["Adapter", "adapter_of"]

_USUAL_PX, _LEAST_PX = 512, 256
_FLOAT, _BYTES = "tensor(float)", "tensor(uint8)"
_ABOVE_ONE = 2.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """How a file of others is asked, and what its answer means.

    Attributes:
        summary: what it was taken for.
        output: the name of its answer.
        whole: pictures and masks are whole numbers up to 255, and the mask's white is kept.
        side_px: windows are of this side, no other; None = any.
        largest: what white is in its answer, 1 or 255.
    """

    summary: str
    output: str
    whole: bool = False
    side_px: int | None = None
    largest: float = 1.0

    def card(self, card: Card) -> Card:
        """The card, with the window that the file is made for where it says nothing of it."""
        side = self.side_px or _USUAL_PX
        return replace(card, size_multiple=self.side_px or 8, window_px=side)

    def feed(self, feed: Mapping[str, Float]) -> dict[str, NDArray[Any]]:
        """``image`` and ``hole`` of our contract, as this file takes them."""
        image, hole = feed["image"], feed["hole"]
        if self.whole:
            return {
                "image": np.rint(image * 255).clip(0, 255).astype(np.uint8),
                "mask": np.where(hole > 0.5, 0, 255).astype(np.uint8),
            }
        return {"image": image, "mask": hole}

    def measured(self, answer: NDArray[Any]) -> Adapter:
        """The same, with the range that an answer to a grey picture shows."""
        above = answer.dtype == np.uint8 or float(np.nanmax(answer)) > _ABOVE_ONE
        return replace(self, largest=255.0 if above else 1.0)

    def pixels(self, answer: NDArray[Any], window: Float, known: Bool) -> Float:
        """(h, w, 3) float32: the answer in [0, 1] where something was to fill, the window elsewhere."""
        height, width = known.shape
        filled = answer[0].transpose(1, 2, 0)[:height, :width].astype(np.float32) / np.float32(self.largest)
        return np.where(known[..., None], window, filled)


def adapter_of(inputs: Mapping[str, tuple[Sequence[Any], str]], outputs: Sequence[str]) -> Adapter | None:
    """What suits a file of others; None = nothing that is known.

    Args:
        inputs: shape and type by name, as ONNX Runtime has them.
        outputs: their names.
    """
    if inputs.keys() != {"image", "mask"} or len(outputs) != 1:
        return None
    (image, image_type), (mask, mask_type) = inputs["image"], inputs["mask"]
    if len(image) != 4 or len(mask) != 4 or image[1] not in (3, None) or mask[1] not in (1, None):
        return None
    if image_type == mask_type == _BYTES:
        return Adapter("MI-GAN's pipeline: whole numbers, white is kept", outputs[0], whole=True)
    sides = {side for side in (*image[2:], *mask[2:]) if isinstance(side, int)}
    if image_type != _FLOAT or mask_type != _FLOAT or len(sides) > 1:
        return None
    side = sides.pop() if sides else None
    if side is not None and not _LEAST_PX <= side <= _USUAL_PX:
        return None
    size = "any size" if side is None else f"{side}² alone"
    return Adapter(f"LaMa as others export it: {size}, 1 is filled", outputs[0], side_px=side)
