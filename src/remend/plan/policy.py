"""Which filler for which hole: a table for each quality, read from the top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from remend.added import preferred
from remend.errors import UsageError
from remend.windows.evenness import ONE_TEXTURE

__all__ = ["POLICIES", "Choice", "Looks", "Policy", "Rung", "policy_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What is measured of a hole; see ``remend.plan.holes``.

    Attributes:
        radius_px: its inscribed radius.
        share: that as a share of the picture's shorter side.
        border: share of its outline that lies along the picture's border.
        activity: the texture around it; None where it was not measured.
        unevenness: of its surroundings; None where it was not measured.
    """

    radius_px: float
    share: float = 0.0
    border: float = 0.0
    activity: float | None = None
    unevenness: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the table: this filler, if the hole is within these bounds.

    Attributes:
        filler: its name in the registry, or the path of a model.
        radius_px: largest inscribed radius of the hole; None = any.
        activity: largest texture activity around the hole (see ``remend.plan.holes``); None = any.
        unevenness: largest unevenness of the surroundings (see ``remend.windows.evenness``); None = any.
        beyond_share: only holes whose inscribed radius exceeds this share of the picture's shorter side.
        beyond_border: only holes of whose outline a larger share lies along the picture's border.
        most_px: only if no more pixels than this are damaged in all: it takes its time; None = any.
    """

    filler: str
    radius_px: float | None = None
    activity: float | None = None
    unevenness: float | None = None
    beyond_share: float = 0.0
    beyond_border: float = 0.0
    most_px: int | None = None

    @property
    def looks(self) -> bool:
        """Whether it asks for more than the radius."""
        return bool(
            self.activity is not None
            or self.unevenness is not None
            or self.beyond_share
            or self.beyond_border
        )

    def unmet(self, hole: Looks) -> str | None:
        """The first bound that the hole is not within, in words where measured; None = it is within all."""
        if self.radius_px is not None and hole.radius_px > self.radius_px:
            return ""
        if self.beyond_share and hole.share <= self.beyond_share:
            return ""
        if self.beyond_border and hole.border <= self.beyond_border:
            return ""
        if self.activity is not None and hole.activity is not None and hole.activity > self.activity:
            return f"texture {hole.activity:.3f} > {self.activity:g}"
        if self.unevenness is not None and (hole.unevenness is None or hole.unevenness > self.unevenness):
            return (
                "" if hole.unevenness is None else f"unevenness {hole.unevenness:.2f} > {self.unevenness:g}"
            )
        return None

    def met(self, hole: Looks) -> list[str]:
        """The bounds beside the radius that the hole is within, in words."""
        reasons = []
        if self.activity is not None and hole.activity is not None:
            reasons.append(f"texture {hole.activity:.3f} ≤ {self.activity:g}")
        if self.unevenness is not None and hole.unevenness is not None:
            reasons.append(f"unevenness {hole.unevenness:.2f} ≤ {self.unevenness:g}: one texture")
        if self.beyond_border:
            reasons.append(f"{100 * hole.border:.0f} % of its outline is the picture's border")
        elif self.beyond_share:
            reasons.append(
                f"{100 * hole.share:.0f} % of the picture's side, too wide to be made up of what is around"
            )
        return reasons


@dataclass(frozen=True, slots=True)
class Choice:
    """A filler and why it was chosen."""

    filler: str
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Rungs from the top; the first whose bounds hold a hole takes it. The last has no bounds."""

    rungs: tuple[Rung, ...]

    def affordable(self, damaged_px: int) -> Policy:
        """Without the rungs that would take too long over so much damage."""
        return Policy(tuple(r for r in self.rungs if r.most_px is None or damaged_px <= r.most_px))

    @property
    def looks_above_px(self) -> float | None:
        """Holes of a larger radius need their surroundings measured; None = no hole does."""
        if not any(rung.looks for rung in self.rungs):
            return None
        bound = 0.0
        for rung in self.rungs:
            if rung.looks or rung.radius_px is None:
                break
            bound = rung.radius_px
        return bound

    @property
    def alike_up_to_px(self) -> float:
        """Holes up to this radius all go to the first rung, whatever surrounds them."""
        first = self.rungs[0]
        if first.looks:
            return 0.0
        return inf if first.radius_px is None else first.radius_px

    def choose(self, hole: Looks) -> Choice:
        """The filler for a hole, and why: what it met, and which measured bounds it did not."""
        reasons: list[str] = []
        for rung in self.rungs:
            unmet = rung.unmet(hole)
            if unmet is None:
                least = "" if rung.radius_px is None else f" ≤ {rung.radius_px:g}"
                first = f"radius {hole.radius_px:.1f} px{least}"
                return Choice(rung.filler, ", ".join([first, *reasons, *rung.met(hole)]))
            reasons += [] if not unmet or unmet in reasons else [unmet]
        raise AssertionError("the last rung of a policy has no bounds")


