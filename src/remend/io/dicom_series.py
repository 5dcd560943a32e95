"""The DICOM files of a folder as the slices of one volume, in the order of space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from remend.budget import Budget
from remend.document import Document, Pages
from remend.errors import PictureError, UsageError
from remend.io.codec import Source
from remend.io.dicom import dataset_of
from remend.io.limits import own_limits
from remend.io.read import read_picture
from remend.picture import Container

__all__ = ["SERIES", "open_series"]

SERIES = "series"  # the format of such a document's container
UNEVEN = 1.5  # times the usual distance between slices: one is missing there


def open_series(folder: Path, budget: Budget) -> Document:
    """A folder of single-frame DICOM files of one series.

    Args:
        folder: whatever else lies in it is left out.
        budget: what each slice may cost.

    Returns:
        Slices along the normal of their planes, or by instance number where no place is told. The container's
        ``details`` name the ``files``; its notes say where slices are missing.

    Raises:
        UsageError: no DICOM file, several series, or files of several frames.
        FormatError: the extra is not installed.
    """
    found: list[tuple[float, str, Path, Any]] = []
    with own_limits():
        for path in sorted(folder.iterdir()):
            source = Source(str(path), path=path, budget=budget)
            try:
                if not path.is_file() or source.head(132)[128:] != b"DICM":
                    continue
                head = dataset_of(source, pixels=False)
            except OSError as error:
                raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from error
            if "Rows" in head:
                found.append((_place(head), path.name, path, head))
    if not found:
        raise UsageError(f"{folder} holds no DICOM pictures: name the folder of one series")
    series = {str(head.get("SeriesInstanceUID")) for *_, head in found}
    frames = [head.get("NumberOfFrames") for *_, head in found]
    if len(series) > 1 or any(str(number) not in ("None", "1") for number in frames):
        what = f"{len(series)} series" if len(series) > 1 else "objects of several frames"
        raise UsageError(f"{folder} holds {what}: name a folder of one, a file a slice")
    found.sort(key=lambda one: one[:2])
    files = tuple(path for _, _, path, _ in found)
    apart = np.diff([place for place, *_ in found])
    spacing = _spacing(found[0][3], apart)
    container = Container(SERIES, folder, details={"files": files}, notes=_missing(apart))
    return Document(container, Pages(len(files), _reader(files, budget)), "slice", spacing_mm=spacing)


def _reader(files: tuple[Path, ...], budget: Budget) -> Any:
    def read(number: int) -> Any:
        held = budget.held
        try:
            return read_picture(files[number], budget=budget)
        finally:
            budget.held = held

    return read


def _place(head: Any) -> float:
    """How far along the normal of its plane a slice lies, in mm; or its number."""
    try:
        across, down = np.array(head.ImageOrientationPatient, float).reshape(2, 3)
        return float(np.cross(across, down) @ np.array(head.ImagePositionPatient, float))
    except (AttributeError, TypeError, ValueError):
        return float(head.get("InstanceNumber") or 0)


def _spacing(head: Any, apart: Any) -> tuple[float, float, float] | None:
    try:
        rows, columns = (float(n) for n in head.PixelSpacing)
    except (AttributeError, TypeError, ValueError):
        return None
    return (float(np.median(apart)), rows, columns) if len(apart) else None


def _missing(apart: Any) -> tuple[str, ...]:
    """Where slices lie so far apart that there must have been others."""
    if len(apart) < 3:
        return ()
    usual = float(np.median(apart))
    gaps = [number for number, each in enumerate(apart, 1) if each > UNEVEN * usual > 0]
    if not gaps:
        return ()
    after = ", ".join(map(str, gaps[:8]))
    return (
        f"behind slice {after} others seem to be missing: a series gets no new objects, write it as NIfTI",
    )
