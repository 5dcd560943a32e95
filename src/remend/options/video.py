"""What may be asked of `remend video`: what is looked for, how far around, how it is coded.

Fields are options like those of `remend.options`: the flags are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from remend.errors import UsageError
from remend.options import MaskOptions, Settings
from remend.options.option import option, shared, verify, with_help

__all__ = ["FILM", "STEADY", "VideoOptions"]

FILM = ("dust", "scratches", "hair")
"""What is looked for in film: dirt of one frame, lines of many, hairs that stay in the gate."""

STEADY = ("light", "frame")
"""What can be made steady: brightness that flickers, frames that jump."""


def _check_kinds(words: str | Sequence[str]) -> None:
    """See that film is searched for what is known in it."""
    for word in words.split(",") if isinstance(words, str) else words:
        if word not in FILM:
            raise UsageError(f"in film one looks for {', '.join(FILM)}, not for {word[:40]!r}")


def _check_steady(words: str | Sequence[str]) -> None:
    """See that what can be made steady is asked for."""
    for word in words.split(",") if isinstance(words, str) else words:
        if word not in STEADY:
            raise UsageError(f"what can be made steady is {' and '.join(STEADY)}, not {word[:40]!r}")


@with_help
@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOptions:
    """How a clip is repaired."""

    find: str | Sequence[str] = option(
        (),
        "What to look for in film, with commas between: dust (of one frame), scratches (of many), "
        "hair (in the gate).",
        metavar="KINDS",
        check=_check_kinds,
        told="nothing, the mask says it",
    )
    steady: str | Sequence[str] = option(
        (),
        "What to make steady, with commas between: light (brightness that flickers from frame to frame), "
        "frame (frames that jump, by a worn gate or a hand). Whole frames change.",
        metavar="WHAT",
        check=_check_steady,
        told="nothing",
    )
    track: int | None = option(
        None,
        "The mask is of this frame, counted from 1; what it marks is followed through its shot.",
        type="integer",
        low=1,
        metavar="FRAME",
        told="the mask is for all frames, or there is one for each",
    )
    reach: int = option(
        20, "Frames to each side that are looked at; large frames allow fewer.", low=1, high=200
    )
    method: str = shared(
        Settings,
        "method",
        type="string",
        help="Of the still fill, where no frame shows what was there.",
    )
    quality: str = shared(Settings, "quality", help="What that fill may spend.")
    grain: float = shared(Settings, "grain", help="Grain of what is filled; 1 = as around.")
    seed: int = shared(Settings, "seed", help="Same seed, same frames.")
    mask_polarity: str = shared(MaskOptions, "mask_polarity")
    dilate_px: int | None = shared(MaskOptions, "dilate_px", help="Grow given masks. Default: 0.")
    resize_mask: bool = shared(MaskOptions, "resize_mask", help="Accept masks of another size.")
    crf: int | None = option(
        None, "Of the encoder, lower is better. Default: 14; VP9: 16.", type="integer", low=0, high=63
    )
    lossless: bool = option(False, "Every decoded sample outside holes comes back as it was.")
    ffmpeg: bool = option(
        False, "Read and write videos by this machine's own ffmpeg and ffprobe instead of PyAV."
    )

    def __post_init__(self) -> None:
        verify(self)

    @property
    def settings(self) -> Settings:
        """Of the still fill."""
        return Settings(method=self.method, quality=self.quality, grain=self.grain, seed=self.seed)

    @property
    def masks(self) -> MaskOptions:
        """How masks are read."""
        return MaskOptions(
            mask_polarity=self.mask_polarity,  # type: ignore[arg-type]  # a choice of the same option
            dilate_px=self.dilate_px,
            resize_mask=self.resize_mask,
        )
