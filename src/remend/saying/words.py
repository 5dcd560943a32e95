"""What the words of a command may mean, in whatever language they are said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Language", "Phrase", "Role", "Token", "Word", "entries", "matches_at"]

Role = Literal[
    "remove",  # a verb: take the thing away
    "clean",  # a verb: take away the damage on it
    "keep",  # what follows stays
    "keeps",  # what stands before stays, or is set aside: the end of 除了…以外
    "refused",  # a verb for what repair cannot do
    "kind",  # of damage
    "object",  # a thing without a name: its colour and place tell which
    "person",  # what only recognition could find
    "colour",
    "zone",  # of the frame: top, left, corner
    "area",  # of the scene: sky, background
    "shape",  # long, small, horizontal
    "most",  # largest, leftmost
    "ordinal",
    "from",  # the side that ordinals count from
    "all",
    "one",
    "count",
    "and",
    "the",
    "filler",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Word:
    """One meaning.

    Attributes:
        role: what it does in a command.
        value: what it says: a colour's name, a zone, kinds with blanks between, a number.
        many: of a noun: whether it means all there are unless one is singled out.
    """

    role: Role
    value: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a command as it was said."""

    text: str
    word: Word


@dataclass(slots=True)
class Phrase:
    """One thing, or one kind of thing, that a command names.

    Attributes:
        kinds: of damage that fit; empty = none was named.
        is_object: whether things that are no damage fit.
        person: a word for what is not recognised, as it was said.
        colours, zones, areas, shapes: all must fit, colours one of them.
        most: ``largest``, ``left`` …: the one that is so most.
        ordinal: 1, 2 … or -1 for the last; 0 = none. ``side``: what is counted from.
        count: how many there are said to be; 0 = not said.
        every: whether all that fit are meant; None = not said.
        many: whether the noun means all unless one is singled out.
        bare: whether nothing but a noun was said.
        noun: the noun as it was said.
        unknown: words that mean nothing here.
    """

    kinds: tuple[str, ...] = ()
    is_object: bool = False
    person: str = ""
    colours: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    most: str = ""
    ordinal: int = 0
    side: str = ""
    count: int = 0
    every: bool | None = None
    many: bool = False
    pointed: bool = False
    noun: str = ""
    said: str = ""
    unknown: list[str] = field(default_factory=list)

    @property
    def is_named(self) -> bool:
        """Whether it has a noun."""
        return bool(self.kinds or self.is_object or self.person)

    @property
    def is_placed(self) -> bool:
        """Whether a place was said."""
        return bool(self.zones or self.areas)

    @property
    def is_bare(self) -> bool:
        """Whether nothing but a noun was said, which may share what is said of its neighbour."""
        return self.is_named and not (
            self.is_placed or self.colours or self.shapes or self.most or self.ordinal or self.person
        )


@dataclass(frozen=True, slots=True)
class Language:
    """A language's words and what is answered in it.

    Attributes:
        words: by their spelling, in lower case; several words of English may be one entry.
        answers: sentences by name, with ``{}`` fields.
        names: of kinds, colours and places as they are told.
        spaced: whether blanks part its words.
        joins: what stands between the members of a list, and before the last one.
    """

    words: Mapping[str, Word]
    answers: Mapping[str, str]
    names: Mapping[str, str]
    spaced: bool
    joins: tuple[str, str]

    def told(self, *names: str) -> str:
        """A list of things by name, as one says it."""
        said = [self.names.get(name, name) for name in names]
        between, last = self.joins
        return last.join([between.join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)


def entries(role: Role, table: Mapping[str, str], *, many: bool = False) -> dict[str, Word]:
    """Words by their spelling, from what they say: spellings with ``|`` between.

    >>> entries("colour", {"grey": "grey|gray"})["gray"].value
    'grey'
    """
    return {
        spelling: Word(role, value, many)
        for value, spellings in table.items()
        for spelling in spellings.split("|")
    }


def matches_at(words: Mapping[str, Word], spellings: list[str], at: int, longest: int) -> Iterator[int]:
    """How many of the parts from ``at`` on are one entry, the longest first."""
    for count in range(min(longest, len(spellings) - at), 0, -1):
        if " ".join(spellings[at : at + count]) in words:
            yield count
