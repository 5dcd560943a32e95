"""`make sheets`: 27 real damaged prints, repaired without any help; before | found | after, at 100 %.

    python -m benchmarks.sheets                # the places where most was found, and the whole made small
    python -m benchmarks.sheets --all          # every place: for what was missed
    python -m benchmarks.sheets old-a text-scene1

``old-a.png`` is the whole, made small; ``old-a.1.png`` and so on are its crops, narrow enough for most
screens. Lettering is left alone unless asked for, so the pictures with text have a second sheet,
``text-scene1.asked.png``, for which it was.

Needs ../shared/data, which is not part of the repository. The sheets go to sheets/, which git ignores. They
are there to be looked at: docs/quality.md says what was seen.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks.line import ROOT, SHARED
from remend.api import repair
from remend.explain import draw_regions
from remend.finding import find_mask
from remend.io import read_picture
from remend.options import MaskOptions
from remend.picture import Bool, Box
from remend.samples import eight_bit

FOLDERS = ("scratched", "old", "archive", "text")
OUT = ROOT / "sheets"
CROP_PX, GAP_PX = 480, 6
MOST, LEAST = 4, 0.05  # crops of a picture, and what share of the mask each must hold


def main() -> None:
    """Repair them all, or those named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="as printed; none = all")
    parser.add_argument("--all", action="store_true", help="every part of every picture")
    parser.add_argument("--sensitivity", type=float, default=0.5)
    options = parser.parse_args()
    damaged = SHARED / "damaged"
    if not damaged.is_dir():
        print("needs the real prints of ../shared/data/damaged: nothing done")
        return
    OUT.mkdir(exist_ok=True)
    for stale in [] if options.names else OUT.glob("*.png"):
        stale.unlink()
    print("| picture | repaired | found |\n|---|---|---|")
    for folder in FOLDERS:
        for path in sorted((damaged / folder).iterdir()):
            name = f"{folder}-{path.stem}"
            if path.stem.endswith(("_mask", "_clean")) or (options.names and name not in options.names):
                continue
            plain = MaskOptions(sensitivity=options.sensitivity)
            write_sheet(path, name, plain, everywhere=options.all)
            if folder == "text":
                asked = MaskOptions(sensitivity=options.sensitivity, find=("text",))
                write_sheet(path, f"{name}.asked", asked, everywhere=options.all)


def write_sheet(path: Path, name: str, options: MaskOptions, *, everywhere: bool) -> None:
    """Repair one picture and write what there is to look at."""
    picture = read_picture(path)
    before = np.ascontiguousarray(eight_bit(picture))
    finding = find_mask(picture, None, options=options)
    after = repair(before, finding.mask)
    columns = (before, draw_regions(before, finding.regions), after)
    boxes = grid(finding.mask.shape) if everywhere else places(finding.mask)
    for number, box in enumerate(boxes, 1):
        PIL.Image.fromarray(_row([part[box.slices] for part in columns])).save(OUT / f"{name}.{number}.png")
    PIL.Image.fromarray(_row([_small(part) for part in columns])).save(OUT / f"{name}.png")
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(r.kind for r in finding.regions).items())
    print(f"| {name} | {100 * finding.mask.mean():.2f} % | {kinds or 'nothing'} |", flush=True)


def places(mask: Bool) -> list[Box]:
    """Up to four crops, those that hold most of the mask; the middle where it is empty."""
    left = mask.astype(np.uint8)
    height, width = (min(CROP_PX, side) for side in mask.shape)
    boxes: list[Box] = []
    while len(boxes) < MOST:
        sums = cv2.integral(left)
        held = (
            sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
        )
        top, start = divmod(int(held.argmax()), held.shape[1])
        if held[top, start] <= LEAST * mask.sum():
            break
        boxes.append(Box(top, start, top + height, start + width))
        left[boxes[-1].slices] = 0
    if not boxes:
        top, start = (mask.shape[0] - height) // 2, (mask.shape[1] - width) // 2
        boxes.append(Box(top, start, top + height, start + width))
    return sorted(boxes)


def grid(size: tuple[int, ...]) -> list[Box]:
    """Crops that cover everything."""
    return [
        Box(top, left, min(top + CROP_PX, size[0]), min(left + CROP_PX, size[1]))
        for top in range(0, size[0], CROP_PX)
        for left in range(0, size[1], CROP_PX)
    ]


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, CROP_PX / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _row(parts: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Side by side."""
    gap = np.full((parts[0].shape[0], GAP_PX, 3), 128, np.uint8)
    return np.concatenate([parts[0], *(side for part in parts[1:] for side in (gap, part))], axis=1)


if __name__ == "__main__":
    main()
