"""Rough marks become objects, and thin rims that a mask leaves are found; on made pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import remend
from remend.damage.selection import REACH_PX, leftovers, rims, select_object, snapped
from remend.errors import UsageError

COLOURS = {  # of an object, and of what is around it
    "red on moss": ((200, 60, 50), (90, 110, 70)),
    "blue on fog": ((40, 60, 130), (150, 160, 170)),
    "bone on clay": ((230, 220, 200), (120, 90, 60)),
    "coal on grass": ((60, 60, 60), (130, 140, 120)),
    "leaf on bark": ((110, 140, 60), (150, 130, 110)),
}
HEIGHT, WIDTH = 300, 400


def textured(base: tuple[int, int, int], amplitude: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.array(base, np.float32) + amplitude * noise / noise.std()


def scene(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) uint8 with a lobed object, and the object (H, W) bool."""
    seed = list(COLOURS).index(name)
    inside, around = COLOURS[name]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    angle, far = np.arctan2(y - 150, x - 200), np.hypot(y - 150, 0.8 * (x - 200))
    thing = far < 60 + 16 * np.sin(3 * angle + seed) + 6 * np.sin(7 * angle)
    share = cv2.GaussianBlur(thing.astype(np.float32), (0, 0), 0.8)[..., None]
    mixed = textured(around, 14, seed) * (1 - share) + textured(inside, 12, seed + 50) * share
    return np.clip(mixed, 0, 255).astype(np.uint8), thing


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float((one & two).sum() / (one | two).sum())


