"""What is answered to a command: what was meant, which of several, that nothing fits."""

from __future__ import annotations

from collections.abc import Sequence

from remend.errors import AmbiguousError, Choice, UsageError
from remend.picture import Box
from remend.saying.colours import COLOURS, colour_of
from remend.saying.grammar import DAMAGE, Command
from remend.saying.scene import Scene
from remend.saying.things import Thing
from remend.saying.words import Phrase
from remend.saying.zones import box_of, centre_of, place_of

__all__ = ["ask", "listed", "nothing", "told"]

MOST_CHOICES = 9


def ask(command: Command, groups: list[list[Thing]], scene: Scene, pick: str) -> tuple[list[Thing], bool]:
    """The picked ones; without a pick the question.

    Raises:
        AmbiguousError: which one?
        UsageError: a number that is none of them.
    """
    groups = sorted(groups, key=lambda group: (box_of(group).top, box_of(group).left))[:MOST_CHOICES]
    if pick.strip().lower() == "all":
        return [thing for group in groups for thing in group], True
    if pick.strip():
        chosen: list[Thing] = []
        for number in pick.replace("，", ",").split(","):
            if not number.strip().isdigit() or not 1 <= int(number) <= len(groups):
                raise command.refuse("pick", number=number.strip()[:20], count=len(groups))
            chosen += groups[int(number) - 1]
        return chosen, True
    choices = tuple(
        Choice(number, _name(command, group, scene), _corners(box_of(group)))
        for number, group in enumerate(groups, start=1)
    )
    question = command.language.answers["ambiguous"].format(
        said=command.said, count=len(groups), choices=listed(command, groups, scene)
    )
    raise AmbiguousError(question, command.language.answers["which"], choices)


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


def listed(command: Command, groups: Sequence[Sequence[Thing]], scene: Scene) -> str:
    """The things one after the other, each with its number and name."""
    line = command.language.answers["choice"]
    named = [
        line.format(number=number, name=_name(command, group, scene))
        for number, group in enumerate(groups, start=1)
    ]
    return command.language.joins[0].join(named)


def _name(command: Command, group: Sequence[Thing], scene: Scene) -> str:
    """What one is told as: "red thing at the top left"."""
    names = command.language.names
    first = max(group, key=lambda thing: thing.pixels)
    noun = str(first.region.kind)
    colour = ""
    if noun == "object":
        shown = [one for one in COLOURS if colour_of(first.colour, 0.0, one)]
        colour = names.get(shown[0], shown[0]) if shown else ""
    said = names["named"].format(
        colour=colour, noun=names[noun], place=names[place_of(centre_of(group), scene.size)]
    )
    return " ".join(said.split())


def nothing(command: Command, phrase: Phrase) -> UsageError:
    """That nothing fits, and what was looked for."""
    language = command.language
    place = phrase.areas or phrase.zones
    what = phrase.noun or language.told(*(phrase.kinds or ("object",)))
    if phrase.kinds == DAMAGE and not phrase.noun:
        what = language.told(*DAMAGE)
    where = language.answers["in"].format(place=_where(phrase, command)) if place else ""
    return command.refuse("nothing", what=what, where=where)


def _where(phrase: Phrase, command: Command) -> str:
    names = command.language.names
    sides = [zone for zone in ("top", "bottom", "left", "right", "middle") if zone in phrase.zones]
    corner = " ".join(sides[:2])
    place = names.get(corner, "")
    area = command.language.told(*phrase.areas)
    if not area:
        return place
    said = f"in the {area}" if command.language.spaced else f"{area}里"
    return f"{said} {place}".strip() if command.language.spaced else said + place


def told(command: Command, goes: Sequence[Thing], scene: Scene) -> str:
    """What the command was taken for."""
    names = command.language.names
    counted: dict[str, list[Thing]] = {}
    for thing in goes:
        counted.setdefault(thing.region.kind, []).append(thing)
    parts = []
    for kind, things in counted.items():
        groups = scene.linked(things)
        if len(groups) == 1:
            parts.append(_name(command, groups[0], scene))
        else:
            parts.append(f"{names[kind]} × {len(groups)}")
    return command.language.answers["marked"].format(
        said=command.said, what=command.language.joins[0].join(parts)
    )
