"""Pictures that nothing is wrong with: how many the default command would change, and how much of them."""

from __future__ import annotations

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import mean
from benchmarks.finding.finder import effective
from benchmarks.finding.pictures import clean_photographs


def measure(every: int) -> Measured:
    """Search every n-th picture."""
    shares: dict[str, dict[str, float]] = {}
    for photo in clean_photographs(every):
        shares.setdefault(photo.of_set, {})[photo.name] = float(effective(photo.pixels).mean())
    figures = {name: _summary(of_set) for name, of_set in shares.items()}
    everything = [share for of_set in shares.values() for share in of_set.values()]
    changed = 100 * mean(share > 0 for share in everything)
    percent = 100 * mean(everything)
    bars = [
        Bar("clean photographs: changed at all, %", changed, 10, 3, at_most=True),
        Bar("clean photographs: share of their pixels, %", percent, 0.01, 0.002, at_most=True),
    ]
    return Measured({"pictures": len(everything), **figures}, bars)


def _summary(shares: dict[str, float]) -> dict[str, object]:
    worst = sorted(shares, key=lambda name: -shares[name])[:8]
    return {
        "pictures": len(shares),
        "changed": sum(share > 0 for share in shares.values()),
        "percent_of_pixels": round(100 * mean(shares.values()), 4),
        "most_percent": {name: round(100 * shares[name], 4) for name in worst if shares[name]},
    }