_WIDE = ("neural", "neural-views", "neural-exemplar", "neural-exemplar-views")
_THIN = ("neural-thin", "neural-thin-views")
CALM = 0.0022
BUSY = 0.04
SMALL_PX = 48.0

# Thin damage: the net is 1.4 dB better than the smooth fill and takes 20 µs a damaged pixel: `balanced`
# spends at most two seconds on it. The wide net beats copied texture at every radius by PSNR and by
# likeness (150 holes of pictures set aside: 16.5 dB and PD .79 against 15.5 and .89 up to 48 px) and is
# softer; copies that agree with it are nearly as sharp and nearly as near (docs/log.md, 26 November). The
# bounds were set by looking: where an object is taken out of a textured scene, copies look real and the net
# is soft; where most of a face is gone, they give it hairy cheeks. Busier surroundings than .04 are no
# face's, but in thumbnails: in them the net alone draws a lattice (a bear before gravel, a hunter in
# grass), and copies follow it. In one texture whole pieces beat everything else. Beyond the picture's
# border nets draw masks and carvings, for .7 dB less than a smooth fill. Up to an activity of .002 smooth
# fills are the better ones by every measure, and from .0025 on the net by both judges (26 boxes amid calm
# surroundings); up to .012 copies show their steps in skies, and the net alone does not. `best` asks the
# nets from both sides (docs/log.md, 27 November): to choose among answers gains less, with the truth in
# hand.
POLICIES: dict[str, Policy] = {
    "fast": Policy((Rung("smooth"),)),
    "balanced": Policy(
        (
            Rung("neural-thin", radius_px=6.0, most_px=100_000),
            Rung("smooth", radius_px=6.0),
            Rung("smooth", activity=CALM),
            Rung("quilt", unevenness=ONE_TEXTURE),
            Rung("smooth", beyond_share=0.05, beyond_border=0.55),
            Rung("neural", activity=0.012),
            Rung("neural", radius_px=24.0),
            Rung("neural", radius_px=SMALL_PX, beyond_share=0.2),
            Rung("neural", activity=BUSY, beyond_share=0.2),
            Rung("neural-exemplar"),
        )
    ),
    "best": Policy(
        (
            Rung("neural-thin-views", radius_px=6.0),
            Rung("smooth", activity=CALM),
            Rung("quilt", unevenness=ONE_TEXTURE),
            Rung("smooth", beyond_share=0.05, beyond_border=0.55),
            Rung("neural-views", activity=0.012),
            Rung("neural-views", radius_px=24.0),
            Rung("neural-views", radius_px=SMALL_PX, beyond_share=0.2),
            Rung("neural-views", activity=BUSY, beyond_share=0.2),
            Rung("neural-exemplar-views"),
        )
    ),
}


def policy_for(method: str, quality: str) -> Policy:
    """The table for ``--method auto`` at a quality, or one filler for everything.

    A model that the user prefers for wide holes (`remend models use`) stands where the embedded net for them
    would, and where copies follow it.

    Raises:
        UsageError: an unknown quality.
    """
    if quality not in POLICIES:
        raise UsageError(f"quality must be one of {', '.join(POLICIES)}, got {quality!r}")
    if method != "auto":
        return Policy((Rung(method),))
    policy = POLICIES[quality]
    instead = dict.fromkeys(_THIN, preferred("thin")) | dict.fromkeys(_WIDE, preferred("wide"))
    return Policy(
        tuple(replace(rung, filler=instead.get(rung.filler) or rung.filler) for rung in policy.rungs)
    )
