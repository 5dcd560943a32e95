"""One table of options: what may be asked of a repair, said once for command, Python, HTTP and page.

Each field of `Settings` (how holes are filled), `MaskOptions` (what is repaired) and `Bounds` (what that may
cost) is an option, with help, range, choices and default beside it. From here come the flags
(`remend.cli.flags`), the fields of forms and the API's reference (`remend.serve.options`), the keywords of
``repair`` and ``detect`` and their documentation (`remend.api`), and the page's texts. A new option is a new
field, and what uses it.

NumPy is not imported here: ``--help`` is to answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from remend.errors import UsageError
from remend.kinds import KINDS, default_kinds, parse_kinds
from remend.options.option import Option, option, options_of, verify, with_help
from remend.pages import check_pages

if TYPE_CHECKING:
    from remend.fill.filler import Filler

__all__ = [
    "DETECT",
    "FOUND_DILATION_PX",
    "MIB",
    "OF_SCENES",
    "OUT_OF_PLACE",
    "POLARITIES",
    "QUALITIES",
    "SCENE_POLARITIES",
    "SEARCHING",
    "Bounds",
    "DetectKeywords",
    "MaskOptions",
    "Option",
    "Polarity",
    "RepairKeywords",
    "Settings",
    "options_of",
]

Polarity = Literal["white", "black", "alpha", "opaque", "landsat-qa", "sentinel-scl", "nodata", "clouds"]
POLARITIES: dict[Polarity, str] = {
    "white": "half of the range and more",
    "black": "less than that",
    "alpha": "what is transparent",
    "opaque": "what is not transparent",
    "landsat-qa": "clouds, shadows and gaps, by the bits of a Landsat QA_PIXEL band",
    "sentinel-scl": "clouds and shadows, by the classes of a Sentinel-2 SCL band",
    "nodata": "gaps in a scene, by its value for no data; the scene may be the picture itself",
    "clouds": "clouds and shadows, by the colours of a scene; it may be the picture itself",
}
SCENE_POLARITIES = frozenset({"landsat-qa", "sentinel-scl", "nodata", "clouds"})
OF_SCENES = frozenset({"nodata", "clouds"})  # the picture itself may be given as such a mask
QUALITIES = {
    "fast": "smooth fills everywhere: at once, without texture",
    "balanced": "nets for thin damage, strokes and what is very wide, copies in other texture, smooth "
    "fills where it is calm",
    "best": "as balanced, the nets asked from both sides and once more from the mean of their answers, "
    "copies that follow them, smooth fills where it is very calm: nearer, in up to three times the time",
}
PROJECTIONS = {
    "auto": "as the file says: a 360° panorama by its GPano XMP and its shape",
    "flat": "no panorama",
    "equirect": "a 360° panorama, twice as wide as high: its sides meet, its poles are filled in a view "
    "without distortion",
}
MIB = 1 << 20
FOUND_DILATION_PX = 2  # found damage has soft edges; a mask that the user drew is taken at its word


@with_help
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How holes are filled."""

    method: str | Filler = option(
        "auto", "How to fill; `remend methods` lists the names.", metavar="auto|NAME|FILE.onnx"
    )
    quality: str = option("balanced", "What auto may spend.", choices=QUALITIES)
    seed: int = option(0, "Same seed, same pixels.", low=0)
    grain: float = option(1.0, "Grain of smooth fills; 1 = as around.", low=0, high=2)
    denoise: float = option(0.0, "Denoise what was filled.", low=0, high=1)
    sharpen: float = option(0.0, "Sharpen what was filled.", low=0, high=3)
    feather_px: int = option(
        0,
        "A soft edge: so far inwards from the edge of a wide hole the fill fades into what was there.",
        low=0,
        high=256,
    )
    whole_picture: bool = option(False, "Denoise and sharpen everything.")
    repair_alpha: bool = option(False, "Fill the alpha channel too.")
    deidentify: bool = option(
        False, "Blank instead of filling: lettering, or what the mask marks, gives way to black."
    )
    window_px: int | None = option(
        None,
        "Longest side at which wide holes are filled; less needs less memory and is softer. Default: as the "
        "method was made for.",
        type="integer",
        low=64,
        high=65536,
    )

    def __post_init__(self) -> None:
        verify(self)
        fills = self.denoise or self.sharpen or self.feather_px or self.repair_alpha
        if self.deidentify and (self.method != "auto" or fills):
            raise UsageError("deidentify blanks and fills nothing: leave out what is about filling")
        if self.whole_picture and not (self.denoise or self.sharpen):
            raise UsageError(
                "whole_picture is about denoise and sharpen, and neither is given: give one, or leave it out"
            )


