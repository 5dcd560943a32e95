"""COCO: 118 thousand scenes with outlined things of 80 categories, and 123 thousand without.

Lin et al., *Microsoft COCO: Common Objects in Context*, ECCV 2014.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from remend.errors import UsageError
from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing, Record
from remend.train.data.sources.segmentation import Outlined
from remend.train.data.sources.tables import json_of

__all__ = ["listing", "read_objects", "recognised"]

_PARTS = ("train2017", "train2014", "unlabeled2017")
_HELD_OUT = ("val2017", "val2014", "test2017", "test2014")


def recognised(root: Path) -> bool:
    """Whether COCO's annotations, or folders called as COCO's, lie in the folder; or it is one of them."""
    annotated = root / "annotations"
    if annotated.is_dir() and any(annotated.glob("instances_*.json")):
        return True
    return any((root / name).is_dir() for name in (*_PARTS, *_HELD_OUT)) or _own(root).is_file()


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The training pictures, and the unlabelled ones beside them; or those of the part that was given.

    Args:
        root: holds ``train2017/`` and ``annotations/``; or is ``train2017/`` … itself.
        annotations: categories as labels and outlined things, from ``annotations/instances_*.json``.

    Raises:
        UsageError: annotations that are not as published.
    """
    parts = [name for name in _PARTS if (root / name).is_dir()]
    held_out = [name for name in _HELD_OUT if (root / name).is_dir()]
    start = plain.named(root)
    records: list[Record] = []
    notes: list[str] = []
    for name in parts or held_out[:1] or ["."]:
        found = plain.listing(root / name if name != "." else root)
        rows = found.records if name == "." else [replace(r, name=f"{start}/{r.name}") for r in found.records]
        path = _own(root) if name == "." else root / "annotations" / f"instances_{name}.json"
        if annotations and path.is_file():
            rows = _annotated(rows, path)
        records += rows
        notes += found.notes
    if parts and held_out:
        notes.append(
            f"{root}: of {', '.join(parts)} alone; {', '.join(held_out)} left for measuring, "
            f"give --data {root / held_out[0]}"
        )
    return Listing("COCO", records, tuple(notes))


def read_objects(path: Path) -> dict[str, tuple[Outlined, ...]]:
    """Outlined things by file name, from an ``instances_*.json``.

    Raises:
        UsageError: a JSON that is not as published.

    Cost: 450 MB of JSON for train2017: about 15 s, and 3 GB while it is read.
    """
    facts = json_of(path)
    table: dict[str, list[Outlined]] = {}
    try:
        names = {entry["id"]: str(entry["file_name"]) for entry in facts["images"]}
        categories = {entry["id"]: str(entry["name"]) for entry in facts["categories"]}
        for entry in facts["annotations"]:
            x, y, width, height = (float(v) for v in entry["bbox"])
            outlined = Outlined(
                categories[entry["category_id"]],
                (x, y, width, height),
                entry.get("segmentation") or [],
                bool(entry.get("iscrowd", 0)),
            )
            table.setdefault(names[entry["image_id"]], []).append(outlined)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is not as published ({error!r}): fetch it again") from error
    return {name: tuple(objects) for name, objects in table.items()}


def _annotated(records: list[Record], path: Path) -> list[Record]:
    table = read_objects(path)
    result = []
    for record in records:
        objects = table.get(record.name.rsplit("/", 1)[-1], ())
        labels = tuple(sorted({thing.category for thing in objects}))
        result.append(replace(record, labels=labels, objects=objects))
    return result


def _own(folder: Path) -> Path:
    """The annotations of ``train2017/``, given by itself."""
    return folder.resolve().parent / "annotations" / f"instances_{plain.named(folder)}.json"
