"""What in a picture a command means: all that fits, one that is singled out, or a question which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from remend.picture import Bool, Region
from remend.saying.answers import ask, listed, nothing, told
from remend.saying.colours import HUES, colour_of
from remend.saying.grammar import DAMAGE, Command
from remend.saying.scene import LETTERING, UNSEEN, Scene
from remend.saying.things import Thing, inside, overlap
from remend.saying.words import Phrase
from remend.saying.zones import SIDES, ZONE_SHARE, box_of, centre_of, extreme, lies

__all__ = ["Meant", "meant"]

BARS = (0.3, 0.12, 0.05)  # of confidence; the next lower one counts where nothing is found
NAMED = 0.6  # of the bar, for kinds that are named: somebody has seen some
LEAST_WEIGHT = 0.06  # of the largest that fits
WHOLE_SHARE = 0.7  # of a thing in an area: then all of it is meant, else what of it lies there
LARGE = 1.6  # times the smallest: what is called large; times what is called small is the largest
SMALL, LONG = 0.06, 0.2  # of the longer side: what is called so by itself
SLANT = 25  # degrees
KEPT_PX = 3  # around what stays


@dataclass(frozen=True, slots=True)
class Meant:
    """What a command means in a picture.

    Attributes:
        regions: what goes.
        notes: what it was taken for, a line each.
    """

    regions: tuple[Region, ...]
    notes: tuple[str, ...]


def meant(command: Command, scene: Scene, *, sensitivity: float = 0.5, pick: str = "") -> Meant:
    """What a command means in a picture.

    Args:
        command: as `parse` read it.
        scene: the picture.
        sensitivity: how much counts as damage at first; what is named is looked for harder if there is none.
        pick: numbers of a question that was asked before, with commas between, or ``all``.

    Returns:
        At least one region.

    Raises:
        AmbiguousError: several fit, and one is meant.
        UsageError: nothing fits; ``pick`` is none of the numbers. Both in the command's own language.
    """
    goes: list[Thing] = []
    asked = False
    for phrase in command.remove:
        fitting, is_asked = _chosen(command, phrase, scene, sensitivity, "" if asked else pick)
        asked |= is_asked
        goes += fitting
    kept = np.zeros(scene.size, bool)
    for phrase in command.keep:
        kept |= _kept(phrase, scene)
    if kept.any():
        reach = np.ones((2 * KEPT_PX + 1,) * 2, np.uint8)
        kept = cv2.dilate(kept.astype(np.uint8), reach) > 0
        chosen, goes = goes, [_without(thing, kept) for thing in goes]
        goes = [thing for thing in goes if thing.mask.any()]
        if not goes and _differ(command):  # "keep the caption, remove the date": both are lettering
            goes = chosen
        if not goes:
            raise nothing(command, command.remove[0])
    return Meant(tuple(thing.region for thing in goes), (told(command, goes, scene),))


def _differ(command: Command) -> bool:
    """Whether what stays has another name than what goes, and nothing else to tell it by."""
    nouns = {phrase.noun for phrase in command.remove}
    return all(phrase.is_bare and phrase.noun not in nouns for phrase in command.keep)


def _chosen(
    command: Command, phrase: Phrase, scene: Scene, sensitivity: float, pick: str
) -> tuple[list[Thing], bool]:
    """What one phrase means, and whether ``pick`` had a part in it.

    Raises:
        UsageError: see ``meant``.
    """
    area = _area(command, phrase, scene)
    single = _is_single(phrase)
    first = max(1 - sensitivity, BARS[-1])
    if not single and phrase.noun and len(phrase.kinds) < len(DAMAGE):
        first *= NAMED
    if phrase.most in ("large", "long"):  # what is large may be what is not so sure
        first = min(first, UNSEEN)
    bars = [first, *(bar for bar in BARS if bar < first)]
    things: list[Thing] = []
    # A colour may tell of what is no damage, where no damage is of that colour.
    looks = [(bar, False) for bar in bars] if phrase.kinds else []
    if phrase.is_object or phrase.colours:
        looks += [(bar, True) for bar in (bars[:1] if phrase.kinds else bars)]
    for bar, anything in looks:
        things = _named(phrase, scene, bar, anything=anything)
        if phrase.shapes or phrase.most:
            heavy = max((thing.pixels for thing in things), default=0)
            things = [thing for thing in things if thing.pixels >= LEAST_WEIGHT * heavy]
        things = [thing for thing in things if _is_shaped(thing, phrase, scene, things)]
        if area is not None:
            things = [part for thing in things if (part := _within(thing, area)) is not None]
        groups = _groups(phrase, scene, things)
        if single or phrase.count:
            groups = _of_weight(groups)
        placed = [group for group in groups if lies(group, phrase.zones, scene.size)]
        if single and not placed and len(groups) == 2 and set(phrase.zones) <= set(SIDES):
            placed = groups  # "the left one" of two, wherever they lie
        if not single:
            things = [thing for thing in things if lies([thing], phrase.zones, scene.size)]
        if placed and (single or things):
            break
    else:
        raise nothing(command, phrase)
    if not single and not phrase.count:
        return things, False
    if phrase.count and not phrase.ordinal and not phrase.most:
        if len(placed) < phrase.count:
            raise command.refuse("too few", count=len(placed), choices=listed(command, placed, scene))
        if len(placed) == phrase.count:
            return [thing for group in placed for thing in group], False
        return ask(command, placed, scene, pick)
    one = _singled(phrase, placed, scene)
    if one is None and len(groups) == 2 and len(phrase.zones) == 1 and phrase.zones[0] in SIDES:
        one = extreme(groups, phrase.zones[0])
    if one is not None:
        return one, False
    if len(placed) == 1:
        return placed[0], False
    return ask(command, placed, scene, pick)


def _is_single(phrase: Phrase) -> bool:
    """Whether one thing is meant."""
    if phrase.every or phrase.count:
        return False
    return not phrase.many or bool(phrase.most or phrase.ordinal) or phrase.every is False


def _named(phrase: Phrase, scene: Scene, bar: float, *, anything: bool) -> list[Thing]:
    """All that goes by the phrase's noun and colour; with ``anything`` what is no damage, too."""
    found: list[Thing] = []
    if set(phrase.kinds) & set(DAMAGE):
        found += _of(phrase.kinds, scene.damage(bar))
    if set(phrase.kinds) & set(LETTERING):
        found += _of(phrase.kinds, scene.lettering(bar))
    if anything and not phrase.colours:
        found += _of(("stain", "hole"), scene.damage(bar))
        found += _coloured(found, scene, (*HUES, "white", "black"))
    if phrase.colours:
        found = [
            thing
            for thing in found
            if any(colour_of(thing.colour, thing.lighter, colour) for colour in phrase.colours)
        ]
        if anything:
            found += _coloured(found, scene, phrase.colours)
    return found


