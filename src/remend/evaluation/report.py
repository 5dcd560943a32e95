"""Reports of an evaluation: a table for the terminal, CSV, JSON, and one HTML page in a single file."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import WriteError
from remend.evaluation.metrics import METRICS
from remend.evaluation.protocol import RULES
from remend.evaluation.run import Evaluation, Score, Seen, Summary
from remend.io.atomic import write_whole
from remend.picture import Bool, Box

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Gallery", "as_csv", "as_html", "as_json", "score_json", "table", "write_report"]

NAMES = {"csv": "scores.csv", "json": "report.json", "html": "report.html"}

# Heading, factor and decimals of each metric where people read it.
_SHOWN: dict[str, tuple[str, float, int]] = {
    "psnr_hole": ("PSNR hole dB", 1, 2),
    "ssim_hole": ("SSIM hole", 1, 4),
    "l1_hole": ("L1 hole %", 100, 2),
    "sharp": ("SHARP", 1, 3),
    "psnr": ("PSNR dB", 1, 2),
    "ssim": ("SSIM", 1, 4),
    "l1": ("L1 %", 100, 2),
}
_LOWER_IS_BETTER = ("l1", "l1_hole")


class Gallery:
    """Keeps small pictures of what an evaluation sees, for the HTML page: ``observer=gallery.see``.

    Args:
        side_px: the longer side of each; larger pictures are scaled down.
        quality: of WebP, 1–100.
    """

    def __init__(self, *, side_px: int = 320, quality: int = 78) -> None:
        self.side_px, self.quality = side_px, quality
        self.pictures: dict[str, dict[str, str]] = {}

    def see(self, seen: Seen) -> None:
        """Keep input, mask, outputs and truth of a pair; around the hole, if that is much smaller."""
        view = _view(seen.hole)
        erased = seen.truth.copy()
        erased[seen.hole] = (236, 64, 122)  # a colour that pictures seldom have
        white = np.repeat(seen.hole[:, :, None] * np.uint8(255), 3, axis=2)
        kept = {
            name: self._uri(image[view])
            for name, image in (("input", erased), ("mask", white), ("truth", seen.truth))
        }
        kept |= {f"output:{method}": self._uri(output[view]) for method, output in seen.outputs.items()}
        self.pictures[seen.pair.name] = kept

    def _uri(self, image: NDArray[np.uint8]) -> str:
        height, width = image.shape[:2]
        factor = self.side_px / max(height, width)
        if factor < 1:
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        done, data = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, self.quality])
        assert done, "OpenCV writes WebP of any small picture"
        return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()


def table(evaluation: Evaluation) -> Table:
    """The summary as a rich table: a line a method, the best of each column in bold."""
    from rich.table import Table

    summaries = evaluation.summaries
    title = f"{len(evaluation.protocol.pairs)} pairs · protocol {evaluation.protocol.short}"
    drawn = Table(title=title, title_justify="left")
    drawn.add_column("method", overflow="fold")
    for heading in (
        "n",
        "failed",
        *(heading for heading, _, _ in _SHOWN.values()),
        "s (median)",
        "max Δ outside",
    ):
        drawn.add_column(heading, justify="right")
    best = {name: _best(name, summaries) for name in _SHOWN}
    for summary in summaries:
        cells = [summary.method, str(summary.pictures), str(summary.failed)]
        for name in _SHOWN:
            shown = _number(name, summary.means[name])
            cells.append(f"[bold]{shown}[/bold]" if summary.means[name] == best[name] else shown)
        cells.append("–" if summary.seconds is None else f"{summary.seconds:.3f}")
        cells.append("–" if summary.outside_levels is None else str(summary.outside_levels))
        drawn.add_row(*cells)
    return drawn


def as_csv(evaluation: Evaluation) -> str:
    """A row a pair and method; empty cells where a metric does not apply; full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["pair", "method", "hole_ratio", *METRICS, "outside_levels", "seconds", "error", "protocol"]
    )
    for score in evaluation.scores:
        values = [_finite(score.metrics.get(name)) for name in METRICS]
        row = [
            score.pair,
            score.method,
            score.hole_ratio,
            *values,
            score.outside_levels,
            score.seconds,
            score.error,
        ]
        writer.writerow(["" if cell is None else cell for cell in (*row, evaluation.protocol.short)])
    return out.getvalue()


def score_json(score: Score) -> dict[str, Any]:
    """Plain data of one score; metrics that do not apply are null."""
    return {
        "pair": score.pair,
        "method": score.method,
        "hole_ratio": round(score.hole_ratio, 6),
        "seconds": score.seconds,
        "metrics": {name: _finite(value) for name, value in score.metrics.items()},
        "outside_levels": score.outside_levels,
        "error": score.error,
    }


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Plain data of all of it: protocol, summary, scores."""
    from remend import __version__

    return {
        "remend": __version__,
        "protocol": {
            "sha256": evaluation.protocol.sha256,
            "rules": RULES,
            "pairs": [
                {"name": pair.name, "picture": pair.picture, "mask": pair.mask}
                for pair in evaluation.protocol.pairs
            ],
        },
        "quality": evaluation.quality,
        "seed": evaluation.seed,
        "summary": [
            {
                "method": summary.method,
                "pictures": summary.pictures,
                "failed": summary.failed,
                "seconds": summary.seconds,
                "metrics": {name: _finite(value) for name, value in summary.means.items()},
                "outside_levels": summary.outside_levels,
            }
            for summary in evaluation.summaries
        ],
        "scores": [score_json(score) for score in evaluation.scores],
        "skipped": dict(evaluation.skipped),
        "unpaired": list(evaluation.unpaired),
    }


def as_html(evaluation: Evaluation, gallery: Gallery, *, title: str = "Evaluation") -> str:
    """One page with every picture inside it: sorted worst first, filtered by hole ratio, dark or light.

    It asks for nothing from anywhere, and its content policy forbids it to.
    """
    content = as_json(evaluation) | {
        "title": title,
        "methods": list(evaluation.methods),
        "shown": {
            name: {
                "heading": heading,
                "factor": factor,
                "decimals": decimals,
                "lower": name in _LOWER_IS_BETTER,
            }
            for name, (heading, factor, decimals) in _SHOWN.items()
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
    contents = {
        "html": lambda: as_html(evaluation, gallery, title=title),
        "json": lambda: json.dumps(as_json(evaluation), ensure_ascii=False, indent=1) + "\n",
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


def _view(hole: Bool) -> tuple[slice, slice]:
    """The part of a picture that is worth seeing: the hole with as much again around it, or all."""
    box = Box.around(hole)
    if box is None:
        return slice(None), slice(None)
    size = (hole.shape[0], hole.shape[1])
    grown = box.grown(max(48, box.height // 2, box.width // 2), size)
    return grown.slices if grown.area < hole.size / 2 else (slice(None), slice(None))


def _best(name: str, summaries: tuple[Summary, ...]) -> float:
    values = [summary.means[name] for summary in summaries if not math.isnan(summary.means[name])]
    if len(values) < 2:
        return float("nan")
    if name == "sharp":
        return min(values, key=lambda value: abs(math.log(max(value, 1e-9))))
    return min(values) if name in _LOWER_IS_BETTER else max(values)


def _number(name: str, value: float) -> str:
    _, factor, decimals = _SHOWN[name]
    return "–" if math.isnan(value) else f"{value * factor:.{decimals}f}"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
