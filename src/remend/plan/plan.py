"""From a mask to an ordered list of steps: which window, which filler, at which scale, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from math import ceil

import cv2
import numpy as np

from remend.fill.filler import Capabilities, Filler
from remend.picture import Bool, Box, Picture, part
from remend.plan.holes import (
    CELL_PX,
    Cluster,
    activity_around,
    border_share,
    clusters,
)
from remend.plan.policy import Choice, Looks, Policy
from remend.samples import colour_groups
from remend.windows.evenness import unevenness
from remend.windows.scale import fitting_scale, shrunk
from remend.windows.tiles import Tiles, grid_of, tiles_of
from remend.windows.window import Window

__all__ = ["Plan", "Step", "make_plan"]

THIN_PX = 6.0  # inscribed radius up to which a hole may be cut by tiles
MARGIN_RADII = 1.5  # what happens so far from the rim of a thin hole is hardly felt
# How far around a hole its surroundings are compared with one another, and at most at which size.
SEEN_PX, SEEN_RADII, SEEN_SIDE_PX = 96, 3.0, 512
CALL_PX = 160**2  # calling a filler once more costs about as much as so many pixels of window


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one filler: on a window, or on many tiles laid side by side.

    Attributes:
        filler: its name in the registry, or the path of a model.
        reason: why this filler, in words.
        radius_px: the largest inscribed radius among the step's holes.
        window: what the filler sees; for tiles, the box around them.
        hole: (window.height, window.width) bool, what to fill; None for tiles.
        scale: the window is filled at this scale, ≤ 1.
        tiles: the tiles, or None.
    """

    filler: str
    reason: str
    radius_px: float
    window: Box
    hole: Bool | None = None
    scale: float = 1.0
    tiles: Tiles | None = None

    def pieces(self) -> Iterator[tuple[Box, Bool]]:
        """Where the step fills: boxes, each with its (height, width) bool hole."""
        if self.hole is not None:
            yield self.window, self.hole
        if self.tiles is not None:
            yield from self.tiles.pieces(self.window)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order of their doing: small holes first, then from the top."""

    steps: tuple[Step, ...]

    @property
    def fillers(self) -> tuple[str, ...]:
        """The fillers that take part, in order of first use."""
        return tuple(dict.fromkeys(step.filler for step in self.steps))


def make_plan(
    picture: Picture,
    mask: Bool,
    *,
    policy: Policy,
    fillers: Mapping[str, Filler],
    damaged: Bool | None = None,
    side_px: int | None = None,
    window_px: int | None = None,
) -> Plan:
    """Plan the repair of ``mask``.

    Deterministic: the same picture, mask and policy give the same plan.

    Args:
        picture: looked at around wide holes only, to measure texture.
        mask: (H, W) bool, True = repair.
        policy: which filler for which hole.
        fillers: those of the policy by name; asked what they can.
        damaged: (H, W) bool, all that must not be looked at; None = ``mask``.
        side_px: of which a hole's radius is a share; None = the picture's shorter side. A view of a part of a
            picture is not what is large or small in it.
        window_px: the longest side at which a window is filled; None = each filler's own.

    Cost: one pass over the mask; then the holes' own boxes.
    """
    steps: list[Step] = []
    side_px = min(picture.size) if side_px is None else side_px
    damaged = mask if damaged is None else damaged
    alike_px = min(policy.alike_up_to_px, THIN_PX)
    for cluster in clusters(mask, alike_up_to_px=alike_px, wraps_x=picture.wraps_x):
        for choice, labels in _choices(cluster, picture, damaged, policy, side_px):
            can = _bounded(fillers[choice.filler].capabilities, window_px)
            steps.extend(_steps(cluster, labels, choice, can, picture))
    steps.sort(key=lambda step: (_pass_of(step, policy), step.tiles is None, step.window))
    return Plan(tuple(steps))


def _bounded(can: Capabilities, window_px: int | None) -> Capabilities:
    """What a filler can when no window's side may be longer than ``window_px``."""
    if window_px is None:
        return can
    own, mosaic = can.window_px or window_px, can.mosaic_px or window_px
    return replace(can, window_px=min(own, window_px), mosaic_px=min(mosaic, window_px))


def _pass_of(step: Step, policy: Policy) -> int:
    """Rungs are written from thin to wide, so their order is the order of filling."""
    return next(i for i, rung in enumerate(policy.rungs) if rung.filler == step.filler)


