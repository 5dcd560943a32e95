"""Prints on made scanner beds against where they truly lie; photographs left alone; what turning costs.

python -m benchmarks.scans                 # 120 scans of 1 to 6 prints; all clean development pictures
python -m benchmarks.scans --sheet a.png   # some scans with what was found, and the prints cut out
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks.line import SHARED, print_line
from benchmarks.made_beds import Laid, MadeBed, make_bed
from remend.picture import Picture
from remend.scans.content import content_tilt
from remend.scans.cut import cut_print
from remend.scans.prints import Print, find_prints

Rgb = NDArray[np.uint8]
SCANS, FIRST_SEED = 120, 1000
CLEAN = ("kodak24", "cid22_val", "us_senate", "live1", "places256", "ffhq256", "object512")
FACES = ("celeba_few", "celeba_centre")
TURN_DEG = 3.7
NEAR = 0.1  # of its diagonal: a print whose middle is found within it is found


def pictures(folder: str) -> list[Rgb]:
    """The whole pictures of a development set."""
    found = []
    for path in sorted((SHARED / "dev" / folder).iterdir()):
        if "_mask" not in path.stem and "_peer" not in path.stem:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is not None:
                found.append(np.ascontiguousarray(image[..., ::-1]))
    return found


def made_scans(count: int) -> Iterator[MadeBed]:
    """Scans of one to six prints; every eighth is grey."""
    shown = pictures("kodak24") + pictures("cid22_val")
    for number in range(count):
        chosen = np.random.default_rng(FIRST_SEED + number).choice(len(shown), 1 + number % 6, replace=False)
        yield make_bed([shown[k] for k in chosen], FIRST_SEED + number, grey=number % 8 == 7)


def matched(made: MadeBed, found: tuple[Print, ...]) -> tuple[list[tuple[Laid, Print]], int]:
    """Laid prints with what was found of them, and how many finds are of none."""
    left, pairs = list(found), []
    for laid in made.prints:
        diagonal = float(np.linalg.norm(laid.corners[0] - laid.corners[2]))
        away = [float(np.linalg.norm(one.corners.mean(0) - laid.corners.mean(0))) for one in left]
        if away and min(away) < NEAR * diagonal:
            pairs.append((laid, left.pop(int(np.argmin(away)))))
    return pairs, len(left)


def on_beds(scans: Iterator[MadeBed]) -> dict[str, Any]:
    """Angles, corners, prints found."""
    laid, false, angles, corners, by_lid = 0, 0, list[float](), list[float](), dict[str, list[int]]()
    for made in scans:
        pairs, more = matched(made, find_prints(made.image).prints)
        laid, false = laid + len(made.prints), false + more
        counted = by_lid.setdefault(made.lid, [0, 0])
        counted[0] += len(pairs)
        counted[1] += len(made.prints)
        for truth, found in pairs:
            angles.append(abs(found.tilt_deg - truth.angle_deg))
            size = np.array(made.image.shape[1::-1])
            seen = ((truth.corners >= 0) & (truth.corners <= size)).all(axis=1)
            if seen.any():
                corners.append(float(np.linalg.norm(found.corners - truth.corners, axis=1)[seen].max()))
    row = {
        "prints": laid,
        "found": len(angles),
        "found_by_lid": {lid: f"{hit} of {count}" for lid, (hit, count) in sorted(by_lid.items())},
        "false": false,
        "angle_median_deg": round(float(np.median(angles)), 3),
        "angle_95_deg": round(float(np.percentile(angles, 95)), 3),
        "angle_most_deg": round(max(angles), 3),
        "within_0.2_deg": round(float(np.mean(np.array(angles) <= 0.2)), 4),
        "worst_corner_median_px": round(float(np.median(corners)), 2),
        "worst_corner_95_px": round(float(np.percentile(corners, 95)), 2),
        "scan_px": "1500 × 1100",
    }
    print(row, file=sys.stderr)
    return row


def left_alone() -> dict[str, Any]:
    """Clean pictures that are taken for no scan."""
    images = [image for folder in (*CLEAN, *FACES) for image in pictures(folder)]
    kept = sum(not find_prints(image).prints for image in images)
    print("clean", kept, len(images), file=sys.stderr)
    return {"untouched": kept, "of": len(images)}


def turning() -> dict[str, Any]:
    """Decibels to the truth after a print laid askew by a spline of order 5 is set straight."""
    from scipy import ndimage

    side, room = 448, 640
    turn = math.radians(TURN_DEG)
    axes = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], float) @ axes
    corners += room / 2 - corners.mean(axis=0)
    there = np.stack(np.meshgrid(np.arange(room), np.arange(room)), axis=2) + 0.5 - corners[0]
    at = there @ axes.T - 0.5
    back = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=2) + 0.5
    seen = back @ axes + corners[0] - 0.5
    rows: dict[str, list[float]] = {}
    for image in (one[:side, :side] for one in pictures("kodak24")):
        askew = _spline(ndimage, image, at)
        done = {
            "remend": cut_print(Picture(askew, "RGB"), Print(corners, TURN_DEG, False)).samples,
            "bilinear": cv2.remap(askew, *np.moveaxis(seen.astype(np.float32), 2, 0), cv2.INTER_LINEAR),
            "bicubic": cv2.remap(askew, *np.moveaxis(seen.astype(np.float32), 2, 0), cv2.INTER_CUBIC),
            "spline_5": _spline(ndimage, askew, seen),
        }
        for name, one in done.items():
            error = (one.astype(float) - image)[16:-16, 16:-16]
            rows.setdefault(name, []).append(10 * math.log10(255**2 / float(np.mean(error**2))))
    means = {name: round(float(np.mean(values)), 2) for name, values in rows.items()}
    print("turning", means, file=sys.stderr)
    return means


def _spline(ndimage: Any, image: Rgb, at: NDArray[np.float64]) -> Rgb:
    """An image at some places, by a spline of order 5."""
    planes = [
        ndimage.map_coordinates(image[..., c].astype(float), [at[..., 1], at[..., 0]], order=5, mode="mirror")
        for c in range(3)
    ]
    return np.clip(np.rint(np.stack(planes, axis=2)), 0, 255).astype(np.uint8)


def by_content() -> dict[str, Any]:
    """What is said of pictures and pages that were turned, and how far off."""
    images = [image for folder in ("kodak24", "cid22_val", "live1") for image in pictures(folder)]
    pages = [
        np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        for path in sorted((SHARED / "negatives").iterdir())
    ]
    row: dict[str, Any] = {}
    for name, some in (("photographs", images), ("graphics_and_pages", pages)):
        errors = []
        for image in some:
            high, wide = image.shape[:2]
            for degrees in (-4.0, 2.5):
                matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), -degrees, 1.25)
                said = content_tilt(
                    np.asarray(cv2.warpAffine(image, matrix, (wide, high), flags=cv2.INTER_CUBIC), np.uint8)
                )
                if said is not None:
                    errors.append(abs(said - degrees))
        row[name] = {"of": 2 * len(some), "certain": len(errors)}
        if errors:
            row[name] |= {"median_deg": round(float(np.median(errors)), 3), "most_deg": round(max(errors), 3)}
    print("content", row, file=sys.stderr)
    return row


def draw_sheet(path: Path, count: int = 8) -> None:
    """Scans with what was found, each with its prints beside it at 100 %."""
    rows = []
    for made in made_scans(count):
        found = find_prints(made.image).prints
        drawn = made.image.copy()
        for one in found:
            cv2.polylines(drawn, [np.rint(one.corners).astype(np.int32)], True, (255, 0, 255), 2)
        cuts = [np.asarray(cut_print(Picture(made.image, "RGB"), one).samples, np.uint8) for one in found]
        high = max([drawn.shape[0], *(cut.shape[0] for cut in cuts)])
        wide = [
            np.pad(one, ((0, high - one.shape[0]), (0, 12), (0, 0)), constant_values=128)
            for one in (drawn, *cuts)
        ]
        rows.append(np.hstack(wide))
    broad = max(row.shape[1] for row in rows)
    whole = [np.pad(row, ((0, 12), (0, broad - row.shape[1]), (0, 0)), constant_values=128) for row in rows]
    PIL.Image.fromarray(np.vstack(whole)).save(path)


def main() -> dict[str, Any] | None:
    """Measure, and print the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--scans", type=int, default=SCANS)
    options = parser.parse_args()
    if not Path(SHARED).is_dir():
        sys.exit("needs the development sets of ../shared/data")
    if options.sheet:
        draw_sheet(options.sheet)
        return None
    return print_line(
        "scans",
        made_scans=options.scans,
        **on_beds(made_scans(options.scans)),
        clean_photographs=left_alone(),
        straightened_psnr_db=turning(),
        content_tilt=by_content(),
    )


if __name__ == "__main__":
    main()