def _of(kinds: Sequence[str], things: Sequence[Thing]) -> list[Thing]:
    """Those that may be called so, and called so from here on."""
    return [replace(one, kinds=one.kinds & set(kinds)) for one in things if one.of_kind(kinds)]


def _coloured(found: Sequence[Thing], scene: Scene, colours: Sequence[str]) -> list[Thing]:
    """Things of some colours that overlap neither what was found, nor each other, nor scratches."""
    lines = [thing for thing in scene.damage(BARS[0]) if thing.is_line]
    letters = scene.lettering(BARS[0])
    kept: list[Thing] = []
    for thing in (one for colour in colours for one in scene.objects(colour)):
        if any(overlap(row, thing) > 0.5 for row in letters):
            continue
        if not any(thing.box.overlaps(other.box) for other in (*found, *kept)) and not any(
            overlap(thing, other) > 0.3 for other in (*lines, *letters)
        ):
            kept.append(thing)
    return kept


def _is_shaped(thing: Thing, phrase: Phrase, scene: Scene, things: Sequence[Thing]) -> bool:
    """Whether it is as large, long or level as is said."""
    sizes = [one.pixels for one in things]
    lengths = [one.length for one in things]
    tests = {
        "large": thing.pixels >= LARGE * min(sizes) or len(things) == 1,
        "small": thing.pixels <= max(sizes) / LARGE or thing.length < SMALL * scene.longer,
        "long": thing.length >= LARGE * min(lengths) or thing.length > LONG * scene.longer,
        "short": thing.length <= max(lengths) / LARGE or thing.length < LONG / 2 * scene.longer,
        "thin": thing.length > 5 * thing.width,
        "thick": thing.width >= LARGE * float(np.median([one.width for one in things])) or len(things) == 1,
        "horizontal": thing.slant <= SLANT,
        "vertical": thing.slant >= 90 - SLANT,
        "round": thing.length < 1.6 * thing.width,
    }
    return all(tests[shape] for shape in phrase.shapes)


