"""The verbs in Python: whatever the user has comes in, and the same kind goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from inspect import Parameter, Signature, signature
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from remend.adapt import as_picture, to_pil
from remend.budget import Budget
from remend.cropping import crop_file, cropped_name, find_cuts
from remend.errors import UsageError
from remend.faults import own_errors
from remend.finding import analyse_picture, find_mask, read_guide, to_blank
from remend.io.registry import formats_named
from remend.options import (
    SEARCHING,
    Bounds,
    DetectKeywords,
    MaskOptions,
    Option,
    RepairKeywords,
    Settings,
    options_of,
)
from remend.options.option import lines_of
from remend.options.restoration import RestoreKeywords, RestoreOptions
from remend.picture import Region
from remend.pipeline import may_be_whole, repair_picture
from remend.references import read_references, settings_for_references
from remend.repairing import default_target, repair_file
from remend.restoring import restore_file, restore_picture, restored_name

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["crop", "detect", "repair", "restore"]

Repairable = TypeVar("Repairable", str, Path, "NDArray[Any]", "Image")
Verb = TypeVar("Verb", bound=Callable[..., Any])

REPAIR = options_of(Settings) | options_of(MaskOptions) | options_of(Bounds)
RESTORE = options_of(RestoreOptions) | options_of(Bounds)
DETECT = SEARCHING | options_of(Bounds)


def _with_keywords(table: Mapping[str, Option]) -> Callable[[Verb], Verb]:
    """Tell in signature and docstring what ``**keywords`` may be."""

    def dress(verb: Verb) -> Verb:
        given = [each for each in signature(verb).parameters.values() if each.kind != Parameter.VAR_KEYWORD]
        more = [Parameter(name, Parameter.KEYWORD_ONLY, default=one.default) for name, one in table.items()]
        verb.__signature__ = Signature([*given, *more])  # type: ignore[attr-defined]
        told = "\n        ".join(lines_of(table))
        verb.__doc__ = (verb.__doc__ or "").replace("**keywords: ", f"{told}\n        **keywords: ")
        return verb

    return dress


def _filled(keywords: Mapping[str, Any], table: Mapping[str, Option], *bases: Any) -> list[Any]:
    """The options with what the keywords say otherwise.

    Raises:
        UsageError: a keyword that is none of the table, or whose value cannot be meant.
    """
    for name in keywords.keys() - table.keys():
        close = get_close_matches(name, table, 1)
        raise UsageError(f"there is no keyword {name!r}: {f'{close[0]}?' if close else 'see help()'}")
    if "accept" in keywords:
        keywords = {**keywords, "accept": formats_named(Bounds(accept=keywords["accept"]).accept)}
    return [
        replace(base, **{name: keywords[name] for name in options_of(type(base)) if name in keywords})
        for base in bases
    ]


@own_errors()
@_with_keywords(REPAIR)
def repair(
    image: Repairable,
    mask: object | None = None,
    *,
    guide: object | None = None,
    reference: object | Sequence[object] = (),
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    settings: Settings | None = None,
    options: MaskOptions | None = None,
    bounds: Bounds | None = None,
    **keywords: Unpack[RepairKeywords],
) -> Repairable:
    """Repair a damaged picture; every sample outside the mask stays as it was.

    Args:
        image: a path; or a PIL image; or an array (H, W) or (H, W, C) of integers of 8, 16 or 32 bits,
            float32 or float64: grey, grey + alpha, RGB or RGBA; from five channels on they are bands.
            Never changed.
        mask: a path, bytes, a PIL image or an array of the picture's size: bool with True = repair,
            or a picture as ``mask_polarity`` reads it; or COCO's JSON. None = find the damage.
        guide: lines that the fill is to follow, for models that take some: a path, bytes, a PIL image or an
            array of the picture's size; white (half of the range and more) or True = line. Read where the
            mask marks.
        reference: other dates of the same scene to fill from, each as ``image``; one, or a list of some.
            Then ``auto`` is ``dates``.
        output: for a path: where to write; None = ``photo.repaired.jpg`` beside ``photo.jpg``.
        overwrite: replace an existing output.
        settings, options, bounds: all options at once, for several calls. A keyword wins over them.
        **keywords: those above from ``method`` on, the fields of `Settings`, `MaskOptions` and `Bounds`.

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
    settings, options, bounds = _filled(
        keywords, REPAIR, settings or Settings(), options or MaskOptions(), bounds or Bounds()
    )
    references = tuple(reference) if isinstance(reference, (list, tuple)) else (reference,)
    if isinstance(image, (str, Path)):
        target = default_target(Path(image)) if output is None else Path(output)
        report = repair_file(
            image,
            target,
            mask=mask,
            guide=guide,
            references=references,
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
    if options.pages:
        raise UsageError("pages is for files: give a path, or one picture at a time")
    budget = Budget(bounds)
    picture = as_picture(image, budget=budget)
    if settings.deidentify and mask is None:
        options = to_blank(options)
    lines = read_guide(picture, guide, options=options, budget=budget)
    finding = find_mask(
        picture,
        mask,
        options=options,
        budget=budget,
        guided=guide is not None,
        whole=may_be_whole(settings.method),
        boxes=settings.deidentify,
    )
    budget.check_time("the picture")
    dates, _ = read_references(picture, finding.mask, references, budget=budget)
    repaired = repair_picture(
        picture,
        finding.mask,
        settings_for_references(settings) if dates else settings,
        guide=lines,
        beside=dates,
        observer=lambda *step: budget.check_time("the picture"),
    ).picture
    return (
        repaired.samples.reshape(image.shape)
        if isinstance(image, np.ndarray)
        else to_pil(repaired, like=image)
    )


@own_errors()
@_with_keywords(RESTORE)
def restore(
    image: Repairable,
    *,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    options: RestoreOptions | None = None,
    bounds: Bounds | None = None,
    **keywords: Unpack[RestoreKeywords],
) -> Repairable:
    """Restore a picture: noise, grain and JPEG blocks off, damage repaired, faded tones brought back.

    Each of these where measuring says that it helps; a picture that nothing helps stays as it is, bit for
    bit. Choose ``repair`` where nothing but damage may change.

    Args:
        image: a path; or a PIL image; or an array, as for ``repair``. Never changed.
        output: for a path: where to write; None = ``photo.restored.jpg`` beside ``photo.jpg``.
        overwrite: replace an existing output.
        options, bounds: all options at once, for several calls. A keyword wins over them.
        **keywords: those above from ``only`` on, the fields of `RestoreOptions` and `Bounds`.

    Returns:
        The same kind: the path of the written file, a new PIL image of the same mode, or a new array of the
        same shape and type.

    Raises:
        RemendError: one of its kinds; ``UsageError`` for arguments that cannot be meant.

    Cost: half a second to measure; where there is noise, 150 thousand multiplications a pixel.

    >>> import numpy as np
    >>> image = np.full((64, 64, 3), 128, np.uint8)
    >>> bool((restore(image) == image).all())
    True
    """
    options, bounds = _filled(keywords, RESTORE, options or RestoreOptions(), bounds or Bounds())
    if isinstance(image, (str, Path)):
        target = restored_name(Path(image)) if output is None else Path(output)
        report = restore_file(image, target, options=options, overwrite=overwrite, bounds=bounds)
        assert report.target is not None
        kind: Any = type(image)
        return cast("Repairable", kind(report.target))
    if output is not None:
        raise UsageError("output is for paths: a PIL image or an array is returned")
    budget = Budget(bounds)
    done = restore_picture(as_picture(image, budget=budget), options, budget=budget).picture
    if not isinstance(image, np.ndarray):
        return to_pil(done, like=image)
    return done.samples[..., 0] if image.ndim == 2 else done.samples


@own_errors()
def crop(
    image: Repairable,
    *,
    without_rim: bool = False,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    bounds: Bounds | None = None,
) -> list[Repairable]:
    """Cut the prints out of a scan: each straight, without the scanner's bed, resampled once.

    Args:
        image: a path; or a PIL image; or an array, as for ``repair``. Never changed.
        without_rim: take white rims off, too.
        output: for a path: the file to write, ``a-1.jpg``, ``a-2.jpg`` … for ``a.jpg`` where there are
            several prints; None = ``scan.cropped.jpg`` beside ``scan.jpg``.
        overwrite: replace existing outputs.
        bounds: what it may cost; None = the usual bounds.

    Returns:
        The prints from top to bottom and left to right, of the image's kind: paths of written files, PIL
        images of the same mode (of a palette RGB), or arrays of the same type. Where it is no scan, one, as
        it came.

    Raises:
        RemendError: one of its kinds.

    Cost: about 1 s to find them, Lanczos over each that is tilted.

    >>> import numpy as np
    >>> image = np.full((64, 64, 3), 128, np.uint8)
    >>> [one.shape for one in crop(image)]
    [(64, 64, 3)]
    """
    if isinstance(image, (str, Path)):
        target = cropped_name(Path(image)) if output is None else Path(output)
        report = crop_file(image, target, without_rim=without_rim, overwrite=overwrite, bounds=bounds)
        kind: Any = type(image)
        return [cast("Repairable", kind(one)) for one in report.targets]
    if output is not None:
        raise UsageError("output is for paths: a PIL image or an array is returned")
    picture = as_picture(image, budget=Budget(bounds))
    cuts, _ = find_cuts(picture, without_rim=without_rim)
    made = [cut.out_of(picture) for cut in cuts]
    if isinstance(image, np.ndarray):
        return [one.samples.reshape(*one.size, *image.shape[2:]) for one in made] or [image.copy()]
    return [to_pil(one, like=image) for one in made] or [image.copy()]


@own_errors()
@_with_keywords(DETECT)
def detect(image: object, **keywords: Unpack[DetectKeywords]) -> list[Region]:
    """Find the damage of a picture: scratches, cracks, dust, stains, holes; lettering only when asked.

    Regions of at least the confidence 1 - ``sensitivity`` are returned; in what is no photograph none is,
    without ``force``.

    Args:
        image: a path, bytes, a binary file, a PIL image or an array, as for ``repair``.
        **keywords: those above, of `MaskOptions` and `Bounds`.

    Returns:
        Regions with mask, kind and confidence; not dilated.

    Raises:
        RemendError: one of its kinds.

    >>> import numpy as np
    >>> detect(np.full((64, 64, 3), 128, np.uint8))
    []
    """
    options, bounds = _filled(keywords, DETECT, MaskOptions(), Bounds())
    picture = as_picture(image, budget=Budget(bounds), tolerate=options.tolerate)
    return list(analyse_picture(picture, options).regions)
