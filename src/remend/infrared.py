"""Where the infrared of a picture is: a channel of its own, a page behind it, or a file beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.budget import Budget
from remend.damage.infrared import InfraredError, find_by_infrared
from remend.errors import MaskError, RemendError
from remend.io import read_picture
from remend.io.pages import open_document
from remend.picture import Bool, Picture

__all__ = ["AUTO", "BESIDE", "NO", "Infrared", "find_dust", "infrared_of"]

AUTO, NO = "auto", "no"
BESIDE = ("_IR", "_ir", "-IR", "-ir")  # what scanning programs put behind the picture's name
ENDINGS = (".tif", ".tiff", ".png", ".jpg")
MOST_PAGES = 4  # a file of more is a document
WHOLE = (np.uint8, np.uint16)


@dataclass(frozen=True, slots=True)
class Infrared:
    """A plane of infrared and where it was found.

    Attributes:
        samples: (H, W) uint8 or uint16, in display orientation.
        where: in words.
        same_scan: it is a channel of the picture itself.
    """

    samples: NDArray[Any]
    where: str
    same_scan: bool = False


def find_dust(picture: Picture, wanted: str, *, sensitivity: float) -> tuple[Bool | None, str | None]:
    """What infrared shows on a picture's film, and a line for the user.

    Args:
        picture: whose dust it is.
        wanted: ``auto`` = by what the file holds or has beside it; ``no``; or a file.
        sensitivity: 0 to 1.

    Returns:
        (H, W) bool, or None where there is no infrared, or, unless a file was named, none that tells.

    Raises:
        MaskError: the named file does not fit or cannot tell, and why.
    """
    found = infrared_of(picture, wanted)
    if found is None:
        return None, None
    try:
        marks = find_by_infrared(
            picture.samples[..., : picture.channels.colours],
            found.samples,
            sensitivity=sensitivity,
            same_scan=found.same_scan,
        )
    except InfraredError as refusal:
        if wanted != AUTO:
            raise MaskError(
                f"{found.where} cannot tell dust: {refusal}: repair with --infrared no"
            ) from refusal
        return None, f"{found.where} is not used: {refusal}"
    return marks, f"dust by {found.where}; nothing else is looked for"


def infrared_of(picture: Picture, wanted: str = AUTO) -> Infrared | None:
    """The infrared plane of a picture; None where it has none.

    Args:
        picture: grey or in RGB, 8 or 16 bits; others have none.
        wanted: as for `find_dust`.

    Raises:
        MaskError: a named file of another size or kind, or a picture that can have none.
        PictureError: a named file that cannot be read.
    """
    fit = picture.mode in ("L", "RGB", "RGBA", "LA") and picture.samples.dtype in WHOLE
    if wanted == NO:
        return None
    if wanted != AUTO:
        if not fit:
            raise MaskError("infrared is for grey and RGB pictures of 8 or 16 bits: convert it first")
        return _of_file(picture, Path(wanted))
    if not fit:
        return None
    return _of_band(picture) or _beside(picture) or _behind(picture)


def _of_band(picture: Picture) -> Infrared | None:
    """The one channel beside the colours of RGB."""
    bands = picture.channels.bands
    if picture.mode != "RGB" or len(bands) != 1:
        return None
    return Infrared(picture.samples[..., bands[0]], f"the infrared in channel {bands[0] + 1}", True)


def _of_file(picture: Picture, path: Path) -> Infrared:
    limits = Budget().for_mask(picture.width * picture.height)
    plane = read_picture(path, budget=limits)
    if plane.size != picture.size:
        raise MaskError(
            f"{path.name} is {plane.width}×{plane.height} and the picture {picture.width}×{picture.height}: "
            "give infrared of the picture's size"
        )
    if plane.samples.dtype not in WHOLE or plane.palette is not None:
        raise MaskError(f"{path.name} is no grey picture of 8 or 16 bits: convert it first")
    return Infrared(plane.samples[..., 0], f"the infrared in {path.name}")


def _beside(picture: Picture) -> Infrared | None:
    """``scan_IR.tif`` beside ``scan.tif``, if it fits."""
    path = picture.container.path if picture.container is not None else None
    if path is None:
        return None
    for word in BESIDE:
        for ending in dict.fromkeys((path.suffix, *ENDINGS)):
            other = path.with_name(f"{path.stem}{word}{ending}")
            if other.is_file():
                try:
                    return _of_file(picture, other)
                except RemendError:
                    return None
    return None


def _behind(picture: Picture) -> Infrared | None:
    """The one grey page of the same size in a TIFF, as SilverFast's HDRi has it."""
    container = picture.container
    if container is None or container.format != "tiff" or picture.mode != "RGB":
        return None
    if not 1 < container.details.get("pages", 1) <= MOST_PAGES:
        return None
    try:
        document = open_document(container.data if container.data is not None else str(container.path))
        found = [
            (number, page)
            for number, page in enumerate(document.pages)
            if page.mode == "L" and page.size == picture.size and page.samples.dtype in WHOLE
        ]
    except RemendError:
        return None
    if len(found) != 1:
        return None
    number, page = found[0]
    return Infrared(page.samples[..., 0], f"the infrared on page {number + 1}")
