"""Reports of an evaluation: CSV, JSON, and one HTML page in a single file."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from remend.errors import WriteError
from remend.evaluation.analysis import Analysis, analyse
from remend.evaluation.gallery import Gallery
from remend.evaluation.scores import Evaluation
from remend.evaluation.shown import in_order, shown
from remend.evaluation.tables import as_csv, as_json
from remend.io.atomic import write_whole

__all__ = ["as_html", "check_free", "report_files", "write_report"]

NAMES = {"csv": "scores.csv", "json": "report.json", "html": "report.html"}


def as_html(
    evaluation: Evaluation, gallery: Gallery, *, title: str = "Evaluation", analysis: Analysis | None = None
) -> str:
    """One page that needs nothing else: tables by kind of hole, differences, all pairs to sort and filter.

    Args:
        evaluation: what was measured.
        gallery: the pictures, kept by an observer.
        title: heading of the page.
        analysis: of the evaluation, where it is at hand.
    """
    plain = as_json(evaluation, analysis)
    named = [*in_order(evaluation.metrics), *(name for row in plain["sets"] for name in row["figures"])]
    content = {
        **plain,
        "title": title,
        "methods": list(evaluation.methods),
        "ordered": list(in_order(evaluation.metrics)),
        "shown": {
            name: {
                "heading": shown(name).heading,
                "factor": shown(name).factor,
                "decimals": shown(name).decimals,
                "better": shown(name).better,
            }
            for name in named
        },
        "pictures": gallery.pictures,
    }
    # Inside <script> only "</" and "<!--" could end the data early.
    data = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    page = resources.files("remend.evaluation").joinpath("report.html").read_text("utf-8")
    return page.replace("{{data}}", data, 1)


def write_report(
    evaluation: Evaluation,
    gallery: Gallery,
    target: Path,
    *,
    title: str = "Evaluation",
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write the report; each file whole or not at all.

    Args:
        evaluation, gallery: what to write.
        target: a folder, which gets ``report.html``, ``report.json`` and ``scores.csv``; or one file that
            ends in ``.html``, ``.json`` or ``.csv``.
        title: of the page.
        overwrite: replace what exists.

    Returns:
        What was written.

    Raises:
        WriteError: a file exists, or the folder cannot be written.
    """
    analysis = analyse(evaluation.scores, evaluation.methods, evaluation.metrics)
    contents = {
        "html": lambda: as_html(evaluation, gallery, title=title, analysis=analysis),
        "json": lambda: json.dumps(as_json(evaluation, analysis), ensure_ascii=False, indent=1) + "\n",
        "csv": lambda: as_csv(evaluation),
    }
    targets = report_files(target)
    check_free(target, overwrite=overwrite)
    for kind, path in targets.items():
        _write(path, contents[kind](), overwrite=overwrite)
    return tuple(targets.values())


def report_files(target: Path) -> dict[str, Path]:
    """Kind to file: what ``write_report`` writes for ``target``."""
    kind = target.suffix.lower().removeprefix(".")
    if kind in NAMES and not target.is_dir():
        return {kind: target}
    return {kind: target / name for kind, name in NAMES.items()}


def check_free(target: Path, *, overwrite: bool) -> None:
    """Say before hours of work that the report could not be written.

    Raises:
        WriteError: a file of the report exists.
    """
    for path in report_files(target).values():
        if path.exists() and not overwrite:
            raise WriteError(f"{path}: exists already: choose another -o, or give --overwrite")


def _write(path: Path, content: str, *, overwrite: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: cannot be made: {error.strerror or error}") from error
    write_whole(path, content.encode(), overwrite=overwrite)
