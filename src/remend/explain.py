"""What `--explain` writes: the plan as JSON, and as pictures that a person can check.

For ``photo.jpg`` in the folder: ``photo.jpg.plan.json``, ``photo.jpg.mask.png`` (the effective mask,
white = repaired), ``photo.jpg.plan.png`` (holes by filler, windows as frames) and, where pixels were
copied, ``photo.jpg.sources.png`` (lines from filled places to where their pixels came from).
"""

from __future__ import annotations

import colorsys
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend import __version__
from remend.errors import WriteError
from remend.finding import Finding
from remend.io.atomic import write_whole
from remend.kinds import KINDS
from remend.options import Settings
from remend.picture import Bool, Filled, Picture, Region
from remend.pipeline import Restored
from remend.plan.plan import Plan, Step
from remend.samples import eight_bit

__all__ = ["Explanation", "Steps", "draw_plan", "draw_regions", "draw_sheet", "draw_sources"]

LONGEST_PX = 1600  # drawings of larger pictures are made smaller
LINES_PER_STEP = 60


class Explanation:
    """Listens to a repair, then writes what it saw.

    Hand ``observe`` to ``repair_file`` as its observer and ``inspect`` as its ``inspect``.

    Args:
        folder: made if missing; files of the same name are replaced.
        name: of the picture; the files are named after it.
        settings: that the repair runs with, to be written down.
    """

    def __init__(self, folder: Path, name: str, settings: Settings) -> None:
        self.folder, self.name, self.settings = folder, name, settings
        self.copies: list[NDArray[np.int32]] = []

    def observe(self, number: int, count: int, step: Step, filled: Filled) -> None:
        """Keep a sample of where the step's pixels came from: (n, 4) x, y, source x, source y."""
        if step.hole is None or filled.source_xy is None or filled.source_xy.shape[:2] != step.hole.shape:
            return
        y, x = np.nonzero(step.hole & (filled.source_xy[..., 0] >= 0))
        pick = np.linspace(0, len(y) - 1, min(len(y), LINES_PER_STEP)).astype(np.intp)
        y, x = y[pick], x[pick]
        origin = np.array([step.window.left, step.window.top])
        here = np.stack([x, y], axis=1) + origin
        self.copies.append(np.concatenate([here, filled.source_xy[y, x] + origin], axis=1).astype(np.int32))

    def inspect(self, restored: Restored, finding: Finding) -> None:
        """Write the files.

        Raises:
            WriteError: the folder cannot be written.
        """
        shown = np.ascontiguousarray(eight_bit(restored.picture))
        scale = min(1.0, LONGEST_PX / max(shown.shape[:2]))
        size = (max(1, round(shown.shape[1] * scale)), max(1, round(shown.shape[0] * scale)))
        small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        content = self.as_json(restored.plan, finding)
        named = json.dumps(content, indent=2, default=lambda filler: filler.name)
        self._save("plan.json", f"{named}\n".encode())
        self._save_picture("mask.png", finding.mask.astype(np.uint8) * 255)
        self._save_picture("plan.png", draw_plan(small, restored.plan, finding.mask, scale))
        if self.copies:
            self._save_picture("sources.png", draw_sources(small, np.concatenate(self.copies), scale))

    def as_json(self, plan: Plan, finding: Finding) -> dict[str, Any]:
        """The plan as plain data; boxes are [left, top, right, bottom] in pixels, half-open."""
        height, width = finding.mask.shape
        return {
            "picture": self.name,
            "remend": __version__,
            "width": width,
            "height": height,
            "settings": {key: getattr(self.settings, key) for key in self.settings.__slots__},
            "hole_pixels": int(np.count_nonzero(finding.mask)),
            "notes": list(finding.notes),
            "nature": finding.nature,
            "regions": [_plain(region) for region in finding.regions],
            "left": [_plain(region) for region in finding.left],
            "steps": [
                {
                    "filler": step.filler,
                    "reason": step.reason,
                    "window": [step.window.left, step.window.top, step.window.right, step.window.bottom],
                    "tiles": 0 if step.tiles is None else len(step.tiles.corners),
                    "radius_px": round(step.radius_px, 2),
                    "scale": round(step.scale, 4),
                }
                for step in plan.steps
            ],
        }

    def _save_picture(self, ending: str, picture: NDArray[np.uint8]) -> None:
        colour = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
        self._save(ending, cv2.imencode(".png", colour)[1].tobytes())

    def _save(self, ending: str, content: bytes) -> None:
        _written(self.folder / f"{self.name}.{ending}", content)


def _written(path: Path, content: bytes) -> None:
    """Write a file into a folder that is made if it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{path.parent}: cannot be made ({error.strerror}): give another --explain"
        ) from error
    write_whole(path, content, overwrite=True)


class Steps:
    """Writes what each step of a restoration leaves: ``photo.jpg.0-before.png``, ``photo.jpg.1-noise.png`` …

    Hand ``show`` to ``restore_file`` as ``shown``.

    Args:
        folder: made if missing; files of the same name are replaced.
        name: of the picture; the files are named after it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.count = folder, name, 0

    def show(self, step: str, picture: Picture) -> None:
        """Write the picture as it is now, in 8 bits, at full size.

        Raises:
            WriteError: the folder cannot be written to.
        """
        _, content = cv2.imencode(".png", np.ascontiguousarray(eight_bit(picture)[..., ::-1]))
        _written(self.folder / f"{self.name}.{self.count}-{step}.png", content.tobytes())
        self.count += 1


