import numpy as np
import pytest

from remend.finish.grain import add_grain, measure_grain

HOLE = np.zeros((128, 128), bool)
HOLE[40:90, 40:90] = True


def grainy(sigma: float) -> np.ndarray:
    rng = np.random.default_rng(4)
    window = np.full((128, 128, 3), 0.5) + rng.normal(0, sigma, (128, 128, 1))
    return window.astype(np.float32)


@pytest.mark.parametrize("sigma", [0.01, 0.03])
def test_a_flat_fill_gets_the_grain_of_its_surroundings(sigma):
    window = grainy(sigma)
    window[HOLE] = 0.5
    grain = measure_grain(window, ~HOLE)
    made = add_grain(window, HOLE, grain, seed=1)
    np.testing.assert_array_equal(made[~HOLE], window[~HOLE])
    inner = made[44:86, 44:86]
    assert 0.6 * sigma < inner.std() < 1.3 * sigma
    assert abs(inner.mean() - 0.5) < 0.3 * sigma
    # Grey grain stays grey.
    assert np.abs(inner - inner.mean(axis=2, keepdims=True)).max() < 1e-5


def test_same_seed_same_grain_and_another_seed_another():
    window = grainy(0.02)
    window[HOLE] = 0.5
    grain = measure_grain(window, ~HOLE)
    first = add_grain(window, HOLE, grain, seed=1)
    np.testing.assert_array_equal(first, add_grain(window, HOLE, grain, seed=1))
    assert (first != add_grain(window, HOLE, grain, seed=2)).any()


def test_a_clean_picture_has_no_grain_and_gets_none():
    ramp = np.linspace(0.2, 0.8, 128, dtype=np.float32)
    window = np.repeat(np.repeat(ramp[None, :, None], 128, axis=0), 3, axis=2)
    assert measure_grain(window, ~HOLE) is None


def test_a_fill_that_has_its_grain_gets_no_more():
    window = grainy(0.02)
    grain = measure_grain(window, ~HOLE)
    made = add_grain(window, HOLE, grain, seed=1)
    assert made[HOLE].std() < 1.15 * window[HOLE].std()


def test_white_and_black_are_not_clipped_out_of_balance():
    window = grainy(0.02)
    grain = measure_grain(window, ~HOLE)
    window[HOLE] = 1.0
    assert add_grain(window, HOLE, grain, seed=1)[HOLE].max() <= 1.0 + 1e-6


def test_a_window_too_small_says_nothing():
    assert measure_grain(np.zeros((5, 5, 3), np.float32), np.ones((5, 5), bool)) is None
