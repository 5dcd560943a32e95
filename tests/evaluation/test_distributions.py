"""FID, KID, P-IDS and U-IDS against outside implementations on made features."""

import numpy as np
import pytest

from remend.errors import EvaluationError
from remend.evaluation.distributions import fid, ids, kid, separator


def features(seed: int, count: int, width: int, shift: float = 0.0) -> np.ndarray:
    """Correlated, not centred, all positive: as features after ReLU are."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(width, width)) / np.sqrt(width)
    return np.abs(rng.normal(size=(count, width)) @ mix + 0.5 + shift)


@pytest.mark.parametrize(("n", "m", "width"), [(60, 50, 8), (12, 9, 16), (6, 90, 16)])
def test_fid_is_the_formula_with_scipys_root(n, m, width):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = features(1, n, width), features(2, m, width, 0.3)
    ca, cb = np.cov(a.T), np.cov(b.T)
    root = linalg.sqrtm(ca @ cb + 0j)
    wanted = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(ca) + np.trace(cb) - 2 * np.trace(root).real
    # scipy's root of a matrix without full rank is the less exact of the two
    assert fid(a, b) == pytest.approx(wanted, rel=1e-9 if min(n, m) > width else 1e-5)


def test_fid_of_gaussians_known_in_closed_form():
    a = np.array([[-1.0, 0], [1, 0], [0, -2], [0, 2]])
    b = 3 * a + [5, 0]
    # One is three times as wide in every direction: (3 - 1)² of the trace, and the shift.
    assert fid(a, b) == pytest.approx(25 + 4 * np.trace(np.cov(a.T)))
    assert fid(a, a) == pytest.approx(0, abs=1e-12)


def test_kid_is_the_mean_over_pairs():
    a, b = features(1, 7, 5), features(2, 6, 5, 0.2)

    def kernel(x, y):
        return (x @ y / 5 + 1) ** 3

    within_a = np.mean([kernel(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    within_b = np.mean([kernel(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    across = np.mean([kernel(x, y) for x in a for y in b])
    assert kid(a, b) == pytest.approx(within_a + within_b - 2 * across)


def test_kid_does_not_depend_on_the_number_of_pictures_and_fid_does():
    small = [(features(s, 40, 8), features(s + 50, 40, 8)) for s in range(30)]
    large = [(features(s, 400, 8), features(s + 50, 400, 8)) for s in range(5)]
    assert abs(np.mean([kid(*pair) for pair in small])) < 0.02
    assert np.mean([fid(*pair) for pair in small]) > 5 * np.mean([fid(*pair) for pair in large])


def test_a_plane_in_one_dimension_is_known_in_closed_form():
    # Rows ±1 without anything to tell but the sign: w = 4c / (1 + 4c), b = 0.
    found = separator(np.array([[1.0], [-1.0]]), np.array([1.0, -1.0]))
    assert found.weights[0] == pytest.approx(4 / 5)
    assert found.bias == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("count", "width"), [(200, 6), (30, 40)])
def test_the_plane_is_the_least_that_another_solver_finds(count, width):
    optimize = pytest.importorskip("scipy.optimize")
    x = np.concatenate([features(3, count, width), features(4, count, width, 0.15)])
    y = np.repeat([1.0, -1.0], count)
    full = np.concatenate([x, np.ones((2 * count, 1))], axis=1)

    def value(w):
        slack = np.maximum(0, 1 - y * (full @ w))
        return 0.5 * w @ w + (slack**2).sum(), w - 2 * full.T @ (y * slack)

    best = optimize.minimize(value, np.zeros(width + 1), jac=True, method="L-BFGS-B", tol=1e-14)
    found = separator(x, y)
    assert found.slope < 1e-6
    assert found.objective == pytest.approx(value(np.append(found.weights, found.bias))[0])
    assert found.objective <= best.fun * (1 + 1e-9)


def test_p_ids_and_u_ids_are_those_of_scikit_learns_machine():
    svm = pytest.importorskip("sklearn.svm")
    a, b = features(5, 150, 10), features(6, 150, 10, 0.1)
    x, y = np.concatenate([a, b]), np.repeat([1, 0], 150)
    machine = svm.LinearSVC(dual=False, tol=1e-8, max_iter=10_000).fit(x, y)
    paired = np.mean(machine.decision_function(b) > machine.decision_function(a))
    assert ids(a, b) == pytest.approx((paired, 1 - machine.score(x, y)))


def test_ids_at_the_ends():
    a = features(7, 80, 4)
    far = a + 10
    assert ids(a, far) == (0, 0)
    # The same rows in another order: nothing tells the sets apart, half of the pairs look better.
    paired, unpaired = ids(a, a[np.random.default_rng(0).permutation(80)])
    assert paired == pytest.approx(0.5, abs=0.12)
    assert unpaired == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize("function", [fid, kid, ids])
def test_what_cannot_be_measured(function):
    good = features(1, 5, 3)
    with pytest.raises(EvaluationError, match="N ≥ 2"):
        function(good, good[:1])
    with pytest.raises(EvaluationError, match="wide"):
        function(good, good[:, :2])
    with pytest.raises(EvaluationError, match="finite"):
        function(good, good * np.nan)
    if function is ids:
        with pytest.raises(EvaluationError, match="equally many"):
            ids(good, good[:3])