SNAPS = {
    "none": "the mask as it is",
    "rim": "thin rims of the marked object that the mask leaves, up to 8 px, along with it",
    "whole": "also what it has left of an object that it was painted over, between strokes and beside them",
    "object": "the object under a stroke, in a loop or at a click",
}
"""What a mask is brought to."""


def _kinds_told() -> str:
    """What the help says of ``find``."""
    seen = (f"{name} ({kind.about})" if kind.about else name for name, kind in KINDS.items() if kind.seen)
    others = {name: kind.about for name, kind in KINDS.items() if not kind.seen}
    return (
        f"Exactly what to look for, with commas between: {', '.join(seen)}; "
        + "".join(f"{name} = {about}; " for name, about in others.items())
        + f"damage = {', '.join(default_kinds())}, the default; all = all but {', '.join(others)}."
    )


SEARCH: dict[str, Any] = {"needs": frozenset({"search"})}
MASK: dict[str, Any] = {"needs": frozenset({"mask"})}


@with_help
@dataclass(frozen=True, slots=True, kw_only=True)
class MaskOptions:
    """What is repaired: how a given mask is read, or what damage is found."""

    mask_polarity: Polarity = option(
        "white", "What marks the hole in the mask; alpha = transparent.", choices=POLARITIES, **MASK
    )
    dilate_px: int | None = option(
        None,
        f"Grow the hole, in pixels. Default: {FOUND_DILATION_PX} for found damage, 0 for a given mask.",
        type="integer",
        low=0,
        high=500,
    )
    resize_mask: bool = option(
        False, "Accept a mask, or a guide, of another size.", needs=frozenset({"mask", "guide"})
    )
    snap: str = option(
        "none",
        "What a given mask means: itself, thin rims of the object along with it, all that it has left of "
        "the object, or the object that it roughly marks.",
        choices=SNAPS,
        **MASK,
    )
    yes: bool = option(False, "A mask that marks more than four fifths of the picture is meant.", **MASK)
    sensitivity: float = option(
        0.5,
        "How much counts as damage: low, only what is sure; high, all that might be.",
        low=0,
        high=1,
        **SEARCH,
    )
    find: str | Sequence[str] = option(
        (),
        _kinds_told(),
        metavar="KINDS",
        check=parse_kinds,
        told="damage",
        **SEARCH,
    )
    skip: str | Sequence[str] = option(
        (),
        "What not to look for; words as for `find`.",
        metavar="KINDS",
        check=lambda words: parse_kinds("all", words),
        told="",
        **SEARCH,
    )
    say: str = option(
        "",
        "What to repair, in English or Chinese words: 'the scratches in the sky', '去掉日期'; by kind "
        "of damage, colour, place and size, and what to keep.",
        metavar="WORDS",
        **SEARCH,
    )
    pick: str = option(
        "",
        "Of several things that `say` fits: their numbers, with commas between, or all.",
        metavar="NUMBERS|all",
        **SEARCH,
    )
    tripod_deg: float = option(
        0.0,
        "How far a tripod reaches from straight below, in degrees; 0 = as the picture shows.",
        low=0,
        high=60,
        **SEARCH,
    )
    force: bool = option(False, "Search documents, drawings and screenshots, too.", **SEARCH)
    infrared: str = option(
        "auto",
        "Find dust by infrared alone: auto, where the file has such a channel or page, or scan_IR.tif lies "
        "beside scan.tif; no; or a file.",
        metavar="auto|no|FILE",
        **SEARCH,
    )
    tolerate: bool = option(
        False, "Open a truncated JPEG or PNG as far as it goes; what is missing is damage."
    )
    pages: str = option(
        "",
        "Which pages of a file, or frames of an animation, to repair: all, or numbers and ranges as in "
        "1-3,7. Default: the first alone.",
        metavar="all|1-3,7",
        check=check_pages,
    )

    projection: str = option("auto", "How the picture shows the world.", choices=PROJECTIONS)

    def __post_init__(self) -> None:
        verify(self)
        if self.say and (self.find or self.skip):
            raise UsageError("say tells what to find in words: leave find and skip out")
        if self.pick and not self.say:
            raise UsageError(
                "pick chooses of what say fits, and nothing is said: give --say, or leave it out"
            )
        _ = self.kinds  # skip may leave nothing of what is to be found

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are looked for."""
        return parse_kinds(self.find, self.skip)

    def misplaced(self, *, mask: bool, guide: bool = False) -> tuple[str, ...]:
        """The options that were given and can do nothing here.

        Args:
            mask: whether a mask is given; without one, damage is searched for.
            guide: whether lines to follow are given.
        """
        there = {"mask"} if mask else {"search"}
        there |= {"guide"} if guide else set()
        return tuple(
            one.name
            for one in options_of(MaskOptions).values()
            if one.needs and not one.needs & there and getattr(self, one.name) != one.default
        )

    def check_place(self, *, mask: bool, guide: bool = False) -> None:
        """See that nothing is asked for that would be left undone.

        Raises:
            UsageError: there is.
        """
        if names := self.misplaced(mask=mask, guide=guide):
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in names)
            raise UsageError(f"{flags}: {OUT_OF_PLACE[mask]}")


OUT_OF_PLACE = {
    True: "for finding damage, and a mask is given: leave out one or the other",
    False: "for a mask that is given, and there is none: give one, or leave it out",
}
"""Why an option can do nothing, by whether a mask is given, and what to do."""


@with_help
@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a job may cost."""

    max_pixels: int = option(
        128_000_000,  # 100-megapixel cameras, and what ImageMagick's policy allows
        "Refuse larger pictures.",
        low=1,
    )
    max_memory: int = option(
        2 << 30,  # bytes
        "Refuse pictures whose samples need more.",
        low=1,
        metavar="MIB",
        unit=MIB,
    )
    # Photographs shrink by 5 to 100 times. What shrank by more is refused above a size that graphics and
    # screenshots seldom have: such files are empty pages or made to hurt.
    max_ratio: float = option(
        250,
        "Refuse files that grow more often than this when decoded, and are large then; 0: any.",
        type="number",
        low=0,
    )
    time_limit_s: float | None = option(
        None,
        "For each picture; looked at between steps.",
        type="number",
        low=0,
        above=True,
        metavar="SECONDS",
        flag="--time-limit",
    )
    accept: str | Sequence[str] = option(
        (), "Formats to read, with commas between. Default: all.", metavar="FORMATS"
    )

    def __post_init__(self) -> None:
        verify(self)


