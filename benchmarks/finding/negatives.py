"""Documents, graphics and special scenes made by code: how many the default command would change."""

from __future__ import annotations

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.finder import effective
from benchmarks.finding.pictures import shared


def measure(every: int) -> Measured:
    """Search them all; there are few."""
    del every
    paths = sorted(path for path in shared("negatives").iterdir() if path.suffix in (".png", ".jpg"))
    shares = {path.name: 100 * float(effective(path).mean()) for path in paths}
    changed = {name: round(share, 4) for name, share in shares.items() if share}
    figures = {"pictures": len(paths), "changed": len(changed), "changed_percent": changed}
    return Measured(figures, [Bar("negatives: changed", len(changed), 2, 0, at_most=True)])
