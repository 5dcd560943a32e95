"""What is repaired in a picture: the *effective mask*, as the user gave it or as analysis found it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from remend.adapt import as_picture
from remend.budget import Budget
from remend.damage.given import EffectiveMask, dilated, drawn_lines, effective_mask
from remend.damage.infrared import regions_of
from remend.damage.outlines import looks_like_json, mask_of_outlines
from remend.damage.selection import snapped
from remend.document import Document
from remend.errors import DecodeError, MaskError, UsageError
from remend.infrared import find_dust
from remend.io.pages import open_document
from remend.io.read import same_file
from remend.options import FOUND_DILATION_PX, OF_SCENES, SCENE_POLARITIES, MaskOptions
from remend.picture import Bool, Box, Picture, Region
from remend.planes import LazyPlane, count_marked
from remend.projection import projection_of
from remend.samples import eight_bit

if TYPE_CHECKING:
    from remend.damage.find import Analysis

__all__ = [
    "BLANKED",
    "Finding",
    "analyse_picture",
    "find_mask",
    "masks_by_page",
    "read_beside",
    "read_guide",
    "settle_projection",
    "to_blank",
    "with_missing",
]

MOST_SHARE = 0.8  # of a picture that a mask marks; beyond it is more often the wrong way round than meant
UNSEARCHED = (
    "values that are measured are not searched for damage unasked: give a mask, or say what to --find"
)
BLANKING = 0.95  # sensitivity: a name that is missed costs more than a corner that is black
BLANKED = (
    "what was blanked is gone; annotation that was not found is still there, and so is what the file says "
    "of the patient: look at every picture, and clean the header with a tool for that"
)
LEVELS = (np.uint8, np.uint16, np.float32)  # of mask arrays, read as they are
HARDER = 0.8  # the sensitivity that is proposed where nothing was found, if it would show something


@dataclass(frozen=True, slots=True)
class Finding:
    """The effective mask and where it came from.

    Attributes:
        mask: (H, W) bool, True = repair.
        regions: what was found; empty for a given mask.
        notes: what was done on the way.
        left: what was seen and left alone, because its kind was not asked for.
        nature: what the picture is: ``photograph``, ``document`` …; None for a given mask.
    """

    mask: Bool
    regions: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()
    left: tuple[Region, ...] = ()
    nature: str | None = None


def find_mask(
    picture: Picture,
    mask: object | None,
    *,
    options: MaskOptions,
    budget: Budget | None = None,
    name: str | None = None,
    guided: bool = False,
    whole: bool = False,
    boxes: bool = False,
) -> Finding:
    """The effective mask of a picture: as given, or found by analysis.

    Args:
        picture: what the mask is for; its projection is settled, as ``options`` or its file say.
        mask: a path, bytes, a binary file, a PIL image or an array; None = find the damage. Files may be
            pictures or COCO's JSON.
        options: how.
        budget: what reading the mask may cost.
        name: of the picture's file, for a JSON that is about several.
        guided: whether lines to follow come with it.
        whole: whether all of it may be marked: slices of a volume may be missing, and a net that makes
            pictures clean sees what is marked.
        boxes: mark the boxes of what is found, not its outlines, in which lettering can be read still.

    Raises:
        MaskError: a mask that is the picture itself, that does not fit, that marks nothing because nothing in
            it is white, that covers the whole picture, or more than four fifths of it unless ``options.yes``.
        UsageError: options that can do nothing: about searching beside a mask, about a mask without one.
    """
    options.check_place(mask=mask is not None, guide=guided)
    measured = picture.container is not None and picture.container.details.get("measured", False)
    if mask is None and measured and not (options.find or options.force or options.say):
        return Finding(np.zeros(picture.size, bool), notes=(UNSEARCHED,))
    said_of_sides = settle_projection(picture, options)
    if mask is None:
        analysis = analyse_picture(picture, options)
        huge = isinstance(picture.samples, LazyPlane)
        found: Any = LazyPlane(picture.size, bool) if huge else np.zeros(picture.size, bool)
        for region in analysis.regions:
            if boxes:  # a bar with room for what the finder missed of a row
                found[region.box.grown(max(4, region.box.height // 2), picture.size).slices] = True
            else:
                found[region.box.slices] |= region.mask
        by_px = FOUND_DILATION_PX if options.dilate_px is None else options.dilate_px
        return Finding(
            mask=_dilated(found, by_px, picture) if analysis.regions else found,
            regions=analysis.regions,
            notes=(*said_of_sides, *_on_nothing(analysis, options), *analysis.notes),
            left=analysis.left,
            nature=analysis.nature,
        )
    itself = picture.container is not None and same_file(mask, picture.container.path)
    if itself and options.mask_polarity not in OF_SCENES:
        raise MaskError("the mask is the picture itself: give a picture that is white where to repair")
    # A bool array has one meaning, whatever marks the hole in mask pictures.
    is_bool = isinstance(mask, np.ndarray) and mask.dtype == np.bool_
    if isinstance(picture.samples, LazyPlane):
        if options.snap != "none":
            raise MaskError("a mask of a picture as large as this is taken as it is: leave --snap out")
        effective, said = _of_huge(picture, mask, options, budget or Budget(), name), ()
    else:
        given, drawn, said = _as_mask(mask, picture, name, budget)
        effective = effective_mask(
            given,
            picture.size,
            polarity="white" if is_bool or drawn else options.mask_polarity,
            resize=options.resize_mask,
            dilate_px=0 if picture.wraps_x else options.dilate_px or 0,
        )
    if picture.wraps_x and options.dilate_px:
        notes = (*effective.notes, f"mask dilated by {options.dilate_px} px")
        effective = EffectiveMask(_dilated(effective.mask, options.dilate_px, picture), notes)
    if options.snap != "none":
        effective = _snapped(effective, picture, options.snap)
    marked = count_marked(effective.mask)
    if marked == effective.mask.size and not whole:
        raise MaskError(
            "the mask marks the whole picture, so nothing is left to repair from: "
            "mark less, or turn it round with --mask-polarity"
        )
    share = marked / effective.mask.size
    if share > MOST_SHARE and not (options.yes or is_bool or whole):
        raise MaskError(
            f"the mask marks {100 * share:.0f} % of the picture: turn it round with --mask-polarity black, "
            "or give --yes if that is meant"
        )
    notes = said + said_of_sides + effective.notes
    return Finding(effective.mask, (), notes if marked else (*notes, "the mask is empty"))


def _of_huge(
    picture: Picture, mask: object, options: MaskOptions, budget: Budget, name: str | None
) -> EffectiveMask:
    """The mask of a picture that is not in memory, of which only what is marked is kept.

    Raises:
        MaskError: of another size.
    """
    from remend.damage.sparse import sparse_mask, sparse_outlines  # few pictures are huge
    from remend.io.bands import bands_of

    if options.mask_polarity in SCENE_POLARITIES:
        raise MaskError(
            f"--mask-polarity {options.mask_polarity} is for pictures that are read into memory: "
            "give a mask that is white where to repair"
        )
    dilate_px = options.dilate_px or 0
    content = _json_in(mask)
    if content is not None:
        return sparse_outlines(content, picture.size, name, dilate_px=dilate_px)
    if isinstance(mask, (str, PathLike)):
        size, bands = bands_of(mask, budget=budget.for_mask(picture.width * picture.height))
    else:
        given, _, _ = _as_mask(mask, picture, name, budget)
        size, bands = given.size, iter([(0, given)])
    if size != picture.size:
        raise MaskError(
            f"the mask is {size[1]}×{size[0]} and the picture {picture.width}×{picture.height}: "
            "give a mask of the picture's size"
        )
    is_bool = isinstance(mask, np.ndarray) and mask.dtype == np.bool_
    polarity = "white" if is_bool else options.mask_polarity
    return sparse_mask(bands, size, polarity=polarity, dilate_px=dilate_px)


def settle_projection(picture: Picture, options: MaskOptions) -> tuple[str, ...]:
    """Set the picture's projection, as asked for or as its file says; and tell where that was not asked for.

    Raises:
        UsageError: a 360° panorama of another shape.
    """
    picture.projection = projection_of(picture, options.projection)
    if options.projection == "auto" and picture.projection == "equirect":
        return ("a 360° panorama by its metadata: its sides meet (--projection flat: they do not)",)
    return ()


def _dilated(mask: Bool, by_px: int, picture: Picture) -> Bool:
    """Grown, over the left and right border where they meet."""
    if isinstance(mask, LazyPlane):
        from remend.damage.sparse import grown  # few pictures are huge

        return cast(Bool, grown(mask, by_px))
    if not picture.wraps_x:
        return dilated(mask, by_px)
    rim = min(by_px, picture.width)
    wide = np.concatenate([mask[:, picture.width - rim :], mask, mask[:, :rim]], axis=1)
    return dilated(wide, by_px)[:, rim : rim + picture.width]


def to_blank(options: MaskOptions) -> MaskOptions:
    """What is looked for where annotation is to be blanked: all that might be lettering, in every picture."""
    return replace(
        options,
        find=options.find or ("text",),
        force=True,
        sensitivity=max(options.sensitivity, BLANKING),
    )


def _snapped(effective: EffectiveMask, picture: Picture, how: str) -> EffectiveMask:
    """The mask brought to the object that it means, and how much that changed."""
    before = effective.mask
    after = snapped(np.ascontiguousarray(eight_bit(picture)), before, how)
    more, less = np.count_nonzero(after & ~before), np.count_nonzero(before & ~after)
    if not more and not less:
        return effective
    said = f"snapped to the object: {more} pixels more" + (f", {less} fewer" if less else "")
    return replace(effective, mask=after, notes=(*effective.notes, said))


def masks_by_page(
    document: Document, mask: object | None, *, budget: Budget
) -> Callable[[int], object | None]:
    """The mask of each page of a document, as `find_mask` takes it.

    Args:
        document: what the mask is for.
        mask: as for `find_mask`: one for all pages; or a file of as many pages as the document has, or a bool
            array (pages, H, W); of a series, a folder of masks that are called like its files.
        budget: what reading it may cost.

    Raises:
        MaskError: another number of pages; the mask is the document itself.
    """
    count = len(document.pages)
    if mask is None:
        return lambda number: None
    files = document.container.details.get("files", ())
    if isinstance(mask, (str, PathLike)) and files and Path(mask).is_dir():
        named = {path.stem: path for path in sorted(Path(mask).iterdir())}
        if not named.keys() & {path.stem for path in files}:
            raise MaskError(f"no mask of {mask} is called like a slice: name them alike, {files[0].stem}.png")
        blank = np.zeros(document.pages[0].size, bool)
        return lambda number: named.get(files[number].stem, blank)
    if isinstance(mask, np.ndarray) and mask.ndim == 3 and mask.dtype == np.bool_:
        several: Sequence[object] = list(mask)
    elif isinstance(mask, (str, PathLike, bytes, bytearray)) or hasattr(mask, "read"):
        if same_file(mask, document.container.path):
            raise MaskError("the mask is the picture itself: give a picture that is white where to repair")
        drawn = _json_in(mask)
        if drawn is not None:
            return lambda number: drawn
        source: Any = mask
        several = open_document(source, budget=budget.for_mask(budget.bounds.max_pixels)).pages
        if len(several) == 1:
            several = [several[0]] * count
    else:
        return lambda number: mask
    if len(several) != count:
        raise MaskError(
            f"the mask has {len(several)} pages and the picture {count} {document.axis}s: give one mask for "
            "all, or as many"
        )
    return lambda number: several[number]


def with_missing(finding: Finding, picture: Picture, laid: Bool | None = None) -> Finding:
    """What was given or found, and what the file does not hold, but for what was ``laid`` there since."""
    missing = picture.container.missing if picture.container is not None else None
    if missing is None:
        return finding
    return replace(finding, mask=finding.mask | (missing if laid is None else missing & ~laid))


def _as_mask(
    mask: object, picture: Picture, name: str | None, budget: Budget | None
) -> tuple[Picture, bool, tuple[str, ...]]:
    """Whatever the user has as a picture to threshold, whether it was drawn as outlines, and notes."""
    if isinstance(mask, np.ndarray) and mask.dtype not in LEVELS and mask.dtype.kind in "iuf":
        # Label maps come in every width; a picture would be refused.
        if mask.dtype.kind == "f":
            mask = mask.astype(np.float32)
        elif mask.size and (mask.min() < 0 or mask.max() > 65535):
            raise MaskError(
                f"the mask's values lie between {mask.min()} and {mask.max()}: "
                "give 255 where to repair and 0 elsewhere"
            )
        else:
            mask = mask.astype(np.uint8 if not mask.size or mask.max() <= 255 else np.uint16)
    content = _json_in(mask)
    if content is None:
        return read_beside(picture, mask, budget), False, ()
    drawn, notes = mask_of_outlines(content, picture.size, name)
    return Picture(drawn[..., None].astype(np.uint8) * np.uint8(255), "L"), True, notes


def read_beside(picture: Picture, given: object, budget: Budget | None) -> Picture:
    """A mask, lines or a patch for a picture, within its share of the budget.

    Raises:
        PictureError: it cannot be read. What is truncated is refused, and tolerating it not offered.
    """
    try:
        return as_picture(given, budget=(budget or Budget()).for_mask(picture.width * picture.height))
    except DecodeError as error:
        raise DecodeError(str(error).replace(", or --tolerate it", "")) from error


def _json_in(mask: object) -> bytes | None:
    """The bytes of a mask that is JSON, None for any other; a file is left where it was."""
    if isinstance(mask, (bytes, bytearray)):
        return bytes(mask) if looks_like_json(bytes(mask[:64])) else None
    if isinstance(mask, (str, PathLike)):
        path = Path(mask)
        if path.suffix.lower() != ".json":
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            raise MaskError(f"the mask {path} cannot be read ({error.strerror}): check the path") from error
    if hasattr(mask, "read") and hasattr(mask, "seek"):
        start = mask.tell()  # type: ignore[attr-defined]
        head = mask.read(64)
        mask.seek(start)
        if isinstance(head, bytes) and looks_like_json(head):
            return bytes(mask.read())
    return None


def analyse_picture(picture: Picture, options: MaskOptions) -> Analysis:
    """What is seen in a picture: its damage, and what was left.

    Where infrared tells what lies on a film, nothing else is looked for. A huge picture is searched in tiles,
    without it.

    Args:
        picture: to be searched; its projection is settled.
        options: what to look for, and how hard.

    Raises:
        AmbiguousError: several things fit what was said, and one is meant.
        UsageError: nothing fits what was said; a tripod is to be found in what is no panorama.
        MaskError: infrared that was named cannot tell.
    """
    # Only who needs it pays for its import.
    from remend.damage.find import Analysis, analyse
    from remend.damage.panorama import analyse_round

    settle_projection(picture, options)
    if options.say:
        return _said(picture, options)
    kinds = tuple(kind for kind in options.kinds if kind != "tripod")
    below, said = ((), ()) if kinds == options.kinds else _below(picture, options.tripod_deg)
    if not kinds:
        return Analysis(below, notes=said)
    if isinstance(picture.samples, LazyPlane):
        from remend.damage.tiled import analyse_tiles

        def shown(box: Box) -> NDArray[np.uint8]:
            return eight_bit(replace(picture, samples=picture.samples[box.slices]))

        return analyse_tiles(
            shown, picture.size, sensitivity=options.sensitivity, kinds=kinds, force=options.force
        )
    marks, note = None, None
    if {"dust", "scratch"} & set(kinds):
        marks, note = find_dust(picture, options.infrared, sensitivity=options.sensitivity)
    notes = said if note is None else (*said, note)
    if marks is not None:
        dust = tuple(one for one in regions_of(marks) if one.kind in kinds)
        return Analysis((*dust, *below), notes=notes)
    look = analyse_round if picture.wraps_x else analyse
    found = look(eight_bit(picture), sensitivity=options.sensitivity, kinds=kinds, force=options.force)
    return replace(found, regions=(*found.regions, *below), notes=(*notes, *found.notes))


def _below(picture: Picture, radius_deg: float) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """The disc below the camera, as large as was said or as what stands there; and what to say of that."""
    from remend.damage.panorama import nadir_disc
    from remend.damage.tripod import USUAL_DEG, tripod_radius

    disc = nadir_disc(picture, radius_deg or USUAL_DEG)  # refused where there is no panorama
    if radius_deg:
        return (disc,), ()
    shown = eight_bit(picture)
    seen = tripod_radius(shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2))
    otherwise = "--tripod-deg says otherwise"
    if seen is None:
        told = f"nothing unlike the ground was made out below the camera: {USUAL_DEG:g}° are taken"
        return (disc,), (f"{told}; {otherwise}",)
    told = f"what stands below the camera reaches to {seen:.0f}° from straight down"
    return (nadir_disc(picture, seen),), (f"{told}; {otherwise}",)


def _said(picture: Picture, options: MaskOptions) -> Analysis:
    """What somebody said should go.

    Raises:
        AmbiguousError: several things fit, and one is meant.
        UsageError: the words mean nothing here, or nothing fits.
    """
    from remend.damage.find import Analysis
    from remend.saying.choice import meant
    from remend.saying.grammar import parse
    from remend.saying.scene import Scene

    if isinstance(picture.samples, LazyPlane):
        raise UsageError(
            "words are not understood of a picture as huge as this: give a mask, or --find kinds"
        )
    command = parse(options.say)
    scene = Scene(np.ascontiguousarray(eight_bit(picture)), wraps_x=picture.wraps_x)
    found = meant(command, scene, sensitivity=options.sensitivity, pick=options.pick)
    return Analysis(found.regions, notes=found.notes)


def _on_nothing(analysis: Analysis, options: MaskOptions) -> tuple[str, ...]:
    """What to say where no damage was found, though it was searched for."""
    if analysis.regions or (analysis.nature != "photograph" and not options.force):
        return ()
    # The least twentieth that would show it.
    harder = max(HARDER, math.ceil(20 * (1 - analysis.fainter) - 1e-6) / 20)
    if analysis.fainter > 0 and harder > options.sensitivity:
        return (f"no damage found that is sure: look harder with --sensitivity {harder:g}",)
    return ("no damage found",)


def read_guide(
    picture: Picture, guide: object | None, *, options: MaskOptions, budget: Budget | None = None
) -> Bool | None:
    """The lines that the fills of a picture are to follow.

    Args:
        picture: what the lines are for.
        guide: a path, bytes, a binary file, a PIL image or an array: white, or True, = line; None = no lines.
        options: whether another size will do.
        budget: what reading them may cost.

    Returns:
        (H, W) bool, True = line; or None.

    Raises:
        UsageError: lines of another size.
    """
    if guide is None:
        return None
    return drawn_lines(read_beside(picture, guide, budget), picture.size, resize=options.resize_mask)
