"""Batches: killed a hundred times, with broken pictures, with and without a manifest, on one core and two.

python -m benchmarks.batch                       # all
python -m benchmarks.batch --kills 20 --pictures 100
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from benchmarks.line import ROOT, print_line
from remend.batch import BatchOptions, Failure, plan_jobs, run_jobs
from remend.batch.manifest import Manifest, manifest_in
from remend.options import MaskOptions, Settings

sys.path.insert(0, str(ROOT / "tests"))
from made_albums import hashes, make_album, make_mask


def killed(folder: Path, pictures: int, kills: int) -> dict[str, Any]:
    """Kill -9 at random, one worker and two in turn; what was redone, and whether the end is the same."""
    make_album(folder / "album", pictures)
    mask, out = make_mask(folder / "m.png"), folder / "out"
    command = [sys.executable, "-m", "remend", "repair", str(folder / "album"), "-m", str(mask)]
    command += ["--method", "telea", "--json"]
    subprocess.run([*command, "-o", str(folder / "right")], check=True, capture_output=True)
    right, chance = hashes(folder / "right"), random.Random(0)
    most, partial = 2.0 * pictures / max(kills, 1), 0
    allowed = 0
    for kill in range(kills):
        jobs = 1 + kill % 2
        process = subprocess.Popen(
            [*command, "-o", str(out), "--jobs", str(jobs)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        wanted = chance.uniform(0, most)
        for line in process.stdout:
            wanted -= '"output"' in line
            if wanted < 0:
                break
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.communicate()
        allowed += jobs
        partial += sum(right[name] != found for name, found in hashes(out).items())
    subprocess.run([*command, "-o", str(out)], check=True, capture_output=True)
    base = sqlite3.connect(manifest_in(out))
    (tries,) = base.execute("SELECT sum(tries) FROM pictures").fetchone()
    base.close()
    return {
        "kills": kills,
        "pictures": pictures,
        "same_hashes": hashes(out) == right,
        "partial_files": partial,
        "redone": tries - pictures,
        "redone_at_most": allowed,
    }


def broken(folder: Path, pictures: int, bad: int) -> dict[str, Any]:
    """Broken pictures among others."""
    make_album(folder / "album", pictures, bad=bad)
    command = [sys.executable, "-m", "remend", "repair", str(folder / "album"), "-o", str(folder / "out")]
    command += ["-m", str(make_mask(folder / "m.png")), "--method", "telea"]
    code = subprocess.run(command, capture_output=True, check=False).returncode
    base = sqlite3.connect(manifest_in(folder / "out"))
    rows = base.execute("SELECT reason FROM pictures WHERE state='failed'").fetchall()
    base.close()
    written = len(hashes(folder / "out"))
    return {"written": written, "listed": sum(bool(reason) for (reason,) in rows), "exit_code": code}


def larger(folder: Path, count: int) -> tuple[Path, Path]:
    """Pictures of two megapixels, and a mask of strokes for all of them."""
    (folder / "album").mkdir(parents=True)
    y, x = np.mgrid[:1200, :1600]
    for number in range(count):
        noise = np.random.default_rng(number)
        smooth = 120 + 60 * np.sin(x / (40 + number)) * np.cos(y / (30 + number))
        array = (smooth[..., None] + noise.normal(0, 5, (1200, 1600, 3))).clip(0, 255).astype(np.uint8)
        PIL.Image.fromarray(array).save(folder / "album" / f"{number:03d}.jpg", quality=90)
    hole = np.zeros((1200, 1600), np.uint8)
    hole[100:1100:200, 100:1500] = 255
    hole[102:1100, ::200] = 255
    PIL.Image.fromarray(hole).save(folder / "m.png")
    return folder / "album", folder / "m.png"


def book(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """What the manifest costs: processor time of the same batch with and without it, in turn."""
    album, mask = larger(folder, count)
    shared = BatchOptions(settings=Settings(method="telea"), options=MaskOptions())
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * rounds + 1):
        kept, out = bool(number % 2), folder / f"out{number}"
        jobs = plan_jobs([album], output=out, mask=mask, recursive=False)
        began = time.process_time()
        if kept:
            with Manifest(manifest_in(out)) as manifest:
                outcomes = [one for _, one in run_jobs(jobs, shared, manifest=manifest)]
        else:
            outcomes = [one for _, one in run_jobs(jobs, shared)]
        assert not any(isinstance(one, Failure) for one in outcomes)
        if number:  # the first warms up
            spent[kept].append(time.process_time() - began)
    with_it, without = min(spent[True]), min(spent[False])
    return {"pictures": count, "manifest_cost": round(with_it / without - 1, 4)}


def cores(folder: Path, count: int) -> dict[str, Any]:
    """Two workers on two cores against one on one, whole commands.

    Held to a core: by itself one worker's libraries spread over all of them.
    """
    album, mask = larger(folder, count)
    seconds = {}
    for jobs in (1, 2):
        command = [sys.executable, "-m", "remend", "repair", str(album), "-m", str(mask), "--jobs", str(jobs)]
        ours = set(sorted(os.sched_getaffinity(0))[:jobs])
        began = time.perf_counter()
        subprocess.run(
            [*command, "-o", str(folder / f"out{jobs}")],
            check=True,
            capture_output=True,
            preexec_fn=lambda cores=ours: os.sched_setaffinity(0, cores),
        )
        seconds[jobs] = time.perf_counter() - began
    load = round(os.getloadavg()[0], 1)  # of others, too: the ratio means little above three or so
    return {"pictures": count, "two_jobs": round(seconds[1] / seconds[2], 2), "load": load}


def main() -> None:
    """Measure, print the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--larger", type=int, default=16)
    parser.add_argument("--only", choices=["kills", "broken", "book", "cores"])
    given = parser.parse_args()
    parts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, measure in (
            ("kills", lambda: killed(folder / "k", given.pictures, given.kills)),
            ("broken", lambda: broken(folder / "b", given.pictures, given.pictures // 20)),
            ("book", lambda: book(folder / "m", given.larger, 3)),
            ("cores", lambda: cores(folder / "c", 3 * given.larger)),
        ):
            if given.only in (None, part):
                parts[part] = measure()
    print_line("batch", **parts)


if __name__ == "__main__":
    main()
