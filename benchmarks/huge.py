"""Huge pictures with 200 holes: peak memory, time beside copying the file, and parts that stay as they were.

python -m benchmarks.huge                # TIFF: 400 and 800 megapixels with the same holes, and a gigapixel
python -m benchmarks.huge --only "1 GP"  # one of them
python -m benchmarks.huge --format png   # a PNG, a JPEG of 400 megapixels

Each repair is the whole command in a process of its own. What copying the file and reading the mask take is
measured beside it, and what is left of the command's time must not depend on the size of the picture. Times
are the processor's, without the system's own, which moves the bytes: they bear other work beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image

from benchmarks.line import print_line
from remend.budget import Budget
from remend.io.bands import bands_of
from remend.io.file_bytes import FileBytes
from remend.io.jpeg.blocks import block_counts
from remend.io.jpeg.libjpeg import transcode
from remend.io.jpeg.markers import parse_stream
from remend.io.png.chunks import SIGNATURE, chunk_bytes, read_header, split_chunks
from remend.io.png.rows import filtered_bands

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


def make_tiff(path: Path, height: int, width: int) -> None:
    """A tiled, deflated BigTIFF."""
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(
            tiles(height, width),
            shape=(height, width, 3),
            dtype=np.uint8,
            tile=(TILE, TILE),
            photometric="rgb",
            compression="zlib",
            metadata=None,
        )


def make_mask(path: Path, height: int, width: int, holes: list[tuple[int, int, int, int]]) -> None:
    """A 1-bit PNG."""
    mask = Image.new("1", (width, height))
    for top, left, bottom, right in holes:
        mask.paste(1, (left, top, right, bottom))
    mask.save(path)


def rows_of(height: int, width: int) -> Iterator[np.ndarray]:
    """The same landscape in rows of tiles, (n, width, 3)."""
    pieces = [
        np.frombuffer(zlib.decompress(coded), np.uint8).reshape(TILE, TILE, 3)
        for coded in islice(tiles(TILE, 8 * TILE), 8)
    ]
    across = -(-width // TILE)
    for down in range(-(-height // TILE)):
        row = np.concatenate([pieces[(down * 3 + k) % 8] for k in range(across)], axis=1)
        yield row[: min(TILE, height - down * TILE), :width]


def make_png(path: Path, height: int, width: int) -> None:
    """Row by row, each by the filter Up."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    encoder, above = zlib.compressobj(6), np.zeros((1, width * 3), np.uint8)
    with path.open("wb") as file:
        file.write(SIGNATURE + chunk_bytes(b"IHDR", header))
        for rows in rows_of(height, width):
            flat = rows.reshape(len(rows), -1)
            up = flat - np.concatenate([above, flat[:-1]])
            kind = np.full((len(rows), 1), 2, np.uint8)
            file.write(chunk_bytes(b"IDAT", encoder.compress(np.hstack([kind, up]).tobytes())))
            above = flat[-1:]
        file.write(chunk_bytes(b"IDAT", encoder.flush()) + chunk_bytes(b"IEND", b""))


def make_jpeg(path: Path, height: int, width: int) -> None:
    """By OpenCV, quality 85, chroma at half size."""
    cv2.imwrite(str(path), np.concatenate(list(rows_of(height, width))), [cv2.IMWRITE_JPEG_QUALITY, 85])


def other_rows_equal(folder: Path, holes: list[tuple[int, int, int, int]], size: tuple[int, int]) -> bool:
    """Whether a PNG's rows keep their filtered bytes, but for those with a hole and those below them."""
    touched = np.zeros(size[0] + 1, bool)
    for top, _, bottom, _ in holes:
        touched[top : bottom + 1] = True
    both = []
    for name in ("in.png", "out.png"):
        file = (folder / name).open("rb")
        data = FileBytes(file)
        chunks, _ = split_chunks(data, name)
        both.append(filtered_bands(data, chunks, read_header(data[chunks[0].content], name), name))
    found = True
    for (top, one), (_, other) in zip(*both, strict=True):
        rows = [np.frombuffer(part, np.uint8).reshape(-1, 3 * size[1] + 1) for part in (one, other)]
        found &= bool((rows[0] == rows[1])[~touched[top : top + len(rows[0])]].all())
    return found


