"""Hostile files: a repaired picture or one line, in time, in bounded memory, nothing half-written.

python -m benchmarks.fuzz                                      # 10,000 mutants as picture, pages, mask
python -m benchmarks.fuzz --mutants 0 FOLDER pillow.tar.gz     # the files of folders and of tars
python -m benchmarks.fuzz --http --mutants 1000                # the same, posted to a server
python -m benchmarks.fuzz --mutants 0 --bombs                  # what claims much: how soon it is refused

Each file is tried in a child process that is watched: seconds are its processor time, memory is its peak
while it had that file. A line a format, and one for all; exit code 1 where a bound does not hold. What broke
one is kept under --keep.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

from benchmarks.fuzz_child import Verdict, posted, tried_in
from benchmarks.line import ROOT, print_line

sys.path.insert(0, str(ROOT / "tests"))
import broken_containers
import broken_files
from bombs import bombs

SECONDS, MIB, SOON_S = 10.0, 1024.0, 0.05
WAIT_S = 300.0  # by the clock, which runs on where others work; then the child is taken for hung
SUFFIX = {
    "jpeg": "jpg", "tiff": "tif", "webp-frames": "webp", "apng": "png", "bands": "tif", "dicom": "dcm",
    "nifti": "nii",
}  # fmt: skip

Case = tuple[str, str, bytes]
"""Its family, its name with an ending, and what is in it."""


@dataclass
class Tally:
    """What became of the cases of one family."""

    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    mib: float = 0.0
    bad: list[str] = field(default_factory=list)

    def add(self, name: str, role: str, verdict: Verdict) -> bool:
        """Count one; whether it kept to the bounds."""
        self.kinds[verdict.kind] += 1
        self.seconds, self.mib = max(self.seconds, verdict.seconds), max(self.mib, verdict.mib)
        good = verdict.kind in ("done", "refused") and verdict.seconds <= SECONDS and verdict.mib <= MIB
        if not good:
            cost = f"{verdict.seconds:.1f} s, {verdict.mib:.0f} MiB"
            self.bad.append(f"{name} as {role}: {verdict.kind}, {cost}, {verdict.said}")
        return good


def mutants(count: int, seed: int, only: str = "") -> Iterator[Case]:
    """Files of all formats in turn, or of one, each broken by its own seed."""
    makers: list[tuple[str, Any]] = [(name, broken_files.broken) for name in broken_files.FORMATS]
    makers += [(name, broken_containers.broken) for name in broken_containers.formats()]
    makers = [one for one in makers if not only or one[0] == only]
    for number in range(count):
        family, make = makers[number % len(makers)]
        content = make(family, seed + number // len(makers))
        ending = SUFFIX.get(family, family)
        ending += ".gz" if family == "nifti" and content[:2] == b"\x1f\x8b" else ""
        yield family, f"{family}-{seed + number // len(makers)}.{ending}", content


def files(source: Path) -> Iterator[Case]:
    """The files of a folder, or those under a folder ``images`` of a tar."""
    if source.is_dir():
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            yield source.name, path.name, path.read_bytes()
        return
    with tarfile.open(source) as packed:
        for member in packed:
            if member.isfile() and "/images/" in member.name:
                taken = packed.extractfile(member)
                assert taken is not None
                yield source.name, Path(member.name).name, taken.read()


class Child:
    """A process that tries files, and is started anew when it dies or hangs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, path: Path, role: str) -> Verdict:
        """Try one file."""
        if self.process is None:
            command = [sys.executable, "-m", "benchmarks.fuzz_child", str(self.folder)]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([str(path), role]) + "\n")
            process.stdin.flush()
            ready, _, _ = select([process.stdout], [], [], WAIT_S)
            line = process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if line:
            return Verdict(**json.loads(line))
        self.close()
        code = process.returncode
        return Verdict("crash" if ready else "hung", WAIT_S if not ready else 0.0, 0.0, f"exit code {code}")

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def run(cases: Iterator[Case], roles: tuple[str, ...], http: bool, keep: Path | None) -> dict[str, Tally]:
    """Try every case in every role."""
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        child = Child(place / "out")
        with posted(place) if http else tried_in(child) as attempt:
            for family, name, content in cases:
                path = place / name
                path.write_bytes(content)
                for role in roles:
                    verdict = attempt(path, role)
                    if not tallies.setdefault(family, Tally()).add(name, role, verdict) and keep:
                        keep.mkdir(parents=True, exist_ok=True)
                        (keep / name).write_bytes(content)
                path.unlink()
        child.close()
    return tallies


def bombed() -> list[tuple[str, str, float, float]]:
    """Each bomb: what became of it, seconds, MiB. The first pays for what is loaded, and is tried twice."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        child = Child(place / "out")
        makers = list(bombs().items())
        for number, (name, make) in enumerate([makers[0], *makers]):
            path = place / name
            path.write_bytes(make())
            verdict = child(path, "found")
            path.unlink()
            if number:
                rows.append((name, verdict.kind, verdict.seconds, verdict.mib))
        child.close()
    return rows


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--role", choices=("picture", "pages", "mask", "all"), default="all")
    parser.add_argument("--only", default="", help="one format, as its lines name it")
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--bombs", action="store_true")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    every = ("picture", "mask") if asked.http else ("picture", "pages", "mask")
    roles = every if asked.role == "all" else (asked.role,)
    tallies: dict[str, Tally] = {}
    for cases in (
        mutants(asked.mutants, asked.seed, asked.only),
        *(files(source) for source in asked.sources),
    ):
        tallies |= run(cases, roles, asked.http, asked.keep)
    for family, tally in tallies.items():
        figures = {"seconds": round(tally.seconds, 2), "mib": round(tally.mib), **tally.kinds}
        print_line("fuzz", family=family, by="http" if asked.http else "process", **figures)
        for line in tally.bad:
            print(line, file=sys.stderr)
    bad = sum(len(tally.bad) for tally in tallies.values())
    if asked.bombs:
        rows = bombed()
        refused = [row for row in rows if row[1] == "refused"]
        late = [row for row in refused if row[2] > SOON_S]
        bad += len(late) + sum(
            row[1] not in ("done", "refused") or row[2] > SECONDS or row[3] > MIB for row in rows
        )
        slowest = max((row[2] for row in refused), default=0.0)
        print_line("fuzz-bombs", bombs=len(rows), refused=len(refused), slowest_ms=round(1000 * slowest, 1))
        for row in sorted(rows, key=lambda row: -row[2]):
            print(f"{row[0]}: {row[1]}, {1000 * row[2]:.0f} ms, {row[3]:.0f} MiB", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
