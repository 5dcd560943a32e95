"""What may be asked of `restore`: which steps, how strongly, and what it shares with a repair.

Fields are options like those of `remend.options`: flags, keywords, form fields and the page are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, get_args

from remend.errors import UsageError
from remend.options import MaskOptions, Settings
from remend.options.option import option, options_of, shared, verify, with_help
from remend.options.presets import PRESETS, SET_BY_PRESETS, TOLD, preset_named

__all__ = ["EVERY", "STEPS", "RestoreKeywords", "RestoreOptions", "StepKind", "parse_steps"]

StepKind = Literal["screen", "noise", "blocks", "damage", "tone", "streaks"]
EVERY: tuple[StepKind, ...] = get_args(StepKind)
STEPS = EVERY[:-1]
"""In the order in which they are done: what lies on a picture goes before it is mended, tone comes last.
Streaks are metal's, in slices of computed tomography, and taken only when they are asked for by name."""
FACTORS = (1, 2, 4)
VIEWS = (8, 4, 2)
VIEWED_PX = 4_000_000  # pixels that the net looks at, counted once for each view


def parse_steps(only: str | Sequence[str], skip: str | Sequence[str] = ()) -> frozenset[StepKind]:
    """The steps that are wanted, from words, several with commas between or as a list.

    Raises:
        UsageError: an unknown step, or none left.

    >>> sorted(parse_steps(("noise,blocks",), ("blocks",)))
    ['noise']
    """
    chosen, left = (
        [
            word.strip()
            for given in ((words,) if isinstance(words, str) else words)
            for word in given.split(",")
            if word.strip()
        ]
        for words in (only, skip)
    )
    for word in (*chosen, *left):
        if word not in EVERY:
            raise UsageError(f"restore has no step {word[:40]!r}: choose {', '.join(EVERY)}")
    found = frozenset(step for step in EVERY if step in (chosen or STEPS) and step not in left)
    if not found:
        raise UsageError("no step is left: leave out less with skip, or ask for more with only")
    return found


def _check_factor(factor: int) -> None:
    """See that a picture can be made so many times as large."""
    if factor not in FACTORS:
        raise UsageError(f"upscale must be 1, 2 or 4, got {factor!r}")


def _share(of: str) -> Any:
    return option(None, f"{of} Default: as the preset says.", type="number", low=0, high=1)


@with_help
@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """What is restored, and how strongly."""

    preset: str = option(
        "photo",
        f"What the picture is: {'; '.join(f'{name}, {told}' for name, told in TOLD.items())}; or a TOML file "
        "that sets options.",
        metavar=f"{'|'.join(PRESETS)}|FILE.toml",
        check=preset_named,
    )
    only: str | Sequence[str] = option(
        (),
        f"The steps that may be taken, with commas between: {', '.join(EVERY)} (metal's, in CT slices). "
        "Default: all that the preset has.",
        metavar="STEPS",
        check=parse_steps,
        told="all that the preset has",
    )
    skip: str | Sequence[str] = option(
        (),
        "Steps to leave out of them.",
        metavar="STEPS",
        check=lambda words: parse_steps((), words),
        told="",
    )
    strength: float = option(1.0, "Share of every change but repairs; 0 changes nothing.", low=0, high=1)
    screen: float | None = _share("Share of a halftone's dots, or of moiré, that is taken off.")
    noise: float | None = _share("Share of the noise and grain that is taken off.")
    blocks: float | None = _share("Share of a JPEG's blocks that is taken off.")
    tone: float | None = _share("Share of the way back of faded tones.")
    keep_grain: float | None = _share("Share of strong grain that is put back, without its colour.")
    model: str = option(
        "",
        "Takes noise and blocks off instead of the embedded net: FILE.onnx, with its card, as remend "
        "adapt leaves it. Use files that you trust.",
        metavar="FILE.onnx",
        told="the embedded net",
    )
    upscale: int = option(
        1, "At last, so many times the height and width: 1, 2 or 4.", low=1, high=4, check=_check_factor
    )
    sensitivity: float | None = shared(
        MaskOptions,
        "sensitivity",
        default=None,
        help="How much counts as damage: low, only what is sure; high, all that might be. Default: as the "
        "preset says.",
    )
    quality: str = shared(
        Settings,
        "quality",
        help="What repairing damage may spend. Noise and blocks are looked at from eight sides at best, from "
        "one if fast, and as often as four megapixels allow between.",
    )
    seed: int = shared(Settings, "seed")
    force: bool = shared(MaskOptions, "force", help="Go over documents, drawings and screenshots, too.")
    tolerate: bool = shared(MaskOptions, "tolerate")

    def __post_init__(self) -> None:
        verify(self)
        told = preset_named(self.preset)
        for name in SET_BY_PRESETS:
            if name in told and name != "force":
                options_of(RestoreOptions)[name].verify(told[name])
        _ = self.wanted  # skip may leave nothing of what is asked for

    def set_to(self, name: str) -> Any:
        """What is given for an option, or else what the preset says."""
        given = getattr(self, name)
        empty = given is None or given is False or given == ()
        return preset_named(self.preset).get(name, given) if empty else given

    @property
    def wanted(self) -> frozenset[StepKind]:
        """The steps that may be taken: what is asked for by name is not skipped by a preset."""
        named = parse_steps(self.only) if self.only else frozenset[StepKind]()
        left = [step for step in preset_named(self.preset)["skip"] if step not in named]
        return parse_steps(self.set_to("only"), (*left, *self.skip))

    def strength_of(self, step: StepKind) -> float:
        """0 to 1, of one step; damage is mended or is not."""
        if step == "damage":
            return 1.0
        return float(self.strength * (1.0 if step == "streaks" else self.set_to(step)))

    @property
    def goes_over_all(self) -> bool:
        """Whether what is no photograph is restored, too."""
        return bool(self.set_to("force"))

    def views(self, size: tuple[int, int]) -> int:
        """From how many sides the net looks at a picture of (height, width).

        At ``balanced`` quality small pictures are looked at more often, for about the time that one look at
        a picture of four megapixels takes.

        >>> [RestoreOptions().views(size) for size in ((512, 768), (1000, 1000), (1200, 1600), (3000, 4000))]
        [8, 4, 2, 1]
        """
        if self.quality == "best":
            return VIEWS[0]
        pixels = size[0] * size[1]
        return next((n for n in VIEWS if self.quality == "balanced" and n * pixels <= VIEWED_PX), 1)

    @property
    def settings(self) -> Settings:
        """How damage is repaired."""
        return Settings(quality=self.quality, seed=self.seed)

    @property
    def mask_options(self) -> MaskOptions:
        """What damage is looked for; in what is no photograph only where ``force`` itself is given."""
        return MaskOptions(sensitivity=self.set_to("sensitivity"), force=self.force, tolerate=self.tolerate)


class RestoreKeywords(TypedDict, total=False):
    """The keywords of ``restore``, for type checkers and editors; a test holds them to the table."""

    preset: str
    only: str | Sequence[str]
    skip: str | Sequence[str]
    strength: float
    screen: float | None
    noise: float | None
    blocks: float | None
    tone: float | None
    keep_grain: float | None
    model: str
    upscale: int
    sensitivity: float | None
    quality: str
    seed: int
    force: bool
    tolerate: bool
    max_pixels: int
    max_memory: int
    max_ratio: float
    time_limit_s: float | None
    accept: str | Sequence[str]
