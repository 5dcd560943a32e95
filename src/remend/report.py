"""What happened to a repaired picture, or to the pages of a file: `RepairReport`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from remend.finding import Finding
from remend.pipeline import Restored
from remend.plan.plan import Plan
from remend.planes import count_marked

if TYPE_CHECKING:
    from remend.stack import Turn

__all__ = ["RepairReport", "Tally", "report_of"]

FAR_PX = 32.0  # a fill so far from anything known is half as certain


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What happened to one picture; ``as_json`` is a line of ``--json``.

    Attributes:
        source: the input's name.
        target: where the result was written; None for a dry run.
        size: (height, width).
        hole_ratio: share of the picture that the effective mask marks.
        found: how many regions of each kind were found.
        plan: what was done, or would be done.
        notes: lines that the user should see.
        seconds: by stage.
        left: how many regions of each kind were seen and left alone.
        nature: what the picture is, as far as it was asked: ``photograph``, ``document`` …
        pages: how many of a file were repaired; size and nature are the first one's then.
        certainty: 0 to 1, for putting what a person should look at first: how sure the damage was, by area,
            over 1 + the widest hole's inscribed radius / 32 px. It ranks repairs and is no probability.
    """

    source: str
    target: str | None
    size: tuple[int, int]
    hole_ratio: float
    found: dict[str, int]
    plan: Plan
    notes: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    nature: str | None = None
    pages: int = 1
    certainty: float = 1.0

    def as_json(self) -> dict[str, Any]:
        """Plain data, without the arrays."""
        return {
            "input": self.source,
            "output": self.target,
            "width": self.size[1],
            "height": self.size[0],
            **({"pages": self.pages} if self.pages > 1 else {}),
            "hole_ratio": round(self.hole_ratio, 6),
            "nature": self.nature,
            "found": self.found,
            "left": self.left,
            "methods": dict(Counter(step.filler for step in self.plan.steps)),
            "certainty": round(self.certainty, 4),
            "notes": list(self.notes),
            "seconds": {stage: round(spent, 4) for stage, spent in self.seconds.items()},
        }


def report_of(
    name: str,
    where: str | None,
    finding: Finding,
    plan: Plan,
    notes: tuple[str, ...],
    seconds: dict[str, float],
) -> RepairReport:
    """What happened to one picture, or to one page."""
    height, width = finding.mask.shape
    return RepairReport(
        source=name,
        target=where,
        size=(height, width),
        hole_ratio=count_marked(finding.mask) / finding.mask.size,
        found=dict(Counter(region.kind for region in finding.regions)),
        plan=plan,
        notes=notes,
        seconds=seconds,
        left=dict(Counter(region.kind for region in finding.left)),
        nature=finding.nature,
        certainty=_certainty(finding, plan),
    )


def _certainty(finding: Finding, plan: Plan) -> float:
    """See ``RepairReport.certainty``."""
    weights = [np.count_nonzero(region.mask) for region in finding.regions]
    sure = (
        float(np.average([region.confidence for region in finding.regions], weights=weights))
        if any(weights)
        else 1.0
    )
    return sure / (1 + max((step.radius_px for step in plan.steps), default=0.0) / FAR_PX)


class Tally:
    """What is told of many pages: sums, and each note once."""

    def __init__(self, axis: str, notes: tuple[str, ...]) -> None:
        self.axis, self.general = axis, notes
        self.turns: list[RepairReport] = []
        self.pixels = 0
        self.notes: dict[str, list[int]] = {}

    def counted(
        self, turns: Iterator[Turn], inspect: Callable[[Restored, Finding], None] | None
    ) -> Iterator[Turn]:
        """The turns as they come, each counted, and looked at by ``inspect``."""
        for turn in turns:
            finding, restored = turn.finding, turn.restored
            if inspect is not None:
                inspect(restored, finding)
            kept = restored.picture.container
            for note in (*(kept.notes if kept is not None else ()), *finding.notes):
                self.notes.setdefault(note, []).append(turn.number + 1)
            self.turns.append(report_of("", None, finding, restored.plan, (), {}))
            yield turn

    def report(
        self, name: str, where: str | None, said: tuple[str, ...], seconds: dict[str, float]
    ) -> RepairReport:
        """One report of all pages."""
        pixels = [height * width for height, width in (turn.size for turn in self.turns)]
        holes = sum(turn.hole_ratio * size for turn, size in zip(self.turns, pixels, strict=True))
        told = tuple(
            note if len(on) == len(self.turns) else f"{self.axis} {', '.join(map(str, on))}: {note}"
            for note, on in self.notes.items()
        )
        return RepairReport(
            source=name,
            target=where,
            size=self.turns[0].size,
            hole_ratio=holes / sum(pixels),
            found=dict(sum((Counter(turn.found) for turn in self.turns), Counter[str]())),
            plan=Plan(tuple(step for turn in self.turns for step in turn.plan.steps)),
            notes=(*self.general, *told, *said),
            seconds=seconds,
            left=dict(sum((Counter(turn.left) for turn in self.turns), Counter[str]())),
            nature=self.turns[0].nature,
            pages=len(self.turns),
            certainty=min(turn.certainty for turn in self.turns),
        )
