"""What further tasks are taught: the labels of pictures, brought into a sample's crop."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.picture import Bool, Float
from remend.train.config import Tasks
from remend.train.data.heatmap import CELL_PX
from remend.train.data.sources import Outlined, Record, few_names, list_records

__all__ = ["UNKNOWN", "Label", "Labels", "Place", "read_labels"]

UNKNOWN = 255
"""In a map of segments: nobody has said what is there."""

_LEFT = 0.25  # of a box, that must be in the crop to be asked for
_LEAST_PX = CELL_PX
_OF_THINGS = ("segmentation", "detection")
_LISTED = 12  # classes that a line names


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample was cut out of its picture.

    Attributes:
        picture: its name.
        size: its height and width.
        top, left: of the square, in px of the picture.
        window: its side there.
        mirrored: left and right were exchanged.
    """

    picture: str
    size: tuple[int, int]
    top: int
    left: int
    window: int
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """What is said of a sample, in its own pixels; each is None where that task is not learned.

    Attributes:
        classes: (classes,) float32, shares that add up to 1; all 0 = not said.
        segments: (h, w) uint8 at 1/4 scale: 0 = no thing, k = thing k - 1, ``UNKNOWN`` = not said.
        boxes: (n, 5) float32: thing, left, top, right, bottom in px of the sample.
        asked: (h, w) bool at 1/4 scale: boxes are known there; False everywhere = not said.
        things: how many kinds of things there are.
    """

    classes: Float | None = None
    segments: NDArray[np.uint8] | None = None
    boxes: Float | None = None
    asked: Bool | None = None
    things: int = 0

    @property
    def said(self) -> bool:
        """Whether anything is."""
        return (
            (self.classes is not None and bool(self.classes.any()))
            or (self.segments is not None and bool((self.segments != UNKNOWN).any()))
            or (self.asked is not None and bool(self.asked.any()))
        )


