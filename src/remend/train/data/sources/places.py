"""Places365: ten million scenes of 365 categories.

Zhou, Lapedriza, Khosla, Oliva, Torralba, *Places: A 10 Million Image Database for Scene Recognition*,
TPAMI 2018.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from remend.train.data.sources import folder as plain
from remend.train.data.sources.record import Listing, Record
from remend.train.data.sources.tables import rows_of

__all__ = ["listing", "recognised"]

# As the archives unpack, the small pictures first; then torchvision's and the "easy format" of the authors.
_TRAIN = ("data_256", "data_large", "data_256_standard", "data_large_standard", "train")
_VALIDATION = ("val_256", "val_large", "val")
_TEST = ("test_256", "test_large", "test")
_LISTS = ("filelist_places365-standard", ".")
_CATEGORIES = "categories_places365.txt"


def recognised(root: Path) -> bool:
    """Whether the lists of Places365, or a folder called as its archives unpack, lie in the folder."""
    return (
        any((root / place / _CATEGORIES).is_file() for place in _LISTS)
        or (root / _LISTS[0]).is_dir()
        or any((root / name).is_dir() for name in (*_TRAIN[:4], "val_256", "val_large"))
    )


def listing(root: Path, *, annotations: bool = False) -> Listing:
    """The training pictures where they are there; else those of validation.

    Args:
        root: holds ``data_256/`` or ``data_large/`` (``a/airfield/00000001.jpg``), ``val_256/`` and
            ``filelist_places365-standard/``.
        annotations: categories as labels: of training pictures from their folder, of others from the lists.
    """
    train = next((name for name in _TRAIN if (root / name).is_dir()), None)
    others = [name for name in (*_VALIDATION, *_TEST) if (root / name).is_dir()]
    chosen = train or (others[0] if others else None)
    if chosen is None:
        found = plain.listing(root)
        return Listing("Places365", found.records, found.notes, found.skipped)
    found = plain.listing(root / chosen)
    start = plain.named(root)
    records = [replace(record, name=f"{start}/{record.name}") for record in found.records]
    notes = list(found.notes)
    left = [name for name in (*_TRAIN, *_VALIDATION, *_TEST) if (root / name).is_dir() and name != chosen]
    if left:
        notes.append(f"{root}: of {chosen}/ alone; {', '.join(left)} left, give --data {root / left[0]}")
    if annotations:
        table = {} if train else _labels(root)
        prefix = f"{start}/{chosen}/"
        records = [_labelled(r, r.name.removeprefix(prefix), table) for r in records]
    return Listing("Places365", records, tuple(notes), found.skipped)


def _labelled(record: Record, inner: str, table: dict[str, str]) -> Record:
    label = table.get(inner.rsplit("/", 1)[-1])
    if label is None and "/" in inner:
        label = _category(inner.rpartition("/")[0])
    return replace(record, labels=(label,) if label else ())


def _category(path: str) -> str:
    """``a/arena/hockey`` is the category ``arena/hockey``."""
    letter, _, rest = path.strip("/").partition("/")
    return rest if len(letter) == 1 and rest else path.strip("/")


def _labels(root: Path) -> dict[str, str]:
    """Category of each picture of validation, from the lists."""
    table: dict[str, str] = {}
    for place in _LISTS:
        categories, files = root / place / _CATEGORIES, root / place / "places365_val.txt"
        if categories.is_file() and files.is_file():
            names = {row[1]: _category(row[0]) for row in rows_of(categories) if len(row) == 2}
            table |= {
                row[0].rsplit("/", 1)[-1]: names.get(row[1], row[1])
                for row in rows_of(files)
                if len(row) == 2
            }
    return table
