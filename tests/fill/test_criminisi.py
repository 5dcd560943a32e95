import numpy as np
import pytest

from remend.errors import UsageError
from remend.fill.criminisi import Criminisi, _Canvas
from remend.fill.filler import Filler


def _picture(height=48, width=60):
    rng = np.random.default_rng(0)
    image = np.full((height, width, 3), 0.2, np.float32)
    image[:, width // 2 :] = 0.8
    return (image + rng.normal(0, 0.02, image.shape)).astype(np.float32)


def _hole(height=48, width=60, side=16):
    hole = np.zeros((height, width), bool)
    top, left = (height - side) // 2, (width - side) // 2
    hole[top : top + side, left : left + side] = True
    return hole


def test_keeps_the_contract():
    filler = Criminisi()
    assert isinstance(filler, Filler)
    assert filler.name == "criminisi"
    assert filler.capabilities.makes_texture


def test_an_edge_is_continued_straight():
    window, hole = _picture(), _hole()
    filled = Criminisi().fill(window, hole, usable=~hole).pixels
    assert np.abs(filled - window)[hole].mean() < 0.05


def test_edges_come_before_flat_rim():
    window, hole = _picture(), _hole()
    window = np.where(hole[..., None], np.float32(0.5), window)
    canvas = _Canvas.of(window, hole, ~hole, 4)
    row, column = canvas.most_urgent()
    assert abs(column - 4 - 30) <= 4
    assert row - 4 in (16, 31)


def test_every_pixel_is_an_exact_copy_of_its_source():
    window, hole = _picture(), _hole()
    usable = ~hole
    usable[:5] = False
    answer = Criminisi().fill(window, hole, usable=usable)
    source = answer.source_xy[hole]
    assert (answer.source_xy[~hole] == -1).all()
    assert usable[source[:, 1], source[:, 0]].all()
    assert np.array_equal(answer.pixels[hole], window[source[:, 1], source[:, 0]])


def test_never_reads_hole_or_unusable_pixels():
    window, hole = _picture(), _hole()
    usable = ~hole
    usable[20:26, 5:10] = False
    usable[22:28, 40:44] = False
    bad, worse = window.copy(), window.copy()
    bad[~usable], worse[~usable] = np.nan, 1e9
    kept = bad.copy()
    first = Criminisi().fill(bad, hole, usable=usable)
    second = Criminisi().fill(worse, hole, usable=usable)
    assert np.array_equal(bad, kept, equal_nan=True)
    assert np.isfinite(first.pixels[hole]).all()
    assert np.array_equal(first.pixels[hole], second.pixels[hole])


def test_looks_farther_when_the_neighbourhood_holds_no_source():
    window, hole = _picture(), _hole()
    usable = ~hole
    usable[:, 9:51] = False
    usable[15:33, 21:39] = ~hole[15:33, 21:39]  # a thin ring of known pixels, no whole patch
    answer = Criminisi(search_px=3).fill(window, hole, usable=usable)
    assert (answer.source_xy[hole] >= 0).all()


@pytest.mark.parametrize("size", [(1, 1), (4, 30), (9, 9), (20, 12)])
def test_small_windows(size):
    hole = np.zeros(size, bool)
    hole[size[0] // 2, size[1] // 2] = True
    answer = Criminisi().fill(np.full((*size, 3), 0.5, np.float32), hole, usable=~hole)
    assert np.isfinite(answer.pixels[hole]).all()


def test_no_source_at_all_answers_the_prior():
    window, hole = _picture(), np.ones((48, 60), bool)
    prior = np.full_like(window, 0.3)
    answer = Criminisi().fill(window, hole, usable=~hole, prior=prior)
    assert np.array_equal(answer.pixels[hole], prior[hole])
    assert (answer.source_xy == -1).all()


def test_a_hole_that_no_known_pixel_touches_is_left_to_the_smooth_fill():
    window, hole = _picture(), np.zeros((48, 60), bool)
    hole[20:24, 20:24] = True
    usable = ~hole
    usable[15:30, 15:30] = False
    answer = Criminisi().fill(window, hole, usable=usable)
    assert np.isfinite(answer.pixels[hole]).all()
    assert (answer.source_xy[hole] == -1).all()


@pytest.mark.parametrize("bad", [{"radius_px": 0}, {"search_px": 0}])
def test_refuses_sizes_that_are_not_positive(bad):
    with pytest.raises(UsageError, match="at least 1"):
        Criminisi(**bad)
