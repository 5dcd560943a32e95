"""A copy of the package with the examples of CONTRIBUTING.md in it, as somebody would put them there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import remend

ROOT = Path(__file__).parents[1]
SOURCE = Path(remend.__file__).parent


def examples(heading: str) -> list[tuple[str, str, str]]:
    """(file, table that it goes into or "", text) of each block below a heading that names its file."""
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    part = guide.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```\w+\n# src/(\S+?)(?:, into (\w+))?\n(.*?)```", part, re.DOTALL)


def package_with(heading: str, folder: Path) -> set[str]:
    """Copy the package to ``folder`` with the examples below this heading; the files that they touch."""
    shutil.copytree(SOURCE, folder / "remend", ignore=shutil.ignore_patterns("__pycache__"))
    blocks = examples(heading)
    for name, table, text in blocks:
        file = folder / name
        if table:
            whole = file.read_text("utf-8")
            (start,) = re.findall(rf"^{table}\b[^\n]*= {{\n", whole, re.M)
            end = whole.index("\n}\n", whole.index(start)) + 1
            text = whole[:end] + text + whole[end:]
        else:
            assert not file.exists(), name
        file.write_text(text, "utf-8")
    return {name for name, _, _ in blocks}


def run(folder: Path, *words: str) -> str:
    """Run Python there, as the user of that package would; answers what it prints."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
