"""Huge TIFFs with 200 holes: peak memory, time beside copying the file, and tiles that stay as they were.

python -m benchmarks.huge                # 400 and 800 megapixels with the same holes, and a gigapixel
python -m benchmarks.huge --only "1 GP"  # one of them

Each repair is the whole command in a process of its own. What copying the file and reading the mask take is
measured beside it, and what is left of the command's time must not depend on the size of the picture. Times
are the processor's, without the system's own, which moves the bytes: they bear other work beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from benchmarks.line import print_line
from remend.budget import Budget
from remend.io.bands import bands_of

TILE = 512
HOLES = 200
CODE = """
import json, os, sys
from pathlib import Path
from remend.cli.main import _run
begun = os.times().user
code = _run(sys.argv[1:])
# Not getrusage's: that begins at what the process had before it became this one.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) * 1024
print(json.dumps([code, peak, os.times().user - begun]))
"""


def tiles(height: int, width: int) -> Iterator[bytes]:
    """A landscape of waves and a little grain, tile by tile, deflated: eight tiles again and again."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:TILE, :TILE]
    coded = []
    for number in range(8):
        wave = 110 + 60 * np.sin(x / (23 + number)) * np.cos(y / (31 - number))
        grain = rng.integers(0, 3, (TILE, TILE, 3))
        coded.append(zlib.compress((wave[..., None] + grain).astype(np.uint8).tobytes(), 6))
    for number in range(-(-height // TILE) * -(-width // TILE)):
        yield coded[(number * 5 + number // 64) % 8]


def make(folder: Path, name: str, height: int, width: int, holes: list[tuple[int, int, int, int]]) -> None:
    """The picture as a tiled, deflated BigTIFF, and its mask as a 1-bit PNG."""
    with tifffile.TiffWriter(folder / f"{name}.tif", bigtiff=True) as writer:
        writer.write(
            tiles(height, width),
            shape=(height, width, 3),
            dtype=np.uint8,
            tile=(TILE, TILE),
            photometric="rgb",
            compression="zlib",
            metadata=None,
        )
    mask = Image.new("1", (width, height))
    for top, left, bottom, right in holes:
        mask.paste(1, (left, top, right, bottom))
    mask.save(folder / f"{name}.png")


def where(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Holes of 8 to 90 pixels and scratches: (top, left, bottom, right)."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(HOLES):
        high, wide = (4, int(rng.integers(100, 600))) if number % 3 == 0 else rng.integers(8, 90, 2).tolist()
        top, left = int(rng.integers(0, height - high)), int(rng.integers(0, width - wide))
        found.append((top, left, top + high, left + wide))
    return found


def repair(folder: Path, name: str, quality: str) -> tuple[float, float, float]:
    """(peak bytes, seconds of the command, of copying the file and reading the mask)."""
    command = [sys.executable, "-c", CODE, "repair", f"{name}.tif", "-m", f"{name}.png", "-o", "out.tif"]
    command += ["--quality", quality]
    answer = subprocess.run(
        [*command, "--overwrite", "--json"], cwd=folder, check=True, stdout=subprocess.PIPE
    )
    *_, last = answer.stdout.decode().splitlines()
    code, peak, spent = json.loads(last)
    assert code == 0
    begun = os.times().user
    with (folder / f"{name}.tif").open("rb") as source, (folder / "copy.tif").open("wb") as target:
        shutil.copyfileobj(source, target, 16 << 20)
        target.flush()
        os.fsync(target.fileno())
    (folder / "copy.tif").unlink()
    for _ in bands_of(folder / f"{name}.png", budget=Budget().for_mask(1 << 30))[1]:
        pass
    return peak, spent, os.times().user - begun


def untouched(folder: Path, name: str, holes: list[tuple[int, int, int, int]]) -> bool:
    """Whether every tile without a hole has the bytes that it had."""
    with tifffile.TiffFile(folder / f"{name}.tif") as old, tifffile.TiffFile(folder / "out.tif") as new:
        pages = old.pages[0], new.pages[0]
        across = -(-pages[0].imagewidth // TILE)
        touched = {
            y * across + x
            for top, left, bottom, right in holes
            for y in range(top // TILE, (bottom - 1) // TILE + 1)
            for x in range(left // TILE, (right - 1) // TILE + 1)
        }
        found = []
        for number in range(len(pages[0].dataoffsets)):
            coded = []
            for file, page in zip((old, new), pages, strict=True):
                file.filehandle.seek(page.dataoffsets[number])
                coded.append(file.filehandle.read(page.databytecounts[number]))
            found.append((coded[0] == coded[1]) == (number not in touched))
    return all(found)


def main() -> None:
    """Measure and print the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only")
    parser.add_argument("--quality", default="fast", help="fast: the fillers' own time hides little else")
    parser.add_argument("--folder", type=Path, help="where the files go; some 4 GB")
    options = parser.parse_args()
    side, giga = 20_000, 32_768
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder, holes = Path(name), where(side, side)
        sizes = {"400 MP": (side, side), "800 MP": (2 * side, side), "1 GP": (giga, giga)}
        for title, (height, width) in sizes.items():
            if options.only not in (None, title):
                continue
            make(folder, "in", height, width, holes)
            peak, spent, moved = repair(folder, "in", options.quality)
            figures[title] = {
                "peak_mb": round(peak / 1e6),
                "seconds": round(spent, 2),
                "reading_and_writing": round(moved, 2),
                "other_tiles_equal": untouched(folder, "in", holes),
            }
    rest = [figures[title]["seconds"] - figures[title]["reading_and_writing"] for title in figures]
    if not options.only:
        figures["double_over_single"] = round(rest[1] / rest[0], 2)
    print_line("huge", holes=HOLES, quality=options.quality, **figures)


if __name__ == "__main__":
    main()