@dataclass(frozen=True)
class Labels:
    """What data sets say of pictures, as far as the tasks ask for it. Make it with ``Labels.of``.

    Attributes:
        tasks: what is learned.
        classes: what pictures may show, in the order of a head's answers.
        things: what may be outlined, likewise.
        records: those that say something, by name of the picture.
    """

    tasks: Tasks
    classes: tuple[str, ...]
    things: tuple[str, ...]
    records: Mapping[str, Record]
    _maps: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(records: Iterable[Record], tasks: Tasks) -> Labels:
        """Collect classes and things, in the order of the alphabet.

        Two labels that stand on the same pictures (ImageNet's synset and its words) are one, under the name
        that comes first.

        Raises:
            UsageError: the data say nothing of what a task asks for, or not of a class that was named.
        """
        table = {record.name: record for record in records if record.labels or record.objects}
        shown = _distinct(table.values())
        outlined = {thing.category for record in table.values() for thing in record.objects}
        wanted = {name.strip() for name in tasks.classes.split(",") if name.strip()}
        if unknown := sorted(wanted - shown - outlined):
            raise UsageError(
                f"tasks.classes names {unknown[0]!r}, which no picture of the data shows: they show "
                f"{', '.join(sorted(shown | outlined)[:_LISTED]) or 'no class at all'}"
            )
        classes, things = (tuple(sorted(found & wanted if wanted else found)) for found in (shown, outlined))
        asked = tasks.weights()
        if "classification" in asked and len(classes) < 2:
            found = f"one class alone, {classes[0]}" if classes else "no labels"
            raise UsageError(
                f"tasks.classification={tasks.classification:g} has nothing to tell apart, the data have "
                f"{found}: give a folder of folders by class, shards with .cls or .json, or a labelled set"
            )
        for task in _OF_THINGS:
            if task in asked and not things:
                raise UsageError(
                    f"tasks.{task}={asked[task]:g} needs outlined things, and the data have none: give "
                    f"COCO's folder, with annotations/ in it, or leave it out with --set tasks.{task}=0"
                )
        if "segmentation" in asked and len(things) >= UNKNOWN:
            raise UsageError(
                f"segmentation tells up to {UNKNOWN - 1} things apart, the data name {len(things)}: choose "
                "some with --set tasks.classes=a,b,c"
            )
        return Labels(tasks, classes, things, table)

    def __call__(self, place: Place, side: int) -> Label:
        """What is said of the sample that was cut out there and brought to ``side``.

        Cost: a picture's outlines are drawn once and kept packed, some kilobytes each.
        """
        record, asked = self.records.get(place.picture), self.tasks.weights()
        classes = self._classes(record) if "classification" in asked else None
        segments = self._segments(record, place, side) if "segmentation" in asked else None
        boxes, known = self._boxes(record, place, side) if "detection" in asked else (None, None)
        return Label(classes, segments, boxes, known, len(self.things))

    def says(self, name: str) -> bool:
        """Whether a picture has a label that a task asks for."""
        record, asked = self.records.get(name), self.tasks.weights()
        if record is None:
            return False
        if any(task in asked for task in _OF_THINGS) and record.objects:
            return True
        return "classification" in asked and any(label in self.classes for label in record.labels)

    def few(self, names: Sequence[str]) -> Labels:
        """Those of ``tasks.few`` pictures of these names, and of all others but them; 0 = as it is."""
        labelled = [name for name in names if self.says(name)]
        if not 0 < self.tasks.few < len(labelled):
            return self
        dropped = set(labelled) - few_names(labelled, self.tasks.few)
        return replace(self, records={n: r for n, r in self.records.items() if n not in dropped})

    def as_dict(self) -> dict[str, list[str]]:
        """What the answers of the heads mean, ready for JSON."""
        return {"classes": list(self.classes), "things": list(self.things)}

    def _classes(self, record: Record | None) -> Float:
        target = np.zeros(len(self.classes), np.float32)
        if record is not None:
            for label in record.labels:
                if label in self.classes:
                    target[self.classes.index(label)] = 1
        # A picture that shows several things is right whichever of them is named; after Mahajan et al.,
        # "Exploring the Limits of Weakly Supervised Pretraining", ECCV 2018.
        return target / max(float(target.sum()), 1.0)

    def _segments(self, record: Record | None, place: Place, side: int) -> NDArray[np.uint8]:
        cells = side // CELL_PX
        if record is None or not record.objects:
            return np.full((cells, cells), UNKNOWN, np.uint8)
        # The middle of each cell: nothing is resampled, so nothing can be off by a part of a pixel.
        middles = ((np.arange(cells) + 0.5) * place.window / cells).astype(np.intp)
        drawn = self._drawn(record, place.size)[place.top + middles][:, place.left + middles]
        return np.ascontiguousarray(drawn[:, ::-1] if place.mirrored else drawn)

    def _drawn(self, record: Record, size: tuple[int, int]) -> NDArray[np.uint8]:
        """A picture's outlined things, the smaller above the larger: (H, W) uint8."""
        packed = self._maps.get(record.name)
        if packed is None:
            whole = np.zeros(size, np.uint8)
            for thing in sorted(record.objects, key=lambda t: -t.box[2] * t.box[3]):
                area, outlined = _area(thing, size)
                if not outlined:
                    whole[area] = UNKNOWN
                elif thing.category in self.things:
                    whole[area] = 1 + self.things.index(thing.category)
            self._maps[record.name] = packed = zlib.compress(
                whole.tobytes(), 1
            )  # two threads may: it is the same
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(size)

    def _boxes(self, record: Record | None, place: Place, side: int) -> tuple[Float, Bool]:
        cells = side // CELL_PX
        boxes: list[list[float]] = []
        asked = np.full((cells, cells), record is not None and bool(record.objects), np.bool_)
        for thing in record.objects if record is not None else ():
            if thing.category not in self.things:
                continue
            x, y, width, height = thing.box
            times = side / place.window
            whole = np.array([x - place.left, y - place.top, x + width - place.left, y + height - place.top])
            box = np.clip(whole * times, 0, side)
            if place.mirrored:
                box[[0, 2]] = side - box[[2, 0]]
            wide, high = box[2] - box[0], box[3] - box[1]
            if wide <= 0 or high <= 0:
                continue
            seen = wide * high / max(width * height * times**2, 1e-9)
            if thing.crowd or seen < _LEFT or min(wide, high) < _LEAST_PX:
                # There, but not to be asked for: neither found nor missed there is wrong.
                left, top = np.floor(box[:2] / CELL_PX).astype(int)
                right, bottom = np.ceil(box[2:] / CELL_PX).astype(int)
                asked[top:bottom, left:right] = False
            else:
                boxes.append([float(self.things.index(thing.category)), *box])
        return np.array(boxes, np.float32).reshape(-1, 5), asked


def read_labels(sources: Sequence[Path], tasks: Tasks) -> Labels | None:
    """What the sources of a run say; None where no task asks.

    Raises:
        UsageError: they say nothing of what a task asks for.

    Cost: tables and headers alone are read, no picture.
    """
    return Labels.of(list_records(sources, annotations=True).records, tasks) if tasks.weights() else None


def _distinct(records: Iterable[Record]) -> set[str]:
    """Labels, but of those that stand on the very same pictures the first alone."""
    places: dict[str, list[int]] = {}
    for number, record in enumerate(records):
        for label in dict.fromkeys(record.labels):
            places.setdefault(label, []).append(number)
    first: dict[tuple[int, ...], str] = {}
    for label, numbers in places.items():
        first.setdefault(tuple(numbers), label)
    return set(first.values())


def _area(thing: Outlined, size: tuple[int, int]) -> tuple[Bool, bool]:
    """Where a thing is, and whether its outline says so; else its box stands for it."""
    if thing.outline:
        try:
            return thing.mask(size), True
        except UsageError:
            pass  # an outline that is broken, or of another size: what is in the box is not known
    return replace(thing, outline=None).mask(size), False
