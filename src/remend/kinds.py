"""Which kinds of damage are looked for: their names, and what ``--find`` and ``--skip`` say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from remend.errors import UsageError

__all__ = ["KINDS", "Kind", "default_kinds", "groups", "parse_kinds", "seen_kinds"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of damage.

    Attributes:
        words: other words for it: plurals, and what belongs to it.
        default: whether it is looked for unless the user says otherwise. Lettering belongs to the picture
            until then.
        seen: whether it is found by what it looks like.
        about: what the help says beside its name.
    """

    words: tuple[str, ...] = ()
    default: bool = False
    seen: bool = True
    about: str = ""


KINDS: dict[str, Kind] = {
    "scratch": Kind(("scratches",), default=True),
    "crack": Kind(("cracks",), default=True),
    "dust": Kind(("speck", "specks"), default=True),
    "stain": Kind(("stains",), default=True),
    "hole": Kind(("holes", "tear", "tears"), default=True),
    "text": Kind(
        ("texts", "date", "dates", "caption", "captions", "subtitle", "subtitles"), about="dates, captions"
    ),
    "watermark": Kind(("watermarks", "logo", "logos")),
    "tripod": Kind(("nadir",), seen=False, about="what is right below the camera of a 360° panorama"),
}
"""All that can be looked for, by name, in the order in which it is told."""


def default_kinds() -> tuple[str, ...]:
    """What is looked for unless the user says otherwise."""
    return tuple(name for name, kind in KINDS.items() if kind.default)


def seen_kinds() -> tuple[str, ...]:
    """What is found by what it looks like: all but what is where it is, such as a tripod."""
    return tuple(name for name, kind in KINDS.items() if kind.seen)


def groups() -> dict[str, tuple[str, ...]]:
    """Words that stand for several kinds."""
    return {"damage": default_kinds(), "all": seen_kinds()}


def parse_kinds(find: str | Sequence[str] | None, skip: str | Sequence[str] = ()) -> tuple[str, ...]:
    """The kinds that the user wants found.

    Args:
        find: exactly what is looked for: kinds, singular or plural, and the groups ``damage`` (the default)
            and ``all`` (but for tripods); each entry may hold several with commas between. None or
            empty = ``damage``.
        skip: the same words; these are taken away.

    Returns:
        Some of ``KINDS``, in their order.

    Raises:
        UsageError: an unknown word, or nothing left to look for.

    >>> parse_kinds(["damage,dates"], ["dust"])
    ('scratch', 'crack', 'stain', 'hole', 'text')
    """
    asked = set(_kinds_in(find or ())) or set(default_kinds())
    wanted = asked - set(_kinds_in(skip))
    if not wanted:
        raise UsageError("skip takes away all that is to be found: look for more, or skip less")
    return tuple(kind for kind in KINDS if kind in wanted)


def _kinds_in(entries: str | Iterable[str]) -> Iterator[str]:
    known = groups()
    for entry in (entries,) if isinstance(entries, str) else entries:
        for part in entry.split(","):
            word = part.strip().lower()
            if word:
                yield from known.get(word) or (_kind_of(word, part.strip()),)


def _kind_of(word: str, given: str) -> str:
    for name, kind in KINDS.items():
        if word == name or word in kind.words:
            return name
    choices = ", ".join((*KINDS, *groups()))
    raise UsageError(f"{given[:40]!r} is no kind of damage: choose from {choices}")
