"""Uses a GPU that is lent for some minutes: starts runs side by side, tells of them, ends them in time.

    python tools/gpu_stage.py stage.toml --seconds 560 --out results/

``stage.toml`` has a table a run:

    [[run]]
    name = "finder"
    command = "remend train damage --accelerator cuda --set minutes=8 --data shards/ --out runs/finder"
    pack = "cp runs/finder/best.safetensors $OUT/finder.safetensors"   # when all have ended

A run that has not ended by then is asked to (SIGTERM), has ``--grace`` seconds to save, and is killed. Every
run's output goes to ``$OUT/NAME.log``; its last line is printed once a minute. Nets of different kinds can
share a GPU: one that waits for its drawers leaves it to one that does not.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Run:
    """A run that was started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_line(self) -> str:
        """What it said last."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").replace("\r", "\n").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")[:400]


def main() -> int:
    """Run the stage; 0 where all runs ended well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", type=Path)
    parser.add_argument("--seconds", type=float, required=True, help="for everything")
    parser.add_argument("--grace", type=float, default=40, help="of these, to save and pack")
    parser.add_argument("--every", type=float, default=60, help="seconds between two lines of a run")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    begun = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OUT": str(options.out), "PYTHONUNBUFFERED": "1"}
    runs, tables = [], tomllib.loads(options.stage.read_text())["run"]
    for table in tables:
        log = options.out / f"{table['name']}.log"
        process = subprocess.Popen(
            table["command"],
            shell=True,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # so that a signal reaches what the shell started
        )
        runs.append(Run(table["name"], process, log))
    told = begun
    until = begun + options.seconds - options.grace
    while time.monotonic() < until and any(run.process.poll() is None for run in runs):
        time.sleep(1)
        if time.monotonic() - told >= options.every:
            told = time.monotonic()
            for run in runs:
                print(f"{told - begun:5.0f} s  {run.name}: {run.last_line()}", flush=True)
    end(runs, options.grace / 2)
    for table in tables:
        subprocess.run(table.get("pack", "true"), shell=True, env=environment, check=False)
    for run in runs:
        print(f"{run.name} ended with {run.process.returncode}: {run.last_line()}")
    return int(any(run.process.returncode for run in runs))


def end(runs: list[Run], patience: float) -> None:
    """Ask those that still run to end, and kill those that do not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [run for run in runs if run.process.poll() is None]
        for run in left:
            os.killpg(run.process.pid, number)
        until = time.monotonic() + patience
        while time.monotonic() < until and any(run.process.poll() is None for run in left):
            time.sleep(0.2)


if __name__ == "__main__":
    raise SystemExit(main())