def _groups(phrase: Phrase, scene: Scene, things: Sequence[Thing]) -> list[list[Thing]]:
    """What counts as one each: near pieces of damage together, other things by themselves."""
    pieces = [thing for thing in things if thing.of_kind(DAMAGE)]
    return [*scene.linked(pieces), *([thing] for thing in things if not thing.of_kind(DAMAGE))]


def _of_weight(groups: list[list[Thing]]) -> list[list[Thing]]:
    """Without what is far smaller than the largest: nobody means a speck beside a stain."""
    most = max((sum(thing.pixels for thing in group) for group in groups), default=0)
    return [group for group in groups if sum(thing.pixels for thing in group) >= LEAST_WEIGHT * most]


def _area(command: Command, phrase: Phrase, scene: Scene) -> Bool | None:
    """The part of the scene that a phrase says; None = all of it.

    Raises:
        UsageError: there is none that can be told.
    """
    whole = None
    for name in phrase.areas:
        area = scene.area(name)
        if area is None:
            raise command.refuse("no area", area=command.language.told(name))
        whole = area if whole is None else whole & area
    return whole


def _within(thing: Thing, area: Bool) -> Thing | None:
    """A thing as far as it lies in an area."""
    share = inside(thing, area)
    if share >= WHOLE_SHARE:
        return thing
    if share * thing.pixels < 12 or share < 0.15:
        return None
    return _without(thing, ~area)


def _without(thing: Thing, kept: Bool) -> Thing:
    return replace(thing, mask=thing.mask & ~kept[thing.box.slices])


def _kept(phrase: Phrase, scene: Scene) -> Bool:
    """Where lies what stays; what is not there needs no keeping."""
    kept = np.zeros(scene.size, bool)
    areas = [scene.area(name) for name in phrase.areas]
    if not phrase.is_named:
        for area in areas:
            if area is not None:
                kept |= area
        return kept
    things = _named(
        phrase, scene, BARS[-1] if set(phrase.kinds) & set(LETTERING) else BARS[0], anything=phrase.is_object
    )
    for area in areas:
        things = [thing for thing in things if area is not None and inside(thing, area) >= ZONE_SHARE]
    things = [thing for thing in things if _is_shaped(thing, phrase, scene, things)]
    groups = [group for group in _groups(phrase, scene, things) if lies(group, phrase.zones, scene.size)]
    one = _singled(phrase, groups, scene)
    if one is not None:
        groups = [one]
    for group in groups:
        for thing in group:
            kept[thing.box.slices] |= thing.mask
    return kept


def _singled(phrase: Phrase, groups: list[list[Thing]], scene: Scene) -> list[Thing] | None:
    """The one that is the largest, the leftmost, the second from the left; None = nothing singles one out."""
    if phrase.ordinal:
        side = phrase.side or _usual_side(groups)
        axis, sign = SIDES[side]
        ordered = sorted(groups, key=lambda group: sign * centre_of(group)[axis])
        at = phrase.ordinal - 1 if phrase.ordinal > 0 else phrase.ordinal
        return ordered[at] if -len(ordered) <= at < len(ordered) else None
    if phrase.most in SIDES:
        return extreme(groups, phrase.most)
    if phrase.most:
        measure = {
            "large": lambda group: sum(thing.pixels for thing in group),
            "small": lambda group: -sum(thing.pixels for thing in group),
            "long": _extent,
            "short": lambda group: -_extent(group),
            "thick": lambda group: max(thing.width for thing in group),
            "thin": lambda group: -max(thing.width for thing in group),
        }[phrase.most]
        return max(groups, key=measure)
    return None


def _usual_side(groups: list[list[Thing]]) -> str:
    """From where one counts unless it is said: along the row in which they lie."""
    spots = np.array([centre_of(group) for group in groups])
    wide, high = np.ptp(spots, axis=0)
    return "left" if wide >= high else "top"


def _extent(group: Sequence[Thing]) -> float:
    box = box_of(group)
    return float(np.hypot(box.width, box.height))
