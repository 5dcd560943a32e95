"""Thirty `kill -9` at random moments, saving included: is the run afterwards the run that was left alone?

A tiny net against a critic, CPU, fp32, a checkpoint each two steps. Each life is a process of its own, forked
from one that has imported everything, and is killed at a random moment or in the middle of a random save.
Bar: every number of the log and every bit of the last checkpoint as in the undisturbed run, and no life
begins more than one save interval before where the one before it had come.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import importlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.line import print_line
from benchmarks.tiny_training import CRITIC, RECIPE, write_photos

KILLS = 30
SAVE_STEPS = 2
APART = {"img_s", "waiting", "memory_gib"}


@dataclasses.dataclass
class Result:
    """What came of it.

    Attributes:
        kills: how many processes were killed.
        in_saving: how many of them while a checkpoint was half-written.
        most_lost: samples, of one kill.
        save_interval: samples.
        same_log: every loss of every step as in the undisturbed run.
        differing: tensors of the last checkpoint that are not bit for bit the same.
        leftover: files that no run without kills would leave.
    """

    kills: int = 0
    in_saving: int = 0
    most_lost: int = 0
    save_interval: int = 0
    same_log: bool = False
    differing: list[str] = dataclasses.field(default_factory=list)
    leftover: list[str] = dataclasses.field(default_factory=list)


def torment(folder: Path, *, kills: int, seed: int = 0) -> Result:
    """Train twice below ``folder``, once undisturbed and once killed ``kills`` times, and compare."""
    # Imported once, before the forks: lives are short.
    from remend.nets.torchvision_schema import mend_torchvision
    from remend.train.config import from_dict
    from remend.train.run.loop import train  # noqa: F401

    mend_torchvision()
    for module in ("lightning.fabric", "torch.utils.tensorboard"):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    photos = write_photos(folder / "photos")
    batch, steps = RECIPE["train"]["batch"], 6 * kills + 10
    timing = {"samples": steps * batch, "validate_every": SAVE_STEPS * batch, "save_minutes": 60.0}
    recipe = from_dict(RECIPE | {"critic": CRITIC, "train": RECIPE["train"] | timing})
    rng = random.Random(seed)
    life(recipe, photos, folder / "whole").join()
    result = Result(save_interval=SAVE_STEPS * batch)
    out = folder / "killed"
    while result.kills < kills:
        process = life(recipe, photos, out)
        before = reached(out)
        wanted = before + batch * rng.randint(1, 8)
        saving = rng.random() < 0.5
        while process.is_alive() and reached(out) < wanted:
            time.sleep(0.001)
        if saving:  # wait for the next draft, and strike while it is written
            while process.is_alive() and not drafts(out):
                pass
            time.sleep(rng.uniform(0, 0.01))
        else:
            time.sleep(rng.uniform(0, 0.1))
        if not process.is_alive():
            break
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        result.kills += 1
        result.in_saving += bool(drafts(out))
        came_to, kept = reached(out), newest(out)
        result.most_lost = max(result.most_lost, came_to - kept)
    life(recipe, photos, out).join()
    result.same_log = rows(folder / "whole") == rows(out)
    result.differing = differing(folder / "whole", out)
    trees = [{str(p.relative_to(root)) for p in root.rglob("*")} for root in (folder / "whole", out)]
    result.leftover = sorted(name for name in trees[1] - trees[0] if "tfevents" not in name)
    return result


def life(recipe: Any, photos: Path, out: Path) -> Any:
    """A process that trains, or goes on."""
    process = multiprocessing.get_context("fork").Process(target=_live, args=(recipe, photos, out))
    process.start()
    return process


def _live(recipe: Any, photos: Path, out: Path) -> None:
    from remend.train.request import Run
    from remend.train.run.loop import train

    train(
        Run(recipe, (photos,), out, resume=True, precision="32-true", accelerator="cpu", say=lambda _: None)
    )


def reached(out: Path) -> int:
    """Samples that the log tells of."""
    try:
        lines = (out / "log.csv").read_text().splitlines()
        return int(lines[-1].partition(",")[0])
    except (OSError, ValueError, IndexError):
        return 0


def newest(out: Path) -> int:
    """Samples of the newest whole checkpoint."""
    from remend.nets.weights import checkpoint

    found = checkpoint.newest(out, lambda _: None)
    return int(found.state["samples_seen"]) if found else 0


def drafts(out: Path) -> list[Path]:
    """Checkpoints half-written."""
    return list((out / "checkpoints").glob(".*"))


def rows(out: Path) -> list[dict[str, str]]:
    """The log without what a clock or the operating system says."""
    with (out / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in APART} for row in csv.DictReader(file)]


def differing(one: Path, two: Path) -> list[str]:
    """Tensors of the last checkpoints that are not equal bit for bit."""
    import torch

    from remend.nets.weights import checkpoint

    a, b = (checkpoint.read(checkpoint.listing(run)[-1]) for run in (one, two))
    if a.path.name != b.path.name or a.tensors.keys() != b.tensors.keys():
        return ["not the same parts at the same time"]
    return [
        f"{part}/{name}"
        for part, tensors in a.tensors.items()
        for name in tensors.keys() | b.tensors[part].keys()
        if not torch.equal(tensors[name], b.tensors[part][name])
    ]


def main() -> dict[str, object]:
    """Kill, compare and print."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        result = torment(Path(folder), kills=int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
    met = result.same_log and not result.differing and result.most_lost <= result.save_interval
    return print_line("kill_nine", **dataclasses.asdict(result), bar="nothing differs", met=met)


if __name__ == "__main__":
    main()
