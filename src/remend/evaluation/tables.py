"""An evaluation as a table for the terminal, as CSV and as plain data."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

from remend.evaluation.analysis import Analysis, Mean, analyse
from remend.evaluation.bootstrap import DRAWS, LEVEL, SEED
from remend.evaluation.distributions import FEW
from remend.evaluation.scores import Evaluation, Score, Summary
from remend.evaluation.shown import in_order, number, shown

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_csv", "as_json", "caveats", "score_json", "sets_table", "table"]


def table(evaluation: Evaluation) -> Table:
    """The summary as a rich table: a line a method, the best of each column in bold."""
    from rich.table import Table

    summaries = evaluation.summaries
    names = in_order(evaluation.metrics)
    title = f"{len(evaluation.protocol.pairs)} pairs · protocol {evaluation.protocol.short}"
    drawn = Table(title=title, title_justify="left")
    drawn.add_column("method", overflow="fold")
    headings = (shown(name).heading for name in names)
    for heading in ("n", "failed", *headings, "s (median)", "max Δ outside"):
        drawn.add_column(heading, justify="right")
    best = {name: _best(name, summaries) for name in names}
    for summary in summaries:
        cells = [summary.method, str(summary.pictures), str(summary.failed)]
        for name in names:
            text = number(name, summary.means[name])
            cells.append(f"[bold]{text}[/bold]" if summary.means[name] == best[name] else text)
        cells.append("–" if summary.seconds is None else f"{summary.seconds:.3f}")
        cells.append("–" if summary.outside_levels is None else str(summary.outside_levels))
        drawn.add_row(*cells)
    return drawn


def sets_table(evaluation: Evaluation) -> Table | None:
    """FID and its kin as a rich table; None where no features were given."""
    from rich.table import Table

    names = list(dict.fromkeys(name for figures in evaluation.sets.values() for name in figures))
    if not names:
        return None
    title = f"over all {len(evaluation.common)} pictures · protocol {evaluation.protocol.short}"
    drawn = Table(title=title, title_justify="left")
    drawn.add_column("method", overflow="fold")
    for name in names:
        drawn.add_column(shown(name).heading, justify="right")
    for method, figures in evaluation.sets.items():
        drawn.add_row(method, *(number(name, figures.get(name)) for name in names))
    return drawn


def caveats(evaluation: Evaluation) -> tuple[str, ...]:
    """What a reader must know about the figures, a line each."""
    lines = []
    count = len(evaluation.common)
    if evaluation.sets and count < FEW:
        lines.append(
            f"FID, KID, P-IDS and U-IDS of N = {count} pictures, fewer than {FEW}: FID is biased upwards by "
            "the small N, P-IDS and U-IDS towards 0, KID is unbiased but noisy and may be negative; compare "
            "only at this N and with these features, and with no paper's figures."
        )
    return tuple(lines)


def as_csv(evaluation: Evaluation) -> str:
    """A row a pair and method; empty cells where a metric does not apply; full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = evaluation.metrics
    writer.writerow(
        ["pair", "method", "hole_ratio", *names, "outside_levels", "seconds", "error", "protocol", "buckets"]
    )
    for score in evaluation.scores:
        row = [
            score.pair,
            score.method,
            score.hole_ratio,
            *(_finite(score.metrics.get(name)) for name in names),
            score.outside_levels,
            score.seconds,
            score.error,
            evaluation.protocol.short,
            " | ".join(score.buckets),
        ]
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue()


def score_json(score: Score, protocol: str) -> dict[str, Any]:
    """Plain data of one score; metrics that do not apply are null."""
    return {
        "pair": score.pair,
        "method": score.method,
        "hole_ratio": round(score.hole_ratio, 6),
        "buckets": list(score.buckets),
        "seconds": score.seconds,
        "metrics": {name: _finite(value) for name, value in score.metrics.items()},
        "outside_levels": score.outside_levels,
        "error": score.error,
        "protocol": protocol,
    }


def as_json(evaluation: Evaluation, analysis: Analysis | None = None) -> dict[str, Any]:
    """Plain data of all of it: protocol, summary, tables by bucket, paired differences, scores.

    Args:
        evaluation: what was measured.
        analysis: of it, where it is at hand.
    """
    from remend import __version__

    if analysis is None:
        analysis = analyse(evaluation.scores, evaluation.methods, evaluation.metrics)
    short = evaluation.protocol.short
    overall = analysis.groups[0].means
    return {
        "remend": __version__,
        "protocol": {
            "sha256": evaluation.protocol.sha256,
            "rules": evaluation.protocol.rules,
            "seed": evaluation.protocol.seed,
            "pairs": [
                {"name": pair.name, "picture": pair.picture, "mask": pair.mask}
                for pair in evaluation.protocol.pairs
            ],
        },
        "quality": evaluation.quality,
        "seed": evaluation.seed,
        "metrics": list(evaluation.metrics),
        "intervals": f"percentile bootstrap over pictures, {LEVEL:.0%}, {DRAWS} draws, seed {SEED}",
        "caveats": list(caveats(evaluation)),
        "summary": [
            {
                "method": summary.method,
                "pictures": summary.pictures,
                "failed": summary.failed,
                "seconds": summary.seconds,
                "metrics": {name: _finite(value) for name, value in summary.means.items()},
                "intervals": {
                    name: [_finite(mean.low), _finite(mean.high)]
                    for name, mean in overall.get(summary.method, {}).items()
                },
                "outside_levels": summary.outside_levels,
                "protocol": short,
            }
            for summary in evaluation.summaries
        ],
        "buckets": [
            {"bucket": group.bucket, "pictures": group.pictures, "method": method, "protocol": short}
            | {"metrics": {name: mean_json(mean) for name, mean in means.items()}}
            for group in analysis.groups
            for method, means in group.means.items()
        ],
        "differences": [
            {"bucket": found.bucket, "first": found.first, "second": found.second, "protocol": short}
            | {"metrics": {name: mean_json(mean) for name, mean in found.by_metric.items()}}
            for found in analysis.differences
        ],
        "sets": [
            {"method": method, "pictures": len(evaluation.common), "protocol": short}
            | {"figures": {name: _finite(value) for name, value in figures.items()}}
            for method, figures in evaluation.sets.items()
        ],
        "scores": [score_json(score, short) for score in evaluation.scores],
        "skipped": dict(evaluation.skipped),
        "unpaired": list(evaluation.unpaired),
    }


def mean_json(mean: Mean) -> dict[str, Any]:
    """Plain data of a mean with its interval; null where there is none."""
    return {
        "mean": _finite(mean.value),
        "low": _finite(mean.low),
        "high": _finite(mean.high),
        "pictures": mean.pictures,
    }


def _best(name: str, summaries: tuple[Summary, ...]) -> float:
    values = [summary.means[name] for summary in summaries if not math.isnan(summary.means[name])]
    if len(values) < 2:
        return float("nan")
    better = shown(name).better
    if better == "one":
        return min(values, key=lambda value: abs(math.log(max(value, 1e-9))))
    return min(values) if better == "lower" else max(values)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
