"""What may be asked of `restore`: which steps, how strongly, and what it shares with a repair.

Fields are options like those of `remend.options`: flags, keywords, form fields and the page are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from remend.errors import UsageError
from remend.options import MaskOptions, Settings
from remend.options.option import option, shared, verify, with_help

__all__ = ["STEPS", "RestoreKeywords", "RestoreOptions", "StepKind", "parse_steps"]

StepKind = Literal["noise", "blocks", "damage", "tone"]
STEPS: tuple[StepKind, ...] = get_args(StepKind)
"""In the order in which they are done: what lies on a picture goes before it is mended, tone comes last."""
FACTORS = (1, 2, 4)


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
        if word not in STEPS:
            raise UsageError(f"restore has no step {word[:40]!r}: choose {', '.join(STEPS)}")
    found = frozenset(step for step in STEPS if (not chosen or step in chosen) and step not in left)
    if not found:
        raise UsageError("no step is left: leave out less with skip, or ask for more with only")
    return found


def _check_factor(factor: int) -> None:
    """See that a picture can be made so many times as large."""
    if factor not in FACTORS:
        raise UsageError(f"upscale must be 1, 2 or 4, got {factor!r}")


@with_help
@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """What is restored, and how strongly."""

    only: str | Sequence[str] = option(
        (),
        f"The steps that may be taken, with commas between: {', '.join(STEPS)}. Default: all.",
        metavar="STEPS",
        check=parse_steps,
        told="all",
    )
    skip: str | Sequence[str] = option(
        (),
        "Steps to leave out of them.",
        metavar="STEPS",
        check=lambda words: parse_steps((), words),
        told="",
    )
    strength: float = option(1.0, "Share of every change but repairs; 0 changes nothing.", low=0, high=1)
    noise: float = option(1.0, "Share of the noise and grain that is taken off.", low=0, high=1)
    blocks: float = option(1.0, "Share of a JPEG's blocks that is taken off.", low=0, high=1)
    tone: float = option(1.0, "Share of the way back of faded tones.", low=0, high=1)
    upscale: int = option(
        1, "At last, so many times the height and width: 1, 2 or 4.", low=1, high=4, check=_check_factor
    )
    sensitivity: float = shared(MaskOptions, "sensitivity")
    quality: str = shared(Settings, "quality", help="What repairing damage may spend.")
    seed: int = shared(Settings, "seed")
    force: bool = shared(MaskOptions, "force", help="Go over documents, drawings and screenshots, too.")
    tolerate: bool = shared(MaskOptions, "tolerate")

    def __post_init__(self) -> None:
        verify(self)
        _ = self.wanted  # skip may leave nothing of what is asked for

    @property
    def wanted(self) -> frozenset[StepKind]:
        """The steps that may be taken."""
        return parse_steps(self.only, self.skip)

    def strength_of(self, step: StepKind) -> float:
        """0 to 1, of one step; damage is mended or is not."""
        shares = {"noise": self.noise, "blocks": self.blocks, "tone": self.tone}
        return self.strength * shares[step] if step in shares else 1.0

    @property
    def settings(self) -> Settings:
        """How damage is repaired."""
        return Settings(quality=self.quality, seed=self.seed)

    @property
    def mask_options(self) -> MaskOptions:
        """What damage is looked for."""
        return MaskOptions(sensitivity=self.sensitivity, force=self.force, tolerate=self.tolerate)


class RestoreKeywords(TypedDict, total=False):
    """The keywords of ``restore``, for type checkers and editors; a test holds them to the table."""

    only: str | Sequence[str]
    skip: str | Sequence[str]
    strength: float
    noise: float
    blocks: float
    tone: float
    upscale: int
    sensitivity: float
    quality: str
    seed: int
    force: bool
    tolerate: bool
    max_pixels: int
    max_memory: int
    max_ratio: float
    time_limit_s: float | None
    accept: str | Sequence[str]
