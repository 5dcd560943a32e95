import numpy as np
import pytest

from remend.fill.push_pull import halve_known, push_pull


def test_known_pixels_stay_and_filled_ones_stay_in_range():
    rng = np.random.default_rng(0)
    window = rng.random((37, 50, 3), dtype=np.float32)
    known = rng.random((37, 50)) < 0.3
    filled = push_pull(np.where(known[..., None], window, np.float32(np.nan)), known)
    assert np.array_equal(filled[known], window[known])
    assert filled.min() >= window[known].min() - 1e-6
    assert filled.max() <= window[known].max() + 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (33, 31)])
def test_one_known_pixel_fills_everything(shape):
    known = np.zeros(shape, bool)
    known[0, -1] = True
    window = np.full((*shape, 3), np.nan, np.float32)
    window[0, -1] = (0.2, 0.5, 0.9)
    filled = push_pull(window, known)
    assert filled.shape == window.shape
    np.testing.assert_allclose(filled, np.broadcast_to(window[0, -1], window.shape), atol=1e-6)


def test_one_channel_with_and_without_its_axis_agree():
    rng = np.random.default_rng(1)
    window = rng.random((20, 13), dtype=np.float32)
    known = rng.random((20, 13)) < 0.5
    assert np.array_equal(push_pull(window, known), push_pull(window[..., None], known)[..., 0])


def test_nothing_known_is_grey_and_all_known_is_the_window():
    window = np.random.default_rng(2).random((5, 6, 3), dtype=np.float32)
    assert np.array_equal(push_pull(window, np.zeros((5, 6), bool)), np.full((5, 6, 3), 0.5, np.float32))
    assert np.array_equal(push_pull(window, np.ones((5, 6), bool)), window)


def test_a_half_level_averages_known_pixels_only():
    window = np.full((8, 8, 3), 0.25, np.float32)
    known = np.ones((8, 8), bool)
    known[:, 4:] = False
    window[:, 4:] = np.nan
    below, known_below = halve_known(window, known)
    assert below.shape == (4, 4, 3)
    assert known_below.any(axis=0).tolist() == [True, True, True, False]
    np.testing.assert_allclose(below[known_below], 0.25, atol=1e-6)
    assert not below[~known_below].any()
