"""A document: the pages of one file, of which each is a picture, read when it is asked for.

A page is a sheet of a multi-page scan, a frame of an animation or a slice of a volume: the document says
which, and what lies between two of them, time or space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, overload

from remend.picture import Bool, Container, Picture

__all__ = ["Axis", "Document", "Pages", "Repaired"]

Axis = Literal["page", "frame", "slice"]


class Pages(Sequence[Picture]):
    """Pages that are decoded each time they are asked for, and not kept.

    Args:
        count: how many there are.
        read: makes the page of a number from 0.
    """

    def __init__(self, count: int, read: Callable[[int], Picture]) -> None:
        self._count, self._read = count, read

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Pages: ...
    def __getitem__(self, index: int | slice) -> Picture | Pages:
        if isinstance(index, slice):
            part = range(self._count)[index]
            return Pages(len(part), lambda number: self[part[number]])
        return self._read(range(self._count)[index])

    def __iter__(self) -> Iterator[Picture]:
        return (self._read(number) for number in range(self._count))


@dataclass(frozen=True, slots=True)
class Document:
    """A file of pages.

    Attributes:
        container: the file.
        pages: pictures in display orientation, decoded when asked for. They may differ in size and kind.
        axis: what one is: a ``page``, a ``frame`` in time or a ``slice`` in space.
        durations_s: how long each frame is shown; empty where the axis is not time.
        spacing_mm: between slices, rows and columns; None where the axis is not space.
        together: how many pages, one after the other, belong to one volume; those of the next are no
            neighbours of them. None = all.
    """

    container: Container
    pages: Sequence[Picture]
    axis: Axis = "page"
    durations_s: tuple[float, ...] = ()
    spacing_mm: tuple[float, float, float] | None = None
    together: int | None = None


@dataclass(frozen=True, slots=True)
class Repaired:
    """A page that was repaired.

    Attributes:
        number: of the page, from 0.
        picture: the page, samples changed under ``changed`` alone.
        changed: (H, W) bool.
    """

    number: int
    picture: Picture
    changed: Bool
