"""What there is in a picture that can be named: damage by kind, lettering, areas, coloured things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.find import analyse
from remend.damage.overlay import text_rows
from remend.damage.panorama import analyse_round
from remend.damage.selection import select_object
from remend.kinds import seen_kinds
from remend.picture import Bool, Box, Region
from remend.saying.areas import background_of, sky_of
from remend.saying.blobs import blobs_of
from remend.saying.things import LINE, SPECK_SHARE, Thing, gap_between, goes_on, nearest, overlap, renamed

__all__ = ["LETTERING", "UNSEEN", "Scene"]

Levels = NDArray[np.uint8]

LETTERING = ("text", "watermark")
LEAST = 0.05  # confidence of what is looked at when it is asked for by name
WORKING_PX = 640  # longest side at which things and areas are looked for
LINK_SHARE = 0.012  # of the longer side: parts that are nearer than that are one thing
DUST_SHARE = 0.05  # the same for specks, which are a nuisance by the hundred
SAME_WIDTH = 1.7  # times as wide as one of them: what two parts of one line may be together
BLOTS = {"white": "hole", "black": "hole", "brown": "stain"}  # of which the finder sees the rim at times
FAINT = 0.4  # of the bar
TOUCHING_PX = 3  # between parts that are one whatever way they run
BRIDGED = 0.45  # of a line's length: gaps between its parts, and degrees by which it may turn there
COMPACT = 0.4  # as wide as long
SEEN_SHARE = 0.2  # of a blot's pixels that the finder saw, if it saw any of it
UNSEEN = 0.25  # confidence of a blot or a line that only its colour speaks for
KIND_SHARE = 0.3  # of a part's pixels that the finder must call so


class Scene:
    """A picture and what is seen in it, each looked for when it is first asked for.

    Args:
        image: (H, W, 3) uint8.
        wraps_x: whether its left and right border meet.

    Cost: damage as `analyse` says; areas and things .1 s, whatever the size.
    """

    def __init__(self, image: Levels, *, wraps_x: bool = False) -> None:
        self.image, self.wraps_x = image, wraps_x
        self.size = image.shape[0], image.shape[1]
        self.longer = int(max(self.size))
        self._objects: dict[str, list[Thing]] = {}
        self._damage: dict[float, list[Thing]] = {}
        self._areas: dict[str, Bool | None] = {}

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """All that might be damage or lettering."""
        look = analyse_round if self.wraps_x else analyse
        return look(self.image, sensitivity=1 - LEAST, kinds=seen_kinds(), force=True).regions

    def damage(self, bar: float) -> list[Thing]:
        """Parts of damage that hang together, at least that sure; a thing may go by several kinds."""
        if bar not in self._damage:
            found = [one for one in self.regions if one.kind not in LETTERING]
            sure = [one for one in found if one.confidence >= bar]
            # Fainter parts count where they go on a line that is sure.
            faint = [one for one in found if FAINT * bar <= one.confidence < bar]
            whole = self._whole([*self._joined(sure), *self._beside(self._joined(faint), self._joined(sure))])
            self._damage[bar] = [thing for thing in whole if thing.confidence >= bar]
        return self._damage[bar]

    def _beside(self, faint: list[Thing], sure: list[Thing]) -> list[Thing]:
        """Faint things; specks beside sure ones are as sure, for dust comes in patches."""
        reach = DUST_SHARE * self.longer
        specks = [one for one in sure if "dust" in one.kinds]
        return [
            replace(one, confidence=specks[0].confidence)
            if "dust" in one.kinds and any(gap_between(one, other) <= reach for other in specks)
            else one
            for one in faint
        ]

    def _whole(self, things: list[Thing]) -> list[Thing]:
        """Fragments of one line put together, and blots of which the finder saw parts, or nothing."""
        things = self._lines_together(things)
        letters, reach = self.lettering(0.3), DUST_SHARE * self.longer
        for colour, kind in BLOTS.items():
            for blot in self.objects(colour):
                parts = [one for one in things if overlap(one, blot) >= 0.5]
                if parts and sum(one.pixels for one in parts) < SEEN_SHARE * blot.pixels:
                    continue  # a dark coat with a speck on it is a coat
                if any(overlap(blot, row) > 0.3 for row in letters) or any(
                    one.is_line and one.length > SPECK_SHARE * self.longer for one in parts
                ):
                    continue
                if blot.is_line:
                    if not any(overlap(blot, one) > 0.3 for one in things):
                        things.append(replace(blot, kinds=frozenset({"scratch"}), confidence=UNSEEN))
                    continue
                kinds = frozenset({kind}).union(*(one.kinds - {"dust"} for one in parts))
                sure = max((one.confidence for one in parts), default=UNSEEN)
                if blot.length < 2 * SPECK_SHARE * self.longer and kind == "hole":  # specks lie beside specks
                    near = [
                        one for one in things if one.kinds == {"dust"} and gap_between(one, blot) <= reach
                    ]
                    if not near:
                        continue
                    kinds, sure = frozenset({"dust"}), max(one.confidence for one in near)
                elif blot.width < COMPACT * blot.length:
                    continue
                things = [one for one in things if not any(one is part for part in parts)]
                things.append(replace(blot, kinds=kinds, confidence=sure))
        return things

    def _lines_together(self, things: list[Thing]) -> list[Thing]:
        things = sorted(things, key=lambda one: -one.length)
        found = [(thing.width, thing.length) for thing in things]  # no line reaches further by what joined it
        at = 0
        while at < len(things):
            line, (width, length) = things[at], found[at]
            reach = max(3.0, 1.6 * LINK_SHARE * self.longer, 0.15 * length)
            for number in range(at + 1, len(things)):
                other = things[number]
                if not line.is_line:
                    continue
                here, there, gap = nearest(line, other)
                if gap > max(reach, BRIDGED * length):
                    continue
                longish = other.length > LINE / 2 * other.width
                if gap > TOUCHING_PX and not (longish and goes_on(line, here, there)):
                    continue
                box = line.box.union(other.box)
                ink = np.zeros((box.height, box.width), np.uint8)
                for part in (line, other):
                    ink[part.box.inside(box).slices] |= part.mask
                ends = [(int(x) - box.left, int(y) - box.top) for x, y in (here, there)]
                cv2.line(ink, ends[0], ends[1], 1, max(1, round(min(line.width, other.width))))
                mask = ink > 0
                sure = max(line.confidence, other.confidence)
                both = self._thing(box, mask, frozenset({"scratch"}) | (line.kinds & {"crack"}), sure)
                if both.is_line and both.width <= SAME_WIDTH * width:
                    things[at] = both
                    del things[number], found[number]
                    break
            else:
                at += 1
        return things

    def lettering(self, bar: float) -> list[Thing]:
        """Rows of text and watermarks; rows close below each other are one."""
        found = []
        for kind in LETTERING:
            rows = [region for region in self.regions if region.kind == kind and region.confidence >= bar]
            if kind == "text" and bar <= UNSEEN:
                more = (replace(row, confidence=UNSEEN) for row in text_rows(self.image))
                rows += [row for row in more if not any(row.box.overlaps(other.box) for other in rows)]
            for members in _near_rows(rows):
                box = members[0].box
                for member in members[1:]:
                    box = box.union(member.box)
                mask = np.zeros((box.height, box.width), bool)
                for member in members:
                    mask[member.box.inside(box).slices] |= member.mask
                sure = max(member.confidence for member in members)
                found.append(self._thing(box, mask, frozenset({kind}), sure))
        return found

    def _joined(self, regions: Sequence[Region]) -> list[Thing]:
        """Pieces of several regions that touch, whatever the finder calls each."""
        if not regions:
            return []
        covered = np.zeros(self.size, np.uint8)
        for region in regions:
            covered[region.box.slices] |= region.mask
        count, labels, stats, _ = cv2.connectedComponentsWithStats(covered, connectivity=8)
        votes = [dict[str, float]() for _ in range(count)]
        sure = np.zeros(count)
        for region in regions:
            inside_it = labels[region.box.slices][region.mask]
            numbers, pixels = np.unique(inside_it, return_counts=True)
            for number, some in zip(numbers.tolist(), pixels.tolist(), strict=True):
                votes[number][region.kind] = votes[number].get(region.kind, 0.0) + some
            sure[numbers] = np.maximum(sure[numbers], region.confidence)
        found = []
        for number in range(1, count):
            left, top, width, height, pixels = stats[number].tolist()
            box = Box(top, left, top + height, left + width)
            mask = labels[box.slices] == number
            kinds = frozenset(kind for kind, some in votes[number].items() if some >= KIND_SHARE * pixels)
            thing = self._thing(box, mask, kinds, float(sure[number]))
            found.append(renamed(thing, self.longer))
        return found

    def _thing(self, box: Box, mask: Bool, kinds: frozenset[str], confidence: float) -> Thing:
        ys, xs = np.nonzero(mask)
        (_, _), sides, angle = cv2.minAreaRect(np.stack([xs, ys], axis=1).astype(np.float32))
        across, down = sides[0] + 1, sides[1] + 1
        length = max(across, down)
        slant = (angle if across >= down else angle + 90) % 180
        around = box.grown(max(4, round(0.008 * self.longer)), self.size)
        window = self.image[around.slices].astype(np.float32)
        own = np.zeros((around.height, around.width), bool)
        own[box.inside(around).slices] = mask
        beyond = cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
        ground = np.median(window[beyond], axis=0) if beyond.any() else window.mean(axis=(0, 1))
        apart = np.abs(window[own] - ground).sum(axis=1)
        core = window[own][apart >= np.median(apart)]  # without the soft edge
        colour = core.mean(axis=0)
        return Thing(
            box=box,
            mask=mask,
            kinds=kinds,
            confidence=confidence,
            length=float(length),
            width=float(mask.sum() / length),
            slant=float(min(slant, 180 - slant)),
            colour=(float(colour[0]), float(colour[1]), float(colour[2])),
            lighter=float(colour.mean() - ground.mean()),
        )

    def objects(self, colour: str) -> list[Thing]:
        """Things of a colour that stand out from what is around them, the largest first.

        Args:
            colour: its name, one of those in `remend.saying.colours`.
        """
        if colour not in self._objects:
            self._objects[colour] = [self._exactly(blob.where) for blob in blobs_of(self._small, colour)]
        return self._objects[colour]

    @cached_property
    def _small(self) -> Levels:
        scale = min(1.0, WORKING_PX / self.longer)
        size = max(8, round(self.size[1] * scale)), max(8, round(self.size[0] * scale))
        small = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA) if scale < 1 else self.image
        return np.asarray(cv2.bilateralFilter(np.ascontiguousarray(small), 5, 30, 3), np.uint8)

    def _exactly(self, part: Bool) -> Thing:
        """A part of the small picture as a thing, cut out along its own edges."""
        large = cv2.resize(
            part.astype(np.float32), (self.size[1], self.size[0]), interpolation=cv2.INTER_LINEAR
        )
        rough = large >= 0.5
        cut = select_object(np.ascontiguousarray(self.image), rough)
        both, either = np.count_nonzero(cut & rough), np.count_nonzero(cut | rough)
        mask = cut | rough if both >= 0.5 * either else rough
        ys, xs = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
        box = Box(int(ys[0]), int(xs[0]), int(ys[-1]) + 1, int(xs[-1]) + 1)
        return self._thing(box, mask[box.slices], frozenset(), 1.0)

    def area(self, name: str) -> Bool | None:
        """(H, W) of ``sky`` or ``background``; None where there is none that can be told."""
        if name not in self._areas:
            small = sky_of(self._small) if name == "sky" else background_of(self._small)
            whole = None
            if small is not None:
                size = (self.size[1], self.size[0])
                whole = cv2.resize(small.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
            self._areas[name] = whole
        return self._areas[name]

    def linked(self, things: Sequence[Thing]) -> list[list[Thing]]:
        """Things that lie so near to each other that they are told as one: a broken line, a patch of dust."""

        def reach(one: Thing, other: Thing) -> float:
            specks = "dust" in one.kinds and "dust" in other.kinds
            share = DUST_SHARE if specks else LINK_SHARE
            return max(3.0, share * self.longer)

        groups: list[list[Thing]] = []
        for thing in things:
            near = [
                group
                for group in groups
                if any(gap_between(thing, other) <= reach(thing, other) for other in group)
            ]
            together = [thing, *(other for group in near for other in group)]
            groups = [group for group in groups if not any(group is one for one in near)] + [together]
        return groups


def _near_rows(rows: Sequence[Region]) -> list[list[Region]]:
    """Rows of text of like height, one close below the other, together."""
    groups: list[list[Region]] = []
    for row in rows:
        for group in groups:
            last = group[-1].box
            tall = min(last.height, row.box.height)
            apart = max(last.top, row.box.top) - min(last.bottom, row.box.bottom)
            over = min(last.right, row.box.right) - max(last.left, row.box.left)
            if apart < 0.9 * tall and over > 0 and max(last.height, row.box.height) < 1.8 * tall:
                group.append(row)
                break
        else:
            groups.append([row])
    return groups
