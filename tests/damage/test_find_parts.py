"""The parts of the finder, each on arrays small enough to reason about."""

import json

import cv2
import numpy as np
import pytest
from skimage import data

from remend.damage import chances
from remend.damage.chances import PLANES, card_of, chances_of
from remend.damage.perceptron import perceptron_from
from remend.damage.pieces import pieces_of
from remend.damage.regions import enlarged, gathered, is_network
from remend.damage.signs import SIGNS, signs_of
from remend.damage.softness import SOFTNESS_SIGNS, reduced, reduction_of, softness_signs
from remend.errors import ModelError
from remend.picture import Box, Region


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "chelsea"])
@pytest.mark.parametrize(
    ("factor", "least", "most"), [(1, 1, 1.4), (2, 1.3, 2.8), (3, 2.2, 4.2), (4, 2.8, 5.7), (8, 5.6, 8)]
)
def test_enlarged_pictures_are_reduced_and_others_are_not(name, factor, least, most):
    picture = np.ascontiguousarray(getattr(data, name)()[:320, :320])
    large = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    assert least <= reduction_of(large) <= most


def test_softness_is_seen_through_jpeg_and_noise_and_in_grey():
    picture = np.ascontiguousarray(data.astronaut()[:320, :320])
    large = cv2.resize(picture, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    _, coded = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 75])
    noisy = np.clip(large + np.random.default_rng(0).normal(0, 3, large.shape), 0, 255).astype(np.uint8)
    for view in (cv2.imdecode(coded, cv2.IMREAD_COLOR), noisy, cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)):
        assert 2.8 <= reduction_of(view) <= 5.7


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 2), (17, 17, 3), (64, 64)])
def test_where_nothing_can_be_told_nothing_is_reduced(shape):
    assert reduction_of(np.full(shape, 90, np.uint8)) == 1


def test_reducing_averages_and_keeps_what_is_left_over():
    picture = np.arange(0, 4 * 48, 4, dtype=np.uint8).reshape(6, 8)
    small = reduced(picture, 2)
    assert small.shape == (3, 4) and small[0, 0] == (0 + 4 + 32 + 36) / 4
    assert reduced(picture, 1) is picture
    assert reduced(picture, 2.9).shape == (3, 3) and reduced(picture[:1, :1], 8).shape == (1, 1)


def test_softness_is_told_by_as_many_signs_as_are_named():
    signs, strength = softness_signs(np.ascontiguousarray(data.chelsea()[:40, :30]))
    assert signs.shape == (len(SOFTNESS_SIGNS),) and np.isfinite(signs).all() and strength > 0


def planes_with(*marks):
    """(4, 64, 64) chances: (plane, slices, chance of 255) each."""
    planes = np.zeros((4, 64, 64), np.uint8)
    for plane, where, chance in marks:
        planes[plane][where] = chance
    return planes


def test_pieces_hang_together_over_kinds_and_are_of_the_likeliest():
    planes = planes_with(
        (0, np.s_[10, 5:30], 120),
        (1, np.s_[10, 5:30], 60),
        (2, np.s_[40:50, 40:50], 200),
        (1, np.s_[60, 2], 80),
    )
    pieces = pieces_of(planes)
    assert [PLANES[k] for k in pieces.kind] == ["scratch", "stain"]  # the speck is too faint to count
    assert pieces.box(0) == Box(10, 5, 11, 30) and pieces.area.tolist() == [25, 100]
    assert (
        pieces.peak[0] == pytest.approx(180 / 255)
        and pieces.labels[45, 45] == 2
        and pieces.labels[60, 2] == 0
    )


def test_a_find_among_others_has_other_signs_than_a_lonely_one():
    speck = (1, np.s_[10:13, 10:13], 220)
    flat = np.full((64, 64), 90, np.uint8)
    lonely = signs_of(pieces_of(planes_with(speck)), flat)
    more = ((1, np.s_[k : k + 3, 40:43], 220) for k in range(20, 60, 6))
    many = signs_of(pieces_of(planes_with(speck, *more)), flat)
    assert lonely.shape == (1, len(SIGNS)) and np.isfinite(many).all()
    others = SIGNS.index("others_alike")
    assert lonely[0, others] == 0 < many[0, others]
    alike = [k for k, name in enumerate(SIGNS) if name in ("peak", "mean", "area", "length", "thin")]
    assert np.allclose(lonely[0, alike], many[0, alike])


def test_nothing_has_no_pieces_and_no_signs():
    nothing = signs_of(pieces_of(planes_with()), np.zeros((64, 64), np.uint8))
    assert nothing.shape == (0, len(SIGNS))