def _plain(region: Region) -> dict[str, Any]:
    box = region.box
    return {
        "kind": region.kind,
        "confidence": round(region.confidence, 3),
        "box": [box.left, box.top, box.right, box.bottom],
        "pixels": int(np.count_nonzero(region.mask)),
    }


def draw_plan(picture: NDArray[np.uint8], plan: Plan, mask: Bool, scale: float) -> NDArray[np.uint8]:
    """Holes tinted by filler over a paler picture, windows as frames, a legend at the top left.

    Args:
        picture: (h, w, 3) uint8, already at ``scale``.
        plan: what to draw.
        mask: (H, W) bool at full size.
        scale: of the drawing.
    """
    drawn = (picture // 2 + 120).astype(np.uint8)
    colours = {name: _colour(k, len(plan.fillers)) for k, name in enumerate(plan.fillers)}
    for step in plan.steps:
        for box, hole in step.pieces():
            left = min(int(box.left * scale), drawn.shape[1] - 1)
            top = min(int(box.top * scale), drawn.shape[0] - 1)
            right = min(drawn.shape[1], max(left + 1, round(box.right * scale)))
            bottom = min(drawn.shape[0], max(top + 1, round(box.bottom * scale)))
            share = cv2.resize(
                hole.astype(np.float32), (right - left, bottom - top), interpolation=cv2.INTER_AREA
            )
            drawn[top:bottom, left:right][share > 0] = colours[step.filler]
            if step.tiles is None:
                cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), colours[step.filler], 1)
    for row, (name, colour) in enumerate(colours.items()):
        text = f"{name}: {sum(step.filler == name for step in plan.steps)} windows"
        _label(drawn, text, row, colour)
    return drawn


def draw_sheet(
    before: NDArray[np.uint8], mask: Bool, after: NDArray[np.uint8], *, height_px: int | None = None
) -> NDArray[np.uint8]:
    """Before | mask | after, side by side.

    Args:
        before: (H, W, 3) uint8.
        mask: (H, W) bool, the effective mask.
        after: (H, W, 3) uint8.
        height_px: of the sheet; None = full size, so that fills can be judged at 100 %.
    """
    white = np.repeat(mask.astype(np.uint8)[..., None] * np.uint8(255), 3, axis=2)
    gap = np.full((before.shape[0], 6, 3), 128, np.uint8)
    sheet = np.concatenate([before, gap, white, gap, after], axis=1)
    if height_px is None:
        return sheet
    width_px = max(1, round(sheet.shape[1] * height_px / sheet.shape[0]))
    return cv2.resize(sheet, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def draw_regions(picture: NDArray[np.uint8], regions: Sequence[Region]) -> NDArray[np.uint8]:
    """Found damage over a paler picture, at full size: colour by kind, a legend at the top left.

    Args:
        picture: (H, W, 3) uint8.
        regions: what was found.
    """
    drawn = (picture // 2 + 110).astype(np.uint8)
    kinds = sorted({region.kind for region in regions})
    colours = {kind: _colour(number, len(KINDS)) for number, kind in enumerate(KINDS)}
    thickness = max(1, round(max(drawn.shape) / 1000))
    for region in regions:
        colour = colours[region.kind]
        drawn[region.box.slices][region.mask] = colour
        if region.mask.size > 32 * 32:
            box = region.box.grown(4, drawn.shape[:2])
            cv2.rectangle(drawn, (box.left, box.top), (box.right - 1, box.bottom - 1), colour, thickness)
    for row, kind in enumerate(kinds):
        count = sum(region.kind == kind for region in regions)
        colour = colours[kind]
        _label(drawn, f"{kind}: {count}", row, colour)
    return drawn


def draw_sources(picture: NDArray[np.uint8], copies: NDArray[np.int32], scale: float) -> NDArray[np.uint8]:
    """A line from each sampled filled pixel (dot) back to the place its pixel was copied from."""
    drawn = (picture // 2 + 120).astype(np.uint8)
    places = np.rint(copies * scale).astype(int)
    for k, (x, y, from_x, from_y) in enumerate(places.tolist()):
        colour = _colour(k % 12, 12)
        cv2.line(drawn, (from_x, from_y), (x, y), colour, 1, cv2.LINE_AA)
        cv2.circle(drawn, (x, y), 2, colour, -1, cv2.LINE_AA)
    return drawn


def _label(drawn: NDArray[np.uint8], text: str, row: int, colour: tuple[int, int, int]) -> None:
    """A line of the legend on a white strip, readable over anything."""
    size = max(0.5, max(drawn.shape) / 2400)
    font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(2 * size))
    (width, height), below = cv2.getTextSize(text, font, size, thickness)
    line = height + below + round(8 * size)
    left, bottom = round(12 * size), (row + 1) * line + round(8 * size)
    corner = (left - round(6 * size), bottom - line), (left + width + round(6 * size), bottom)
    cv2.rectangle(drawn, *corner, (255, 255, 255), -1)
    cv2.putText(drawn, text, (left, bottom - below), font, size, colour, thickness, cv2.LINE_AA)


def _colour(index: int, count: int) -> tuple[int, int, int]:
    """Distinct colours round the circle."""
    red, green, blue = colorsys.hsv_to_rgb(index / max(1, count), 0.9, 0.75)
    return int(red * 255), int(green * 255), int(blue * 255)
