"""What a worker tells of what it did: regions, steps, notes and names, as JSON has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remend.damage.given import dilated
from remend.finding import Finding
from remend.io.registry import FORMATS, ending_of
from remend.picture import Bool, Picture, Region
from remend.plan.plan import Plan

__all__ = [
    "answer_name",
    "notes_of",
    "picture_of_mask",
    "plain_report",
    "ratio_of",
    "rounded",
    "runs_of",
    "told_fillers",
    "told_regions",
    "told_steps",
]

MOST_STEPS = 200  # of a plan, shown in a report


def plain_report(filename: str, media_type: str, size: int, pixels: tuple[int, int]) -> dict[str, Any]:
    """What is told of an answer that neither looked for damage nor filled any."""
    return {
        "filename": filename,
        "media_type": media_type,
        "bytes": size,
        "width": pixels[1],
        "height": pixels[0],
        "hole_ratio": 0.0,
        "nature": None,
        "found": {},
        "left": {},
        "plan": [],
        "steps": [],
        "notes": [],
        "seconds": {},
    }


def notes_of(picture: Picture, finding: Finding) -> list[str]:
    """What there is to say of a file and of its mask."""
    return [*(picture.container.notes if picture.container is not None else ()), *finding.notes]


def picture_of_mask(mask: Bool) -> Picture:
    """A mask as a grey picture, white = repair."""
    return Picture(mask[..., None].astype(np.uint8) * np.uint8(255), "L")


def ratio_of(mask: Bool) -> float:
    """Which share of a picture a mask marks."""
    return round(float(np.count_nonzero(mask)) / mask.size, 6)


def told_regions(regions: Sequence[Region], dilate_px: int, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Surest first; each grown by itself, so that their union is the effective mask."""
    found = []
    ordered = sorted(regions, key=lambda region: -region.confidence)
    for number, region in enumerate(ordered):
        grown = _grown(region, dilate_px, size)
        box = grown.box
        found.append(
            {
                "id": number,
                "kind": region.kind,
                "confidence": round(region.confidence, 3),
                "box": [box.left, box.top, box.right, box.bottom],
                "pixels": int(np.count_nonzero(grown.mask)),
                "runs": runs_of(grown.mask),
            }
        )
    return found


def _grown(region: Region, by_px: int, size: tuple[int, int]) -> Region:
    box = region.box.grown(by_px, size)
    mask = np.zeros((box.height, box.width), bool)
    mask[region.box.inside(box).slices] = region.mask
    return Region(box, dilated(mask, by_px), region.kind, region.confidence)


def runs_of(mask: Bool) -> list[int]:
    """Lengths of unmarked and marked runs in turn, row by row, without the last unmarked one.

    >>> import numpy as np
    >>> runs_of(np.array([[0, 1, 1], [1, 0, 0]], bool))
    [1, 3]
    >>> runs_of(np.array([[1, 0], [0, 1]], bool))
    [0, 1, 2, 1]
    """
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    runs: list[int] = np.diff(edges, prepend=0).tolist()
    return runs


def told_fillers(plan: Plan) -> list[dict[str, Any]]:
    """How many windows each filler got, in the order they were first called."""
    counts = Counter(step.filler for step in plan.steps)
    return [{"filler": name, "windows": count} for name, count in counts.items()]


def told_steps(plan: Plan) -> list[dict[str, Any]]:
    """The first steps of a plan, each with its reason."""
    return [
        {
            "filler": step.filler,
            "reason": step.reason,
            "window": [step.window.left, step.window.top, step.window.right, step.window.bottom],
        }
        for step in plan.steps[:MOST_STEPS]
    ]


def answer_name(filename: str, format: str, done: str = "repaired") -> str:
    """``photo.jpg`` → ``photo.repaired.jpg``; the ending stays if it stands for the format."""
    path = Path(filename)
    endings = FORMATS[format]
    ending = ending_of(path)
    stem = path.name.removesuffix(ending)
    return f"{stem}.{done}{ending if ending.lower() in endings else endings[0]}"


def rounded(seconds: dict[str, float]) -> dict[str, float]:
    """Seconds of each stage, to a tenth of a millisecond."""
    return {stage: round(spent, 4) for stage, spent in seconds.items()}
