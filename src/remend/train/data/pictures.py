"""Pictures to learn from: kept decoded while memory lasts, beyond it read from their files at each use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError, UsageError
from remend.train.data.sources import (
    Listing,
    Record,
    Stored,
    duplicates,
    few_names,
    groups_of,
    list_records,
    pixels_of,
    size_of,
    split_names,
)

__all__ = ["CHECKED", "Pictures", "read_pictures"]

_AHEAD = 64
CHECKED = 20_000
"""Up to this many pictures, every one is decoded at the start; of more, only headers are read."""

_IN_A_ROW = 100


@dataclass(frozen=True)
class Pictures:
    """Pictures in an order that depends on their names alone.

    Attributes:
        names: of each picture, ``source/file``.
        stored: of each: pixels, (H, W, 3) uint8 RGB; or where its file lies, read at each use.
        groups: how many pictures came from each folder or family of shards.
        skipped: a line for each file that could not be used.
        notes: a line for each thing that was left alone on purpose.
        least_px: shorter side that a picture must have.
        enlarge: smaller ones are enlarged to it at each use, instead of left out.
        say: told of a file that cannot be used any more, once each.
    """

    names: tuple[str, ...]
    stored: tuple[Stored, ...]
    groups: dict[str, int]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    least_px: int = 1
    enlarge: bool = False
    say: Callable[[str], None] = print
    _memory: _Memory | None = field(default=None, repr=False, compare=False)
    _told: set[str] = field(default_factory=set, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Picture ``index``, or what stands in for it: (H, W, 3) uint8 RGB; see ``usable``."""
        return self.usable(index)[1]

    def usable(self, index: int) -> tuple[str, NDArray[np.uint8]]:
        """Name and pixels, (H, W, 3) uint8 RGB, of picture ``index`` or of what stands in for it.

        A file that has become unreadable, or that nobody looked into at the start, is told of once, and the
        next picture stands in for it: a run of days does not end on one bad file, and a sample stays a
        function of its number and the files. What is known of a picture goes by the name, not the number.

        Raises:
            DecodeError: a hundred in a row: the folder is gone.
        """
        problem: DecodeError | None = None
        for step in range(min(_IN_A_ROW, len(self))):
            number = (index + step) % len(self)
            try:
                return self.names[number], self._usable(number)
            except DecodeError as error:
                problem = problem or error
                if self.names[number] not in self._told:
                    self._told.add(self.names[number])
                    self.say(f"{error}; the next one stands in for it")
        raise DecodeError(f"{problem}, and so are those behind it: is the folder still there?")

    def _usable(self, index: int) -> NDArray[np.uint8]:
        stored, name = self.stored[index], self.names[index]
        if isinstance(stored, np.ndarray):
            return self._enlarged(stored)
        kept = self._memory.kept.get(name) if self._memory else None
        if kept is not None:
            return self._enlarged(kept)
        image = pixels_of(stored, name)
        if min(image.shape[:2]) < self.least_px and not self.enlarge:
            raise DecodeError(_too_small(name, image.shape[1], image.shape[0], self.least_px))
        if self._memory is not None:
            self._memory.offer(name, image)
        return self._enlarged(image)

    def _enlarged(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A small picture brought to ``least_px`` on its shorter side; kept small, since memory is dearer."""
        short = min(image.shape[:2])
        if not self.enlarge or short >= self.least_px:
            return image
        height, width = (max(self.least_px, round(n * self.least_px / short)) for n in image.shape[:2])
        return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    @property
    def in_memory(self) -> bool:
        """Whether no picture is left to be decoded: forked processes then share all of them."""
        return all(isinstance(stored, np.ndarray) for stored in self.stored)

    @property
    def nbytes(self) -> int:
        """Memory that their pixels take now, apart from those mapped from files."""
        kept = self._memory.used if self._memory else 0
        return kept + sum(s.nbytes for s in self.stored if isinstance(s, np.ndarray) and not _mapped(s))

    def split(self, aside: int) -> tuple[Pictures, Pictures]:
        """``(rest, set aside)``: the ``aside`` pictures whose names have the smallest SHA-256.

        A picture's side does not depend on the order or place in which it was found. At most a tenth is set
        aside.
        """
        chosen = split_names(self.names, aside)
        return (
            self.only([i for i, name in enumerate(self.names) if name not in chosen]),
            self.only([i for i, name in enumerate(self.names) if name in chosen]),
        )

    def at_least(self, side: int) -> Pictures:
        """Those whose shorter side is ``side`` px or more; every one is looked at."""
        return self.only([i for i in range(len(self)) if min(self[i].shape[:2]) >= side])

    def few(self, count: int) -> Pictures:
        """``count`` of them for learning from few, chosen by another hash of the names; 0 = all.

        Ten are among the hundred, and neither touches what is set aside, if that was split off before.
        """
        if count < 0:
            raise UsageError(f"data.few is a number of pictures, 0 = all, got {count}")
        if not 0 < count < len(self):
            return self
        chosen = few_names(self.names, count)
        return self.only([i for i, name in enumerate(self.names) if name in chosen])

    def only(self, indices: list[int]) -> Pictures:
        """Those of these numbers; what is read for one is kept for all."""
        names = tuple(self.names[i] for i in indices)
        stored = tuple(self.stored[i] for i in indices)
        return Pictures(
            names,
            stored,
            groups_of(names),
            least_px=self.least_px,
            enlarge=self.enlarge,
            say=self.say,
            _memory=self._memory,
            _told=self._told,
        )


@dataclass
class _Memory:
    """Pixels kept at their first use, up to a limit; shared by the parts of a split."""

    limit: int
    used: int = 0
    kept: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def offer(self, name: str, image: NDArray[np.uint8]) -> None:
        # Two threads may offer the same picture at once; counting it twice errs on the safe side.
        if self.used + image.nbytes <= self.limit:
            self.used += image.nbytes
            self.kept[name] = image


def read_pictures(
    sources: Sequence[Path],
    *,
    least_px: int,
    enlarge: bool = False,
    memory_gib: float = 6.0,
    threads: int = 2,
    deduplicate: bool = False,
    exclude: Path | None = None,
    say: Callable[[str], None] = print,
) -> Pictures:
    """List the pictures of folders, data sets, lists and shards, and keep what fits into memory.

    Up to ``CHECKED`` pictures, each is decoded once, so that broken ones are known before the first step,
    and kept decoded while memory lasts. Of more than that only headers are read; pictures are decoded, and
    kept while memory lasts, when they are first used. Beyond the memory a picture is its path, or its place
    in a shard, and is read and decoded at each use (the system's file cache holds what it can). So memory
    is bounded whatever the size of the data, and the order is the same whatever the memory.

    Args:
        sources: whatever ``remend.train.data.sources.open_source`` takes.
        least_px: pictures with a shorter side are skipped.
        enlarge: they are enlarged to it instead.
        memory_gib: for decoded pictures.
        threads: that read.
        deduplicate: leave out all but the first of pictures that look alike; every one is decoded for that.
        exclude: text file of names to leave out, one a line.
        say: told of files that turn out to be unusable later.

    Raises:
        UsageError: a source that does not exist, a broken shard, no list to exclude, or no picture at all.

    Cost: about 3 ms a picture of 400 × 288 and thread; beyond ``CHECKED``, 0.1 ms.
    """
    listing = list_records(sources)
    if exclude is not None:
        listing = _without(listing, exclude)
    memory = _Memory(int(memory_gib * 2**30))
    lazily = len(listing.records) > CHECKED
    look = _look_at_header if lazily else _look_at_pixels
    skipped = list(listing.skipped)
    names: list[str] = []
    stored: list[Stored] = []
    for record, found in zip(listing.records, _in_order(listing.records, look, threads), strict=True):
        if isinstance(found, str):
            skipped.append(found)
            continue
        size, image = found
        if min(size) < least_px and not enlarge:
            skipped.append(_too_small(record.name, *size, least_px))
            continue
        names.append(record.name)
        if image is None or _mapped(image) or memory.used + image.nbytes > memory.limit:
            stored.append(record.stored)
        else:
            memory.used += image.nbytes
            stored.append(image)
    if not names:
        raise UsageError(_nothing(sources, listing, skipped, least_px))
    pictures = Pictures(
        tuple(names),
        tuple(stored),
        groups_of(names),
        tuple(skipped),
        listing.notes,
        least_px=least_px,
        enlarge=enlarge,
        say=say,
        _memory=memory if lazily else None,
    )
    return _without_duplicates(pictures) if deduplicate else pictures


def _without(listing: Listing, exclude: Path) -> Listing:
    """Leave out what a file names; a name that is not there may be of a source that was not given."""
    try:
        names = {line.strip() for line in exclude.read_text(encoding="utf-8").splitlines()}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"data.exclude={exclude} cannot be read as text ({error}): give a name a line"
        ) from error
    kept = [record for record in listing.records if record.name not in names]
    note = f"{len(listing.records) - len(kept):,} pictures are left out as {exclude.name} says"
    return replace(listing, records=kept, notes=(*listing.notes, note))


def _without_duplicates(pictures: Pictures) -> Pictures:
    alike = duplicates((name, pictures[i]) for i, name in enumerate(pictures.names))
    out = {name: first for first, *others in alike for name in others}
    kept = pictures.only([i for i, name in enumerate(pictures.names) if name not in out])
    lines = tuple(f"{name}: looks like {first}" for name, first in sorted(out.items()))
    return Pictures(
        kept.names,
        kept.stored,
        kept.groups,
        pictures.skipped + lines,
        pictures.notes,
        least_px=pictures.least_px,
        enlarge=pictures.enlarge,
        say=pictures.say,
        _memory=pictures._memory,
    )


_Found = tuple[tuple[int, int], NDArray[np.uint8] | None] | str
"""(width, height) and, where they were read, the pixels; or why not."""


def _look_at_pixels(record: Record) -> _Found:
    try:
        image = record.pixels()
    except DecodeError as error:
        return str(error)
    return (image.shape[1], image.shape[0]), image


def _look_at_header(record: Record) -> _Found:
    try:
        size = size_of(record.stored)
    except OSError as error:
        return f"{record.name}: cannot be read ({error.strerror or error})"
    return (
        f"{record.name}: cannot be decoded, it does not begin as a picture" if size is None else (size, None)
    )


def _in_order(records: Sequence[Record], look: Callable[[Record], _Found], threads: int) -> Iterator[_Found]:
    """What threads find, no more than a few ahead of the one who asks."""
    with ThreadPoolExecutor(threads) as pool:
        rest = iter(records)
        waiting: list[Future[list[_Found]]] = []
        # In batches: a task costs more than a header.
        size = 1 if look is _look_at_pixels else 256
        while batch := list(islice(rest, size)):
            waiting.append(pool.submit(_all, look, batch))
            if len(waiting) >= _AHEAD:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def _all(look: Callable[[Record], _Found], records: list[Record]) -> list[_Found]:
    return [look(record) for record in records]


def _nothing(sources: Sequence[Path], listing: Listing, skipped: list[str], least_px: int) -> str:
    where = ", ".join(map(str, sources))
    why = f" ({skipped[0]}; {len(skipped)} skipped)" if skipped else ""
    if any("smaller than" in line for line in skipped):
        return (
            f"no pictures in {where}{why}: lower data.crop_px, enlarge them with --set data.enlarge=true, or "
            "give larger ones"
        )
    return f"no pictures in {where}{why}: give folders, lists or tar shards of WebP, JPEG or PNG"


def _too_small(name: str, width: int, height: int, least_px: int) -> str:
    return f"{name}: {width}×{height}, smaller than {least_px} px"


def _mapped(image: NDArray[np.uint8]) -> bool:
    """Whether the pixels lie in a file that is mapped into memory."""
    base: object = image
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False
