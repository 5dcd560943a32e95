"""Which steps help a picture, why, and how strongly: gates over what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from remend.options.restoration import STEPS, RestoreOptions, StepKind
from remend.restoration.inspection import Inspection
from remend.restoration.tones import curves_of

__all__ = ["SEEN_LEVELS", "Step", "steps_for"]

NOISE_LEVELS = 3.0  # below, it is the grain of a good photograph, and stays
SEEN_LEVELS = 1.5  # what the net takes off everywhere; of noise of 3 levels 1.8 at least, clean: 1.3 at most
COARSE_QUALITY = 70  # above, blocks are not seen
COARSE_EARLIER = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        kind: which.
        strength: 0 to 1; 0 = it is not taken.
        reason: why, or why not, in words with the numbers.
    """

    kind: StepKind
    strength: float
    reason: str


def steps_for(inspection: Inspection, options: RestoreOptions) -> tuple[Step, ...]:
    """A step for each kind, those that are not taken with strength 0, in order."""
    found = []
    wanted = options.wanted
    for kind in STEPS:
        helps, reason = _GATES[kind](inspection)
        if kind not in wanted:
            helps, reason = False, "not asked for"
        found.append(Step(kind, options.strength_of(kind) if helps else 0.0, reason))
    return tuple(found)


def _noise(inspection: Inspection) -> tuple[bool, str]:
    sigma = inspection.noise.mean
    return sigma >= NOISE_LEVELS, f"noise of {sigma:.1f} levels" + (
        "" if sigma >= NOISE_LEVELS else f": below {NOISE_LEVELS:g} it stays"
    )


def _blocks(inspection: Inspection) -> tuple[bool, str]:
    shown = inspection.compression
    if shown is None:
        return False, "no blocks of a JPEG are seen"
    said = f"pixels as of a JPEG of quality {shown.quality}"
    if shown.earlier is not None:
        said += f", and of {shown.earlier} before that"
    coarse = shown.quality <= COARSE_QUALITY or (shown.earlier or 100) <= COARSE_EARLIER
    return coarse, said if coarse else f"{said}: above {COARSE_QUALITY} it stays"


def _tone(inspection: Inspection) -> tuple[bool, str]:
    tones = inspection.tones
    said = (
        f"black at {min(tones.black):.0f}, white at {max(tones.white):.0f}, cast of {tones.cast:.0f} levels"
    )
    helps = curves_of(tones) is not None
    return helps, said if helps else f"{said}: not faded"


def _damage(inspection: Inspection) -> tuple[bool, str]:
    return True, "what is found to be damaged"


_GATES = {"noise": _noise, "blocks": _blocks, "tone": _tone, "damage": _damage}
