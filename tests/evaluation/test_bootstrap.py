"""Intervals against scipy's, and what they must hold."""

import numpy as np
import pytest

from remend.evaluation.bootstrap import FEWEST, intervals


def test_the_same_as_scipys_percentile_interval():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).gamma(2.0, size=60)
    outside = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    found = intervals(values[:, None], draws=20_000)[0]
    assert found == pytest.approx((outside.low, outside.high), abs=0.01)


def test_it_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    samples = rng.normal(3.0, 2.0, size=(40, 300))  # 300 experiments of 40 pictures
    found = intervals(samples, draws=400)
    covered = ((found[:, 0] < 3.0) & (found[:, 1] > 3.0)).mean()
    assert 0.9 < covered < 0.98


def test_seeded_and_columns_are_drawn_together():
    table = np.random.default_rng(3).normal(size=(20, 3))
    both = intervals(table)
    np.testing.assert_array_equal(both, intervals(table))
    np.testing.assert_allclose(both[1:2], intervals(table[:, 1:2]))
    assert not np.array_equal(both, intervals(table, seed=1))


def test_missing_values_do_not_count():
    values = np.random.default_rng(4).normal(size=12)
    table = np.stack([np.append(values, [np.nan] * 3), np.full(15, np.nan)], axis=1)
    low, high = intervals(table)[0]
    assert low < values.mean() < high
    assert np.isnan(intervals(table)[1]).all()


def test_too_few_pictures_have_no_interval():
    assert np.isnan(intervals(np.arange(FEWEST - 1.0)[:, None])).all()
    assert np.isfinite(intervals(np.arange(float(FEWEST))[:, None])).all()


def test_large_tables_in_chunks():
    table = np.random.default_rng(5).normal(size=(5000, 1))
    low, high = intervals(table, draws=2000)[0]
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(5000), rel=0.1)
