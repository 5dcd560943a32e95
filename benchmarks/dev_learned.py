"""PD with intervals on the development sets: fillers, `auto`, and MI-GAN's published outputs.

Hole PSNR, SHARP and PD with 95 % bootstrap intervals, and every method's paired difference in PD from Telea;
where its weights are installed, the second judge beside PD (`benchmarks.second_judge`).
MI-GAN's outputs are there for two sets. Runs on ../shared/data, which is not part of the repository; says so
where it is missing.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.dev_table import METHODS, SETS, restored
from benchmarks.line import SHARED, print_line
from benchmarks.second_judge import write_judge
from remend.errors import RemendError, UsageError
from remend.evaluation.analysis import ALL, Mean, analyse
from remend.evaluation.learned import judges
from remend.evaluation.pairs import Pair, find_pairs
from remend.evaluation.run import evaluate

SECOND = "pd_efficientnet_lite0"
SHOWN = (
    ("psnr_hole", "Hole PSNR, dB", 1),
    ("sharp", "SHARP, 1 = as the truth", 2),
    ("pd", "PD, lower is better", 3),
    (SECOND, "PD as EfficientNet-Lite0 sees it, lower is better", 3),
    ("pd_from_telea", "PD less Telea's, paired", 3),
)
PEER = "mi-gan"


def main(names: tuple[str, ...] = SETS) -> dict[str, object]:
    """Measure and print."""
    weights = sorted((SHARED / "weights").glob("squeezenet*/*.h5"))
    if not (SHARED / "dev").is_dir() or not weights:
        return print_line("dev_learned", skipped="needs the pictures and weights of ../shared/data")
    with tempfile.TemporaryDirectory() as folder:
        try:
            learned, _ = judges(features=[weights[0], *_second(Path(folder))])
        except RemendError as error:
            return print_line("dev_learned", skipped=str(error))
    asked = ("psnr_hole", "sharp", *(name for judge in learned for name in judge.names))
    sets: dict[str, Any] = {}
    protocols: dict[str, str] = {}
    pictures: dict[str, int] = {}
    for name in names:
        pairs = find_pairs(SHARED / "dev" / name).pairs
        with tempfile.TemporaryDirectory() as folder:
            outputs = _published(pairs, Path(folder, PEER))
            evaluation = evaluate(pairs, METHODS, outputs=outputs, restore=restored, learned=learned)
        protocols[name], pictures[name] = evaluation.protocol.short, len(evaluation.common)
        analysis = analyse(evaluation.scores, evaluation.methods, evaluation.metrics, against="telea")
        sets[name] = {
            method: {metric: _plain(means[metric]) for metric in asked}
            for method, means in analysis.groups[0].means.items()
        }
        for found in analysis.differences:
            if found.bucket == ALL:
                sets[name][found.second]["pd_from_telea"] = _plain(found.by_metric["pd"])
        for method, row in sets[name].items():
            print(name, method, row, file=sys.stderr, flush=True)
    return print_line("dev_learned", sets=sets, protocols=protocols, pictures=pictures)


def tables(line: dict[str, Any]) -> list[str]:
    """The figures of a line as Markdown: a table a metric, sets down, methods across."""
    methods = list(dict.fromkeys(method for rows in line["sets"].values() for method in rows))
    parts = [
        "Means over the pictures of a set with 95 % bootstrap intervals below; `auto` is quality "
        "balanced. PD is defined in [evaluation](evaluation.md), with what fools it.\n"
    ]
    told = {metric for rows in line["sets"].values() for row in rows.values() for metric in row}
    for metric, title, digits in SHOWN:
        if metric not in told:
            continue
        parts.append(f"\n**{title}**\n\n| set, pictures (protocol) | {' | '.join(methods)} |\n")
        parts.append(f"|---|{'---|' * len(methods)}\n")
        for name, rows in line["sets"].items():
            cells = " | ".join(_cell(rows.get(method, {}).get(metric), digits) for method in methods)
            parts.append(f"| {name}, {line['pictures'][name]} (`{line['protocols'][name]}`) | {cells} |\n")
    return parts


def _second(folder: Path) -> list[Path]:
    """The second judge's file, written there; none where its weights are not installed."""
    path = folder / "efficientnet_lite0.onnx"
    try:
        write_judge(path)
    except UsageError as error:
        print(error, file=sys.stderr)
        return []
    return [path]


def _published(pairs: tuple[Pair, ...], folder: Path) -> list[Path]:
    """MI-GAN's outputs under the names of their pairs, where there are any."""
    for pair in pairs:
        output = pair.image.with_name(f"{pair.image.stem}_peer-migan.webp")
        if output.is_file():
            folder.mkdir(exist_ok=True)
            shutil.copyfile(output, folder / f"{pair.name}.webp")
    return [folder] if folder.is_dir() else []


def _plain(mean: Mean) -> list[float]:
    """Mean, low, high."""
    return [round(mean.value, 4), round(mean.low, 4), round(mean.high, 4)]


def _cell(figures: list[float] | None, digits: int) -> str:
    if figures is None:
        return "–"
    value, low, high = figures
    return f"{value:.{digits}f}<br>{low:.{digits}f} … {high:.{digits}f}"


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or SETS)
