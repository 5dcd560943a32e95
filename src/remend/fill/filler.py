"""What a filler is, the one contract between planning, filling and finishing; and how one gets its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar, runtime_checkable

from remend.errors import UsageError
from remend.picture import Bool, Filled, Float

__all__ = [
    "REGISTERED",
    "Capabilities",
    "Entry",
    "Filler",
    "Following",
    "Neighbour",
    "Propagating",
    "register",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the planner knows of a filler; the planner never looks at its name.

    Attributes:
        context_px: least width of the ring of known pixels that it wants around a hole.
        context_radii: the same ring, as a multiple of the hole's inscribed radius; the larger counts.
        window_px: longest window side that it was made for; larger holes are filled at a smaller
            scale and brought back up. None = any.
        makes_texture: whether large fills carry texture instead of fog.
        local: whether a thin hole may be cut into pieces, each filled from its own surroundings.
        mosaic_px: longest side of a window made of such pieces laid side by side. None = any.
        draws: whether it may answer colours that are nowhere around.
        strays: whether it does so where it should not, so that they are drawn back.
        takes_prior: whether a coarse fill as ``prior`` helps it; the pipeline then makes one.
        takes_guide: whether it follows drawn lines; then it is ``Following``.
        sees_hole: it makes clean what lies in the hole, and so is shown it: ``usable`` then holds there too.
        neighbours: how many pages before and after a page, frames or slices, it wants to see; with any it is
            ``Propagating``.
    """

    context_px: int
    context_radii: float = 0.0
    window_px: int | None = None
    makes_texture: bool = False
    local: bool = False
    mosaic_px: int | None = None
    draws: bool = False
    strays: bool = False
    takes_prior: bool = False
    takes_guide: bool = False
    sees_hole: bool = False
    neighbours: int = 0


@runtime_checkable
class Filler(Protocol):
    """Fills the hole of one window.

    A filler is a small frozen dataclass: its fields are its parameters, with units in their names.
    """

    @property
    def name(self) -> str:
        """The word on the command line, lower case with dashes."""

    @property
    def capabilities(self) -> Capabilities:
        """What the planner may count on."""

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Fill ``hole``.

        Args:
            window: (h, w, 3) float32, known pixels in [0, 1]. Values under ``hole`` and outside
                ``usable`` mean nothing and must not be read, NaN included. Never written to.
            hole: (h, w) bool, True = fill. Not empty.
            usable: (h, w) bool, True = may be read. Never True inside the hole. A window may hold
                pixels that are neither: transparent, no data, damaged and not to be filled now.
                May be empty of True only when the whole picture is; then any finite answer will do.
            prior: (h, w, 3) float32 coarse fill to start from, or None.
            seed: for fillers that draw at random.

        Returns:
            The filled window; the caller composes, so only pixels under ``hole`` matter.
        """


class Following(Filler, Protocol):
    """A filler that follows lines, where its ``takes_guide`` says so."""

    def fill(
        self,
        window: Float,
        hole: Bool,
        *,
        usable: Bool,
        prior: Float | None = None,
        guide: Bool | None = None,
        seed: int = 0,
    ) -> Filled:
        """Fill ``hole`` along lines; see `Filler.fill`.

        Args:
            window, hole, usable, prior, seed: as every filler's.
            guide: (h, w) bool, True = a line that the hole is to hold; None = there are none.
        """


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What lies where a window lies, on another page, frame or slice.

    Attributes:
        pixels: (h, w, 3) float32, in the window's own range.
        usable: (h, w) bool, True = may be read.
    """

    pixels: Float
    usable: Bool


class Propagating(Filler, Protocol):
    """A filler that looks at the pages around, where its ``neighbours`` says so."""

    def fill(
        self,
        window: Float,
        hole: Bool,
        *,
        usable: Bool,
        prior: Float | None = None,
        neighbours: Mapping[int, Neighbour] = MappingProxyType({}),
        seed: int = 0,
    ) -> Filled:
        """Fill ``hole`` from the pages around; see `Filler.fill`.

        Args:
            window, hole, usable, prior, seed: as every filler's.
            neighbours: by their distance, -1 the page before, 1 the one after. Those before are repaired
                already; of those after what is damaged is not usable. Pages of another size or kind, and
                those that do not exist, are left out: a single picture has none.
        """


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `remend methods`.

    Attributes:
        make: makes the filler with its default parameters.
        summary: what it is good for, in one line.
        reference: the paper.
    """

    make: Callable[[], Filler]
    summary: str
    reference: str


REGISTERED: dict[str, Entry] = {}
Maker = TypeVar("Maker", bound=Callable[[], Filler])


def register(name: str, *, summary: str, reference: str = "") -> Callable[[Maker], Maker]:
    """Let a filler be called by its name: a decorator for its class, or for a function that makes it.

    The fillers of ``remend.fill`` are found by this alone; any other may be registered in the same way.
    A name holds in the process that registered it.

    Args:
        name: the word on the command line, lower case with dashes.
        summary: what it is good for, in one line.
        reference: the paper.

    Raises:
        UsageError: a name that is taken, or that reads as a model file or as ``auto``.
    """
    if name in REGISTERED or name == "auto" or name.lower().endswith(".onnx"):
        raise UsageError(f"no filler can be registered as {name!r}: the name is taken, choose another")

    def entered(make: Maker) -> Maker:
        REGISTERED[name] = Entry(make, summary, reference)
        return make

    return entered
