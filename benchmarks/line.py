"""The one JSON line of a benchmark: what was measured, on which machine, at which commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["SHARED", "print_line"]

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"  # real pictures, where a developer has them


def print_line(benchmark: str, **figures: Any) -> dict[str, Any]:
    """Print the line, and return it."""
    line = {"benchmark": benchmark, **figures, "machine": _machine(), "commit": _commit()}
    print(json.dumps(line, default=lambda number: number.item()), flush=True)  # figures of NumPy, too
    return line


def _machine() -> str:
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [text for text in cpuinfo.read_text().splitlines() if text.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