def _choices(
    cluster: Cluster, picture: Picture, mask: Bool, policy: Policy, side_px: int
) -> Iterable[tuple[Choice, list[int]]]:
    """The cluster's holes by chosen filler; the reason told is the widest hole's."""
    above = policy.looks_above_px
    groups: dict[str, tuple[Choice, list[int]]] = {}
    # Widest first, so that a group's reason is the widest hole's.
    for label in (np.argsort(-cluster.radius_px[1:], kind="stable") + 1).tolist():
        radius = float(cluster.radius_px[label])
        looks = Looks(radius_px=radius, share=radius / side_px)
        if above is not None and radius > above:
            looks = _looked_at(looks, cluster, label, picture, mask)
        choice = policy.choose(looks)
        groups.setdefault(choice.filler, (choice, []))[1].append(label)
    return groups.values()


def _looked_at(looks: Looks, cluster: Cluster, label: int, picture: Picture, mask: Bool) -> Looks:
    """What surrounds one hole."""
    own = cluster.boxes[label]
    near = _surroundings(cluster, label, _grown(own, CELL_PX // 2, picture), picture, mask)
    far_px = ceil(max(SEEN_PX, SEEN_RADII * looks.radius_px))
    far = _surroundings(cluster, label, _grown(own, far_px, picture), picture, mask)
    assert far.box is not None
    far = shrunk(far, fitting_scale(far.box, SEEN_SIDE_PX))
    return replace(
        looks,
        border=border_share(cluster.part(own, [label]), own, picture.size, wraps_x=picture.wraps_x),
        activity=activity_around(cv2.cvtColor(near.pixels, cv2.COLOR_RGB2GRAY), near.hole, ~near.usable),
        unevenness=unevenness(far.pixels, far.usable),
    )


def _surroundings(cluster: Cluster, label: int, box: Box, picture: Picture, mask: Bool) -> Window:
    """The window of one hole in which only what is not damaged may be read."""
    hole = cluster.part(box, [label])
    return Window.cut(picture, box, colour_groups(picture)[0], hole=hole, usable=~part(mask, box))


def _steps(
    cluster: Cluster, labels: list[int], choice: Choice, can: Capabilities, picture: Picture
) -> Iterator[Step]:
    """Windows or tiles for the holes that one filler takes."""
    radius = cluster.radius_px
    thin = [label for label in labels if radius[label] <= THIN_PX] if can.local else []
    if thin:
        yield from _tiled(cluster, thin, choice, can, picture)
    wide = sorted(set(labels) - set(thin))
    for group in _merged(cluster, wide, can, picture):
        widest = float(radius[group].max())
        window = _grown(_around(cluster, group), _context_px(can, widest), picture)
        hole = cluster.part(window, group)
        yield Step(choice.filler, choice.reason, widest, window, hole, fitting_scale(window, can.window_px))


def _around(cluster: Cluster, labels: list[int]) -> Box:
    """The box of those holes."""
    return reduce(Box.union, (cluster.boxes[label] for label in labels))


def _grown(box: Box, by_px: int, picture: Picture) -> Box:
    """A box with what is around it in the picture."""
    return box.grown(by_px, picture.size, wraps_x=picture.wraps_x)


def _context_px(can: Capabilities, radius_px: float) -> int:
    """How far the window reaches beyond the hole."""
    return ceil(max(can.context_px, can.context_radii * radius_px))


def _tiled(
    cluster: Cluster, labels: list[int], choice: Choice, can: Capabilities, picture: Picture
) -> Iterator[Step]:
    """Thin holes, cut by a grid that is fixed to the picture, not to the hole."""
    widest = float(cluster.radius_px[labels].max())
    grid = grid_of(cluster.box)
    margin = max(can.context_px, ceil(MARGIN_RADII * widest))
    hole = cluster.part(grid, labels)
    for tiles in tiles_of(hole, grid, margin_px=margin, mosaic_px=can.mosaic_px):
        box = tiles.around(picture.size, wraps_x=picture.wraps_x)
        yield Step(choice.filler, choice.reason, widest, box, tiles=tiles)


def _merged(cluster: Cluster, labels: list[int], can: Capabilities, picture: Picture) -> list[list[int]]:
    """Wide holes whose windows overlap so much that one call is cheaper than two."""
    groups: list[tuple[Box, list[int]]] = []
    for label in sorted(labels, key=lambda k: cluster.boxes[k]):
        context = _context_px(can, float(cluster.radius_px[label]))
        box, members = _grown(cluster.boxes[label], context, picture), [label]
        joined = True
        while joined:
            joined = False
            for other in groups:
                both = box.union(other[0])
                if both.width <= picture.width and both.area <= box.area + other[0].area + CALL_PX:
                    box, members = both, other[1] + members
                    groups.remove(other)
                    joined = True
                    break
        groups.append((box, members))
    return [members for _, members in groups]
