"""Which kinds of damage are looked for: their names, and what ``--find`` and ``--skip`` say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, get_args

from remend.errors import UsageError

__all__ = ["DEFAULT_KINDS", "FOUND_KINDS", "GROUPS", "SEEN_KINDS", "DamageKind", "parse_kinds"]

DamageKind = Literal["scratch", "crack", "dust", "stain", "hole", "text", "watermark", "tripod"]

FOUND_KINDS: tuple[DamageKind, ...] = get_args(DamageKind)
"""All that can be looked for, in the order in which it is told."""

SEEN_KINDS = FOUND_KINDS[:-1]
"""What is found by what it looks like. A tripod is where it is: below the camera of a 360° panorama."""

DEFAULT_KINDS: tuple[DamageKind, ...] = ("scratch", "crack", "dust", "stain", "hole")
"""What is looked for unless the user says otherwise: lettering belongs to the picture until then."""

GROUPS: dict[str, tuple[DamageKind, ...]] = {"damage": DEFAULT_KINDS, "all": SEEN_KINDS}

OTHER_NAMES: dict[str, DamageKind] = {
    "scratches": "scratch",
    "cracks": "crack",
    "speck": "dust",
    "specks": "dust",
    "stains": "stain",
    "holes": "hole",
    "tear": "hole",
    "tears": "hole",
    "texts": "text",
    "date": "text",
    "dates": "text",
    "caption": "text",
    "captions": "text",
    "subtitle": "text",
    "subtitles": "text",
    "watermarks": "watermark",
    "logo": "watermark",
    "logos": "watermark",
    "nadir": "tripod",
}


def parse_kinds(find: str | Sequence[str] | None, skip: str | Sequence[str] = ()) -> tuple[DamageKind, ...]:
    """The kinds that the user wants found.

    Args:
        find: exactly what is looked for: kinds, singular or plural, and the groups ``damage`` (the default)
            and ``all`` (but for tripods); each entry may hold several with commas between. None or
            empty = ``damage``.
        skip: the same words; these are taken away.

    Returns:
        Some of ``FOUND_KINDS``, in their order.

    Raises:
        UsageError: an unknown word, or nothing left to look for.

    >>> parse_kinds(["damage,dates"], ["dust"])
    ('scratch', 'crack', 'stain', 'hole', 'text')
    """
    asked = set(_kinds_in(find or ())) or set(DEFAULT_KINDS)
    wanted = asked - set(_kinds_in(skip))
    if not wanted:
        raise UsageError("skip takes away all that is to be found: look for more, or skip less")
    return tuple(kind for kind in FOUND_KINDS if kind in wanted)


def _kinds_in(entries: str | Iterable[str]) -> Iterator[DamageKind]:
    for entry in (entries,) if isinstance(entries, str) else entries:
        for part in entry.split(","):
            word = part.strip().lower()
            if word in GROUPS:
                yield from GROUPS[word]
            elif word:
                yield _kind_of(word, part.strip())


def _kind_of(word: str, said: str) -> DamageKind:
    for kind in FOUND_KINDS:
        if kind == word:
            return kind
    if word not in OTHER_NAMES:
        choices = ", ".join((*FOUND_KINDS, *GROUPS))
        raise UsageError(f"{said[:40]!r} is no kind of damage: choose from {choices}")
    return OTHER_NAMES[word]
