"""Reports of several runs side by side: only what was measured on the same, paired picture by picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from remend.errors import EvaluationError
from remend.evaluation.analysis import Analysis, analyse
from remend.evaluation.scores import Score

__all__ = ["Comparison", "EvaluationReport", "compare", "read_report"]


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """A ``report.json``, as far as a comparison needs it.

    Attributes:
        path: of the file.
        sha256: of the protocol.
        rules: of the protocol, by name.
        prints: picture and mask hash by pair.
        methods, metrics: names, in order.
        scores: all of them.
        sets: FID and its kin, by method and name.
        settings: quality and seed.
    """

    path: Path
    sha256: str
    rules: dict[str, Any]
    prints: dict[str, tuple[str, str]]
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    scores: tuple[Score, ...]
    sets: dict[str, dict[str, float | None]]
    settings: str

    @property
    def short(self) -> str:
        """The first 12 hex digits of the protocol's hash."""
        return self.sha256[:12]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two and more reports say together.

    Attributes:
        baseline: what the others are compared with.
        methods: labels, the baseline first; ``method (file)`` where reports share a method's name.
        metrics: names that all reports have.
        protocol: hash; None when forced over several.
        analysis: means and differences from the baseline, by kind of hole.
        sets: figures of whole sets by label; they have no intervals.
        warnings: what a reader must know, a line each.
    """

    baseline: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    protocol: str | None
    analysis: Analysis
    sets: dict[str, dict[str, float | None]]
    warnings: tuple[str, ...]


def read_report(path: Path) -> EvaluationReport:
    """Read what `remend evaluate` wrote.

    Args:
        path: ``report.json``, or the folder that holds it.

    Raises:
        EvaluationError: no such file, or no report of a version that knows buckets.
    """
    path = path / "report.json" if path.is_dir() else path
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}): give a report.json") from error
    except ValueError as error:
        raise EvaluationError(f"{path} is no JSON: give the report.json of `remend evaluate`") from error
    try:
        protocol = content["protocol"]
        return EvaluationReport(
            path,
            str(protocol["sha256"]),
            dict(protocol["rules"]),
            {pair["name"]: (pair["picture"], pair["mask"]) for pair in protocol["pairs"]},
            tuple(line["method"] for line in content["summary"]),
            tuple(content["metrics"]),
            tuple(_score(line) for line in content["scores"]),
            {line["method"]: line["figures"] for line in content["sets"]},
            f"quality {content['quality']}, seed {content['seed']}",
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{path} is no report that can be compared ({error}): make it with this version's evaluate"
        ) from error


def compare(
    reports: Sequence[EvaluationReport], *, baseline: str | None = None, force: bool = False
) -> Comparison:
    """All methods of the reports against one, on the pictures that every one of them answered.

    Args:
        reports: two or more, or one with several methods.
        baseline: a label; None = the first method of the first report.
        force: go on where the protocols differ, over pairs of the same name, with a warning.

    Raises:
        EvaluationError: protocols differ and ``force`` is not given, nothing is shared, or no such label.
    """
    warnings = _against_protocols(reports, force=force)
    labelled = _labelled(reports)
    labels = tuple(labelled)
    if baseline is None:
        baseline = labels[0]
    if baseline not in labelled:
        raise EvaluationError(f"no method {baseline!r} in the reports: choose {', '.join(labels)}")
    if len(labels) < 2:
        raise EvaluationError(f"only {labels[0]} is in the reports: give another, to compare it with")
    shared = set.intersection(*(set(report.prints) for report in reports))
    if not shared:
        raise EvaluationError("the reports share no pair: measure both on the same pictures")
    metrics = tuple(name for name in reports[0].metrics if all(name in report.metrics for report in reports))
    scores = [
        replace(score, method=label)
        for label, (report, method) in labelled.items()
        for score in report.scores
        if score.method == method and score.pair in shared
    ]
    methods = (baseline, *(label for label in labels if label != baseline))
    settings = {report.settings for report in reports}
    if len(settings) > 1:
        warnings.append(f"the reports were made with {' and with '.join(sorted(settings))}")
    same = len({report.sha256 for report in reports}) == 1
    return Comparison(
        baseline,
        methods,
        metrics,
        reports[0].sha256 if same else None,
        analyse(scores, methods, metrics, against=baseline, buckets=True),
        {label: report.sets[method] for label, (report, method) in labelled.items() if method in report.sets}
        if same
        else {},
        tuple(warnings),
    )


def _against_protocols(reports: Sequence[EvaluationReport], *, force: bool) -> list[str]:
    first = reports[0]
    warnings = []
    for other in reports[1:]:
        if other.sha256 == first.sha256:
            continue
        reason = (
            f"{first.path} has protocol {first.short} and {other.path} {other.short}: {_why(first, other)}"
        )
        if not force:
            raise EvaluationError(f"{reason}; measure both on the same, or give --force")
        warnings.append(f"forced: {reason}; what follows may say more about that than about the methods")
    return warnings


def _why(a: EvaluationReport, b: EvaluationReport) -> str:
    """The first reason that two protocols are not the same."""
    if only := sorted(a.prints.keys() ^ b.prints.keys()):
        return f"{len(only)} pairs are in one of them only, such as {only[0]}"
    for name in sorted(a.prints):
        for kind, mine, theirs in zip(("picture", "mask"), a.prints[name], b.prints[name], strict=True):
            if mine != theirs:
                return f"the {kind} of {name} is another"
    rules = sorted(name for name in a.rules.keys() | b.rules.keys() if a.rules.get(name) != b.rules.get(name))
    return f"the rules of {', '.join(rules)} differ" if rules else "the seeds differ"


def _labelled(reports: Sequence[EvaluationReport]) -> dict[str, tuple[EvaluationReport, str]]:
    """Label to report and method; the file's name tells apart what has one name in several."""
    names = [method for report in reports for method in report.methods]
    found: dict[str, tuple[EvaluationReport, str]] = {}
    for report in reports:
        file = report.path.parent.name if report.path.name == "report.json" else report.path.stem
        for method in report.methods:
            label = method if names.count(method) == 1 else f"{method} ({file})"
            if label in found:
                raise EvaluationError(f"two reports are called {file}: rename one, to tell {method} apart")
            found[label] = (report, method)
    return found


def _score(line: dict[str, Any]) -> Score:
    return Score(
        line["pair"],
        line["method"],
        float(line["hole_ratio"]),
        line["seconds"],
        {name: float("nan") if value is None else float(value) for name, value in line["metrics"].items()},
        line["outside_levels"],
        line["error"],
        tuple(line["buckets"]),
    )
