"""Whether a picture is a 360° panorama: as somebody says, or as its own metadata do.

Reference: Google, "Photo Sphere XMP Metadata", namespace GPano, 2012.
"""

from __future__ import annotations

import re
from typing import Literal, cast

from remend.errors import UsageError
from remend.picture import Picture, Projection

__all__ = ["projection_of"]

ROUNDED_PX = 2  # what scaling may leave of twice as wide as high


def projection_of(picture: Picture, asked: Literal["auto", "flat", "equirect"] | str = "auto") -> Projection:
    """How a picture shows the world.

    Args:
        picture: whose shape and XMP are looked at.
        asked: ``flat`` or ``equirect`` as the user says; ``auto`` = a panorama where its XMP says that it is
            one and it shows the whole sphere.

    Raises:
        UsageError: ``equirect`` of a picture that is not twice as wide as high.
    """
    whole = abs(picture.width - 2 * picture.height) <= ROUNDED_PX
    if asked == "equirect" and not whole:
        raise UsageError(
            f"a 360° panorama is twice as wide as high, and this one is {picture.width}×{picture.height}: "
            "leave --projection out"
        )
    if asked != "auto":
        return cast(Projection, asked)
    xmp = picture.container.metadata.xmp if picture.container is not None else None
    return "equirect" if whole and xmp and _says_sphere(xmp) else "flat"


def _says_sphere(xmp: bytes) -> bool:
    """Whether GPano says equirectangular, and nothing is cropped of it."""
    if (_value(xmp, "ProjectionType") or b"").lower() != b"equirectangular":
        return False
    for side in ("Width", "Height"):
        shown, full = _value(xmp, f"CroppedAreaImage{side}Pixels"), _value(xmp, f"FullPano{side}Pixels")
        if shown is not None and full is not None and shown != full:
            return False
    return True


def _value(xmp: bytes, name: str) -> bytes | None:
    """A property of GPano, written as an attribute or as an element."""
    tag = name.encode()
    found = re.search(rb"""GPano:%b\s*(?:=\s*["']|>)\s*([^"'<]*?)\s*["'<]""" % tag, xmp)
    return found[1] if found else None