SEARCHING = options_of(
    MaskOptions,
    "sensitivity",
    "find",
    "skip",
    "say",
    "pick",
    "tripod_deg",
    "force",
    "infrared",
    "tolerate",
    "projection",
)
"""What ``detect`` in Python has of `MaskOptions`; its regions are not grown."""

DETECT = SEARCHING | {
    "dilate_px": replace(
        options_of(MaskOptions)["dilate_px"],
        default=FOUND_DILATION_PX,
        help="Grow what was found, in pixels.",
    )
}
"""The same for the command and over HTTP."""


class DetectKeywords(TypedDict, total=False):
    """The keywords of ``detect``, for type checkers and editors; a test holds them to the table."""

    sensitivity: float
    find: str | Sequence[str]
    skip: str | Sequence[str]
    say: str
    pick: str
    tripod_deg: float
    force: bool
    infrared: str
    tolerate: bool
    projection: str
    max_pixels: int
    max_memory: int
    max_ratio: float
    time_limit_s: float | None
    accept: str | Sequence[str]


class RepairKeywords(DetectKeywords, total=False):
    """The keywords of ``repair``: all options."""

    method: str | Filler
    quality: str
    seed: int
    grain: float
    denoise: float
    sharpen: float
    feather_px: int
    whole_picture: bool
    repair_alpha: bool
    deidentify: bool
    window_px: int | None
    mask_polarity: Polarity
    dilate_px: int | None
    resize_mask: bool
    snap: str
    yes: bool
    pages: str
