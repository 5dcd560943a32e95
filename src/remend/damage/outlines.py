"""Masks drawn as outlines: COCO's JSON, with polygons or run lengths, as annotation tools save it.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the coding of run lengths is that of
its published tools.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.picture import Bool

__all__ = ["looks_like_json", "mask_of_outlines"]

MOST_PIXELS = 1 << 28
SHIFT = 4  # polygons are drawn in sixteenths of a pixel


def looks_like_json(head: bytes) -> bool:
    """Whether a file that begins so is JSON rather than a picture.

    >>> looks_like_json(b' {"images": []}'), looks_like_json(b"GIF89a")
    (True, False)
    """
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def mask_of_outlines(content: bytes, size: tuple[int, int], name: str | None) -> tuple[Bool, tuple[str, ...]]:
    """Everything that a COCO file outlines in one picture.

    Args:
        content: JSON: an object with ``images`` and ``annotations``; a list of annotations; or one
            annotation. An annotation has a ``segmentation``: polygons (x, y, x, y, …), or run lengths.
        size: (height, width) of the picture.
        name: of the picture's file; of several ``images`` the one with this ``file_name`` is meant.

    Returns:
        (H, W) bool, True = inside an outline. Of the size that the file gives for the picture where it gives
        one: it may differ from ``size``. And what there is to say: the only one of ``images`` is taken
        whatever its name.

    Raises:
        MaskError: no JSON of that kind, or nothing about this picture.
    """
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MaskError(
            f"the mask is no JSON that can be read ({error}): give COCO's, or a picture"
        ) from None
    try:
        found, size, notes = _of_picture(facts, size, name)
        mask = np.zeros(size, np.uint8)
        for annotation in found:
            _draw(annotation["segmentation"], mask)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError, cv2.error) as error:
        raise MaskError(
            f"the mask is JSON, but not as COCO's annotations are ({type(error).__name__}: {error}): "
            "give images and annotations with a segmentation each"
        ) from error
    return mask.view(np.bool_), notes


def _of_picture(
    facts: Any, size: tuple[int, int], name: str | None
) -> tuple[list[dict[str, Any]], tuple[int, int], tuple[str, ...]]:
    """The annotations of one picture, the size that they were drawn at, and what there is to say."""
    if isinstance(facts, dict) and "annotations" not in facts and "segmentation" in facts:
        facts = [facts]
    if isinstance(facts, list):
        return facts, size, ()
    annotations, images = facts["annotations"], facts.get("images") or []
    if not images:
        return annotations, size, ()
    notes: tuple[str, ...] = ()
    base = PurePath(name).name if name else None
    fitting = [image for image in images if base and PurePath(str(image["file_name"])).name == base]
    if not fitting and base:
        stem = PurePath(base).stem
        fitting = [image for image in images if PurePath(str(image["file_name"])).stem == stem]
    if not fitting and len(images) == 1:
        fitting = images
        if base:
            other = ascii(PurePath(str(images[0]["file_name"])).name)[:60]
            notes = (f"the mask's JSON is about {other} alone: taken for this picture",)
    if len(fitting) != 1:
        said = "does not name" if not fitting else "names several times"
        raise MaskError(
            f"the mask's JSON {said} the picture {base}: give one whose images have its file_name"
        )
    image = fitting[0]
    drawn = (int(image.get("height") or size[0]), int(image.get("width") or size[1]))
    if min(drawn) < 1 or drawn[0] * drawn[1] > MOST_PIXELS:
        raise MaskError(f"the mask's JSON gives the picture {drawn[1]}×{drawn[0]} pixels: correct its size")
    return [one for one in annotations if one["image_id"] == image["id"]], drawn, notes


def _draw(outline: Any, mask: NDArray[np.uint8]) -> None:
    """Polygons or run lengths, set in the mask."""
    if isinstance(outline, dict):
        mask |= _runs(outline, mask.shape)
        return
    if outline and not isinstance(outline[0], list):
        outline = [outline]
    for polygon in outline:
        points = np.asarray(polygon, np.float64).reshape(-1, 2)
        if len(points) < 3 or not np.isfinite(points).all():
            raise ValueError("a polygon has three points or more")
        # COCO counts from the corner of the first pixel, OpenCV from its middle.
        fixed = np.clip(np.rint((points - 0.5) * (1 << SHIFT)), -(1 << 30), 1 << 30).astype(np.int32)
        cv2.fillPoly(mask, [fixed[:, None]], 1, lineType=cv2.LINE_8, shift=SHIFT)


def _runs(outline: dict[str, Any], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Run lengths, column by column, the unmarked first; as a list of numbers or as COCO's text of them."""
    height, width = (int(side) for side in outline["size"])
    if (height, width) != size:
        raise ValueError(f"run lengths of {width}×{height}, expected {size[1]}×{size[0]}")
    counts = outline["counts"]
    lengths = _numbers(counts) if isinstance(counts, str) else [int(count) for count in counts]
    if min(lengths, default=0) < 0 or sum(lengths) != height * width:
        raise ValueError("run lengths do not add up to the picture")
    marked = np.repeat(np.arange(len(lengths), dtype=np.uint8) & 1, lengths)
    return np.ascontiguousarray(marked.reshape(width, height).T)


def _numbers(text: str) -> list[int]:
    """COCO's text: five bits a letter, the lowest first; from the third on, differences to two before."""
    numbers: list[int] = []
    at = 0
    while at < len(text):
        value, bits, more = 0, 0, True
        while more:
            letter = ord(text[at]) - 48
            at += 1
            value |= (letter & 31) << bits
            bits += 5
            more = bool(letter & 32)
        if letter & 16:
            value -= 1 << bits
        numbers.append(value + numbers[-2] if len(numbers) > 2 else value)
    return numbers
