"""What the benchmarks of finding rest on: marks laid over a picture, and counting within 2 px."""

import math

import numpy as np
import pytest

pytest.importorskip("benchmarks.finding.counts", reason="benchmarks lie in the root of the checkout")

from benchmarks.finding.bars import Bar, table
from benchmarks.finding.counts import Counts, count, mask_of, overlap
from benchmarks.finding.outlines import SCAN_PX, lay_outlines
from remend.picture import Box, Region


def square(top, left, side=8, size=(40, 60)):
    mask = np.zeros(size, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_a_find_two_pixels_aside_is_right_and_far_away_it_is_wrong():
    near = count(square(10, 12), square(10, 10))
    assert (near.precision, near.recall, near.f1) == (1, 1, 1)
    assert count(square(10, 12), square(10, 10), within_px=0).f1 == pytest.approx(0.75)
    assert count(square(10, 40), square(10, 10)).f1 == 0


def test_undecided_pixels_are_neither_right_nor_wrong():
    found = square(10, 10) | square(10, 40)
    assert count(found, square(10, 10)).precision == 0.5
    assert count(found, square(10, 10), square(10, 40)).precision == 1
    assert overlap(found, square(10, 10)) == 0.5
    assert overlap(found, square(10, 10), square(10, 40)) == 1


def test_nothing_found_is_perfect_only_where_nothing_is():
    nothing = np.zeros((40, 60), bool)
    assert count(nothing, nothing).f1 == 1
    missed = count(nothing, square(10, 10))
    assert missed.f1 == 0 and missed.recall == 0 and math.isnan(missed.precision)
    assert missed + Counts(4, 4, 4, 4) == Counts(4, 4, 68, 4)


def test_regions_end_in_one_mask():
    region = Region(Box(3, 5, 5, 8), np.array([[1, 0, 1], [0, 1, 0]], bool), "dust", 0.9)
    assert np.argwhere(mask_of([region], (10, 10))).tolist() == [[3, 5], [3, 7], [4, 6]]


def test_marks_are_laid_where_the_truth_says_and_nowhere_else():
    corners = np.array([[0, 0], [0, 30], [30, 30], [30, 0]], np.float32)
    places = [(x, y) for x in range(0, SCAN_PX[1], 90) for y in range(0, SCAN_PX[0], 90)]
    outlines = {1: [corners + np.array(place, np.float32) for place in places]}
    picture = np.full((96, 128, 3), 120, np.uint8)
    picture[:48], picture[90:] = 60, 200
    laid = lay_outlines(picture, outlines, np.random.default_rng(7))
    change = np.abs(laid.pixels.astype(int) - picture).max(axis=2)
    assert laid.marks >= 5
    assert laid.truth.any() and not (laid.truth & laid.undecided).any()
    assert change[laid.truth].min() >= 12 and change[~laid.touched].max() < 3
    # a mark of 30 px at a quarter to four fifths of its size, softened by little
    assert 0.3 * laid.marks * 7.5**2 < laid.truth.sum() < laid.marks * 32**2
    again = lay_outlines(picture, outlines, np.random.default_rng(7))
    assert np.array_equal(again.pixels, laid.pixels)


def test_bars_say_what_was_met():
    bars = [
        Bar("more", 0.6, 0.55, 0.7),
        Bar("fewer", 0, 2, 0, at_most=True),
        Bar("none", float("nan"), 0.5),
    ]
    assert [bar.met for bar in bars] == ["must", "aim", "no"]
    lines = table({bar.name: bar.as_json() for bar in bars})
    assert lines[2] == "| more | 0.6 | ≥ 0.55 | ≥ 0.7 | must |\n"
    assert lines[4] == "| none | – | ≥ 0.5 |  | no |\n"