def rough(thing: np.ndarray, how: str) -> np.ndarray:
    """How a hurried hand marks an object."""
    if how == "click":
        mark = np.zeros_like(thing)
        mark[149:152, 199:202] = True
        return mark
    if how == "stroke inside":
        return cv2.erode(thing.astype(np.uint8), np.ones((35, 35))) > 0
    wide = cv2.dilate(thing.astype(np.uint8), np.ones((9, 9)))
    if how == "smear over it":
        return np.roll(wide, (9, -7), (0, 1)) > 0
    outlines, _ = cv2.findContours(
        cv2.dilate(wide, np.ones((13, 13))), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    mark = np.zeros(thing.shape, np.uint8)
    cv2.drawContours(mark, outlines, -1, 1, 3)
    return mark > 0


@pytest.mark.parametrize("how", ["click", "stroke inside", "smear over it", "loop"])
@pytest.mark.parametrize("name", COLOURS)
def test_a_rough_mark_selects_the_object(name, how):
    picture, thing = scene(name)
    mark = rough(thing, how)
    assert overlap(mark, thing) < 0.9, "the mark alone would not do"
    assert overlap(select_object(picture, mark), thing) > 0.95
    assert (select_object(picture, mark) == select_object(picture, mark)).all()


@pytest.mark.parametrize("name", COLOURS)
def test_thin_rims_are_found_and_nothing_else(name):
    picture, thing = scene(name)
    mask = thing & np.roll(thing, (4, -5), (0, 1))  # a sliver is left at one side
    left = thing & ~mask
    found = rims(picture, mask)
    assert not (found & mask).any()
    assert (found & left).sum() > 0.9 * left.sum()
    near = cv2.dilate(thing.astype(np.uint8), np.ones((5, 5))) > 0
    assert (found & ~near).sum() < 0.1 * left.sum()
    wide = cv2.dilate(thing.astype(np.uint8), np.ones((7, 7))) > 0
    assert rims(picture, wide).sum() < 0.02 * wide.sum(), "nothing is left of it"


def hasty(thing: np.ndarray) -> np.ndarray:
    """An object painted over in haste: between two strokes and at its edge something is left."""
    mark = cv2.dilate(thing.astype(np.uint8), np.ones((15, 15)))
    mark[144:158, :205] = 0
    ys, xs = np.nonzero(thing)
    for at in (ys.argmin(), ys.argmax(), xs.argmax()):
        cv2.circle(mark, (int(xs[at]), int(ys[at])), 14, 0, -1)
    return mark > 0


@pytest.mark.parametrize("name", COLOURS)
def test_what_strokes_have_missed_of_an_object_goes_along(name):
    picture, thing = scene(name)
    mask = hasty(thing)
    missed = thing & ~mask
    assert missed.sum() > 0.03 * thing.sum(), "the strokes alone would not do"
    assert (rims(picture, mask) & missed).sum() < 0.75 * missed.sum(), "nor would rims"
    found = snapped(picture, mask, "whole")
    assert (found & mask == mask).all()
    assert (found & missed).sum() > 0.95 * missed.sum()
    wide = cv2.dilate((thing | mask).astype(np.uint8), np.ones((9, 9))) > 0
    assert (found & ~wide).sum() < 0.01 * thing.sum(), "and little beside it"
    assert (leftovers(picture, mask) == leftovers(picture, mask)).all()


@pytest.mark.parametrize("name", COLOURS)
def test_what_goes_on_is_another_things(name):
    """Who paints over half of a thing means half of it."""
    picture, thing = scene(name)
    half = thing & (np.arange(WIDTH) < 200)
    found = leftovers(picture, half)
    assert (found & (np.arange(WIDTH) > 215)).sum() < 0.01 * thing.sum()


def test_small_islands_in_a_mask_go_along_and_large_ones_stay():
    rng = np.random.default_rng(5)
    noise = rng.integers(60, 90, (HEIGHT, WIDTH, 3)).astype(np.uint8)  # tells nothing apart
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(mask, (60, 60), (340, 240), 1, -1)
    cv2.circle(mask, (120, 150), 8, 0, -1)
    cv2.circle(mask, (250, 150), 45, 0, -1)
    found = leftovers(noise, mask > 0)
    assert found[150, 120]
    assert not found[150, 250]


def test_damage_is_no_object():
    picture, _ = scene("bone on clay")
    scratch = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.line(scratch, (20, 20), (300, 250), 1, 5)
    assert not leftovers(picture, scratch > 0).any()


@pytest.mark.parametrize("name", COLOURS)
def test_half_an_object_is_no_rim(name):
    picture, thing = scene(name)
    half = thing & (np.arange(WIDTH) < 200)
    found = rims(picture, half)
    assert (found & thing & (np.arange(WIDTH) > 200 + REACH_PX)).sum() < 0.01 * thing.sum()


def test_what_tells_nothing_apart_stays_as_it_was_marked():
    plain = np.full((120, 160, 3), 90, np.uint8)
    mark = np.zeros((120, 160), bool)
    mark[40:70, 50:90] = True
    assert not rims(plain, mark).any()
    assert overlap(snapped(plain, mark, "object"), mark) > 0.5
    assert snapped(plain, mark, "none") is mark
    empty = np.zeros_like(mark)
    assert not snapped(plain, empty, "rim").any()


def test_marks_at_the_picture_edge_and_tiny_pictures():
    picture, _ = scene("red on moss")
    corner = np.zeros((HEIGHT, WIDTH), bool)
    corner[:20, :20] = True
    assert select_object(picture, corner).any()
    small = np.zeros((5, 6), bool)
    small[2, 2] = True
    assert select_object(np.full((5, 6, 3), 7, np.uint8), small).any()
    assert not rims(np.full((5, 6, 3), 7, np.uint8), small).any()


def test_a_repair_takes_the_rim_along():
    picture, thing = scene("red on moss")
    mask = thing & np.roll(thing, (4, -5), (0, 1))
    left = cv2.erode((thing & ~mask).astype(np.uint8), np.ones((2, 2))) > 0
    plain = remend.repair(picture, mask, method="smooth")
    snap = remend.repair(picture, mask, method="smooth", snap="rim")
    assert (plain[left] == picture[left]).all()
    assert (snap[left] != picture[left]).any(axis=1).mean() > 0.9
    with pytest.raises(UsageError, match="snap"):
        remend.repair(picture, snap="rim")
