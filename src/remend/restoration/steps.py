"""Which steps help a picture, why, and how strongly: gates over what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from remend.options.restoration import STEPS, RestoreOptions, StepKind
from remend.restoration.compression import Compression
from remend.restoration.inspection import Inspection
from remend.restoration.tones import curves_of, steepest

__all__ = ["Step", "contrast_raised", "seen_of_noise", "steps_for", "tone_goes_first"]

FAINT_LEVELS = 0.5  # by statistics, which miss most of grain; from here on the net is asked
NOISE_LEVELS = 3.0  # in a coarse JPEG, where the net sees blocks everywhere
SEEN_LEVELS = 1.2  # what the net takes off everywhere; of noise of 3 levels 1.8 at least, clean: .9 at most
SEEN_BLOCKS = 1.9  # of JPEGs whose blocks show, clean ones: 1.6 at most where statistics say little, too
SEEN_BOTH = 1.5  # where they say much
NO_BLOCKS = 90  # quality from which on clean JPEGs are as clean as others: 1.0 at most
COARSE_QUALITY = 70  # above, blocks are not seen
COARSE_EARLIER = 60
WEAK_NOISE, FINE_QUALITY = 5.0, 50  # tone goes first below, and above


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


def steps_for(
    inspection: Inspection, options: RestoreOptions, *, page: bool = False, faded: bool = False
) -> tuple[Step, ...]:
    """A step for each kind, those that are not taken with strength 0, in order.

    Args:
        inspection: what was measured.
        options: what is wanted.
        page: a document or a drawing, whose tones are those of paper and ink.
        faded: it was, and was measured after its tones were brought back.
    """
    found = []
    wanted, raised = options.wanted, 1.0 if faded else contrast_raised(inspection, options, page=page)
    for kind in STEPS:
        helps, reason = _GATES[kind](inspection, page, raised)
        reason = f"once tones are brought back, {reason}" if faded else reason
        if kind not in wanted:
            helps, reason = False, "not asked for"
        found.append(Step(kind, options.strength_of(kind) if helps else 0.0, reason))
    return tuple(found)


def tone_goes_first(inspection: Inspection) -> bool:
    """Whether a faded picture is better brought back before anything else is done.

    Damage is found, and blocks are seen, as they are at full contrast. But much noise spoils what tells where
    black and white were, and a coarse JPEG is restored within the bounds of its own file.
    Learned from made mixtures by ``benchmarks/chain_policy.py``.
    """
    shown = inspection.compression
    return inspection.noise.mean < WEAK_NOISE and (shown is None or shown.quality > FINE_QUALITY)


def seen_of_noise(inspection: Inspection) -> float:
    """How much the net must see everywhere for it to be noise, in levels; less is texture, or blocks."""
    shown = inspection.compression
    if shown is None or shown.quality >= NO_BLOCKS:
        return SEEN_LEVELS
    return SEEN_BLOCKS if inspection.noise.mean < NOISE_LEVELS else SEEN_BOTH


def contrast_raised(inspection: Inspection, options: RestoreOptions, *, page: bool = False) -> float:
    """By how much bringing tones back will raise contrast, and noise with it; 1 = it will not."""
    if "tone" not in options.wanted:
        return 1.0
    return 1 + options.strength_of("tone") * (steepest(curves_of(inspection.tones, page=page)) - 1)


def _noise(inspection: Inspection, page: bool, raised: float) -> tuple[bool, str]:
    sigma = inspection.noise.mean
    said = f"noise of {sigma:.1f} levels"
    if raised > 1:
        said += f", {sigma * raised:.1f} when tones are brought back"
    helps = sigma * raised >= (NOISE_LEVELS if _is_coarse(inspection.compression) else FAINT_LEVELS)
    return helps, said if helps else f"{said}: it stays"


def _blocks(inspection: Inspection, page: bool, raised: float) -> tuple[bool, str]:
    shown = inspection.compression
    if shown is None:
        return False, "no blocks of a JPEG are seen"
    said = f"pixels as of a JPEG of quality {shown.quality}"
    if shown.earlier is not None:
        said += f", and of {shown.earlier} before that"
    coarse = _is_coarse(shown)
    return coarse, said if coarse else f"{said}: above {COARSE_QUALITY} it stays"


def _is_coarse(shown: Compression | None) -> bool:
    return shown is not None and (shown.quality <= COARSE_QUALITY or (shown.earlier or 100) <= COARSE_EARLIER)


def _tone(inspection: Inspection, page: bool, raised: float) -> tuple[bool, str]:
    tones = inspection.tones
    said = (
        f"black at {min(tones.black):.0f}, white at {max(tones.white):.0f}, cast of {tones.cast:.0f} levels"
    )
    helps = curves_of(tones, page=page) is not None
    return helps, said if helps else f"{said}: not faded"


def _screen(inspection: Inspection, page: bool, raised: float) -> tuple[bool, str]:
    screen = inspection.screen
    if screen is None:
        return False, "no lattice of dots is certain"
    angles = ", ".join(f"{angle:.0f}°" for angle in screen.angles)
    return True, f"dots every {screen.period_px:.2f} px at {angles}"


def _damage(inspection: Inspection, page: bool, raised: float) -> tuple[bool, str]:
    return True, "what is found to be damaged"


_GATES = {"screen": _screen, "noise": _noise, "blocks": _blocks, "tone": _tone, "damage": _damage}
