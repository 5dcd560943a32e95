"""Patches: what was filled, and nothing else, so that a picture can be repaired in many steps without ageing.

A patch is a picture of the same size with alpha: opaque where samples were filled, zero elsewhere. Laid
over the original file, it is encoded once, however many steps it took. An encoder that ran after every
step would wear the picture out: ten saves cost an untouched JPEG some 13 dB elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from remend.errors import FormatError, MaskError
from remend.picture import Bool, Container, Mode, Picture
from remend.samples import collapse_palette, expand_palette

__all__ = ["lay_patch", "patch_of"]

MODES: dict[int, Mode] = {1: "LA", 3: "RGBA"}
COLOURS = {"L": 1, "LA": 1, "RGB": 3, "RGBA": 3}


def patch_of(picture: Picture, changed: Bool) -> Picture:
    """What was filled, cut out of a repaired picture.

    Args:
        picture: repaired; grey, colour or palette, 8 or 16 bits.
        changed: (H, W) bool, what belongs to the patch.

    Returns:
        A picture of mode LA or RGBA and the same depth: the colours of ``picture`` and full alpha where
        ``changed``, zeros elsewhere. It carries the ICC profile, so that it looks like the picture.
        The picture's own transparency is not part of it: a patch never changes that.

    Raises:
        FormatError: CMYK or floating-point samples, which no PNG can hold.

    >>> import numpy as np
    >>> grey = Picture(np.full((1, 3, 1), 90, np.uint8), "L")
    >>> patch_of(grey, np.array([[False, True, False]])).samples.tolist()
    [[[0, 0], [90, 255], [0, 0]]]
    """
    flat = expand_palette(picture)
    if flat.mode not in COLOURS or not flat.plain or flat.samples.dtype == np.float32:
        kind = (
            "CMYK" if flat.mode not in COLOURS else "floating-point" if flat.channels.plain else "many-band"
        )
        raise FormatError(f"a {kind} picture has no patch: ask for the repaired file and go on from that")
    colours = COLOURS[flat.mode]
    samples = np.zeros((*flat.size, colours + 1), flat.samples.dtype)
    samples[changed, :colours] = flat.samples[changed, :colours]
    samples[changed, colours] = np.iinfo(flat.samples.dtype).max
    container = None
    if picture.container is not None:
        # Only the profile: the patch is no photograph, it has no camera and no date.
        icc = replace(type(picture.container.metadata)(), icc=picture.container.metadata.icc)
        container = Container(format="", metadata=icc)
    return Picture(samples, MODES[colours], container=container)


def lay_patch(picture: Picture, patch: Picture) -> tuple[Picture, Bool]:
    """A patch laid over the picture that it was cut from.

    Args:
        picture: as it was read; its samples are changed in place (a palette picture is rebuilt).
        patch: what ``patch_of`` gave, maybe through a PNG file.

    Returns:
        The picture with the patch's colours where that is opaque (half its range and more), its own
        transparency as it was; and where that is, (H, W) bool.

    Raises:
        MaskError: a patch without alpha, or of another size, kind or depth.

    >>> import numpy as np
    >>> grey = Picture(np.full((1, 2, 1), 90, np.uint8), "L")
    >>> patch = Picture(np.array([[[7, 255], [0, 0]]], np.uint8), "LA")
    >>> laid, where = lay_patch(grey, patch)
    >>> laid.samples[..., 0].tolist(), where.tolist()
    ([[7, 90]], [[True, False]])
    """
    if patch.palette is not None:
        patch = expand_palette(patch)
    if patch.alpha_channel is None:
        raise MaskError(
            f"a patch needs transparency, and this one is {patch.mode}: send it as it was received"
        )
    if patch.size != picture.size:
        raise MaskError(
            f"the patch is {patch.width}×{patch.height} and the picture {picture.width}×{picture.height}: "
            "send the patch that was made for this picture"
        )
    flat = expand_palette(picture)
    colours = COLOURS.get(flat.mode) if flat.plain else None
    if colours is None or patch.alpha_channel != colours or patch.samples.dtype != flat.samples.dtype:
        raise MaskError(
            f"the patch is {patch.mode} of {patch.samples.dtype} and the picture {flat.mode} of "
            f"{flat.samples.dtype}: send the patch that was made for this picture"
        )
    where: Bool = patch.samples[..., colours] > np.iinfo(patch.samples.dtype).max // 2
    flat.samples[where, :colours] = patch.samples[where, :colours]
    return (flat if picture.palette is None else collapse_palette(picture, flat, where)), where
