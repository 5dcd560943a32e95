"""`remend crop`: the prints of a scan as pictures of their own, straight and without the scanner's bed.

Joins `scans` to files; a picture that is no scan stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from remend.adapt import as_picture
from remend.budget import Budget
from remend.errors import UsageError
from remend.faults import own_errors
from remend.io import write_picture
from remend.io.read import printable, same_file
from remend.io.write import check_target
from remend.options import Bounds
from remend.picture import Container, Picture
from remend.samples import eight_bit
from remend.scans.cut import cut_print
from remend.scans.prints import Print, find_prints
from remend.scans.rim import Rim, rim_of

__all__ = ["CropReport", "Cut", "Scan", "crop_file", "cropped_name", "find_cuts", "look_at", "numbered"]

MARGIN = 0.0007  # of a print's longer side: where its own edge is soft
NO_SCAN = "no scanner's bed is seen round a print: the picture stays as it is"
Sides = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cut:
    """One print of a scan.

    Attributes:
        found: where it lies.
        rim: its white rim, in px; None = it has none.
        inset_px: what is left out at the top, right, bottom and left.
        bed_xy: a pixel of the bed.
    """

    found: Print
    rim: Rim | None
    inset_px: Sides
    bed_xy: tuple[int, int] | None

    def out_of(self, picture: Picture) -> Picture:
        """The print out of its scan, straight; the scan is not changed."""
        return cut_print(picture, self.found, inset_px=self.inset_px, bed_xy=self.bed_xy)

    def as_json(self) -> dict[str, Any]:
        """Plain data: corners in px of the scan, clockwise from the top left one."""
        rim = None
        if self.rim is not None:
            rim = [round(one, 1) for one in (self.rim.top, self.rim.right, self.rim.bottom, self.rim.left)]
        return {
            "corners": [[round(float(x), 1), round(float(y), 1)] for x, y in self.found.corners],
            "tilt_deg": round(self.found.tilt_deg, 3),
            "size": [round(one) for one in self.found.size[::-1]],
            "cut_by_frame": self.found.cut,
            "rim_px": rim,
        }


@dataclass(frozen=True, slots=True)
class CropReport:
    """What became of one scan; ``as_json`` is a line of ``--json``."""

    source: str
    targets: tuple[str, ...]
    size: tuple[int, int]
    cuts: tuple[Cut, ...]
    notes: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "input": self.source,
            "outputs": list(self.targets),
            "width": self.size[1],
            "height": self.size[0],
            "prints": [cut.as_json() for cut in self.cuts],
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Scan:
    """A picture that was looked at for prints.

    Attributes:
        picture: the scan.
        cuts: its prints; none where it is no scan.
        notes: what the user should know.
    """

    picture: Picture
    cuts: tuple[Cut, ...]
    notes: tuple[str, ...]

    def pictures(self) -> Iterator[Picture]:
        """Each print, cut out when it is asked for; of what is no scan the picture itself."""
        if not self.cuts:
            yield self.picture
        for cut in self.cuts:
            yield cut.out_of(self.picture)


def look_at(
    source: str | PathLike[str] | bytes | BinaryIO,
    *,
    without_rim: bool = False,
    tolerate: bool = False,
    budget: Budget | None = None,
) -> Scan:
    """Read a file and find the prints on it, as `find_cuts` does; nothing is cut out yet.

    Args:
        source: a path, the file's bytes, or an open file.
        without_rim: leave white rims out, too.
        tolerate: open a truncated JPEG or PNG as far as it goes.
        budget: what the job may cost.

    Raises:
        RemendError: it cannot be read.
    """
    picture = as_picture(source, budget=budget, tolerate=tolerate)
    container = picture.container
    # Of further pages the codec says that they are kept: not in what is cut out.
    notes = [note for note in container.notes if not note.startswith("first of")] if container else []
    if container is not None and container.details.get("pages", 1) > 1:
        notes.append("only the first page is looked at: the others are in none of the prints")
    cuts, of_cuts = find_cuts(picture, without_rim=without_rim)
    return Scan(picture, tuple(cuts), (*notes, *of_cuts))


def find_cuts(picture: Picture, *, without_rim: bool = False) -> tuple[list[Cut], list[str]]:
    """The prints of a scan, none where it is no scan, and what the user should know.

    Args:
        picture: the scan; it is not changed.
        without_rim: leave white rims out, too. A picture that fills its frame and has a white rim counts as a
            print then.

    Cost: about 1 s; a copy of the scan in 8 bits.
    """
    image = np.ascontiguousarray(eight_bit(picture))
    scan = find_prints(image)
    notes = []
    if scan.left:
        notes.append(f"{scan.left} more on the bed, without straight sides: left out")
    cuts = []
    for number, found in enumerate(scan.prints, 1):
        margin = MARGIN * max(found.size)
        seen = cut_print(Picture(image, "RGB"), found, inset_px=(margin,) * 4)
        rim = rim_of(np.asarray(seen.samples, np.uint8))
        off = (rim.top, rim.right, rim.bottom, rim.left) if without_rim and rim is not None else (0.0,) * 4
        top, right, bottom, left = (one + margin for one in off)
        cuts.append(Cut(found, rim, (top, right, bottom, left), scan.bed_xy))
        if found.cut:
            notes.append(f"print {number} reaches beyond the scan: what is missing has the bed's colour")
    if not cuts and without_rim and (rim := rim_of(image)) is not None:
        cuts.append(Cut(_whole(picture), rim, (rim.top, rim.right, rim.bottom, rim.left), None))
    return cuts, notes if cuts else [*notes, NO_SCAN]


def _whole(picture: Picture) -> Print:
    """A picture as a print that fills its frame."""
    wide, high = float(picture.width), float(picture.height)
    return Print(np.array([[0, 0], [wide, 0], [wide, high], [0, high]]), 0.0, False)


def crop_file(
    source: str | PathLike[str] | bytes,
    target: str | PathLike[str] | None,
    *,
    without_rim: bool = False,
    format: str | None = None,
    overwrite: bool = False,
    bounds: Bounds | None = None,
) -> CropReport:
    """Read a scan, write a file for each of its prints.

    They keep the scan's depth, channels, profile, EXIF and resolution. A picture that is no scan is copied
    byte for byte.

    Args:
        source: a path, or the file's bytes.
        target: a path; ``a.jpg`` becomes ``a-1.jpg``, ``a-2.jpg`` … where there are several prints. None =
            find and measure only.
        without_rim: leave white rims out, too.
        format: of the outputs; None = the target's suffix, or the source's format.
        overwrite: replace existing targets.
        bounds: what the job may cost.

    Raises:
        RemendError: one of its kinds, one line each.
    """
    name = str(source) if isinstance(source, (str, PathLike)) else "-"
    begun = time.perf_counter()
    with own_errors(printable(name)):
        budget = Budget(bounds)
        scan = look_at(source, without_rim=without_rim, budget=budget)
        is_cut, notes, written = bool(scan.cuts), list(scan.notes), []
        places = _targets(target, scan.picture.container, max(1, len(scan.cuts)), overwrite)
        for path, made in zip(places, scan.pictures(), strict=False):
            budget.check_time(name)
            done = write_picture(
                made,
                path,
                changed=np.full(made.size, is_cut),
                format=format,
                overwrite=overwrite,
                resized=is_cut,
            )
            written.append(str(done.path))
            notes += [note for note in done.notes if note not in notes]
        return CropReport(
            source=name,
            targets=tuple(written),
            size=scan.picture.size,
            cuts=scan.cuts,
            notes=tuple(notes),
            seconds=time.perf_counter() - begun,
        )


def cropped_name(source: Path) -> Path:
    """``scan.jpg`` → ``scan.cropped.jpg``, in the same folder."""
    return source.with_name(f"{source.stem}.cropped{source.suffix}")


def numbered(path: Path, count: int) -> list[Path]:
    """A name for each of so many prints: ``a-1.jpg``, ``a-2.jpg`` …; of one alone the name itself."""
    if count == 1:
        return [path]
    wide = len(str(count))
    return [path.with_stem(f"{path.stem}-{number:0{wide}}") for number in range(1, count + 1)]


def _targets(
    target: str | PathLike[str] | None, container: Container | None, count: int, overwrite: bool
) -> list[Path]:
    """A name for each print, none of them taken."""
    if target is None:
        return []
    names = numbered(Path(target), count)
    for one in names:
        if container is not None and same_file(one, container.path):
            raise UsageError(f"{one} is the scan itself, which is kept: give another -o")
        check_target(one, overwrite=overwrite)
    return names
