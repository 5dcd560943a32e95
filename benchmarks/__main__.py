"""`make bench`: run the benchmarks, one process each, and rewrite docs/benchmarks.md.

python -m benchmarks                    # all of them
python -m benchmarks memory untouched   # some; the others keep their figures
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.dev_learned import tables as learned_tables
from benchmarks.finding.bars import table as bars_table
from benchmarks.line import ROOT

BENCHMARKS = (
    "untouched",
    "biharmonic",
    "exemplar",
    "criminisi",
    "texture",
    "whole_command",
    "memory",
    "finding",
    "restoring",
    "screens",
    "scans",
    "infrared",
    "video",
    "satellite",
    "volumes",
    "batch",
    "panorama",
    "huge",
    "dev_table",
    "dev_learned",
    "near_duplicates",
    "training_throughput",
    "ddp_equality",
    "kill_nine",
    "few_shot",
    "serve_overhead",
    "serve_load",
)
LINES = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks
Made by `make bench`; each line is what one benchmark printed, with its machine and commit. Ratios are
measured side by side in one run. `benchmarks.json` holds the lines themselves.
"""


def run(name: str) -> dict[str, Any]:
    """The line of one benchmark."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        sys.exit(f"the benchmark {name} failed with exit code {answer.returncode}")
    line: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return line


def main(names: list[str]) -> None:
    """Run, keep the lines, write the page."""
    lines = json.loads(LINES.read_text()) if LINES.exists() else {}
    for name in names or BENCHMARKS:
        lines[name] = run(name)
        print(json.dumps(lines[name]), flush=True)
        LINES.write_text(json.dumps(lines, indent=1) + "\n")
        PAGE.write_text(page(lines))


def page(lines: dict[str, dict[str, Any]]) -> str:
    """All lines as Markdown."""
    parts = [HEAD]
    for name in BENCHMARKS:
        if name not in lines:
            continue
        line = dict(lines[name])
        where = f"{line.pop('machine')}; commit {line.pop('commit')}"
        parts.append(f"\n## {line.pop('benchmark')}\n")
        if name == "dev_table" and "sets" in line:
            parts.append(
                "`auto` is quality balanced. Means over the pictures of a set; hole only unless said.\n"
            )
            parts += dev_tables(line["sets"], line["protocols"])
            parts.append("\n### criminisi, on the first five pictures of each set\n")
            parts += dev_tables(line["few_sets"], line["few_protocols"])
        elif name == "dev_learned" and "sets" in line:
            parts += learned_tables(line)
        elif name == "finding" and "bars" in line:
            parts += bars_table(line["bars"])
        else:
            parts.append("| | |\n|---|---|\n")
            parts += [f"| {key} | {plain(value)} |\n" for key, value in line.items()]
        parts.append(f"\n_{where}_\n")
    return "".join(parts)


def plain(value: Any) -> str:
    """A figure as text."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(plain(inner) for inner in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def dev_tables(sets: dict[str, Any], protocols: dict[str, str]) -> list[str]:
    """A table a metric: sets down, methods across."""
    methods = list(next(iter(sets.values())))
    parts = []
    for metric, title, digits in (
        ("psnr_hole", "Hole PSNR, dB", 2),
        ("ssim_hole", "Hole SSIM", 3),
        ("l1_hole", "Hole L1, share of the range", 4),
        ("sharp", "SHARP, 1 = as the truth", 2),
        ("psnr", "Whole-picture PSNR, dB", 2),
        ("seconds", "Seconds a picture, median", 2),
    ):
        parts.append(f"\n**{title}**\n\n| set (protocol) | {' | '.join(methods)} |\n")
        parts.append(f"|---|{'---|' * len(methods)}\n")
        for name, rows in sets.items():
            cells = " | ".join(f"{rows[method][metric]:.{digits}f}" for method in methods)
            parts.append(f"| {name} (`{protocols[name]}`) | {cells} |\n")
        means = " | ".join(
            f"{sum(rows[method][metric] for rows in sets.values()) / len(sets):.{digits}f}"
            for method in methods
        )
        parts.append(f"| **mean of the sets** | {means} |\n")
    return parts


if __name__ == "__main__":
    main(sys.argv[1:])
