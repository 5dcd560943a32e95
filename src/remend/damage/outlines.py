"""Masks drawn as outlines: COCO's JSON, with polygons or run lengths, as annotation tools save it.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the coding of run lengths is that of
its published tools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError
from remend.picture import Bool, Box

__all__ = ["looks_like_json", "mask_of_outlines", "outlines_of", "polygons_in"]

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
            annotation. An annotation has a ``segmentation``: polygons (x, y, x, y, …), or run lengths; or
            a ``bbox`` alone: x, y, width, height.
        size: (height, width) of the picture.
        name: of the picture's file; of several ``images`` the one with this ``file_name`` is meant.

    Returns:
        (H, W) bool, True = inside an outline. Of the size that the file gives for the picture where it gives
        one: it may differ from ``size``. And what there is to say: the only one of ``images`` is taken
        whatever its name.

    Raises:
        MaskError: no JSON of that kind, or nothing about this picture.
    """
    found, size, notes = outlines_of(content, size, name)
    if size[0] * size[1] > MOST_PIXELS:
        raise MaskError(f"the mask's JSON gives the picture {size[1]}×{size[0]} pixels: correct its size")
    mask = np.zeros(size, np.uint8)
    with _as_coco():
        for annotation in found:
            _draw(_segmentation(annotation), mask)
    return mask.view(np.bool_), notes


def outlines_of(
    content: bytes, size: tuple[int, int], name: str | None
) -> tuple[list[dict[str, Any]], tuple[int, int], tuple[str, ...]]:
    """The annotations of one picture in a COCO file, the size that they were drawn at, and notes.

    Args:
        content, size, name: as for ``mask_of_outlines``.

    Raises:
        MaskError: no JSON of that kind, or nothing about this picture.
    """
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MaskError(
            f"the mask is no JSON that can be read ({error}): give COCO's, or a picture"
        ) from None
    with _as_coco():
        return _of_picture(facts, size, name)


def polygons_in(annotations: list[dict[str, Any]], size: tuple[int, int]) -> Iterator[tuple[Box, Bool]]:
    """Each polygon by itself: the box that it lies in, and where in that it is.

    Args:
        annotations: of `outlines_of`.
        size: (height, width) of the picture.

    Raises:
        MaskError: no polygons.
    """
    for annotation in annotations:
        with _as_coco():
            outline = _segmentation(annotation)
            if isinstance(outline, dict):
                raise MaskError(
                    "the mask's JSON has run lengths, which are of whole pictures, and this one is huge: "
                    "give polygons, or a mask as TIFF or PNG"
                )
            for points in _polygons(outline):
                left, top = np.floor(points.min(axis=0)).astype(int) - 1
                right, bottom = np.ceil(points.max(axis=0)).astype(int) + 1
                box = Box(
                    max(0, int(top)), max(0, int(left)), min(size[0], int(bottom)), min(size[1], int(right))
                )
                if box.height <= 0 or box.width <= 0:
                    continue
                part = np.zeros((box.height, box.width), np.uint8)
                _draw([(points - (box.left, box.top)).ravel().tolist()], part)
                yield box, part.view(np.bool_)


@contextmanager
def _as_coco() -> Iterator[None]:
    """What reading annotations may raise, as one line."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError, cv2.error) as error:
        raise MaskError(
            f"the mask is JSON, but not as COCO's annotations are ({type(error).__name__}: {error}): "
            "give images and annotations with a segmentation each"
        ) from error


def _segmentation(annotation: dict[str, Any]) -> Any:
    """Its outline; of one that has a box alone, that."""
    if "segmentation" in annotation or "bbox" not in annotation:
        return annotation["segmentation"]
    left, top, width, height = (float(side) for side in annotation["bbox"])
    if not (width >= 1 and height >= 1):
        raise ValueError("a box is a pixel wide and high at least")
    # Through the middles of the pixels along its border: a line that is drawn marks what it touches.
    left, top, right, bottom = left + 0.5, top + 0.5, left + width - 0.5, top + height - 0.5
    return [[left, top, right, top, right, bottom, left, bottom]]


def _of_picture(
    facts: Any, size: tuple[int, int], name: str | None
) -> tuple[list[dict[str, Any]], tuple[int, int], tuple[str, ...]]:
    """The annotations of one picture, the size that they were drawn at, and what there is to say."""
    if isinstance(facts, dict) and "annotations" not in facts and {"segmentation", "bbox"} & facts.keys():
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
        fault = "does not name" if not fitting else "names several times"
        raise MaskError(
            f"the mask's JSON {fault} the picture {base}: give one whose images have its file_name"
        )
    image = fitting[0]
    drawn = (int(image.get("height") or size[0]), int(image.get("width") or size[1]))
    if min(drawn) < 1:
        raise MaskError(f"the mask's JSON gives the picture {drawn[1]}×{drawn[0]} pixels: correct its size")
    return [one for one in annotations if one["image_id"] == image["id"]], drawn, notes


def _draw(outline: Any, mask: NDArray[np.uint8]) -> None:
    """Polygons or run lengths, set in the mask."""
    if isinstance(outline, dict):
        mask |= _runs(outline, mask.shape)
        return
    for points in _polygons(outline):
        # COCO counts from the corner of the first pixel, OpenCV from its middle.
        fixed = np.clip(np.rint((points - 0.5) * (1 << SHIFT)), -(1 << 30), 1 << 30).astype(np.int32)
        cv2.fillPoly(mask, [fixed[:, None]], 1, lineType=cv2.LINE_8, shift=SHIFT)


def _polygons(outline: Any) -> Iterator[NDArray[np.float64]]:
    """(n, 2) x and y of each polygon."""
    if outline and not isinstance(outline[0], list):
        outline = [outline]
    for polygon in outline:
        points = np.asarray(polygon, np.float64).reshape(-1, 2)
        if len(points) < 3 or not np.isfinite(points).all():
            raise ValueError("a polygon has three points or more")
        yield points


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
