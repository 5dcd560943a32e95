"""JPEG files made anew, by Pillow: from other formats, and where blocks cannot be kept."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from remend.errors import FormatError
from remend.io.codec import Encoded
from remend.io.jpeg import markers
from remend.io.jpeg.markers import Stream
from remend.picture import Metadata, Picture

__all__ = ["new_file", "recoded"]

QUALITY = 95
SEGMENT_LIMIT = 65533


def new_file(picture: Picture, metadata: Metadata) -> Encoded:
    """A new file: quality 95, no chroma subsampling, with the metadata that a JPEG can hold.

    Raises:
        FormatError: the picture is too large for a JPEG, or its samples are floating-point.
    """
    image, notes = _as_image(picture)
    options: dict[str, Any] = {"quality": QUALITY, "subsampling": 0, "optimize": False}
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.dpi:
        options["dpi"] = tuple(round(d) for d in metadata.dpi)
    if metadata.exif:
        if len(metadata.exif) + len(markers.EXIF) <= SEGMENT_LIMIT:
            options["exif"] = markers.EXIF + metadata.exif
        else:
            notes.append("EXIF left out: a JPEG holds at most 64 KB of it")
    if metadata.xmp:
        if len(metadata.xmp) + len(markers.XMP) <= SEGMENT_LIMIT:
            options["xmp"] = metadata.xmp
        else:
            notes.append("XMP left out: a JPEG holds at most 64 KB of it in one piece")
    comment = metadata.text.get("comment")
    if comment:
        options["comment"] = comment.encode()[:SEGMENT_LIMIT]
    target = io.BytesIO()
    try:
        image.save(target, "JPEG", **options)
    except (OSError, ValueError) as error:
        raise FormatError(f"a JPEG cannot hold this picture: {error}") from error
    return Encoded(target.getvalue(), tuple(notes))


def recoded(picture: Picture, stream: Stream, data: bytes) -> bytes:
    """The whole picture encoded again, with the source's tables and sampling where it has them."""
    options: dict[str, Any] = {"quality": QUALITY, "subsampling": 0}
    tables = _tables(data)
    if tables and not stream.frame.lossless:
        options = {"qtables": tables}
        luma, *chroma = stream.frame.components
        ratio = {(1, 1): 0, (2, 1): 1, (2, 2): 2}.get((luma.h, luma.v), 0)
        options["subsampling"] = ratio if all((c.h, c.v) == (1, 1) for c in chroma) else 0
    options["progressive"] = stream.frame.progressive
    target = io.BytesIO()
    _as_image(picture)[0].save(target, "JPEG", **options)
    return target.getvalue()


def _tables(data: bytes) -> dict[int, list[int]] | None:
    """The quantisation tables of a file; None where Pillow cannot read what OpenCV could."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as source:
            return getattr(source, "quantization", None)
    except (OSError, ValueError):
        return None


def _as_image(picture: Picture) -> tuple[Image.Image, list[str]]:
    """The picture as Pillow's, in a mode that JPEG knows, and what was lost on the way."""
    samples, mode = picture.samples, picture.mode
    notes: list[str] = []
    if mode == "P":
        assert picture.palette is not None
        samples = picture.palette[samples[..., 0]]
        mode = "RGBA" if (picture.palette[:, 3] < 255).any() else "RGB"
        samples = samples if mode == "RGBA" else samples[..., :3]
    if samples.dtype == np.float32:
        raise FormatError("a JPEG cannot hold floating-point samples: choose TIFF")
    if samples.dtype == np.uint16:
        samples = ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        notes.append("16-bit samples rounded to 8 bits: a JPEG holds no more")
    if mode in {"LA", "RGBA"}:
        if (samples[..., -1] < 255).any():
            notes.append("transparency laid on white: a JPEG holds none")
            alpha = samples[..., -1:].astype(np.uint16)
            over = samples[..., :-1] * alpha + 255 * (255 - alpha)
            samples = ((over + 127) // 255).astype(np.uint8)
        else:
            samples = samples[..., :-1]
        mode = "L" if mode == "LA" else "RGB"
    size = samples.shape[1], samples.shape[0]
    return Image.frombuffer(mode, size, np.ascontiguousarray(samples), "raw", mode, 0, 1), notes
