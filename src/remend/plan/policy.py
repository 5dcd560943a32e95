"""Which filler for which hole: a table for each quality, read from the top."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from remend.errors import UsageError

__all__ = ["POLICIES", "Choice", "Policy", "Rung", "policy_for"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the table: this filler, if the hole is within these bounds.

    Attributes:
        filler: its name in the catalogue, or the path of a model.
        radius_px: largest inscribed radius of the hole; None = any.
        activity: largest texture activity around the hole (see ``remend.plan.holes``); None = any.
        beyond_share: only holes whose inscribed radius exceeds this share of the picture's shorter side.
        most_px: only if no more pixels than this are damaged in all: it takes its time; None = any.
    """

    filler: str
    radius_px: float | None = None
    activity: float | None = None
    beyond_share: float = 0.0
    most_px: int | None = None


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
    def needs_activity_above_px(self) -> float | None:
        """Holes of a larger radius need their texture measured; None = no hole does."""
        if all(rung.activity is None for rung in self.rungs):
            return None
        bound = 0.0
        for rung in self.rungs:
            if rung.activity is not None or rung.radius_px is None or rung.beyond_share:
                break
            bound = rung.radius_px
        return bound

    @property
    def alike_up_to_px(self) -> float:
        """Holes up to this radius all go to the first rung, whatever surrounds them."""
        first = self.rungs[0]
        if first.activity is not None or first.beyond_share:
            return 0.0
        return inf if first.radius_px is None else first.radius_px

    def choose(self, radius_px: float, activity: float | None, share: float) -> Choice:
        """The filler for a hole.

        Args:
            radius_px: its inscribed radius.
            activity: the texture around it; None where no rung asks for it.
            share: its inscribed radius as a share of the picture's shorter side.
        """
        said = [f"radius {radius_px:.1f} px"]
        for rung in self.rungs:
            if rung.radius_px is not None and radius_px > rung.radius_px:
                continue
            if share <= rung.beyond_share and rung.beyond_share:
                continue
            if rung.activity is not None and activity is not None and activity > rung.activity:
                said.append(f"texture {activity:.3f} > {rung.activity:g}")
                continue
            if rung.radius_px is not None:
                said[0] += f" ≤ {rung.radius_px:g}"
            if rung.activity is not None and activity is not None:
                said.append(f"texture {activity:.3f} ≤ {rung.activity:g}")
            if rung.beyond_share:
                said.append(
                    f"{100 * share:.0f} % of the picture's side, too wide to be made up of what is around"
                )
            return Choice(rung.filler, ", ".join(said))
        raise AssertionError("the last rung of a policy has no bounds")


# Thin damage: the net is 1.4 dB better than the smooth fill and takes 20 µs a damaged pixel: `balanced`
# spends at most two seconds on it. The wide net beats copied texture at every radius by PSNR and by likeness
# (150 holes of pictures set aside: 16.5 dB and PD .79 against 15.5 and .89 up to 48 px) and is softer; copies
# that agree with it are nearly as sharp and nearly as near (docs/log.md, 26 November). The bounds were set by
# looking: where an object is taken out of a textured scene, copies look real and the net is soft; where most
# of a face is gone, they give it hairy cheeks.
POLICIES: dict[str, Policy] = {
    "fast": Policy((Rung("smooth"),)),
    "balanced": Policy(
        (
            Rung("neural-thin", radius_px=6.0, most_px=100_000),
            Rung("smooth", radius_px=6.0),
            Rung("smooth", activity=0.012),
            Rung("neural", radius_px=24.0),
            Rung("neural", beyond_share=0.2),
            Rung("neural-exemplar"),
        )
    ),
    "best": Policy(
        (
            Rung("neural-thin", radius_px=6.0),
            Rung("smooth", activity=0.006),
            Rung("neural", beyond_share=0.2),
            Rung("neural-exemplar"),
        )
    ),
}


def policy_for(method: str, quality: str) -> Policy:
    """The table for ``--method auto`` at a quality, or one filler for everything.

    Raises:
        UsageError: an unknown quality.
    """
    if quality not in POLICIES:
        raise UsageError(f"quality must be one of {', '.join(POLICIES)}, got {quality!r}")
    return POLICIES[quality] if method == "auto" else Policy((Rung(method),))
