"""Two processes (gloo, fp32) against one at the same global batch: 50 steps. Bar: within 1e-4 relative.

Without and with a critic. ``losses``: the largest relative difference of any loss at any step.
``weights``: after the last, ‖a - b‖ / ‖a‖ over all of net, averaged net and critic, the worst of them. Not a
tensor at a time: a bias that starts at zero takes steps whose sign is rounding noise. ``gradient_norms`` for
information: they are the first to show that sums are taken in another order.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.line import print_line
from benchmarks.tiny_training import CRITIC, RECIPE, write_photos

BAR = 1e-4
# What is minimised; the recipe gives "valid" no weight.
LOSSES = ("hole", "ring", "total", "adversarial", "feature_matching", "critic", "r1")
NORMS = ("gradient", "critic_gradient")


def compare(folder: Path, *, critic: bool, steps: int = 50) -> dict[str, float]:
    """Train both ways below ``folder``; the largest relative differences."""
    photos = write_photos(folder / "photos")
    recipe = json.loads(json.dumps(RECIPE))
    recipe["train"] |= {"samples": steps * recipe["train"]["batch"], "validate_every": 10**6}
    if critic:
        recipe["critic"] = CRITIC
    for devices in (1, 2):
        train(recipe, photos, folder / f"on-{devices}", devices)
    one, two = folder / "on-1", folder / "on-2"
    return {
        "losses": of_logs(one, two, LOSSES),
        "gradient_norms": of_logs(one, two, NORMS),
        "weights": of_weights(one, two),
    }


def train(recipe: dict[str, Any], photos: Path, out: Path, devices: int) -> None:
    """Run the command line."""
    file = out.with_suffix(".toml")
    file.write_text(toml(recipe), encoding="utf-8")
    command = [sys.executable, "-m", "remend", "train", str(file), "--data", str(photos), "--out", str(out)]
    command += ["--devices", str(devices), "--accelerator", "cpu", "--precision", "fp32"]
    answer = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        sys.exit(f"training on {devices} devices failed:\n{answer.stderr}")


def toml(recipe: dict[str, Any]) -> str:
    """A recipe as TOML; JSON's values are TOML's, but for inline tables."""

    def value(item: Any) -> str:
        if isinstance(item, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in item.items()) + "}"
        return json.dumps(item)

    lines = [f"net = {value(recipe['net'])}"]
    for name, section in recipe.items():
        if isinstance(section, dict):
            lines += [f"[{name}]", *(f"{key} = {value(item)}" for key, item in section.items())]
    return "\n".join(lines) + "\n"


def of_logs(one: Path, two: Path, columns: tuple[str, ...]) -> float:
    """Largest relative difference between two logs in some columns."""
    with (one / "log.csv").open() as a, (two / "log.csv").open() as b:
        rows = list(zip(csv.DictReader(a), csv.DictReader(b), strict=True))
    pairs = [(row[name], other[name]) for row, other in rows for name in columns if row.get(name)]
    return max(abs(float(x) - float(y)) / max(abs(float(x)), 1e-9) for x, y in pairs)


def of_weights(one: Path, two: Path) -> float:
    """Relative difference of what two runs have learned, the worst of its parts."""
    import torch

    from remend.nets.weights import checkpoint

    a, b = (checkpoint.read(checkpoint.listing(run)[-1]).tensors for run in (one, two))
    assert a.keys() == b.keys()

    def whole(tensors: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([tensors[name].double().flatten() for name in sorted(tensors)])

    parts = a.keys() & {"weights", "ema", "critic", "heads"}
    return max(float((whole(a[p]) - whole(b[p])).norm() / whole(a[p]).norm()) for p in parts)


def main() -> dict[str, object]:
    """Compare both ways and print."""
    figures = {}
    for name, critic in (("without critic", False), ("with critic", True)):
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = compare(Path(folder), critic=critic)
    worst = max(each[name] for each in figures.values() for name in ("losses", "weights"))
    return print_line(
        "ddp_equality",
        what="50 steps on 2 processes (gloo, fp32) against 1, largest relative difference",
        **figures,
        bar=f"≤ {BAR:g}",
        met=worst <= BAR,
    )


if __name__ == "__main__":
    main()
