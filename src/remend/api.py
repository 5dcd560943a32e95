"""The verbs in Python: whatever the user has comes in, and the same kind goes back."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from remend.adapt import as_picture, to_pil
from remend.budget import DEFAULT_MAX_MEMORY, DEFAULT_MAX_PIXELS, Bounds, Budget
from remend.damage.given import Polarity
from remend.errors import UsageError
from remend.faults import own_errors
from remend.fill.filler import Filler
from remend.finding import MaskOptions, analyse_picture, find_mask, read_guide
from remend.job import default_target, repair_file
from remend.picture import Region
from remend.pipeline import Settings, restore

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["detect", "repair"]

Repairable = TypeVar("Repairable", str, Path, "NDArray[Any]", "Image")


@own_errors()
def repair(
    image: Repairable,
    mask: object | None = None,
    *,
    guide: object | None = None,
    method: str | Filler = "auto",
    quality: str = "balanced",
    seed: int = 0,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    mask_polarity: Polarity = "white",
    dilate_px: int | None = None,
    resize_mask: bool = False,
    yes: bool = False,
    sensitivity: float = 0.5,
    find: str | Sequence[str] = (),
    skip: str | Sequence[str] = (),
    force: bool = False,
    tolerate: bool = False,
    grain: float = 1.0,
    denoise: float = 0.0,
    sharpen: float = 0.0,
    whole_picture: bool = False,
    repair_alpha: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: int = DEFAULT_MAX_MEMORY,
    time_limit_s: float | None = None,
) -> Repairable:
    """Repair a damaged picture; every sample outside the mask stays as it was.

    Args:
        image: a path; or a PIL image; or an array (H, W) or (H, W, 1 to 4) of uint8, uint16 or
            float32, grey, grey + alpha, RGB or RGBA. Never changed.
        mask: a path, bytes, a PIL image or an array of the picture's size: bool with True = repair,
            or a picture as ``mask_polarity`` reads it; or COCO's JSON. None = find the damage.
        guide: lines that the fill is to follow, for models that take some: a path, bytes, a PIL image or an
            array of the picture's size; white (half of the range and more) or True = line. Read where the
            mask marks.
        method: ``auto``, a name that ``remend methods`` lists, the path of an ``.onnx`` file, or a filler of
            your own (`remend.Filler`).
        quality: ``fast``, ``balanced`` or ``best``.
        seed: same seed, same machine, same pixels.
        output: for a path: where to write; None = ``photo.repaired.jpg`` beside ``photo.jpg``.
        overwrite: replace an existing output.
        mask_polarity: what marks the hole: ``white``, ``black``, ``alpha`` (transparent) or ``opaque``.
        dilate_px: grow the hole; None = 2 for found damage, 0 for a given mask.
        resize_mask: accept a mask, or a guide, of another size.
        yes: a mask picture that marks more than four fifths is meant, and not the wrong way round.
        sensitivity: of finding damage, 0 to 1.
        find: the kinds of damage to look for, as ``detect`` takes them.
        skip: kinds to leave alone.
        force: search what is no photograph, too.
        tolerate: open a truncated JPEG or PNG as far as it goes; what is missing is repaired, too.
        grain: of smooth fills, 0 = none, 1 = as around.
        denoise: 0 to 1, on what was filled.
        sharpen: 0 to 3, on what was filled.
        whole_picture: denoise and sharpen everything.
        repair_alpha: fill the alpha channel too.
        max_pixels: refuse larger pictures.
        max_memory: refuse what needs more bytes for its samples.
        time_limit_s: give up after so long; looked at between steps.

    Returns:
        The same kind: the path of the written file, a new PIL image of the same mode, or a new
        array of the same shape and type.

    Raises:
        RemendError: one of its kinds; ``UsageError`` for arguments that cannot be meant.

    Cost: about 10 ns a pixel of the frame, plus the fillers' own.

    >>> import numpy as np
    >>> image = np.full((32, 32, 3), 90, np.uint8)
    >>> hole = np.zeros((32, 32), bool)
    >>> hole[10:14, 5:20] = True
    >>> bool((repair(image, hole) == image).all())
    True
    """
    settings = Settings(
        method=method,
        quality=quality,
        seed=seed,
        grain=grain,
        denoise=denoise,
        sharpen=sharpen,
        whole_picture=whole_picture,
        repair_alpha=repair_alpha,
    )
    options = MaskOptions(
        mask_polarity=mask_polarity,
        dilate_px=dilate_px,
        resize_mask=resize_mask,
        yes=yes,
        sensitivity=sensitivity,
        find=_words(find),
        skip=_words(skip),
        force=force,
        tolerate=tolerate,
    )
    bounds = Bounds(max_pixels=max_pixels, max_memory=max_memory, time_limit_s=time_limit_s)
    if isinstance(image, (str, Path)):
        target = default_target(Path(image)) if output is None else Path(output)
        report = repair_file(
            image,
            target,
            mask=mask,
            guide=guide,
            settings=settings,
            options=options,
            overwrite=overwrite,
            bounds=bounds,
        )
        assert report.target is not None
        kind: Any = type(image)
        return cast("Repairable", kind(report.target))
    if output is not None:
        raise UsageError("output is for paths: a PIL image or an array is returned")
    budget = Budget(bounds)
    picture = as_picture(image, budget=budget)
    lines = read_guide(picture, guide, options=options, budget=budget)
    finding = find_mask(picture, mask, options=options, budget=budget)
    budget.check_time("the picture")
    repaired = restore(
        picture,
        finding.mask,
        settings,
        guide=lines,
        observer=lambda *step: budget.check_time("the picture"),
    ).picture
    return (
        repaired.samples.reshape(image.shape)
        if isinstance(image, np.ndarray)
        else to_pil(repaired, like=image)
    )


@own_errors()
def detect(
    image: object,
    *,
    sensitivity: float = 0.5,
    find: str | Sequence[str] = (),
    skip: str | Sequence[str] = (),
    force: bool = False,
    tolerate: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: int = DEFAULT_MAX_MEMORY,
    time_limit_s: float | None = None,
) -> list[Region]:
    """Find the damage of a picture: scratches, cracks, dust, stains, holes; lettering only when asked.

    Args:
        image: a path, bytes, a binary file, a PIL image or an array, as for ``repair``.
        sensitivity: 0 (only what is sure) to 1 (all that might be damage): regions of at least the
            confidence 1 - sensitivity are returned.
        find: exactly the kinds to look for: ``scratch``, ``crack``, ``dust``, ``stain``, ``hole``, ``text``
            (dates, captions, subtitles burnt in), ``watermark``, or the groups ``damage`` (the default:
            all but text and watermark) and ``all``; several as a list, or with commas between.
        skip: kinds to leave out of them.
        force: search what is no photograph, too; otherwise nothing is found there.
        tolerate: open a truncated JPEG or PNG as far as it goes; what is missing is no region.
        max_pixels: refuse larger pictures.
        max_memory: refuse what needs more bytes for its samples.
        time_limit_s: give up after so long; looked at between steps.

    Returns:
        Regions with mask, kind and confidence; not dilated.

    Raises:
        RemendError: one of its kinds.

    >>> import numpy as np
    >>> detect(np.full((64, 64, 3), 128, np.uint8))
    []
    """
    options = MaskOptions(sensitivity=sensitivity, find=_words(find), skip=_words(skip), force=force)
    bounds = Bounds(max_pixels=max_pixels, max_memory=max_memory, time_limit_s=time_limit_s)
    picture = as_picture(image, budget=Budget(bounds), tolerate=tolerate)
    return list(analyse_picture(picture, options).regions)


def _words(given: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,) if given.strip() else ()
    return tuple(given)
