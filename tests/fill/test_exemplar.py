import cv2
import numpy as np
import pytest

from remend.fill import exemplar
from remend.fill.exemplar import Exemplar
from remend.fill.filler import Filler


def _stripes(height=96, width=96, period=12):
    x = np.arange(width, dtype=np.float32)
    row = 0.5 + 0.35 * np.sign(np.sin(2 * np.pi * (x + 0.5) / period))
    return np.repeat(np.repeat(row[None, :, None], height, axis=0), 3, axis=2).astype(np.float32)


def _noise(height=96, width=96, seed=0):
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(size=(height, width, 3)).astype(np.float32), (0, 0), 1.0)
    return 0.5 + 0.3 * grain / grain.std() / 3


def _box(height=96, width=96, side=28):
    hole = np.zeros((height, width), bool)
    top, left = (height - side) // 2, (width - side) // 2
    hole[top : top + side, left : left + side] = True
    return hole


def _edges(image, hole):
    grey = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))[hole].mean()


def test_keeps_the_contract():
    filler = Exemplar()
    assert isinstance(filler, Filler)
    assert filler.name == "exemplar"
    assert filler.capabilities.makes_texture


def test_continues_stripes_across_the_hole():
    window, hole = _stripes(), _box()
    filled = Exemplar().fill(window, hole, usable=~hole).pixels
    # A smooth fill leaves the mean, 0.35 off everywhere.
    assert np.abs(filled - window)[hole].mean() < 0.06


def test_fills_noise_with_as_much_texture():
    window, hole = _noise(), _box()
    filled = Exemplar().fill(window, hole, usable=~hole).pixels
    composed = np.where(hole[..., None], filled, window)
    assert 0.7 < _edges(composed, hole) / _edges(window, hole) < 1.2


def test_never_reads_hole_or_unusable_pixels():
    window, hole = _noise(), _box(side=20)
    usable = ~hole
    usable[20:45, 60:64] = False
    usable[:8] = False
    bad, worse = window.copy(), window.copy()
    bad[~usable], worse[~usable] = np.nan, 1e9
    kept = bad.copy()
    first = Exemplar().fill(bad, hole, usable=usable)
    second = Exemplar().fill(worse, hole, usable=usable)
    assert np.array_equal(bad, kept, equal_nan=True)
    assert np.isfinite(first.pixels[hole]).all()
    assert np.array_equal(first.pixels[hole], second.pixels[hole])
    source = first.source_xy[hole]
    assert usable[source[:, 1], source[:, 0]].all()


def test_says_where_it_copied_from():
    window, hole = _noise(), _box(side=20)
    answer = Exemplar(base_share=0.0).fill(window, hole, usable=~hole)
    assert (answer.source_xy[~hole] == -1).all()
    source = answer.source_xy[hole]
    # Nearly every pixel is its source's: blending at seams touches the few that lie on one.
    copied = window[source[:, 1], source[:, 0]]
    assert np.median(np.abs(answer.pixels[hole] - copied)) < 0.02


def test_same_bytes_twice_whatever_the_seed():
    window, hole = _noise(), _box()
    first = Exemplar().fill(window, hole, usable=~hole, seed=1)
    second = Exemplar().fill(window, hole, usable=~hole, seed=2)
    assert first.pixels.tobytes() == second.pixels.tobytes()


@pytest.mark.parametrize(("departure", "least", "most"), [(0.02, 0.012, 0.02), (0.4, 0.0, 0.075)])
def test_tone_is_drawn_to_the_prior_and_structure_is_not(departure, least, most):
    window, hole = np.full((64, 64, 3), 0.5, np.float32), _box(64, 64, 24)
    plain = Exemplar(base_share=0.0).fill(window, hole, usable=~hole).pixels
    drawn = Exemplar(base_limit=0.15).fill(window, hole, usable=~hole, prior=window + np.float32(departure))
    change = (drawn.pixels - plain)[hole]
    assert (change > 0).all()
    assert least < change.max() <= most + 1e-6


def test_copies_look_like_a_prior_that_is_believed():
    hole, side = _box(side=32), np.where(np.arange(96) < 48, np.float32(0.3), np.float32(0.7))
    window = side[None, :, None] + 0.3 * (_noise() - 0.5)
    prior = np.full_like(window, 0.3)  # the dark side is to take the whole hole

    def mean(trust):
        filler = Exemplar(prior_trust=trust, base_share=0.0)
        return filler.fill(window, hole, usable=~hole, prior=prior).pixels[hole].mean()

    assert mean(0.0) > 0.45
    assert mean(1.0) < 0.38


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (5, 5), (9, 8), (16, 33)])
def test_small_windows(size):
    window = _noise(*size)
    hole = np.zeros(size, bool)
    hole[size[0] // 2, size[1] // 2] = True
    usable = ~hole
    answer = Exemplar().fill(window, hole, usable=usable)
    assert answer.pixels.shape == window.shape
    assert np.isfinite(answer.pixels[hole]).all()


@pytest.mark.parametrize("step", [2, 3, 5])
def test_a_mask_that_leaves_no_whole_patch_is_filled_smoothly(step):
    window = _noise(40, 40)
    hole = np.ones((40, 40), bool)
    hole[::step, ::step] = False
    answer = Exemplar().fill(window, hole, usable=~hole)
    assert answer.source_xy is None
    assert np.isfinite(answer.pixels).all()


def test_nothing_known_still_answers():
    hole = np.ones((20, 30), bool)
    assert np.isfinite(
        Exemplar().fill(np.full((20, 30, 3), np.nan, np.float32), hole, usable=~hole).pixels
    ).all()


def test_thin_and_corner_holes():
    window = _noise(70, 90)
    hole = np.zeros((70, 90), bool)
    hole[:, 40] = True
    hole[:12, :12] = True
    hole[-1, -1] = True
    answer = Exemplar().fill(window, hole, usable=~hole)
    assert np.isfinite(answer.pixels[hole]).all()
    assert (answer.source_xy[hole] >= 0).all()


@pytest.mark.parametrize(("limit", "value"), [("REFINED_PATCHES", 0), ("EXACT_PAIRS", 20_000)])
def test_large_windows_take_the_cheaper_way_and_keep_texture(monkeypatch, limit, value):
    window, hole = _noise(), _box(side=40)
    monkeypatch.setattr(exemplar, limit, value)
    answer = Exemplar().fill(window, hole, usable=~hole)
    composed = np.where(hole[..., None], answer.pixels, window)
    assert 0.6 < _edges(composed, hole) / _edges(window, hole) < 1.3
    source = answer.source_xy[hole]
    assert not hole[source[:, 1], source[:, 0]].any()


def test_bricks_and_joints_keep_their_contrast():
    y, x = np.mgrid[:160, :160]
    joints = (y % 32 < 7) | ((x + 32 * (y // 32 % 2)) % 64 < 7)
    grain = np.random.default_rng(4).normal(0, 0.01, joints.shape)
    window = np.repeat((np.where(joints, 0.7, 0.35) + grain)[..., None], 3, axis=2).astype(np.float32)
    hole = _box(160, 160, side=48)
    prior = np.full_like(window, window[~hole].mean())
    filled = Exemplar().fill(window, hole, usable=~hole, prior=prior).pixels
    middle = _box(160, 160, side=36)
    assert filled[middle].std() > 0.85 * window[middle].std()