def other_blocks_equal(folder: Path, holes: list[tuple[int, int, int, int]]) -> bool:
    """Whether a JPEG keeps every coefficient of the units (16 × 16) that no hole touches."""
    hashes: list[list[bytes]] = []
    for name in ("in.jpg", "out.jpg"):
        stream, found = parse_stream((folder / name).read_bytes()), []

        def look(rows: Any, frame: Any = stream.frame, found: list[bytes] = found) -> None:
            for index, (down, across) in enumerate(block_counts(frame)):
                side = 8 * frame.v_max // frame.components[index].v
                for row in range(down):
                    kept = np.array(rows(index, row))[:across]
                    for top, left, bottom, right in holes:
                        if top // 16 * 16 < (row + 1) * side and row * side < -(-bottom // 16) * 16:
                            kept[left // 16 * 16 // side : -(-right // 16) * 16 // side] = 0
                    found.append(hashlib.sha256(kept.tobytes()).digest())

        transcode(stream.coding, look, on_disk=True)
        hashes.append(found)
    return hashes[0] == hashes[1]


def where(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Holes of 8 to 90 pixels and scratches: (top, left, bottom, right)."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(HOLES):
        high, wide = (4, int(rng.integers(100, 600))) if number % 3 == 0 else rng.integers(8, 90, 2).tolist()
        top, left = int(rng.integers(0, height - high)), int(rng.integers(0, width - wide))
        found.append((top, left, top + high, left + wide))
    return found


def repair(folder: Path, picture: str, mask: str, quality: str) -> tuple[float, float, float]:
    """(peak bytes, seconds of the command, of copying the file and reading the mask)."""
    ending = Path(picture).suffix
    command = [sys.executable, "-c", CODE, "repair", picture, "-m", mask, "-o", f"out{ending}"]
    command += ["--quality", quality]
    answer = subprocess.run(
        [*command, "--overwrite", "--json"], cwd=folder, check=True, stdout=subprocess.PIPE
    )
    *_, last = answer.stdout.decode().splitlines()
    code, peak, spent = json.loads(last)
    assert code == 0
    begun = os.times().user
    with (folder / picture).open("rb") as source, (folder / "copy.tif").open("wb") as target:
        shutil.copyfileobj(source, target, 16 << 20)
        target.flush()
        os.fsync(target.fileno())
    (folder / "copy.tif").unlink()
    for _ in bands_of(folder / mask, budget=Budget().for_mask(1 << 30))[1]:
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
    parser.add_argument("--format", choices=["tif", "png", "jpg"], default="tif")
    parser.add_argument("--folder", type=Path, help="where the files go; some 4 GB")
    options = parser.parse_args()
    side, giga, ending = 20_000, 32_768, options.format
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder, holes = Path(name), where(side, side)
        sizes = {"400 MP": (side, side)}
        if ending == "tif":
            sizes |= {"800 MP": (2 * side, side), "1 GP": (giga, giga)}
        for title, size in sizes.items():
            if options.only not in (None, title):
                continue
            {"tif": make_tiff, "png": make_png, "jpg": make_jpeg}[ending](folder / f"in.{ending}", *size)
            make_mask(folder / "mask.png", *size, holes)
            peak, spent, moved = repair(folder, f"in.{ending}", "mask.png", options.quality)
            figures[title] = {
                "peak_mb": round(peak / 1e6),
                "seconds": round(spent, 2),
                "reading_and_writing": round(moved, 2),
                "file_mb": round((folder / f"in.{ending}").stat().st_size / 1e6),
            }
            if ending == "tif":
                figures[title]["other_tiles_equal"] = untouched(folder, "in", holes)
            elif ending == "png":
                figures[title]["other_rows_equal"] = other_rows_equal(folder, holes, size)
            else:
                figures[title]["other_blocks_equal"] = other_blocks_equal(folder, holes)
    rest = [figures[title]["seconds"] - figures[title]["reading_and_writing"] for title in figures]
    if len(rest) > 1:
        figures["double_over_single"] = round(rest[1] / rest[0], 2)
    print_line("huge", format=ending, holes=HOLES, quality=options.quality, **figures)


if __name__ == "__main__":
    main()
