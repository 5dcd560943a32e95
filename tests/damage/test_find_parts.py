"""The parts of the finder, each on arrays small enough to reason about."""

import itertools
import json

import cv2
import numpy as np
import pytest
from skimage import data

from remend.damage.judge import PLACE, judge_of
from remend.damage.lines import LINE_SIGNS, line_pieces
from remend.damage.members import Members, Scale
from remend.damage.overlay import text_rows
from remend.damage.regions import hugs_border, is_network, regions_of
from remend.damage.ridges import DIRECTIONS, oriented_ridges
from remend.damage.specks import SPECK_SIGNS, speck_pieces
from remend.damage.synth import damage_picture
from remend.picture import Box, Region

SCALE = Scale(np.full(3, 250, np.float32), np.zeros(3, np.float32), 1.0)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120, 165])
def test_a_line_answers_with_its_contrast_and_direction(degrees):
    y, x = np.mgrid[:96, :96] - 48.0
    angle = np.radians(degrees)
    away = np.abs(x * np.sin(angle) + y * np.cos(angle))
    bright, dark = oriented_ridges(np.where(away <= 1.2, 200, 100).astype(np.uint8))
    assert bright.strength[48, 48] > 60
    apart = abs(int(bright.direction[48, 48]) - degrees * DIRECTIONS / 180)
    assert min(apart, DIRECTIONS - apart) <= 1
    assert dark.strength[48, 48] == 0


def test_steps_do_not_answer_and_dots_hardly():
    step = np.where(np.arange(64)[None, :] > 30, 200, 40).repeat(64, 0).astype(np.uint8)
    dot = np.full((64, 64), 50, np.uint8)
    dot[30:32, 30:32] = 250
    for picture, most in ((step, 1), (dot, 200 // 8)):
        assert max(ridges.strength.max() for ridges in oriented_ridges(picture)) <= most


def test_blocks_do_not_show(monkeypatch):
    picture = np.random.default_rng(0).integers(0, 255, (150, 130), np.uint8)
    whole = oriented_ridges(picture)
    monkeypatch.setattr("remend.damage.ridges.BLOCK_PX", 48)
    for one, other in zip(whole, oriented_ridges(picture), strict=True):
        assert np.array_equal(one.strength, other.strength) and np.array_equal(one.direction, other.direction)


def test_members_agree_with_plain_numpy():
    rng = np.random.default_rng(0)
    labels = np.sort(rng.integers(0, 5, 200)).astype(np.int32)
    values = rng.normal(size=200)
    members = Members(labels, rng.permutation(400)[:200], 5, (20, 20))
    for piece in range(5):
        assert members.mean(values)[piece] == pytest.approx(values[labels == piece].mean(), abs=1e-5)
        assert members.deviation(values)[piece] == pytest.approx(values[labels == piece].std(), abs=1e-5)


def test_axes_of_a_bar():
    frame = np.zeros((40, 60), bool)
    frame[10:13, 5:45] = True
    pixels = np.flatnonzero(frame)
    length, thickness = Members(np.zeros(pixels.size, np.int32), pixels, 1, frame.shape).axes()
    assert length[0] == pytest.approx(41, abs=0.5) and thickness[0] == pytest.approx(3.8, abs=0.5)


def test_signs_are_finite_on_any_picture():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (80, 90, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)]
    pictures.append(np.where(rng.random((64, 64, 1)) < 0.03, 255, 0).astype(np.uint8).repeat(3, 2))
    for picture in pictures:
        for pieces in line_pieces(picture, SCALE):
            assert pieces.signs.shape[1] == len(LINE_SIGNS) and np.isfinite(pieces.signs).all()
        for pieces in speck_pieces(picture, SCALE):
            assert pieces.signs.shape[1] == len(SPECK_SIGNS) and np.isfinite(pieces.signs).all()


def test_the_shipped_judges_know_the_signs_they_weigh():
    assert judge_of("lines").signs == LINE_SIGNS
    assert judge_of("specks").signs == SPECK_SIGNS
    for kind in ("lines", "specks"):
        judge = judge_of(kind)
        widths = [len(judge.signs), *(bias.size for _, bias in judge.layers)]
        assert [weight.shape for weight, _ in judge.layers] == list(itertools.pairwise(widths))
        chance = judge(np.random.default_rng(0).normal(0, 9, (50, widths[0])).astype(np.float32))
        assert chance.shape == (50,) and (chance >= 0).all() and (chance <= 1).all()
    assert json.loads(PLACE.read_text())["made_by"] == "benchmarks/fit_finder.py"


def test_regions_join_what_touches_and_part_what_does_not():
    confidence = np.zeros((60, 80), np.uint8)
    confidence[5, 5:20] = 255
    confidence[7, 20:30] = 127
    confidence[50:52, 60:63] = 204
    first, second = regions_of(confidence, "scratch", cell_px=4)
    assert first.box == Box(5, 5, 8, 30) and first.mask.sum() == 25
    assert second.box == Box(50, 60, 52, 63) and second.confidence == pytest.approx(0.8)


def test_networks_branch_and_strokes_do_not():
    def region(mask):
        return Region(Box(0, 0, *mask.shape), mask, "scratch")

    stroke, net = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    for k in range(100):
        stroke[k, max(0, k - 1) : k + 1] = True
    net[::25] = net[1::25] = True
    net[:, ::25] = net[:, 1::25] = True
    assert not is_network(region(stroke)) and is_network(region(net))
    assert hugs_border(Region(Box(97, 0, 100, 50), np.ones((3, 50), bool), "scratch"), (100, 100))
    assert not hugs_border(region(stroke), (100, 100))


def test_a_caption_is_found_where_it_is():
    picture, ink = np.ascontiguousarray(data.astronaut()), np.zeros((512, 512), np.uint8)
    cv2.putText(ink, "REMEND 1969", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 3)
    picture[ink > 0] = 255
    (row,) = [row for row in text_rows(picture) if row.confidence > 0.8]
    found = np.zeros(ink.shape, bool)
    found[row.box.slices] |= row.mask
    assert (found & (ink > 0)).sum() > 0.9 * (ink > 0).sum()
    assert (found & (cv2.dilate(ink, np.ones((5, 5))) == 0)).sum() < 0.1 * found.sum()


def test_camera_dates_are_found():
    hits = 0
    for seed in range(4):
        clean = np.ascontiguousarray(data.astronaut())
        picture, truth = damage_picture(clean, "text", seed=seed, count=1, style="date")
        found = np.zeros(truth.shape, bool)
        for row in text_rows(picture):
            if row.confidence > 0.8:
                found[row.box.slices] |= row.mask
        hits += (found & truth).sum() > 0.4 * truth.sum() and (found & ~truth).sum() < 0.3 * truth.sum()
    assert hits >= 3


def test_photographs_without_text_have_none():
    for name in ("chelsea", "coffee", "astronaut"):
        rows = text_rows(np.ascontiguousarray(getattr(data, name)()))
        assert not [row for row in rows if row.confidence > 0.8]