@pytest.mark.parametrize("colour", [False, True])
def test_signs_tell_what_stands_out_and_which_way(colour):
    dark, bright = np.s_[10:14, 10:14], np.s_[40:44, 40:44]
    picture = np.random.default_rng(0).integers(118, 123, (64, 64)).astype(np.uint8)
    picture[dark], picture[bright] = 40, 240
    seen = np.repeat(picture[..., None], 3, axis=2) if colour else picture
    signs = signs_of(
        pieces_of(planes_with((1, dark, 220), (1, bright, 220), (1, np.s_[55:58, 5:8], 220))), seen
    )
    darker, brighter, out = (signs[:, SIGNS.index(name)] for name in ("darker", "brighter", "stands_out"))
    # In reading order: the dark one, the bright one, and one where there is nothing to be seen.
    assert darker[0] == pytest.approx(2, abs=0.1) and brighter[0] == 0
    assert brighter[1] == pytest.approx(3, abs=0.1) and darker[1] == 0
    assert out[2] < 0.5 < 2 < min(out[0], out[1])


def region(top, left, side=3, confidence=0.9, kind="dust"):
    return Region(Box(top, left, top + side, left + side), np.ones((side, side), bool), kind, confidence)


def test_near_specks_become_one_region_and_what_is_less_sure_stays_apart():
    pieces = [region(2, 2), region(12, 12), region(60, 60), region(4, 12, confidence=0.3)]
    found = gathered(pieces, cell_px=8, size=(80, 80))
    assert [(r.box, round(r.confidence, 2)) for r in found] == [
        (Box(2, 2, 15, 15), 0.9),
        (Box(4, 12, 7, 15), 0.3),
        (Box(60, 60, 63, 63), 0.9),
    ]
    assert found[0].mask.sum() == 18


def test_kinds_are_not_mixed():
    found = gathered([region(2, 2), region(2, 6, kind="hole")], cell_px=16, size=(40, 40))
    assert {r.kind for r in found} == {"dust", "hole"}


@pytest.mark.parametrize("size", [(68, 108), (70, 110), (26, 41)])
def test_a_region_of_a_reduced_picture_lies_where_it_was_and_inside(size):
    small = (17, 27)
    down, across = size[0] / small[0], size[1] / small[1]
    mask = np.zeros((4, 6), bool)
    mask[1:3, 1:5] = True
    large = enlarged(Region(Box(10, 20, 14, 26), mask, "dust", 0.7), small, size)
    middle = ((large.box.top + large.box.bottom) / 2, (large.box.left + large.box.right) / 2)
    assert middle == pytest.approx((12 * down, 23 * across), abs=1)
    assert 0.9 <= large.mask.sum() / (8 * down * across) <= 2
    edge = enlarged(Region(Box(15, 25, 17, 27), np.ones((2, 2), bool), "dust", 0.7), small, size)
    assert (edge.box.bottom, edge.box.right) == size and edge.mask.any()


def test_networks_branch_and_strokes_do_not():
    stroke, net = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    for k in range(100):
        stroke[k, max(0, k - 1) : k + 1] = True
    net[::25] = net[1::25] = True
    net[:, ::25] = net[:, 1::25] = True
    assert not is_network(stroke) and is_network(net)


def test_tiles_answer_as_the_whole_does(monkeypatch):
    picture = np.ascontiguousarray(data.astronaut()[:400, :460])
    whole = chances_of(picture)
    monkeypatch.setattr(chances, "TILE_PX", 160)
    tiled = chances_of(picture)
    assert whole.shape == (6, 400, 460)
    # What a tile does not see is farther away than the net's chances are moved by, but for 8 bits.
    assert np.mean(np.abs(whole.astype(int) - tiled) > 26) < 0.002


def test_the_shipped_judge_knows_the_signs_it_weighs():
    judge = perceptron_from(card_of()["judge"])
    assert judge.signs == SIGNS
    chance = judge.chance(np.random.default_rng(0).normal(0, 9, (50, len(SIGNS))).astype(np.float32))
    assert chance.shape == (50,) and (chance >= 0).all() and (chance <= 1).all()


def test_a_net_that_is_not_what_its_card_says_is_refused(tmp_path):
    chances.forget()
    net = tmp_path / "damage.onnx"
    with pytest.raises(ModelError, match="install Remend again"):
        chances_of(np.zeros((32, 32, 3), np.uint8), weights=net)
    net.write_bytes(b"no net")
    net.with_suffix(".json").write_text(json.dumps({"sha256": "0"}))
    with pytest.raises(ModelError, match="SHA-256"):
        chances_of(np.zeros((32, 32, 3), np.uint8), weights=net)
